/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/*
 * The customer's journey: from Sage's link over the one-time code to the
 * confirmation and back. What Sage hears of it is in delivery_rules.c.
 */

static const char *const endpoints[] = {"auth", "authrefresh"};

static void expect_standing(const char *id, const char *state, const char *reason)
{
    EXPECT_TEXT(session_state(id), state);
    EXPECT_TEXT(session_column("end_reason", id), reason);
}

static int64_t wrong_codes_of(const char *id)
{
    return ROW_NUMBER("SELECT wrong_codes FROM authorisation_session WHERE session_key = ?1", id);
}

/* ---- from Sage to our own page ---------------------------------------------- */

START_TEST(a_browser_on_its_way_is_sent_on_to_the_page_of_its_ticket)
{
    const char *endpoint = endpoints[_i];
    const char *ticket = new_ticket(new_uuid(), endpoint);
    EXPECT_NUMBER(strlen(ticket), 64);
    struct response page = visit(endpoint, ticket);
    EXPECT_STATUS(page, 200);
    EXPECT_TEXT(hidden_field(&page, "ticket"), ticket);
    EXPECT(strstr(page.body, "name=\"code\"") != NULL, "no field for the code in %s", page.body);
}
END_TEST

/* Sage may put the page into one of its own, where nothing must be typed. */
START_TEST(who_fetches_the_page_for_another_gets_one_link_and_no_field)
{
    static const char *const modes[] = {"Sec-Fetch-Mode: cors", "Sec-Fetch-Mode: no-cors",
                                        "Accept: text/html"};
    const char *id = new_uuid();
    arm(id);
    case_is(modes[_i]);
    struct response page = OPEN(.id = id, .headers = {modes[_i]});
    EXPECT_OPENED(page, id);
    const char *link = strstr(page.body, "href=\"");
    const char *expected = scratch_format("%s/auth?ticket=", server_url());
    EXPECT(link != NULL && strncmp(link + 6, expected, strlen(expected)) == 0, "no link in %s",
           page.body);
    EXPECT(strstr(link + 6, "href=") == NULL, "a second link in %s", page.body);
    static const char *const unwanted[] = {"<form", "<input", "<button", "<script", "src="};
    for (size_t i = 0; i < ROWS(unwanted); i++)
        EXPECT(strstr(page.body, unwanted[i]) == NULL, "%s in %s", unwanted[i], page.body);
}
END_TEST

START_TEST(the_page_of_a_ticket_can_be_reloaded)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    struct response first = visit("auth", ticket);
    EXPECT_STATUS(first, 200);
    struct response second = visit("auth", ticket);
    EXPECT_STATUS(second, 200);
    EXPECT_TEXT(second.body, first.body);
    EXPECT_TEXT(session_state(id), "opened");
    EXPECT_NUMBER(wrong_codes_of(id), 0);
}
END_TEST

START_TEST(only_hashes_of_ticket_and_continuation_are_stored)
{
    const char *id = new_uuid();
    size_t mark = log_mark();
    const char *ticket = new_ticket(id, "auth");
    const char *code = new_code(new_customer(1));
    struct response page = submit("auth", code_form(ticket, code));
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT(continuation != NULL, "no continuation in %s", page.body);
    EXPECT_TEXT(
        ROW_TEXT("SELECT ticket_sha256 FROM authorisation_session WHERE session_key = ?1", id),
        sha256_of(ticket));
    EXPECT_TEXT(ROW_TEXT("SELECT continuation_sha256 FROM authorisation_session "
                         "WHERE session_key = ?1",
                         id),
                sha256_of(continuation));
    const char *log = log_since(mark);
    EXPECT(strstr(log, ticket) == NULL && strstr(log, continuation) == NULL &&
               strstr(log, code) == NULL,
           "a secret is in the log:\n%s", log);
}
END_TEST

/* ---- onboarding ------------------------------------------------------------- */

