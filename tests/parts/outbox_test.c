/* SPDX-License-Identifier: MIT */
#include "sage_fixture.h"

#include "base/fetch.h"
#include "base/log.h"
#include "records/outbox.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "0F0F0F0F-1111-4222-8333-444444444444"
#define BODY "{\"data\":{\"status\":\"success\",\"bankAccounts\":[]}}"

enum {
    SESSION_LEFT_MS = 1000000, /* so that what is tried till then is tried often */
    GIVE_UP_AT = START_MS + SESSION_LEFT_MS + OUTBOX_RETRY_MS,
    LEASE_MS = 30000,
    LAST_MS = 20000,
    MOST_MS = 2000,
    ROWS = 50,
    DELIVERERS = 2,
};

struct putting {
    struct delivery result;
    bool put;
};

static bool put_piece(struct database *database, void *context)
{
    struct putting *putting = context;
    putting->put = outbox_put(database, &putting->result);
    return putting->put;
}

static struct session_key key_of(const char *id)
{
    struct session_key key;
    ck_assert(session_key_make(id, &key));
    return key;
}

static enum store_result try_to_put(const char *id, int64_t now)
{
    struct session_key key = key_of(id);
    struct putting putting = {.result = {
                                  .key = &key,
                                  .authorisation_id = id,
                                  .ending = ENDING_SUCCESS,
                                  .body = BODY,
                                  .now = now,
                                  .session_left_ms = SESSION_LEFT_MS,
                              }};
    return store_write(store, put_piece, &putting);
}

static void put(const char *id)
{
    ck_assert_int_eq((int)try_to_put(id, clock_now(&test_clock)), STORE_DONE);
}

static const char *id_number(size_t number)
{
    static char id[SESSION_ID_SIZE];
    (void)snprintf(id, sizeof(id), "0f0f0f0f-1111-4222-8333-%012zu", number);
    return id;
}

static enum outbox_outcome deliver_now(void)
{
    struct session_key key = key_of(ID);
    return outbox_deliver_now(store, api, &test_clock, &key);
}

static struct outbox_round deliver_due(void)
{
    struct outbox_round round;
    ck_assert(outbox_deliver_due(store, api, &test_clock, NULL, MOST_MS, &round));
    return round;
}

static struct outbox_round seen_round;

#define expect_round(due, taken, left, lost)                                                       \
    do {                                                                                           \
        struct outbox_round seen = (due);                                                          \
        ck_assert_int_eq(seen.delivered, taken);                                                   \
        ck_assert_int_eq(seen.waiting, left);                                                      \
        ck_assert_int_eq(seen.failed, lost);                                                       \
    } while (0)

static int64_t rows_that(const char *condition)
{
    char sql[256];
    ck_assert_int_lt(
        snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM delivery WHERE %s", condition),
        (int)sizeof(sql));
    return number_of(sql);
}

static const struct {
    struct sage_reply reply;
    enum outbox_outcome outcome;
    const char *row;
} outcomes[] = {
    {{.status = 200}, OUTBOX_DELIVERED, "delivered_at = 1000000 AND answer = 'status 200'"},
    {{.status = 204, .body = ""}, OUTBOX_DELIVERED, "delivered_at IS NOT NULL"},
    {{.status = 404, .body = "{\"why\":\"unknown\"}"},
     OUTBOX_FAILED,
     "failed_at = 1000000 AND answer = 'status 404: {\"why\":\"unknown\"}'"},
    {{.status = 401}, OUTBOX_WAITING, "answer = 'status 401 with a new token'"},
    {{.status = 500}, OUTBOX_WAITING, "next_attempt_at > 1000000 AND answer = 'status 500: {}'"},
    {{.status = 408}, OUTBOX_WAITING, "next_attempt_at > 1000000"},
    {{.status = 200, .manner = SAGE_CUTS}, OUTBOX_WAITING, "next_attempt_at > 1000000"},
};

