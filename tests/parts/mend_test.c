/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "base/clock.h"
#include "service/mend.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define NOW INT64_C(1764000000000)

/* A row for each table, all of it by a clock that was a year ahead. */
#define T "1795536000000"
#define LATER "1795536600000"
static const char rows[] =
    "INSERT INTO customer (id) VALUES ('c');"
    "INSERT INTO event (type, resource_type, resource_id, body_sha256, body, outcome, received_at, "
    "token_expires_at) VALUES ('t', 'r', 'i', 'h', '{}', 'armed', " T ", " T ");"
    "INSERT INTO authorisation_session (session_key, authorisation_id, log_id, notified_at, "
    "expires_at, token_expires_at, opened_at, flow, verified_at, ended_at) VALUES ('k', 'k', "
    "'l', " T ", " LATER ", " T ", " T ", 'authorisation', " T ", " T ");"
    "INSERT INTO authorisation_session (session_key, authorisation_id, log_id, notified_at, "
    "expires_at, token_expires_at) VALUES ('n', 'n', 'm', " T ", " LATER ", " T ");"
    "INSERT INTO key_set (url, generation, fetched_at, attempted_at, outcome) VALUES ('u', 1, " T
    ", " T ", 'good');"
    "INSERT INTO key_fetch (url, caller, begun_at, outcome) VALUES ('u', 'stranger', " T
    ", 'good');"
    "INSERT INTO bank_account (id, linked_at, unlinked_at) VALUES ('b', " T ", " T ");"
    "INSERT INTO one_time_code (customer_id, code_hash, issued_at, expires_at, used_at) VALUES "
    "('c', 'h', " T ", " LATER ", " T ");"
    "INSERT INTO consent (session_key, log_id, customer_id, flow, external_ids, language, wording, "
    "given_at) VALUES ('k', 'l', 'c', 'authorisation', '[]', 'en', 'w', " T ");"
    "INSERT INTO delivery (session_key, authorisation_id, log_id, result, body, created_at, "
    "give_up_at, next_attempt_at, leased_until, attempted_at, delivered_at) VALUES ('k', 'k', 'l', "
    "'success', '{}', " T ", " LATER ", " LATER ", " LATER ", " T ", " T ");"
    "INSERT INTO delivery (session_key, authorisation_id, log_id, result, body, created_at, "
    "give_up_at, next_attempt_at, failed_at) VALUES ('f', 'f', 'l', 'error', '{}', " T ", " LATER
    ", " LATER ", " T ");"
    "INSERT INTO deliverer (name, seen_at) VALUES ('deliver', " T ");"
    "INSERT INTO access_token (token_url, client_id, token, expires_at, fetched_at, fetching_till) "
    "VALUES ('u', 'c', 't', " LATER ", " T ", " LATER ");"
    "INSERT INTO session_clock VALUES (1, " T ", 5, 'b', " T ", 'doubtful', 0, 0, " T ");"
    "INSERT INTO session_purge VALUES (1, " T ");"
    "UPDATE schema_migration SET applied_at = " T;

static void fill(void)
{
    execute(rows);
}

static int64_t machine_ms;

static int64_t read_machine(void)
{
    return machine_ms;
}

static struct mending mending_at(int64_t now)
{
    static struct clock clock;
    clock_init(&clock);
    clock.read = read_machine;
    machine_ms = now;
    return (struct mending){.clock = &clock, .confirmed = true};
}

/* How many rows have a time of this column in the far future. */
static int64_t to_come(const char *table, const char *column)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql), "SELECT COUNT(*) FROM %s WHERE %s > 1764000000000 + 3600000",
                   table, column);
    return number_of(sql);
}

/* Whether a name stands in a list of names parted by spaces. */
static bool has_name(const char *list, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = list; at && (at = strstr(at, name)); at += length)
        if ((at == list || at[-1] == ' ') && (at[length] == ' ' || at[length] == '\0'))
            return true;
    return false;
}

