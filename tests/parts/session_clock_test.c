/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "records/session.h"
#include "records/session_clock.h"
#include "sage/issuer_time.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Clocks that go wrong, restarts and what the issuer says, with a machine's
 * clock and a CLOCK_BOOTTIME of the test's own. A process of the service is a
 * clock and a session clock on the one store.
 */

#define NOW INT64_C(1764000000000)
#define LIFETIME (20 * MINUTE_MS)
#define AHEAD (365 * DAY_MS)
#define BANK "aaaaaaaa-1111-4222-8333-444444444444"

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

struct process {
    struct clock clock;
    struct session_clock *times;
};

static bool newest_piece(struct database *database, void *context)
{
    return session_newest_time(database, context);
}

static void start(struct process *process)
{
    int64_t newest = 0;
    clock_init(&process->clock);
    process->clock.read = read_test_machine;
    process->clock.read_boot = read_test_boot;
    ck_assert_int_eq((int)store_read(store, newest_piece, &newest), STORE_DONE);
    clock_not_before(&process->clock, newest);
    process->times = session_clock_open(store, &process->clock, NULL, false);
    ck_assert_ptr_nonnull(process->times);
}

static void stop(struct process *process)
{
    session_clock_close(process->times);
}

static void restart(struct process *process)
{
    stop(process);
    start(process);
}

/* Another boot of the machine. */
static void reboot(void)
{
    static int count;
    char id[32];
    (void)snprintf(id, sizeof(id), "boot-%d", ++count);
    ck_assert_int_eq(setenv("FEEDGATE_BOOT_ID", id, 1), 0);
    boot_ms = 9000;
}

/* Time passes for everybody. */
static void pass(int64_t ms)
{
    machine_ms += ms;
    boot_ms += ms;
}

static int64_t session_now(struct process *process)
{
    struct session_instant instant;
    pass(250); /* how old a process's picture of the row may be */
    ck_assert_int_eq((int)session_clock_now(process->times, &instant), STORE_DONE);
    return instant.now;
}

struct arming {
    struct process *process;
    struct session_instant instant;
    const char *id;
    enum session_armed armed;
};

static bool arm_piece(struct database *database, void *context)
{
    struct arming *arming = context;
    struct session_announcement announcement = {.authorisation_id = arming->id, .bank_id = BANK};
    ck_assert(session_key_make(arming->id, &announcement.key));
    if (!session_clock_renew(database, arming->process->times, &arming->instant))
        return false;
    announcement.notified_at = arming->instant.now;
    announcement.expires_at = arming->instant.now + LIFETIME;
    arming->armed = session_arm(database, &announcement);
    return arming->armed != SESSION_NOT_STORED;
}

static void arm(struct process *process, const char *id)
{
    struct arming arming = {.process = process, .id = id};
    ck_assert_int_eq((int)session_clock_now(process->times, &arming.instant), STORE_DONE);
    write_now(arm_piece, &arming);
    ck_assert_int_eq((int)arming.armed, SESSION_ARMED);
}

static enum refusal open_session(struct process *process, const char *id)
{
    struct session_key key;
    const struct session_opening opening = {
        .flow = FLOW_AUTHORISATION,
        .bank = BANK,
        .redirect_uri = "https://money.sage.com/",
        .state = "11111111-1111-4111-8111-111111111111",
    };
    ck_assert(session_key_make(id, &key));
    return session_consume(store, &key, &opening, session_now(process));
}

#define EXPECT_OPENS(process, id) ck_assert_int_eq((int)open_session(process, id), REFUSAL_NONE)
#define EXPECT_OVER(process, id)                                                                   \
    ck_assert_int_eq((int)open_session(process, id), REFUSAL_SESSION_EXPIRED)

static void issuer_says(struct process *process, int64_t time_ms)
{
    ck_assert_int_eq((int)session_clock_settle(process->times, time_ms, boot_ms), STORE_DONE);
}

