/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_SAGE_API_H
#define FEEDGATE_TEST_SAGE_API_H

#include <stdbool.h>
#include <stddef.h>

/*
 * What we call at Sage, in the tests: POST /oauth/token and PATCH
 * /v1/authorisations/{id}, on a server inside the test program that keeps all
 * it was sent and answers as a test says. Unless told otherwise it gives the
 * tokens "token-1", "token-2", ... and takes every PATCH with 200.
 */
struct sage_api;

/* Listens on a free port of 127.0.0.1. Ends the program when that fails. */
struct sage_api *sage_api_launch(void);
void sage_api_stop(struct sage_api *api);

/* For `[sage] token_url` and `provider_api_url`; borrowed. */
const char *sage_api_token_url(const struct sage_api *api);
const char *sage_api_base_url(const struct sage_api *api);

enum sage_manner {
    SAGE_ANSWERS,
    SAGE_HOLDS,  /* answers when it is released */
    SAGE_CUTS,   /* closes the connection without an answer */
    SAGE_HALVES, /* closes it within the answer */
    SAGE_FLOODS, /* sends a body of a megabyte */
};

struct sage_reply {
    unsigned status; /* 0: as if nothing was said for this request */
    enum sage_manner manner;
    const char *body; /* NULL: the usual one */
    const char *retry_after;
    const char *location;
};

/*
 * The replies to the requests from now on, in turn; the last one is for all
 * further ones. Borrowed until others are set. NULL: the usual manners.
 */
void sage_api_tokens(struct sage_api *api, const struct sage_reply *replies, size_t count);
void sage_api_patches(struct sage_api *api, const struct sage_reply *replies, size_t count);

/* Every token given so far is void: a PATCH with one of them gets 401, whatever was said. */
void sage_api_void_tokens(struct sage_api *api);

/* Lets go what is held. */
void sage_api_release(struct sage_api *api);

/* A request as it came; texts are borrowed until the server stops, NULL for a missing header. */
struct sage_request {
    char *method, *path;
    char *authorization, *api_key, *content_type, *expect;
    char *body;
    unsigned status; /* it was answered with; 0: not yet, or not at all */
};

/* How many requests came, whole; and one of them, from 0: NULL when there is none. */
size_t sage_api_token_count(struct sage_api *api);
size_t sage_api_patch_count(struct sage_api *api);
const struct sage_request *sage_api_token_request(struct sage_api *api, size_t number);
const struct sage_request *sage_api_patch_request(struct sage_api *api, size_t number);

/* How many PATCHes of this authorisation were answered with this status. */
size_t sage_api_answered(struct sage_api *api, const char *authorisation_id, unsigned status);

/* Waits until so many PATCHes came; false after ten seconds. */
bool sage_api_await_patches(struct sage_api *api, size_t count);

/* Requests for anything else. */
size_t sage_api_strays(struct sage_api *api);

#endif
