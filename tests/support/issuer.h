/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_ISSUER_H
#define FEEDGATE_TEST_ISSUER_H

#include <stddef.h>
#include <stdint.h>

/*
 * Sage ID's place in the tests: a server inside the test program whose key
 * set, manners and health a test decides. An issuer that a test starts ends
 * with the test. Answers may be changed at any time, from the test's thread.
 */
struct issuer;

/* Listens on a free port of 127.0.0.1; its first key set holds the key "first". */
struct issuer *issuer_start(void);

/* The same over TLS, with a certificate that it signed itself for `host`. */
struct issuer *issuer_start_tls(const char *host);

/* The one that outlives tests; issuer_stop() ends it. */
struct issuer *issuer_launch(void);
void issuer_stop(struct issuer *issuer);

/* "http://127.0.0.1:PORT/", which is also its `iss`. */
const char *issuer_url(const struct issuer *issuer);
unsigned issuer_port(const struct issuer *issuer);

/* The certificate in PEM; NULL without TLS. */
const char *issuer_certificate(const struct issuer *issuer);

/* What a fetch of the key set gets from now on. */
void issuer_answer(struct issuer *issuer, const char *document);
void issuer_answer_status(struct issuer *issuer, unsigned status, const char *document);
void issuer_redirect(struct issuer *issuer, const char *location);
void issuer_drop_connections(struct issuer *issuer);

/*
 * Between the two, fetches are taken but not answered, and wait for the
 * answer that is set when they are released.
 */
void issuer_hold(struct issuer *issuer);
void issuer_release(struct issuer *issuer);

/* What its answers' Date says from now on, in seconds since 1970; 0: the true time. */
void issuer_time_is(struct issuer *issuer, int64_t seconds);

/* How many fetches of the key set began, and how many requests for anything else. */
unsigned issuer_fetches(const struct issuer *issuer);
unsigned issuer_strays(const struct issuer *issuer);

/* A port of 127.0.0.1 at which connections are refused until the test ends. */
unsigned refusing_port(void);

/* A port of 127.0.0.1 that is free now. */
unsigned free_port(void);

#endif
