/* SPDX-License-Identifier: MIT */
#include "sage_fixture.h"

#include "sage/access_token.h"

#include <fcntl.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define ID "0F0F0F0F-1111-4222-8333-444444444444"
#define BODY "{\"data\":{\"status\":\"success\",\"name\":\"n\xC2\xB0\"}}"

enum { PLENTY_MS = 60000, SCANT_MS = 200, CROWD = 16 };

static struct api_answer patch_within(int64_t budget_ms)
{
    struct api_answer answer;
    provider_api_patch(api, ID, BODY, budget_ms, NULL, &answer);
    return answer;
}

static struct api_answer patch(void)
{
    return patch_within(PLENTY_MS);
}

START_TEST(a_patch_is_sent_as_sage_wants_it)
{
    struct api_answer answer = patch();
    ck_assert_int_eq((int)answer.outcome, API_TAKEN);
    ck_assert_str_eq(answer.text, "status 200");
    ck_assert_str_eq(answer.excerpt, "");
    ck_assert_uint_eq(sage_api_patch_count(sage), 1);
    const struct sage_request *request = sage_api_patch_request(sage, 0);
    ck_assert_str_eq(request->method, "PATCH");
    ck_assert_str_eq(request->path, "/v1/authorisations/" ID); /* in the case in which it came */
    ck_assert_pstr_eq(request->authorization, "Bearer token-1");
    ck_assert_pstr_eq(request->api_key, API_KEY);
    ck_assert_pstr_eq(request->content_type, "application/json");
    ck_assert_ptr_null(request->expect);
    ck_assert_str_eq(request->body, BODY);
}
END_TEST

START_TEST(a_long_body_is_sent_at_once)
{
    static char body[2 * 1024 * 1024];
    struct api_answer answer;
    memset(body, 'x', sizeof(body) - 1);
    provider_api_patch(api, ID, body, PLENTY_MS, NULL, &answer);
    ck_assert_int_eq((int)answer.outcome, API_TAKEN);
    ck_assert_ptr_null(sage_api_patch_request(sage, 0)->expect);
    ck_assert_uint_eq(strlen(sage_api_patch_request(sage, 0)->body), sizeof(body) - 1);
}
END_TEST

START_TEST(a_token_is_asked_for_by_a_form)
{
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    const struct sage_request *request = sage_api_token_request(sage, 0);
    ck_assert_str_eq(request->method, "POST");
    ck_assert_pstr_eq(request->content_type, "application/x-www-form-urlencoded");
    ck_assert_ptr_null(request->authorization);
    ck_assert_ptr_null(request->api_key); /* is none of Sage ID's business */
    ck_assert_str_eq(request->body, "grant_type=client_credentials"
                                    "&client_id=our%20client%40clients"
                                    "&client_secret=client-secret%2B%26%3D%25~%20"
                                    "&audience=sfdsbanking%2FsfdsBankingProvider-Pre");
}
END_TEST

static const struct {
    struct sage_reply reply;
    enum api_outcome outcome;
    int64_t retry_after_ms;
    const char *text;
} replies[] = {
    {{.status = 200}, API_TAKEN, 0, "status 200"},
    {{.status = 204, .body = ""}, API_TAKEN, 0, "status 204"},
    {{.status = 302, .location = "/elsewhere"}, API_TRY_AGAIN, 0, "status 302"},
    {{.status = 307, .location = "/elsewhere"}, API_TRY_AGAIN, 0, "status 307"},
    {{.status = 400}, API_REFUSED, 0, "status 400"},
    {{.status = 403}, API_REFUSED, 0, "status 403: is the API key right?"},
    {{.status = 404}, API_REFUSED, 0, "status 404"},
    {{.status = 409}, API_REFUSED, 0, "status 409"},
    {{.status = 408}, API_TRY_AGAIN, 0, "status 408"},
    {{.status = 429}, API_TRY_AGAIN, 0, "status 429"},
    {{.status = 429, .retry_after = "7"}, API_TRY_AGAIN, 7000, "status 429"},
    {{.status = 429, .retry_after = "99999999"}, API_TRY_AGAIN, 3600000, "status 429"},
    {{.status = 429, .retry_after = "-5"}, API_TRY_AGAIN, 0, "status 429"},
    {{.status = 500}, API_TRY_AGAIN, 0, "status 500"},
    {{.status = 503, .retry_after = "2"}, API_TRY_AGAIN, 2000, "status 503"},
    {{.status = 200, .manner = SAGE_CUTS}, API_TRY_AGAIN, 0, "Empty reply from server"},
    {{.status = 200, .manner = SAGE_HALVES}, API_TRY_AGAIN, 0, NULL},
    {{.status = 400, .manner = SAGE_HALVES}, API_TRY_AGAIN, 0, NULL},
    {{.status = 200, .manner = SAGE_FLOODS}, API_TRY_AGAIN, 0, "the answer is too large"},
};

