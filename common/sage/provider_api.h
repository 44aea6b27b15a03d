/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PROVIDER_API_H
#define FEEDGATE_PROVIDER_API_H

#include "base/clock.h"
#include "config/config.h"
#include "store/store.h"

#include <stdatomic.h>

/*
 * Our calls to Sage: the access token (client credentials, Sage ID) and the
 * Provider API. All processes share one token through the table access_token,
 * one token until shortly before it expires, since Sage limits token calls
 * (Sage, Get set up). May be used by several threads at once.
 */

struct provider_api;

/* What is borrowed must outlive it. NULL when memory is out. */
struct provider_api *provider_api_open(struct store *store, struct clock *clock,
                                       const struct config *config);
void provider_api_close(struct provider_api *api);

/* Whether `[provider_api]` is configured: otherwise nothing can be reported. */
bool provider_api_is_configured(const struct provider_api *api);

enum api_outcome {
    API_TAKEN,     /* 2xx */
    API_TRY_AGAIN, /* 408, 429, 5xx, a redirect, no whole answer, no token */
    API_REFUSED,   /* any other 4xx: trying again would change nothing */
    API_CANCELLED, /* ended by `cancel`: nothing is known */
};

enum { API_TEXT_MAX = 256, API_EXCERPT_MAX = 256 };

/* What came of a call. Both texts are one line of UTF-8 without a secret of ours. */
struct api_answer {
    enum api_outcome outcome;
    int64_t retry_after_ms;        /* as Sage asked for; 0 when it didn't */
    char text[API_TEXT_MAX];       /* in our words: "status 429", "timed out" */
    char excerpt[API_EXCERPT_MAX]; /* how the answer's body began, unless it is 2xx; not for the
                                log, since it may repeat what we told about accounts */
};

/*
 * PATCHes the body to /authorisations/{authorisation_id}, once; only after 401
 * once more, with a new token: a second 401 is API_TRY_AGAIN, since
 * a gateway that is unwell says so of good tokens, too. Comes back within
 * about `budget_ms`, token included; `cancel` (or NULL) ends it within a second.
 * Without `[provider_api]` it is API_TRY_AGAIN.
 */
void provider_api_patch(struct provider_api *api, const char *authorisation_id, const char *body,
                        int64_t budget_ms, const atomic_bool *cancel, struct api_answer *answer);

/*
 * Fetches a new token (or shares one that another process is just fetching), to
 * see that the credentials are good, and keeps it for all; for `feedgate check`.
 */
bool provider_api_probe(struct provider_api *api, struct api_answer *answer);

#endif
