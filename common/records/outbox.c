/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include "base/cleanup.h"
#include "base/log.h"

#include <inttypes.h>
#include <openssl/rand.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/*
 * The life of a row:
 *
 *     outbox_put     waits, due at once
 *     claim_row      is leased to whoever changes it: leased_until is LEASE_MS ahead
 *                    and `attempts`, which grows, is the proof of the lease
 *     (the call)     without any lock; the same bytes at each attempt
 *     settle_row     delivered, failed, or waits until next_attempt_at; only by the proof
 *
 * A lease whose holder died runs out, and the row is sent again: Sage may get it
 * twice, never in two forms. Nobody but give_up_row ends a row that wasn't called for.
 */

enum {
    PATIENT_MS = 15000, /* for a call when no customer waits for it */
    LEASE_MS = 30000,   /* longer than any call with the store's waits around it */
    LAST_MS = 20000,    /* so long before the end it is tried once more, whatever was asked for */
    BACK_OFF_MS = 1000, /* after the first attempt; doubled after each further one */
    BACK_OFF_MAX_MS = 60000,
    WAIT_SLICE_MS = 50, /* another process tells us nothing: look this often */
    SEEN_EVERY_MS = 10000,
    ANSWER_MAX = API_TEXT_MAX + API_EXCERPT_MAX + 2,
    NUMBER_MAX = 24,
};

/* A row that is leased to us; its `attempts` is the proof, since it grows with each lease. */
struct lease {
    int64_t id;
    int64_t attempts;
    int64_t give_up_at;
    char log_id[SESSION_LOG_ID_SIZE];
    char authorisation_id[SESSION_ID_SIZE];
    char result[16];
    char *body; /* owned */
};

static void clear_lease(struct lease *lease)
{
    free(lease->body);
    *lease = (struct lease){0};
}

bool outbox_put(struct database *database, const struct delivery *delivery)
{
    struct statement *insert = database_statement(
        database,
        "INSERT INTO delivery (session_key, authorisation_id, log_id, result, body, created_at, "
        "give_up_at, next_attempt_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $6)");
    statement_bind_text(insert, 1, delivery->key->key);
    statement_bind_text(insert, 2, delivery->authorisation_id);
    statement_bind_text(insert, 3, delivery->key->log_id);
    statement_bind_text(insert, 4, ending_word(delivery->ending));
    statement_bind_text(insert, 5, delivery->body);
    statement_bind_integer(insert, 6, delivery->now);
    statement_bind_integer(insert, 7, delivery->now + delivery->session_left_ms + OUTBOX_RETRY_MS);
    return statement_run(insert);
}

struct claim {
    const char *session_key; /* of the row that is wanted; NULL: the oldest that is due */
    int64_t now;
    int64_t due_at; /* a row that became due later isn't wanted */
    bool ours;
    bool no_memory;
    struct lease lease;
};

static void read_lease(struct statement *statement, struct claim *claim)
{
    struct lease *lease = &claim->lease;
    lease->id = statement_integer(statement, 0);
    lease->attempts = statement_integer(statement, 1);
    lease->give_up_at = statement_integer(statement, 2);
    /* The texts fit: they were checked when they came. */
    (void)snprintf(lease->log_id, sizeof lease->log_id, "%s", statement_text(statement, 3));
    (void)snprintf(lease->authorisation_id, sizeof lease->authorisation_id, "%s",
                   statement_text(statement, 4));
    (void)snprintf(lease->result, sizeof lease->result, "%s", statement_text(statement, 5));
    lease->body = strdup(statement_text(statement, 6));
    claim->ours = lease->body != NULL;
}

/*
 * The one statement that leases: whoever it changes a row for has that row alone.
 * What a clock that was ahead has scheduled or leased last is due at once.
 */
static bool claim_row(struct database *database, void *context)
{
    struct claim *claim = context;
    struct statement *update = database_statement(
        database,
        "UPDATE delivery SET leased_until = $1, attempted_at = $2, attempts = attempts + 1 "
        "WHERE id = (SELECT id FROM delivery WHERE delivered_at IS NULL AND failed_at IS NULL "
        "AND (next_attempt_at <= $3 OR COALESCE(attempted_at, created_at) > $4) "
        "AND give_up_at > $2 "
        "AND (leased_until IS NULL OR leased_until <= $2 OR leased_until > $4) "
        "AND session_key = COALESCE($5, session_key) ORDER BY next_attempt_at, id LIMIT 1) "
        "RETURNING id, attempts, give_up_at, log_id, authorisation_id, result, body");
    statement_bind_integer(update, 1, claim->now + LEASE_MS);
    statement_bind_integer(update, 2, claim->now);
    statement_bind_integer(update, 3, claim->due_at);
    statement_bind_integer(update, 4, claim->now + CLOCK_DOUBT_MS);
    statement_bind_text(update, 5, claim->session_key);
    enum statement_row row = statement_step(update);
    if (row == ROW_FOUND)
        read_lease(update, claim);
    statement_done(update);
    return row == ROW_NONE || (row == ROW_FOUND && claim->ours);
}

