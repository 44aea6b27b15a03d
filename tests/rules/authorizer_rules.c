/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "front.h"
#include "gated.h"
#include "passed_on.h"

#include <string.h>

/*
 * In front of the provider's own application, with the shipped authorizer.conf
 * of each web server: whoever may pass reaches the application once and with
 * all that Sage sent, and nobody else ever does.
 */

START_TEST(what_may_pass_reaches_the_application_with_all_that_sage_sent)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    authorisation_is_passed_on();
}
END_TEST

START_TEST(a_renewal_is_passed_on_with_its_account)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    renewal_is_passed_on();
}
END_TEST

static struct request list_request(const char *external_id, const char *token)
{
    return through_front(LISTING(.external_id = external_id, .token = token));
}

START_TEST(sage_is_passed_on_to_the_applications_accounts)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    sage_is_passed_on();
}
END_TEST

/* ---- what may not ------------------------------------------------------------ */

enum preparation { NOTHING, ARMED, USED, EXPIRED, LOCKED };

static const struct {
    const char *name;
    enum refusal refusal;
    enum preparation prepared;
    struct opening opening;
} refused_openings[] = {
    {"POST", REFUSAL_METHOD_NOT_ALLOWED, ARMED, {.method = "POST"}},
    {"HEAD", REFUSAL_METHOD_NOT_ALLOWED, ARMED, {.method = "HEAD"}},
    {"PUT", REFUSAL_METHOD_NOT_ALLOWED, ARMED, {.method = "PUT"}},
    {"prefetch", REFUSAL_PREFETCH, ARMED, {.headers = {"Sec-Purpose: prefetch"}}},
    {"no state", REFUSAL_PARAMETER_MISSING, ARMED, {.state = OMIT}},
    {"ticket alone",
     REFUSAL_PARAMETER_MISSING,
     ARMED,
     {.query = "ticket=0000000000000000000000000000000000000000000000000000000000000000"}},
    {"id twice", REFUSAL_PARAMETER_TWICE, ARMED, {.more_query = "&authorisation_id=x"}},
    {"malformed state", REFUSAL_PARAMETER_MALFORMED, ARMED, {.state = "x"}},
    {"other host", REFUSAL_REDIRECT_URI_REFUSED, ARMED, {.redirect_uri = "https://evil.example/"}},
    {"unknown", REFUSAL_SESSION_UNKNOWN, NOTHING, {.usual = 0}},
    {"used", REFUSAL_SESSION_USED, USED, {.usual = 0}},
    {"expired", REFUSAL_SESSION_EXPIRED, EXPIRED, {.usual = 0}},
    {"other bank", REFUSAL_SESSION_BANK, ARMED, {.bank = "bbbbbbbb-bbbb-4ccc-8ddd-eeeeeeeeeeee"}},
    {"store busy", REFUSAL_STORE_BUSY, LOCKED, {.usual = 0}},
    {"renewal, POST",
     REFUSAL_METHOD_NOT_ALLOWED,
     ARMED,
     {.endpoint = "authrefresh", .method = "POST"}},
    {"renewal, no externalId",
     REFUSAL_PARAMETER_MISSING,
     ARMED,
     {.endpoint = "authrefresh", .external_id = OMIT}},
    {"renewal, space before externalId",
     REFUSAL_PARAMETER_MALFORMED,
     ARMED,
     {.endpoint = "authrefresh", .external_id = " account"}},
    {"renewal, space behind bankaccount",
     REFUSAL_PARAMETER_MALFORMED,
     ARMED,
     {.endpoint = "authrefresh", .bank = "account "}},
    {"renewal, used", REFUSAL_SESSION_USED, USED, {.endpoint = "authrefresh"}},
};

static void prepare(enum preparation preparation, const char *id)
{
    if (preparation != NOTHING)
        arm(id);
    if (preparation == USED)
        EXPECT_OPENED(OPEN(.id = id), id);
    if (preparation == EXPIRED)
        (void)ROW_TEXT("UPDATE authorisation_session SET expires_at = notified_at "
                       "WHERE authorisation_id = ?1",
                       id);
    if (preparation == LOCKED)
        store_lock();
}

START_TEST(what_is_refused_never_reaches_the_application)
{
    front_start(fronts[_i]);
    for (size_t i = 0; i < ROWS(refused_openings); i++) {
        case_is(scratch_format("%s: %s", fronts[_i], refused_openings[i].name));
        struct opening opening = refused_openings[i].opening;
        opening.id = new_uuid();
        prepare(refused_openings[i].prepared, opening.id);
        struct request request = through_front(opening_request(&opening));
        struct response response = http_send(&request);
        if (refused_openings[i].prepared == LOCKED)
            store_unlock();
        EXPECT_REFUSED(response, refused_openings[i].refusal);
        EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "refused"), 1);
        if (refused_openings[i].prepared == ARMED)
            EXPECT_TEXT(session_state(opening.id), "notified");
    }
    EXPECT_NUMBER(application_requests(), 0);
}
END_TEST

