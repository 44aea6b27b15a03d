/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_WRITER_H
#define FEEDGATE_WRITER_H

#include "store.h"

/* The thread that writes to the database for all others of the process. */

struct writer;

enum { WRITER_WAIT_MS = 2000 };

/*
 * Starts the thread. `path` (of the database) and `lock` (a descriptor of the
 * file at which processes queue) are borrowed. NULL when it can't be started.
 */
struct writer *writer_open(const char *path, int lock);

/*
 * Runs the piece in the next group transaction, in a savepoint of its own, and
 * comes back when it is durable. STORE_BUSY after WRITER_WAIT_MS without a
 * transaction; once that has begun it waits for the result.
 */
enum store_result writer_write(struct writer *writer, store_piece *piece, void *context);

/*
 * Ends the thread when what waits is written, and gives all back. False when
 * it hangs at a lock that another process won't give: then everything it uses
 * must stay until the process ends. NULL is allowed.
 */
bool writer_close(struct writer *writer);

#endif