START_TEST(a_result_is_settled_by_sages_answer)
{
    put(ID);
    sage_api_patches(sage, &outcomes[_i].reply, 1);
    ck_assert_int_eq((int)deliver_now(), (int)outcomes[_i].outcome);
    ck_assert_int_eq(rows_that(outcomes[_i].row), 1);
    ck_assert_int_eq(rows_that("attempts = 1 AND attempted_at = 1000000 AND leased_until IS NULL"),
                     1);
    ck_assert_int_eq(rows_that("delivered_at IS NULL"), outcomes[_i].outcome != OUTBOX_DELIVERED);
    ck_assert_int_eq(rows_that("failed_at IS NOT NULL"), outcomes[_i].outcome == OUTBOX_FAILED);
    ck_assert_str_eq(sage_api_patch_request(sage, 0)->path, "/v1/authorisations/" ID);
    ck_assert_str_eq(sage_api_patch_request(sage, 0)->body, BODY);
    /* Nothing more happens to it now, whoever asks. */
    size_t sent = sage_api_patch_count(sage);
    ck_assert_int_eq((int)deliver_now(), (int)outcomes[_i].outcome);
    expect_round(deliver_due(), 0, 0, 0);
    ck_assert_uint_eq(sage_api_patch_count(sage), sent);
}
END_TEST

START_TEST(a_session_has_one_result)
{
    put(ID);
    execute("UPDATE delivery SET body = '{\"first\":1}'");
    log_open("check_parts", LOG_TO_SYSLOG, LOG_LEVEL_ERROR); /* the failure is wanted */
    ck_assert_int_eq((int)try_to_put(ID, START_MS), STORE_FAILED);
    ck_assert_int_eq(rows_that("body = '{\"first\":1}'"), 1);
    ck_assert_int_eq(rows_that("1 = 1"), 1);
}
END_TEST

START_TEST(a_result_that_nobody_knows_waits)
{
    ck_assert_int_eq((int)deliver_now(), OUTBOX_WAITING);
    ck_assert_uint_eq(sage_api_patch_count(sage), 0);
}
END_TEST

START_TEST(what_was_left_is_delivered_later_byte_for_byte)
{
    put(ID);
    PATCHES_GET({.status = 500}, {.status = 200, .manner = SAGE_HALVES}, {.status = 200});
    ck_assert_int_eq((int)deliver_now(), OUTBOX_WAITING);
    time_is(number_of("SELECT next_attempt_at FROM delivery"));
    expect_round(deliver_due(), 0, 1, 0);
    time_is(number_of("SELECT next_attempt_at FROM delivery"));
    expect_round(deliver_due(), 1, 0, 0);
    for (size_t i = 0; i < 3; i++) {
        ck_assert_str_eq(sage_api_patch_request(sage, i)->body, BODY);
        ck_assert_str_eq(sage_api_patch_request(sage, i)->path, "/v1/authorisations/" ID);
    }
    ck_assert_int_eq(rows_that("attempts = 3 AND delivered_at IS NOT NULL"), 1);
}
END_TEST

START_TEST(without_configuration_nothing_is_taken_for_delivered)
{
    put(ID);
    char *client_id = config.provider_api.client_id;
    config.provider_api.client_id = NULL;
    ck_assert_int_eq((int)deliver_now(), OUTBOX_WAITING);
    ck_assert_int_eq(rows_that("answer = '[provider_api] isn''t configured' "
                               "AND delivered_at IS NULL AND failed_at IS NULL"),
                     1);
    config.provider_api.client_id = client_id;
    time_is(number_of("SELECT next_attempt_at FROM delivery"));
    expect_round(deliver_due(), 1, 0, 0);
}
END_TEST

/* ---- the times ----------------------------------------------------------- */

START_TEST(pauses_double_up_to_a_minute_and_are_spread)
{
    int64_t middle = SECOND_MS;
    int64_t least = INT64_MAX, most = 0;
    put(ID);
    PATCHES_GET({.status = 500});
    for (int i = 0; i < 20; i++) {
        expect_round(deliver_due(), 0, 1, 0);
        int64_t now = clock_now(&test_clock);
        int64_t next = number_of("SELECT next_attempt_at FROM delivery");
        ck_assert_int_ge(next - now, middle / 2);
        ck_assert_int_le(next - now, middle + middle / 2);
        if (middle == MINUTE_MS) {
            least = next - now < least ? next - now : least;
            most = next - now > most ? next - now : most;
        }
        middle = 2 * middle < MINUTE_MS ? 2 * middle : MINUTE_MS;
        time_is(next - 1);
        expect_round(deliver_due(), 0, 0, 0);
        time_is(next);
    }
    ck_assert_int_lt(least, most);
}
END_TEST

