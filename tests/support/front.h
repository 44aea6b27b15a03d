/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_FRONT_H
#define FEEDGATE_TEST_FRONT_H

#include "client.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * A second web server in front of the endpoints of the server in use, with the
 * shipped authorizer.conf: it gates a small application (application.c), whose
 * own URL is /connect. For a set-up whose endpoints have sockets.
 */

/* Each web server that has an authorizer.conf. */
enum { FRONTS = 3 };
extern const char *const fronts[FRONTS];

/* The endpoints that gate. */
enum { GATES = 3 };
extern const char *const gates[GATES];

/* Starts it, and the application behind it; both end with the test. */
void front_start(const char *web_server);

/* The same for all tests that follow, until front_end(). */
void front_keep(const char *web_server);
void front_end(void);
bool front_runs(void);

/* Asks it: the request's answers are judged as those of a gate. */
struct request through_front(struct request request);
#define ASK_FRONT(...) http_send(&(struct request[]){through_front(OPENING(__VA_ARGS__))}[0])

/* How many requests reached the application since front_start(). */
size_t application_requests(void);

/* Ends the endpoints that only this web server asks; false when it asks those of the server. */
bool front_end_endpoints(void);

#endif