START_TEST(a_customer_who_confirms_is_sent_back_to_sage)
{
    const char *id = new_uuid();
    const char *customer = new_customer(3);
    struct response page = submit("auth", code_form(new_ticket(id, "auth"), new_code(customer)));
    EXPECT_STATUS(page, 200);
    for (int i = 1; i <= 3; i++)
        EXPECT(strstr(page.body, scratch_format("Current ****%04d", i)) != NULL,
               "account %d isn't in %s", i, page.body);
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")), way_back());
    expect_standing(id, "completed", "confirmed");
    EXPECT_TEXT(session_column("customer_id", id), customer);
}
END_TEST

START_TEST(a_confirmation_leaves_a_record_of_the_consent)
{
    const char *id = new_uuid();
    const char *customer = new_customer(2);
    const char *continuation = new_confirmation(id, customer);
    EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM consent WHERE customer_id = ?1", customer), 0);
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")), way_back());
    EXPECT_TEXT(
        ROW_TEXT("SELECT external_ids FROM consent WHERE customer_id = ?1", customer),
        scratch_format("[\"%s\",\"%s\"]", account_of(customer, 1), account_of(customer, 2)));
    EXPECT_TEXT(ROW_TEXT("SELECT language FROM consent WHERE customer_id = ?1", customer), "en");
    EXPECT_NUMBER(
        ROW_NUMBER("SELECT LENGTH(wording) FROM consent WHERE customer_id = ?1", customer), 12);
    EXPECT_TEXT(ROW_TEXT("SELECT log_id FROM consents WHERE customer_id = ?1", customer),
                log_id_of(id));
}
END_TEST

START_TEST(a_customer_who_is_forgotten_meanwhile_can_confirm_nothing)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *code = new_code(customer);
    const char *ticket = new_ticket(id, "auth");
    struct response page = submit("auth", code_form(ticket, code));
    EXPECT(strstr(page.body, "value=\"confirm\"") != NULL, "no confirmation in %s", page.body);
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT_NUMBER(FEEDGATE("accounts", "forget", "--customer", customer).status, 0);
    page = submit("auth", code_form(ticket, code));
    EXPECT_STATUS(page, 200);
    EXPECT(strstr(page.body, "value=\"confirm\"") == NULL, "it can be confirmed: %s", page.body);
    EXPECT_STEP_REFUSED(submit("auth", step_form("continuation", continuation, "confirm")),
                        REFUSAL_CUSTOMER_GONE);
    expect_standing(id, "failed", "customer_gone");
}
END_TEST

/* Texts of accounts come from a file: whatever is in there is text. */
START_TEST(account_names_are_escaped)
{
    const char *customer = new_uuid();
    accounts_import(scratch_format(
        "{\"customers\":[{\"id\":\"%s\",\"accounts\":[{\"accountType\":\"business\","
        "\"accountName\":\"<script>alert('1')</script> & \\\"Co\\\"\",\"bankIdentifier\":\"1\","
        "\"accountIdentifier\":\"2\",\"branchIdentifier\":\"3\"}]}]}",
        customer));
    struct response page =
        submit("auth", code_form(new_ticket(new_uuid(), "auth"), new_code(customer)));
    EXPECT_STATUS(page, 200);
    EXPECT(strstr(page.body, "<script") == NULL, "not escaped: %s", page.body);
    EXPECT(strstr(page.body, "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp; "
                             "&quot;Co&quot;") != NULL,
           "not there: %s", page.body);
}
END_TEST

static const struct {
    const char *name;
    const char *redirect_uri;
    const char *expected; /* before the state's value */
} returns[] = {
    {"a plain one", "https://money.sage.com/return", "https://money.sage.com/return?state="},
    {"with a query", "https://money.sage.com/return?a=b",
     "https://money.sage.com/return?a=b&state="},
    {"with a fragment", "https://fragments.test/return#/a", "https://fragments.test/return?state="},
};

