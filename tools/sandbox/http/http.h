/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_HTTP_HTTP_H
#define FEEDGATE_SANDBOX_HTTP_HTTP_H

#include "form.h"
#include "text.h"

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * The sandbox's HTTP server: routes in, replies out. It listens on 127.0.0.1
 * and, where the machine has it, on [::1], one thread a connection: a handler
 * that waits for the connector must not keep the connector from fetching the
 * key set.
 */

enum { REQUEST_BODY_MAX = 256 * 1024, FORM_BODY_MAX = 64 * 1024, CONNECTIONS_MAX = 256 };

struct sandbox;

struct request {
    struct form fields; /* of a POST's form, of a GET's query */
    const char *rest;   /* of the path, behind a route's that ends with a slash */
    const char *body;   /* of a PATCH; NUL-terminated */
    size_t body_size;
    /* values of headers, NULL: not sent */
    const char *authorization;
    const char *api_key;
    const char *content_type;
    bool repeats_header; /* one of the three came twice */
};

/* What a handler fills in. The server frees it. */
struct reply {
    unsigned int status; /* 0 stands for "no memory", answered with 500 */
    const char *content_type;
    char *body;
    char *location;           /* for 303 */
    char *policy;             /* Content-Security-Policy, for pages */
    unsigned int retry_after; /* seconds; 0: no such header */
    bool cut;                 /* close the connection instead of answering */
};

typedef void route_handler(struct sandbox *sandbox, const struct request *request,
                           struct reply *reply);

struct route {
    const char *method; /* GET (serves HEAD, too), POST (of a form) or PATCH */
    const char *path;   /* ends with a slash: one more segment belongs to it */
    route_handler *handle;
};

/* Answers with the document, which it frees; NULL stands for "no memory". */
void reply_json(struct reply *reply, unsigned int status, cJSON *document);

/* Answers {"error":…,"error_description":…}, as RFC 6749 5.2 has it. */
void reply_error(struct reply *reply, unsigned int status, const char *error,
                 const char *description);

/* Answers with a text of this type, which it takes over. */
void reply_text(struct reply *reply, unsigned int status, const char *content_type,
                struct text *text);

struct server;

/*
 * Opens both listeners and serves. NULL after one line on standard error if
 * that can't be done. `routes` ends with an entry whose path is NULL.
 */
struct server *server_start(uint16_t port, const struct route *routes, struct sandbox *sandbox);

/* Takes no new connection, gives requests under way a few seconds to end, and frees all. */
void server_stop(struct server *server);

#endif
