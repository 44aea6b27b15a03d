/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_ROWS_H
#define FEEDGATE_TEST_ROWS_H

#include <stddef.h>
#include <stdint.h>

/* The database of the server in use, as an operator's sqlite3 would see it. */

/*
 * The first column of the first row as text, NULL if there is no row or it is
 * NULL; the arguments stand for the SQL's ?1, ?2, ...: ROW_TEXT(sql, a, b).
 */
const char *row_text(const char *sql, ...) __attribute__((sentinel));
#define ROW_TEXT(...) row_text(__VA_ARGS__, NULL)
int64_t row_number(const char *sql, ...) __attribute__((sentinel));
#define ROW_NUMBER(...) row_number(__VA_ARGS__, NULL)

/* A column of a session; "none" for an identifier that was never announced. */
const char *session_column(const char *column, const char *authorisation_id);
const char *session_state(const char *authorisation_id);

/* How many events of the resource are stored. */
int64_t events_of(const char *resource_id);
int64_t events_in_all(void);

/* Keeps everybody else from writing, from now until the end of the test or the unlock. */
void store_lock(void);
void store_unlock(void);

/* Imports customers and accounts, given as the JSON of `feedgate accounts import`. */
void accounts_import(const char *json);

#endif