START_TEST(the_state_is_joined_to_the_redirect_uri)
{
    case_is(returns[_i].name);
    const char *id = new_uuid();
    arm(id);
    struct response opened =
        OPEN(.id = id, .state = CUSTOMER_STATE, .redirect_uri = returns[_i].redirect_uri,
             .headers = {"Sec-Fetch-Mode: navigate"});
    EXPECT_STATUS(opened, 303);
    const char *ticket = strstr(response_header(&opened, "Location"), "ticket=") + 7;
    struct response answer = submit("auth", step_form("ticket", ticket, "cancel"));
    const char *fragment = strchr(returns[_i].redirect_uri, '#');
    EXPECT_REDIRECT(answer, scratch_format("%s%s%s", returns[_i].expected, CUSTOMER_STATE,
                                           fragment != NULL ? fragment : ""));
}
END_TEST

/* ---- codes ------------------------------------------------------------------ */

static const char *wrong_code(int number)
{
    return scratch_format("0000-000%d", number);
}

START_TEST(a_wrong_code_is_counted_and_may_be_tried_again)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    const char *code = new_code(new_customer(1));
    for (int i = 1; i <= 4; i++) {
        struct response page = submit("auth", code_form(ticket, wrong_code(i)));
        EXPECT_STEP_REFUSED(page, REFUSAL_CODE_WRONG);
        EXPECT_TEXT(hidden_field(&page, "ticket"), ticket);
        EXPECT_NUMBER(wrong_codes_of(id), i);
    }
    EXPECT_STATUS(submit("auth", code_form(ticket, code)), 200);
}
END_TEST

START_TEST(five_wrong_codes_end_the_session)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    const char *code = new_code(new_customer(1));
    for (int i = 1; i <= 4; i++)
        EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, wrong_code(i))), REFUSAL_CODE_WRONG);
    struct response last = submit("auth", code_form(ticket, "not even a code"));
    EXPECT_STEP_REFUSED(last, REFUSAL_CODES_EXHAUSTED);
    EXPECT(strstr(last.body, REDIRECT_URI) != NULL, "no way back in %s", last.body);
    expect_standing(id, "failed", "codes_exhausted");
    EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, code)), REFUSAL_JOURNEY_ENDED);
    EXPECT_STEP_REFUSED(visit("auth", ticket), REFUSAL_JOURNEY_ENDED);
    EXPECT_NUMBER(wrong_codes_of(id), 5);
}
END_TEST

START_TEST(wrong_codes_at_the_same_moment_are_all_counted)
{
    enum { TRIES = 40 };
    static struct request requests[TRIES];
    static struct response responses[TRIES];
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    for (int i = 0; i < TRIES; i++)
        requests[i] = form_request("auth", code_form(ticket, wrong_code(i % 10)));
    http_send_all(requests, responses, TRIES, TRIES, NULL);
    int wrong = 0;
    for (int i = 0; i < TRIES; i++)
        wrong += responses[i].status == refusal_status(REFUSAL_CODE_WRONG);
    EXPECT_NUMBER(wrong, 4);
    EXPECT_NUMBER(wrong_codes_of(id), 5);
    EXPECT_TEXT(session_state(id), "failed");
}
END_TEST

static const char *const empty_codes[] = {"", " ", "\t "};

START_TEST(an_empty_code_is_not_counted)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    struct response page = submit("auth", code_form(ticket, empty_codes[_i]));
    EXPECT_STEP_REFUSED(page, REFUSAL_CODE_MISSING);
    EXPECT_TEXT(hidden_field(&page, "ticket"), ticket);
    EXPECT_NUMBER(wrong_codes_of(id), 0);
}
END_TEST

START_TEST(a_code_opens_one_session)
{
    const char *code = new_code(new_customer(1));
    EXPECT_STATUS(submit("auth", code_form(new_ticket(new_uuid(), "auth"), code)), 200);
    EXPECT_STEP_REFUSED(submit("auth", code_form(new_ticket(new_uuid(), "auth"), code)),
                        REFUSAL_CODE_WRONG);
}
END_TEST

