/* SPDX-License-Identifier: MIT */
#include "database.h"

#include "base/log.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { STATEMENTS_MAX = 48, CACHE_KIB = 256 };

struct statement {
    struct database *database;
    const char *sql;
    sqlite3_stmt *prepared;
    bool failed;
};

struct database {
    sqlite3 *connection;
    char *path;
    struct stat file; /* the database and its write-ahead log, as they were opened */
    struct stat log;
    int busy_ms;
    int code;                 /* of the last failure */
    struct statement nowhere; /* given out when all places are taken; always fails */
    struct statement statements[STATEMENTS_MAX];
};

/*
 * SQLite's own busy_timeout sleeps up to 100 ms between tries, so a process
 * can starve. Our processes queue at the store's lock; this wait is for others,
 * such as the sqlite3 command.
 */
static int nap_while_busy(void *context, int naps)
{
    const struct database *database = context;
    if (naps >= database->busy_ms)
        return 0;
    (void)sqlite3_sleep(1);
    return 1;
}

bool database_was_busy(struct database *database)
{
    return (database->code & 0xff) == SQLITE_BUSY;
}

static void note_failure(struct database *database, const char *what)
{
    database->code = sqlite3_extended_errcode(database->connection);
    /* To wait for others is usual; whoever gives up waiting says so. */
    log_event(database_was_busy(database) ? LOG_LEVEL_DEBUG : LOG_LEVEL_ERROR, "database_failed",
              {"statement", what}, {"detail", sqlite3_errmsg(database->connection)});
}

static bool set_up(struct database *database, enum database_access access)
{
    char settings[160];
    (void)snprintf(settings, sizeof settings,
                   "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; "
                   "PRAGMA trusted_schema = OFF; PRAGMA cache_size = -%d",
                   CACHE_KIB);
    if (!database_execute(database, settings))
        return false;
    if (access == DATABASE_CREATE && !database_execute(database, "PRAGMA journal_mode = WAL"))
        return false;
    return database_execute(database, "SELECT COUNT(*) FROM sqlite_schema"); /* opens the log */
}

static const char *log_path(const struct database *database)
{
    return sqlite3_filename_wal(sqlite3_db_filename(database->connection, "main"));
}

static bool note_files(struct database *database)
{
    return stat(database->path, &database->file) == 0 &&
           stat(log_path(database), &database->log) == 0;
}