/* What becomes of a leased row. */
struct settlement {
    const struct lease *lease;
    int64_t now;
    bool delivered, failed;
    int64_t next_attempt_at;
    const char *answer;
    bool ours; /* whether the lease still was */
};

/* Only by the holder: one whose lease ran out must not settle what another is just sending. */
static bool settle_row(struct database *database, void *context)
{
    struct settlement *settlement = context;
    struct statement *update = database_statement(
        database, "UPDATE delivery SET leased_until = NULL, answer = $1, next_attempt_at = $2, "
                  "delivered_at = CASE WHEN $3 = 1 THEN $4 END, "
                  "failed_at = CASE WHEN $5 = 1 THEN $4 END, "
                  "body = CASE WHEN forgotten = 1 AND $3 + $5 > 0 THEN '{}' ELSE body END "
                  "WHERE id = $6 AND attempts = $7 "
                  "AND delivered_at IS NULL AND failed_at IS NULL");
    statement_bind_text(update, 1, settlement->answer);
    statement_bind_integer(update, 2, settlement->next_attempt_at);
    statement_bind_integer(update, 3, settlement->delivered ? 1 : 0);
    statement_bind_integer(update, 4, settlement->now);
    statement_bind_integer(update, 5, settlement->failed ? 1 : 0);
    statement_bind_integer(update, 6, settlement->lease->id);
    statement_bind_integer(update, 7, settlement->lease->attempts);
    int64_t changed;
    if (!statement_changes(update, &changed))
        return false;
    settlement->ours = changed == 1;
    return true;
}

/* Evenly spread over half to one and a half times `middle_ms`, so that deliverers part. */
static int64_t spread(int64_t middle_ms)
{
    uint32_t random = 0;
    if (RAND_bytes((unsigned char *)&random, sizeof random) != 1)
        return middle_ms; /* only tidiness is lost */
    return middle_ms / 2 + random % (middle_ms + 1);
}

static int64_t back_off(int64_t attempts)
{
    int64_t middle = BACK_OFF_MS;
    for (int64_t i = 1; i < attempts && middle < BACK_OFF_MAX_MS; i++)
        middle *= 2;
    return spread(middle < BACK_OFF_MAX_MS ? middle : BACK_OFF_MAX_MS);
}

/*
 * When to try again. A pause that would last beyond the end leaves one last try before it,
 * since a Sage that is back by then should get the result; else it is given up.
 */
static int64_t next_attempt(const struct lease *lease, const struct api_answer *answer, int64_t now)
{
    if (answer->outcome == API_CANCELLED)
        return now;
    int64_t pause = back_off(lease->attempts);
    if (pause < answer->retry_after_ms)
        pause = answer->retry_after_ms;
    if (now + pause < lease->give_up_at)
        return now + pause;
    int64_t last = lease->give_up_at - LAST_MS;
    return now < last ? last : lease->give_up_at;
}

static void log_settled(enum log_level level, const char *event, const struct lease *lease,
                        const char *answer)
{
    char attempts[NUMBER_MAX];
    (void)snprintf(attempts, sizeof attempts, "%" PRId64, lease->attempts);
    log_event(level, event, {"session", lease->log_id}, {"result", lease->result},
              {"attempts", attempts}, {"answer", answer});
}

static enum outbox_outcome outcome_of(const struct settlement *settlement)
{
    if (settlement->delivered)
        return OUTBOX_DELIVERED;
    return settlement->failed ? OUTBOX_FAILED : OUTBOX_WAITING;
}

static void log_outcome(enum outbox_outcome outcome, const struct lease *lease,
                        const struct api_answer *answer)
{
    switch (outcome) {
    case OUTBOX_DELIVERED:
        log_settled(LOG_LEVEL_INFO, "result_delivered", lease, answer->text);
        break;
    case OUTBOX_WAITING:
        log_settled(LOG_LEVEL_WARNING, "result_waiting", lease, answer->text);
        break;
    case OUTBOX_FAILED:
        log_settled(LOG_LEVEL_ERROR, "result_failed", lease, answer->text);
        break;
    }
}

/*
 * Writes down what came of the call. When the store won't, the lease runs out and
 * the call is repeated; when the lease has run out already, another has the row.
 */
