/* SPDX-License-Identifier: MIT */
#include "consent.h"

#include "session_journey.h"

bool consent_record(struct database *database, const struct session_journey *session,
                    const char *external_ids, const struct consent_wording *wording, int64_t now)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO consent (session_key, log_id, customer_id, flow, external_ids, "
                  "language, wording, given_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)");
    statement_bind_text(insert, 1, session->key.key);
    statement_bind_text(insert, 2, session->key.log_id);
    statement_bind_text(insert, 3, session->customer_id);
    statement_bind_text(insert, 4, flow_word(session->flow));
    statement_bind_text(insert, 5, external_ids);
    statement_bind_text(insert, 6, wording->language);
    statement_bind_text(insert, 7, wording->version);
    statement_bind_integer(insert, 8, now);
    return statement_run(insert);
}

bool consent_forget(struct database *database, const char *customer_id, int64_t *removed)
{
    struct statement *forget =
        database_statement(database, "DELETE FROM consent WHERE customer_id = $1");
    statement_bind_text(forget, 1, customer_id);
    return statement_changes(forget, removed);
}

bool consent_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update =
        database_statement(database, "UPDATE consent SET given_at = $1 WHERE given_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