struct database *database_open(const char *path, enum database_access access, int busy_ms,
                               char error[DATABASE_ERROR_MAX])
{
    struct database *database = calloc(1, sizeof *database);
    if (!database) {
        (void)snprintf(error, DATABASE_ERROR_MAX, "out of memory");
        return NULL;
    }
    static const int flags[] = {
        [DATABASE_READ_WRITE] = SQLITE_OPEN_READWRITE,
        [DATABASE_CREATE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE,
    };
    database->busy_ms = busy_ms;
    database->nowhere.database = database;
    database->nowhere.failed = true;
    database->path = strdup(path);
    int code =
        sqlite3_open_v2(path, &database->connection, flags[access] | SQLITE_OPEN_NOMUTEX, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_handler(database->connection, nap_while_busy, database);
    if (code == SQLITE_OK && database->path && set_up(database, access) && note_files(database))
        return database;
    (void)snprintf(error, DATABASE_ERROR_MAX, "%s",
                   database->connection ? sqlite3_errmsg(database->connection)
                                        : sqlite3_errstr(code));
    database_close(database);
    return NULL;
}

void database_close(struct database *database)
{
    if (!database)
        return;
    for (size_t i = 0; i < STATEMENTS_MAX; i++)
        (void)sqlite3_finalize(database->statements[i].prepared); /* repeats an old error */
    (void)sqlite3_close(database->connection); /* nothing is left open that could hold it */
    free(database->path);
    free(database);
}

static struct statement *find_place(struct database *database, const char *sql)
{
    for (size_t i = 0; i < STATEMENTS_MAX; i++) {
        struct statement *statement = &database->statements[i];
        if (!statement->sql || statement->sql == sql)
            return statement;
    }
    return NULL;
}

struct statement *database_statement(struct database *database, const char *sql)
{
    struct statement *statement = find_place(database, sql);
    if (!statement) {
        log_event(LOG_LEVEL_ERROR, "database_failed", {"statement", sql},
                  {"detail", "a connection keeps too few statements: STATEMENTS_MAX"});
        return &database->nowhere;
    }
    statement->failed = false;
    if (statement->prepared) {
        statement_done(statement);
        return statement;
    }
    statement->database = database;
    statement->sql = sql;
    if (sqlite3_prepare_v3(database->connection, sql, -1, SQLITE_PREPARE_PERSISTENT,
                           &statement->prepared, NULL) != SQLITE_OK) {
        note_failure(database, sql);
        statement->failed = true;
    }
    return statement;
}

static void check(struct statement *statement, int code)
{
    if (code != SQLITE_OK)
        statement->failed = true;
}

void statement_bind_text(struct statement *statement, int index, const char *text)
{
    if (!statement->failed)
        check(statement,
              text ? sqlite3_bind_text(statement->prepared, index, text, -1, SQLITE_STATIC)
                   : sqlite3_bind_null(statement->prepared, index));
}

void statement_bind_integer(struct statement *statement, int index, int64_t value)
{
    if (!statement->failed)
        check(statement, sqlite3_bind_int64(statement->prepared, index, value));
}

enum statement_row statement_step(struct statement *statement)
{
    if (statement->failed)
        return ROW_FAILED;
    int code = sqlite3_step(statement->prepared);
    if (code == SQLITE_ROW)
        return ROW_FOUND;
    if (code != SQLITE_DONE) {
        note_failure(statement->database, statement->sql);
        statement->failed = true;
    }
    (void)sqlite3_reset(statement->prepared); /* repeats the step's error */
    return code == SQLITE_DONE ? ROW_NONE : ROW_FAILED;
}

const char *statement_text(struct statement *statement, int column)
{
    return (const char *)sqlite3_column_text(statement->prepared, column);
}

int64_t statement_integer(struct statement *statement, int column)
{
    return sqlite3_column_int64(statement->prepared, column);
}

bool statement_is_null(struct statement *statement, int column)
{
    return sqlite3_column_type(statement->prepared, column) == SQLITE_NULL;
}

void statement_done(struct statement *statement)
{
    if (!statement->prepared)
        return;
    (void)sqlite3_reset(statement->prepared); /* repeats the step's error */
    (void)sqlite3_clear_bindings(statement->prepared);
}

bool statement_run(struct statement *statement)
{
    enum statement_row row = statement_step(statement);
    statement_done(statement);
    return row == ROW_NONE;
}

bool statement_changes(struct statement *statement, int64_t *changed)
{
    bool ran = statement_run(statement);
    *changed = ran ? sqlite3_changes64(statement->database->connection) : 0;
    return ran;
}

bool statement_numbers(struct statement *statement, int64_t *numbers, int count)
{
    bool found = statement_step(statement) == ROW_FOUND;
    for (int i = 0; found && i < count; i++)
        numbers[i] = statement_integer(statement, i);
    statement_done(statement);
    return found;
}

bool statement_finds(struct statement *statement, bool *found)
{
    enum statement_row row = statement_step(statement);
    statement_done(statement);
    *found = row == ROW_FOUND;
    return row != ROW_FAILED;
}

bool database_execute(struct database *database, const char *sql)
{
    if (sqlite3_exec(database->connection, sql, NULL, NULL, NULL) == SQLITE_OK)
        return true;
    database->code = sqlite3_extended_errcode(database->connection);
    return false;
}

bool database_in_transaction(struct database *database)
{
    return !sqlite3_get_autocommit(database->connection);
}

static bool is_still(const char *path, const struct stat *then)
{
    struct stat now;
    return stat(path, &now) == 0 && now.st_dev == then->st_dev && now.st_ino == then->st_ino;
}

bool database_is_current(const struct database *database)
{
    return is_still(database->path, &database->file) &&
           is_still(log_path(database), &database->log);
}

const char *database_error(struct database *database)
{
    return sqlite3_errmsg(database->connection);
}
