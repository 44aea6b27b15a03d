/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <string.h>

/* What is served, through each web server. */

START_TEST(a_notification_is_recorded)
{
    row_begin("notification: 200");
    struct response response = NOTIFY();
    row_status(response.status);
    EXPECT_RECORDED(response, "armed");
    row_passed();
}
END_TEST

START_TEST(a_page_is_shown)
{
    row_begin("auth: 200");
    const char *id = new_uuid();
    arm(id);
    struct response response = OPEN(.id = id);
    row_status(response.status);
    EXPECT_OPENED(response, id);
    row_passed();
}
END_TEST

START_TEST(a_browser_is_sent_on)
{
    static const char *const names[] = {"auth: 303", "authrefresh: 303"};
    static const char *const endpoints[] = {"auth", "authrefresh"};
    row_begin(names[_i]);
    EXPECT_STATUS(visit(endpoints[_i], new_ticket(new_uuid(), endpoints[_i])), 200);
    row_passed();
}
END_TEST

START_TEST(a_customer_comes_to_the_end)
{
    row_begin("auth: forms, and back to Sage");
    const char *id = new_uuid();
    const char *continuation = new_confirmation(id, new_customer(2));
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")), way_back());
    EXPECT_TEXT(session_state(id), "completed");
    row_passed();
}
END_TEST

START_TEST(accounts_are_listed)
{
    row_begin("availableaccounts: 200");
    const char *external_id = account_of(new_customer(2), 1);
    EXPECT_RECORDED(NOTIFY(.body = account_created(new_uuid(), external_id)), "linked");
    struct response response = LIST(.external_id = external_id, .key = SERVER_KEY);
    row_status(response.status);
    EXPECT_STATUS(response, 200);
    EXPECT(strstr(response.body, external_id) != NULL, "not in %s", response.body);
    row_passed();
}
END_TEST

START_TEST(a_code_is_given)
{
    row_begin("code: 200");
    const char *body = scratch_format("{\"customer\":\"%s\"}", new_customer(1));
    struct request request = {
        .path = "/code",
        .body = body,
        .body_length = strlen(body),
        .headers = {"Content-Type: application/json",
                    scratch_format("Authorization: Bearer %s", SERVER_CODE_KEY)},
    };
    struct response response = http_send(&request);
    row_status(response.status);
    EXPECT_STATUS(response, 200);
    row_passed();
}
END_TEST

START_TEST(a_result_is_taken)
{
    row_begin("complete: 200");
    const char *id = new_uuid();
    pass_on(id, "auth");
    struct response response = COMPLETE(.id = id);
    row_status(response.status);
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(redirect_url(&response), way_back());
    row_passed();
}
END_TEST

START_TEST(a_body_of_64_kib_is_read_whole)
{
    row_begin("notification of 64 KiB: 200");
    const char *start = authorisation_created(new_uuid(), BANK);
    const char *body = scratch_format("%s%s", start, repeat(" ", 64 * 1024 - strlen(start)));
    EXPECT_RECORDED(NOTIFY(.body = body), "armed");
    EXPECT_RECORDED(NOTIFY(.headers = {CHUNKED}), "armed"); /* without a length */
    row_passed();
}
END_TEST

Suite *passing_rows(void)
{
    Suite *suite = suite_create("passing");
    ADD_TEST(suite, a_notification_is_recorded);
    ADD_TEST(suite, a_body_of_64_kib_is_read_whole);
    ADD_TEST(suite, a_page_is_shown);
    ADD_ROWS(suite, a_browser_is_sent_on, 2);
    ADD_TEST(suite, a_customer_comes_to_the_end);
    ADD_TEST(suite, accounts_are_listed);
    ADD_TEST(suite, a_code_is_given);
    ADD_TEST(suite, a_result_is_taken);
    return suite;
}
