/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "base/clock.h"
#include "store/writer.h"

#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CROWD = 16, WRITES_EACH = 50, WRITES = CROWD * WRITES_EACH, MARGIN_MS = 1500 };

static bool add_customer(struct database *database, const char *id)
{
    struct statement *insert =
        database_statement(database, "INSERT INTO customer (id) VALUES ($1)");
    statement_bind_text(insert, 1, id);
    return statement_run(insert);
}

static bool add_named(struct database *database, void *context)
{
    return add_customer(database, context);
}

static bool add_and_fail(struct database *database, void *context)
{
    return add_customer(database, context) && false;
}

static bool count_customers(struct database *database, void *context)
{
    int64_t *count = context;
    struct statement *select = database_statement(database, "SELECT COUNT(*) FROM customer");
    if (statement_step(select) != ROW_FOUND)
        return false;
    *count = statement_integer(select, 0);
    statement_done(select);
    return true;
}

static int64_t customers(void)
{
    return number_of("SELECT COUNT(*) FROM customer");
}

/* What each thread of a crowd saw; looked at when all have ended. */
static enum store_result results[CROWD][WRITES_EACH];

static enum store_result add_numbered(store_piece *piece, size_t thread, size_t number)
{
    char id[32];
    (void)snprintf(id, sizeof(id), "%zu-%zu", thread, number);
    return store_write(store, piece, id);
}

static void write_many(size_t thread)
{
    for (size_t i = 0; i < WRITES_EACH; i++)
        results[thread][i] = add_numbered(add_named, thread, i);
}

START_TEST(writes_of_many_threads_are_all_there)
{
    run_crowd(CROWD, write_many);
    for (size_t i = 0; i < CROWD; i++)
        for (size_t j = 0; j < WRITES_EACH; j++)
            ck_assert_int_eq((int)results[i][j], STORE_DONE);
    ck_assert_int_eq(customers(), WRITES);
}
END_TEST

static void write_with_failures(size_t thread)
{
    for (size_t i = 0; i < WRITES_EACH; i++)
        results[thread][i] = add_numbered(i % 2 == 0 ? add_and_fail : add_named, thread, i);
}

START_TEST(a_piece_that_fails_is_undone_alone)
{
    run_crowd(CROWD, write_with_failures);
    for (size_t i = 0; i < CROWD; i++)
        for (size_t j = 0; j < WRITES_EACH; j++)
            ck_assert_int_eq((int)results[i][j], j % 2 == 0 ? STORE_FAILED : STORE_DONE);
    ck_assert_int_eq(customers(), WRITES / 2);
}
END_TEST

START_TEST(a_write_is_seen_by_the_next_read)
{
    int64_t count = 0;
    write_now(add_named, "one");
    ck_assert_int_eq((int)store_read(store, count_customers, &count), STORE_DONE);
    ck_assert_int_eq(count, 1);
}
END_TEST

START_TEST(what_breaks_a_rule_of_the_schema_fails)
{
    write_now(add_named, "one");
    ck_assert_int_eq((int)store_write(store, add_named, "one"), STORE_FAILED);
    write_now(add_named, "two");
    ck_assert_int_eq(customers(), 2);
}
END_TEST

/* The two ways to keep others from writing. */

