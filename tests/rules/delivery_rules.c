/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <signal.h>
#include <string.h>

/* What Sage hears of a journey's end, also when Sage is down or a process dies in between. */

static const char *const access_token = "Bearer token-1";

/* The only PATCH of the server's Sage API so far. */
static const struct sage_request *only_patch(void)
{
    struct sage_api *api = server_sage_api();
    EXPECT_NUMBER(sage_api_patch_count(api), 1);
    return sage_api_patch_request(api, 0);
}

static void expect_patch(const struct sage_request *request, const char *id, const char *body)
{
    EXPECT_TEXT(request->method, "PATCH");
    EXPECT_TEXT(request->path, scratch_format("/v1/authorisations/%s", id));
    EXPECT_TEXT(request->api_key, SERVER_API_KEY);
    EXPECT_TEXT(request->authorization, access_token);
    EXPECT_TEXT(request->content_type, "application/json");
    EXPECT_TEXT(request->body, body);
}

static const char *account_report(const char *customer, int number)
{
    return scratch_format("{\"bankAccountExternalId\":\"%s\",\"accountName\":\"Current ****%04d\","
                          "\"bankIdentifier\":\"000001\",\"branchIdentifier\":\"main\","
                          "\"accountIdentifier\":\"%s%04d\"}",
                          account_of(customer, number), number, customer, number);
}

static struct response confirm(const char *continuation)
{
    return submit("auth", step_form("continuation", continuation, "confirm"));
}

static const char *delivery(const char *column, const char *id)
{
    return ROW_TEXT(scratch_format("SELECT %s FROM deliveries WHERE authorisation_id = ?1", column),
                    id);
}

#define EXPECT_DELIVERY(id, state, answer)                                                         \
    do {                                                                                           \
        EXPECT_TEXT(delivery("state", id), state);                                                 \
        EXPECT_TEXT(delivery("answer", id), answer);                                               \
    } while (0)

static void deliver(void)
{
    (void)FEEDGATE("deliver", "--once"); /* what it did is asked of Sage and of the database */
}

/* ---- what is said ------------------------------------------------------------ */

START_TEST(sage_gets_all_accounts_of_a_customer_who_confirmed)
{
    SERVER(.sage_api = new_sage_api());
    const char *id = upper_case(new_uuid()); /* Sage gets the form that it sent */
    const char *customer = new_customer(2);
    EXPECT_REDIRECT(confirm(new_confirmation(id, customer)), way_back());
    expect_patch(only_patch(), id,
                 scratch_format("{\"data\":{\"status\":\"success\",\"bankAccounts\":[%s,%s]}}",
                                account_report(customer, 1), account_report(customer, 2)));
    EXPECT_DELIVERY(id, "delivered", "status 200");
}
END_TEST

static const struct {
    const char *setting;
    const char *body;
} renewals[] = {
    {"provider_api.reauthorisation_accounts = omit", "{\"data\":{\"status\":\"success\"}}"},
    {"provider_api.reauthorisation_accounts = empty",
     "{\"data\":{\"status\":\"success\",\"bankAccounts\":[]}}"},
};

START_TEST(a_renewal_is_told_as_it_is_configured)
{
    case_is(renewals[_i].setting);
    SERVER(.sage_api = new_sage_api(), .settings = {renewals[_i].setting});
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *ticket = new_renewal(id, account_of(customer, 1));
    struct response page = submit("authrefresh", code_form(ticket, new_code(customer)));
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT_REDIRECT(submit("authrefresh", step_form("continuation", continuation, "confirm")),
                    way_back());
    expect_patch(only_patch(), id, renewals[_i].body);
}
END_TEST

static const struct {
    const char *setting;
    const char *word;
} cancellations[] = {
    {"provider_api.cancelled_status = cancelled", "cancelled"},
    {"provider_api.cancelled_status = declined", "declined"},
};

START_TEST(a_cancellation_is_told_in_the_configured_word)
{
    case_is(cancellations[_i].setting);
    SERVER(.sage_api = new_sage_api(), .settings = {cancellations[_i].setting});
    const char *id = new_uuid();
    EXPECT_REDIRECT(submit("auth", step_form("ticket", new_ticket(id, "auth"), "cancel")),
                    way_back());
    expect_patch(only_patch(), id,
                 scratch_format("{\"data\":{\"status\":\"%s\"}}", cancellations[_i].word));
}
END_TEST

START_TEST(sage_hears_of_an_error_when_codes_are_exhausted)
{
    SERVER(.sage_api = new_sage_api());
    const char *id = new_uuid();
    const char *ticket = new_ticket(id, "auth");
    for (int i = 0; i < 5; i++)
        (void)submit("auth", code_form(ticket, "0000-0000"));
    expect_patch(only_patch(), id, "{\"data\":{\"status\":\"error\"}}");
}
END_TEST

