/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ENDING_H
#define FEEDGATE_ENDING_H

#include "records/session.h"
#include "records/session_journey.h"
#include "report.h"
#include "service.h"

/*
 * The end of a journey, whoever brings it about: the customer on our pages,
 * the provider's own application, or nobody any more. The session ends and
 * what Sage is told goes into the outbox in one transaction.
 */

/*
 * Ends the session that `session` was found as, and puts what Sage is told
 * into the outbox, as parts of the caller's transaction; then
 * `session->ending` tells the end. `now` is the machine's clock, by which the
 * outbox works. False on failure, also when the session
 * can't be ended so: then the transaction must not stand.
 */
bool ending_record(struct database *database, const struct config *config,
                   struct session_journey *session, const struct session_end *end,
                   const struct report *report, int64_t now);

/* The line in the log, once the transaction stands. */
void ending_log(const struct session_journey *session, const char *reason);

/*
 * Tells Sage now, within OUTBOX_NOW_MS, if a thread can be spared for the
 * wait; `feedgate deliver` does it otherwise. The service needs SERVICE_REPORTS.
 */
void ending_tell_sage(struct service *service, const struct session_key *key);

/* Where the customer goes then, owned by the caller; NULL when memory is out. */
char *ending_way_back(const struct session_journey *session);

#endif
