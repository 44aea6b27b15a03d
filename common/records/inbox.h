/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_INBOX_H
#define FEEDGATE_INBOX_H

#include "sage/event.h"
#include "store/store.h"

/*
 * Every event that Sage sent, once. Sage's notifications carry no number and
 * no time, so an event is known by its type, its resource and the SHA-256 of
 * its body; what it does is done once for a type and a resource, whatever the
 * body. Owns the table event. All functions are parts of the caller's transaction.
 */

enum event_outcome {
    EVENT_ARMED,    /* a session */
    EVENT_LINKED,   /* a bank account */
    EVENT_UNLINKED, /* a bank account */
    EVENT_STORED,   /* nothing to do here; the provider's software may want it */
    EVENT_CONFLICT, /* another body for what had its effect already: stored, nothing else */
    EVENT_REPEATED, /* the same again: not even stored */
};

enum inbox_history { INBOX_NEW, INBOX_ANOTHER_BODY, INBOX_SAME_EVENT };

/* The outcome's word, as it stands in the database and in the log. */
const char *event_outcome_word(enum event_outcome outcome);

/* Whether the event, or one of its type and resource with another body, was received before. */
bool inbox_history(struct database *database, const struct event *event,
                   enum inbox_history *history);

/* Records a new event with its outcome; `token_expires_at` is of the token it came with. */
bool inbox_record(struct database *database, const struct event *event, enum event_outcome outcome,
                  int64_t now, int64_t token_expires_at);

/*
 * Removes up to `limit` announcements of authorisations received before
 * `received_before`, whose token expired before `token_expired_before`. Other
 * events stay: the provider's software may not have read them yet.
 */
bool inbox_purge(struct database *database, int64_t received_before, int64_t token_expired_before,
                 int64_t limit, int64_t *removed);

/* A row as people see it (the view `events`); texts are borrowed for the call. */
struct event_row {
    int64_t number;
    const char *received_at, *type, *resource_type, *resource_id, *outcome, *body;
};

/* Shows up to `limit` events with a number above `after`, oldest first. */
bool inbox_list(struct database *database, int64_t after, int64_t limit,
                void (*show)(const struct event_row *row, void *context), void *context);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool inbox_mend(struct database *database, int64_t now, int64_t *changed);

#endif