START_TEST(each_answer_has_its_consequence)
{
    sage_api_patches(sage, &replies[_i].reply, 1);
    struct api_answer answer = patch();
    ck_assert_msg(answer.outcome == replies[_i].outcome, "%d: %s", (int)answer.outcome,
                  answer.text);
    if (replies[_i].text != NULL)
        ck_assert_str_eq(answer.text, replies[_i].text);
    ck_assert_str_ne(answer.text, "");
    ck_assert_int_eq(answer.retry_after_ms, replies[_i].retry_after_ms);
    ck_assert_uint_eq(sage_api_patch_count(sage), 1); /* trying again is the outbox's */
    ck_assert_uint_eq(sage_api_strays(sage), 0);      /* no redirect is followed */
}
END_TEST

START_TEST(a_stalled_patch_ends_with_its_budget)
{
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    PATCHES_GET({.status = 200, .manner = SAGE_HOLDS});
    int64_t begin = clock_monotonic();
    struct api_answer answer = patch_within(SCANT_MS);
    ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
    ck_assert_str_eq(answer.text, "timed out");
    ck_assert_int_ge(clock_monotonic() - begin, SCANT_MS - 1);
}
END_TEST

START_TEST(a_stalled_token_ends_with_the_budget)
{
    TOKENS_GET({.status = 200, .manner = SAGE_HOLDS});
    struct api_answer answer = patch_within(SCANT_MS);
    ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
    ck_assert_str_eq(answer.text, "no access token: timed out");
    ck_assert_uint_eq(sage_api_patch_count(sage), 0);
}
END_TEST

static atomic_bool cancel;

static void patch_or_cancel(size_t number)
{
    struct api_answer answer;
    if (number == 0) {
        (void)sage_api_await_patches(sage, 1);
        atomic_store(&cancel, true);
        return;
    }
    provider_api_patch(api, ID, BODY, PLENTY_MS, &cancel, &answer);
    ck_assert_int_eq((int)answer.outcome, API_CANCELLED);
}

START_TEST(a_call_under_way_can_be_ended)
{
    PATCHES_GET({.status = 200, .manner = SAGE_HOLDS});
    run_crowd(2, patch_or_cancel);
    ck_assert_uint_eq(sage_api_patch_count(sage), 1);
}
END_TEST

START_TEST(a_call_that_was_ended_before_it_began_sends_nothing)
{
    struct api_answer answer;
    const atomic_bool ended = true;
    provider_api_patch(api, ID, BODY, PLENTY_MS, &ended, &answer);
    ck_assert_int_eq((int)answer.outcome, API_CANCELLED);
    ck_assert_uint_eq(sage_api_token_count(sage), 0);
    ck_assert_uint_eq(sage_api_patch_count(sage), 0);
}
END_TEST

static const char *const no_ids[] = {"", "../../v1/banks", "0f0f0f0f-1111-4222-8333-44444444444",
                                     "0f0f0f0f-1111-4222-8333-444444444444/x",
                                     "0f0f0f0f-1111-4222-8333-44444444444?"};

START_TEST(what_is_no_uuid_makes_no_path)
{
    struct api_answer answer;
    provider_api_patch(api, no_ids[_i], BODY, PLENTY_MS, NULL, &answer);
    ck_assert_int_eq((int)answer.outcome, API_REFUSED);
    ck_assert_uint_eq(sage_api_token_count(sage), 0);
    ck_assert_uint_eq(sage_api_patch_count(sage) + sage_api_strays(sage), 0);
}
END_TEST

