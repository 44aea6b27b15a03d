/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_PASSED_ON_H
#define FEEDGATE_TEST_PASSED_ON_H

#include "client.h"

/*
 * What may pass, asked of the web server that front.h started, and everything
 * about it looked at: that the application is called once for one ask, and with
 * all that Sage sent.
 */

/* Sends what must pass; the log must tell this event, once. Gives what the application shows. */
struct response ask_and_pass(struct request request, const char *event);

/* The application has the variable once and with this value; NULL: it doesn't have it. */
void expect_variable(const struct response *page, const char *name, const char *value);

void authorisation_is_passed_on(void);
void renewal_is_passed_on(void);
void sage_is_passed_on(void); /* twice, since nothing is used up */
void second_ask_is_refused(void);
void one_of_ten_asks_passes(void);

#endif