static enum outbox_outcome settle(struct store *store, struct clock *clock,
                                  const struct lease *lease, const struct api_answer *answer)
{
    char text[ANSWER_MAX];
    (void)snprintf(text, sizeof text, "%s%s%s", answer->text, answer->excerpt[0] ? ": " : "",
                   answer->excerpt);
    int64_t now = clock_now(clock);
    struct settlement settlement = {
        .lease = lease,
        .now = now,
        .delivered = answer->outcome == API_TAKEN,
        .failed = answer->outcome == API_REFUSED ||
                  (answer->outcome != API_TAKEN && now >= lease->give_up_at),
        .next_attempt_at = next_attempt(lease, answer, now),
        .answer = text,
    };
    if (store_write(store, settle_row, &settlement) != STORE_DONE || !settlement.ours) {
        log_settled(LOG_LEVEL_ERROR, "result_not_settled", lease, answer->text);
        return OUTBOX_WAITING;
    }
    log_outcome(outcome_of(&settlement), lease, answer);
    return outcome_of(&settlement);
}

/* What the row of a session says. */
struct row_query {
    const char *session_key;
    int64_t now;
    enum outbox_outcome outcome;
    bool leased; /* to somebody who is just sending it */
};

static bool read_row_state(struct database *database, void *context)
{
    struct row_query *query = context;
    struct statement *select = database_statement(
        database, "SELECT delivered_at IS NOT NULL, failed_at IS NOT NULL, "
                  "COALESCE(leased_until, 0) FROM delivery WHERE session_key = $1");
    statement_bind_text(select, 1, query->session_key);
    enum statement_row row = statement_step(select);
    query->outcome = OUTBOX_WAITING;
    query->leased = false;
    if (row == ROW_FOUND) {
        if (statement_integer(select, 0) != 0)
            query->outcome = OUTBOX_DELIVERED;
        else if (statement_integer(select, 1) != 0)
            query->outcome = OUTBOX_FAILED;
        else
            query->leased = statement_integer(select, 2) > query->now;
    }
    statement_done(select);
    return row != ROW_FAILED;
}

/* Waits while another process sends the row; what it became is what counts. */
static enum outbox_outcome wait_for_other(struct store *store, struct clock *clock,
                                          const struct session_key *key, int64_t end)
{
    struct row_query query = {.session_key = key->key};
    for (;;) {
        query.now = clock_now(clock);
        if (store_read(store, read_row_state, &query) != STORE_DONE)
            return OUTBOX_WAITING;
        if (!query.leased || clock_monotonic() >= end)
            return query.outcome;
        (void)poll(NULL, 0, WAIT_SLICE_MS); /* nothing but a pause */
    }
}

enum outbox_outcome outbox_deliver_now(struct store *store, struct provider_api *api,
                                       struct clock *clock, const struct session_key *key)
{
    int64_t end = clock_monotonic() + OUTBOX_NOW_MS;
    int64_t now = clock_now(clock);
    struct claim claim = {.session_key = key->key, .now = now, .due_at = now};
    if (store_write(store, claim_row, &claim) != STORE_DONE) {
        clear_lease(&claim.lease);
        return OUTBOX_WAITING;
    }
    if (!claim.ours)
        return wait_for_other(store, clock, key, end);
    struct api_answer answer;
    provider_api_patch(api, claim.lease.authorisation_id, claim.lease.body, end - clock_monotonic(),
                       NULL, &answer);
    enum outbox_outcome outcome = settle(store, clock, &claim.lease, &answer);
    clear_lease(&claim.lease);
    return outcome;
}

struct queue_state {
    int64_t now;
    bool seen;       /* lately */
    bool any_due;    /* or out of time */
    int64_t next_at; /* when the next row will be; INT64_MAX: there is none */
};

static bool read_queue(struct database *database, void *context)
{
    struct queue_state *queue = context;
    struct statement *select = database_statement(
        database, "SELECT MIN(CASE WHEN leased_until > $1 AND leased_until <= $2 THEN leased_until "
                  "WHEN COALESCE(attempted_at, created_at) > $2 THEN $1 "
                  "WHEN next_attempt_at < give_up_at THEN next_attempt_at ELSE give_up_at END) "
                  "FROM delivery WHERE delivered_at IS NULL AND failed_at IS NULL");
    statement_bind_integer(select, 1, queue->now);
    statement_bind_integer(select, 2, queue->now + CLOCK_DOUBT_MS);
    enum statement_row row = statement_step(select);
    queue->next_at = INT64_MAX;
    if (row == ROW_FOUND && !statement_is_null(select, 0))
        queue->next_at = statement_integer(select, 0);
    statement_done(select);
    queue->any_due = queue->next_at <= queue->now;
    int64_t seen_at = 0;
    if (row == ROW_FAILED || !outbox_deliverer_seen(database, &seen_at))
        return false;
    queue->seen = seen_at <= queue->now && queue->now - seen_at < SEEN_EVERY_MS;
    return true;
}

