/* SPDX-License-Identifier: MIT */
#include "outbox.h"

/* The outbox as its keepers see it: lists, counts, the purge and what is forgotten. */

bool outbox_deliverer_seen(struct database *database, int64_t *seen_at)
{
    return statement_numbers(
        database_statement(database, "SELECT COALESCE(MAX(seen_at), 0) FROM deliverer"), seen_at,
        1);
}

bool outbox_count(struct database *database, int64_t since, struct outbox_counts *counts)
{
    int64_t numbers[2] = {0};
    struct statement *select = database_statement(
        database, "SELECT (SELECT COUNT(*) FROM delivery WHERE delivered_at IS NULL "
                  "AND failed_at IS NULL), (SELECT COUNT(*) FROM delivery WHERE failed_at >= $1)");
    statement_bind_integer(select, 1, since);
    if (!statement_numbers(select, numbers, 2))
        return false;
    *counts = (struct outbox_counts){.waiting = numbers[0], .failed = numbers[1]};
    return true;
}

bool outbox_purge(struct database *database, int64_t created_before, int64_t limit,
                  int64_t *removed)
{
    struct statement *purge = database_statement(
        database, "DELETE FROM delivery WHERE id IN (SELECT id FROM delivery "
                  "WHERE created_at < $1 AND (delivered_at IS NOT NULL OR failed_at IS NOT NULL "
                  "OR give_up_at < $1) ORDER BY id LIMIT $2)");
    statement_bind_integer(purge, 1, created_before);
    statement_bind_integer(purge, 2, limit);
    return statement_changes(purge, removed);
}

bool outbox_forget(struct database *database, const char *customer_id,
                   struct outbox_forgotten *forgotten)
{
    struct statement *empty = database_statement(
        database, "UPDATE delivery SET body = '{}' "
                  "WHERE (delivered_at IS NOT NULL OR failed_at IS NOT NULL) AND session_key IN "
                  "(SELECT session_key FROM authorisation_session WHERE customer_id = $1)");
    statement_bind_text(empty, 1, customer_id);
    if (!statement_changes(empty, &forgotten->emptied))
        return false;
    struct statement *mark = database_statement(
        database, "UPDATE delivery SET forgotten = 1 "
                  "WHERE delivered_at IS NULL AND failed_at IS NULL AND session_key IN "
                  "(SELECT session_key FROM authorisation_session WHERE customer_id = $1)");
    statement_bind_text(mark, 1, customer_id);
    return statement_changes(mark, &forgotten->waiting);
}

bool outbox_list(struct database *database, int64_t limit,
                 void (*show)(const struct outbox_row *row, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT number, log_id, result, state, attempts, answer, created_at, "
                  "attempted_at, next_attempt_at, give_up_at, authorisation_id "
                  "FROM deliveries ORDER BY number DESC LIMIT $1");
    statement_bind_integer(select, 1, limit);
    enum statement_row found;
    while ((found = statement_step(select)) == ROW_FOUND) {
        struct outbox_row row = {
            .number = statement_integer(select, 0),
            .log_id = statement_text(select, 1),
            .result = statement_text(select, 2),
            .state = statement_text(select, 3),
            .attempts = statement_integer(select, 4),
            .answer = statement_text(select, 5),
            .created_at = statement_text(select, 6),
            .attempted_at = statement_text(select, 7),
            .next_attempt_at = statement_text(select, 8),
            .give_up_at = statement_text(select, 9),
            .authorisation_id = statement_text(select, 10),
        };
        show(&row, context);
    }
    return found == ROW_NONE;
}

/*
 * What waits is tried at once, and keeps the time that it had left when it was
 * made. What was tried last by a clock that was ahead had no more than that either.
 */
bool outbox_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE delivery SET "
                  "give_up_at = CASE WHEN created_at > $1 THEN give_up_at - created_at + $1 "
                  "ELSE give_up_at END, "
                  "created_at = CASE WHEN created_at > $1 THEN $1 ELSE created_at END, "
                  "next_attempt_at = CASE WHEN next_attempt_at > $1 THEN $1 "
                  "ELSE next_attempt_at END, leased_until = NULL, "
                  "attempted_at = CASE WHEN attempted_at > $1 THEN $1 ELSE attempted_at END, "
                  "delivered_at = CASE WHEN delivered_at > $1 THEN $1 ELSE delivered_at END, "
                  "failed_at = CASE WHEN failed_at > $1 THEN $1 ELSE failed_at END "
                  "WHERE created_at > $1 OR attempted_at > $1 OR delivered_at > $1 "
                  "OR failed_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}

/* Nobody was here then. */
bool outbox_mend_deliverer(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *delete =
        database_statement(database, "DELETE FROM deliverer WHERE seen_at > $1");
    statement_bind_integer(delete, 1, now);
    return statement_changes(delete, changed);
}
