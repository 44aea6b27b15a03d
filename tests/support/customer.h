/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_CUSTOMER_H
#define FEEDGATE_TEST_CUSTOMER_H

#include "client.h"

/*
 * The bank's customer: a browser without scripts and cookies, which follows
 * links and sends forms, well and badly behaved.
 */

/* A new customer with so many accounts (NAME-1 ... NAME-count, of whatever name); returns NAME. */
const char *new_customer(int accounts);
const char *account_of(const char *customer, int number); /* its externalId */

/* A fresh one-time code, through the operator's command. */
const char *new_code(const char *customer);

/*
 * Announces an authorisation and opens it at the endpoint as a browser that
 * navigates; returns the ticket that the redirect leads to.
 */
const char *new_ticket(const char *id, const char *endpoint);

/* The same at /authrefresh for an account. */
const char *new_renewal(const char *id, const char *external_id);

/* The page of the ticket. */
struct response visit(const char *endpoint, const char *ticket);

/* Sends a form's fields, "a=b&c=d". */
struct request form_request(const char *endpoint, const char *fields);
struct response submit(const char *endpoint, const char *fields);

/* The forms as our pages have them. */
const char *code_form(const char *ticket, const char *code);
const char *step_form(const char *field, const char *secret, const char *step);

/* The value of a page's hidden field; NULL when it has none of this name. */
const char *hidden_field(const struct response *page, const char *name);

/* From a fresh session to the page that asks for the confirmation: returns its continuation. */
const char *new_confirmation(const char *id, const char *customer);

/*
 * A step that was refused with a page: the refusal's status, and its word in
 * the log beside the session (NULL: whichever).
 */
#define EXPECT_STEP_REFUSED(response, refusal)                                                     \
    expect_step_refused(__FILE__, __LINE__, response, refusal)
void expect_step_refused(const char *file, int line, struct response response,
                         enum refusal refusal);

/* The customer is sent on to this URL. */
#define EXPECT_REDIRECT(response, url) expect_redirect(__FILE__, __LINE__, response, url)
void expect_redirect(const char *file, int line, struct response response, const char *url);

/* The state with which sessions are opened by new_ticket() and new_renewal(). */
extern const char CUSTOMER_STATE[];

/* Where such a customer is sent back to. */
const char *way_back(void);

#endif