START_TEST(a_header_is_not_split)
{
    memcpy(config.provider_api.api_key.bytes, "a\r\nb", 4);
    struct api_answer answer = patch();
    ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
    ck_assert_str_eq(answer.text, "a header can't be sent");
    ck_assert_uint_eq(sage_api_patch_count(sage), 0);
}
END_TEST

START_TEST(without_configuration_results_wait)
{
    config.provider_api.client_id = NULL;
    ck_assert(!provider_api_is_configured(api));
    struct api_answer answer = patch();
    ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
    ck_assert_str_eq(answer.text, "[provider_api] isn't configured");
    ck_assert(!provider_api_probe(api, &answer));
}
END_TEST

/* What Sage says in an answer's body, as the operator sees it. */
static const struct {
    const char *body, *excerpt;
} sayings[] = {
    {"{\"error\":\"no such id\"}", "{\"error\":\"no such id\"}"},
    {"two\r\nlines\x1b[31m", "two  lines [31m"},
    {"n\xC2\xB0 \xFF\xC2 \xC2\x9B!", "n\xC2\xB0 ?? \x20\x20!"},
    {"your key " API_KEY " is wrong", ""},
    {"your token token-1 is wrong", ""},
    {"your secret " CLIENT_SECRET " is wrong", ""},
};

START_TEST(what_sage_says_is_cleaned_and_tells_no_secret)
{
    struct sage_reply reply = {.status = 400, .body = sayings[_i].body};
    sage_api_patches(sage, &reply, 1);
    struct api_answer answer = patch();
    ck_assert_str_eq(answer.text, "status 400");
    ck_assert_str_eq(answer.excerpt, sayings[_i].excerpt);
}
END_TEST

START_TEST(what_sage_says_is_cut_at_a_whole_character)
{
    char body[1000];
    for (size_t i = 0; i < sizeof(body) - 2; i += 2)
        memcpy(body + i, "\xC2\xB0", 3);
    struct sage_reply reply = {.status = 500, .body = body};
    sage_api_patches(sage, &reply, 1);
    struct api_answer answer = patch();
    ck_assert_uint_eq(strlen(answer.excerpt), API_EXCERPT_MAX - 2);
    ck_assert_int_eq(strncmp(answer.excerpt, body, API_EXCERPT_MAX - 2), 0);
}
END_TEST

/* ---- the token ----------------------------------------------------------- */

START_TEST(after_401_one_new_token_is_fetched)
{
    PATCHES_GET({.status = 401}, {.status = 200});
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 2);
    ck_assert_uint_eq(sage_api_patch_count(sage), 2);
    ck_assert_pstr_eq(sage_api_patch_request(sage, 1)->authorization, "Bearer token-2");
    ck_assert_str_eq(sage_api_patch_request(sage, 1)->body, BODY);
}
END_TEST

START_TEST(a_second_401_is_for_another_try)
{
    PATCHES_GET({.status = 401});
    struct api_answer answer = patch();
    ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
    ck_assert_str_eq(answer.text, "status 401 with a new token");
    ck_assert_uint_eq(sage_api_token_count(sage), 2);
    ck_assert_uint_eq(sage_api_patch_count(sage), 2);
}
END_TEST

/* Two processes' handles on one database. */
static struct store *stores[2];
static struct provider_api *handles[2];

static void open_two(void)
{
    char error[STORE_ERROR_MAX];
    for (size_t i = 0; i < 2; i++) {
        stores[i] = store_open(store_path, STORE_OPERATOR, error);
        ck_assert_msg(stores[i] != NULL, "%s", error);
        handles[i] = provider_api_open(stores[i], &test_clock, &config);
        ck_assert_ptr_nonnull(handles[i]);
    }
}

static void close_two(void)
{
    for (size_t i = 0; i < 2; i++) {
        provider_api_close(handles[i]);
        store_close(stores[i]);
    }
}

static enum api_outcome outcomes[CROWD];

static void patch_in_crowd(size_t number)
{
    struct api_answer answer;
    provider_api_patch(handles[number % 2], ID, BODY, PLENTY_MS, NULL, &answer);
    outcomes[number] = answer.outcome;
}

static void expect_all_taken(void)
{
    for (size_t i = 0; i < CROWD; i++)
        ck_assert_int_eq((int)outcomes[i], API_TAKEN);
}

