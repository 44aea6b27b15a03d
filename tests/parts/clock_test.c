/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/clock.h"

#include <time.h>

static int64_t machine_ms;
static int64_t boot_ms;

static int64_t read_test_machine(void)
{
    return machine_ms;
}

static int64_t read_test_boot(void)
{
    return boot_ms;
}

static void begin(struct clock *clock, int64_t now)
{
    clock_init(clock);
    clock->read = read_test_machine;
    clock->read_boot = read_test_boot;
    machine_ms = now;
    boot_ms = 77;
}

START_TEST(both_times_go_on_with_the_machine)
{
    struct clock clock;
    begin(&clock, 1000);
    ck_assert_int_eq(clock_session(&clock), 1000);
    machine_ms = 1500; /* BOOTTIME doesn't count while the machine's clock isn't behind */
    ck_assert_int_eq(clock_session(&clock), 1500);
    ck_assert_int_eq(clock_now(&clock), 1500);
    ck_assert_int_eq(clock_lag(&clock), 0);
}
END_TEST

START_TEST(the_machines_time_goes_back_with_the_machine)
{
    struct clock clock;
    begin(&clock, 1000);
    ck_assert_int_eq(clock_session(&clock), 1000);
    machine_ms = 400;
    ck_assert_int_eq(clock_now(&clock), 400);
}
END_TEST

START_TEST(the_session_time_goes_on_while_the_machine_is_behind)
{
    struct clock clock;
    begin(&clock, 1000);
    ck_assert_int_eq(clock_session(&clock), 1000);
    machine_ms = 400;
    ck_assert_int_eq(clock_session(&clock), 1000);
    ck_assert_int_eq(clock_lag(&clock), 600);
    boot_ms += 50;
    machine_ms += 50;
    ck_assert_int_eq(clock_session(&clock), 1050);
    machine_ms = 1051;
    ck_assert_int_eq(clock_session(&clock), 1051);
    ck_assert_int_eq(clock_lag(&clock), 0);
}
END_TEST

START_TEST(the_session_time_begins_no_earlier_than_the_newest_time_of_a_session)
{
    struct clock clock;
    begin(&clock, 1000);
    clock_not_before(&clock, 5000);
    ck_assert_int_eq(clock_session(&clock), 5000);
    ck_assert_int_eq(clock_lag(&clock), 4000);
    ck_assert_int_eq(clock_now(&clock), 1000);
}
END_TEST

START_TEST(an_older_floor_changes_nothing)
{
    struct clock clock;
    begin(&clock, 1000);
    ck_assert_int_eq(clock_session(&clock), 1000);
    clock_not_before(&clock, 10);
    ck_assert_int_eq(clock_session(&clock), 1000);
}
END_TEST

START_TEST(a_floor_that_was_false_is_put_right)
{
    struct clock clock;
    begin(&clock, 1000);
    clock_not_before(&clock, 5000);
    clock_correct(&clock, 2000);
    ck_assert_int_eq(clock_session(&clock), 2000);
    clock_correct(&clock, 10);
    ck_assert_int_eq(clock_session(&clock), 1000);
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
    ADD_RULE(suite, both_times_go_on_with_the_machine);
    ADD_RULE(suite, the_machines_time_goes_back_with_the_machine);
    ADD_RULE(suite, the_session_time_goes_on_while_the_machine_is_behind);
    ADD_RULE(suite, the_session_time_begins_no_earlier_than_the_newest_time_of_a_session);
    ADD_RULE(suite, an_older_floor_changes_nothing);
    ADD_RULE(suite, a_floor_that_was_false_is_put_right);
    ADD_RULE(suite, the_clock_starts_on_the_time_of_the_machine);
    ADD_RULE(suite, the_monotonic_counter_does_not_run_backwards);
    return suite;
}
