/* SPDX-License-Identifier: MIT */
#include "session.h"

#include "base/log.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *word, *name, *path;
} flows[] = {
    [FLOW_AUTHORISATION] = {"authorisation", "authorisation", "auth"},
    [FLOW_REAUTHORISATION] = {"re-authorisation", "reauthorisation", "authrefresh"},
};

static const char *const ending_words[] = {
    [ENDING_NONE] = NULL,
    [ENDING_SUCCESS] = "success",
    [ENDING_CANCELLED] = "cancelled",
    [ENDING_ERROR] = "error",
};

const char *ending_word(enum ending ending)
{
    return ending_words[ending];
}

const char *flow_word(enum flow flow)
{
    return flows[flow].word;
}

const char *flow_name(enum flow flow)
{
    return flows[flow].name;
}

const char *flow_path(enum flow flow)
{
    return flows[flow].path;
}

bool session_key_make(const char *authorisation_id, struct session_key *key)
{
    size_t length = strnlen(authorisation_id, SESSION_ID_SIZE);
    if (length >= SESSION_ID_SIZE)
        return false;
    for (size_t i = 0; i <= length; i++)
        key->key[i] = (char)tolower((unsigned char)authorisation_id[i]);
    char digest[DIGEST_TEXT];
    if (!digest_text(key->key, length, digest))
        return false;
    memcpy(key->log_id, digest, SESSION_LOG_ID_SIZE - 1);
    key->log_id[SESSION_LOG_ID_SIZE - 1] = '\0';
    return true;
}

enum session_armed session_arm(struct database *database,
                               const struct session_announcement *announcement)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO authorisation_session (session_key, authorisation_id, log_id, "
                  "bank_id, notified_at, expires_at, token_expires_at) "
                  "SELECT $1, $2, $3, $4, $5, $6, $7 WHERE NOT EXISTS (SELECT 1 FROM session_purge "
                  "WHERE token_expires_at > $7) ON CONFLICT (session_key) DO NOTHING");
    statement_bind_text(insert, 1, announcement->key.key);
    statement_bind_text(insert, 2, announcement->authorisation_id);
    statement_bind_text(insert, 3, announcement->key.log_id);
    statement_bind_text(insert, 4, announcement->bank_id);
    statement_bind_integer(insert, 5, announcement->notified_at);
    statement_bind_integer(insert, 6, announcement->expires_at);
    statement_bind_integer(insert, 7, announcement->token_expires_at);
    int64_t changed;
    if (!statement_changes(insert, &changed))
        return SESSION_NOT_STORED;
    return changed == 1 ? SESSION_ARMED : SESSION_KNOWN;
}

struct consumption {
    const struct session_key *key;
    const struct session_opening *opening;
    int64_t now;
    enum refusal refusal;
};

/* Why the session can't be opened now; REFUSAL_NONE when it can. */
static bool judge_row(struct database *database, void *context)
{
    struct consumption *consumption = context;
    struct statement *select = database_statement(
        database, "SELECT opened_at, expires_at, bank_id, notified_at FROM authorisation_session "
                  "WHERE session_key = $1");
    statement_bind_text(select, 1, consumption->key->key);
    enum statement_row row = statement_step(select);
    const char *bank = consumption->opening->bank;
    if (row == ROW_NONE)
        consumption->refusal = REFUSAL_SESSION_UNKNOWN;
    else if (row == ROW_FAILED)
        consumption->refusal = REFUSAL_STORE_FAILED;
    else if (!statement_is_null(select, 0))
        consumption->refusal = REFUSAL_SESSION_USED;
    else if (statement_integer(select, 1) <= consumption->now ||
             statement_integer(select, 3) > consumption->now + CLOCK_DOUBT_MS)
        consumption->refusal = REFUSAL_SESSION_EXPIRED;
    else if (bank && !statement_is_null(select, 2) &&
             strcasecmp(bank, statement_text(select, 2)) != 0)
        consumption->refusal = REFUSAL_SESSION_BANK;
    else
        consumption->refusal = REFUSAL_NONE;
    statement_done(select);
    return row != ROW_FAILED;
}