START_TEST(sage_may_ask_for_patience)
{
    put(ID);
    put(id_number(1));
    PATCHES_GET({.status = 429, .retry_after = "100"}, {.status = 200});
    expect_round(deliver_due(), 0, 1, 0); /* the other would only hear the same */
    ck_assert_int_eq(number_of("SELECT MAX(next_attempt_at) FROM delivery"), START_MS + 100000);
    expect_round(deliver_due(), 1, 0, 0);
}
END_TEST

/* Else every row that waits would ask within the same second. */
START_TEST(who_was_asked_for_patience_has_some)
{
    put(ID);
    put(id_number(1));
    PATCHES_GET({.status = 429, .retry_after = "1"});
    ck_assert_int_eq(deliver_due().wait_ms, SECOND_MS);
    PATCHES_GET({.status = 429, .retry_after = "100"});
    ck_assert_int_eq(deliver_due().wait_ms, MOST_MS);
}
END_TEST

START_TEST(patience_ends_with_a_last_try)
{
    put(ID);
    PATCHES_GET({.status = 503, .retry_after = "999999"});
    expect_round(deliver_due(), 0, 1, 0);
    ck_assert_int_eq(number_of("SELECT next_attempt_at FROM delivery"), GIVE_UP_AT - LAST_MS);
    time_is(GIVE_UP_AT - LAST_MS);
    expect_round(deliver_due(), 0, 1, 0);
    ck_assert_int_eq(number_of("SELECT next_attempt_at FROM delivery"), GIVE_UP_AT);
}
END_TEST

/* During the second call so much time passes that the first row is due again. */
static void time_flies(size_t number)
{
    if (number > 0) {
        seen_round = deliver_due();
        return;
    }
    (void)sage_api_await_patches(sage, 2);
    time_passes(2 * MINUTE_MS);
    sage_api_release(sage);
}

START_TEST(a_round_sends_no_row_twice)
{
    put(ID);
    put(id_number(1));
    PATCHES_GET({.status = 500}, {.status = 500, .manner = SAGE_HOLDS}, {.status = 200});
    run_crowd(2, time_flies);
    expect_round(seen_round, 0, 2, 0);
    ck_assert_uint_eq(sage_api_patch_count(sage), 2);
}
END_TEST

START_TEST(a_round_ends_when_its_time_is_over)
{
    struct outbox_round round;
    put(ID);
    put(id_number(1));
    ck_assert(outbox_deliver_due(store, api, &test_clock, NULL, 0, &round));
    expect_round(round, 0, 0, 0);
    ck_assert_int_eq(rows_that("attempts = 0"), 2);
}
END_TEST

START_TEST(it_is_tried_until_ten_minutes_after_the_session_and_no_longer)
{
    put(ID);
    PATCHES_GET({.status = 500, .body = "down"});
    time_is(GIVE_UP_AT - 1);
    expect_round(deliver_due(), 0, 1, 0);
    ck_assert_int_eq(rows_that("failed_at IS NULL"), 1);
    time_is(GIVE_UP_AT);
    expect_round(deliver_due(), 0, 0, 1);
    ck_assert_int_eq(number_of("SELECT failed_at FROM delivery"), GIVE_UP_AT);
    ck_assert_int_eq(rows_that("answer = 'status 500: down'"), 1); /* the last one */
    ck_assert_uint_eq(sage_api_patch_count(sage), 1);
    ck_assert_int_eq((int)deliver_now(), OUTBOX_FAILED);
}
END_TEST

START_TEST(what_was_never_tried_in_time_says_so)
{
    put(ID);
    time_is(GIVE_UP_AT);
    ck_assert_int_eq((int)deliver_now(), OUTBOX_WAITING);
    expect_round(deliver_due(), 0, 0, 1);
    ck_assert_int_eq(rows_that("answer LIKE 'never tried: %' AND attempts = 0"), 1);
    ck_assert_uint_eq(sage_api_patch_count(sage), 0);
}
END_TEST

