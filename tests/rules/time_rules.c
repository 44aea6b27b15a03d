/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/*
 * What time does to sessions and tokens. The servers here have a clock of
 * their own (libfaketime) that stands still until a test moves it, so every
 * border is met to the second.
 */

enum { LIFETIME_S = 1200, LEEWAY_S = 30, DAY_S = 24 * 3600 };

static void start(void)
{
    SERVER(.own_clock = true);
}

static struct issuer *issuer;

/* One with an issuer of its own, which says the server's time. */
static void start_with_issuer(void)
{
    issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true);
    issuer_time_is(issuer, server_time());
}

/* The clock moves, and the issuer's with it. */
static void time_passes(int64_t seconds)
{
    clock_move(seconds);
    issuer_time_is(issuer, server_time());
}

START_TEST(a_session_opens_in_its_last_second)
{
    start();
    const char *id = new_uuid();
    arm(id);
    clock_move(LIFETIME_S - 1);
    EXPECT_OPENED(OPEN(.id = id), id);
}
END_TEST

START_TEST(a_session_is_expired_after_twenty_minutes)
{
    start();
    const char *id = new_uuid();
    arm(id);
    clock_move(LIFETIME_S);
    struct response expired = OPEN(.id = id);
    EXPECT_REFUSED(expired, REFUSAL_SESSION_EXPIRED);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = "authrefresh"), REFUSAL_SESSION_EXPIRED);
    EXPECT_SAME_ANSWER(expired, OPEN(.id = new_uuid()));
    EXPECT_TEXT(session_column("opened_at", id), NULL);
}
END_TEST

START_TEST(a_second_delivery_does_not_extend_a_session)
{
    start();
    const char *id = new_uuid();
    arm(id);
    clock_move(LIFETIME_S - 1);
    EXPECT_RECORDED(NOTIFY(.id = id), "repeated");
    clock_move(1);
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
}
END_TEST

START_TEST(a_second_delivery_does_not_re_arm_an_expired_session)
{
    start();
    const char *id = new_uuid();
    arm(id);
    clock_move(LIFETIME_S);
    EXPECT_RECORDED(NOTIFY(.id = id), "repeated");
    EXPECT_RECORDED(NOTIFY(.id = id, .bank = new_uuid()), "conflict");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
}
END_TEST

START_TEST(a_used_session_stays_used_when_its_time_is_over)
{
    start();
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id), id);
    clock_move(LIFETIME_S);
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(the_lifetime_is_configurable)
{
    SERVER(.own_clock = true, .settings = {"session.lifetime = 2 minutes"});
    const char *first = new_uuid();
    const char *second = new_uuid();
    arm(first);
    arm(second);
    clock_move(119);
    EXPECT_OPENED(OPEN(.id = first), first);
    clock_move(1);
    EXPECT_REFUSED(OPEN(.id = second), REFUSAL_SESSION_EXPIRED);
}
END_TEST

START_TEST(a_clock_that_is_set_back_revives_nothing)
{
    SERVER(.own_clock = true, .processes = 1);
    const char *id = new_uuid();
    arm(id);
    clock_move(LIFETIME_S);
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
    clock_move(-LIFETIME_S);
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
    EXPECT_TEXT(session_column("opened_at", id), NULL);
}
END_TEST

START_TEST(a_restart_with_a_clock_set_back_revives_nothing)
{
    start_with_issuer();
    const char *id = new_uuid();
    arm(id);
    time_passes(LIFETIME_S);
    arm(new_uuid());         /* the store knows this time now */
    clock_move(-LIFETIME_S); /* the machine's alone */
    server_restart();
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
    EXPECT_TEXT(session_column("opened_at", id), NULL);
}
END_TEST

START_TEST(time_goes_on_while_the_clock_is_behind)
{
    issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true, .processes = 1);
    const char *id = new_uuid();
    arm(new_uuid()); /* the keys are there */
    issuer_hold(issuer);
    clock_move(3600);
    arm(id);
    EXPECT_REFUSED(OPEN(), REFUSAL_SESSION_UNKNOWN); /* this process knows the time too */
    clock_move(-1800);
    if (strcmp(server_set_up(), "apache-cgi") == 0) {
        /* A process that just starts can't know for how long nobody looked. */
        EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_EXPIRED);
        id = new_uuid();
        arm(id);
    }
    EXPECT_OPENED(OPEN(.id = id), id);
    EXPECT(ROW_NUMBER("SELECT opened_at - notified_at BETWEEN 0 AND 1200000 "
                      "FROM authorisation_session WHERE session_key = ?1",
                      id) == 1,
           "%s", "the session time went back");
}
END_TEST

/* ---- tokens ----------------------------------------------------------------- */

START_TEST(a_token_is_good_until_the_leeway_after_its_exp)
{
    start();
    const char *token = TOKEN(.exp = in_seconds(60));
    EXPECT_RECORDED(NOTIFY(.token = token), "armed");
    clock_move(60 + LEEWAY_S - 1);
    EXPECT_RECORDED(NOTIFY(.token = token), "armed"); /* remembered */
    EXPECT_RECORDED(NOTIFY(.token = TOKEN(.exp = in_seconds(-LEEWAY_S + 1))), "armed");
    clock_move(2);
    EXPECT_REFUSED(NOTIFY(.token = token), REFUSAL_TOKEN_EXPIRED);
    EXPECT_REFUSED(NOTIFY(.token = TOKEN(.exp = in_seconds(-LEEWAY_S - 1))), REFUSAL_TOKEN_EXPIRED);
    EXPECT_REFUSED(LIST(.token = TOKEN(.exp = in_seconds(-LEEWAY_S - 1))), REFUSAL_TOKEN_EXPIRED);
}
END_TEST

