/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

/*
 * The stand-in Sage. What the other rules prove about deliveries is worth as
 * much as it is strict, so its own strictness is proved here.
 */

static const char cancelled[] = "{\"data\":{\"status\":\"cancelled\"}}";
static const char failed[] = "{\"data\":{\"status\":\"error\"}}";
static const char confirmed[] = "{\"data\":{\"status\":\"success\"}}";

/* ---- what the Provider API takes ------------------------------------------------ */

static const struct {
    const char *name;
    const char *flow;
    const char *body; /* NULL: a success with one account */
    const char *status;
} good_results[] = {
    {"an onboarding", "auth", NULL, "\"success\""},
    {"a cancelled onboarding", "auth", cancelled, "\"cancelled\""},
    {"a failed onboarding", "auth", failed, "\"error\""},
    {"a re-authorisation", "authrefresh", confirmed, "\"success\""},
    {"a re-authorisation with an empty list", "authrefresh",
     "{\"data\":{\"status\":\"success\",\"bankAccounts\":[]}}", "\"success\""},
    {"a cancelled re-authorisation", "authrefresh", cancelled, "\"cancelled\""},
    {"white space", "auth", " {\n\t\"data\" : { \"status\" : \"error\" } }\r\n", "\"error\""},
};

START_TEST(a_good_result_is_taken)
{
    sandbox_use_shared();
    case_is(good_results[_i].name);
    const char *id = sandbox_announce(good_results[_i].flow);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"pending\"");
    EXPECT_STATUS(PATCH(.id = id, .body = good_results[_i].body), 200);
    EXPECT_TEXT(sandbox_result(id, "status"), good_results[_i].status);
    EXPECT_TEXT(sandbox_result(id, "requests"), "1");
    EXPECT_TEXT(sandbox_result(id, "identical"), "true");
}
END_TEST

/* An account's five members, for rows that need another one; `*` stands for the good list. */
#define FOUR                                                                                       \
    "\"accountName\":\"n\",\"bankIdentifier\":\"1\",\"branchIdentifier\":\"m\","                   \
    "\"accountIdentifier\":\"2\""
#define SUCCESS(accounts) "{\"data\":{\"status\":\"success\",\"bankAccounts\":" accounts "}}"

static const struct {
    const char *name;
    const char *flow;
    const char *body;
} bad_bodies[] = {
    {"no body", "auth", " "},
    {"no JSON", "auth", "{\"data\":"},
    {"text behind", "auth", "{\"data\":{\"status\":\"error\"}}x"},
    {"two documents", "auth", "{\"data\":{\"status\":\"error\"}}{}"},
    {"a NUL escaped", "auth", "{\"data\":{\"status\":\"error\\u0000\"}}"},
    {"a control character in a text", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\nb\"," FOUR "}]")},
    {"no UTF-8", "auth", SUCCESS("[{\"bankAccountExternalId\":\"a\xFF\"," FOUR "}]")},
    {"a list", "auth", "[]"},
    {"no data", "auth", "{\"status\":\"error\"}"},
    {"more than data", "auth", "{\"data\":{\"status\":\"error\"},\"meta\":{}}"},
    {"data in another case", "auth", "{\"Data\":{\"status\":\"error\"}}"},
    {"data twice", "auth", "{\"data\":{\"status\":\"error\"},\"data\":{\"status\":\"error\"}}"},
    {"data no object", "auth", "{\"data\":\"error\"}"},
    {"no status", "auth", "{\"data\":{}}"},
    {"status twice", "auth", "{\"data\":{\"status\":\"error\",\"status\":\"error\"}}"},
    {"status no text", "auth", "{\"data\":{\"status\":1}}"},
    {"another status", "auth", "{\"data\":{\"status\":\"failed\"}}"},
    {"status in another case", "auth", "{\"data\":{\"status\":\"Error\"}}"},
    {"a further member", "auth", "{\"data\":{\"status\":\"error\",\"reason\":\"x\"}}"},
    {"accounts of a cancelled one", "auth",
     "{\"data\":{\"status\":\"cancelled\",\"bankAccounts\":[]}}"},
    {"accounts of a failed one", "auth", "{\"data\":{\"status\":\"error\",\"bankAccounts\":[]}}"},
    {"an onboarding without accounts", "auth", confirmed},
    {"an onboarding with an empty list", "auth", SUCCESS("[]")},
    {"accounts no list", "auth", SUCCESS("{}")},
    {"accounts null", "authrefresh", SUCCESS("null")},
    {"a re-authorisation with accounts", "authrefresh",
     SUCCESS("[{\"bankAccountExternalId\":\"a\"," FOUR "}]")},
    {"an account no object", "auth", SUCCESS("[\"a\"]")},
    {"an account without its id", "auth", SUCCESS("[{" FOUR "}]")},
    {"the id under its other name", "auth", SUCCESS("[{\"externalId\":\"a\"," FOUR "}]")},
    {"an empty id", "auth", SUCCESS("[{\"bankAccountExternalId\":\"\"," FOUR "}]")},
    {"an id no text", "auth", SUCCESS("[{\"bankAccountExternalId\":1," FOUR "}]")},
    {"an id null", "auth", SUCCESS("[{\"bankAccountExternalId\":null," FOUR "}]")},
    {"an id twice in one account", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\",\"bankAccountExternalId\":\"b\"," FOUR "}]")},
    {"an id of two accounts", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\"," FOUR "},{\"bankAccountExternalId\":\"a\"," FOUR
             "}]")},
    {"the type, which belongs elsewhere", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\",\"accountType\":\"business\"," FOUR "}]")},
    {"no name", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\",\"bankIdentifier\":\"1\","
             "\"branchIdentifier\":\"m\",\"accountIdentifier\":\"2\"}]")},
    {"no bank", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\",\"accountName\":\"n\","
             "\"branchIdentifier\":\"m\",\"accountIdentifier\":\"2\"}]")},
    {"no branch", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\",\"accountName\":\"n\","
             "\"bankIdentifier\":\"1\",\"accountIdentifier\":\"2\"}]")},
    {"no number", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\",\"accountName\":\"n\","
             "\"bankIdentifier\":\"1\",\"branchIdentifier\":\"m\"}]")},
    {"a second account that is wrong", "auth",
     SUCCESS("[{\"bankAccountExternalId\":\"a\"," FOUR "},{\"bankAccountExternalId\":\"b\"}]")},
};

