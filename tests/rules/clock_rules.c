/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/*
 * Clocks that were wrong once: nothing stays down for it, and nothing lives
 * longer or opens twice. The endpoints' clock stands still (libfaketime), and
 * the issuer says the time that a test gives it; CLOCK_BOOTTIME is the
 * machine's. More sequences: tests/parts/session_clock_test.c.
 */

enum { LIFETIME_S = 1200, HOUR_S = 3600, DAY_S = 24 * 3600, YEAR_S = 365 * DAY_S };

static struct issuer *start(void)
{
    struct issuer *issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true);
    issuer_time_is(issuer, server_time());
    return issuer;
}

/* The clock, and the issuer's with it. */
static void time_passes(struct issuer *issuer, int64_t seconds)
{
    clock_move(seconds);
    issuer_time_is(issuer, server_time());
}

static void await_event(size_t mark, const char *event)
{
    AWAIT(LOG_COUNT(mark, "event", event) > 0, "no %s in the log:\n%s", event, log_since(mark));
}

/* Until all processes know, which they do within a quarter of a second. */
#define AWAIT_OPENED(the_id)                                                                       \
    AWAIT(OPEN(.id = (the_id)).status == 200, "%s isn't opened:\n%s", (the_id),                    \
          server_read_file("log"))

/* A session that was announced by a clock that is so far ahead now; all endpoints start again. */
static const char *begin_ahead(int64_t seconds)
{
    const char *id = new_uuid();
    clock_move(seconds);
    EXPECT_RECORDED(NOTIFY(.id = id), "armed");
    clock_move(-seconds);
    server_restart();
    return id;
}

START_TEST(a_run_with_a_clock_a_year_ahead_keeps_nothing_down)
{
    (void)start();
    const char *before = new_uuid();
    arm(before);
    clock_move(YEAR_S);
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    EXPECT_REFUSED(OPEN(.id = before), REFUSAL_SESSION_EXPIRED);
    clock_move(-YEAR_S);
    server_restart();
    EXPECT_OPENED(OPEN(.id = before), before);
    const char *after = new_uuid();
    EXPECT_RECORDED(NOTIFY(.id = after), "armed");
    EXPECT_OPENED(OPEN(.id = after), after);
}
END_TEST

START_TEST(keys_that_were_fetched_a_year_ahead_are_fetched_anew)
{
    (void)start();
    clock_move(YEAR_S);
    arm(new_uuid());
    clock_move(-YEAR_S);
    server_restart();
    EXPECT_RECORDED(NOTIFY(), "armed");
}
END_TEST

START_TEST(without_the_issuers_time_only_new_sessions_are_opened)
{
    struct issuer *issuer = start();
    size_t mark = log_mark();
    const char *before = new_uuid();
    arm(before);
    issuer_drop_connections(issuer);
    const char *ahead = begin_ahead(2 * HOUR_S);
    await_event(mark, "session_time_doubtful");
    await_event(mark, "session_time_not_confirmed");
    EXPECT_REFUSED(OPEN(.id = before), REFUSAL_SESSION_EXPIRED);
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    const char *token = TOKEN(.iat = in_seconds(0), .exp = in_seconds(60));
    const char *after = new_uuid();
    EXPECT_RECORDED(NOTIFY(.id = after, .token = token), "armed");
    EXPECT_RECORDED(NOTIFY(.id = before, .token = token), "repeated");
    EXPECT_REFUSED(OPEN(.id = before), REFUSAL_SESSION_EXPIRED);
    EXPECT_OPENED(OPEN(.id = after), after);
    EXPECT_REFUSED(OPEN(.id = after), REFUSAL_SESSION_USED);
    EXPECT_NUMBER(ROW_NUMBER("SELECT expires_at - notified_at FROM authorisation_session "
                             "WHERE session_key = ?1",
                             after),
                  LIFETIME_S * 1000);
}
END_TEST