START_TEST(a_token_is_good_from_the_leeway_before_its_nbf)
{
    start();
    EXPECT_RECORDED(NOTIFY(.token = TOKEN(.nbf = in_seconds(LEEWAY_S - 1))), "armed");
    const char *early = TOKEN(.nbf = in_seconds(LEEWAY_S + 1));
    EXPECT_REFUSED(NOTIFY(.token = early), REFUSAL_TOKEN_NOT_YET_VALID);
    EXPECT_REFUSED(LIST(.token = early), REFUSAL_TOKEN_NOT_YET_VALID);
    clock_move(2);
    EXPECT_RECORDED(NOTIFY(.token = early), "armed");
}
END_TEST

START_TEST(a_token_is_good_from_the_leeway_before_its_iat)
{
    start();
    EXPECT_RECORDED(NOTIFY(.token = TOKEN(.iat = in_seconds(LEEWAY_S - 1))), "armed");
    const char *early = TOKEN(.iat = in_seconds(LEEWAY_S + 1));
    EXPECT_REFUSED(NOTIFY(.token = early), REFUSAL_TOKEN_NOT_YET_VALID);
    EXPECT_REFUSED(LIST(.token = early), REFUSAL_TOKEN_NOT_YET_VALID);
    clock_move(2);
    EXPECT_RECORDED(NOTIFY(.token = early), "armed");
}
END_TEST

/* ---- tombstones --------------------------------------------------------------- */

static void purge(void)
{
    size_t mark = log_mark();
    struct run run = FEEDGATE("purge");
    EXPECT(run.status == 0, "feedgate purge: %d %s%s", run.status, run.output, log_since(mark));
}

START_TEST(a_used_session_is_kept_for_thirty_days)
{
    start_with_issuer();
    const char *used = new_uuid();
    const char *expired = new_uuid();
    arm(used);
    arm(expired);
    EXPECT_OPENED(OPEN(.id = used), used);
    time_passes(LIFETIME_S + 30 * DAY_S - 1);
    purge();
    EXPECT_RECORDED(NOTIFY(.id = used), "repeated");
    EXPECT_RECORDED(NOTIFY(.id = expired), "repeated");
    EXPECT_REFUSED(OPEN(.id = used), REFUSAL_SESSION_USED);
    EXPECT_REFUSED(OPEN(.id = expired), REFUSAL_SESSION_EXPIRED);
    time_passes(DAY_S);
    purge();
    EXPECT_TEXT(session_state(used), "none");
    EXPECT_TEXT(session_state(expired), "none");
}
END_TEST

START_TEST(a_session_is_kept_as_long_as_the_token_that_announced_it)
{
    issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true, .settings = {"session.retention = 1 day"});
    const char *id = new_uuid();
    const char *token = TOKEN(.exp = in_seconds(40 * DAY_S));
    EXPECT_RECORDED(NOTIFY(.id = id, .token = token), "armed");
    EXPECT_OPENED(OPEN(.id = id), id);
    time_passes(40 * DAY_S);
    purge();
    EXPECT_RECORDED(NOTIFY(.id = id, .token = token), "repeated");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_USED);
    time_passes(DAY_S);
    purge();
    EXPECT_TEXT(session_state(id), "none");
    EXPECT_REFUSED(NOTIFY(.id = id, .token = token), REFUSAL_TOKEN_EXPIRED);
}
END_TEST

START_TEST(a_session_that_may_still_be_opened_is_never_purged)
{
    issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true,
           .settings = {"session.retention = 1 day", "session.lifetime = 20 minutes"});
    const char *id = new_uuid();
    arm(id);
    purge();
    EXPECT_OPENED(OPEN(.id = id), id);
}
END_TEST

Suite *time_rules(void)
{
    Suite *suite = suite_create("time");
    ADD_TEST(suite, a_session_opens_in_its_last_second);
    ADD_TEST(suite, a_session_is_expired_after_twenty_minutes);
    ADD_TEST(suite, a_second_delivery_does_not_extend_a_session);
    ADD_TEST(suite, a_second_delivery_does_not_re_arm_an_expired_session);
    ADD_TEST(suite, a_used_session_stays_used_when_its_time_is_over);
    ADD_TEST(suite, the_lifetime_is_configurable);
    ADD_TEST(suite, a_clock_that_is_set_back_revives_nothing);
    ADD_TEST(suite, a_restart_with_a_clock_set_back_revives_nothing);
    ADD_TEST(suite, time_goes_on_while_the_clock_is_behind);
    ADD_TEST(suite, a_token_is_good_until_the_leeway_after_its_exp);
    ADD_TEST(suite, a_token_is_good_from_the_leeway_before_its_nbf);
    ADD_TEST(suite, a_token_is_good_from_the_leeway_before_its_iat);
    ADD_TEST(suite, a_used_session_is_kept_for_thirty_days);
    ADD_TEST(suite, a_session_is_kept_as_long_as_the_token_that_announced_it);
    ADD_TEST(suite, a_session_that_may_still_be_opened_is_never_purged);
    return suite;
}
