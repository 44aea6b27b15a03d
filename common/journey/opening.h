/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPENING_H
#define FEEDGATE_OPENING_H

#include "web/exchange.h"

/*
 * Opens the announced session that the exchange's parameters name, once; they
 * are those of /auth or /authrefresh: `authorisation_id`, `redirect_uri`,
 * `state`, and either `bank` or `bankaccount` and `externalId`. Without a
 * ticket's hash the session is passed on to the provider's own application.
 * The flow is the exchange's. All is checked before anything is consumed. REFUSAL_NONE, or why not.
 */
enum refusal opening_take(struct exchange *exchange, const char *ticket_hash);

#endif
