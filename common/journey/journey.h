/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_JOURNEY_H
#define FEEDGATE_JOURNEY_H

#include "web/exchange.h"

/*
 * The customer's way from Sage to the provider and back, the same for /auth
 * and /authrefresh but for the exchange's flow:
 *
 *     journey_open      Sage's link; gives out a ticket, once
 *     journey_resume    the ticket's page, which asks for a one-time code
 *     journey_continue  the forms: code, then confirm or cancel, then back to Sage
 *
 * It needs no cookie and no script. A ticket is good for trying codes only; an
 * accepted code is answered with a continuation, a hidden field that carries
 * the rest. The database has only the hashes of both.
 */

/*
 * Opens the announced session, once. A browser that navigates is sent on to
 * the ticket's page; anybody else gets a page whose one link leads there, since
 * Sage may put it into a page of its own, where no code must be typed. The
 * exchange's parameters are those of the endpoint (opening.h). All is checked
 * before anything is consumed.
 */
enum refusal journey_open(struct exchange *exchange);

/* The page of a ticket: changes nothing, so reload and Back work. */
enum refusal journey_resume(struct exchange *exchange);
extern const struct parameter journey_ticket[];

/* A form of the journey. What isn't one of ours carries neither ticket nor continuation. */
enum refusal journey_continue(struct exchange *exchange);
extern const struct parameter journey_form[];
enum { JOURNEY_FORM_MAX = 4096 };

#endif
