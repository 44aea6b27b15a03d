/* SPDX-License-Identifier: MIT */
#include "migration.h"

#include "base/log.h"

static int newest_known(void)
{
    int newest = 0;
    for (const struct migration *migration = migrations; migration->number != 0; migration++)
        newest = migration->number;
    return newest;
}

/* The number of the last migration that was applied; -1 on failure. */
static int newest_applied(struct database *database)
{
    struct statement *found = database_statement(
        database, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'schema_migration'");
    int64_t exists = 0;
    if (!statement_numbers(found, &exists, 1))
        return -1;
    if (exists == 0)
        return 0;
    struct statement *newest =
        database_statement(database, "SELECT COALESCE(MAX(number), 0) FROM schema_migration");
    int64_t number = 0;
    return statement_numbers(newest, &number, 1) ? (int)number : -1;
}

enum migration_result migration_state(struct database *database)
{
    int applied = newest_applied(database);
    if (applied < 0)
        return MIGRATION_FAILED;
    if (applied > newest_known())
        return MIGRATION_NEWER;
    return applied < newest_known() ? MIGRATION_OLDER : MIGRATION_CURRENT;
}

static bool apply(struct database *database, const struct migration *migration, int64_t now)
{
    if (!database_execute(database, migration->sql))
        return false;
    struct statement *record = database_statement(
        database, "INSERT INTO schema_migration (number, name, applied_at) VALUES ($1, $2, $3)");
    statement_bind_integer(record, 1, migration->number);
    statement_bind_text(record, 2, migration->name);
    statement_bind_integer(record, 3, now);
    return statement_run(record);
}

static bool apply_missing(struct database *database, int64_t now)
{
    if (!database_execute(database, "CREATE TABLE IF NOT EXISTS schema_migration ("
                                    "number INTEGER PRIMARY KEY, name TEXT NOT NULL, "
                                    "applied_at BIGINT NOT NULL)"))
        return false;
    int applied = newest_applied(database);
    if (applied < 0)
        return false;
    for (const struct migration *migration = migrations; migration->number != 0; migration++) {
        if (migration->number <= applied)
            continue;
        if (!apply(database, migration, now))
            return false;
        log_event(LOG_LEVEL_INFO, "migration_applied", {"name", migration->name});
    }
    return true;
}

enum migration_result migration_apply(struct database *database, int64_t now)
{
    if (!database_execute(database, "BEGIN IMMEDIATE"))
        return MIGRATION_FAILED;
    /* Another process may have been quicker, also one of a newer version. */
    enum migration_result state = migration_state(database);
    if (state == MIGRATION_OLDER && apply_missing(database, now) &&
        database_execute(database, "COMMIT"))
        return MIGRATION_CURRENT;
    if (database_in_transaction(database))
        (void)database_execute(database, "ROLLBACK"); /* the connection is closed next anyway */
    return state == MIGRATION_OLDER ? MIGRATION_FAILED : state;
}

bool migration_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE schema_migration SET applied_at = $1 WHERE applied_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
