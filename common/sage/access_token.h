/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ACCESS_TOKEN_H
#define FEEDGATE_ACCESS_TOKEN_H

#include "base/clock.h"
#include "config/config.h"
#include "store/store.h"

#include <stdatomic.h>

/*
 * Our access token for Sage's Provider API (Sage ID, client credentials): all
 * processes share one through the table access_token until shortly before it
 * expires, since Sage limits token calls (Sage, Get set up). One process
 * fetches at a time, the others wait for it; after a failure nobody fetches
 * for a while. Private to provider_api.
 */

enum { ACCESS_TOKEN_SIZE = 8 * 1024 + 1, ACCESS_TOKEN_ERROR_MAX = 224 };

enum access_token_result {
    ACCESS_TOKEN_HAD,
    ACCESS_TOKEN_MISSING,   /* one line in `error`, without a secret */
    ACCESS_TOKEN_CANCELLED, /* ended by `cancel` */
};

/* What is asked for, and what came of it. */
struct access_token {
    struct store *store;
    struct clock *clock;
    const struct config *config;
    int64_t end;               /* of the time that it may take, as clock_monotonic() counts */
    const atomic_bool *cancel; /* or NULL */
    bool anew;                 /* only one fetched from now on, whatever failed before */

    char token[ACCESS_TOKEN_SIZE]; /* visible ASCII; to be wiped by the caller */
    char error[ACCESS_TOKEN_ERROR_MAX];
    int64_t retry_after_ms; /* of a failure: nobody fetches before; 0: unknown */
};

/* Takes the shared token, or fetches a new one, or waits for another process's fetch. */
enum access_token_result access_token_take(struct access_token *wanted);

/*
 * Sage didn't take this token: nobody uses it again. A newer one stays. False
 * when the store wouldn't: then the next to be taken may be this one again.
 */
bool access_token_drop(struct access_token *wanted);

/*
 * Reads the answer of a token endpoint: `token` (ACCESS_TOKEN_SIZE bytes) and
 * for how long it is good. NULL, or what is wrong with the answer.
 */
const char *access_token_read(const char *bytes, size_t length, char *token, int64_t *life_ms);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool access_token_mend(struct database *database, int64_t now, int64_t *changed);

#endif
