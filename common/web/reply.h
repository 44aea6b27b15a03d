/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_REPLY_H
#define FEEDGATE_REPLY_H

#include "exchange.h"

#include <cjson/cJSON.h>

/*
 * Replies as clients see them. Those of a handler return REFUSAL_NONE, or INTERNAL
 * when nobody took the reply.
 */

enum reply_form {
    REPLY_PROBLEM, /* application/problem+json (RFC 9457), for programs */
    REPLY_PAGE,    /* a page, for a person */
};

/* A JSON body with status 200. */
enum refusal reply_json(struct exchange *exchange, const char *body, size_t length);

/* The same of a document, which stays the caller's; OUT_OF_MEMORY when it can't be printed. */
enum refusal reply_document(struct exchange *exchange, const cJSON *document);

/* Sends a browser on to the URL with 303, so that it comes there by GET. */
enum refusal reply_redirect(struct exchange *exchange, const char *url);

/* An Authorizer's pass: status 200 and the headers that were added. */
enum refusal reply_pass(struct exchange *exchange);

/*
 * The refusal's public answer, the same bytes for all refusals that share it; but
 * CUSTOMER_MALFORMED and RESULT_MALFORMED tell the exchange's detail as well.
 * Adds `Retry-After` to 503, and the challenge of RFC 6750 section 3 to 401
 * and to TOKEN_SCOPE.
 */
bool reply_refusal(struct exchange *exchange, enum reply_form form, enum refusal refusal);

/*
 * A refusal to a web server that asked in a subrequest: 403 whatever it is, and
 * its word in the header X-Feedgate-Refusal, for ROLE_REFUSAL to answer with.
 */
bool reply_subrequest_refusal(struct exchange *exchange, enum refusal refusal);

#endif
