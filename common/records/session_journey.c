/* SPDX-License-Identifier: MIT */
#include "session_journey.h"

#include <stdio.h>
#include <string.h>

#define COLUMNS                                                                                    \
    "session_key, log_id, authorisation_id, flow, expires_at, redirect_uri, state, external_id, "  \
    "ticket_sha256, customer_id, code_hash, ending, opened_at, passed_on, result_sha256, "         \
    "notified_at "

static void keep_text(char *place, size_t size, const char *text)
{
    (void)snprintf(place, size, "%s",
                   text ? text : ""); /* all were bounded when they were stored */
}

static enum ending read_ending(const char *word)
{
    for (enum ending ending = ENDING_SUCCESS; word && ending <= ENDING_ERROR; ending++)
        if (strcmp(ending_word(ending), word) == 0)
            return ending;
    return ENDING_NONE;
}

static void read_journey(struct statement *row, struct session_journey *found)
{
    const char *flow = statement_text(row, 3);
    *found = (struct session_journey){.expires_at = statement_integer(row, 4)};
    keep_text(found->key.key, sizeof found->key.key, statement_text(row, 0));
    keep_text(found->key.log_id, sizeof found->key.log_id, statement_text(row, 1));
    keep_text(found->authorisation_id, sizeof found->authorisation_id, statement_text(row, 2));
    found->flow = flow && strcmp(flow, flow_word(FLOW_REAUTHORISATION)) == 0 ? FLOW_REAUTHORISATION
                                                                             : FLOW_AUTHORISATION;
    keep_text(found->redirect_uri, sizeof found->redirect_uri, statement_text(row, 5));
    keep_text(found->state, sizeof found->state, statement_text(row, 6));
    keep_text(found->external_id, sizeof found->external_id, statement_text(row, 7));
    keep_text(found->ticket_hash, sizeof found->ticket_hash, statement_text(row, 8));
    keep_text(found->customer_id, sizeof found->customer_id, statement_text(row, 9));
    keep_text(found->code_hash, sizeof found->code_hash, statement_text(row, 10));
    found->ending = read_ending(statement_text(row, 11));
    found->opened = !statement_is_null(row, 12);
    found->passed_on = statement_integer(row, 13) == 1;
    keep_text(found->result_hash, sizeof found->result_hash, statement_text(row, 14));
    found->notified_at = statement_integer(row, 15);
}

bool session_is_over(const struct session_journey *session, int64_t now)
{
    return session->expires_at <= now || session->notified_at > now + CLOCK_DOUBT_MS;
}

/* Takes the one row of a bound statement. */
static enum session_found take_row(struct statement *select, struct session_journey *found)
{
    enum statement_row row = statement_step(select);
    if (row == ROW_FOUND)
        read_journey(select, found);
    statement_done(select);
    return row == ROW_FOUND  ? SESSION_FOUND
           : row == ROW_NONE ? SESSION_NOT_FOUND
                             : SESSION_NOT_READ;
}

enum session_found session_find(struct database *database, enum session_proof proof,
                                const char *proof_hash, struct session_journey *found)
{
    struct statement *select =
        proof == PROOF_TICKET
            ? database_statement(database, "SELECT " COLUMNS "FROM authorisation_session "
                                           "WHERE ticket_sha256 = $1")
            : database_statement(database, "SELECT " COLUMNS "FROM authorisation_session "
                                           "WHERE continuation_sha256 = $1");
    statement_bind_text(select, 1, proof_hash);
    return take_row(select, found);
}

enum session_found session_find_by_key(struct database *database, const struct session_key *key,
                                       struct session_journey *found)
{
    struct statement *select = database_statement(
        database, "SELECT " COLUMNS "FROM authorisation_session WHERE session_key = $1");
    statement_bind_text(select, 1, key->key);
    return take_row(select, found);
}

enum session_found session_find_abandoned(struct database *database, int64_t now, int64_t before_ms,
                                          struct session_journey *found)
{
    struct statement *select = database_statement(
        database, "SELECT " COLUMNS "FROM authorisation_session WHERE opened_at IS NOT NULL "
                  "AND ended_at IS NULL AND (ticket_sha256 IS NOT NULL OR passed_on = 1) "
                  "AND expires_at > $1 AND expires_at <= $2 ORDER BY expires_at LIMIT 1");
    statement_bind_integer(select, 1, now);
    statement_bind_integer(select, 2, now + before_ms);
    return take_row(select, found);
}

/* Runs a bound UPDATE that takes a step. */
static enum session_step take_step(struct statement *update)
{
    int64_t changed;
    if (!statement_changes(update, &changed))
        return STEP_BROKEN;
    return changed == 1 ? STEP_TAKEN : STEP_NOT_TAKEN;
}

enum session_step session_verify(struct database *database,
                                 const struct session_verification *verification)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET verified_at = $1, customer_id = $2, "
                  "code_hash = $3, continuation_sha256 = $4 WHERE ticket_sha256 = $5 "
                  "AND verified_at IS NULL AND ended_at IS NULL AND expires_at > $1");
    statement_bind_integer(update, 1, verification->now);
    statement_bind_text(update, 2, verification->customer_id);
    statement_bind_text(update, 3, verification->code_hash);
    statement_bind_text(update, 4, verification->continuation_hash);
    statement_bind_text(update, 5, verification->ticket_hash);
    return take_step(update);
}

enum session_step session_replace_code(struct database *database, const char *ticket_hash,
                                       const char *code_hash, int64_t now)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET code_hash = $1 WHERE ticket_sha256 = $2 "
                  "AND verified_at IS NOT NULL AND ended_at IS NULL AND expires_at > $3");
    statement_bind_text(update, 1, code_hash);
    statement_bind_text(update, 2, ticket_hash);
    statement_bind_integer(update, 3, now);
    return take_step(update);
}

enum session_step session_count_wrong_code(struct database *database, const char *ticket_hash,
                                           int64_t now, int64_t *count)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET wrong_codes = wrong_codes + 1 "
                  "WHERE ticket_sha256 = $1 AND ended_at IS NULL AND expires_at > $2 "
                  "RETURNING wrong_codes");
    statement_bind_text(update, 1, ticket_hash);
    statement_bind_integer(update, 2, now);
    enum statement_row row = statement_step(update);
    if (row == ROW_FOUND) {
        *count = statement_integer(update, 0);
        /* With RETURNING the statement has to be run to its end. */
        return statement_step(update) == ROW_NONE ? STEP_TAKEN : STEP_BROKEN;
    }
    return row == ROW_NONE ? STEP_NOT_TAKEN : STEP_BROKEN;
}

enum session_step session_end(struct database *database, const struct session_end *end)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET ended_at = $1, ending = $2, end_reason = $3, "
                  "result_sha256 = $4 WHERE session_key = $5 AND (continuation_sha256 = $6 "
                  "OR (ticket_sha256 = $6 AND $2 <> 'success') OR passed_on = 1) "
                  "AND ended_at IS NULL AND expires_at > $1");
    statement_bind_integer(update, 1, end->now);
    statement_bind_text(update, 2, ending_word(end->ending));
    statement_bind_text(update, 3, end->reason);
    statement_bind_text(update, 4, end->result_hash);
    statement_bind_text(update, 5, end->key->key);
    statement_bind_text(update, 6, end->proof_hash);
    return take_step(update);
}