START_TEST(many_patches_of_two_processes_share_one_token)
{
    open_two();
    run_crowd(CROWD, patch_in_crowd);
    expect_all_taken();
    ck_assert_uint_eq(sage_api_patch_count(sage), CROWD);
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    close_two();
}
END_TEST

START_TEST(a_void_token_is_replaced_once)
{
    open_two();
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    sage_api_void_tokens(sage);
    run_crowd(CROWD, patch_in_crowd);
    expect_all_taken();
    ck_assert_uint_eq(sage_api_token_count(sage), 2);
    close_two();
}
END_TEST

static void patch_slowly_or_quickly(size_t number)
{
    if (number == 0) {
        outcomes[0] = patch().outcome;
        return;
    }
    (void)sage_api_await_patches(sage, 1);
    outcomes[1] = patch().outcome;
    sage_api_release(sage);
}

START_TEST(whoever_hears_late_that_a_token_is_void_drops_no_newer_one)
{
    PATCHES_GET({.status = 401, .manner = SAGE_HOLDS}, {.status = 401}, {.status = 200});
    run_crowd(2, patch_slowly_or_quickly);
    ck_assert_int_eq((int)outcomes[0], API_TAKEN);
    ck_assert_int_eq((int)outcomes[1], API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 2);
}
END_TEST

static sqlite3 *elsewhere;

/* Waits until somebody is about to write, who can't as long as `elsewhere` does. */
static void await_writer(void)
{
    int lock = open(store_path_with(".lock"), O_RDWR | O_CLOEXEC);
    ck_assert_int_ge(lock, 0);
    while (flock(lock, LOCK_EX | LOCK_NB) == 0) {
        (void)flock(lock, LOCK_UN);
        (void)poll(NULL, 0, 1);
    }
    (void)close(lock);
}

static void patch_or_bring_a_token(size_t number)
{
    if (number == 0) {
        outcomes[0] = patch().outcome;
        return;
    }
    await_writer();
    (void)sqlite3_exec(elsewhere,
                       "UPDATE access_token SET token = 'theirs', fetched_at = 1000000, "
                       "expires_at = 2000000; COMMIT",
                       NULL, NULL, NULL);
}