START_TEST(the_oldest_that_is_due_comes_first)
{
    for (size_t i = 3; i-- > 0;) {
        put(id_number(i));
        time_passes(1);
    }
    expect_round(deliver_due(), 3, 0, 0);
    for (size_t i = 0; i < 3; i++)
        ck_assert_ptr_nonnull(strstr(sage_api_patch_request(sage, i)->path, id_number(2 - i)));
}
END_TEST

static const struct {
    const char *change;
    int64_t wait_ms;
} waits[] = {
    {"next_attempt_at = 1000000 + 1500", 1500},
    {"next_attempt_at = 1000000 + 5000", MOST_MS},
    {"leased_until = 1000000 + 700", 700},
    {"next_attempt_at = 1000000 + 900, give_up_at = 1000000 + 800", 800},
    {"delivered_at = 1000000", MOST_MS},
};

START_TEST(a_deliverer_knows_when_to_look_again)
{
    char sql[128];
    put(ID);
    (void)snprintf(sql, sizeof(sql), "UPDATE delivery SET %s", waits[_i].change);
    execute(sql);
    ck_assert_int_eq(deliver_due().wait_ms, waits[_i].wait_ms);
    ck_assert_uint_eq(sage_api_patch_count(sage), 0);
}
END_TEST

/* ---- one deliverer a row ------------------------------------------------- */

static enum outbox_outcome seen_outcomes[3];

static void deliver_or_release(size_t number)
{
    if (number == 2) {
        (void)sage_api_await_patches(sage, 1);
        sage_api_release(sage);
        return;
    }
    seen_outcomes[number] = deliver_now();
}

START_TEST(who_comes_second_waits_for_the_first)
{
    put(ID);
    PATCHES_GET({.status = 200, .manner = SAGE_HOLDS});
    run_crowd(3, deliver_or_release);
    ck_assert_int_eq((int)seen_outcomes[0], OUTBOX_DELIVERED);
    ck_assert_int_eq((int)seen_outcomes[1], OUTBOX_DELIVERED);
    ck_assert_uint_eq(sage_api_patch_count(sage), 1);
}
END_TEST

/* Runs `work` in a process of its own, with a store of its own, until it ends or is killed. */
static pid_t in_a_process(void (*work)(void), int *begin)
{
    int ends[2];
    char byte;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t process = fork();
    ck_assert_int_ge(process, 0);
    if (process > 0) {
        (void)close(ends[0]);
        *begin = ends[1];
        return process;
    }
    char error[STORE_ERROR_MAX];
    (void)close(ends[1]);
    if (read(ends[0], &byte, 1) != 0) /* its end comes when all are there */
        _exit(EXIT_FAILURE);
    store = store_open(store_path, STORE_OPERATOR, error);
    api = store ? provider_api_open(store, &test_clock, &config) : NULL;
    if (!api)
        _exit(EXIT_FAILURE);
    work();
    provider_api_close(api);
    store_close(store);
    _exit(EXIT_SUCCESS);
}

/* A database that is open must not go through a fork. */
static void close_store(void)
{
    provider_api_close(api);
    store_close(store);
}

static void open_store(void)
{
    char error[STORE_ERROR_MAX];
    store = store_open(store_path, STORE_OPERATOR, error);
    ck_assert_msg(store != NULL, "%s", error);
    api = provider_api_open(store, &test_clock, &config);
    ck_assert_ptr_nonnull(api);
}

static void deliver_all(void)
{
    (void)deliver_due();
}

START_TEST(each_result_is_sent_once_by_several_processes)
{
    pid_t processes[DELIVERERS];
    int begins[DELIVERERS];
    for (size_t i = 0; i < ROWS; i++)
        put(id_number(i));
    close_store();
    for (size_t i = 0; i < DELIVERERS; i++)
        processes[i] = in_a_process(deliver_all, &begins[i]);
    for (size_t i = 0; i < DELIVERERS; i++)
        ck_assert_int_eq(close(begins[i]), 0);
    for (size_t i = 0; i < DELIVERERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(processes[i], &status, 0), processes[i]);
        ck_assert_int_eq(status, EXIT_SUCCESS);
    }
    open_store();
    ck_assert_uint_eq(sage_api_patch_count(sage), ROWS);
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    for (size_t i = 0; i < ROWS; i++)
        ck_assert_uint_eq(sage_api_answered(sage, id_number(i), 200), 1);
    ck_assert_int_eq(rows_that("delivered_at IS NOT NULL AND attempts = 1"), ROWS);
}
END_TEST

