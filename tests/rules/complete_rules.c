/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "gated.h"

#include <string.h>

/* POST /complete: the application behind the gate hands in the result, and nobody else. */

/* The result is refused, and its sender and the operator are told why. */
static void expect_detail(struct response refused, const char *words)
{
    EXPECT_REFUSED(refused, REFUSAL_RESULT_MALFORMED);
    EXPECT(strstr(refused.body, words) != NULL, "%s isn't in %s", words, refused.body);
    EXPECT(strstr(log_since(refused.log_mark), words) != NULL, "%s isn't in the log", words);
}

static const char *of_delivery(const char *column, const char *id)
{
    return ROW_TEXT(scratch_format("SELECT %s FROM delivery WHERE authorisation_id = ?1", column),
                    id);
}

/* ---- what comes of it ------------------------------------------------------------- */

START_TEST(the_applications_result_is_told_to_sage_before_the_answer)
{
    const char *id = upper_case(new_uuid()); /* Sage gets the form that it sent */
    pass_on(id, "auth");
    EXPECT_TEXT(session_column("shown_by", id), "application");
    struct response response =
        COMPLETE(.id = lower_case(id),
                 .accounts = scratch_format("[%s,%s]", account_json(1), account_json(2)));
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(response_header(&response, "Content-Type"), "application/json");
    EXPECT_TEXT(redirect_url(&response), way_back());
    EXPECT_NUMBER(sage_api_answered(server_sage_api(), id, 200), 1);
    EXPECT_TEXT(of_delivery("body", id),
                scratch_format("{\"data\":{\"status\":\"success\",\"bankAccounts\":[%s,%s]}}",
                               account_json(1), account_json(2)));
    EXPECT_TEXT(session_state(id), "completed");
    AWAIT(LOG_COUNT(response.log_mark, "event", "journey_ended", "program", "complete", "session",
                    log_id_of(id), "result", "success", "reason", "application") == 1,
          "the log:\n%s", log_since(response.log_mark));
}
END_TEST

static const struct {
    const char *status;
    const char *body;
    const char *state;
} endings[] = {
    {"cancelled", "{\"data\":{\"status\":\"cancelled\"}}", "declined"},
    {"error", "{\"data\":{\"status\":\"error\"}}", "failed"},
};

START_TEST(other_endings_are_told_without_accounts)
{
    case_is(endings[_i].status);
    const char *id = new_uuid();
    pass_on(id, "auth");
    struct response response = COMPLETE(.id = id, .status = endings[_i].status);
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(redirect_url(&response), way_back());
    EXPECT_TEXT(of_delivery("body", id), endings[_i].body);
    EXPECT_TEXT(session_state(id), endings[_i].state);
}
END_TEST

/* `*` is an account. */
static const struct {
    const char *setting;
    const char *accounts; /* as handed in */
    const char *body;     /* NULL: it is refused */
} renewals[] = {
    {"provider_api.reauthorisation_accounts = omit", NULL, "{\"data\":{\"status\":\"success\"}}"},
    {"provider_api.reauthorisation_accounts = omit", "[*]", "{\"data\":{\"status\":\"success\"}}"},
    {"provider_api.reauthorisation_accounts = empty", NULL,
     "{\"data\":{\"status\":\"success\",\"bankAccounts\":[]}}"},
    {"provider_api.reauthorisation_accounts = list", "[*]",
     "{\"data\":{\"status\":\"success\",\"bankAccounts\":[*]}}"},
    {"provider_api.reauthorisation_accounts = list", NULL, NULL},
};

