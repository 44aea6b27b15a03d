/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CODE_H
#define FEEDGATE_CODE_H

#include "account.h"
#include "base/refusal.h"
#include "store/local_key.h"
#include "store/store.h"

/*
 * One-time codes: the provider's own product shows one to a customer who is
 * logged in there, and the customer types it into our page to prove who they
 * are (Sage, Connector API authentication, suggests this in place of online
 * banking credentials). Owns the table one_time_code. Times are milliseconds
 * since 1970.
 *
 * A code has eight random characters of Crockford's base32: 40 bits, so that
 * guessing over many sessions is hopeless. The database holds a keyed hash alone
 * (local_key.h).
 */

enum {
    CODE_CHARACTERS = 8,
    CODE_TEXT = 10, /* "7K3M-9Q2X" and a NUL */
    CODE_LIFETIME_MS = 15 * 60 * 1000,
    CODE_WRONG_MAX = 5,  /* the wrong try that ends a session */
    CODE_TYPED_MAX = 64, /* bytes that may be typed, with all that is passed over */
};

/*
 * Reads what a person typed: in either case, with spaces and hyphens anywhere
 * (those of typographers too, which come with a copied code), O for 0, and I
 * and L for 1. Writes the keyed hash of its eight characters into `hash`, or ""
 * when it can't be a code. False when the key can't be used now.
 */
bool code_read(const struct local_key *key, const char *typed, char hash[DIGEST_TEXT]);

struct code {
    char text[CODE_TEXT]; /* in two groups of four */
    int64_t expires_at;
};

/*
 * Issues a code for a customer; an older one is void from then on, used or
 * not. REFUSAL_NONE once it is durable; CUSTOMER_UNKNOWN, STORE_BUSY,
 * STORE_FAILED or INTERNAL.
 */
enum refusal code_issue(struct store *store, const struct local_key *key, const char *customer_id,
                        int64_t now, struct code *code);

/*
 * Uses a code up, as a part of the caller's transaction: `customer_id` becomes
 * the customer's, or "" when there is no such code that is neither used nor
 * expired (nor issued by a clock that was ahead), or, where `only_of` isn't NULL, when it is
 * another customer's; then nothing has changed. False on failure.
 */
bool code_use(struct database *database, const char *hash, const char *only_of, int64_t now,
              char customer_id[CUSTOMER_ID_SIZE]);

/*
 * The continuation that follows an accepted code in a session: 256 bits that
 * only the key's holders can tell, the same whenever it is asked for, so that
 * a form that was sent twice gets one answer. False when the key can't be used.
 */
bool code_continuation(const struct local_key *key, const char *session_key,
                       char continuation[DIGEST_TEXT]);

/* Removes the customer's code, as a part of the caller's transaction; says how many there were. */
bool code_forget(struct database *database, const char *customer_id, int64_t *removed);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool code_mend(struct database *database, int64_t now, int64_t *changed);

#endif
