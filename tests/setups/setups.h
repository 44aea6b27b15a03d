/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SETUPS_H
#define FEEDGATE_SETUPS_H

#include "client.h"
#include "customer.h"
#include "expect.h"
#include "gated.h"
#include "issuer.h"
#include "keys.h"
#include "log_file.h"
#include "rows.h"
#include "scratch.h"
#include "server.h"
#include "token.h"
#include "wire.h"

#include <check.h>

/*
 * One column of the matrix (tests/matrix): all rows, through the web server of
 * one set-up, which FEEDGATE_TEST_SERVER names. One server serves all rows; it
 * has a clock of its own, HTTPS, and the faults of tests/support/{disk,faults,seen}.c.
 * Beside it, one more web server gates an application (tests/support/front.h).
 *
 * To add a refusal, give provoke() in recipes.c a case, the request that is
 * answered with it, and gates_that_refuse() in authorizer.c another, the endpoints that
 * refuse so as Authorizers, each of which is a row. Without them this doesn't
 * compile. To add another row, write a test in passing.c, web.c, https.c or authorizer.c
 * that begins with row_begin() and ends with row_passed(), and add it to the file's
 * suite.
 */

/*
 * The request that is refused for this reason, sent; it may need others before. Gate:
 * the endpoint that is asked as an Authorizer; NULL: asked without a gate, at an
 * endpoint that refuses so.
 */
struct response provoke(enum refusal refusal, const char *gate);

/* The body is that of all other refusals with the same public answer, byte for byte. */
void expect_public_answer(const struct response *response, enum refusal refusal);

/* Why no web server of this set-up lets a client get the refusal; NULL if it does. */
const char *not_from_outside(enum refusal refusal);

/*
 * A row's cell: "FAILED" from its beginning, the status that came as soon as it is
 * known, "ok" when all was right, or "-" where the web server decides by itself or
 * gates nothing, with the reason, which is static.
 */
void row_begin(const char *name);
void row_status(int status);
void row_passed(void);
void row_left_to_server(const char *reason);

/* The faults, until the test ends: no syncs, "memory" or "random". */
void break_disk(void);
void break_down(const char *what);

Suite *refusal_rows(void);
Suite *passing_rows(void);
Suite *gate_rows(void);
Suite *web_rows(void);
Suite *https_rows(void);
Suite *last_rows(void); /* which end the server */

/* Clients that stall, opened before all other rows, and looked at after them. */
void stall_from_now_on(void);

#endif