START_TEST(looking_at_a_failed_journey_calls_nobody)
{
    static const struct sage_reply down[] = {{.status = 500}};
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    sage_api_patches(server_sage_api(), down, 1);
    const char *ticket = new_ticket(new_uuid(), "auth");
    for (int i = 0; i < 5; i++)
        (void)submit("auth", code_form(ticket, "0000-0000"));
    clock_move(60);
    EXPECT_STEP_REFUSED(visit("auth", ticket), REFUSAL_JOURNEY_ENDED);
    EXPECT_NUMBER(sage_api_patch_count(server_sage_api()), 1);
}
END_TEST

START_TEST(sage_hears_of_an_error_when_another_renews)
{
    SERVER(.sage_api = new_sage_api());
    const char *id = new_uuid();
    const char *ticket = new_renewal(id, account_of(new_customer(1), 1));
    EXPECT_STEP_REFUSED(submit("authrefresh", code_form(ticket, new_code(new_customer(1)))),
                        REFUSAL_ACCOUNT_OF_ANOTHER);
    expect_patch(only_patch(), id, "{\"data\":{\"status\":\"error\"}}");
}
END_TEST

START_TEST(an_abandoned_journey_is_told_as_cancelled)
{
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    const char *id = new_uuid();
    (void)new_ticket(id, "auth");
    clock_move(1200 - 120);
    deliver();
    expect_patch(only_patch(), id, "{\"data\":{\"status\":\"cancelled\"}}");
}
END_TEST

START_TEST(one_token_serves_all_processes)
{
    enum { JOURNEYS = 6 };
    SERVER(.sage_api = new_sage_api());
    for (int i = 0; i < JOURNEYS; i++)
        EXPECT_REDIRECT(confirm(new_confirmation(new_uuid(), new_customer(1))), way_back());
    EXPECT_NUMBER(sage_api_patch_count(server_sage_api()), JOURNEYS);
    EXPECT_NUMBER(sage_api_token_count(server_sage_api()), 1);
}
END_TEST

START_TEST(no_secret_is_in_the_log)
{
    SERVER(.sage_api = new_sage_api(), .settings = {"log.level = debug"});
    size_t mark = log_mark();
    static const struct sage_reply unwilling[] = {{.status = 500}};
    sage_api_patches(server_sage_api(), unwilling, 1);
    EXPECT_REDIRECT(confirm(new_confirmation(new_uuid(), new_customer(1))), way_back());
    AWAIT(LOG_COUNT(mark, "event", "result_waiting") == 1, "%s", log_since(mark));
    static const char *const secrets[] = {"token-1", SERVER_API_KEY, SERVER_CLIENT_SECRET};
    for (size_t i = 0; i < ROWS(secrets); i++)
        EXPECT(strstr(log_since(mark), secrets[i]) == NULL, "%s is in the log", secrets[i]);
}
END_TEST

/* ---- when Sage is unwilling -------------------------------------------------- */

static const struct {
    const char *name;
    struct sage_reply reply;
    const char *state; /* after the first try */
} faults[] = {
    {"500", {.status = 500}, "waiting"},
    {"503", {.status = 503}, "waiting"},
    {"408", {.status = 408}, "waiting"},
    {"429", {.status = 429, .retry_after = "7"}, "waiting"},
    {"a cut connection", {.status = 200, .manner = SAGE_CUTS}, "waiting"},
    {"half an answer", {.status = 200, .manner = SAGE_HALVES}, "waiting"},
    {"400", {.status = 400}, "failed"},
    {"403", {.status = 403}, "failed"},
    {"404", {.status = 404}, "failed"},
    {"409", {.status = 409}, "failed"},
};

/* Whatever Sage says, the customer goes back, and what may get better is tried again. */
START_TEST(an_unwilling_sage_is_asked_again_with_the_same_bytes)
{
    case_is(faults[_i].name);
    struct sage_reply replies[2] = {faults[_i].reply, {.status = 200}};
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    struct sage_api *api = server_sage_api();
    sage_api_patches(api, replies, 2);
    const char *id = new_uuid();
    EXPECT_REDIRECT(confirm(new_confirmation(id, new_customer(1))), way_back());
    EXPECT_TEXT(delivery("state", id), faults[_i].state);
    clock_move(60);
    deliver();
    bool again = strcmp(faults[_i].state, "waiting") == 0;
    EXPECT_TEXT(delivery("state", id), again ? "delivered" : "failed");
    EXPECT_NUMBER(sage_api_patch_count(api), again ? 2 : 1);
    if (again)
        EXPECT_TEXT(sage_api_patch_request(api, 1)->body, sage_api_patch_request(api, 0)->body);
}
END_TEST

