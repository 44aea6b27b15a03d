/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_KEY_SET_H
#define FEEDGATE_KEY_SET_H

#include "base/clock.h"
#include "base/refusal.h"
#include "config/config.h"
#include "store/store.h"

#include <openssl/evp.h>

/*
 * The issuer's key set, shared by all processes through the tables key_set and
 * key_fetch, which this module owns. A thread of its own fetches, so that
 * requests with a known key never wait for it: on age, and when a key is
 * unknown. A set that was good once is used on through an outage, up to
 * `[keys] max_stale`. Ages go by the machine's clock; a set with a time that is
 * still to come counts as old, and one that is further ahead than max_stale isn't
 * used.
 *
 * In a cool-down there are at most two fetches over all processes: one for
 * strangers, whose turn the fetch on age takes too, and one for callers who
 * are known, so that nobody can spend theirs by a forged `kid`.
 */

struct key_set;

/* Who asks, as far as that is known before the token is judged. */
enum caller {
    CALLER_STRANGER,
    CALLER_KNOWN, /* showed the key header (guard_key_header) */
    CALLER_COUNT
};

/*
 * Follows the set at `config->sage.jwks_url`. While there is a set that may be
 * used, at most `waiters_max` requests wait for another at a time. The
 * arguments are borrowed for the key set's life. Returns NULL when memory is
 * out.
 */
struct key_set *key_set_open(struct store *store, struct clock *clock, const struct config *config,
                             size_t waiters_max);

/* Ends a fetch under way and gives the key set back; NULL is allowed. */
void key_set_close(struct key_set *keys);

/*
 * The generation of the set in force, which changes when its document does in
 * any process, seen here within a quarter of a second; -1 when there is no set
 * that may be used now.
 */
int64_t key_set_generation(struct key_set *keys);

/*
 * Finds the key of `id` and the generation it belongs to; the caller frees the
 * key. Waits for a fetch (up to FETCH_TOTAL_MS and a little) only when the id
 * is unknown.
 *
 * Otherwise a stranger gets TOKEN_KEY_UNKNOWN when a good set was fetched
 * within the cool-down. A known caller gets it only by a good fetch that began
 * after the call, since Sage documents no retry: a genuine notification by a
 * new key must not get a final answer from an older set. Fetches are counted in
 * the table, so that no clock is needed to tell which began later. All
 * others, and those for whom there is no room to wait, get KEYS_UNAVAILABLE.
 */
enum refusal key_set_find(struct key_set *keys, enum caller caller, const char *id, EVP_PKEY **key,
                          int64_t *generation);

/* A row for people; texts are borrowed for the call. Times are UTC, NULL for never. */
struct key_set_row {
    const char *url, *fetched_at, *attempted_at, *outcome, *document;
};
bool key_set_list(struct database *database,
                  void (*show)(const struct key_set_row *row, void *context), void *context);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool key_set_mend(struct database *database, int64_t now, int64_t *changed);
bool key_set_mend_fetches(struct database *database, int64_t now, int64_t *changed);

#endif
