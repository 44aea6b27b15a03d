/* SPDX-License-Identifier: MIT */
#include "outbox_forget.h"

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
