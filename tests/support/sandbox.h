/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_SANDBOX_H
#define FEEDGATE_TEST_SANDBOX_H

#include "client.h"

/*
 * feedgate-sandbox, the stand-in Sage, as a program. Most tests of the
 * sandbox itself use a shared one whose connector nobody listens for; one that
 * needs a connector starts a server that trusts a sandbox of its own and has
 * the provider's credentials there; both are in use until the test ends.
 */
void sandbox_use_shared(void);
void sandbox_end_shared(void);
void sandbox_start_with_server(void);

/* What its help says: the client "provider" has this secret, and the Provider API this key. */
#define SANDBOX_SECRET "sandbox-provider-secret"
#define SANDBOX_API_KEY "sandbox-api-key-0001"

/* "http://localhost:PORT", and its port; borrowed. */
const char *sandbox_url(void);
unsigned sandbox_port(void);

/* One request to it; the fields are a form ("a=b&c=d"). */
struct response sandbox_get(const char *path);
struct response sandbox_post(const char *path, const char *fields);

/* Announces an authorisation to whoever is the connector; its id. flow: "auth", "authrefresh". */
const char *sandbox_announce(const char *flow);

/* Sets or, with "kind=none", takes back what the next requests meet. */
void sandbox_fault(const char *fields);
unsigned sandbox_waiting(void);

/* A member of what GET /sandbox/results tells about it, as JSON: "\"success\"", "2". */
const char *sandbox_result(const char *authorisation_id, const char *member);

/* A token for the provider, from the token endpoint. */
const char *sandbox_token(void);
struct response sandbox_token_request(const char *secret);

/* ---- PATCH /v1/authorisations/{id} ------------------------------------------ */

struct patch {
    char usual;       /* so that an initialiser may be empty otherwise */
    const char *id;   /* NULL: a new authorisation of the flow "auth" */
    const char *body; /* NULL: a success with one account */
    size_t body_length;
    /* whole values of headers; NULL: as it should be, OMIT: not sent */
    const char *authorization;
    const char *api_key;
    const char *media_type;
    const char *method;
    const char *headers[4]; /* further ones */
};
struct request patch_request(const struct patch *patch);
struct response patch_send(const struct patch *patch);
#define PATCH(...) patch_send(&(struct patch){.usual = 0, __VA_ARGS__})

/* A success with one account of this externalId, or with two. */
const char *patch_success(const char *external_id);
const char *patch_success_of_two(const char *first, const char *second);

#endif