START_TEST(who_is_not_sage_never_reaches_the_applications_accounts)
{
    front_start(fronts[_i]);
    const struct {
        const char *name;
        enum refusal refusal;
        struct listing listing;
    } rows[] = {
        {"POST", REFUSAL_METHOD_NOT_ALLOWED, {.method = "POST"}},
        {"no token", REFUSAL_TOKEN_MISSING, {.authorization = OMIT}},
        {"no JWT", REFUSAL_TOKEN_MALFORMED, {.token = "x"}},
        {"forged", REFUSAL_TOKEN_SIGNATURE, {.token = TOKEN(.damage = DAMAGE_SIGNATURE_BYTE)}},
        {"other issuer", REFUSAL_TOKEN_ISSUER, {.token = TOKEN(.iss = "\"https://x/\"")}},
        {"other scope", REFUSAL_TOKEN_SCOPE, {.token = TOKEN(.scope = "\"WebhooksLambda\"")}},
        {"no externalId", REFUSAL_PARAMETER_MISSING, {.query = "other=1"}},
        {"externalId twice", REFUSAL_PARAMETER_TWICE, {.query = "externalId=a&externalId=b"}},
        {"space at the end", REFUSAL_PARAMETER_MALFORMED, {.query = "externalId=a%20"}},
    };
    for (size_t i = 0; i < ROWS(rows); i++) {
        case_is(scratch_format("%s: %s", fronts[_i], rows[i].name));
        struct request request = through_front(listing_request(&rows[i].listing));
        EXPECT_REFUSED(http_send(&request), rows[i].refusal);
    }
    EXPECT_NUMBER(application_requests(), 0);
}
END_TEST

START_TEST(addresses_and_the_key_header_guard_the_applications_accounts_too)
{
    case_is(fronts[_i]);
    SERVER(.settings = {"network.sage_addresses_file = sage.addresses",
                        "availableaccounts.require_key_header = yes"},
           .files = {{"sage.addresses", "127.0.0.1\n"}});
    front_start(fronts[_i]);
    struct request request = list_request("a", NULL);
    EXPECT_REFUSED(http_send(&request), REFUSAL_KEY_HEADER_MISSING);
    struct request with_key = through_front(LISTING(.external_id = "a", .key = SERVER_KEY));
    EXPECT_NUMBER(http_send(&with_key).status, 200);
    SERVER(.settings = {"network.sage_addresses_file = sage.addresses"},
           .files = {{"sage.addresses", "192.0.2.0/24\n"}});
    front_start(fronts[_i]);
    request = list_request("a", NULL);
    EXPECT_REFUSED(http_send(&request), REFUSAL_ADDRESS_REFUSED);
    EXPECT_NUMBER(application_requests(), 0);
}
END_TEST

START_TEST(a_second_ask_is_refused_as_used)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    second_ask_is_refused();
}
END_TEST

START_TEST(of_ten_asks_at_once_one_passes)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    one_of_ten_asks_passes();
}
END_TEST

/* ---- what the application trusts ------------------------------------------------ */

static const char *const forgeries[] = {
    "AUTHORISATION-ID: forged",
    "Authorisation_Id: forged",
    "Variable-AUTHORISATION_ID: forged",
    "STATE: forged",
    "FLOW: forged",
    "EXTERNAL-ID: forged",
    "FCGI-ROLE: AUTHORIZER",
    "FEEDGATE-ROLE: REFUSAL",
    "X-Feedgate-Refusal: none",
    "REMOTE-USER: forged",
};

START_TEST(what_a_client_sends_is_never_taken_for_what_the_gate_says)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    const char *id = new_uuid();
    arm(id);
    struct request request =
        through_front(OPENING(.id = id, .state = CUSTOMER_STATE,
                              .more_query = "&AUTHORISATION_ID=forged&EXTERNAL_ID=forged"));
    for (size_t i = 0; i < ROWS(forgeries); i++)
        request.headers[i] = forgeries[i];
    struct response page = ask_and_pass(request, "session_passed_on");
    expect_variable(&page, "AUTHORISATION_ID", id);
    expect_variable(&page, "STATE", CUSTOMER_STATE);
    expect_variable(&page, "FLOW", "authorisation");
    expect_variable(&page, "EXTERNAL_ID", NULL);
    expect_variable(&page, "FEEDGATE_ROLE", NULL);
    expect_variable(&page, "FCGI_ROLE", "RESPONDER");
    /* Where nobody is asked, there is nothing to be trusted. */
    request.path = "/connect?AUTHORISATION_ID=forged";
    page = http_send(&request);
    EXPECT_NUMBER(page.status, 200);
    expect_variable(&page, "AUTHORISATION_ID", NULL);
    expect_variable(&page, "EXTERNAL_ID", NULL);
}
END_TEST