START_TEST(a_new_code_voids_the_older)
{
    const char *customer = new_customer(1);
    const char *older = new_code(customer);
    const char *newer = new_code(customer);
    const char *ticket = new_ticket(new_uuid(), "auth");
    EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, older)), REFUSAL_CODE_WRONG);
    EXPECT_STATUS(submit("auth", code_form(ticket, newer)), 200);
}
END_TEST

START_TEST(a_code_lives_fifteen_minutes)
{
    SERVER(.own_clock = true);
    const char *customer = new_customer(1);
    const char *code = new_code(customer);
    clock_move(15 * 60);
    const char *ticket = new_ticket(new_uuid(), "auth");
    EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, code)), REFUSAL_CODE_WRONG);
    code = new_code(customer);
    clock_move(15 * 60 - 1);
    EXPECT_STATUS(submit("auth", code_form(ticket, code)), 200);
}
END_TEST

/* ---- what is sent twice ----------------------------------------------------- */

/* A double-click: both forms at the same moment; returns both answers. */
static void submit_twice(const char *fields, struct response answers[2])
{
    struct request requests[2] = {form_request("auth", fields), form_request("auth", fields)};
    http_send_all(requests, answers, 2, 2, NULL);
}

enum { DOUBLE_CLICKS = 10 };

START_TEST(a_code_that_is_sent_twice_leads_on_from_either_answer)
{
    for (int i = 0; i < DOUBLE_CLICKS; i++) {
        struct response answers[2];
        const char *id = new_uuid();
        const char *customer = new_customer(1);
        submit_twice(code_form(new_ticket(id, "auth"), new_code(customer)), answers);
        EXPECT_STATUS(answers[0], 200);
        EXPECT_STATUS(answers[1], 200);
        EXPECT_NUMBER(wrong_codes_of(id), 0);
        const char *continuation = hidden_field(&answers[i % 2], "continuation");
        EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")),
                        way_back());
        EXPECT_TEXT(session_state(id), "completed");
    }
}
END_TEST

static const char *const final_steps[] = {"confirm", "cancel"};

START_TEST(a_last_step_that_is_sent_twice_leads_back_twice_and_ends_once)
{
    const char *step = final_steps[_i];
    case_is(step);
    for (int i = 0; i < DOUBLE_CLICKS; i++) {
        struct response answers[2];
        const char *id = new_uuid();
        const char *customer = new_customer(1);
        submit_twice(step_form("continuation", new_confirmation(id, customer), step), answers);
        EXPECT_REDIRECT(answers[0], way_back());
        EXPECT_REDIRECT(answers[1], way_back());
        EXPECT_TEXT(session_state(id), _i == 0 ? "completed" : "declined");
        EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM delivery WHERE session_key = ?1", id), 1);
        EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM consent WHERE session_key = ?1", id),
                      _i == 0);
    }
}
END_TEST

START_TEST(a_step_after_the_last_one_changes_nothing)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *continuation = new_confirmation(id, customer);
    const char *step = final_steps[_i];
    const char *other = final_steps[1 - _i];
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, step)), way_back());
    const char *state = session_state(id);
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, other)), way_back());
    EXPECT_TEXT(session_state(id), state);
}
END_TEST

/* Back to the code's page, after the code was accepted. */
START_TEST(the_same_code_leads_on_again)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *code = new_code(customer);
    const char *ticket = new_ticket(id, "auth");
    struct response first = submit("auth", code_form(ticket, code));
    EXPECT_STATUS(visit("auth", ticket), 200);
    struct response second = submit("auth", code_form(ticket, code));
    EXPECT_STATUS(second, 200);
    EXPECT_TEXT(hidden_field(&second, "continuation"), hidden_field(&first, "continuation"));
    EXPECT_NUMBER(wrong_codes_of(id), 0);
}
END_TEST