START_TEST(a_token_that_sage_refuses_is_replaced_once)
{
    static const struct sage_reply replies[] = {{.status = 401}, {.status = 200}};
    SERVER(.sage_api = new_sage_api());
    struct sage_api *api = server_sage_api();
    sage_api_patches(api, replies, 2);
    const char *id = new_uuid();
    EXPECT_REDIRECT(confirm(new_confirmation(id, new_customer(1))), way_back());
    EXPECT_DELIVERY(id, "delivered", "status 200");
    EXPECT_NUMBER(sage_api_token_count(api), 2);
    EXPECT_TEXT(sage_api_patch_request(api, 1)->authorization, "Bearer token-2");
}
END_TEST

START_TEST(sage_is_asked_until_ten_minutes_after_the_session)
{
    static const struct sage_reply down[] = {{.status = 503}};
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    struct sage_api *api = server_sage_api();
    sage_api_patches(api, down, 1);
    const char *id = new_uuid();
    EXPECT_REDIRECT(confirm(new_confirmation(id, new_customer(1))), way_back());
    clock_move(1200 + 600 - 2);
    deliver();
    EXPECT_TEXT(delivery("state", id), "waiting");
    size_t asked = sage_api_patch_count(api);
    EXPECT_NUMBER(asked, 2);
    clock_move(3);
    deliver();
    EXPECT_TEXT(delivery("state", id), "failed");
    EXPECT_NUMBER(sage_api_patch_count(api), asked);
}
END_TEST

/*
 * One journey waits for Sage and half of the threads may do so; all others are
 * served meanwhile, and further journeys end without waiting.
 */
START_TEST(a_sage_that_stalls_holds_half_of_the_threads_at_most)
{
    enum { THREADS = 4, JOURNEYS = 6 };
    static const struct sage_reply stalls[] = {{.status = 200, .manner = SAGE_HOLDS}};
    static struct request requests[JOURNEYS];
    static struct response responses[JOURNEYS];
    SERVER(.sage_api = new_sage_api(), .processes = 1, .threads = THREADS);
    struct sage_api *api = server_sage_api();
    for (int i = 0; i < JOURNEYS; i++)
        requests[i] = form_request(
            "auth",
            step_form("continuation", new_confirmation(new_uuid(), new_customer(1)), "confirm"));
    sage_api_patches(api, stalls, 1);
    http_send_all(requests, responses, JOURNEYS, JOURNEYS, NULL);
    for (int i = 0; i < JOURNEYS; i++)
        EXPECT_REDIRECT(responses[i], way_back());
    /* Those that could not wait asked nobody. */
    EXPECT_NUMBER(sage_api_patch_count(api), THREADS / 2);
    EXPECT_NUMBER(ROW_NUMBER("SELECT COUNT(*) FROM delivery WHERE delivered_at IS NULL"), JOURNEYS);
    sage_api_release(api);
}
END_TEST

/* ---- when a process dies ------------------------------------------------------ */

static const struct {
    const char *point;
    size_t patches; /* that Sage had got by then */
} deaths[] = {
    {"before_commit", 0},
    {"before_patch", 0},
    {"after_patch", 1},
    {"before_redirect", 1},
};

/* A second click after the process died: the customer's browser tries again. */
START_TEST(a_process_that_dies_loses_no_result)
{
    case_is(deaths[_i].point);
    SERVER(.sage_api = new_sage_api(), .own_clock = true, .preload = "tests/support/preload/die.so",
           .environment = "TEST_DIE=@/die");
    struct sage_api *api = server_sage_api();
    /* now the token is there */
    EXPECT_REDIRECT(confirm(new_confirmation(new_uuid(), new_customer(1))), way_back());
    const char *id = new_uuid();
    const char *continuation = new_confirmation(id, new_customer(1));
    server_write_file("die", deaths[_i].point);
    struct response answer = confirm(continuation);
    EXPECT(answer.status != 303, "%s", "nobody died");
    EXPECT_NUMBER(sage_api_patch_count(api), 1 + deaths[_i].patches);
    clock_move(120);
    deliver();
    EXPECT_REDIRECT(confirm(continuation), way_back());
    EXPECT_TEXT(session_state(id), "completed");
    EXPECT(sage_api_answered(api, id, 200) >= 1, "%s", "Sage never got it");
    size_t count = sage_api_patch_count(api);
    EXPECT(count <= 3, "%zu PATCHes", count);
    EXPECT_TEXT(sage_api_patch_request(api, count - 1)->body, sage_api_patch_request(api, 1)->body);
}
END_TEST

