/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_GATED_H
#define FEEDGATE_TEST_GATED_H

#include "client.h"

/* Endpoints in front of an application of the provider's own, and what that hands in. */

/* Asks the endpoint itself, in FastCGI's Authorizer role, whether the request may pass. */
struct response gate_ask(const struct request *request);
#define ASK_GATE(...) gate_ask(&(struct request[]){OPENING(__VA_ARGS__)}[0])

/* Announces an authorisation and lets it pass at the endpoint, as a web server would. */
void pass_on(const char *id, const char *endpoint);

/* ---- POST /complete -------------------------------------------------------- */

struct completing {
    char usual;
    const char *id;       /* NULL: one that nobody announced */
    const char *status;   /* NULL: success */
    const char *accounts; /* the array's JSON; NULL: one account with success, none else */
    const char *body;     /* in place of all that; OMIT: none */
    size_t body_length;
    const char *authorization; /* NULL: with the key, OMIT: not sent */
    const char *media_type;
    const char *method;
    const char *path;
    const char *headers[4]; /* further ones */
};
struct response complete_send(const struct completing *completing);
#define COMPLETE(...) complete_send(&(struct completing){.usual = 0, __VA_ARGS__})

/* An account in the words of the PATCH; different for each number. */
const char *account_json(int number);

/* The URL that an answer of /complete sends the customer to. */
const char *redirect_url(const struct response *response);

#endif