/* Back, and a new code, since the customer thinks that the old one is used up. */
START_TEST(a_new_code_of_the_same_customer_leads_on_too)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *ticket = new_ticket(id, "auth");
    struct response first = submit("auth", code_form(ticket, new_code(customer)));
    const char *newer = new_code(customer);
    for (int i = 0; i < 2; i++) {
        struct response page = submit("auth", code_form(ticket, newer));
        EXPECT_STATUS(page, 200);
        EXPECT_TEXT(hidden_field(&page, "continuation"), hidden_field(&first, "continuation"));
    }
    EXPECT_NUMBER(wrong_codes_of(id), 0);
    EXPECT_STEP_REFUSED(submit("auth", code_form(new_ticket(new_uuid(), "auth"), newer)),
                        REFUSAL_CODE_WRONG);
}
END_TEST

/* Whoever opened the session has the ticket, too: it must not lead on by itself. */
START_TEST(another_code_does_not_lead_on_after_the_first)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    const char *other = new_customer(1);
    const char *first = new_customer(1);
    EXPECT_STATUS(submit("auth", code_form(ticket, new_code(first))), 200);
    const char *code = new_code(other);
    EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, code)), REFUSAL_CODE_WRONG);
    EXPECT_TEXT(session_column("customer_id", id), first);
    /* and that code wasn't used up by it */
    EXPECT_STATUS(submit("auth", code_form(new_ticket(new_uuid(), "auth"), code)), 200);
}
END_TEST

/* ---- what leads nowhere ----------------------------------------------------- */

static const char *flip_last(const char *secret)
{
    char *changed = scratch_copy(secret, strlen(secret));
    char *last = changed + strlen(changed) - 1;
    *last = *last == '0' ? '1' : '0';
    return changed;
}

START_TEST(a_tampered_ticket_leads_nowhere)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    const char *tampered = flip_last(ticket);
    const char *code = new_code(new_customer(1));
    EXPECT_STEP_REFUSED(visit("auth", tampered), REFUSAL_TICKET_UNKNOWN);
    EXPECT_STEP_REFUSED(submit("auth", code_form(tampered, code)), REFUSAL_TICKET_UNKNOWN);
    EXPECT_STEP_REFUSED(submit("auth", step_form("ticket", tampered, "cancel")),
                        REFUSAL_TICKET_UNKNOWN);
    EXPECT_TEXT(session_state(id), "opened");
    EXPECT_STATUS(submit("auth", code_form(ticket, code)), 200);
}
END_TEST

START_TEST(a_tampered_continuation_leads_nowhere)
{
    const char *id = new_uuid();
    const char *continuation = new_confirmation(id, new_customer(1));
    for (size_t i = 0; i < ROWS(final_steps); i++)
        EXPECT_STEP_REFUSED(
            submit("auth", step_form("continuation", flip_last(continuation), final_steps[i])),
            REFUSAL_CONTINUATION_UNKNOWN);
    EXPECT_TEXT(session_state(id), "opened");
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")), way_back());
}
END_TEST

START_TEST(a_ticket_confirms_nothing)
{
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    EXPECT_STATUS(submit("auth", code_form(ticket, new_code(new_customer(1)))), 200);
    EXPECT_STEP_REFUSED(submit("auth", step_form("ticket", ticket, "confirm")),
                        REFUSAL_STEP_UNKNOWN);
    EXPECT_STEP_REFUSED(submit("auth", step_form("continuation", ticket, "confirm")),
                        REFUSAL_CONTINUATION_UNKNOWN);
    EXPECT_TEXT(session_state(id), "opened");
}
END_TEST