static sqlite3 *begin_elsewhere(void)
{
    sqlite3 *connection = NULL;
    ck_assert_int_eq(sqlite3_open_v2(store_path, &connection, SQLITE_OPEN_READWRITE, NULL),
                     SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(connection, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    return connection;
}

static int lock_elsewhere(void)
{
    int lock = open(store_path_with(".lock"), O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(lock, 0);
    ck_assert_int_eq(flock(lock, LOCK_EX | LOCK_NB), 0);
    return lock;
}

static void expect_busy_in_time(void)
{
    int64_t begin = clock_monotonic();
    ck_assert_int_eq((int)store_write(store, add_named, "late"), STORE_BUSY);
    int64_t waited = clock_monotonic() - begin;
    ck_assert_int_ge(waited, WRITER_WAIT_MS - 1);
    ck_assert_int_lt(waited, WRITER_WAIT_MS + MARGIN_MS);
}

START_TEST(behind_the_lock_of_sqlite_a_write_gives_up_in_time)
{
    sqlite3 *other = begin_elsewhere();
    expect_busy_in_time();
    ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
    write_now(add_named, "again");
    ck_assert_int_eq(customers(), 1);
}
END_TEST

START_TEST(behind_the_lock_between_processes_a_write_gives_up_in_time)
{
    int lock = lock_elsewhere();
    expect_busy_in_time();
    ck_assert_int_eq(close(lock), 0);
    write_now(add_named, "again");
    ck_assert_int_eq(customers(), 1);
}
END_TEST

static void write_once(size_t thread)
{
    results[thread][0] = add_numbered(add_named, thread, 0);
}

START_TEST(a_crowd_behind_a_lock_gives_up_and_leaves_nothing_behind)
{
    int lock = lock_elsewhere();
    run_crowd(CROWD, write_once);
    ck_assert_int_eq(close(lock), 0);
    for (size_t i = 0; i < CROWD; i++)
        ck_assert_int_eq((int)results[i][0], STORE_BUSY);
    write_now(add_named, "again");
    ck_assert_int_eq(customers(), 1);
}
END_TEST

START_TEST(reads_go_on_while_others_write)
{
    int64_t count = 1;
    sqlite3 *other = begin_elsewhere();
    ck_assert_int_eq((int)store_read(store, count_customers, &count), STORE_DONE);
    ck_assert_int_eq(count, 0);
    ck_assert_int_eq(sqlite3_close(other), SQLITE_OK);
}
END_TEST

/* Opens the database once more; NULL and in `error` why it didn't work. */
static struct store *open_again(enum store_role role, char error[STORE_ERROR_MAX])
{
    error[0] = '\0';
    return store_open(store_path, role, error);
}

static void expect_refused(enum store_role role, const char *words)
{
    char error[STORE_ERROR_MAX];
    ck_assert_ptr_null(open_again(role, error));
    ck_assert_msg(strstr(error, words) != NULL, "\"%s\" isn't in: %s", words, error);
    ck_assert_msg(strstr(error, store_path) != NULL, "the path isn't in: %s", error);
}

START_TEST(a_database_of_a_newer_version_is_refused)
{
    execute("INSERT INTO schema_migration VALUES (999, '999-later', 0)");
    expect_refused(STORE_ENDPOINT, "newer version");
    expect_refused(STORE_OPERATOR, "newer version");
}
END_TEST

START_TEST(the_writer_refuses_what_a_newer_version_made_of_its_database)
{
    write_now(add_named, "one");
    ck_assert_int_eq(rename(store_path, store_path_with(".old")), 0);
    (void)unlink(store_path_with("-wal")); /* they belong to what was moved away, if there are */
    (void)unlink(store_path_with("-shm"));
    char error[STORE_ERROR_MAX];
    struct store *newer = open_again(STORE_ENDPOINT, error);
    ck_assert_msg(newer != NULL, "%s", error);
    execute("INSERT INTO schema_migration VALUES (999, '999-later', 0)");
    ck_assert_int_eq((int)store_write(store, add_named, "two"), STORE_FAILED);
    store_close(newer);
    ck_assert_int_eq(customers(), 0);
}
END_TEST

START_TEST(an_operator_does_not_bring_an_old_database_up_to_date)
{
    execute("DELETE FROM schema_migration");
    expect_refused(STORE_OPERATOR, "older version");
}
END_TEST

START_TEST(an_operator_never_makes_a_database)
{
    char error[STORE_ERROR_MAX] = "";
    char missing[128];
    ck_assert_int_gt(snprintf(missing, sizeof(missing), "%s.missing", store_path), 0);
    ck_assert_ptr_null(store_open(missing, STORE_OPERATOR, error));
    ck_assert_msg(strstr(error, "no database there yet") != NULL, "%s", error);
    ck_assert_int_ne(access(missing, F_OK), 0);
    ck_assert_int_ne(access(store_path_with(".missing.lock"), F_OK), 0);
}
END_TEST

START_TEST(an_operator_works_on_what_an_endpoint_made)
{
    char error[STORE_ERROR_MAX];
    struct store *tool = open_again(STORE_OPERATOR, error);
    ck_assert_msg(tool != NULL, "%s", error);
    ck_assert_int_eq((int)store_write(tool, add_named, "one"), STORE_DONE);
    store_close(tool);
    ck_assert_int_eq(customers(), 1);
}
END_TEST

START_TEST(an_endpoint_starts_beside_others_that_never_stop_writing)
{
    char error[STORE_ERROR_MAX];
    int lock = lock_elsewhere();
    struct store *started = open_again(STORE_ENDPOINT, error);
    ck_assert_msg(started != NULL, "%s", error);
    store_close(started);
    ck_assert_int_eq(close(lock), 0);
}
END_TEST

START_TEST(a_file_that_is_no_database_is_refused)
{
    static const char bytes[] = "customers and accounts, but not in the right form at all";
    char error[STORE_ERROR_MAX] = "";
    char text[128];
    ck_assert_int_gt(snprintf(text, sizeof(text), "%s.text", store_path), 0);
    int descriptor = open(text, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, bytes, sizeof(bytes)), (ssize_t)sizeof(bytes));
    ck_assert_int_eq(close(descriptor), 0);
    ck_assert_ptr_null(store_open(text, STORE_ENDPOINT, error));
    ck_assert_msg(strstr(error, "not a database") != NULL, "%s", error);
}
END_TEST

START_TEST(writes_and_reads_go_to_the_file_that_has_the_name_now)
{
    int64_t count = -1;
    char error[STORE_ERROR_MAX];
    write_now(add_named, "lost with the old file");
    ck_assert_int_eq((int)store_read(store, count_customers, &count), STORE_DONE);
    ck_assert_int_eq(rename(store_path, store_path_with(".old")), 0);
    (void)unlink(store_path_with("-wal")); /* they belong to what was moved away, if there are */
    (void)unlink(store_path_with("-shm"));
    struct store *other = open_again(STORE_ENDPOINT, error);
    ck_assert_msg(other != NULL, "%s", error);

    write_now(add_named, "one");
    ck_assert_int_eq((int)store_write(other, add_named, "two"), STORE_DONE);
    ck_assert_int_eq((int)store_read(store, count_customers, &count), STORE_DONE);
    ck_assert_int_eq(count, 2);
    store_close(other);
    ck_assert_int_eq(customers(), 2);
}
END_TEST

START_TEST(no_database_is_made_in_place_of_one_that_was_removed)
{
    write_now(add_named, "one");
    ck_assert_int_eq(unlink(store_path), 0);
    ck_assert_int_eq((int)store_write(store, add_named, "two"), STORE_FAILED);
    ck_assert_int_ne(access(store_path, F_OK), 0);
}
END_TEST

START_TEST(what_is_made_is_not_open_to_others)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", ".users"};
    write_now(add_named, "one");
    for (size_t i = 0; i < COUNT(endings); i++) {
        struct stat status;
        if (stat(store_path_with(endings[i]), &status) == 0)
            ck_assert_msg((status.st_mode & S_IRWXO) == 0, "%s has mode %o", endings[i],
                          (unsigned)status.st_mode);
    }
}
END_TEST

static bool read_synchronous(struct database *database, void *context)
{
    int64_t *synchronous = context;
    struct statement *select = database_statement(database, "PRAGMA synchronous");
    if (statement_step(select) != ROW_FOUND)
        return false;
    *synchronous = statement_integer(select, 0);
    statement_done(select);
    return true;
}

START_TEST(what_is_acknowledged_is_on_the_disk)
{
    enum { FULL = 2 };
    int64_t synchronous = 0;
    write_now(read_synchronous, &synchronous);
    ck_assert_int_eq(synchronous, FULL);
}
END_TEST

static struct store *hung; /* until the process ends, as its thread may need it */

static void write_in_vain(size_t thread)
{
    (void)thread;
    (void)store_write(hung, add_named, "late");
}

/* Whether this process has the file open. */
static bool has_open(const char *path)
{
    char name[64];
    char target[256];
    for (int descriptor = 0; descriptor < 256; descriptor++) {
        (void)snprintf(name, sizeof(name), "/proc/self/fd/%d", descriptor);
        ssize_t length = readlink(name, target, sizeof(target) - 1);
        if (length < 0)
            continue;
        target[length] = '\0';
        if (strcmp(target, path) == 0)
            return true;
    }
    return false;
}

START_TEST(a_writer_that_hangs_needs_nothing_of_who_closed_it)
{
    char error[STORE_ERROR_MAX] = "";
    char path[128];
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s", store_path), 0);
    hung = store_open(path, STORE_ENDPOINT, error);
    ck_assert_msg(hung != NULL, "%s", error);
    int lock = lock_elsewhere();
    run_crowd(1, write_in_vain); /* gives up; the thread stays at the lock */
    store_close(hung);
    memset(path, 'x', sizeof(path) - 1);
    ck_assert_int_eq(close(lock), 0);
    int64_t end = clock_monotonic() + 10 * SECOND_MS;
    while (!has_open(store_path) && clock_monotonic() < end)
        (void)poll(NULL, 0, 1);
    ck_assert_msg(has_open(store_path), "it went to another file");
    /* It has the lock for as long as it makes files, which would be in the way of the end. */
    lock = open(store_path_with(".lock"), O_RDWR | O_CLOEXEC);
    while (flock(lock, LOCK_EX | LOCK_NB) != 0 && clock_monotonic() < end)
        (void)poll(NULL, 0, 1);
    ck_assert_int_eq(close(lock), 0);
}
END_TEST

/* The process's umask is the endpoints' own business; here it is that of the tests. */
static void open_with_their_umask(void)
{
    (void)umask(0007);
    store_set_up();
}

Suite *store_suite(void)
{
    Suite *suite = suite_create("store");
    ADD_STORE_RULE(suite, writes_of_many_threads_are_all_there);
    ADD_STORE_RULE(suite, a_piece_that_fails_is_undone_alone);
    ADD_STORE_RULE(suite, a_write_is_seen_by_the_next_read);
    ADD_STORE_RULE(suite, what_breaks_a_rule_of_the_schema_fails);
    ADD_STORE_RULE(suite, behind_the_lock_of_sqlite_a_write_gives_up_in_time);
    ADD_STORE_RULE(suite, behind_the_lock_between_processes_a_write_gives_up_in_time);
    ADD_STORE_RULE(suite, a_crowd_behind_a_lock_gives_up_and_leaves_nothing_behind);
    ADD_STORE_RULE(suite, reads_go_on_while_others_write);
    ADD_STORE_RULE(suite, a_database_of_a_newer_version_is_refused);
    ADD_STORE_RULE(suite, the_writer_refuses_what_a_newer_version_made_of_its_database);
    ADD_STORE_RULE(suite, an_operator_does_not_bring_an_old_database_up_to_date);
    ADD_STORE_RULE(suite, an_operator_never_makes_a_database);
    ADD_STORE_RULE(suite, an_operator_works_on_what_an_endpoint_made);
    ADD_STORE_RULE(suite, an_endpoint_starts_beside_others_that_never_stop_writing);
    ADD_STORE_RULE(suite, a_file_that_is_no_database_is_refused);
    ADD_STORE_RULE(suite, writes_and_reads_go_to_the_file_that_has_the_name_now);
    ADD_STORE_RULE(suite, no_database_is_made_in_place_of_one_that_was_removed);
    ADD_STORE_RULE(suite, what_is_acknowledged_is_on_the_disk);
    ADD_STORE_RULE(suite, a_writer_that_hangs_needs_nothing_of_who_closed_it);
    tcase_add_checked_fixture(parts_add_rule(suite, "what_is_made_is_not_open_to_others",
                                             what_is_made_is_not_open_to_others, 1),
                              open_with_their_umask, store_tear_down);
    return suite;
}
