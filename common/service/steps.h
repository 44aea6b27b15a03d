/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_STEPS_H
#define FEEDGATE_STEPS_H

#include "base/secret.h"
#include "records/consent.h"
#include "records/session.h"
#include "records/session_journey.h"
#include "service.h"

/*
 * The steps of a customer's journey through an opened session, each in one
 * transaction. A journey's end and the result that Sage will get are committed
 * together. A step that was taken already changes nothing and is answered with
 * where the journey stands, so that a double-click does no harm.
 */

/* Who wants to take a step, and when. */
struct step_request {
    enum session_proof proof;
    const char *secret; /* a ticket or a continuation, of the form PARAMETER_SECRET */
    enum flow flow;     /* of the endpoint; a session of the other flow isn't found */
    int64_t now;        /* by the machine's clock: for codes, consents and the outbox */
    int64_t session_now;
};

/* Where the journey stands. */
struct progress {
    struct session_journey session; /* `key` is empty while the session isn't known */
    char continuation[SECRET_TEXT]; /* after an accepted code */
    int64_t tries_left;             /* after a wrong one */
};

/*
 * All of these return REFUSAL_NONE when the step was taken or had been taken
 * before, and also when the journey has ended, which `progress->session.ending`
 * tells; otherwise TICKET_UNKNOWN or CONTINUATION_UNKNOWN, JOURNEY_EXPIRED, STORE_BUSY,
 * STORE_FAILED, OUT_OF_MEMORY or INTERNAL, and nothing has changed.
 */

/* Looks, and changes nothing. */
enum refusal step_read(struct service *service, const struct step_request *request,
                       struct progress *progress);

/*
 * Tries a code that a person typed. Also CODE_WRONG, which is counted, and
 * CODES_EXHAUSTED and ACCOUNT_OF_ANOTHER (at a re-authorisation by somebody
 * else than the account's owner), which end the journey with an error.
 */
enum refusal step_try_code(struct service *service, const struct step_request *request,
                           const char *typed, struct progress *progress);

/*
 * The customer agrees: all their accounts go to Sage. Also ACCOUNT_OF_ANOTHER
 * and CUSTOMER_GONE (no account is there any more), which end the journey with
 * an error.
 */
enum refusal step_confirm(struct service *service, const struct step_request *request,
                          const struct consent_wording *wording, struct progress *progress);

/* The customer doesn't want to. */
enum refusal step_cancel(struct service *service, const struct step_request *request,
                         struct progress *progress);

/*
 * Cancels one journey that nobody has gone on with, shortly before its session
 * expires (`[journey] cancel_abandoned`, at most half of the lifetime), since
 * Sage's product would wait else. `*found` tells whether there was one.
 */
enum refusal step_cancel_abandoned(struct service *service, bool *found);

#endif