START_TEST(a_ticket_of_the_other_flow_leads_nowhere)
{
    const char *other = endpoints[1 - _i];
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, endpoints[_i]);
    const char *code = new_code(new_customer(1));
    EXPECT_STEP_REFUSED(visit(other, ticket), REFUSAL_TICKET_UNKNOWN);
    EXPECT_STEP_REFUSED(submit(other, code_form(ticket, code)), REFUSAL_TICKET_UNKNOWN);
    EXPECT_TEXT(session_state(id), "opened");
}
END_TEST

#define SECRET_OF_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct {
    const char *name;
    const char *fields;
    enum refusal refusal;
} bad_forms[] = {
    {"empty", "", REFUSAL_CONTINUATION_MISSING},
    {"without either secret", "step=confirm", REFUSAL_CONTINUATION_MISSING},
    {"an unknown step", "ticket=" SECRET_OF_64 "&step=jump", REFUSAL_STEP_UNKNOWN},
    {"no step", "ticket=" SECRET_OF_64, REFUSAL_STEP_UNKNOWN},
    {"both secrets", "ticket=" SECRET_OF_64 "&continuation=" SECRET_OF_64 "&step=cancel",
     REFUSAL_STEP_UNKNOWN},
    {"an unknown ticket", "ticket=" SECRET_OF_64 "&step=code&code=1", REFUSAL_TICKET_UNKNOWN},
    {"a short ticket", "ticket=0123&step=code", REFUSAL_PARAMETER_MALFORMED},
    {"a ticket in capitals",
     "ticket=0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef&step=code",
     REFUSAL_PARAMETER_MALFORMED},
    {"a ticket twice", "ticket=" SECRET_OF_64 "&ticket=" SECRET_OF_64 "&step=code",
     REFUSAL_PARAMETER_TWICE},
    {"a step twice", "ticket=" SECRET_OF_64 "&step=code&step=cancel", REFUSAL_PARAMETER_TWICE},
    {"a bad escape", "ticket=" SECRET_OF_64 "&step=%zz", REFUSAL_PARAMETER_MALFORMED},
    {"an escaped NUL", "ticket=" SECRET_OF_64 "&step=code&code=%00", REFUSAL_PARAMETER_MALFORMED},
};

START_TEST(a_form_that_is_none_of_ours_leads_nowhere)
{
    case_is(bad_forms[_i].name);
    EXPECT_STEP_REFUSED(submit("auth", bad_forms[_i].fields), bad_forms[_i].refusal);
}
END_TEST

START_TEST(a_form_is_bounded)
{
    const char *ticket = new_ticket(new_uuid(), "auth");
    EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, repeat("1", 257))),
                        REFUSAL_PARAMETER_MALFORMED);
    EXPECT_STEP_REFUSED(submit("auth", code_form(ticket, repeat("1", 4096))),
                        REFUSAL_BODY_TOO_LARGE);
    EXPECT_STATUS(visit("auth", ticket), 200);
}
END_TEST

START_TEST(a_form_of_another_media_type_is_none)
{
    const char *id = new_uuid();
    struct request request =
        form_request("auth", step_form("ticket", new_ticket(id, "auth"), "cancel"));
    request.headers[0] = "Content-Type: text/plain";
    EXPECT_STEP_REFUSED(http_send(&request), REFUSAL_CONTINUATION_MISSING);
    EXPECT_TEXT(session_state(id), "opened");
}
END_TEST

/* ---- time ------------------------------------------------------------------- */

START_TEST(every_step_after_the_life_of_the_session_says_so_and_offers_the_way_back)
{
    SERVER(.own_clock = true);
    const char *customer = new_customer(1);
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    clock_move(1199 - 14 * 60);
    const char *code = new_code(customer);
    clock_move(14 * 60);
    struct response page = submit("auth", code_form(ticket, code));
    EXPECT_STATUS(page, 200); /* the last second is good */
    const char *continuation = hidden_field(&page, "continuation");
    clock_move(1);
    const struct response late[] = {
        visit("auth", ticket),
        submit("auth", code_form(ticket, code)),
        submit("auth", step_form("ticket", ticket, "cancel")),
        submit("auth", step_form("continuation", continuation, "confirm")),
        submit("auth", step_form("continuation", continuation, "cancel")),
    };
    for (size_t i = 0; i < ROWS(late); i++) {
        EXPECT_STEP_REFUSED(late[i], REFUSAL_JOURNEY_EXPIRED);
        EXPECT(strstr(late[i].body, REDIRECT_URI) != NULL, "no way back in %s", late[i].body);
    }
    EXPECT_TEXT(session_state(id), "opened");
    EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM delivery WHERE session_key = ?1", id), 0);
}
END_TEST