START_TEST(what_a_killed_process_was_sending_is_taken_over)
{
    int begin;
    put(ID);
    PATCHES_GET({.status = 200, .manner = SAGE_HOLDS}, {.status = 200});
    close_store();
    pid_t process = in_a_process(deliver_all, &begin);
    ck_assert_int_eq(close(begin), 0);
    ck_assert(sage_api_await_patches(sage, 1));
    ck_assert_int_eq(kill(process, SIGKILL), 0);
    ck_assert_int_eq(waitpid(process, NULL, 0), process);
    open_store();
    time_passes(LEASE_MS - 1);
    expect_round(deliver_due(), 0, 0, 0); /* it might still be sending */
    time_passes(1);
    expect_round(deliver_due(), 1, 0, 0);
    ck_assert_uint_eq(sage_api_patch_count(sage), 2);
    ck_assert_str_eq(sage_api_patch_request(sage, 1)->body, BODY);
    ck_assert_int_eq(rows_that("delivered_at IS NOT NULL AND attempts = 2"), 1);
}
END_TEST

static void stall_and_overtake(size_t number)
{
    if (number == 0) {
        seen_outcomes[0] = deliver_now();
        return;
    }
    (void)sage_api_await_patches(sage, 1);
    time_passes(LEASE_MS);
    (void)deliver_due();
    sage_api_release(sage);
}

/* What the second one hears, while the first still waits for its 404. */
static const struct {
    struct sage_reply replies[2];
    const char *row;
} overtakings[] = {
    {{{.status = 404, .manner = SAGE_HOLDS}, {.status = 200}},
     "delivered_at IS NOT NULL AND failed_at IS NULL AND answer = 'status 200'"},
    {{{.status = 404, .manner = SAGE_HOLDS}, {.status = 500}},
     "delivered_at IS NULL AND failed_at IS NULL AND answer = 'status 500: {}'"},
};

START_TEST(who_lost_the_lease_settles_nothing)
{
    put(ID);
    log_open("check_parts", LOG_TO_SYSLOG, LOG_LEVEL_ERROR); /* what is lost is logged */
    sage_api_patches(sage, overtakings[_i].replies, 2);
    run_crowd(2, stall_and_overtake);
    ck_assert_int_eq((int)seen_outcomes[0], OUTBOX_WAITING);
    ck_assert_int_eq(rows_that(overtakings[_i].row), 1);
}
END_TEST

static atomic_bool stop;

static void deliver_and_stop(size_t number)
{
    struct outbox_round round;
    if (number == 0) {
        (void)sage_api_await_patches(sage, 1);
        atomic_store(&stop, true);
        return;
    }
    ck_assert(outbox_deliver_due(store, api, &test_clock, &stop, MOST_MS, &round));
}

START_TEST(who_is_stopped_gives_the_row_back_at_once)
{
    put(ID);
    put(id_number(1));
    PATCHES_GET({.status = 200, .manner = SAGE_HOLDS}, {.status = 200});
    run_crowd(2, deliver_and_stop);
    ck_assert_uint_eq(sage_api_patch_count(sage), 1);
    ck_assert_int_eq(rows_that("leased_until IS NULL AND next_attempt_at = 1000000"), 2);
    expect_round(deliver_due(), 2, 0, 0);
}
END_TEST

/* ---- what operators see -------------------------------------------------- */

static char log_text[64 * 1024];

static void capture_log(FILE *file)
{
    ck_assert_ptr_nonnull(file);
    ck_assert_int_ge(dup2(fileno(file), STDERR_FILENO), 0);
    log_open("check_parts", LOG_TO_STDERR, LOG_LEVEL_DEBUG);
}

static void read_log(FILE *file)
{
    rewind(file);
    log_text[fread(log_text, 1, sizeof(log_text) - 1, file)] = '\0';
    ck_assert_int_eq(fclose(file), 0);
}