static const char *verdict(void)
{
    static const char *const words[] = {"none", "doubtful", "held", "dropped"};
    return words[number_of("SELECT COALESCE((SELECT CASE verdict WHEN 'doubtful' THEN 1 "
                           "WHEN 'held' THEN 2 ELSE 3 END FROM session_clock), 0)")];
}

static struct process notification, auth;

static void set_up(void)
{
    store_set_up();
    machine_ms = NOW;
    reboot();
    start(&notification);
    start(&auth);
}

static void tear_down(void)
{
    stop(&notification);
    stop(&auth);
    store_tear_down();
}

/* The clock was ahead for a moment, in which a session was announced; all start again. */
static void begin_with_a_false_floor(void)
{
    machine_ms = NOW + AHEAD;
    arm(&notification, "from-the-future");
    machine_ms = NOW;
    restart(&notification);
    restart(&auth);
}

START_TEST(no_row_is_written_while_the_clock_is_right)
{
    arm(&notification, "a");
    pass(LIFETIME - 1000);
    EXPECT_OPENS(&auth, "a");
    restart(&auth);
    arm(&notification, "b");
    machine_ms -= CLOCK_DOUBT_MS - 1000;
    EXPECT_OPENS(&auth, "b");
    ck_assert_str_eq(verdict(), "none");
}
END_TEST

START_TEST(in_doubt_what_was_announced_before_is_over_and_what_comes_after_lives)
{
    arm(&notification, "before");
    begin_with_a_false_floor();
    EXPECT_OVER(&auth, "before");
    EXPECT_OVER(&auth, "from-the-future");
    ck_assert_str_eq(verdict(), "doubtful");
    pass(DAY_MS);
    arm(&notification, "early");
    arm(&notification, "late");
    pass(LIFETIME - 2000);
    EXPECT_OPENS(&auth, "early");
    restart(&auth); /* which follows the same row */
    pass(2000);
    EXPECT_OVER(&auth, "late");
    EXPECT_OVER(&auth, "before");
}
END_TEST

START_TEST(all_processes_follow_one_time_in_doubt)
{
    begin_with_a_false_floor();
    int64_t ahead = session_now(&auth) - machine_ms;
    ck_assert_int_ge(ahead, AHEAD);
    pass(3 * HOUR_MS);
    restart(&notification);
    ck_assert_int_eq(session_now(&notification) - machine_ms, ahead);
    ck_assert_int_eq(session_now(&auth) - machine_ms, ahead);
}
END_TEST

START_TEST(another_boot_begins_a_doubt_anew)
{
    begin_with_a_false_floor();
    arm(&notification, "a");
    machine_ms += HOUR_MS; /* the machine was off */
    reboot();
    restart(&notification);
    restart(&auth);
    EXPECT_OVER(&auth, "a");
    arm(&notification, "b");
    EXPECT_OPENS(&auth, "b");
}
END_TEST

START_TEST(a_false_floor_is_dropped_when_the_issuer_agrees_with_the_machine)
{
    begin_with_a_false_floor();
    arm(&notification, "in-doubt");
    pass(1000);
    issuer_says(&auth, machine_ms - 700);
    ck_assert_str_eq(verdict(), "dropped");
    ck_assert_int_eq(session_now(&auth) - machine_ms, 0);
    ck_assert_int_eq(session_now(&notification) - machine_ms, 0);
    EXPECT_OVER(&auth, "from-the-future");
    arm(&notification, "after");
    pass(LIFETIME - 4000);
    EXPECT_OPENS(&auth, "in-doubt");
    EXPECT_OPENS(&auth, "after");
    restart(&auth); /* the store has no false time any more */
    ck_assert_int_eq(session_now(&auth) - machine_ms, 0);
    ck_assert_str_eq(verdict(), "dropped");
}
END_TEST

START_TEST(what_was_announced_in_doubt_dies_in_time_after_the_verdict)
{
    begin_with_a_false_floor();
    arm(&notification, "in-doubt");
    pass(1000);
    issuer_says(&auth, machine_ms);
    pass(LIFETIME - 999);
    EXPECT_OVER(&auth, "in-doubt");
}
END_TEST