/* `*` is the query of a good request. */
static const char *const ways[] = {
    "/auth/?*",
    "//auth?*",
    "/AUTH?*",
    "/Auth?*",
    "/%61uth?*",
    "/auth%2f?*",
    "/auth%00?*",
    "/auth;x=1?*",
    "/auth.?*",
    "/auth%20?*",
    "/./auth?*",
    "/x/../auth?*",
    "/auth/x?*",
    "/auth/index?*",
    "/auth/../auth?*",
    "/%2fauth?*",
    "/%2e/auth?*",
    "/auth%3f*",
    "/authrefresh/?*",
    "//authrefresh?*",
    "/auth?x?*",
    "/feedgate-gate/auth?*",
    "/connect/../auth?*",
    "/connect/..%2fauth?*",
    "/availableaccounts/?externalId=a",
    "//availableaccounts?externalId=a",
    "/%61vailableaccounts?externalId=a",
    "/feedgate-gate/availableaccounts?externalId=a",
};

START_TEST(no_other_spelling_leads_past_the_gate)
{
    static const char *const methods[] = {"GET", "POST", "HEAD", "OPTIONS", "auth"};
    front_start(fronts[_i]);
    for (size_t i = 0; i < ROWS(ways); i++) {
        for (size_t j = 0; j < ROWS(methods); j++) {
            case_is(scratch_format("%s: %s %s", fronts[_i], methods[j], ways[i]));
            const char *id = new_uuid();
            arm(id);
            const char *query = strchr(OPENING(.id = id).path, '?') + 1;
            struct request request = through_front(
                (struct request){.path = fill_in(ways[i], '*', query), .method = methods[j]});
            size_t before = application_requests();
            struct response response = http_send(&request);
            bool passed = strcmp(session_state(id), "opened") == 0;
            EXPECT_NUMBER(application_requests() - before, passed ? 1 : 0);
            if (passed) /* it was another spelling of /auth, and the gate was asked */
                expect_variable(&response, "AUTHORISATION_ID", id);
        }
    }
}
END_TEST

START_TEST(while_the_gate_does_not_answer_nobody_passes)
{
    case_is(fronts[_i]);
    SERVER(.threads = 4); /* its own, since it is ended */
    const char *id = new_uuid();
    arm(id);
    front_start(fronts[_i]);
    if (!front_end_endpoints())
        server_stop();
    struct request request = through_front(OPENING(.id = id));
    EXPECT(http_send(&request).status >= 500, "%s", "an answer came");
    request = list_request("a", TOKEN());
    EXPECT(http_send(&request).status >= 500, "%s", "an answer came");
    EXPECT_NUMBER(application_requests(), 0);
}
END_TEST

/* Some web servers take an Authorizer's missing answer for permission. */
START_TEST(a_refusal_that_memory_is_out_for_reaches_no_application)
{
    case_is(fronts[_i]);
    SERVER(.preload = "tests/support/preload/setups.so", .environment = "TEST_FAULT=@/fault");
    front_start(fronts[_i]);
    server_write_file("fault", "page");
    struct response response = ASK_FRONT(.id = "no-uuid");
    EXPECT(response.status >= 400, "it is answered with %d", response.status);
    EXPECT_NUMBER(application_requests(), 0);
}
END_TEST

START_TEST(check_sees_through_the_gate)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    struct request any = through_front(OPENING(.id = NULL));
    struct run run = FEEDGATE("check", "--url", any.base);
    static const char *const reached[] = {"auth", "authrefresh", "availableaccounts"};
    for (size_t i = 0; i < ROWS(reached); i++)
        EXPECT(strstr(run.output, scratch_format("ok    web server: /%s is reached", reached[i])) !=
                   NULL,
               "%s", run.output);
    EXPECT_NUMBER(application_requests(), 0);
}
END_TEST

/* ---- the whole way -------------------------------------------------------------- */

START_TEST(the_customer_comes_through_the_application_to_sage_and_back)
{
    case_is(fronts[_i]);
    front_start(fronts[_i]);
    const char *id = new_uuid();
    arm(id);
    struct response page = ASK_FRONT(.id = id, .state = CUSTOMER_STATE);
    EXPECT_NUMBER(page.status, 200);
    const char *fields =
        scratch_format("journey=%s&status=success", hidden_field(&page, "journey"));
    struct request form = through_front(form_request("connect", fields));
    struct response sent_on = http_send(&form);
    EXPECT_NUMBER(sent_on.status, 303);
    EXPECT_TEXT(response_header(&sent_on, "Location"), way_back());
    EXPECT_NUMBER(sage_api_answered(server_sage_api(), id, 200), 1);
    EXPECT_TEXT(session_state(id), "completed");
    EXPECT_TEXT(ROW_TEXT("SELECT body FROM delivery WHERE authorisation_id = ?1", id),
                "{\"data\":{\"status\":\"success\",\"bankAccounts\":[{\"bankAccountExternalId\":"
                "\"application-1\",\"accountName\":\"Current\",\"bankIdentifier\":\"000001\","
                "\"branchIdentifier\":\"main\",\"accountIdentifier\":\"0042\"}]}}");
}
END_TEST