START_TEST(a_renewal_is_told_as_it_is_configured)
{
    SERVER(.settings = {renewals[_i].setting});
    case_is(scratch_format("%s, %s", renewals[_i].setting,
                           renewals[_i].accounts != NULL ? "with accounts" : "without"));
    const char *id = new_uuid();
    pass_on(id, "authrefresh");
    const char *accounts = renewals[_i].accounts != NULL
                               ? scratch_format(",\"bankAccounts\":[%s]", account_json(1))
                               : "";
    struct response response =
        COMPLETE(.body = scratch_format("{\"authorisationId\":\"%s\",\"status\":\"success\"%s}", id,
                                        accounts));
    if (renewals[_i].body == NULL) {
        EXPECT_REFUSED(response, REFUSAL_RESULT_MALFORMED);
        EXPECT_TEXT(session_state(id), "opened");
        return;
    }
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(of_delivery("body", id), fill_in(renewals[_i].body, '*', account_json(1)));
}
END_TEST

START_TEST(a_result_that_sage_does_not_take_now_is_delivered_later)
{
    static const struct sage_reply down[] = {{.status = 503}};
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    sage_api_patches(server_sage_api(), down, 1);
    const char *id = new_uuid();
    pass_on(id, "auth");
    struct response response = COMPLETE(.id = id);
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(redirect_url(&response), way_back());
    EXPECT_TEXT(session_state(id), "submitted");
    sage_api_patches(server_sage_api(), NULL, 0);
    clock_move(60);
    (void)FEEDGATE("deliver", "--once");
    EXPECT_TEXT(session_state(id), "completed");
}
END_TEST

START_TEST(an_application_that_never_answers_is_told_to_sage_as_cancelled)
{
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    const char *id = new_uuid();
    pass_on(id, "auth");
    clock_move(1000);
    (void)FEEDGATE("deliver", "--once");
    EXPECT_TEXT(session_state(id), "opened");
    clock_move(100); /* within cancel_abandoned of the end */
    (void)FEEDGATE("deliver", "--once");
    EXPECT_TEXT(session_state(id), "declined");
    EXPECT_TEXT(session_column("end_reason", id), "abandoned");
    EXPECT_NUMBER(sage_api_answered(server_sage_api(), id, 200), 1);
    EXPECT_REFUSED(COMPLETE(.id = id), REFUSAL_RESULT_DIFFERS);
    EXPECT_STATUS(COMPLETE(.id = id, .status = "cancelled"), 200);
    EXPECT_NUMBER(sage_api_patch_count(server_sage_api()), 1);
}
END_TEST

/* ---- again, and otherwise ------------------------------------------------------- */

START_TEST(the_same_result_again_gets_the_same_answer_and_changes_nothing)
{
    SERVER(.sage_api = new_sage_api(), .own_clock = true);
    const char *id = new_uuid();
    pass_on(id, "auth");
    struct response first =
        COMPLETE(.id = id, .accounts = scratch_format("[%s,%s]", account_json(1), account_json(2)));
    EXPECT_STATUS(first, 200);
    const char *ended = session_column("ended_at", id);
    clock_move(5000); /* also when the session is long over */
    struct response again =
        COMPLETE(.body = scratch_format(
                     "{ \"bankAccounts\" : [ %s, { \"accountIdentifier\":\"00000001\","
                     "\"branchIdentifier\":\"main\", \"bankIdentifier\":\"000001\", "
                     "\"accountName\":\"Accoun\\u0074 1\", "
                     "\"bankAccountExternalId\":\"ext-1\"} ],\n"
                     "\"status\":\"success\", \"authorisationId\":\"%s\" }",
                     account_json(2), upper_case(id)));
    EXPECT_SAME_ANSWER(first, again);
    EXPECT_TEXT(session_column("ended_at", id), ended);
    EXPECT_NUMBER(sage_api_patch_count(server_sage_api()), 1);
    EXPECT_NUMBER(LOG_COUNT(first.log_mark, "event", "journey_ended"), 1);
}
END_TEST

