/* SPDX-License-Identifier: MIT */
#include "rows.h"

#include "expect.h"
#include "log_file.h"
#include "scratch.h"
#include "server.h"

#include <sqlite3.h>
#include <stdarg.h>
#include <stdlib.h>

static sqlite3 *locker;

static sqlite3 *open_database(int flags)
{
    sqlite3 *database = NULL;
    int result = sqlite3_open_v2(server_path("feedgate.db"), &database, flags, NULL);
    EXPECT(result == SQLITE_OK, "the database: %s", sqlite3_errstr(result));
    EXPECT(sqlite3_busy_timeout(database, PATIENCE_MS) == SQLITE_OK, "%s", "no busy time-out");
    return database;
}

static const char *first_value(const char *sql, va_list arguments)
{
    sqlite3 *database = open_database(SQLITE_OPEN_READWRITE); /* a reader writes WAL's index */
    sqlite3_stmt *statement = NULL;
    int result = sqlite3_prepare_v2(database, sql, -1, &statement, NULL);
    EXPECT(result == SQLITE_OK, "%s: %s", sql, sqlite3_errmsg(database));
    int place = 1;
    for (const char *argument; (argument = va_arg(arguments, const char *)) != NULL; place++)
        EXPECT(sqlite3_bind_text(statement, place, argument, -1, SQLITE_TRANSIENT) == SQLITE_OK,
               "%s has no ?%d", sql, place);
    const char *value = NULL;
    result = sqlite3_step(statement);
    EXPECT(result == SQLITE_ROW || result == SQLITE_DONE, "%s: %s", sql, sqlite3_errmsg(database));
    if (result == SQLITE_ROW && sqlite3_column_type(statement, 0) != SQLITE_NULL) {
        const void *text = sqlite3_column_blob(statement, 0);
        value = scratch_copy(text, (size_t)sqlite3_column_bytes(statement, 0));
    }
    (void)sqlite3_finalize(statement);
    (void)sqlite3_close(database);
    return value;
}

const char *row_text(const char *sql, ...)
{
    va_list arguments;
    va_start(arguments, sql);
    const char *value = first_value(sql, arguments);
    va_end(arguments);
    return value;
}

int64_t row_number(const char *sql, ...)
{
    va_list arguments;
    va_start(arguments, sql);
    const char *value = first_value(sql, arguments);
    va_end(arguments);
    EXPECT(value != NULL, "%s: no number", sql);
    return strtoll(value, NULL, 10);
}

const char *session_column(const char *column, const char *authorisation_id)
{
    if (ROW_NUMBER("SELECT count(*) FROM sessions WHERE lower(authorisation_id) = lower(?1)",
                   authorisation_id) == 0)
        return "none";
    return ROW_TEXT(scratch_format("SELECT %s FROM sessions "
                                   "WHERE lower(authorisation_id) = lower(?1)",
                                   column),
                    authorisation_id);
}

const char *session_state(const char *authorisation_id)
{
    return session_column("state", authorisation_id);
}

int64_t events_of(const char *resource_id)
{
    return ROW_NUMBER("SELECT count(*) FROM events WHERE lower(resource_id) = lower(?1)",
                      resource_id);
}

int64_t events_in_all(void)
{
    return ROW_NUMBER("SELECT count(*) FROM events");
}

static void unlock_later(void *unused)
{
    (void)unused;
    if (locker != NULL)
        (void)sqlite3_close(locker); /* rolls back */
    locker = NULL;
}

void store_lock(void)
{
    locker = open_database(SQLITE_OPEN_READWRITE);
    undo_later(unlock_later, NULL);
    int result = sqlite3_exec(locker, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    EXPECT(result == SQLITE_OK, "BEGIN IMMEDIATE: %s", sqlite3_errmsg(locker));
}

void store_unlock(void)
{
    unlock_later(NULL);
}

void accounts_import(const char *json)
{
    server_write_file("accounts.json", json);
    size_t mark = log_mark();
    struct run run = FEEDGATE("accounts", "import", server_path("accounts.json"));
    EXPECT(run.status == 0, "feedgate accounts import: %d, %s%s", run.status, run.output,
           log_since(mark));
}
