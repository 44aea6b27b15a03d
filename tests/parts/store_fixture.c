/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "base/log.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct store *store;

static char directory[64];
static char path[80];
const char *const store_path = path;

void store_set_up(void)
{
    char error[STORE_ERROR_MAX] = "";
    /* Only what really goes wrong, be it on purpose. */
    log_open("check_parts", LOG_TO_STDERR, LOG_LEVEL_ERROR);
    ck_assert_int_gt(snprintf(directory, sizeof(directory), "/tmp/feedgate-parts-XXXXXX"), 0);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s/feedgate.db", directory), 0);
    store = store_open(path, STORE_ENDPOINT, error);
    ck_assert_msg(store != NULL, "%s", error);
}

static void empty_directory(void)
{
    DIR *entries = opendir(directory);
    ck_assert_ptr_nonnull(entries);
    for (struct dirent *entry; (entry = readdir(entries)) != NULL;)
        if (entry->d_name[0] != '.')
            ck_assert_int_eq(unlinkat(dirfd(entries), entry->d_name, 0), 0);
    ck_assert_int_eq(closedir(entries), 0);
}

void store_tear_down(void)
{
    store_close(store);
    store = NULL;
    empty_directory();
    ck_assert_int_eq(rmdir(directory), 0);
}

const char *store_path_with(const char *ending)
{
    static char longer[128];
    ck_assert_int_gt(snprintf(longer, sizeof(longer), "%s%s", path, ending), 0);
    return longer;
}

void write_now(store_piece *piece, void *context)
{
    ck_assert_int_eq((int)store_write(store, piece, context), STORE_DONE);
}

static sqlite3 *connect_to_store(void)
{
    sqlite3 *connection = NULL;
    ck_assert_int_eq(sqlite3_open_v2(path, &connection, SQLITE_OPEN_READWRITE, NULL), SQLITE_OK);
    return connection;
}

void execute(const char *sql)
{
    sqlite3 *connection = connect_to_store();
    ck_assert_msg(sqlite3_exec(connection, sql, NULL, NULL, NULL) == SQLITE_OK, "%s: %s", sql,
                  sqlite3_errmsg(connection));
    ck_assert_int_eq(sqlite3_close(connection), SQLITE_OK);
}

int64_t number_of(const char *sql)
{
    sqlite3 *connection = connect_to_store();
    sqlite3_stmt *statement = NULL;
    ck_assert_int_eq(sqlite3_prepare_v2(connection, sql, -1, &statement, NULL), SQLITE_OK);
    ck_assert_int_eq(sqlite3_step(statement), SQLITE_ROW);
    int64_t number = sqlite3_column_int64(statement, 0);
    ck_assert_int_eq(sqlite3_finalize(statement), SQLITE_OK);
    ck_assert_int_eq(sqlite3_close(connection), SQLITE_OK);
    return number;
}

struct member {
    size_t number;
    void (*run)(size_t number);
    pthread_barrier_t *start;
    pthread_t thread;
};

static void *run_member(void *argument)
{
    struct member *member = argument;
    (void)pthread_barrier_wait(member->start); /* tells one of them that it is the last */
    member->run(member->number);
    return NULL;
}

void run_crowd(size_t count, void (*run)(size_t number))
{
    struct member crowd[CROWD_MAX];
    pthread_barrier_t start;
    ck_assert_uint_le(count, CROWD_MAX);
    ck_assert_int_eq(pthread_barrier_init(&start, NULL, (unsigned)count), 0);
    for (size_t i = 0; i < count; i++) {
        crowd[i] = (struct member){.number = i, .run = run, .start = &start};
        ck_assert_int_eq(pthread_create(&crowd[i].thread, NULL, run_member, &crowd[i]), 0);
    }
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(pthread_join(crowd[i].thread, NULL), 0);
    ck_assert_int_eq(pthread_barrier_destroy(&start), 0);
}