START_TEST(a_restart_in_doubt_goes_on_with_the_same_time)
{
    struct issuer *issuer = start();
    arm(new_uuid());
    issuer_drop_connections(issuer);
    const char *ahead = begin_ahead(2 * HOUR_S);
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    const char *after = new_uuid();
    arm(after);
    server_restart();
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    EXPECT_OPENED(OPEN(.id = after), after);
}
END_TEST

START_TEST(a_start_does_not_wait_for_the_issuers_time)
{
    struct issuer *issuer = start();
    arm(new_uuid());
    issuer_hold(issuer); /* until the test is over */
    const char *ahead = begin_ahead(2 * HOUR_S);
    unsigned fetches = issuer_fetches(issuer);
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    AWAIT(issuer_fetches(issuer) > 0, "%u fetches", fetches);
    const char *after = new_uuid();
    arm(after);
    EXPECT_OPENED(OPEN(.id = after), after);
}
END_TEST

START_TEST(a_false_floor_is_dropped_once_the_issuer_agrees_with_the_machine)
{
    (void)start();
    size_t mark = log_mark();
    const char *ahead = begin_ahead(2 * HOUR_S);
    await_event(mark, "session_time_dropped");
    EXPECT_NUMBER(LOG_COUNT(mark, "event", "session_time_dropped"), 1);
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    EXPECT_RECORDED(NOTIFY(.id = ahead), "repeated");
    const char *after = new_uuid();
    EXPECT_RECORDED(NOTIFY(.id = after), "armed");
    AWAIT_OPENED(after);
    EXPECT_NUMBER(ROW_NUMBER("SELECT opened_at / 60000 FROM authorisation_session "
                             "WHERE session_key = ?1",
                             after),
                  server_time() / 60);
    server_restart();
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    EXPECT_NUMBER(LOG_COUNT(mark, "event", "session_time_dropped"), 1);
}
END_TEST

START_TEST(a_floor_holds_once_the_issuer_agrees_with_it)
{
    struct issuer *issuer = start();
    size_t mark = log_mark();
    time_passes(issuer, HOUR_S);
    const char *before = new_uuid();
    arm(before);
    clock_move(-HOUR_S); /* the machine's clock alone */
    server_restart();
    await_event(mark, "clock_behind");
    AWAIT_OPENED(before);
    const char *token = TOKEN(.exp = in_seconds(60)); /* by the machine's clock */
    EXPECT_RECORDED(NOTIFY(.token = token), "armed");
    EXPECT_NUMBER(LOG_COUNT(mark, "event", "session_time_dropped"), 0);
    EXPECT(ROW_NUMBER("SELECT max(notified_at) / 1000 FROM authorisation_session") >=
               server_time() + HOUR_S,
           "%s", "the session time went back");
}
END_TEST

START_TEST(an_expired_session_stays_so_when_the_clock_is_set_back_in_doubt)
{
    struct issuer *issuer = start();
    const char *id = new_uuid();
    arm(id);
    time_passes(issuer, LIFETIME_S);
    arm(new_uuid()); /* the store knows this time now */
    issuer_drop_connections(issuer);
    clock_move(-LIFETIME_S);
    server_restart();
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
    EXPECT_TEXT(session_column("opened_at", id), NULL);
}
END_TEST

START_TEST(a_certificate_nobody_vouches_for_confirms_no_time)
{
    struct issuer *issuer = issuer_start_tls("127.0.0.1");
    SERVER(.issuer = issuer, .own_clock = true);
    size_t mark = log_mark();
    struct run run = FEEDGATE("purge");
    EXPECT_NUMBER(run.status, 1);
    EXPECT(strstr(log_since(mark), "nothing is removed: whether this machine's clock is right") !=
               NULL,
           "%s", log_since(mark));
}
END_TEST

START_TEST(the_issuers_time_comes_over_verified_tls)
{
    struct issuer *issuer = issuer_start_tls("127.0.0.1");
    SERVER(.issuer = issuer, .own_clock = true, .settings = {"network.ca_file = issuer.pem"},
           .files = {{"issuer.pem", issuer_certificate(issuer)}});
    size_t mark = log_mark();
    issuer_time_is(issuer, server_time());
    const char *ahead = begin_ahead(2 * HOUR_S);
    await_event(mark, "session_time_dropped");
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    EXPECT_NUMBER(FEEDGATE("purge").status, 0);
}
END_TEST