START_TEST(who_claims_a_fetch_looks_whether_it_is_still_due)
{
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    execute("UPDATE access_token SET token = NULL");
    ck_assert_int_eq(sqlite3_open(store_path, &elsewhere), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(elsewhere, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    run_crowd(2, patch_or_bring_a_token);
    ck_assert_int_eq(sqlite3_close(elsewhere), SQLITE_OK);
    ck_assert_int_eq((int)outcomes[0], API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    ck_assert_pstr_eq(sage_api_patch_request(sage, 1)->authorization, "Bearer theirs");
}
END_TEST

#define GIVEN(expires) "{\"access_token\":\"t\",\"token_type\":\"Bearer\"" expires "}"

static const struct {
    const char *body;
    int64_t used_for_ms;
} lives[] = {
    {GIVEN(",\"expires_in\":28800"), 28800000 - 60000},
    {GIVEN(",\"expires_in\":600"), 600000 - 60000},
    {GIVEN(",\"expires_in\":100"), 100000 - 10000},
    {GIVEN(",\"expires_in\":0"), 300000 - 30000},
    {GIVEN(",\"expires_in\":-1"), 300000 - 30000},
    {GIVEN(",\"expires_in\":\"9\""), 300000 - 30000},
    {GIVEN(",\"expires_in\":0.5"), 300000 - 30000},
    {GIVEN(",\"expires_in\":1e300"), 86400000 - 60000},
    {GIVEN(""), 300000 - 30000},
};

START_TEST(a_token_is_used_until_shortly_before_it_expires)
{
    struct sage_reply reply = {.status = 200, .body = lives[_i].body};
    sage_api_tokens(sage, &reply, 1);
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    time_passes(lives[_i].used_for_ms - 1);
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    time_passes(1);
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 2);
}
END_TEST

START_TEST(an_old_token_serves_on_while_there_is_no_new_one)
{
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    TOKENS_GET({.status = 500});
    time_passes(28800000 - 60000);
    ck_assert_int_eq((int)patch().outcome, API_TRY_AGAIN); /* whoever had to fetch */
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);     /* and who comes after that */
    time_passes(59000);
    ck_assert_int_eq((int)patch().outcome, API_TRY_AGAIN);
    ck_assert_uint_eq(sage_api_patch_count(sage), 2);
}
END_TEST

static const struct {
    const char *bytes;
    const char *wrong; /* NULL: nothing */
} answers[] = {
    {GIVEN(""), NULL},
    {"{\"access_token\":\"t\"}", NULL},
    {"{\"access_token\":\"t\",\"token_type\":\"bearer\"}", NULL},
    {"", "the answer isn't JSON"},
    {"<html>", "the answer isn't JSON"},
    {"[]", "the answer has no access_token"},
    {"{}", "the answer has no access_token"},
    {"{\"access_token\":\"\"}", "the answer has no access_token"},
    {"{\"access_token\":1}", "the answer has no access_token"},
    {"{\"access_token\":\"t\",\"access_token\":\"u\"}", "the answer isn't JSON"},
    {"{\"access_token\":\"a b\"}", "the access_token isn't one: too long, or not visible ASCII"},
    {"{\"access_token\":\"a\\r\\nX: b\"}",
     "the access_token isn't one: too long, or not visible ASCII"},
    {"{\"access_token\":\"\xC2\xB0\"}",
     "the access_token isn't one: too long, or not visible ASCII"},
    {"{\"access_token\":\"t\",\"token_type\":\"mac\"}", "the token_type isn't Bearer"},
    {"{\"access_token\":\"t\",\"token_type\":7}", "the token_type isn't Bearer"},
};

START_TEST(a_token_is_taken_from_a_sound_answer_alone)
{
    char token[ACCESS_TOKEN_SIZE] = "";
    int64_t life = -1;
    const char *wrong =
        access_token_read(answers[_i].bytes, strlen(answers[_i].bytes), token, &life);
    ck_assert_pstr_eq(wrong, answers[_i].wrong);
    ck_assert_str_eq(token, wrong == NULL ? "t" : "");
}
END_TEST

START_TEST(a_token_has_a_longest_length)
{
    static char text[ACCESS_TOKEN_SIZE + 64];
    static char token[ACCESS_TOKEN_SIZE];
    int64_t life = 0;
    for (size_t length = ACCESS_TOKEN_SIZE - 1; length <= ACCESS_TOKEN_SIZE; length++) {
        char *at = stpcpy(text, "{\"access_token\":\"");
        memset(at, 'a', length);
        (void)stpcpy(at + length, "\"}");
        bool taken = access_token_read(text, strlen(text), token, &life) == NULL;
        ck_assert_int_eq(taken, length < ACCESS_TOKEN_SIZE);
    }
}
END_TEST

static const struct {
    struct sage_reply reply;
    int64_t pause_ms;
    const char *text;
} failures[] = {
    {{.status = 401, .body = "{\"error\":\"access_denied\",\"error_description\":\"" API_KEY "\"}"},
     30000,
     "no access token: status 401 (access_denied); are client_id and client_secret_file right?"},
    {{.status = 403, .body = "{\"error\":\"" CLIENT_SECRET "\"}"},
     30000,
     "no access token: status 403; are client_id and client_secret_file right?"},
    {{.status = 400, .body = "no JSON"},
     30000,
     "no access token: status 400; are client_id and client_secret_file right?"},
    {{.status = 500}, 5000, "no access token: status 500"},
    {{.status = 302, .location = "/elsewhere"}, 5000, "no access token: status 302"},
    {{.status = 429, .retry_after = "20"}, 20000, "no access token: status 429"},
    {{.status = 429, .retry_after = "2000"}, 60000, "no access token: status 429"},
    {{.status = 200, .manner = SAGE_CUTS}, 5000, "no access token: Empty reply from server"},
    {{.status = 200, .manner = SAGE_FLOODS}, 5000, "no access token: the answer is too large"},
    {{.status = 200, .body = "{}"}, 30000, "no access token: the answer has no access_token"},
};

START_TEST(without_a_token_nothing_is_sent_and_nobody_hammers)
{
    sage_api_tokens(sage, &failures[_i].reply, 1);
    for (int i = 0; i < 2; i++) {
        struct api_answer answer = patch();
        ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
        ck_assert_str_eq(answer.text, failures[_i].text);
        ck_assert_int_eq(answer.retry_after_ms, failures[_i].pause_ms);
    }
    time_passes(failures[_i].pause_ms - 1);
    ck_assert_int_eq((int)patch().outcome, API_TRY_AGAIN);
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    sage_api_tokens(sage, NULL, 0);
    time_passes(1);
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_strays(sage), 0);
}
END_TEST