START_TEST(another_result_for_an_ended_session_is_a_conflict)
{
    const char *id = new_uuid();
    pass_on(id, "auth");
    EXPECT_STATUS(COMPLETE(.id = id), 200);
    const char *told = of_delivery("body", id);
    EXPECT_REFUSED(COMPLETE(.id = id, .status = "cancelled"), REFUSAL_RESULT_DIFFERS);
    EXPECT_REFUSED(COMPLETE(.id = id, .accounts = scratch_format("[%s]", account_json(2))),
                   REFUSAL_RESULT_DIFFERS);
    EXPECT_REFUSED(
        COMPLETE(.id = id, .accounts = scratch_format("[%s,%s]", account_json(1), account_json(2))),
        REFUSAL_RESULT_DIFFERS);
    EXPECT_TEXT(of_delivery("body", id), told);
    EXPECT_TEXT(session_state(id), "completed");
}
END_TEST

START_TEST(of_many_results_at_the_same_moment_one_stands)
{
    enum { MANY = 20 };
    static struct request requests[MANY];
    static struct response responses[MANY];
    const char *id = new_uuid();
    pass_on(id, "auth");
    for (int i = 0; i < MANY; i++) {
        const char *body = scratch_format("{\"authorisationId\":\"%s\",\"status\":\"success\","
                                          "\"bankAccounts\":[%s]}",
                                          id, account_json(i % 2));
        requests[i] = (struct request){
            .path = "/complete",
            .headers = {"Content-Type: application/json",
                        scratch_format("Authorization: Bearer %s", SERVER_COMPLETE_KEY)},
            .body = body,
            .body_length = strlen(body),
        };
    }
    http_send_all(requests, responses, MANY, MANY, NULL);
    int winner = strstr(of_delivery("body", id), "ext-0") != NULL ? 0 : 1;
    for (int i = 0; i < MANY; i++)
        EXPECT_STATUS(responses[i], i % 2 == winner ? 200 : 409);
    EXPECT_NUMBER(sage_api_answered(server_sage_api(), id, 200), 1);
}
END_TEST

/* ---- which sessions it takes ------------------------------------------------------ */

START_TEST(a_session_that_nobody_announced_is_unknown)
{
    EXPECT_REFUSED(COMPLETE(.id = new_uuid()), REFUSAL_RESULT_UNKNOWN);
}
END_TEST

START_TEST(a_session_that_was_never_opened_takes_no_result)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_REFUSED(COMPLETE(.id = id), REFUSAL_SESSION_NOT_OPEN);
    EXPECT_TEXT(session_state(id), "notified");
}
END_TEST

START_TEST(a_session_on_our_own_pages_takes_no_result)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *continuation = new_confirmation(id, customer);
    EXPECT_TEXT(session_column("shown_by", id), "pages");
    EXPECT_REFUSED(COMPLETE(.id = id), REFUSAL_SESSION_NOT_PASSED_ON);
    EXPECT_REFUSED(COMPLETE(.id = id, .status = "cancelled"), REFUSAL_SESSION_NOT_PASSED_ON);
    EXPECT_REDIRECT(submit("auth", step_form("continuation", continuation, "confirm")), way_back());
    EXPECT_REFUSED(COMPLETE(.id = id), REFUSAL_SESSION_NOT_PASSED_ON);
}
END_TEST

START_TEST(a_result_that_comes_too_late_is_refused)
{
    SERVER(.own_clock = true);
    const char *id = new_uuid();
    pass_on(id, "auth");
    clock_move(1201);
    EXPECT_REFUSED(COMPLETE(.id = id), REFUSAL_RESULT_TOO_LATE);
    EXPECT_TEXT(of_delivery("body", id), NULL);
}
END_TEST

START_TEST(our_own_pages_do_not_take_up_a_session_of_the_applications)
{
    const char *id = new_uuid();
    pass_on(id, "auth");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_USED);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = "authrefresh"), REFUSAL_SESSION_USED);
    EXPECT_TEXT(ROW_TEXT("SELECT ticket_sha256 FROM authorisation_session "
                         "WHERE authorisation_id = ?1",
                         id),
                NULL);
    EXPECT_STEP_REFUSED(visit("auth", repeat("0", 64)), REFUSAL_TICKET_UNKNOWN);
}
END_TEST

