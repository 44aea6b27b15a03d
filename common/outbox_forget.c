/* SPDX-License-Identifier: MIT */
#include "outbox_forget.h"

/* Runs one of the two updates below for the customer's sessions; how many rows it changed. */
static bool update(struct database *database, struct statement *update, const char *customer_id,
                   int64_t *changed)
{
    statement_bind_text(update, 1, customer_id);
    if (!statement_run(update))
        return false;
    *changed = database_changes(database);
    return true;
}

bool outbox_forget(struct database *database, const char *customer_id,
                   struct outbox_forgotten *forgotten)
{
    struct statement *empty = database_statement(
        database, "UPDATE delivery SET body = '{}' "
                  "WHERE (delivered_at IS NOT NULL OR failed_at IS NOT NULL) AND session_key IN "
                  "(SELECT session_key FROM authorisation_session WHERE customer_id = $1)");
    if (!update(database, empty, customer_id, &forgotten->emptied))
        return false;
    struct statement *mark = database_statement(
        database, "UPDATE delivery SET forgotten = 1 "
                  "WHERE delivered_at IS NULL AND failed_at IS NULL AND session_key IN "
                  "(SELECT session_key FROM authorisation_session WHERE customer_id = $1)");
    return update(database, mark, customer_id, &forgotten->waiting);
}
