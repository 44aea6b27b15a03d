/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OUTBOX_FORGET_H
#define FEEDGATE_OUTBOX_FORGET_H

#include "database.h"

struct outbox_forgotten {
    int64_t emptied; /* results that Sage has or will never get: their bodies are gone */
    int64_t waiting; /* results that Sage must still get, byte for byte: emptied when they are
                        settled */
};

/*
 * Empties the bodies of results that name a customer's accounts, as a part of
 * the caller's transaction, before session_forget_customer(): it is the
 * sessions that say whose they are. False on failure.
 */
bool outbox_forget(struct database *database, const char *customer_id,
                   struct outbox_forgotten *forgotten);

#endif
