/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_JOURNEY_H
#define FEEDGATE_JOURNEY_H

#include "exchange.h"
#include "session.h"

/*
 * The customer's way from Sage to the provider and back, the same for /auth
 * and /authrefresh but for the flow.
 */

/*
 * Opens the announced session, once, and shows the page that says what is
 * being connected. The exchange's parameters are those of the endpoint:
 * `authorisation_id`, `redirect_uri`, `state`, and either `bank` or
 * `bankaccount` and `externalId`. All is checked before anything is consumed.
 */
enum refusal journey_open(struct exchange *exchange, enum flow flow);

/* A form of the journey, which must carry a continuation; none is given out yet. */
enum refusal journey_continue(struct exchange *exchange);

#endif
