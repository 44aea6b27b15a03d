/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "gated.h"

#include <stdlib.h>
#include <string.h>

/*
 * What the version before left behind goes on: its database, the key beside it
 * and journeys that are under way. tests/fixtures/VERSION has them, made by that version itself
 * through a real web server (`make fixture` makes those of this version).
 */

#define BEFORE "tests/fixtures/0.1.0"

/* When they were left, and what is known of them besides: "name=value" in lines. */
static const char *left(const char *name)
{
    const char *text = file_text(source_path(BEFORE "/journeys"));
    const char *line = strstr(text, scratch_format("\n%s=", name));
    EXPECT(line != NULL, "no %s in " BEFORE "/journeys", name);
    line += strlen(name) + 2;
    return scratch_copy(line, strcspn(line, "\n"));
}

/* A minute after the version before ended. */
static void upgrade(void)
{
    SERVER(.sage_api = new_sage_api(), .own_clock = true, .database = BEFORE,
           .began = strtoll(left("time"), NULL, 10) + 60);
}

START_TEST(a_session_that_was_announced_before_opens_once)
{
    upgrade();
    const char *id = left("announced");
    EXPECT_RECORDED(NOTIFY(.id = id), "repeated");
    EXPECT_OPENED(OPEN(.id = id), id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = "authrefresh"), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(a_session_that_was_announced_before_lives_no_longer)
{
    upgrade();
    clock_move(1200 - 60);
    EXPECT_REFUSED(OPEN(.id = left("announced")), REFUSAL_SESSION_EXPIRED);
}
END_TEST

static const struct {
    const char *name;
    enum refusal refusal;
} tombstones[] = {
    {"expired", REFUSAL_SESSION_EXPIRED}, {"on_the_page", REFUSAL_SESSION_USED},
    {"confirming", REFUSAL_SESSION_USED}, {"waiting", REFUSAL_SESSION_USED},
    {"completed", REFUSAL_SESSION_USED},  {"passed_on", REFUSAL_SESSION_USED},
};

START_TEST(a_tombstone_from_before_stays_one)
{
    case_is(tombstones[_i].name);
    upgrade();
    const char *id = left(tombstones[_i].name);
    EXPECT_REFUSED(OPEN(.id = id), tombstones[_i].refusal);
    EXPECT_RECORDED(NOTIFY(.id = id), "repeated");
    EXPECT_REFUSED(OPEN(.id = id), tombstones[_i].refusal);
}
END_TEST

START_TEST(a_ticket_and_a_code_from_before_lead_to_the_confirmation)
{
    upgrade();
    EXPECT_STATUS(visit("auth", left("ticket")), 200);
    struct response page = submit("auth", code_form(left("ticket"), left("code")));
    EXPECT_STATUS(page, 200);
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT(continuation != NULL, "no continuation in %s", page.body);
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")), way_back());
    EXPECT_TEXT(session_state(left("on_the_page")), "completed");
}
END_TEST

START_TEST(a_confirmation_from_before_is_told_to_sage)
{
    upgrade();
    EXPECT_REDIRECT(submit("auth", step_form("continuation", left("continuation"), "confirm")),
                    way_back());
    EXPECT_TEXT(session_state(left("confirming")), "completed");
    EXPECT_NUMBER(sage_api_patch_count(server_sage_api()), 1);
}
END_TEST

START_TEST(a_result_from_before_reaches_sage_byte_for_byte)
{
    upgrade();
    const char *body = ROW_TEXT("SELECT body FROM delivery WHERE authorisation_id = ?1 "
                                "AND delivered_at IS NULL AND attempts = 1",
                                left("waiting"));
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    const struct sage_request *request = sage_api_patch_request(server_sage_api(), 0);
    EXPECT_TEXT(request->path, scratch_format("/v1/authorisations/%s", left("waiting")));
    EXPECT_TEXT(request->body, body);
    EXPECT_TEXT(session_state(left("waiting")), "completed");
}
END_TEST

START_TEST(an_application_that_had_the_journey_before_may_end_it)
{
    upgrade();
    EXPECT_STATUS(COMPLETE(.id = left("passed_on")), 200);
    EXPECT_TEXT(session_state(left("passed_on")), "completed");
}
END_TEST

START_TEST(an_account_that_was_linked_before_is_still_given_to_sage)
{
    upgrade();
    struct response response = LIST(.external_id = left("linked"));
    EXPECT_STATUS(response, 200);
    EXPECT(strstr(response.body, left("linked")) != NULL, "it isn't in %s", response.body);
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(left("link"), left("linked"))), "unlinked");
    EXPECT_REFUSED(LIST(.external_id = left("linked")), REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

static const char *const kept[] = {"event",        "authorisation_session", "customer", "account",
                                   "bank_account", "one_time_code",         "consent",  "delivery"};

START_TEST(nothing_is_lost_on_the_way)
{
    const char *table = kept[_i];
    case_is(table);
    upgrade();
    EXPECT_NUMBER(ROW_NUMBER(scratch_format("SELECT COUNT(*) FROM %s", table)),
                  strtoll(left(table), NULL, 10));
    EXPECT_TEXT(ROW_TEXT("PRAGMA integrity_check"), "ok");
    EXPECT_TEXT(ROW_TEXT("PRAGMA foreign_key_check"), NULL);
}
END_TEST

Suite *upgrade_rules(void)
{
    Suite *suite = suite_create("upgrade");
    ADD_TEST(suite, a_session_that_was_announced_before_opens_once);
    ADD_TEST(suite, a_session_that_was_announced_before_lives_no_longer);
    ADD_ROWS(suite, a_tombstone_from_before_stays_one, ROWS(tombstones));
    ADD_TEST(suite, a_ticket_and_a_code_from_before_lead_to_the_confirmation);
    ADD_TEST(suite, a_confirmation_from_before_is_told_to_sage);
    ADD_TEST(suite, a_result_from_before_reaches_sage_byte_for_byte);
    ADD_TEST(suite, an_application_that_had_the_journey_before_may_end_it);
    ADD_TEST(suite, an_account_that_was_linked_before_is_still_given_to_sage);
    ADD_ROWS(suite, nothing_is_lost_on_the_way, ROWS(kept));
    return suite;
}

/* ---- what this version leaves --------------------------------------------------- */

/* A journey that was confirmed, and which Sage took or not. */
static const char *end_journey(const char *customer, bool taken)
{
    static const struct sage_reply down[] = {{.status = 500}};
    sage_api_patches(server_sage_api(), taken ? NULL : down, taken ? 0 : 1);
    const char *id = new_uuid();
    EXPECT_REDIRECT(
        submit("auth", step_form("continuation", new_confirmation(id, customer), "confirm")),
        way_back());
    return id;
}

/* Into FEEDGATE_FIXTURE, a directory: feedgate.db, its key, and `journeys`. */
START_TEST(this_version_leaves_a_database)
{
    const char *into = getenv("FEEDGATE_FIXTURE");
    EXPECT(into != NULL, "%s", "FEEDGATE_FIXTURE names no directory");
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    const char *expired = new_uuid();
    arm(expired);
    clock_move(1200);
    const char *customer = new_customer(2);
    const char *linked = account_of(customer, 1);
    const char *bank_account = new_uuid();
    EXPECT_RECORDED(NOTIFY(.body = account_created(bank_account, linked)), "linked");
    const char *completed = end_journey(customer, true);
    const char *waiting = end_journey(new_customer(1), false);
    const char *confirming = new_uuid();
    const char *continuation = new_confirmation(confirming, new_customer(3));
    const char *on_the_page = new_uuid();
    const char *ticket = new_ticket(on_the_page, "auth");
    const char *code = new_code(customer);
    const char *passed_on = new_uuid();
    pass_on(passed_on, "auth");
    const char *announced = new_uuid();
    arm(announced);
    const char *text = scratch_format(
        "# What stands in feedgate.db: a journey in each state, and what goes on with it.\n"
        "time=%lld\nexpired=%s\nlinked=%s\nlink=%s\ncompleted=%s\nwaiting=%s\n"
        "confirming=%s\ncontinuation=%s\non_the_page=%s\nticket=%s\ncode=%s\npassed_on=%s\n"
        "announced=%s\n",
        (long long)server_time(), expired, linked, bank_account, completed, waiting, confirming,
        continuation, on_the_page, ticket, code, passed_on, announced);
    for (size_t i = 0; i < ROWS(kept); i++)
        text = scratch_format(
            "%s%s=%lld\n", text, kept[i],
            (long long)ROW_NUMBER(scratch_format("SELECT COUNT(*) FROM %s", kept[i])));
    server_stop();
    EXPECT_TEXT(ROW_TEXT("PRAGMA journal_mode = DELETE"), "delete");
    server_write_file("journeys", text);
    const char *copy[] = {"/bin/cp",
                          server_path("feedgate.db"),
                          server_path("feedgate.db.key"),
                          server_path("journeys"),
                          into,
                          NULL};
    EXPECT_NUMBER(run_program(copy, NULL, "", 0).status, 0);
}
END_TEST

Suite *fixture_rules(void)
{
    Suite *suite = suite_create("fixture");
    ADD_TEST(suite, this_version_leaves_a_database);
    return suite;
}
