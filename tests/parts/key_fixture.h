/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_KEY_FIXTURE_H
#define FEEDGATE_KEY_FIXTURE_H

#include "sage_fixture.h"

#include "issuer.h"
#include "keys.h"
#include "sage/key_set.h"

/* What sage_fixture.h gives, an issuer that has the key "first", and its key set. */

extern struct issuer *issuer;
extern struct key_set *keys;

enum { COOL_DOWN_MS = 30000, MAX_AGE_MS = 3600000 };

void key_set_up(void);
void key_tear_down(void);

/* The same key set as another process has it, with a store of its own; closed after the test. */
struct key_set *keys_elsewhere(void);

/* What a caller gets for the key of that id; the key is given back. */
enum refusal find_key(struct key_set *set, enum caller caller, const char *id);

/* The same in a thread of its own, which ends with find_end(). */
struct search {
    struct key_set *set;
    enum caller caller;
    const char *id;
    enum refusal refusal;
    pthread_t thread;
};
void find_begin(struct search *search);
enum refusal find_end(struct search *search);

/* Waits until so many searches wait for a fetch, or so many fetches have begun. */
void await_searches(int count);
void await_fetches(unsigned count);

/* Makes the next thread of feedgate's own impossible. */
void fail_next_thread(void);

#define ADD_KEY_RULE(suite, test)                                                                  \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), 1), key_set_up, key_tear_down)

#define ADD_KEY_RULE_FOR_EACH(suite, test, table)                                                  \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), (int)COUNT(table)),           \
                              key_set_up, key_tear_down)

#endif
