/* SPDX-License-Identifier: MIT */
#include "inbox.h"

static const char *const outcome_words[] = {
    [EVENT_ARMED] = "armed",   [EVENT_LINKED] = "linked",     [EVENT_UNLINKED] = "unlinked",
    [EVENT_STORED] = "stored", [EVENT_CONFLICT] = "conflict", [EVENT_REPEATED] = "repeated",
};

const char *event_outcome_word(enum event_outcome outcome)
{
    return outcome_words[outcome];
}

static void bind_resource(struct statement *statement, const struct event *event)
{
    statement_bind_text(statement, 1, event->type);
    statement_bind_text(statement, 2, event->resource_type);
    statement_bind_text(statement, 3, event->resource_key);
}

bool inbox_history(struct database *database, const struct event *event,
                   enum inbox_history *history)
{
    struct statement *same =
        database_statement(database, "SELECT 1 FROM event WHERE type = $1 AND resource_type = $2 "
                                     "AND resource_id = $3 AND body_sha256 = $4");
    bind_resource(same, event);
    statement_bind_text(same, 4, event->body_sha256);
    bool found;
    *history = INBOX_SAME_EVENT;
    if (!statement_finds(same, &found) || found)
        return found;
    struct statement *resource =
        database_statement(database, "SELECT 1 FROM event WHERE type = $1 AND resource_type = $2 "
                                     "AND resource_id = $3 LIMIT 1");
    bind_resource(resource, event);
    bool read = statement_finds(resource, &found);
    *history = found ? INBOX_ANOTHER_BODY : INBOX_NEW;
    return read;
}

bool inbox_record(struct database *database, const struct event *event, enum event_outcome outcome,
                  int64_t now, int64_t token_expires_at)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO event (type, resource_type, resource_id, body_sha256, body, "
                  "outcome, received_at, token_expires_at) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    bind_resource(insert, event);
    statement_bind_text(insert, 4, event->body_sha256);
    statement_bind_text(insert, 5, event->body);
    statement_bind_text(insert, 6, outcome_words[outcome]);
    statement_bind_integer(insert, 7, now);
    statement_bind_integer(insert, 8, token_expires_at);
    return statement_run(insert);
}

bool inbox_purge(struct database *database, int64_t received_before, int64_t token_expired_before,
                 int64_t limit, int64_t *removed)
{
    /* Concatenated, or SQLite would go through all announcements by the unique index. */
    struct statement *purge = database_statement(
        database, "DELETE FROM event WHERE id IN (SELECT id FROM event "
                  "WHERE received_at < $1 AND token_expires_at < $2 "
                  "AND type || '/' || resource_type = 'resourceCreated/authorisation' "
                  "ORDER BY received_at LIMIT $3)");
    statement_bind_integer(purge, 1, received_before);
    statement_bind_integer(purge, 2, token_expired_before);
    statement_bind_integer(purge, 3, limit);
    return statement_changes(purge, removed);
}

bool inbox_list(struct database *database, int64_t after, int64_t limit,
                void (*show)(const struct event_row *row, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT number, received_at, type, resource_type, resource_id, outcome, body "
                  "FROM events WHERE number > $1 ORDER BY number LIMIT $2");
    statement_bind_integer(select, 1, after);
    statement_bind_integer(select, 2, limit);
    enum statement_row found;
    while ((found = statement_step(select)) == ROW_FOUND) {
        struct event_row row = {
            .number = statement_integer(select, 0),
            .received_at = statement_text(select, 1),
            .type = statement_text(select, 2),
            .resource_type = statement_text(select, 3),
            .resource_id = statement_text(select, 4),
            .outcome = statement_text(select, 5),
            .body = statement_text(select, 6),
        };
        show(&row, context);
    }
    return found == ROW_NONE;
}

bool inbox_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update =
        database_statement(database, "UPDATE event SET received_at = $1 WHERE received_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
