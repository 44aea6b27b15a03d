/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_AUTHORIZER_H
#define FEEDGATE_AUTHORIZER_H

#include "web/exchange.h"

/*
 * What endpoints do as Authorizers (FastCGI 1.0, section 6.3): a request that
 * may go on to the provider's own application gets an answer of status 200 whose
 * headers `Variable-NAME` become that application's variables; any other
 * answer goes to the client.
 */

/*
 * Opens the session for the application, once, and passes on AUTHORISATION_ID,
 * BANK_ID, REDIRECT_URI, STATE and FLOW, at /authrefresh BANK_ACCOUNT and
 * EXTERNAL_ID in place of BANK_ID. What couldn't come through unchanged is
 * refused before anything is consumed.
 */
enum refusal authorizer_pass_session(struct exchange *exchange);

/* Passes on EXTERNAL_ID, with the FLOW `availableaccounts`, and changes nothing. */
enum refusal authorizer_pass_external_id(struct exchange *exchange);

#endif
