/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_STORE_FIXTURE_H
#define FEEDGATE_STORE_FIXTURE_H

#include "parts.h"

#include "store/store.h"

/* A store of its own for each test, in a directory that goes with the test. */

extern struct store *store;
extern const char *const store_path; /* of its database, made by the store as an endpoint does */

void store_set_up(void);
void store_tear_down(void);

/* A path in the store's directory: the database's, with this behind it. Static. */
const char *store_path_with(const char *ending);

/* Runs a piece as a write that must succeed. */
void write_now(store_piece *piece, void *context);

/*
 * What the operator's sqlite3 command would say, on a connection of its own:
 * runs SQL, or gives the first column of the first row.
 */
void execute(const char *sql);
int64_t number_of(const char *sql);

/* Runs `run` in `count` threads at once, each with its number, and waits for them. */
enum { CROWD_MAX = 32 };
void run_crowd(size_t count, void (*run)(size_t number));

#define ADD_STORE_RULE(suite, test)                                                                \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), 1), store_set_up,             \
                              store_tear_down)

#define ADD_STORE_RULE_FOR_EACH(suite, test, table)                                                \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), (int)COUNT(table)),           \
                              store_set_up, store_tear_down)

#endif