static bool note_seen(struct database *database, void *context)
{
    const struct queue_state *queue = context;
    struct statement *insert =
        database_statement(database, "INSERT INTO deliverer (name, seen_at) VALUES ('deliver', $1) "
                                     "ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at");
    statement_bind_integer(insert, 1, queue->now);
    return statement_run(insert);
}

/* Without a write when there is nothing to write: it is done every few seconds. */
static bool check_queue(struct store *store, struct clock *clock, struct queue_state *queue)
{
    queue->now = clock_now(clock);
    return store_read(store, read_queue, queue) == STORE_DONE &&
           (queue->seen || store_write(store, note_seen, queue) == STORE_DONE);
}

/* One row that is out of time and that nobody is just sending. */
static bool give_up_row(struct database *database, void *context)
{
    struct claim *claim = context;
    struct statement *update = database_statement(
        database,
        "UPDATE delivery SET failed_at = $1, leased_until = NULL, "
        "body = CASE WHEN forgotten = 1 THEN '{}' ELSE body END, "
        "answer = COALESCE(answer, 'never tried: nobody ran `feedgate deliver` in time') "
        "WHERE id = (SELECT id FROM delivery WHERE delivered_at IS NULL AND failed_at IS NULL "
        "AND give_up_at <= $1 AND (leased_until IS NULL OR leased_until <= $1) LIMIT 1) "
        "RETURNING id, attempts, give_up_at, log_id, authorisation_id, result, answer");
    statement_bind_integer(update, 1, claim->now);
    enum statement_row row = statement_step(update);
    if (row == ROW_FOUND)
        read_lease(update, claim);
    statement_done(update);
    return row == ROW_NONE || (row == ROW_FOUND && claim->ours);
}

static bool give_up_all(struct store *store, struct clock *clock, struct outbox_round *round)
{
    for (;;) {
        struct claim claim = {.now = clock_now(clock)};
        bool done = store_write(store, give_up_row, &claim) == STORE_DONE;
        if (done && claim.ours) {
            log_settled(LOG_LEVEL_ERROR, "result_failed", &claim.lease, "given up");
            round->failed++;
        }
        clear_lease(&claim.lease);
        if (!done || !claim.ours)
            return done;
    }
}

static bool stopped(const atomic_bool *stop)
{
    return stop && atomic_load(stop);
}

static void count(struct outbox_round *round, enum outbox_outcome outcome)
{
    switch (outcome) {
    case OUTBOX_DELIVERED:
        round->delivered++;
        break;
    case OUTBOX_WAITING:
        round->waiting++;
        break;
    case OUTBOX_FAILED:
        round->failed++;
        break;
    }
}

/*
 * Sends row after row of those that were due at `due_at`, until `end` of the monotonic
 * clock; false when the store failed. `patience_ms` is what Sage asked for.
 */
static bool deliver_all(struct store *store, struct provider_api *api, struct clock *clock,
                        const atomic_bool *stop, int64_t due_at, int64_t end,
                        struct outbox_round *round, int64_t *patience_ms)
{
    while (!stopped(stop) && clock_monotonic() < end) {
        struct claim claim = {.now = clock_now(clock), .due_at = due_at};
        if (store_write(store, claim_row, &claim) != STORE_DONE) {
            clear_lease(&claim.lease);
            return false;
        }
        if (!claim.ours)
            return true;
        struct api_answer answer;
        provider_api_patch(api, claim.lease.authorisation_id, claim.lease.body, PATIENT_MS, stop,
                           &answer);
        count(round, settle(store, clock, &claim.lease, &answer));
        clear_lease(&claim.lease);
        if (answer.outcome == API_TRY_AGAIN && answer.retry_after_ms > 0) {
            *patience_ms = answer.retry_after_ms; /* the next row would only hear the same */
            return true;
        }
    }
    return true;
}

bool outbox_deliver_due(struct store *store, struct provider_api *api, struct clock *clock,
                        const atomic_bool *stop, int64_t most_ms, struct outbox_round *round)
{
    int64_t end = clock_monotonic() + most_ms;
    int64_t patience = 0;
    struct queue_state queue = {0};
    *round = (struct outbox_round){.wait_ms = most_ms};
    if (!check_queue(store, clock, &queue))
        return false;
    if (queue.any_due) {
        if (!deliver_all(store, api, clock, stop, queue.now, end, round, &patience) ||
            !give_up_all(store, clock, round) || !check_queue(store, clock, &queue))
            return false;
    }
    int64_t wait = queue.next_at > queue.now ? queue.next_at - queue.now : 0;
    if (wait < patience)
        wait = patience;
    round->wait_ms = wait < most_ms ? wait : most_ms;
    return true;
}
