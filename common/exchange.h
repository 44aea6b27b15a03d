/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_EXCHANGE_H
#define FEEDGATE_EXCHANGE_H

#include "parameter.h"
#include "sage_token.h"
#include "service.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * One request and its reply, whoever carries them: FastCGI or plain CGI. It
 * owns all that is made for the request; exchange_clear() gives it back.
 */

enum method { METHOD_OTHER, METHOD_GET, METHOD_POST };

enum { BODY_MAX = 64 * 1024, DETAIL_SIZE = 300, LOG_ID_SIZE = 13, REPLY_HEADERS_MAX = 4096 };

/* How a request's parts are read and its reply is written. */
struct carrier {
    void *source;
    /* A CGI variable ("QUERY_STRING", "HTTP_AUTHORIZATION"); NULL when it isn't there. Borrowed. */
    const char *(*variable)(void *source, const char *name);
    /* Reads up to `size` bytes of the body: how many, 0 at its end, -1 when it broke off. */
    long (*read)(void *source, char *bytes, size_t size);
    /* Writes all bytes of the reply; false when nobody takes them any more. */
    bool (*write)(void *source, const char *bytes, size_t length);
};

struct exchange {
    const struct carrier *carrier;
    struct service *service;
    int64_t now; /* when the request was taken up, milliseconds since 1970 */

    enum method method;
    char *body; /* with a NUL behind its length */
    size_t body_length;
    struct parameter_values parameters;
    struct sage_token token; /* of the caller, once a guard has passed it */
    const char *scope;       /* that a guard demanded of the token; borrowed */

    char detail[DETAIL_SIZE]; /* for the operator's log: what was refused */
    char log_id[LOG_ID_SIZE]; /* the session that it is about; "" when there is none */

    char headers[REPLY_HEADERS_MAX]; /* of the reply, beside those that every one has */
    size_t headers_length;
    bool replied; /* bytes of a reply are on their way: there can't be another one */
};

/* Begins a request. Carrier and service are borrowed for the exchange's life. */
void exchange_begin(struct exchange *exchange, const struct carrier *carrier,
                    struct service *service);

/* Gives back what the exchange owns. */
void exchange_clear(struct exchange *exchange);

/* A CGI variable of the request; NULL when it isn't there. Borrowed. */
const char *exchange_variable(const struct exchange *exchange, const char *name);

/* Whether the request says by itself that its body has more than `limit` bytes. */
bool exchange_declares_more(const struct exchange *exchange, size_t limit);

/*
 * Reads the body, counting, whatever its declared length: up to `limit` bytes
 * (at most BODY_MAX). BODY_TOO_LARGE when there is more,
 * BODY_INCOMPLETE when it broke off or is shorter than declared.
 */
enum refusal exchange_read_body(struct exchange *exchange, size_t limit);

/* Says what is refused, for the operator's log (never a secret); cut when too long. */
void exchange_note(struct exchange *exchange, const char *detail);

/* Adds a header to the reply; false (and nothing added) when there is no room. */
bool exchange_add_header(struct exchange *exchange, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Writes the reply: status line, the headers that every reply has (no-store,
 * no-referrer, nosniff), those that were added, and the body.
 */
bool exchange_reply(struct exchange *exchange, int status, const char *media_type, const char *body,
                    size_t length);

#endif