/* ---- purge ------------------------------------------------------------------------ */

START_TEST(a_purge_by_a_clock_that_is_ahead_lets_nothing_be_armed_again)
{
    (void)start(); /* whose issuer goes on with the true time */
    const char *id = new_uuid();
    const char *token = TOKEN(.exp = in_seconds(600));
    EXPECT_RECORDED(NOTIFY(.id = id, .token = token), "armed");
    EXPECT_OPENED(OPEN(.id = id), id);
    size_t mark = log_mark();
    clock_move(31 * DAY_S);
    struct run run = FEEDGATE("purge");
    EXPECT_NUMBER(run.status, 1);
    EXPECT(strstr(log_since(mark), "nothing is removed: this machine's clock is 2678400 s ahead") !=
               NULL,
           "%s", log_since(mark));
    clock_move(-31 * DAY_S);
    EXPECT_RECORDED(NOTIFY(.id = id, .token = token), "repeated");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_USED);
}
END_TEST

/* A session was opened and, 31 days later, purged; then the clock goes back to its day. */
static struct issuer *set_back_after_a_purge(const char *id, const char **token)
{
    struct issuer *issuer = start();
    *token = TOKEN(.exp = in_seconds(600));
    EXPECT_RECORDED(NOTIFY(.id = id, .token = *token), "armed");
    EXPECT_OPENED(OPEN(.id = id), id);
    time_passes(issuer, 31 * DAY_S);
    EXPECT_NUMBER(FEEDGATE("purge").status, 0);
    EXPECT_TEXT(session_state(id), "none");
    arm(new_uuid()); /* by a token of today */
    clock_move(-31 * DAY_S);
    return issuer;
}

START_TEST(what_was_purged_is_not_armed_again_by_a_clock_that_is_set_back)
{
    const char *id = new_uuid();
    const char *token;
    (void)set_back_after_a_purge(id, &token);
    server_restart();
    EXPECT_RECORDED(NOTIFY(.id = id, .token = token), "conflict");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_UNKNOWN);
}
END_TEST

