/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_COMPLETION_H
#define FEEDGATE_COMPLETION_H

#include "completion_body.h"
#include "records/session.h"
#include "records/session_journey.h"
#include "service.h"

/*
 * Ends a journey that the provider's own application had, with the result
 * that it hands in: the end and what Sage is told are one transaction, as on
 * our own pages. The same result again changes nothing, however often and
 * however late it comes.
 *
 * Returns REFUSAL_NONE when the session has this result now or had it before;
 * RESULT_UNKNOWN, SESSION_NOT_OPEN, SESSION_NOT_PASSED_ON (it is on our own
 * pages), RESULT_TOO_LATE (the session has expired), RESULT_DIFFERS (it ended
 * with another one), or RESULT_MALFORMED with `*detail` (static) when the
 * session's flow needs accounts; STORE_BUSY, STORE_FAILED or INTERNAL. Nothing
 * has changed then. `session` is the session, as far as it was found. `now` is
 * the machine's clock.
 */
enum refusal completion_take(struct service *service, const struct session_key *key,
                             const struct completion_body *body, int64_t now, int64_t session_now,
                             struct session_journey *session, const char **detail);

#endif
