/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_EXCHANGE_H
#define FEEDGATE_EXCHANGE_H

#include "base/log.h"
#include "client_address.h"
#include "parameter.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "sage/sage_token.h"

#include <stdbool.h>
#include <stddef.h>

struct service;
struct transport;

/*
 * One request and its reply, whoever carries them: FastCGI or plain CGI. It
 * owns all that is made for the request; exchange_clear() gives it back.
 */

enum method { METHOD_OTHER, METHOD_GET, METHOD_POST };

/*
 * What the web server wants of us. It says so in FCGI_ROLE, which libfcgi sets by
 * FastCGI's own role, or in FEEDGATE_ROLE, which its configuration sets; no
 * client can, since headers come as HTTP_NAME.
 */
enum role {
    ROLE_RESPONDER,  /* the answer is the client's */
    ROLE_AUTHORIZER, /* whether the request may go on to the provider's own application */
    ROLE_SUBREQUEST, /* the same for a server that knows 200, 401 and 403 alone, and drops the body
                        (nginx auth_request): FEEDGATE_ROLE is AUTHORIZER */
    ROLE_REFUSAL,    /* the answer to a client that was refused so: FEEDGATE_ROLE is REFUSAL */
    ROLE_UNKNOWN,
};

enum { BODY_MAX = 64 * 1024, DETAIL_SIZE = 300, REPLY_HEADERS_MAX = 4096 };

struct exchange {
    const struct transport *transport;
    struct service *service;
    int64_t
        now; /* by the machine's clock, when the request was there, with its body if it is read */

    enum role role;
    enum method method;
    enum flow flow; /* which the endpoint stands for; only /auth and /authrefresh have one */
    struct client_address client;
    char *body; /* with a NUL behind its length */
    size_t body_length;
    struct parameter_values parameters;
    struct sage_token token; /* of the caller, once a guard has passed it */
    const char *scope;       /* that a guard demanded of the token; borrowed */
    enum caller caller;      /* a stranger, until the key header's guard has passed it */

    char client_text[ADDRESS_SIZE]; /* the address as a proxy named it */

    char detail[DETAIL_SIZE];         /* for the operator's log: what was refused */
    char log_id[SESSION_LOG_ID_SIZE]; /* the session that it is about; "" when there is none */

    char headers[REPLY_HEADERS_MAX]; /* of the reply, beside those that every one has */
    size_t headers_length;
    bool replied; /* bytes of a reply are on their way: there can't be another one */
};

/* Begins a request. Transport and service are borrowed for the exchange's life. */
void exchange_begin(struct exchange *exchange, const struct transport *transport,
                    struct service *service);

/* Gives back what the exchange owns, and wipes it. */
void exchange_clear(struct exchange *exchange);

/* A CGI variable of the request; NULL when it isn't there. Borrowed. */
const char *exchange_variable(const struct exchange *exchange, const char *name);

/* Whether the web server hands it over more than once; exchange_variable() finds one of them. */
bool exchange_repeated(const struct exchange *exchange, const char *name);

/*
 * The client's address for the log, as text: the web server's peer (whatever
 * the server says of it, "unix:" too; NULL when that is nothing), or the one that a trusted proxy
 * names. Borrowed.
 */
const char *exchange_address(const struct exchange *exchange);

/* The trusted proxy that named the client's address; NULL when none did. Borrowed. */
const char *exchange_proxy(const struct exchange *exchange);

/* Whether the request says by itself that its body has more than `limit` bytes. */
bool exchange_declares_more(const struct exchange *exchange, size_t limit);

/*
 * Reads the body, counting, whatever its declared length: up to `limit` bytes
 * (at most BODY_MAX). BODY_TOO_LARGE when there is more,
 * BODY_INCOMPLETE when it broke off or is shorter than declared.
 */
enum refusal exchange_read_body(struct exchange *exchange, size_t limit);

/* The session time; STORE_BUSY or STORE_FAILED when it can't be known. */
enum refusal exchange_session_time(struct exchange *exchange, struct session_instant *instant);

/* Says what is refused, for the operator's log (never a secret); cut when too long. */
void exchange_note(struct exchange *exchange, const char *detail);

/* log_line() with the client's address and the proxy that named it behind the fields. */
enum { EXCHANGE_FIELDS_MAX = 8 };
void exchange_log_line(const struct exchange *exchange, enum log_level level, const char *event,
                       const struct log_field *fields, size_t count);
#define exchange_log(exchange, level, event, ...)                                                  \
    exchange_log_line((exchange), (level), (event), (const struct log_field[]){__VA_ARGS__},       \
                      sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

/* Adds a header to the reply; false (and nothing added) when there is no room. */
bool exchange_add_header(struct exchange *exchange, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Writes status 200 and the headers that were added, and nothing else: an Authorizer's pass. */
bool exchange_pass(struct exchange *exchange);

/*
 * Writes the reply: status line, the headers that every reply has (no-store,
 * no-referrer, nosniff), those that were added, and the body.
 */
bool exchange_reply(struct exchange *exchange, int status, const char *media_type, const char *body,
                    size_t length);

/*
 * Writes the shortest 500, which needs no memory, unless bytes of a reply are on
 * their way already. Some web servers take an Authorizer's missing answer for
 * permission. False when nothing was written.
 */
bool exchange_give_up(struct exchange *exchange);

#endif
