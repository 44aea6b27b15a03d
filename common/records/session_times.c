/* SPDX-License-Identifier: MIT */
#include "session.h"

/* The times of sessions where the clock turns out to be wrong (session_clock.h), and their end. */

bool session_newest_time(struct database *database, int64_t *newest)
{
    /* Whatever was opened after the last notification had not expired by then. */
    struct statement *select = database_statement(
        database, "SELECT COALESCE(MAX(notified_at), 0), COALESCE(MAX(opened_at), 0), "
                  "COALESCE(MAX(ended_at), 0) "
                  "FROM authorisation_session WHERE expires_at >= (SELECT notified_at FROM "
                  "authorisation_session WHERE id = (SELECT MAX(id) FROM authorisation_session))");
    if (statement_step(select) != ROW_FOUND)
        return false;
    *newest = 0;
    for (int column = 0; column < 3; column++)
        if (statement_integer(select, column) > *newest)
            *newest = statement_integer(select, column);
    statement_done(select);
    return true;
}

bool session_last_expiry(struct database *database, int64_t *last)
{
    struct statement *select = database_statement(
        database, "SELECT COALESCE(MAX(expires_at), 0) FROM authorisation_session");
    if (statement_step(select) != ROW_FOUND)
        return false;
    *last = statement_integer(select, 0);
    statement_done(select);
    return true;
}

bool session_shift(struct database *database, int64_t from, int64_t by_ms)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET notified_at = notified_at + $1, "
                  "expires_at = expires_at + $1, opened_at = opened_at + $1, "
                  "verified_at = verified_at + $1, ended_at = ended_at + $1 "
                  "WHERE notified_at >= $2");
    statement_bind_integer(update, 1, by_ms);
    statement_bind_integer(update, 2, from);
    return statement_run(update);
}

/* Of what was notified before `until`, brings all times down to `now`, and ends what was notified
 * after `over_from`. */
static bool bring_down(struct database *database, int64_t now, int64_t over_from, int64_t until,
                       int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET "
                  "expires_at = CASE WHEN notified_at > $1 AND expires_at > $2 THEN $2 "
                  "ELSE expires_at END, "
                  "notified_at = CASE WHEN notified_at > $2 THEN $2 ELSE notified_at END, "
                  "opened_at = CASE WHEN opened_at > $2 THEN $2 ELSE opened_at END, "
                  "verified_at = CASE WHEN verified_at > $2 THEN $2 ELSE verified_at END, "
                  "ended_at = CASE WHEN ended_at > $2 THEN $2 ELSE ended_at END "
                  "WHERE notified_at < $3 AND ((notified_at > $1 AND expires_at > $2) "
                  "OR notified_at > $2 OR opened_at > $2 OR verified_at > $2 OR ended_at > $2)");
    statement_bind_integer(update, 1, over_from);
    statement_bind_integer(update, 2, now);
    statement_bind_integer(update, 3, until);
    return statement_changes(update, changed);
}

bool session_end_future(struct database *database, int64_t now, int64_t until)
{
    int64_t changed;
    return bring_down(database, now, now, until, &changed);
}

bool session_mend(struct database *database, int64_t now, bool was_later, int64_t *changed)
{
    int64_t newest;
    *changed = 0;
    if (!session_newest_time(database, &newest))
        return false;
    if (newest <= now && !was_later)
        return true;
    return bring_down(database, now, INT64_MIN, INT64_MAX, changed);
}

/* Whatever becomes of the clock, a replay of what was removed can't arm a session. */
static bool note_purge(struct database *database, int64_t token_expired_before)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO session_purge (id, token_expires_at) VALUES (1, $1) "
                  "ON CONFLICT (id) DO UPDATE SET token_expires_at = excluded.token_expires_at "
                  "WHERE session_purge.token_expires_at < excluded.token_expires_at");
    statement_bind_integer(insert, 1, token_expired_before);
    return statement_run(insert);
}

bool session_purge(struct database *database, int64_t expired_before, int64_t token_expired_before,
                   int64_t limit, int64_t *removed)
{
    struct statement *purge =
        database_statement(database, "DELETE FROM authorisation_session WHERE id IN ("
                                     "SELECT id FROM authorisation_session WHERE expires_at < $1 "
                                     "AND token_expires_at < $2 ORDER BY expires_at LIMIT $3)");
    statement_bind_integer(purge, 1, expired_before);
    statement_bind_integer(purge, 2, token_expired_before);
    statement_bind_integer(purge, 3, limit);
    if (!statement_changes(purge, removed))
        return false;
    return *removed == 0 || note_purge(database, token_expired_before);
}

bool session_mend_purge(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE session_purge SET token_expires_at = $1 WHERE token_expires_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