START_TEST(a_probe_asks_anew_whatever_failed_or_is_there)
{
    struct api_answer answer;
    TOKENS_GET({.status = 401}, {.status = 200});
    ck_assert_int_eq((int)patch().outcome, API_TRY_AGAIN);
    ck_assert(provider_api_probe(api, &answer));
    time_passes(1);
    ck_assert(provider_api_probe(api, &answer));
    ck_assert_uint_eq(sage_api_token_count(sage), 3);
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 3); /* what it got is for all */
}
END_TEST

START_TEST(the_claim_of_a_fetcher_that_died_runs_out)
{
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    execute("UPDATE access_token SET token = NULL, fetching_till = 1000000 + 6000");
    struct api_answer answer = patch_within(SCANT_MS);
    ck_assert_int_eq((int)answer.outcome, API_TRY_AGAIN);
    ck_assert_str_eq(answer.text, "no access token: another process didn't get one in time");
    ck_assert_uint_eq(sage_api_token_count(sage), 1);
    time_passes(6000);
    ck_assert_int_eq((int)patch().outcome, API_TAKEN);
    ck_assert_uint_eq(sage_api_token_count(sage), 2);
}
END_TEST

Suite *provider_api_suite(void)
{
    Suite *suite = suite_create("provider_api");
    ADD_SAGE_RULE(suite, a_patch_is_sent_as_sage_wants_it);
    ADD_SAGE_RULE(suite, a_long_body_is_sent_at_once);
    ADD_SAGE_RULE(suite, a_token_is_asked_for_by_a_form);
    ADD_SAGE_RULE_FOR_EACH(suite, each_answer_has_its_consequence, replies);
    ADD_SAGE_RULE(suite, a_stalled_patch_ends_with_its_budget);
    ADD_SAGE_RULE(suite, a_stalled_token_ends_with_the_budget);
    ADD_SAGE_RULE(suite, a_call_under_way_can_be_ended);
    ADD_SAGE_RULE(suite, a_call_that_was_ended_before_it_began_sends_nothing);
    ADD_SAGE_RULE_FOR_EACH(suite, what_is_no_uuid_makes_no_path, no_ids);
    ADD_SAGE_RULE(suite, a_header_is_not_split);
    ADD_SAGE_RULE(suite, without_configuration_results_wait);
    ADD_SAGE_RULE_FOR_EACH(suite, what_sage_says_is_cleaned_and_tells_no_secret, sayings);
    ADD_SAGE_RULE(suite, what_sage_says_is_cut_at_a_whole_character);
    ADD_SAGE_RULE(suite, after_401_one_new_token_is_fetched);
    ADD_SAGE_RULE(suite, a_second_401_is_for_another_try);
    ADD_SAGE_RULE(suite, many_patches_of_two_processes_share_one_token);
    ADD_SAGE_RULE(suite, a_void_token_is_replaced_once);
    ADD_SAGE_RULE(suite, whoever_hears_late_that_a_token_is_void_drops_no_newer_one);
    ADD_SAGE_RULE(suite, who_claims_a_fetch_looks_whether_it_is_still_due);
    ADD_SAGE_RULE_FOR_EACH(suite, a_token_is_used_until_shortly_before_it_expires, lives);
    ADD_SAGE_RULE(suite, an_old_token_serves_on_while_there_is_no_new_one);
    ADD_RULE_FOR_EACH(suite, a_token_is_taken_from_a_sound_answer_alone, answers);
    ADD_RULE(suite, a_token_has_a_longest_length);
    ADD_SAGE_RULE_FOR_EACH(suite, without_a_token_nothing_is_sent_and_nobody_hammers, failures);
    ADD_SAGE_RULE(suite, a_probe_asks_anew_whatever_failed_or_is_there);
    ADD_SAGE_RULE(suite, the_claim_of_a_fetcher_that_died_runs_out);
    return suite;
}
