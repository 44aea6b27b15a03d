/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SESSION_H
#define FEEDGATE_SESSION_H

#include "account.h"
#include "base/clock.h"
#include "base/digest.h"
#include "base/refusal.h"
#include "store/store.h"

/*
 * Authorisation sessions: what a notification announced may be opened once,
 * at /auth or /authrefresh, within its lifetime (Sage, Securing connector API:
 * the identifier "can only be used 1 time" and lives "around 20 minutes").
 * Owns the table authorisation_session. Times are the session time (clock.h), in
 * milliseconds since 1970; but for that of a token, which is the issuer's.
 *
 * An identifier is a credential until it is opened: logs name a session by its
 * log id.
 */

enum { SESSION_ID_SIZE = 37, SESSION_LOG_ID_SIZE = 13 };

/* Which endpoint opened the session; whichever came first. */
enum flow { FLOW_AUTHORISATION, FLOW_REAUTHORISATION };

/* How a journey ended: what Sage is told. */
enum ending { ENDING_NONE, ENDING_SUCCESS, ENDING_CANCELLED, ENDING_ERROR };

/* The ending's word in the database and in the log; NULL for ENDING_NONE. */
const char *ending_word(enum ending ending);

/* What a flow is called: in the database and the log, in pages and applications, in its URL. */
const char *flow_word(enum flow flow);
const char *flow_name(enum flow flow);
const char *flow_path(enum flow flow);

/* An identifier in the form in which sessions are looked up. */
struct session_key {
    char key[SESSION_ID_SIZE];        /* in lower case */
    char log_id[SESSION_LOG_ID_SIZE]; /* the first 12 hex digits of its SHA-256 */
};

/* Makes the key of a UUID (one that passed uuid_is_valid()); false when OpenSSL fails. */
bool session_key_make(const char *authorisation_id, struct session_key *key);

/* What a notification announces. */
struct session_announcement {
    struct session_key key;
    const char *authorisation_id; /* as received; what Sage gets back */
    const char *bank_id;          /* a UUID in lower case; NULL when none was named */
    int64_t notified_at;          /* our receipt */
    int64_t expires_at;
    int64_t token_expires_at; /* of the token that it came with */
};

enum session_armed { SESSION_ARMED, SESSION_KNOWN, SESSION_NOT_STORED };

/*
 * Arms a session, as a part of the caller's transaction: SESSION_ARMED the
 * first time; SESSION_KNOWN when the identifier was announced before, whatever
 * became of it, and then nothing has changed: neither life nor use come back.
 */
enum session_armed session_arm(struct database *database,
                               const struct session_announcement *announcement);

/* What comes with the opening; texts are borrowed and stored with the session. */
struct session_opening {
    enum flow flow;
    const char *bank; /* must equal the announced one, where both are there; or NULL */
    const char *redirect_uri;
    const char *state;
    const char *bank_account; /* only at /authrefresh, else NULL */
    const char *external_id;  /* only at /authrefresh, else NULL */
    const char *ticket_hash;  /* what the journey goes on with; its text is the browser's alone */
    bool passed_on; /* the provider's own application has the journey: there is no ticket */
};

/*
 * Consumes the session: REFUSAL_NONE for exactly one caller among all
 * processes, and only before it expires; one that was notified more than
 * CLOCK_DOUBT_MS from now, by a clock that was ahead, has expired. The row
 * stays as a tombstone.
 * Otherwise says why not: SESSION_UNKNOWN, SESSION_USED, SESSION_EXPIRED,
 * SESSION_BANK, or STORE_BUSY or STORE_FAILED; nothing has changed then.
 */
enum refusal session_consume(struct store *store, const struct session_key *key,
                             const struct session_opening *opening, int64_t now);

/* ---- what becomes of rows with time (session_times.c) ---------------------- */

/*
 * The newest time at which a session was notified, opened or ended, 0 when there
 * is none; and the last at which one expires. False on failure.
 */
bool session_newest_time(struct database *database, int64_t *newest);
bool session_last_expiry(struct database *database, int64_t *last);

/* Shifts the times of sessions that were notified at or after `from`. */
bool session_shift(struct database *database, int64_t from, int64_t by_ms);

/*
 * `now` is known to be true: what was notified later, but before `until`, is
 * over, whether it was opened or not, and none of its times is later any more.
 * False on failure.
 */
bool session_end_future(struct database *database, int64_t now, int64_t until);

/*
 * The same when `now` is the operator's word alone: if any time is later, or
 * the session time `was_later`, all sessions are over, since those that the
 * later time had ended must not live again. Says in `changed` how many rows it
 * changed.
 */
bool session_mend(struct database *database, int64_t now, bool was_later, int64_t *changed);

/*
 * Brings down what the purge has left, for `feedgate clock mend` (mend.h). The
 * issuer had confirmed it: so only when it says now that the clock is right.
 */
bool session_mend_purge(struct database *database, int64_t now, int64_t *changed);

/*
 * Removes up to `limit` rows that expired before `expired_before` and whose
 * announcing token expired before `token_expired_before` too, since a replay
 * of it could else arm the session again; no token that expired before that may
 * arm one from then on, also by a clock that is set back. As a part of the
 * caller's transaction; says how many in `removed`; false on failure.
 */
bool session_purge(struct database *database, int64_t expired_before, int64_t token_expired_before,
                   int64_t limit, int64_t *removed);

/* ---- for the operator ------------------------------------------------------ */

/*
 * How many wrong codes were typed into sessions opened at or after `since`, and
 * into how many of them; false on failure.
 */
bool session_wrong_codes(struct database *database, int64_t since, int64_t *tries,
                         int64_t *sessions);

/*
 * Takes a customer out of their sessions, as a part of the caller's
 * transaction; says how many these were. A journey under way ends there, since
 * it has lost the customer whose code was accepted. False on failure.
 */
bool session_forget_customer(struct database *database, const char *customer_id, int64_t *sessions);

/* A row as people see it (the view `sessions`); texts are borrowed for the call. */
struct session_row {
    const char *authorisation_id, *log_id, *state, *flow, *bank_id;
    const char *notified_at, *expires_at, *opened_at, *ended_at;
    const char *customer_id, *end_reason;
    int64_t wrong_codes;
    const char *shown_by;
};

/* Shows the newest `limit` sessions, newest first. */
bool session_list(struct database *database, int64_t limit,
                  void (*show)(const struct session_row *row, void *context), void *context);

#endif