START_TEST(a_body_that_sage_does_not_describe_is_refused)
{
    sandbox_use_shared();
    case_is(bad_bodies[_i].name);
    const char *id = sandbox_announce(bad_bodies[_i].flow);
    EXPECT_STATUS(PATCH(.id = id, .body = bad_bodies[_i].body), 400);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"pending\"");
    EXPECT_TEXT(sandbox_result(id, "requests"), "1");
}
END_TEST

static const struct {
    const char *name;
    struct patch patch;
    int status;
} bad_requests[] = {
    {"no API key", {.api_key = OMIT}, 403},
    {"another API key", {.api_key = "sandbox-api-key-0002"}, 403},
    {"a beginning of the API key", {.api_key = "sandbox-api-key"}, 403},
    {"the API key twice", {.headers = {"X-Api-Key: sandbox-api-key-0001"}}, 400},
    {"no token", {.authorization = OMIT}, 401},
    {"no scheme", {.authorization = "x"}, 401},
    {"another scheme", {.authorization = "Basic x"}, 401},
    {"no JWT", {.authorization = "Bearer x"}, 401},
    {"three empty segments", {.authorization = "Bearer .."}, 401},
    {"no media type", {.media_type = OMIT}, 415},
    {"a form", {.media_type = "application/x-www-form-urlencoded"}, 415},
    {"a media type that only begins well", {.media_type = "application/jsonl"}, 415},
    {"POST", {.method = "POST"}, 405},
    {"PUT", {.method = "PUT"}, 405},
    {"an authorisation that was never announced",
     {.id = "99999999-2222-4333-8444-555555555555"},
     404},
    {"no authorisation", {.id = ""}, 404},
    {"a longer path", {.id = "99999999-2222-4333-8444-555555555555/x"}, 404},
};

START_TEST(a_request_that_is_wrong_in_one_part_is_refused)
{
    sandbox_use_shared();
    case_is(bad_requests[_i].name);
    struct patch patch = bad_requests[_i].patch;
    if (patch.id == NULL)
        patch.id = sandbox_announce("auth");
    bool announced = bad_requests[_i].patch.id == NULL;
    EXPECT_STATUS(patch_send(&patch), bad_requests[_i].status);
    if (announced)
        EXPECT_TEXT(sandbox_result(patch.id, "status"), "\"pending\"");
}
END_TEST

/* `provider` has no scope, so a scope that no client has gets its tokens, in every way wrong. */
static const char *const bad_tokens[] = {
    "kind=forged&scope=x",       "kind=expired&scope=x",           "kind=wrong-audience&scope=x",
    "kind=wrong-issuer&scope=x", "kind=good&scope=WebhooksLambda", "kind=good&scope=ProviderAPI",
};

static const char *made_token(const char *fields)
{
    struct response response = sandbox_post("/sandbox/token", fields);
    EXPECT_STATUS(response, 200);
    const char *begin = strstr(response.body, "eyJ");
    EXPECT(begin != NULL, "no token in %s", response.body);
    return scratch_copy(begin, strcspn(begin, "\""));
}