START_TEST(the_log_tells_what_became_of_a_result_and_no_secret)
{
    static const char *const secrets[] = {CLIENT_SECRET, "client-secret", API_KEY, "token-1",
                                          "token-2",     "bankAccounts",  ID};
    static const char *const lines[] = {
        "\"event\":\"result_waiting\"",
        "\"event\":\"result_delivered\"",
        "\"event\":\"result_failed\"",
        "\"event\":\"access_token_not_fetched\"",
        "\"session\":\"",
        "\"result\":\"success\",\"attempts\":\"2\",\"answer\":\"status 404\""};
    FILE *file = tmpfile();
    capture_log(file);
    TOKENS_GET({.status = 401, .body = "{\"error\":\"" CLIENT_SECRET API_KEY "\"}"}, {.status = 0});
    PATCHES_GET({.status = 500, .body = BODY ID API_KEY}, {.status = 200}, {.status = 404});
    put(ID);
    put(id_number(1));
    expect_round(deliver_due(), 0, 1, 0);
    time_passes(MINUTE_MS);
    expect_round(deliver_due(), 1, 1, 0);
    time_passes(MINUTE_MS);
    expect_round(deliver_due(), 0, 0, 1);
    read_log(file);
    for (size_t i = 0; i < COUNT(lines); i++)
        ck_assert_msg(strstr(log_text, lines[i]) != NULL, "%s isn't in: %s", lines[i], log_text);
    for (size_t i = 0; i < COUNT(secrets); i++) {
        char sql[256];
        ck_assert_msg(strstr(log_text, secrets[i]) == NULL, "%s is in: %s", secrets[i], log_text);
        (void)snprintf(sql, sizeof(sql), "instr(answer, '%s') > 0", secrets[i]);
        ck_assert_int_eq(rows_that(sql), 0);
    }
}
END_TEST

static bool seen_piece(struct database *database, void *context)
{
    return outbox_deliverer_seen(database, context);
}

static int64_t seen_at(void)
{
    int64_t time = -1;
    ck_assert_int_eq((int)store_read(store, seen_piece, &time), STORE_DONE);
    return time;
}

START_TEST(it_is_noted_that_a_deliverer_was_here)
{
    ck_assert_int_eq(seen_at(), 0);
    (void)deliver_due();
    ck_assert_int_eq(seen_at(), START_MS);
    time_passes(9999); /* not each time, since that costs a write */
    (void)deliver_due();
    ck_assert_int_eq(seen_at(), START_MS);
    time_passes(1);
    (void)deliver_due();
    ck_assert_int_eq(seen_at(), START_MS + 10000);
}
END_TEST

START_TEST(what_a_clock_that_was_ahead_has_scheduled_is_due_at_once)
{
    ck_assert_int_eq((int)try_to_put(ID, START_MS + DAY_MS), STORE_DONE);
    execute("UPDATE delivery SET leased_until = created_at + 30000");
    struct outbox_round round = deliver_due();
    ck_assert_int_eq(round.delivered, 1);
}
END_TEST

static bool count_piece(struct database *database, void *context)
{
    return outbox_count(database, START_MS, context);
}

START_TEST(what_waits_and_what_failed_lately_is_counted)
{
    struct outbox_counts counts = {-1, -1};
    for (size_t i = 0; i < 5; i++)
        put(id_number(i));
    execute("UPDATE delivery SET failed_at = 1000000 WHERE id = 1");
    execute("UPDATE delivery SET failed_at = 999999 WHERE id = 2");
    execute("UPDATE delivery SET delivered_at = 1000000 WHERE id = 3");
    ck_assert_int_eq((int)store_read(store, count_piece, &counts), STORE_DONE);
    ck_assert_int_eq(counts.waiting, 2);
    ck_assert_int_eq(counts.failed, 1);
}
END_TEST

struct purging {
    int64_t created_before, limit, removed;
};

static bool purge_piece(struct database *database, void *context)
{
    struct purging *purging = context;
    return outbox_purge(database, purging->created_before, purging->limit, &purging->removed);
}

static int64_t purge_before(int64_t created_before, int64_t limit)
{
    struct purging purging = {created_before, limit, -1};
    write_now(purge_piece, &purging);
    return purging.removed;
}