START_TEST(an_abandoned_journey_is_cancelled_shortly_before_it_expires)
{
    SERVER(.own_clock = true);
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    const char *never_opened = new_uuid();
    arm(never_opened);
    clock_move(1200 - 121);
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    EXPECT_TEXT(session_state(id), "opened");
    clock_move(1);
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    expect_standing(id, "declined", "abandoned");
    EXPECT_TEXT(session_state(never_opened), "notified");
    struct response page = visit("auth", ticket);
    EXPECT_STATUS(page, 200);
    EXPECT(strstr(page.body, REDIRECT_URI) != NULL, "no way back in %s", page.body);
}
END_TEST

/* ---- re-authorisation ------------------------------------------------------- */

START_TEST(the_owner_of_an_account_renews_its_connection)
{
    const char *id = new_uuid();
    const char *customer = new_customer(2);
    const char *ticket = new_renewal(id, account_of(customer, 2));
    struct response page = submit("authrefresh", code_form(ticket, new_code(customer)));
    EXPECT_STATUS(page, 200);
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT_STEP_REFUSED(submit("auth", step_form("continuation", continuation, "confirm")),
                        REFUSAL_CONTINUATION_UNKNOWN);
    EXPECT_REDIRECT(submit("authrefresh", step_form("continuation", continuation, "confirm")),
                    way_back());
    expect_standing(id, "completed", "confirmed");
    EXPECT_TEXT(ROW_TEXT("SELECT flow FROM consent WHERE customer_id = ?1", customer),
                "re-authorisation");
}
END_TEST

START_TEST(nobody_renews_the_connection_of_another)
{
    const char *id = new_uuid();
    const char *owner = new_customer(1);
    const char *other = new_customer(1);
    const char *ticket =
        new_renewal(id, _i == 0 ? account_of(owner, 1) : "an account that isn't there");
    struct response page = submit("authrefresh", code_form(ticket, new_code(other)));
    EXPECT_STEP_REFUSED(page, REFUSAL_ACCOUNT_OF_ANOTHER);
    EXPECT(strstr(page.body, "Current") == NULL, "accounts are listed: %s", page.body);
    EXPECT(strstr(page.body, REDIRECT_URI) != NULL, "no way back in %s", page.body);
    expect_standing(id, "failed", "account_of_another");
    EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM consent WHERE customer_id = ?1", other), 0);
}
END_TEST

/* ---- giving up -------------------------------------------------------------- */

START_TEST(a_customer_may_give_up_before_and_after_the_code)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *form = _i == 0
                           ? step_form("ticket", new_ticket(id, "auth"), "cancel")
                           : step_form("continuation", new_confirmation(id, customer), "cancel");
    EXPECT_REDIRECT(submit("auth", form), way_back());
    expect_standing(id, "declined", "customer_cancelled");
    EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM consent WHERE customer_id = ?1", customer), 0);
}
END_TEST

/* ---- languages -------------------------------------------------------------- */

static const struct {
    const char *accept;
    const char *language;
} languages[] = {
    {"Accept-Language: fr", "fr"},
    {"Accept-Language: fr-CH, en;q=0.5", "fr"},
    {"Accept-Language: de, fr;q=0.3, en;q=0.2", "fr"},
    {"Accept-Language: en;q=0.2, fr;q=0.1", "en"},
    {"Accept-Language: de", "en"},
    {"Accept-Language: ;;;,q=", "en"},
    {"Accept: text/html", "en"},
};

