/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_KEY_SET_H
#define FEEDGATE_KEY_SET_H

#include "clock.h"
#include "config.h"
#include "refusal.h"
#include "store.h"

#include <openssl/evp.h>

/*
 * The issuer's key set, shared by all processes through the table key_set,
 * which this module owns. A thread of its own fetches, so that requests with a
 * known key never wait for it: on age, and when a key is unknown, but never
 * more often than the cool-down allows over all processes. A set that was good
 * once is used on through an outage, up to `[keys] max_stale`.
 */

struct key_set;

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
 * is unknown. Otherwise TOKEN_KEY_UNKNOWN when a good set was fetched within
 * the cool-down, or KEYS_UNAVAILABLE when that couldn't be had or too many
 * requests wait already.
 */
enum refusal key_set_find(struct key_set *keys, const char *id, EVP_PKEY **key,
                          int64_t *generation);

/* The newest time that the table holds, 0 when it is empty; false on failure. */
bool key_set_newest_time(struct database *database, int64_t *newest);

/* A row for people; texts are borrowed for the call. Times are UTC, NULL for never. */
struct key_set_row {
    const char *url, *fetched_at, *attempted_at, *outcome, *document;
};
bool key_set_list(struct database *database,
                  void (*show)(const struct key_set_row *row, void *context), void *context);

#endif