START_TEST(a_verdict_opens_nothing_again)
{
    arm(&notification, "before");
    EXPECT_OPENS(&auth, "before");
    begin_with_a_false_floor();
    arm(&notification, "in-doubt");
    EXPECT_OPENS(&auth, "in-doubt");
    issuer_says(&auth, machine_ms);
    ck_assert_int_eq((int)open_session(&auth, "before"), REFUSAL_SESSION_USED);
    ck_assert_int_eq((int)open_session(&auth, "in-doubt"), REFUSAL_SESSION_USED);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM authorisation_session WHERE opened_at > "
                               "1764000000000 + 60000 OR expires_at > 1764000000000 + 1800000"),
                     0);
}
END_TEST

START_TEST(a_floor_holds_when_the_issuer_agrees_with_it)
{
    pass(HOUR_MS);
    arm(&notification, "a");
    machine_ms -= HOUR_MS;
    restart(&notification);
    restart(&auth);
    EXPECT_OVER(&auth, "a"); /* nobody knows how long it took */
    arm(&notification, "in-doubt");
    pass(MINUTE_MS);
    issuer_says(&auth, machine_ms + HOUR_MS);
    ck_assert_str_eq(verdict(), "held");
    ck_assert_int_eq(session_now(&auth) - machine_ms, HOUR_MS);
    EXPECT_OPENS(&auth, "a");
    EXPECT_OPENS(&auth, "in-doubt");
    restart(&auth);
    pass(LIFETIME);
    ck_assert_int_eq(session_now(&auth) - machine_ms, HOUR_MS);
    ck_assert_int_eq(clock_now(&auth.clock), machine_ms); /* for tokens */
}
END_TEST

START_TEST(an_issuer_that_is_later_still_moves_the_floor_on)
{
    arm(&notification, "a");
    machine_ms -= 30 * DAY_MS;
    restart(&notification);
    restart(&auth);
    arm(&notification, "in-doubt");
    issuer_says(&auth, NOW + DAY_MS);
    ck_assert_str_eq(verdict(), "held");
    ck_assert_int_eq(session_now(&auth), NOW + DAY_MS + 250);
    EXPECT_OVER(&auth, "a");
    EXPECT_OPENS(&auth, "in-doubt");
}
END_TEST

START_TEST(an_issuer_between_the_two_is_right)
{
    begin_with_a_false_floor();
    (void)session_now(&notification);
    issuer_says(&auth, NOW + 30 * DAY_MS);
    ck_assert_str_eq(verdict(), "dropped");
    ck_assert_int_eq(session_now(&auth), NOW + 30 * DAY_MS + 250);
    ck_assert_int_eq(session_now(&notification), NOW + 30 * DAY_MS + 500);
    EXPECT_OVER(&auth, "from-the-future");
    arm(&notification, "after");
    EXPECT_OPENS(&auth, "after");
}
END_TEST

START_TEST(a_clock_that_jumps_in_a_process_is_doubted_too)
{
    arm(&notification, "a");
    machine_ms = NOW + AHEAD;
    EXPECT_OVER(&auth, "a"); /* which remembers that time now */
    machine_ms = NOW;
    EXPECT_OVER(&auth, "a");
    ck_assert_str_eq(verdict(), "doubtful");
    (void)session_now(&notification);
    arm(&notification, "b");
    EXPECT_OPENS(&auth, "b");
    issuer_says(&auth, machine_ms);
    EXPECT_OPENS(&auth, "a"); /* it was never over, as is known now */
    ck_assert_int_eq(session_now(&notification) - machine_ms, 0);
}
END_TEST

START_TEST(a_session_from_the_future_is_over_for_who_knows_of_no_floor)
{
    machine_ms = NOW + AHEAD;
    arm(&notification, "from-the-future");
    machine_ms = NOW;
    EXPECT_OVER(&auth, "from-the-future");
}
END_TEST

