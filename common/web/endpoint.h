/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ENDPOINT_H
#define FEEDGATE_ENDPOINT_H

#include "guard.h"
#include "reply.h"

/*
 * An endpoint is data: one struct says what it demands of a request, in the
 * order in which it is checked, and which handler answers one that passed.
 */

/* Does what the request is for, and replies; a refusal that it returns is replied by the caller. */
typedef enum refusal handler(struct exchange *exchange);

enum { GUARDS_MAX = 5 };
#define KIB ((size_t)1024)

/* What one method of an endpoint demands. Without a handler the method isn't allowed. */
struct operation {
    struct {
        const char *type; /* the media type, without parameters; NULL: none is demanded */
        size_t limit;     /* bytes; 0: no body is read */
    } body;
    guard *guards[GUARDS_MAX + 1];      /* in order, cheapest first; ends with NULL */
    const struct parameter *parameters; /* of the query, ends with a NULL name; NULL: none */
    const struct parameter *form;       /* of a form in the body, likewise */
    handler *handle;
};

struct endpoint {
    const char *name;
    enum reply_form refusals; /* how refusals look */
    unsigned parts;           /* of enum service_part: what its handlers need */
    unsigned secrets;         /* of enum config_secrets: what it may know */
    enum flow flow;           /* of a journey that begins here */
    struct operation get;
    struct operation get_ticket; /* in place of `get` when the query has a `ticket` */
    struct operation post;
    struct operation
        authorize; /* a GET on its way to the provider's own application (authorizer.h) */
};

/* Serves one request, from its method to its reply and its line in the log. */
void endpoint_serve(const struct endpoint *endpoint, struct exchange *exchange);

#endif