/* ---- who may ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    enum refusal refusal;
    const char *authorization; /* `*` is the key */
} keys[] = {
    {"missing", REFUSAL_COMPLETE_KEY_MISSING, OMIT},
    {"without a scheme", REFUSAL_COMPLETE_KEY_MISSING, "*"},
    {"scheme alone", REFUSAL_COMPLETE_KEY_MISSING, "Bearer"},
    {"wrong", REFUSAL_COMPLETE_KEY_WRONG, "Bearer a-key-of-somebody-else-0123456789"},
    {"longer", REFUSAL_COMPLETE_KEY_WRONG, "Bearer *5"},
    {"twice in one", REFUSAL_TOKEN_REPEATED, "Bearer *, Bearer *"},
    {"the key of codes", REFUSAL_COMPLETE_KEY_WRONG, "Bearer the-key-of-the-backend-4711-0815"},
    {"Sage's key", REFUSAL_COMPLETE_KEY_WRONG, "Bearer the-key-that-only-Sage-knows-0815"},
};

START_TEST(only_the_applications_key_opens)
{
    case_is(keys[_i].name);
    const char *id = new_uuid();
    pass_on(id, "auth");
    const char *authorization = keys[_i].authorization;
    if (authorization != OMIT)
        authorization = fill_in(authorization, '*', SERVER_COMPLETE_KEY);
    struct response refused = COMPLETE(.id = id, .authorization = authorization);
    EXPECT_REFUSED(refused, keys[_i].refusal);
    EXPECT_SAME_ANSWER(refused, COMPLETE(.id = id, .authorization = OMIT));
    EXPECT_TEXT(session_state(id), "opened");
}
END_TEST

START_TEST(both_keys_open_during_a_rotation)
{
    SERVER(.settings = {"complete.next_key_file = next-complete.key"},
           .files = {{"next-complete.key", "the-next-key-of-the-application-4712\n"}});
    const char *id = new_uuid();
    pass_on(id, "auth");
    EXPECT_STATUS(
        COMPLETE(.id = id, .authorization = "Bearer the-next-key-of-the-application-4712"), 200);
    EXPECT_STATUS(COMPLETE(.id = id), 200);
}
END_TEST

START_TEST(addresses_are_looked_at_where_they_are_configured)
{
    SERVER(.settings = {"complete.addresses = 192.0.2.0/24"});
    const char *id = new_uuid();
    pass_on(id, "auth");
    EXPECT_REFUSED(COMPLETE(.id = id), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(COMPLETE(.id = id, .headers = {"X-Forwarded-For: 192.0.2.1"}),
                   REFUSAL_ADDRESS_REFUSED);
    SERVER(.settings = {"complete.addresses = 192.0.2.0/24 127.0.0.1"});
    pass_on(id, "auth");
    EXPECT_REFUSED(COMPLETE(.id = id, .authorization = OMIT), REFUSAL_COMPLETE_KEY_MISSING);
    EXPECT_STATUS(COMPLETE(.id = id), 200);
}
END_TEST

START_TEST(without_a_configured_key_nobody_passes)
{
    SERVER(.settings = {"complete.key_file ="});
    const char *id = new_uuid();
    pass_on(id, "auth");
    struct response refused = COMPLETE(.id = id);
    EXPECT_REFUSED(refused, REFUSAL_COMPLETE_KEY_WRONG);
    EXPECT_NUMBER(LOG_COUNT(refused.log_mark, "detail", "no [complete] key_file is configured"), 1);
    EXPECT_SAME_ANSWER(refused, COMPLETE(.id = id, .authorization = OMIT));
}
END_TEST

/* ---- what it takes ------------------------------------------------------------------ */

START_TEST(only_post_is_taken)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < ROWS(methods); i++) {
        case_is(methods[i]);
        EXPECT_REFUSED(COMPLETE(.body = OMIT, .method = methods[i]), REFUSAL_METHOD_NOT_ALLOWED);
    }
}
END_TEST