START_TEST(a_token_that_is_wrong_in_one_way_is_refused)
{
    sandbox_use_shared();
    case_is(bad_tokens[_i]);
    const char *id = sandbox_announce("auth");
    const char *bad = scratch_format("Bearer %s", made_token(bad_tokens[_i]));
    EXPECT_STATUS(PATCH(.id = id, .authorization = bad), 401);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"pending\"");
    const char *good = scratch_format("Bearer %s", made_token("kind=good&scope=x"));
    EXPECT_STATUS(PATCH(.id = id, .authorization = good), 200);
}
END_TEST

START_TEST(a_token_is_good_after_one_rotation_but_not_after_two)
{
    sandbox_use_shared();
    const char *token = scratch_format("Bearer %s", sandbox_token());
    EXPECT_STATUS(sandbox_post("/sandbox/rotate", ""), 200);
    EXPECT_STATUS(PATCH(.authorization = token), 200);
    EXPECT_STATUS(sandbox_post("/sandbox/rotate", ""), 200);
    EXPECT_STATUS(PATCH(.authorization = token), 401);
}
END_TEST

/* ---- repeats and conflicts -------------------------------------------------------- */

START_TEST(the_same_body_again_changes_nothing)
{
    sandbox_use_shared();
    const char *id = sandbox_announce("auth");
    EXPECT_STATUS(PATCH(.id = id), 200);
    EXPECT_STATUS(PATCH(.id = id), 200);
    EXPECT_TEXT(sandbox_result(id, "requests"), "2");
    EXPECT_TEXT(sandbox_result(id, "repeats"), "1");
    EXPECT_TEXT(sandbox_result(id, "conflicts"), "0");
    EXPECT_TEXT(sandbox_result(id, "identical"), "true");
}
END_TEST

START_TEST(another_body_is_a_conflict_and_the_first_result_stays)
{
    sandbox_use_shared();
    const char *id = sandbox_announce("auth");
    EXPECT_STATUS(PATCH(.id = id, .body = cancelled), 200);
    EXPECT_STATUS(PATCH(.id = id), 409);
    EXPECT_STATUS(PATCH(.id = id, .body = "{\"data\": {\"status\":\"cancelled\"}}"), 409);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"cancelled\"");
    EXPECT_TEXT(sandbox_result(id, "conflicts"), "2");
    EXPECT_TEXT(sandbox_result(id, "identical"), "false");
}
END_TEST

/* ---- trouble on demand --------------------------------------------------------------- */

START_TEST(a_status_on_demand_does_nothing)
{
    sandbox_use_shared();
    const char *id = sandbox_announce("auth");
    sandbox_fault("kind=status&status=429&retryAfter=7&times=2");
    struct response first = PATCH(.id = id);
    EXPECT_STATUS(first, 429);
    EXPECT_TEXT(response_header(&first, "Retry-After"), "7");
    EXPECT_STATUS(PATCH(.id = id), 429);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"pending\"");
    struct response last = PATCH(.id = id);
    EXPECT_STATUS(last, 200);
    EXPECT_TEXT(response_header(&last, "Retry-After"), NULL);
    EXPECT_TEXT(sandbox_result(id, "requests"), "3");
    EXPECT_TEXT(sandbox_result(id, "identical"), "true");
}
END_TEST

START_TEST(a_body_that_changes_after_trouble_is_told)
{
    sandbox_use_shared();
    const char *id = sandbox_announce("auth");
    sandbox_fault("kind=status&status=500");
    EXPECT_STATUS(PATCH(.id = id), 500);
    EXPECT_STATUS(PATCH(.id = id, .body = patch_success("b")), 200);
    EXPECT_TEXT(sandbox_result(id, "identical"), "false");
}
END_TEST

START_TEST(a_cut_connection_does_nothing)
{
    sandbox_use_shared();
    const char *id = sandbox_announce("auth");
    sandbox_fault("kind=cut");
    EXPECT_NUMBER(PATCH(.id = id).status, 0);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"pending\"");
    EXPECT_STATUS(PATCH(.id = id), 200);
    EXPECT_TEXT(sandbox_result(id, "repeats"), "0");
}
END_TEST

START_TEST(a_connection_cut_after_the_work_leaves_the_result)
{
    sandbox_use_shared();
    const char *id = sandbox_announce("auth");
    sandbox_fault("kind=cut-after");
    EXPECT_NUMBER(PATCH(.id = id).status, 0);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"success\"");
    EXPECT_STATUS(PATCH(.id = id), 200);
    EXPECT_TEXT(sandbox_result(id, "repeats"), "1");
}
END_TEST

