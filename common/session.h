/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SESSION_H
#define FEEDGATE_SESSION_H

#include "digest.h"
#include "refusal.h"
#include "store.h"

/*
 * Authorisation sessions: what a notification announced may be opened once,
 * at /auth or /authrefresh, within its lifetime (Sage, Securing connector API:
 * the identifier "can only be used 1 time" and lives "around 20 minutes").
 * Owns the table authorisation_session. Times are milliseconds since 1970.
 *
 * An identifier is a credential until it is opened: logs name a session by its
 * log id.
 */

enum { SESSION_ID_SIZE = 37, SESSION_LOG_ID_SIZE = 13 };

/* Which endpoint opened the session; whichever came first. */
enum flow { FLOW_AUTHORISATION, FLOW_REAUTHORISATION };

/* The flow's word, as it stands in the database and in the log. */
const char *flow_word(enum flow flow);

/* An identifier in the form in which sessions are looked up. */
struct session_key {
    char key[SESSION_ID_SIZE];        /* in lower case */
    char log_id[SESSION_LOG_ID_SIZE]; /* the first 12 hex digits of its SHA-256 */
};

/* Makes the key of a UUID (one that passed parameter_is_uuid()); false when OpenSSL fails. */
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
};

/*
 * Consumes the session: REFUSAL_NONE for exactly one caller among all
 * processes, and only before it expires. The row stays as a tombstone.
 * Otherwise says why not: SESSION_UNKNOWN, SESSION_USED, SESSION_EXPIRED,
 * SESSION_BANK, or STORE_BUSY or STORE_FAILED; nothing has changed then.
 */
enum refusal session_consume(struct store *store, const struct session_key *key,
                             const struct session_opening *opening, int64_t now);

/* The newest time that the table holds, 0 when it is empty; false on failure. */
bool session_newest_time(struct database *database, int64_t *newest);

/*
 * Removes up to `limit` rows that expired before `expired_before` and whose
 * announcing token expired before `token_expired_before` too, since a replay
 * of it could else arm the session again. As a part of the caller's
 * transaction; says how many in `removed`; false on failure.
 */
bool session_purge(struct database *database, int64_t expired_before, int64_t token_expired_before,
                   int64_t limit, int64_t *removed);

/* A row as people see it (the view `sessions`); texts are borrowed for the call. */
struct session_row {
    const char *authorisation_id, *log_id, *state, *flow, *bank_id;
    const char *notified_at, *expires_at, *opened_at;
};

/* Shows the newest `limit` sessions, newest first. */
bool session_list(struct database *database, int64_t limit,
                  void (*show)(const struct session_row *row, void *context), void *context);

#endif