START_TEST(only_json_of_at_most_64_kib_is_taken)
{
    const char *id = new_uuid();
    pass_on(id, "auth");
    EXPECT_REFUSED(COMPLETE(.id = id, .media_type = "text/plain"), REFUSAL_MEDIA_TYPE);
    const char *body = scratch_format("{\"authorisationId\":\"%s\",\"status\":\"cancelled\"}", id);
    const char *fits = scratch_format("%s%s", body, repeat(" ", 65536 - strlen(body)));
    EXPECT_REFUSED(COMPLETE(.body = scratch_format("%s ", fits)), REFUSAL_BODY_TOO_LARGE);
    EXPECT_STATUS(COMPLETE(.body = fits), 200);
}
END_TEST

/* `*` is the session's id, `@` a good account, `^` the start of a good account without its name. */
static const struct {
    const char *body;
    const char *says; /* NULL: it isn't JSON at all */
} bodies[] = {
    {"", NULL},
    {"{\"authorisationId\":\"*\",\"status\":\"cancelled\"", NULL},
    {"{\"authorisationId\":\"*\",\"status\":\"cancelled\"}x", NULL},
    {"{\"authorisationId\":\"*\",\"status\":\"cancelled\",\"status\":\"error\"}", NULL},
    {"[]", "the body must be an object"},
    {"{}", "authorisationId must be a UUID"},
    {"{\"authorisationId\":\"x\",\"status\":\"cancelled\"}", "authorisationId must be a UUID"},
    {"{\"authorisationId\":7,\"status\":\"cancelled\"}", "authorisationId must be a UUID"},
    {"{\"authorisationId\":\"*\"}", "status must be one of success, cancelled, error"},
    {"{\"authorisationId\":\"*\",\"status\":\"Success\"}", "status must be one of"},
    {"{\"authorisationId\":\"*\",\"status\":true}", "status must be one of"},
    {"{\"authorisationId\":\"*\",\"status\":\"cancelled\",\"reason\":\"x\"}",
     "reason is not a member that is known here"},
    {"{\"authorisationId\":\"*\",\"status\":\"cancelled\",\"a \\\" b\":\"x\"}",
     "the body has a member that is not known here"},
    {"{\"authorisationId\":\"*\",\"status\":\"cancelled\",\"bankAccounts\":[]}",
     "bankAccounts belongs to the status success alone"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\"}",
     "bankAccounts must have at least one account"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":[]}",
     "bankAccounts must have at least one account"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":{}}",
     "bankAccounts must be an array"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":[@,7]}",
     "bankAccounts[1] must be an object"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":[^}]}",
     "bankAccounts[0].accountName is missing"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":[^,\"accountName\":1}]}",
     "bankAccounts[0].accountName must be a text"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\","
     "\"bankAccounts\":[^,\"accountName\":\"\"}]}",
     "bankAccounts[0].accountName must have 1 to 256 bytes"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\","
     "\"bankAccounts\":[^,\"accountName\":\"a\\u0007\"}]}",
     "bankAccounts[0].accountName must not have control characters"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\","
     "\"bankAccounts\":[^,\"accountName\":\"a\",\"externalId\":\"x\"}]}",
     "bankAccounts[0].externalId is not a member that is known here"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\","
     "\"bankAccounts\":[{\"bankAccountExternalId\":\"\xC3\xA9\"}]}",
     "bankAccounts[0].bankAccountExternalId must be printable ASCII"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":[@,@]}",
     "bankAccounts[1].bankAccountExternalId is the one of an account above, too"},
    {"{\"authorisationId\":\"*\",\"status\":\"success\",\"bankAccounts\":[@,{"
     "\"bankAccountExternalId\":\"other\",\"accountName\":\"x\",\"bankIdentifier\":\"000001\","
     "\"branchIdentifier\":\"main\",\"accountIdentifier\":\"00000001\"}]}",
     "bankAccounts[1].accountIdentifier is with this bank and branch the one of an account above"},
};