START_TEST(pages_speak_the_customers_language)
{
    case_is(languages[_i].accept);
    const char *ticket = new_ticket(new_uuid(), "auth");
    struct request request = {.path = scratch_format("/auth?ticket=%s", ticket),
                              .headers = {languages[_i].accept}};
    struct response page = http_send(&request);
    EXPECT_STATUS(page, 200);
    EXPECT(strstr(page.body, scratch_format("<html lang=\"%s\"", languages[_i].language)) != NULL,
           "another language: %s", page.body);
}
END_TEST

Suite *journey_rules(void)
{
    Suite *suite = suite_create("journey");
    ADD_ROWS(suite, a_browser_on_its_way_is_sent_on_to_the_page_of_its_ticket, ROWS(endpoints));
    ADD_ROWS(suite, who_fetches_the_page_for_another_gets_one_link_and_no_field, 3);
    ADD_TEST(suite, the_page_of_a_ticket_can_be_reloaded);
    ADD_TEST(suite, only_hashes_of_ticket_and_continuation_are_stored);
    ADD_TEST(suite, a_customer_who_confirms_is_sent_back_to_sage);
    ADD_TEST(suite, a_confirmation_leaves_a_record_of_the_consent);
    ADD_TEST(suite, a_customer_who_is_forgotten_meanwhile_can_confirm_nothing);
    ADD_TEST(suite, account_names_are_escaped);
    ADD_ROWS(suite, the_state_is_joined_to_the_redirect_uri, ROWS(returns));
    ADD_TEST(suite, a_wrong_code_is_counted_and_may_be_tried_again);
    ADD_TEST(suite, five_wrong_codes_end_the_session);
    ADD_TEST(suite, wrong_codes_at_the_same_moment_are_all_counted);
    ADD_ROWS(suite, an_empty_code_is_not_counted, ROWS(empty_codes));
    ADD_TEST(suite, a_code_opens_one_session);
    ADD_TEST(suite, a_new_code_voids_the_older);
    ADD_TEST(suite, a_code_lives_fifteen_minutes);
    ADD_TEST(suite, a_code_that_is_sent_twice_leads_on_from_either_answer);
    ADD_ROWS(suite, a_last_step_that_is_sent_twice_leads_back_twice_and_ends_once,
             ROWS(final_steps));
    ADD_ROWS(suite, a_step_after_the_last_one_changes_nothing, ROWS(final_steps));
    ADD_TEST(suite, the_same_code_leads_on_again);
    ADD_TEST(suite, a_new_code_of_the_same_customer_leads_on_too);
    ADD_TEST(suite, another_code_does_not_lead_on_after_the_first);
    ADD_TEST(suite, a_tampered_ticket_leads_nowhere);
    ADD_TEST(suite, a_tampered_continuation_leads_nowhere);
    ADD_TEST(suite, a_ticket_confirms_nothing);
    ADD_ROWS(suite, a_ticket_of_the_other_flow_leads_nowhere, ROWS(endpoints));
    ADD_ROWS(suite, a_form_that_is_none_of_ours_leads_nowhere, ROWS(bad_forms));
    ADD_TEST(suite, a_form_is_bounded);
    ADD_TEST(suite, a_form_of_another_media_type_is_none);
    ADD_TEST(suite, every_step_after_the_life_of_the_session_says_so_and_offers_the_way_back);
    ADD_TEST(suite, an_abandoned_journey_is_cancelled_shortly_before_it_expires);
    ADD_TEST(suite, the_owner_of_an_account_renews_its_connection);
    ADD_ROWS(suite, nobody_renews_the_connection_of_another, 2);
    ADD_ROWS(suite, a_customer_may_give_up_before_and_after_the_code, 2);
    ADD_ROWS(suite, pages_speak_the_customers_language, ROWS(languages));
    return suite;
}
