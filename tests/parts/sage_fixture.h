/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SAGE_FIXTURE_H
#define FEEDGATE_SAGE_FIXTURE_H

#include "store_fixture.h"

#include "base/clock.h"
#include "sage/provider_api.h"
#include "sage_api.h"

/* A store, a Sage to call and a clock of its own for each test. */

extern struct sage_api *sage;
extern struct config config; /* may be changed by the test */
extern struct clock test_clock;
extern struct provider_api *api;

enum { START_MS = 1000000 };

/* As they would stand in the configuration's secret files. */
#define CLIENT_ID "our client@clients"
#define CLIENT_SECRET "client-secret+&=%~ "
#define API_KEY "the-api-key-of-ours"

void sage_set_up(void);
void sage_tear_down(void);

/* Moves the clock to this time, or on by so much. */
void time_is(int64_t now);
void time_passes(int64_t milliseconds);

/* How Sage answers from now on; the replies must outlive that. */
#define PATCHES_GET(...)                                                                           \
    do {                                                                                           \
        static const struct sage_reply told[] = {__VA_ARGS__};                                     \
        sage_api_patches(sage, told, COUNT(told));                                                 \
    } while (0)
#define TOKENS_GET(...)                                                                            \
    do {                                                                                           \
        static const struct sage_reply told[] = {__VA_ARGS__};                                     \
        sage_api_tokens(sage, told, COUNT(told));                                                  \
    } while (0)

#define ADD_SAGE_RULE(suite, test)                                                                 \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), 1), sage_set_up,              \
                              sage_tear_down)

#define ADD_SAGE_RULE_FOR_EACH(suite, test, table)                                                 \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), (int)COUNT(table)),           \
                              sage_set_up, sage_tear_down)

#endif