static void for_each_name(const char *list, void (*run)(const char *table, const char *name),
                          const char *table)
{
    char names[256];
    char *rest = NULL;
    (void)snprintf(names, sizeof(names), "%s", list ? list : "");
    for (char *name = strtok_r(names, " ", &rest); name; name = strtok_r(NULL, " ", &rest))
        run(table, name);
}

static void expect_to_come(const char *table, const char *column)
{
    ck_assert_msg(to_come(table, column) > 0, "%s.%s isn't filled", table, column);
}

static void expect_none_to_come(const char *table, const char *column)
{
    ck_assert_msg(to_come(table, column) == 0, "%s.%s is still to come", table, column);
}

START_TEST(no_column_is_left_in_the_future)
{
    struct mending mending = mending_at(NOW);
    fill();
    for (size_t i = 0; mend_tables[i].table; i++)
        for_each_name(mend_tables[i].mended, expect_to_come, mend_tables[i].table);
    write_now(mend_all, &mending);
    for (size_t i = 0; mend_tables[i].table; i++) {
        for_each_name(mend_tables[i].mended, expect_none_to_come, mend_tables[i].table);
        ck_assert_msg(mending.changed[i] > 0, "%s isn't counted", mend_tables[i].table);
    }
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM authorisation_session "
                               "WHERE expires_at <= 1764000000000"),
                     2);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM one_time_code WHERE expires_at > "
                               "1764000000000"),
                     0);
    write_now(mend_all, &mending);
    for (size_t i = 0; i < MEND_TABLES; i++)
        ck_assert_int_eq(mending.changed[i], 0);
}
END_TEST

START_TEST(a_result_that_waits_is_tried_at_once_and_keeps_its_time)
{
    struct mending mending = mending_at(NOW);
    fill();
    execute("UPDATE delivery SET delivered_at = NULL WHERE session_key = 'k'");
    write_now(mend_all, &mending);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM delivery WHERE session_key = 'k' AND "
                               "next_attempt_at = 1764000000000 AND leased_until IS NULL AND "
                               "give_up_at = 1764000000000 + 600000"),
                     1);
}
END_TEST

START_TEST(a_dry_run_counts_and_changes_nothing)
{
    struct mending mending = mending_at(NOW);
    mending.dry_run = true;
    fill();
    ck_assert_int_eq((int)store_write(store, mend_all, &mending), STORE_FAILED);
    ck_assert(mending.counted);
    for (size_t i = 0; mend_tables[i].table; i++) {
        ck_assert_int_gt(mending.changed[i], 0);
        for_each_name(mend_tables[i].mended, expect_to_come, mend_tables[i].table);
    }
}
END_TEST

START_TEST(times_that_are_past_stay)
{
    struct mending mending = mending_at(NOW + 366 * DAY_MS);
    fill();
    write_now(mend_all, &mending);
    for (size_t i = 0; mend_tables[i].table; i++)
        ck_assert_msg(mending.changed[i] == 0, "%s was changed", mend_tables[i].table);
}
END_TEST

static bool locked;

static int64_t look_at_lock(void)
{
    char path[4096];
    (void)snprintf(path, sizeof(path), "%s.lock", store_path);
    int lock = open(path, O_RDWR | O_CLOEXEC);
    locked = lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) != 0;
    (void)close(lock);
    return NOW;
}

/* Else what an endpoint writes meanwhile would look like the future. */
START_TEST(the_time_is_read_when_nobody_else_can_write)
{
    struct mending mending = mending_at(NOW);
    mending.clock->read = look_at_lock;
    write_now(mend_all, &mending);
    ck_assert(locked);
}
END_TEST

