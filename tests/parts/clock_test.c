/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "clock.h"

#include <time.h>

static int64_t machine_ms;

static int64_t read_test_machine(void)
{
    return machine_ms;
}

static struct clock clock_of_test(int64_t now)
{
    struct clock clock;
    clock_init(&clock);
    clock.read = read_test_machine;
    machine_ms = now;
    return clock;
}

START_TEST(time_goes_on_with_the_machine)
{
    struct clock clock = clock_of_test(1000);
    ck_assert_int_eq(clock_now(&clock), 1000);
    machine_ms = 1500;
    ck_assert_int_eq(clock_now(&clock), 1500);
    ck_assert_int_eq(clock_lag(&clock), 0);
}
END_TEST

START_TEST(time_stands_still_while_the_machine_is_behind)
{
    struct clock clock = clock_of_test(1000);
    ck_assert_int_eq(clock_now(&clock), 1000);
    machine_ms = 400;
    ck_assert_int_eq(clock_now(&clock), 1000);
    ck_assert_int_eq(clock_lag(&clock), 600);
    machine_ms = 1001;
    ck_assert_int_eq(clock_now(&clock), 1001);
    ck_assert_int_eq(clock_lag(&clock), 0);
}
END_TEST

START_TEST(time_begins_no_earlier_than_the_newest_time_in_the_store)
{
    struct clock clock = clock_of_test(1000);
    clock_not_before(&clock, 5000);
    ck_assert_int_eq(clock_now(&clock), 5000);
    ck_assert_int_eq(clock_lag(&clock), 4000);
}
END_TEST

START_TEST(an_older_floor_changes_nothing)
{
    struct clock clock = clock_of_test(1000);
    ck_assert_int_eq(clock_now(&clock), 1000);
    clock_not_before(&clock, 10);
    ck_assert_int_eq(clock_now(&clock), 1000);
}
END_TEST

START_TEST(the_clock_starts_on_the_time_of_the_machine)
{
    struct clock clock;
    clock_init(&clock);
    int64_t before = (int64_t)time(NULL) * SECOND_MS;
    int64_t now = clock_now(&clock);
    ck_assert_int_ge(now, before - SECOND_MS);
    ck_assert_int_le(now, before + MINUTE_MS);
}
END_TEST

START_TEST(the_monotonic_counter_does_not_run_backwards)
{
    int64_t first = clock_monotonic();
    ck_assert_int_ge(clock_monotonic(), first);
}
END_TEST

Suite *clock_suite(void)
{
    Suite *suite = suite_create("clock");
    ADD_RULE(suite, time_goes_on_with_the_machine);
    ADD_RULE(suite, time_stands_still_while_the_machine_is_behind);
    ADD_RULE(suite, time_begins_no_earlier_than_the_newest_time_in_the_store);
    ADD_RULE(suite, an_older_floor_changes_nothing);
    ADD_RULE(suite, the_clock_starts_on_the_time_of_the_machine);
    ADD_RULE(suite, the_monotonic_counter_does_not_run_backwards);
    return suite;
}
