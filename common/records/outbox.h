/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OUTBOX_H
#define FEEDGATE_OUTBOX_H

#include "sage/provider_api.h"
#include "session.h"
#include "store/store.h"

/*
 * Results on their way to Sage. A row is committed together with the end of a
 * journey, so none is lost; it is delivered until Sage takes it or refuses it
 * for good, at most until OUTBOX_RETRY_MS after the session's end of life. Sage
 * may get a result more than once (a time-out doesn't tell whether it came
 * through), but always the same bytes. Owns the tables delivery and deliverer.
 * Times are those of the machine's clock, in milliseconds since 1970.
 */

enum { OUTBOX_RETRY_MS = 10 * 60 * 1000, OUTBOX_NOW_MS = 5000 };

struct delivery {
    const struct session_key *key;
    const char *authorisation_id; /* as Sage sent it: goes into the PATCH's path */
    enum ending ending;
    const char *body;
    int64_t now;
    int64_t session_left_ms; /* of the session's life */
};

/*
 * Adds a result, as a part of the caller's transaction; false on failure, also
 * when the session has a result already: then the transaction must not stand.
 */
bool outbox_put(struct database *database, const struct delivery *delivery);

enum outbox_outcome {
    OUTBOX_DELIVERED,
    OUTBOX_WAITING, /* not yet: `feedgate deliver` goes on */
    OUTBOX_FAILED,  /* for good, and the operator sees why */
};

/*
 * Delivers the result of this session now, and comes back after at most about
 * OUTBOX_NOW_MS. When somebody else is just delivering it, waits for that.
 */
enum outbox_outcome outbox_deliver_now(struct store *store, struct provider_api *api,
                                       struct clock *clock, const struct session_key *key);

/* What came of a round; rows that another deliverer has aren't counted. */
struct outbox_round {
    int64_t delivered;
    int64_t waiting; /* tried, and to be tried again */
    int64_t failed;  /* for good: refused by Sage, or out of time */
    int64_t wait_ms; /* until there is something to do again, at most as was asked for */
};

/*
 * Delivers what is due now, oldest first and each row once, until `most_ms` are
 * over (and the call under way then), or until `*stop` turns true, which also
 * ends that call and gives its row back at once; gives up what is out of time.
 * A Sage that stalls so can't keep the caller from its other work. Each row is
 * leased to one deliverer among all processes; the lease of one that died runs
 * out. When Sage asks for patience (429 with Retry-After) the round ends
 * there, and asks its caller to wait. Notes that a deliverer was here. False
 * when the store failed.
 */
bool outbox_deliver_due(struct store *store, struct provider_api *api, struct clock *clock,
                        const atomic_bool *stop, int64_t most_ms, struct outbox_round *round);

/* When a deliverer last was here; 0: never. False on failure. */
bool outbox_deliverer_seen(struct database *database, int64_t *seen_at);

/* How many results wait, and how many were given up since then; false on failure. */
struct outbox_counts {
    int64_t waiting, failed;
};
bool outbox_count(struct database *database, int64_t since, struct outbox_counts *counts);

/*
 * Removes up to `limit` rows that were created before `created_before` and
 * settled, or out of time by then, as a part of the caller's transaction.
 */
bool outbox_purge(struct database *database, int64_t created_before, int64_t limit,
                  int64_t *removed);

struct outbox_forgotten {
    int64_t emptied; /* results that Sage has or will never get: their bodies are gone */
    int64_t waiting; /* results that Sage must still get, byte for byte: emptied when they are
                        settled */
};

/*
 * Empties the bodies of results that name a customer's accounts, as a part of
 * the caller's transaction, before session_forget_customer(): it is the
 * sessions that say whose they are. False on failure.
 */
bool outbox_forget(struct database *database, const char *customer_id,
                   struct outbox_forgotten *forgotten);

/* A row as people see it (the view `deliveries`); texts are borrowed for the call. */
struct outbox_row {
    int64_t number;
    const char *log_id, *result, *state;
    int64_t attempts;
    const char *answer, *created_at, *attempted_at, *next_attempt_at, *give_up_at;
    const char *authorisation_id;
};

/* Shows the newest `limit` deliveries, newest first. */
bool outbox_list(struct database *database, int64_t limit,
                 void (*show)(const struct outbox_row *row, void *context), void *context);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool outbox_mend(struct database *database, int64_t now, int64_t *changed);
bool outbox_mend_deliverer(struct database *database, int64_t now, int64_t *changed);

#endif