static const struct {
    const char *fault;
    const char *meanwhile; /* the result's status while the request waits */
} waits[] = {{"kind=stall", "\"pending\""}, {"kind=slow", "\"success\""}};

START_TEST(a_request_waits_until_it_is_released)
{
    sandbox_use_shared();
    case_is(waits[_i].fault);
    const char *id = sandbox_announce("auth");
    const struct patch patch = {.id = id};
    struct request request = patch_request(&patch);
    sandbox_fault(waits[_i].fault);
    int wire = wire_connect_port(sandbox_port());
    wire_send_request(wire, &request);
    AWAIT(sandbox_waiting() == 1, "%s", "it doesn't wait");
    char byte;
    EXPECT(recv(wire, &byte, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN, "%s",
           "an answer came already");
    EXPECT_TEXT(sandbox_result(id, "status"), waits[_i].meanwhile);
    sandbox_fault("kind=none");
    EXPECT_NUMBER(wire_read_answer(wire), 200);
    EXPECT_TEXT(sandbox_result(id, "status"), "\"success\"");
}
END_TEST

START_TEST(the_token_endpoint_has_trouble_of_its_own)
{
    sandbox_use_shared();
    const char *token = scratch_format("Bearer %s", sandbox_token());
    sandbox_fault("target=token&kind=status&status=503");
    EXPECT_STATUS(PATCH(.authorization = token), 200);
    EXPECT_STATUS(sandbox_token_request(SANDBOX_SECRET), 503);
    EXPECT_STATUS(sandbox_token_request("wrong"), 401);
    sandbox_fault("target=token&kind=cut");
    EXPECT_NUMBER(sandbox_token_request(SANDBOX_SECRET).status, 0);
    EXPECT_STATUS(sandbox_token_request(SANDBOX_SECRET), 200);
}
END_TEST

static const char *const bad_faults[] = {
    "",
    "kind=trouble",
    "kind=cut&target=jwks",
    "kind=cut&times=0",
    "kind=cut&times=-1",
    "kind=status&status=99",
    "kind=status&status=600",
    "kind=status&retryAfter=x",
    "kind=stall&milliseconds=120001",
};

START_TEST(trouble_that_does_not_exist_is_refused)
{
    sandbox_use_shared();
    case_is(bad_faults[_i]);
    EXPECT_STATUS(sandbox_post("/sandbox/fault", bad_faults[_i]), 400);
    EXPECT_STATUS(PATCH(), 200);
}
END_TEST

START_TEST(the_newest_results_are_listed_first)
{
    sandbox_use_shared();
    const char *ids[3];
    for (size_t i = 0; i < ROWS(ids); i++)
        ids[i] = sandbox_announce("auth");
    struct response response = sandbox_get("/sandbox/results");
    EXPECT_STATUS(response, 200);
    const char *before = response.body;
    for (size_t i = ROWS(ids); i > 0; i--) {
        const char *place = strstr(before, ids[i - 1]);
        EXPECT(place != NULL, "%zu isn't there, or too early", i);
        before = place;
    }
    EXPECT_STATUS(sandbox_get("/sandbox/results?authorisationId=x"), 404);
}
END_TEST

Suite *sandbox_rules(void)
{
    Suite *suite = suite_create("sandbox");
    ADD_ROWS(suite, a_good_result_is_taken, ROWS(good_results));
    ADD_ROWS(suite, a_body_that_sage_does_not_describe_is_refused, ROWS(bad_bodies));
    ADD_ROWS(suite, a_request_that_is_wrong_in_one_part_is_refused, ROWS(bad_requests));
    ADD_ROWS(suite, a_token_that_is_wrong_in_one_way_is_refused, ROWS(bad_tokens));
    ADD_TEST(suite, a_token_is_good_after_one_rotation_but_not_after_two);
    ADD_TEST(suite, the_same_body_again_changes_nothing);
    ADD_TEST(suite, another_body_is_a_conflict_and_the_first_result_stays);
    ADD_TEST(suite, a_status_on_demand_does_nothing);
    ADD_TEST(suite, a_body_that_changes_after_trouble_is_told);
    ADD_TEST(suite, a_cut_connection_does_nothing);
    ADD_TEST(suite, a_connection_cut_after_the_work_leaves_the_result);
    ADD_ROWS(suite, a_request_waits_until_it_is_released, ROWS(waits));
    ADD_TEST(suite, the_token_endpoint_has_trouble_of_its_own);
    ADD_ROWS(suite, trouble_that_does_not_exist_is_refused, ROWS(bad_faults));
    ADD_TEST(suite, the_newest_results_are_listed_first);
    return suite;
}