START_TEST(a_process_that_is_killed_while_sage_thinks_loses_no_result)
{
    enum { PROCESSES_MAX = 16 };
    pid_t processes[PROCESSES_MAX];
    static const struct sage_reply replies[] = {{.status = 200, .manner = SAGE_HOLDS},
                                                {.status = 200}};
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    struct sage_api *api = server_sage_api();
    const char *id = new_uuid();
    const char *continuation = new_confirmation(id, new_customer(1));
    sage_api_patches(api, replies, 2);
    const char *form = step_form("continuation", continuation, "confirm");
    int wire = wire_connect_http();
    struct request request = form_request("auth", form);
    request.method = "POST";
    wire_send_request(wire, &request);
    EXPECT(sage_api_await_patches(api, 1), "%s", "no PATCH came");
    size_t count = server_processes("auth", processes, PROCESSES_MAX);
    EXPECT(count > 0, "%s", "no process was found");
    for (size_t i = 0; i < count; i++)
        EXPECT(kill(processes[i], SIGKILL) == 0, "%s", "it can't be killed");
    EXPECT(wire_read_answer(wire) >= 500, "%s", "nobody died"); /* servers differ */
    sage_api_release(api);
    clock_move(120);
    deliver();
    EXPECT_REDIRECT(confirm(continuation), way_back());
    EXPECT_NUMBER(sage_api_patch_count(api), 2);
    EXPECT_TEXT(sage_api_patch_request(api, 1)->body, sage_api_patch_request(api, 0)->body);
    EXPECT_TEXT(session_state(id), "completed");
}
END_TEST

/* ---- feedgate deliver --------------------------------------------------------- */

START_TEST(a_result_of_a_forgotten_customer_is_emptied_once_sage_has_it)
{
    static const struct sage_reply replies[] = {{.status = 500}, {.status = 200}};
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    struct sage_api *api = server_sage_api();
    sage_api_patches(api, replies, 2);
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    EXPECT_REDIRECT(confirm(new_confirmation(id, customer)), way_back());
    EXPECT_NUMBER(FEEDGATE("accounts", "forget", "--customer", customer).status, 0);
    clock_move(60);
    deliver();
    EXPECT_TEXT(delivery("state", id), "delivered");
    EXPECT_TEXT(sage_api_patch_request(api, 1)->body, sage_api_patch_request(api, 0)->body);
    EXPECT_TEXT(ROW_TEXT("SELECT body FROM delivery WHERE session_key = ?1", id), "{}");
}
END_TEST

START_TEST(without_the_provider_api_results_wait)
{
    SERVER(.sage_api = new_sage_api(),
           .settings = {"provider_api.client_id =", "provider_api.client_secret_file =",
                        "provider_api.api_key_file ="});
    const char *id = new_uuid();
    EXPECT_REDIRECT(confirm(new_confirmation(id, new_customer(1))), way_back());
    deliver();
    EXPECT_TEXT(delivery("state", id), "waiting");
    EXPECT_TEXT(session_state(id), "submitted");
    EXPECT_NUMBER(sage_api_patch_count(server_sage_api()), 0);
}
END_TEST

Suite *delivery_rules(void)
{
    Suite *suite = suite_create("delivery");
    ADD_TEST(suite, sage_gets_all_accounts_of_a_customer_who_confirmed);
    ADD_ROWS(suite, a_renewal_is_told_as_it_is_configured, ROWS(renewals));
    ADD_ROWS(suite, a_cancellation_is_told_in_the_configured_word, ROWS(cancellations));
    ADD_TEST(suite, sage_hears_of_an_error_when_codes_are_exhausted);
    ADD_TEST(suite, looking_at_a_failed_journey_calls_nobody);
    ADD_TEST(suite, sage_hears_of_an_error_when_another_renews);
    ADD_TEST(suite, an_abandoned_journey_is_told_as_cancelled);
    ADD_TEST(suite, one_token_serves_all_processes);
    ADD_TEST(suite, no_secret_is_in_the_log);
    ADD_ROWS(suite, an_unwilling_sage_is_asked_again_with_the_same_bytes, ROWS(faults));
    ADD_TEST(suite, a_token_that_sage_refuses_is_replaced_once);
    ADD_TEST(suite, sage_is_asked_until_ten_minutes_after_the_session);
    ADD_TEST(suite, a_sage_that_stalls_holds_half_of_the_threads_at_most);
    ADD_ROWS(suite, a_process_that_dies_loses_no_result, ROWS(deaths));
    ADD_TEST(suite, a_process_that_is_killed_while_sage_thinks_loses_no_result);
    ADD_TEST(suite, a_result_of_a_forgotten_customer_is_emptied_once_sage_has_it);
    ADD_TEST(suite, without_the_provider_api_results_wait);
    return suite;
}