START_TEST(only_what_is_settled_is_purged)
{
    for (size_t i = 0; i < 4; i++)
        put(id_number(i));
    execute("UPDATE delivery SET failed_at = 1 WHERE id = 1");
    execute("UPDATE delivery SET delivered_at = 1 WHERE id IN (2, 3)");
    ck_assert_int_eq(purge_before(START_MS, 10), 0);
    ck_assert_int_eq(purge_before(START_MS + 1, 2), 2);
    ck_assert_int_eq(purge_before(START_MS + 1, 2), 1);
    ck_assert_int_eq(purge_before(GIVE_UP_AT, 2), 0);
    ck_assert_int_eq(rows_that("id = 4"), 1);
    ck_assert_int_eq(purge_before(GIVE_UP_AT + 1, 2), 1); /* nobody will send it any more */
}
END_TEST

static size_t shown;

static void note_row(const struct outbox_row *row, void *context)
{
    ck_assert_ptr_eq(context, &shown);
    ck_assert_str_eq(row->result, "success");
    ck_assert_str_eq(row->state, shown == 0 ? "waiting" : "delivered");
    ck_assert_pstr_eq(row->answer, shown == 0 ? NULL : "status 200");
    ck_assert_int_eq(row->attempts, shown == 0 ? 0 : 1);
    ck_assert_str_eq(row->created_at, "1970-01-01 00:16:40");
    ck_assert_str_eq(row->authorisation_id, shown == 0 ? id_number(1) : ID);
    shown++;
}

static bool list_piece(struct database *database, void *context)
{
    return outbox_list(database, 10, note_row, context);
}

START_TEST(results_are_listed_newest_first)
{
    shown = 0;
    put(ID);
    ck_assert_int_eq((int)deliver_now(), OUTBOX_DELIVERED);
    put(id_number(1));
    ck_assert_int_eq((int)store_read(store, list_piece, &shown), STORE_DONE);
    ck_assert_uint_eq(shown, 2);
}
END_TEST

Suite *outbox_suite(void)
{
    Suite *suite = suite_create("outbox");
    ADD_SAGE_RULE_FOR_EACH(suite, a_result_is_settled_by_sages_answer, outcomes);
    ADD_SAGE_RULE(suite, a_session_has_one_result);
    ADD_SAGE_RULE(suite, a_result_that_nobody_knows_waits);
    ADD_SAGE_RULE(suite, what_was_left_is_delivered_later_byte_for_byte);
    ADD_SAGE_RULE(suite, without_configuration_nothing_is_taken_for_delivered);
    ADD_SAGE_RULE(suite, pauses_double_up_to_a_minute_and_are_spread);
    ADD_SAGE_RULE(suite, sage_may_ask_for_patience);
    ADD_SAGE_RULE(suite, who_was_asked_for_patience_has_some);
    ADD_SAGE_RULE(suite, patience_ends_with_a_last_try);
    ADD_SAGE_RULE(suite, a_round_sends_no_row_twice);
    ADD_SAGE_RULE(suite, a_round_ends_when_its_time_is_over);
    ADD_SAGE_RULE(suite, it_is_tried_until_ten_minutes_after_the_session_and_no_longer);
    ADD_SAGE_RULE(suite, what_was_never_tried_in_time_says_so);
    ADD_SAGE_RULE(suite, the_oldest_that_is_due_comes_first);
    ADD_SAGE_RULE_FOR_EACH(suite, a_deliverer_knows_when_to_look_again, waits);
    ADD_SAGE_RULE(suite, who_comes_second_waits_for_the_first);
    ADD_SAGE_RULE(suite, each_result_is_sent_once_by_several_processes);
    ADD_SAGE_RULE(suite, what_a_killed_process_was_sending_is_taken_over);
    ADD_SAGE_RULE_FOR_EACH(suite, who_lost_the_lease_settles_nothing, overtakings);
    ADD_SAGE_RULE(suite, who_is_stopped_gives_the_row_back_at_once);
    ADD_SAGE_RULE(suite, the_log_tells_what_became_of_a_result_and_no_secret);
    ADD_SAGE_RULE(suite, it_is_noted_that_a_deliverer_was_here);
    ADD_SAGE_RULE(suite, what_a_clock_that_was_ahead_has_scheduled_is_due_at_once);
    ADD_SAGE_RULE(suite, what_waits_and_what_failed_lately_is_counted);
    ADD_SAGE_RULE(suite, only_what_is_settled_is_purged);
    ADD_SAGE_RULE(suite, results_are_listed_newest_first);
    return suite;
}
