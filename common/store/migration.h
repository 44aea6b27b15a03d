/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_MIGRATION_H
#define FEEDGATE_MIGRATION_H

#include "database.h"

/* A file of sql/, built in. Numbers grow by one; the table ends with number 0. */
struct migration {
    int number;
    const char *name;
    const char *sql;
};
extern const struct migration migrations[];

enum migration_result {
    MIGRATION_CURRENT, /* the database is as this version wants it */
    MIGRATION_OLDER,   /* it lacks migrations of this version */
    MIGRATION_NEWER,   /* a newer version made it: hands off */
    MIGRATION_FAILED,
};

/* How the database stands to this version. */
enum migration_result migration_state(struct database *database);

/*
 * Applies what is missing, in order, in one transaction that also records it
 * in `schema_migration`. The caller holds the lock between processes.
 */
enum migration_result migration_apply(struct database *database, int64_t now);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool migration_mend(struct database *database, int64_t now, int64_t *changed);

#endif
