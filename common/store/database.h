/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_DATABASE_H
#define FEEDGATE_DATABASE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * One connection to the database and its prepared statements. A connection is
 * used by one thread at a time; store.h hands connections out.
 *
 * Parameters are $1, $2, ... in the order in which they first appear, since
 * that is how SQLite numbers them. Errors stick to the statement: binding and
 * reading need no checks, the next statement_step() says ROW_FAILED.
 */

struct database;
struct statement;

/* What a step of a statement found; ROW_NONE: no row, or none any more. */
enum statement_row { ROW_FOUND, ROW_NONE, ROW_FAILED };

enum database_access { DATABASE_READ_WRITE, DATABASE_CREATE };

enum { DATABASE_ERROR_MAX = 256 };

/*
 * Opens a connection: WAL, synchronous=FULL (an acknowledged notification
 * survives a power cut), foreign keys on, waits for other writers up to
 * `busy_ms`. Returns NULL and one line in `error` when it can't.
 */
struct database *database_open(const char *path, enum database_access access, int busy_ms,
                               char error[DATABASE_ERROR_MAX]);

/* Closes a connection with its statements; NULL is allowed. */
void database_close(struct database *database);

/*
 * The statement for `sql`, prepared at its first use and kept, ready to be
 * bound. `sql` must be a literal: its address is the key. Borrowed; valid
 * until the same statement is asked for again. Never NULL: one that can't be
 * prepared fails at its first step.
 */
struct statement *database_statement(struct database *database, const char *sql);

/* Binds parameter $index; NULL text binds NULL. Text is borrowed until statement_done(). */
void statement_bind_text(struct statement *statement, int index, const char *text);
void statement_bind_integer(struct statement *statement, int index, int64_t value);

/* The next row, the end, or a failure (logged, with SQLite's words). */
enum statement_row statement_step(struct statement *statement);

/* Columns of the row, from 0. Text is borrowed until the next step; NULL for NULL. */
const char *statement_text(struct statement *statement, int column);
int64_t statement_integer(struct statement *statement, int column);
bool statement_is_null(struct statement *statement, int column);

/* Ends the reading of a statement before its last row; harmless otherwise. */
void statement_done(struct statement *statement);

/* Runs a bound statement that returns no rows; whether it worked. */
bool statement_run(struct statement *statement);

/* The same; and how many rows it changed, 0 when it failed. */
bool statement_changes(struct statement *statement, int64_t *changed);

/* Runs a bound statement that has one row of numbers; false when it has none or fails. */
bool statement_numbers(struct statement *statement, int64_t *numbers, int count);

/* Whether a bound statement has a row; false when it fails. */
bool statement_finds(struct statement *statement, bool *found);

/* Runs SQL text that takes no parameters (migrations, BEGIN); whether it worked. */
bool database_execute(struct database *database, const char *sql);

/* Whether the last failure was only that another process held the lock. */
bool database_was_busy(struct database *database);

/* Whether a transaction is open; SQLite ends one by itself when a disk is full. */
bool database_in_transaction(struct database *database);

/*
 * Whether the database and its write-ahead log that this connection holds open
 * still are those at their paths: writes to a file that was replaced or removed
 * would be lost.
 */
bool database_is_current(const struct database *database);

/* SQLite's words for the last failure; borrowed until the next call. */
const char *database_error(struct database *database);

#endif