/* The one statement that opens: what it doesn't change stays closed. */
static bool consume(struct database *database, void *context)
{
    struct consumption *consumption = context;
    const struct session_opening *opening = consumption->opening;
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET opened_at = $1, flow = $2, redirect_uri = $3, "
                  "state = $4, bank_account = $5, external_id = $6, ticket_sha256 = $7, "
                  "passed_on = $8 WHERE session_key = $9 "
                  "AND opened_at IS NULL AND expires_at > $1 AND notified_at <= $10 "
                  "AND (bank_id IS NULL OR bank_id = COALESCE(LOWER($11), bank_id))");
    statement_bind_integer(update, 1, consumption->now);
    statement_bind_text(update, 2, flow_word(opening->flow));
    statement_bind_text(update, 3, opening->redirect_uri);
    statement_bind_text(update, 4, opening->state);
    statement_bind_text(update, 5, opening->bank_account);
    statement_bind_text(update, 6, opening->external_id);
    statement_bind_text(update, 7, opening->ticket_hash);
    statement_bind_integer(update, 8, opening->passed_on ? 1 : 0);
    statement_bind_text(update, 9, consumption->key->key);
    statement_bind_integer(update, 10, consumption->now + CLOCK_DOUBT_MS);
    statement_bind_text(update, 11, opening->bank);
    int64_t changed;
    if (!statement_changes(update, &changed))
        return false;
    if (changed == 1) {
        consumption->refusal = REFUSAL_NONE;
        return true;
    }
    if (!judge_row(database, context))
        return false;
    /* Not opened, and yet no reason against it: never let in on a contradiction. */
    if (consumption->refusal == REFUSAL_NONE)
        consumption->refusal = REFUSAL_INTERNAL;
    return true;
}

enum refusal session_consume(struct store *store, const struct session_key *key,
                             const struct session_opening *opening, int64_t now)
{
    struct consumption consumption = {
        .key = key, .opening = opening, .now = now, .refusal = REFUSAL_STORE_FAILED};
    /* A look without the lock first, so that a flood of guesses can't hold up those who write. */
    enum store_result result = store_read(store, judge_row, &consumption);
    enum refusal refusal = store_refusal(result, consumption.refusal);
    if (refusal != REFUSAL_NONE)
        return refusal;
    consumption.refusal = REFUSAL_STORE_FAILED;
    result = store_write(store, consume, &consumption);
    return store_refusal(result, consumption.refusal);
}

bool session_wrong_codes(struct database *database, int64_t since, int64_t *tries,
                         int64_t *sessions)
{
    /* What expired before wasn't opened since: the index finds the rest. */
    struct statement *select = database_statement(
        database, "SELECT COALESCE(SUM(wrong_codes), 0), COUNT(*) FROM authorisation_session "
                  "WHERE expires_at > $1 AND opened_at >= $1 AND wrong_codes > 0");
    statement_bind_integer(select, 1, since);
    int64_t numbers[2] = {0};
    bool counted = statement_numbers(select, numbers, 2);
    *tries = numbers[0];
    *sessions = numbers[1];
    return counted;
}

bool session_forget_customer(struct database *database, const char *customer_id, int64_t *sessions)
{
    struct statement *update = database_statement(
        database, "UPDATE authorisation_session SET customer_id = NULL WHERE customer_id = $1");
    statement_bind_text(update, 1, customer_id);
    return statement_changes(update, sessions);
}

bool session_list(struct database *database, int64_t limit,
                  void (*show)(const struct session_row *row, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT authorisation_id, log_id, state, flow, bank_id, notified_at, expires_at, "
                  "opened_at, ended_at, customer_id, end_reason, wrong_codes, "
                  "shown_by FROM sessions ORDER BY notified_at DESC LIMIT $1");
    statement_bind_integer(select, 1, limit);
    enum statement_row found;
    while ((found = statement_step(select)) == ROW_FOUND) {
        struct session_row row = {
            .authorisation_id = statement_text(select, 0),
            .log_id = statement_text(select, 1),
            .state = statement_text(select, 2),
            .flow = statement_text(select, 3),
            .bank_id = statement_text(select, 4),
            .notified_at = statement_text(select, 5),
            .expires_at = statement_text(select, 6),
            .opened_at = statement_text(select, 7),
            .ended_at = statement_text(select, 8),
            .customer_id = statement_text(select, 9),
            .end_reason = statement_text(select, 10),
            .wrong_codes = statement_integer(select, 11),
            .shown_by = statement_text(select, 12),
        };
        show(&row, context);
    }
    return found == ROW_NONE;
}