START_TEST(nothing_is_written_by_a_time_that_was_dropped)
{
    begin_with_a_false_floor();
    struct arming arming = {.process = &notification, .id = "on-its-way"};
    ck_assert_int_eq((int)session_clock_now(notification.times, &arming.instant), STORE_DONE);
    issuer_says(&auth, machine_ms);
    write_now(arm_piece, &arming);
    ck_assert_int_eq(number_of("SELECT MAX(notified_at) FROM authorisation_session"), NOW);
    EXPECT_OPENS(&auth, "on-its-way");
}
END_TEST

/* While one process begins the doubt, the other is just announcing, by its older picture. */
static void announce_as_doubt_begins(void)
{
    struct arming arming = {.process = &notification, .id = "on-its-way"};
    machine_ms = NOW + AHEAD;
    (void)session_now(&auth);
    machine_ms = NOW;
    ck_assert_int_eq((int)session_clock_now(notification.times, &arming.instant), STORE_DONE);
    (void)session_now(&auth);
    ck_assert_str_eq(verdict(), "doubtful");
    write_now(arm_piece, &arming);
    ck_assert_int_eq((int)arming.armed, SESSION_ARMED);
}

START_TEST(what_is_announced_as_a_doubt_begins_has_its_life_in_it)
{
    announce_as_doubt_begins();
    EXPECT_OPENS(&auth, "on-its-way");
}
END_TEST

START_TEST(what_is_announced_as_a_doubt_begins_has_its_life_after_it)
{
    announce_as_doubt_begins();
    issuer_says(&auth, _i == 0 ? machine_ms : machine_ms + AHEAD);
    ck_assert_str_eq(verdict(), _i == 0 ? "dropped" : "held");
    EXPECT_OPENS(&auth, "on-its-way");
}
END_TEST

/* A clock that was stepped twice has left the processes seconds apart. */
START_TEST(what_is_announced_in_doubt_by_a_process_that_is_ahead_of_others_lives)
{
    machine_ms = NOW + AHEAD;
    (void)session_now(&auth);
    machine_ms += MINUTE_MS;
    (void)session_now(&notification);
    machine_ms = NOW;
    (void)session_now(&auth);
    ck_assert_str_eq(verdict(), "doubtful");
    (void)session_now(&notification);
    arm(&notification, "ahead");
    issuer_says(&auth, machine_ms);
    ck_assert_str_eq(verdict(), "dropped");
    EXPECT_OPENS(&auth, "ahead");
}
END_TEST

START_TEST(without_a_boots_id_each_start_doubts_anew)
{
    ck_assert_int_eq(setenv("FEEDGATE_BOOT_ID", "-", 1), 0); /* as if nobody said */
    begin_with_a_false_floor();
    (void)session_now(&notification);
    (void)session_now(&auth);
    arm(&notification, "a");
    EXPECT_OPENS(&auth, "a");
    arm(&notification, "b");
    restart(&auth);
    EXPECT_OVER(&auth, "b");
    (void)session_now(&notification);
    arm(&notification, "c");
    EXPECT_OPENS(&auth, "c");
}
END_TEST

static bool mend_piece(struct database *database, void *context)
{
    return session_mend(database, machine_ms, false, context);
}

START_TEST(mending_lets_nothing_live_again)
{
    arm(&notification, "a");
    pass(LIFETIME + MINUTE_MS);
    arm(&notification, "b"); /* the store knows that a is over */
    machine_ms -= LIFETIME;  /* set back: a would live */
    int64_t changed = 0;
    write_now(mend_piece, &changed);
    ck_assert_int_eq(changed, 2);
    restart(&auth);
    ck_assert_int_eq(session_now(&auth) - machine_ms, 0);
    EXPECT_OVER(&auth, "a");
    EXPECT_OVER(&auth, "b");
    write_now(mend_piece, &changed);
    ck_assert_int_eq(changed, 0);
}
END_TEST

