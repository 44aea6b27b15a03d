/* SPDX-License-Identifier: MIT */
#include "key_fixture.h"

/*
 * What strangers and known callers get for a key, with fetches that a test
 * holds: two key sets on one database are two processes.
 */

#define EXPECT_FOUND(set, caller, id)                                                              \
    ck_assert_int_eq((int)find_key((set), (caller), (id)), REFUSAL_NONE)
#define EXPECT_UNKNOWN(set, caller, id)                                                            \
    ck_assert_int_eq((int)find_key((set), (caller), (id)), REFUSAL_TOKEN_KEY_UNKNOWN)
#define EXPECT_TRY_AGAIN(set, caller, id)                                                          \
    ck_assert_int_eq((int)find_key((set), (caller), (id)), REFUSAL_KEYS_UNAVAILABLE)

static void expect_fetches(unsigned count)
{
    ck_assert_uint_eq(issuer_fetches(issuer), count);
}

START_TEST(strangers_do_not_spend_the_turn_of_known_callers)
{
    struct key_set *elsewhere = keys_elsewhere();
    EXPECT_FOUND(elsewhere, CALLER_STRANGER, "first");
    time_passes(COOL_DOWN_MS);
    EXPECT_UNKNOWN(elsewhere, CALLER_STRANGER, "forged");
    expect_fetches(2);
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    EXPECT_UNKNOWN(keys, CALLER_STRANGER, "second");
    EXPECT_FOUND(keys, CALLER_KNOWN, "second");
    expect_fetches(3);
}
END_TEST

START_TEST(there_are_two_fetches_in_a_cool_down_at_most)
{
    struct key_set *elsewhere = keys_elsewhere();
    issuer_drop_connections(issuer); /* so that no answer spares a fetch */
    for (int i = 0; i < 3; i++) {
        EXPECT_TRY_AGAIN(keys, CALLER_STRANGER, "first");
        EXPECT_TRY_AGAIN(elsewhere, CALLER_KNOWN, "first");
        EXPECT_TRY_AGAIN(elsewhere, CALLER_STRANGER, "first");
        EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "first");
        time_passes(COOL_DOWN_MS / 3 - 1);
    }
    expect_fetches(2);
    time_passes(3);
    EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "first");
    EXPECT_TRY_AGAIN(elsewhere, CALLER_STRANGER, "first");
    expect_fetches(4);
}
END_TEST

START_TEST(a_fetch_on_age_takes_the_turn_of_strangers)
{
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
    time_passes(MAX_AGE_MS + 1);
    issuer_drop_connections(issuer);
    ck_assert_int_gt(key_set_generation(keys), 0);
    await_fetches(2);
    EXPECT_TRY_AGAIN(keys, CALLER_STRANGER, "second");
    expect_fetches(2);
    EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "second");
    expect_fetches(3);
    ck_assert_int_gt(key_set_generation(keys), 0);
    EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "second");
    expect_fetches(3);
}
END_TEST

START_TEST(a_fetch_begun_before_a_known_caller_came_is_not_final)
{
    struct search early = {.set = keys_elsewhere(), .caller = CALLER_KNOWN, .id = "second"};
    struct search late = {.set = keys, .caller = CALLER_KNOWN, .id = "second"};
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
    issuer_hold(issuer);
    find_begin(&early);
    await_fetches(2);
    find_begin(&late);
    await_searches(2);
    issuer_release(issuer);
    ck_assert_int_eq((int)find_end(&early), REFUSAL_TOKEN_KEY_UNKNOWN);
    ck_assert_int_eq((int)find_end(&late), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "second");
    expect_fetches(2);
}
END_TEST

START_TEST(a_fetch_of_another_process_begun_later_is_final)
{
    struct search early = {.set = keys, .caller = CALLER_KNOWN, .id = "second"};
    struct search late = {.set = keys_elsewhere(), .caller = CALLER_KNOWN, .id = "second"};
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
    time_passes(MAX_AGE_MS + 1);
    issuer_hold(issuer);
    ck_assert_int_gt(key_set_generation(keys), 0); /* its own thread is busy with the age now */
    await_fetches(2);
    find_begin(&early);
    await_searches(1);
    find_begin(&late);
    await_fetches(3);
    issuer_release(issuer);
    ck_assert_int_eq((int)find_end(&early), REFUSAL_TOKEN_KEY_UNKNOWN);
    ck_assert_int_eq((int)find_end(&late), REFUSAL_TOKEN_KEY_UNKNOWN);
    expect_fetches(3);
}
END_TEST

