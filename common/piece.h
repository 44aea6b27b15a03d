/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PIECE_H
#define FEEDGATE_PIECE_H

#include "database.h"

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

#endif