/* Numbers of the schema that are no times. */
static const char *const counters[] = {
    "authorisation_session.wrong_codes",
    "authorisation_session.passed_on",
    "key_set.generation",
    "key_set.fetches",
    "key_set.good_fetch",
    "delivery.attempts",
    "delivery.forgotten",
    "session_clock.id",
    "session_clock.era",
    "session_purge.id",
};

static bool is_counter(const char *table, const char *column)
{
    char name[128];
    (void)snprintf(name, sizeof(name), "%s.%s", table, column);
    for (size_t i = 0; i < COUNT(counters); i++)
        if (strcmp(counters[i], name) == 0)
            return true;
    return false;
}

static bool is_listed(const char *table, const char *column)
{
    for (size_t i = 0; mend_tables[i].table; i++)
        if (strcmp(mend_tables[i].table, table) == 0)
            return has_name(mend_tables[i].mended, column) || has_name(mend_tables[i].kept, column);
    return false;
}

static void expect_column(const char *table, const char *column)
{
    char sql[256];
    (void)snprintf(sql, sizeof(sql),
                   "SELECT COUNT(*) FROM pragma_table_info('%s') WHERE name = '%s'", table, column);
    ck_assert_msg(number_of(sql) == 1, "the schema has no %s.%s", table, column);
}

START_TEST(every_column_that_holds_a_time_is_listed)
{
    sqlite3 *connection = NULL;
    sqlite3_stmt *select = NULL;
    int columns = 0;
    ck_assert_int_eq(sqlite3_open_v2(store_path, &connection, SQLITE_OPEN_READWRITE, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_prepare_v2(connection,
                                        "SELECT t.name, c.name FROM sqlite_schema AS t "
                                        "JOIN pragma_table_info(t.name) AS c "
                                        "WHERE t.type = 'table' AND (c.type = 'BIGINT' OR "
                                        "c.name GLOB '*_at' OR c.name GLOB '*_t[iu]*')",
                                        -1, &select, NULL),
                     SQLITE_OK);
    while (sqlite3_step(select) == SQLITE_ROW) {
        const char *table = (const char *)sqlite3_column_text(select, 0);
        const char *column = (const char *)sqlite3_column_text(select, 1);
        columns++;
        ck_assert_msg(is_listed(table, column) != is_counter(table, column),
                      "%s.%s: is it a time? then mend.c must list it", table, column);
    }
    ck_assert_int_gt(columns, 35);
    ck_assert_int_eq(sqlite3_finalize(select), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(connection), SQLITE_OK);
    for (size_t i = 0; mend_tables[i].table; i++) {
        for_each_name(mend_tables[i].mended, expect_column, mend_tables[i].table);
        for_each_name(mend_tables[i].kept, expect_column, mend_tables[i].table);
    }
}
END_TEST

START_TEST(nobody_is_alone_while_another_is_here)
{
    char error[STORE_ERROR_MAX] = "";
    ck_assert_ptr_null(store_open(store_path, STORE_ALONE, error));
    ck_assert_msg(strstr(error, "is in use: stop the endpoints") != NULL, "%s", error);
    store_close(store);
    store = store_open(store_path, STORE_ALONE, error);
    ck_assert_msg(store != NULL, "%s", error);
    ck_assert_ptr_null(store_open(store_path, STORE_ALONE, error));
}
END_TEST

Suite *mend_suite(void)
{
    Suite *suite = suite_create("mend");
    ADD_STORE_RULE(suite, no_column_is_left_in_the_future);
    ADD_STORE_RULE(suite, a_result_that_waits_is_tried_at_once_and_keeps_its_time);
    ADD_STORE_RULE(suite, a_dry_run_counts_and_changes_nothing);
    ADD_STORE_RULE(suite, times_that_are_past_stay);
    ADD_STORE_RULE(suite, the_time_is_read_when_nobody_else_can_write);
    ADD_STORE_RULE(suite, every_column_that_holds_a_time_is_listed);
    ADD_STORE_RULE(suite, nobody_is_alone_while_another_is_here);
    return suite;
}
