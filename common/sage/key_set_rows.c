/* SPDX-License-Identifier: MIT */
#include "key_set.h"

/* The tables of the key set as their keepers see them: a list, and what mends them. */

bool key_set_list(struct database *database,
                  void (*show)(const struct key_set_row *row, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT url, fetched_at, attempted_at, outcome, document FROM key_sets");
    enum statement_row found;
    while ((found = statement_step(select)) == ROW_FOUND) {
        struct key_set_row row = {
            .url = statement_text(select, 0),
            .fetched_at = statement_text(select, 1),
            .attempted_at = statement_text(select, 2),
            .outcome = statement_text(select, 3),
            .document = statement_text(select, 4),
        };
        show(&row, context);
    }
    return found == ROW_NONE;
}

bool key_set_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE key_set SET "
                  "fetched_at = CASE WHEN fetched_at > $1 THEN $1 ELSE fetched_at END, "
                  "attempted_at = CASE WHEN attempted_at > $1 THEN $1 ELSE attempted_at END "
                  "WHERE fetched_at > $1 OR attempted_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}

bool key_set_mend_fetches(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update =
        database_statement(database, "UPDATE key_fetch SET begun_at = $1 WHERE begun_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
