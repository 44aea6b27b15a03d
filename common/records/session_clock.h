/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SESSION_CLOCK_H
#define FEEDGATE_SESSION_CLOCK_H

#include "base/clock.h"
#include "config/config.h"
#include "store/store.h"

/*
 * The session time (clock.h) of all processes of a machine, and what becomes of
 * it when the machine's clock is behind it by more than CLOCK_DOUBT_MS: then
 * either the clock is wrong now, or it was when a session was notified, opened
 * or ended. Owns the table session_clock.
 *
 * While nobody knows which, the session time is in doubt. All processes follow
 * one row: its time goes on by CLOCK_BOOTTIME for this boot of the machine. How
 * long nobody looked before the first of them started can't be known: so it
 * begins when all sessions that were announced before are over. What is
 * announced from then on has its lifetime as ever. Tokens go by the machine's
 * clock meanwhile (clock.h).
 *
 * A thread asks the issuer for its time (issuer_time.h), at most one process
 * each ASK_EVERY_MS, and no request waits for it. It says that the session time
 * - holds: the machine's clock is behind. It goes on, or begins at the issuer's
 *   time when that is later still; or
 * - is false: the clock was ahead once. It is dropped, and the issuer's time or
 *   the machine's clock counts, the later one. What has a later time is over.
 * Either way, sessions that were announced in the doubt are shifted to the new
 * time, so that they keep their life.
 *
 * Plain CGI's processes are too short-lived to ask: there `feedgate deliver`
 * does, which follows the same row, or else `feedgate purge`.
 */

enum { ASK_EVERY_MS = 30 * 1000 };

struct session_clock;

/*
 * Follows the store's row. With `asks`, a thread of its own asks the issuer
 * when that is due; fetch_init() comes before. The arguments are borrowed. NULL
 * when memory is out.
 */
struct session_clock *session_clock_open(struct store *store, struct clock *clock,
                                         const struct config *config, bool asks);

/* Ends what the thread does and gives all back; NULL is allowed. */
void session_clock_close(struct session_clock *times);

/* A session time, and the verdict since which it counts. */
struct session_instant {
    int64_t now;
    int64_t era;
};

/* The session time now, as all processes see it within a quarter of a second. */
enum store_result session_clock_now(struct session_clock *times, struct session_instant *instant);

/*
 * The same in the middle of the caller's transaction: when a doubt has begun or
 * a verdict has come since `instant` was taken, it is renewed, so that nothing is
 * written by a time that was dropped, nor by one before the doubt. False when the
 * row can't be read.
 */
bool session_clock_renew(struct database *database, struct session_clock *times,
                         struct session_instant *instant);

/*
 * Lets the issuer's time `issuer_ms`, had at the CLOCK_BOOTTIME `boot_ms`, decide
 * a doubt, if there is one.
 */
enum store_result session_clock_settle(struct session_clock *times, int64_t issuer_ms,
                                       int64_t boot_ms);

/* What the row says to an operator. */
enum session_verdict { SESSION_TIME_DOUBTFUL, SESSION_TIME_HELD, SESSION_TIME_DROPPED };
struct session_clock_row {
    bool there; /* else there is no row, or one of an earlier boot: nothing else is filled in */
    enum session_verdict verdict;
    int64_t now; /* its session time */
};
bool session_clock_read(struct database *database, struct clock *clock,
                        struct session_clock_row *row);

/* Whether the row has a time later than `now`; and its removal, for `feedgate clock mend` (mend.h).
 */
bool session_clock_was_later(struct database *database, int64_t now, bool *later);
bool session_clock_mend(struct database *database, int64_t now, int64_t *changed);

#endif