START_TEST(what_is_wrong_with_a_result_is_named)
{
    static const char start[] = "{\"bankAccountExternalId\":\"e\",\"bankIdentifier\":\"1\","
                                "\"branchIdentifier\":\"m\",\"accountIdentifier\":\"1\"";
    case_is(bodies[_i].body);
    const char *id = new_uuid();
    pass_on(id, "auth");
    const char *body = fill_in(fill_in(bodies[_i].body, '*', id), '@', account_json(1));
    struct response refused = COMPLETE(.body = fill_in(body, '^', start));
    if (bodies[_i].says == NULL)
        EXPECT_REFUSED(refused, REFUSAL_BODY_MALFORMED);
    else
        expect_detail(refused, bodies[_i].says);
    EXPECT_TEXT(session_state(id), "opened");
}
END_TEST

static const char *list_of(int count)
{
    const char *list = "";
    for (int i = 1; i <= count; i++)
        list = scratch_format("%s%s%s", list, i > 1 ? "," : "", account_json(i));
    return scratch_format("[%s]", list);
}

START_TEST(up_to_200_accounts_are_taken)
{
    const char *id = new_uuid();
    pass_on(id, "auth");
    expect_detail(COMPLETE(.id = id, .accounts = list_of(201)),
                  "bankAccounts must not have more than 200 accounts");
    EXPECT_STATUS(COMPLETE(.id = id, .accounts = list_of(200)), 200);
    EXPECT_TEXT(session_state(id), "completed");
}
END_TEST

START_TEST(an_account_that_came_so_is_not_one_of_ours)
{
    const char *id = new_uuid();
    const char *linked = new_uuid();
    pass_on(id, "auth");
    EXPECT_STATUS(COMPLETE(.id = id), 200);
    EXPECT_RECORDED(NOTIFY(.body = account_created(linked, "ext-1")), "linked");
    EXPECT_REFUSED(LIST(.external_id = "ext-1"), REFUSAL_ACCOUNT_UNKNOWN);
}
END_TEST

Suite *complete_rules(void)
{
    Suite *suite = suite_create("complete");
    ADD_TEST(suite, the_applications_result_is_told_to_sage_before_the_answer);
    ADD_ROWS(suite, other_endings_are_told_without_accounts, ROWS(endings));
    ADD_ROWS(suite, a_renewal_is_told_as_it_is_configured, ROWS(renewals));
    ADD_TEST(suite, a_result_that_sage_does_not_take_now_is_delivered_later);
    ADD_TEST(suite, an_application_that_never_answers_is_told_to_sage_as_cancelled);
    ADD_TEST(suite, the_same_result_again_gets_the_same_answer_and_changes_nothing);
    ADD_TEST(suite, another_result_for_an_ended_session_is_a_conflict);
    ADD_TEST(suite, of_many_results_at_the_same_moment_one_stands);
    ADD_TEST(suite, a_session_that_nobody_announced_is_unknown);
    ADD_TEST(suite, a_session_that_was_never_opened_takes_no_result);
    ADD_TEST(suite, a_session_on_our_own_pages_takes_no_result);
    ADD_TEST(suite, a_result_that_comes_too_late_is_refused);
    ADD_TEST(suite, our_own_pages_do_not_take_up_a_session_of_the_applications);
    ADD_ROWS(suite, only_the_applications_key_opens, ROWS(keys));
    ADD_TEST(suite, both_keys_open_during_a_rotation);
    ADD_TEST(suite, addresses_are_looked_at_where_they_are_configured);
    ADD_TEST(suite, without_a_configured_key_nobody_passes);
    ADD_TEST(suite, only_post_is_taken);
    ADD_TEST(suite, only_json_of_at_most_64_kib_is_taken);
    ADD_ROWS(suite, what_is_wrong_with_a_result_is_named, ROWS(bodies));
    ADD_TEST(suite, up_to_200_accounts_are_taken);
    ADD_TEST(suite, an_account_that_came_so_is_not_one_of_ours);
    return suite;
}