START_TEST(a_purge_that_can_not_ask_the_issuer_removes_nothing)
{
    struct issuer *issuer = start();
    const char *id = new_uuid();
    arm(id);
    time_passes(issuer, 31 * DAY_S);
    issuer_drop_connections(issuer);
    size_t mark = log_mark();
    struct run run = FEEDGATE("purge");
    EXPECT_NUMBER(run.status, 1);
    EXPECT(strstr(log_since(mark), "couldn't be asked") != NULL, "%s", log_since(mark));
    EXPECT_TEXT(session_state(id), "notified");
    issuer_answer(issuer, KEY_SET(JWK("first")));
    EXPECT_NUMBER(FEEDGATE("purge").status, 0);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

START_TEST(a_purge_decides_a_doubt_where_nobody_else_does)
{
    struct issuer *issuer = start();
    arm(new_uuid());
    issuer_drop_connections(issuer);
    const char *ahead = begin_ahead(2 * HOUR_S);
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    server_stop();
    issuer_answer(issuer, KEY_SET(JWK("first")));
    EXPECT_NUMBER(FEEDGATE("purge").status, 0);
    EXPECT_TEXT(ROW_TEXT("SELECT verdict FROM session_clock"), "dropped");
}
END_TEST

/* ---- check and mend ---------------------------------------------------------------- */

static void expect_says(const char *item)
{
    struct run run = FEEDGATE("check");
    EXPECT(strstr(run.output, item) != NULL, "%s isn't in:\n%s", item, run.output);
}

static void expect_rows(const char *output, const char *table, int rows)
{
    const char *row = scratch_format("{\"table\": \"%s\", \"rows\": %d}", table, rows);
    EXPECT(strstr(output, row) != NULL, "%s isn't in:\n%s", row, output);
}

START_TEST(check_tells_which_clock_is_wrong)
{
    struct issuer *issuer = start();
    arm(new_uuid());
    expect_says("ok    clock: not behind what sessions have seen");
    issuer_drop_connections(issuer);
    (void)begin_ahead(2 * HOUR_S);
    expect_says("FAIL  clock: the newest time of a session is ");
    expect_says("and Sage ID can't be asked which is right");
    server_stop(); /* which would ask, too */
    issuer_answer(issuer, KEY_SET(JWK("first")));
    expect_says("which agrees with Sage ID's: a clock was ahead once");
    expect_says("warn  times: ");
    expect_says("(authorisation_session, event");
    issuer_time_is(issuer, server_time() + 2 * HOUR_S);
    expect_says(" s behind the newest time of a session, and behind Sage ID's: set it right");
}
END_TEST

START_TEST(check_does_not_believe_a_deliverer_whose_clock_was_ahead)
{
    (void)start();
    arm(new_uuid());
    clock_move(YEAR_S);
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    clock_move(-YEAR_S);
    expect_says("warn  deliverer: last seen by a clock that was ahead, so nobody knows when");
    expect_says("warn  times: 1 rows have times that are still to come (deliverer): ");
}
END_TEST

START_TEST(mending_waits_for_nobody_and_tells_who_must_end)
{
    (void)start();
    arm(new_uuid());
    size_t mark = log_mark();
    EXPECT_NUMBER(FEEDGATE("clock", "mend").status, 1);
    EXPECT(strstr(log_since(mark), "is in use: stop the endpoints, feedgate deliver") != NULL, "%s",
           log_since(mark));
    EXPECT_NUMBER(FEEDGATE("clock", "mend", "--dry-run").status, 0);
    server_stop();
    EXPECT_NUMBER(FEEDGATE("clock", "mend").status, 0);
}
END_TEST

START_TEST(mending_ends_what_was_announced_ahead)
{
    struct issuer *issuer = start();
    const char *opened = new_uuid();
    const char *ahead = new_uuid();
    issuer_drop_connections(issuer);
    EXPECT_REFUSED(NOTIFY(), REFUSAL_KEYS_UNAVAILABLE);
    issuer_answer(issuer, KEY_SET(JWK("first")));
    clock_move(2 * HOUR_S);
    arm(opened);
    EXPECT_OPENED(OPEN(.id = opened), opened);
    arm(ahead);
    clock_move(-2 * HOUR_S);
    server_stop();
    struct run run = FEEDGATE("clock", "mend", "--dry-run", "--json");
    EXPECT_NUMBER(run.status, 3);
    expect_rows(run.output, "authorisation_session", 2);
    expect_rows(run.output, "event", 2);
    expect_rows(run.output, "key_set", 1);
    expect_rows(run.output, "consent", 0);
    run = FEEDGATE("clock", "mend", "--json");
    EXPECT_NUMBER(run.status, 0);
    expect_rows(run.output, "authorisation_session", 2);
    run = FEEDGATE("clock", "mend", "--dry-run", "--json");
    EXPECT_NUMBER(run.status, 0);
    expect_rows(run.output, "authorisation_session", 0);
    server_restart();
    EXPECT_REFUSED(OPEN(.id = ahead), REFUSAL_SESSION_EXPIRED);
    EXPECT_REFUSED(OPEN(.id = opened), REFUSAL_SESSION_USED);
    EXPECT_RECORDED(NOTIFY(.id = ahead), "repeated");
    const char *after = new_uuid();
    arm(after);
    EXPECT_OPENED(OPEN(.id = after), after);
    expect_says("ok    clock: not behind what sessions have seen");
}
END_TEST

START_TEST(mending_by_a_wrong_clock_is_refused)
{
    (void)start();
    arm(new_uuid());
    server_stop();
    clock_move(-HOUR_S);
    size_t mark = log_mark();
    EXPECT_NUMBER(FEEDGATE("clock", "mend").status, 1);
    EXPECT(strstr(log_since(mark), "nothing is mended: this machine's clock is 3600 s behind") !=
               NULL,
           "%s", log_since(mark));
}
END_TEST

/* What an issuer confirmed isn't undone by a clock that nobody confirms. */
START_TEST(mending_by_a_clock_nobody_confirms_lets_nothing_purged_be_armed)
{
    const char *id = new_uuid();
    const char *token;
    struct issuer *issuer = set_back_after_a_purge(id, &token);
    server_stop();
    issuer_drop_connections(issuer);
    EXPECT_NUMBER(FEEDGATE("clock", "mend").status, 0);
    server_restart();
    EXPECT_RECORDED(NOTIFY(.id = id, .token = token), "conflict");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_UNKNOWN);
    server_stop();
    issuer_answer(issuer, KEY_SET(JWK("first")));
    issuer_time_is(issuer, server_time());
    struct run run = FEEDGATE("clock", "mend", "--json");
    EXPECT_NUMBER(run.status, 0);
    expect_rows(run.output, "session_purge", 1);
}
END_TEST