START_TEST(what_was_fetched_earlier_replaces_nothing_newer)
{
    struct search search = {.set = keys, .caller = CALLER_STRANGER, .id = "second"};
    EXPECT_FOUND(keys, CALLER_KNOWN, "first");
    time_passes(COOL_DOWN_MS);
    issuer_hold(issuer);
    find_begin(&search);
    await_fetches(2);
    /* Meanwhile another process began a fetch and ended it. */
    execute("UPDATE key_set SET fetches = 3, good_fetch = 3, generation = 7");
    issuer_answer(issuer, KEY_SET(JWK("second")));
    issuer_release(issuer);
    ck_assert_int_ne((int)find_end(&search), REFUSAL_NONE);
    ck_assert_int_eq(number_of("SELECT generation FROM key_set"), 7);
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
}
END_TEST

START_TEST(a_fetch_that_a_process_died_in_is_waited_for_only_as_long_as_one_takes)
{
    enum { LONGEST_MS = 6000 };
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
    time_passes(COOL_DOWN_MS);
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
    execute("INSERT INTO key_fetch SELECT url, 'key_header', attempted_at + 30000, 'fetching' "
            "FROM key_set");
    time_passes(LONGEST_MS);
    int64_t begin = clock_monotonic();
    EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "second");
    ck_assert_int_lt(clock_monotonic() - begin, LONGEST_MS);
    expect_fetches(1);
    EXPECT_UNKNOWN(keys, CALLER_STRANGER, "second");
    expect_fetches(2);
}
END_TEST

START_TEST(a_time_far_ahead_keeps_nobody_waiting)
{
    EXPECT_FOUND(keys, CALLER_KNOWN, "first");
    EXPECT_TRY_AGAIN(keys, CALLER_KNOWN, "second");
    execute("UPDATE key_fetch SET begun_at = begun_at + 86400000");
    EXPECT_UNKNOWN(keys, CALLER_KNOWN, "second");
    expect_fetches(2);
}
END_TEST

START_TEST(a_thread_that_could_not_be_started_is_started_for_the_next)
{
    fail_next_thread();
    EXPECT_TRY_AGAIN(keys, CALLER_STRANGER, "first");
    expect_fetches(0);
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
}
END_TEST

/* Takes the last migration back, and puts there what a version before it would have. */
static void be_of_the_version_before(void)
{
    execute("DROP TABLE key_fetch");
    execute("ALTER TABLE key_set DROP COLUMN fetches");
    execute("ALTER TABLE key_set DROP COLUMN good_fetch");
    execute("DROP TABLE session_clock");
    execute("DROP TABLE session_purge");
    execute("DELETE FROM schema_migration WHERE number >= 4");
}

START_TEST(a_migration_keeps_the_set_and_the_time_of_its_last_fetch)
{
    EXPECT_FOUND(keys, CALLER_STRANGER, "first");
    be_of_the_version_before();
    struct key_set *migrated = keys_elsewhere();
    ck_assert_int_eq(number_of("SELECT begun_at FROM key_fetch WHERE caller = 'stranger'"),
                     START_MS);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM key_fetch"), 1);
    issuer_drop_connections(issuer);
    EXPECT_FOUND(migrated, CALLER_STRANGER, "first");
    time_passes(COOL_DOWN_MS - 1);
    EXPECT_UNKNOWN(migrated, CALLER_STRANGER, "second");
    expect_fetches(1);
}
END_TEST

Suite *key_set_suite(void)
{
    Suite *suite = suite_create("key_set");
    ADD_KEY_RULE(suite, strangers_do_not_spend_the_turn_of_known_callers);
    ADD_KEY_RULE(suite, there_are_two_fetches_in_a_cool_down_at_most);
    ADD_KEY_RULE(suite, a_fetch_on_age_takes_the_turn_of_strangers);
    ADD_KEY_RULE(suite, a_fetch_begun_before_a_known_caller_came_is_not_final);
    ADD_KEY_RULE(suite, a_fetch_of_another_process_begun_later_is_final);
    ADD_KEY_RULE(suite, what_was_fetched_earlier_replaces_nothing_newer);
    ADD_KEY_RULE(suite, a_fetch_that_a_process_died_in_is_waited_for_only_as_long_as_one_takes);
    ADD_KEY_RULE(suite, a_time_far_ahead_keeps_nobody_waiting);
    ADD_KEY_RULE(suite, a_thread_that_could_not_be_started_is_started_for_the_next);
    ADD_KEY_RULE(suite, a_migration_keeps_the_set_and_the_time_of_its_last_fetch);
    return suite;
}