/* ---- without a web server in between ------------------------------------------------ */

START_TEST(nothing_but_plain_text_gets_into_what_is_passed_on)
{
    static const char *const values[] = {
        "a\r\nVariable-STATE: b", "a\nb", "a\x7f", "\xC3\xA9", " a", "a ", "\ta"};
    for (size_t i = 0; i < ROWS(values); i++) {
        case_is(percent_encoded(values[i]));
        const char *id = new_uuid();
        arm(id);
        EXPECT_REFUSED(ASK_GATE(.id = id, .endpoint = "authrefresh", .external_id = values[i]),
                       REFUSAL_PARAMETER_MALFORMED);
        EXPECT_TEXT(session_state(id), "notified");
    }
}
END_TEST

START_TEST(a_role_that_is_not_known_opens_nothing)
{
    static const char *const roles[] = {"FEEDGATE_ROLE=authorizer", "FEEDGATE_ROLE=RESPONDER",
                                        "FEEDGATE_ROLE= "};
    for (size_t i = 0; i < ROWS(roles); i++) {
        case_is(roles[i]);
        const char *id = new_uuid();
        arm(id);
        struct request request = OPENING(.id = id);
        const char *const variables[] = {roles[i], NULL};
        EXPECT_REFUSED(fastcgi_exchange_as(&request, FASTCGI_RESPONDER, variables),
                       REFUSAL_INTERNAL);
        EXPECT_TEXT(session_state(id), "notified");
    }
}
END_TEST

START_TEST(a_subrequest_is_refused_with_403_and_the_word)
{
    static const char *const variables[] = {"FEEDGATE_ROLE=AUTHORIZER", NULL};
    struct request request = OPENING(.id = new_uuid());
    struct response response = fastcgi_exchange_as(&request, FASTCGI_RESPONDER, variables);
    EXPECT_NUMBER(response.status, 403);
    EXPECT_TEXT(response_header(&response, "X-Feedgate-Refusal"), "session_unknown");
    EXPECT_NUMBER(response.body_length, 0);
}
END_TEST

START_TEST(endpoints_that_gate_nothing_refuse_to)
{
    static const char *const paths[] = {"/notification", "/code", "/complete"};
    for (size_t i = 0; i < ROWS(paths); i++) {
        case_is(paths[i]);
        EXPECT_NUMBER(gate_ask(&(struct request){.path = paths[i]}).status, 405);
    }
}
END_TEST

Suite *authorizer_rules(void)
{
    Suite *suite = suite_create("authorizer");
    ADD_ROWS(suite, what_may_pass_reaches_the_application_with_all_that_sage_sent, FRONTS);
    ADD_ROWS(suite, a_renewal_is_passed_on_with_its_account, FRONTS);
    ADD_ROWS(suite, sage_is_passed_on_to_the_applications_accounts, FRONTS);
    ADD_ROWS(suite, what_is_refused_never_reaches_the_application, FRONTS);
    ADD_ROWS(suite, who_is_not_sage_never_reaches_the_applications_accounts, FRONTS);
    ADD_ROWS(suite, addresses_and_the_key_header_guard_the_applications_accounts_too, FRONTS);
    ADD_ROWS(suite, a_second_ask_is_refused_as_used, FRONTS);
    ADD_ROWS(suite, of_ten_asks_at_once_one_passes, FRONTS);
    ADD_ROWS(suite, what_a_client_sends_is_never_taken_for_what_the_gate_says, FRONTS);
    ADD_ROWS(suite, no_other_spelling_leads_past_the_gate, FRONTS);
    ADD_ROWS(suite, while_the_gate_does_not_answer_nobody_passes, FRONTS);
    ADD_ROWS(suite, a_refusal_that_memory_is_out_for_reaches_no_application, FRONTS);
    ADD_ROWS(suite, check_sees_through_the_gate, FRONTS);
    ADD_ROWS(suite, the_customer_comes_through_the_application_to_sage_and_back, FRONTS);
    ADD_TEST(suite, nothing_but_plain_text_gets_into_what_is_passed_on);
    ADD_TEST(suite, a_role_that_is_not_known_opens_nothing);
    ADD_TEST(suite, a_subrequest_is_refused_with_403_and_the_word);
    ADD_TEST(suite, endpoints_that_gate_nothing_refuse_to);
    return suite;
}