/* No session has the later time, but one was refused by it. */
START_TEST(mending_lets_no_session_live_again_that_a_later_time_had_ended)
{
    struct issuer *issuer = start();
    const char *id = new_uuid();
    arm(id);
    issuer_drop_connections(issuer);
    clock_move(LIFETIME_S);
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
    clock_move(-LIFETIME_S);
    AWAIT(OPEN(.id = id).status == 403 && ROW_NUMBER("SELECT COUNT(*) FROM session_clock") == 1,
          "%s", "nobody doubts the session time");
    server_stop();
    EXPECT_NUMBER(FEEDGATE("clock", "mend").status, 0);
    server_restart();
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
}
END_TEST

Suite *clock_rules(void)
{
    Suite *suite = suite_create("clock");
    ADD_TEST(suite, a_run_with_a_clock_a_year_ahead_keeps_nothing_down);
    ADD_TEST(suite, keys_that_were_fetched_a_year_ahead_are_fetched_anew);
    ADD_TEST(suite, without_the_issuers_time_only_new_sessions_are_opened);
    ADD_TEST(suite, a_restart_in_doubt_goes_on_with_the_same_time);
    ADD_TEST(suite, a_start_does_not_wait_for_the_issuers_time);
    ADD_TEST(suite, a_false_floor_is_dropped_once_the_issuer_agrees_with_the_machine);
    ADD_TEST(suite, a_floor_holds_once_the_issuer_agrees_with_it);
    ADD_TEST(suite, an_expired_session_stays_so_when_the_clock_is_set_back_in_doubt);
    ADD_TEST(suite, a_certificate_nobody_vouches_for_confirms_no_time);
    ADD_TEST(suite, the_issuers_time_comes_over_verified_tls);
    ADD_TEST(suite, a_purge_by_a_clock_that_is_ahead_lets_nothing_be_armed_again);
    ADD_TEST(suite, what_was_purged_is_not_armed_again_by_a_clock_that_is_set_back);
    ADD_TEST(suite, a_purge_that_can_not_ask_the_issuer_removes_nothing);
    ADD_TEST(suite, a_purge_decides_a_doubt_where_nobody_else_does);
    ADD_TEST(suite, check_tells_which_clock_is_wrong);
    ADD_TEST(suite, check_does_not_believe_a_deliverer_whose_clock_was_ahead);
    ADD_TEST(suite, mending_waits_for_nobody_and_tells_who_must_end);
    ADD_TEST(suite, mending_ends_what_was_announced_ahead);
    ADD_TEST(suite, mending_by_a_wrong_clock_is_refused);
    ADD_TEST(suite, mending_by_a_clock_nobody_confirms_lets_nothing_purged_be_armed);
    ADD_TEST(suite, mending_lets_no_session_live_again_that_a_later_time_had_ended);
    return suite;
}