static const struct {
    const char *date, *age;
    int64_t time_ms; /* 0: it isn't one */
} dates[] = {
    {"Mon, 24 Nov 2025 16:00:00 GMT", "", NOW},      {"Mon, 24 Nov 2025 16:00:00 GMT", "0", NOW},
    {"Mon, 24 Nov 2025 15:59:00 GMT", "60", NOW},    {"Mon, 24 Nov 2025 16:00:00 GMT", "86401", 0},
    {"Mon, 24 Nov 2025 16:00:00 GMT", "-1", 0},      {"Mon, 24 Nov 2025 16:00:00 GMT", "1 2", 0},
    {"Mon, 24 Nov 2025 16:00:00 GMT", "x", 0},       {"Mon, 24 Nov 2025 16:00:00 +0100", "", 0},
    {"Mon, 24 Nov 2025 16:00:00 GMT, later", "", 0}, {"2025-11-24T16:00:00Z", "", 0},
    {"Thu, 01 Jan 1970 00:00:00 GMT", "", 0},        {"", "", 0},
};

START_TEST(only_a_whole_date_is_the_issuers_time)
{
    int64_t time_ms = 0;
    bool read = issuer_time_read(dates[_i].date, dates[_i].age, &time_ms);
    ck_assert_int_eq(read, dates[_i].time_ms != 0);
    if (read)
        ck_assert_int_eq(time_ms, dates[_i].time_ms);
}
END_TEST

#define ADD_CLOCK_RULE(suite, test)                                                                \
    tcase_add_checked_fixture(parts_add_rule((suite), #test, (test), 1), set_up, tear_down)

Suite *session_clock_suite(void)
{
    Suite *suite = suite_create("session_clock");
    ADD_CLOCK_RULE(suite, no_row_is_written_while_the_clock_is_right);
    ADD_CLOCK_RULE(suite, in_doubt_what_was_announced_before_is_over_and_what_comes_after_lives);
    ADD_CLOCK_RULE(suite, all_processes_follow_one_time_in_doubt);
    ADD_CLOCK_RULE(suite, another_boot_begins_a_doubt_anew);
    ADD_CLOCK_RULE(suite, a_false_floor_is_dropped_when_the_issuer_agrees_with_the_machine);
    ADD_CLOCK_RULE(suite, what_was_announced_in_doubt_dies_in_time_after_the_verdict);
    ADD_CLOCK_RULE(suite, a_verdict_opens_nothing_again);
    ADD_CLOCK_RULE(suite, a_floor_holds_when_the_issuer_agrees_with_it);
    ADD_CLOCK_RULE(suite, an_issuer_that_is_later_still_moves_the_floor_on);
    ADD_CLOCK_RULE(suite, an_issuer_between_the_two_is_right);
    ADD_CLOCK_RULE(suite, a_clock_that_jumps_in_a_process_is_doubted_too);
    ADD_CLOCK_RULE(suite, a_session_from_the_future_is_over_for_who_knows_of_no_floor);
    ADD_CLOCK_RULE(suite, nothing_is_written_by_a_time_that_was_dropped);
    ADD_CLOCK_RULE(suite, what_is_announced_as_a_doubt_begins_has_its_life_in_it);
    tcase_add_checked_fixture(
        parts_add_rule(suite, "what_is_announced_as_a_doubt_begins_has_its_life_after_it",
                       what_is_announced_as_a_doubt_begins_has_its_life_after_it, 2),
        set_up, tear_down);
    ADD_CLOCK_RULE(suite, what_is_announced_in_doubt_by_a_process_that_is_ahead_of_others_lives);
    ADD_CLOCK_RULE(suite, without_a_boots_id_each_start_doubts_anew);
    ADD_CLOCK_RULE(suite, mending_lets_nothing_live_again);
    ADD_RULE_FOR_EACH(suite, only_a_whole_date_is_the_issuers_time, dates);
    return suite;
}
