/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_STORE_H
#define FEEDGATE_STORE_H

#include "base/refusal.h"
#include "database.h"

/*
 * The process's way to the database, shared by its threads. Several processes
 * work on the same file.
 */

struct store;

/*
 * A piece of work on a connection. What it learns it leaves in `context`.
 * A write that returns false has all its own changes undone.
 */
typedef bool store_piece(struct database *database, void *context);

enum store_result {
    STORE_DONE,   /* the piece ran and, if it wrote, is on the disk for good */
    STORE_BUSY,   /* others held the lock too long; nothing happened */
    STORE_FAILED, /* the database failed (the log says how); nothing happened */
};

/* What a request is answered with: `otherwise` when the store did its part, else why not. */
enum refusal store_refusal(enum store_result result, enum refusal otherwise);

enum store_role {
    STORE_ENDPOINT, /* makes the database and brings it up to date */
    STORE_OPERATOR, /* uses it as it is, and never makes one */
    STORE_ALONE,    /* the same while nobody else uses it: fails if anybody does */
};

enum { STORE_ERROR_MAX = 512 };

/*
 * Opens the database at `path`. Returns NULL
 * and one line in `error` when it can't be opened, or when a newer version of
 * feedgate made it. Whoever has it open holds a shared lock (flock) on
 * PATH.users, and one that is alone the exclusive one, for which others wait up
 * to a minute when they open it.
 */
struct store *store_open(const char *path, enum store_role role, char error[STORE_ERROR_MAX]);

/*
 * Waits for writes under way and closes; NULL is allowed. What a writer that
 * hangs at another process's lock still uses stays until the process ends.
 */
void store_close(struct store *store);

/*
 * Runs a write in the process's next group transaction: pieces of all threads
 * that wait are committed by one fsync, each within its own savepoint. Comes
 * back when the piece is durable, or after at most WRITER_WAIT_MS when the
 * lock can't be had; once the transaction has begun it waits for the result.
 */
enum store_result store_write(struct store *store, store_piece *piece, void *context);

/* Runs a piece that only reads, on a connection of the store's pool. */
enum store_result store_read(struct store *store, store_piece *piece, void *context);

#endif
