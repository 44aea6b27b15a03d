/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <openssl/evp.h>
#include <string.h>

/* What every answer carries, what pages allow a browser, and what is never repeated. */

START_TEST(every_answer_has_the_security_headers)
{
    const char *id = new_uuid();
    const char *large = scratch_format("\"%s\"", repeat("x", 65536));
    EXPECT_STATUS(NOTIFY(.id = id), 200);
    EXPECT_STATUS(NOTIFY(.body = "{"), 400);
    EXPECT_STATUS(NOTIFY(.key = OMIT), 401);
    EXPECT_STATUS(NOTIFY(.authorization = OMIT), 401);
    EXPECT_STATUS(NOTIFY(.token = TOKEN(.scope = "\"x\"")), 403);
    EXPECT_STATUS(NOTIFY(.method = "PUT"), 405);
    EXPECT_STATUS(NOTIFY(.body = large), 413);
    EXPECT_STATUS(NOTIFY(.media_type = "text/plain"), 415);
    EXPECT_STATUS(OPEN(.id = id, .state = "x"), 400);
    EXPECT_STATUS(OPEN(.id = id, .method = "HEAD"), 405);
    EXPECT_STATUS(OPEN(.id = id, .method = "POST"), 403);
    EXPECT_STATUS(OPEN(.id = id, .headers = {"Purpose: prefetch"}), 503);
    EXPECT_STATUS(OPEN(.id = id), 200);
    EXPECT_STATUS(OPEN(.id = id, .endpoint = "authrefresh"), 403);
    EXPECT_STATUS(LIST(), 404);
    EXPECT_STATUS(LIST(.query = ""), 400);
    EXPECT_STATUS(LIST(.authorization = OMIT), 401);
    EXPECT_STATUS(LIST(.method = "POST"), 405);
}
END_TEST

/* The hash that a policy needs for the page's own style. */
static const char *style_hash(const char *page)
{
    const char *begin = strstr(page, "<style>");
    const char *end = begin != NULL ? strstr(begin, "</style>") : NULL;
    EXPECT(end != NULL, "no style in the page:\n%s", page);
    begin += strlen("<style>");
    unsigned char digest[EVP_MAX_MD_SIZE];
    EXPECT(EVP_Digest(begin, (size_t)(end - begin), digest, NULL, EVP_sha256(), NULL) == 1, "%s",
           "no SHA-256");
    unsigned char text[64];
    EXPECT_NUMBER(EVP_EncodeBlock(text, digest, 32), 44);
    return scratch_format("'sha256-%s'", (const char *)text);
}

/* That the policy says exactly this of a directive. */
static void expect_directive(const struct response *response, const char *name, const char *sources)
{
    const char *policy = response_header(response, "Content-Security-Policy");
    EXPECT(policy != NULL, "%s", "no policy");
    const char *framed = scratch_format("; %s;", policy);
    const char *wanted = scratch_format("; %s %s;", name, sources);
    EXPECT(strstr(framed, wanted) != NULL, "no <%s %s> in <%s>", name, sources, policy);
    const char *first = strstr(framed, scratch_format("; %s ", name));
    EXPECT(strstr(first + 1, scratch_format("; %s ", name)) == NULL, "%s twice in <%s>", name,
           policy);
}

static void expect_policy(const struct response *response, const char *ancestors)
{
    expect_directive(response, "default-src", "'none'");
    expect_directive(response, "base-uri", "'none'");
    expect_directive(response, "form-action",
                     "'self' https://money.sage.com http://localhost:8081 https://fragments.test");
    expect_directive(response, "style-src", style_hash(response->body));
    expect_directive(response, "frame-ancestors", ancestors);
    expect_directive(response, "img-src", "data:");
    const char *policy = response_header(response, "Content-Security-Policy");
    EXPECT(strstr(policy, "unsafe") == NULL && strstr(policy, "script") == NULL, "<%s>", policy);
}

static const char usual_ancestors[] = "'self' https://*.sagebankdrive.com https://*.sage.com "
                                      "https://*.intacct.com https://*.sageone.com";

START_TEST(pages_allow_a_browser_nothing_but_what_they_need)
{
    const char *id = new_uuid();
    arm(id);
    struct response opened = OPEN(.id = id);
    struct response refused = OPEN(.id = id);
    EXPECT_OPENED(opened, id);
    EXPECT_REFUSED(refused, REFUSAL_SESSION_USED);
    expect_policy(&opened, usual_ancestors);
    expect_policy(&refused, usual_ancestors);
}
END_TEST

START_TEST(who_may_frame_pages_is_configurable)
{
    SERVER(.settings = {"journey.frame_ancestors = 'self' https://accounting.test"});
    struct response response = OPEN();
    EXPECT_REFUSED(response, REFUSAL_SESSION_UNKNOWN);
    expect_policy(&response, "'self' https://accounting.test");
}
END_TEST

START_TEST(pages_speak_the_customers_language)
{
    struct response french = OPEN(.headers = {"Accept-Language: fr-CH, en;q=0.5"});
    EXPECT_STATUS(french, 403);
    EXPECT_TEXT(response_header(&french, "Content-Language"), "fr");
    EXPECT(strstr(french.body, "<html lang=\"fr\">") != NULL &&
               strstr(french.body, "Ce lien ne peut pas") != NULL,
           "not French:\n%s", french.body);
    struct response other = OPEN(.headers = {"Accept-Language: de"});
    EXPECT_REFUSED(other, REFUSAL_SESSION_UNKNOWN);
    EXPECT_TEXT(response_header(&other, "Content-Language"), "en");
}
END_TEST

/* ---- a header that comes twice ---------------------------------------------------- */

#define WRONG_KEY "another-key-0123456789-0123456789"

/* `*` is the right key. The names of the second half become one variable under lighttpd alone. */
static const struct {
    const char *name;
    const char *headers[2];
    bool aliased;
} key_headers[] = {
    {"the same", {"X-Feedgate-Key: *", "X-Feedgate-Key: *"}, false},
    {"right first", {"X-Feedgate-Key: *", "X-Feedgate-Key: " WRONG_KEY}, false},
    {"wrong first", {"X-Feedgate-Key: " WRONG_KEY, "X-Feedgate-Key: *"}, false},
    {"in two cases", {"x-feedgate-key: *", "X-FEEDGATE-KEY: *"}, false},
    {"joined", {"X-Feedgate-Key: *, *"}, false},
    {"joined, one is empty", {"X-Feedgate-Key: *, "}, false},
    {"an alias first", {"X_Feedgate_Key: *", "X-Feedgate-Key: *"}, true},
    {"an alias first, wrong", {"X_Feedgate_Key: " WRONG_KEY, "X-Feedgate-Key: *"}, true},
    {"an alias behind", {"X-Feedgate-Key: *", "X-Feedgate_Key: *"}, true},
    {"an alias behind, wrong", {"X-Feedgate-Key: *", "X-Feedgate_Key: " WRONG_KEY}, true},
};

static struct request with_key_headers(int row, const char *id)
{
    const char *headers[2] = {NULL};
    for (size_t i = 0; i < 2 && key_headers[row].headers[i] != NULL; i++)
        headers[i] = fill_in(key_headers[row].headers[i], '*', SERVER_KEY);
    case_is(key_headers[row].name);
    return NOTIFICATION(.id = id, .key = OMIT, .headers = {headers[0], headers[1]});
}

START_TEST(a_key_header_that_comes_twice_is_refused)
{
    const char *id = new_uuid();
    struct request request = with_key_headers(_i, id);
    if (key_headers[_i].aliased && !server_is("lighttpd")) /* it is dropped: tests/setups */
        return;
    /* A client's space at the end never gets as far as the endpoint. */
    bool ends_so = strcmp(key_headers[_i].name, "joined, one is empty") == 0;
    EXPECT_REFUSED(ends_so ? fastcgi_exchange(&request) : http_send(&request),
                   REFUSAL_KEY_HEADER_REPEATED);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

/* Straight to the program, in whose environment each header is a variable. */
START_TEST(plain_cgi_counts_its_variables)
{
    const char *id = new_uuid();
    struct request request = with_key_headers(_i, id);
    size_t mark = log_mark();
    arm(new_uuid()); /* the key set is there */
    EXPECT_NUMBER(cgi_status(cgi_run(&request)), 401);
    EXPECT_NUMBER(LOG_COUNT(mark, "refusal", "key_header_repeated"), 1);
    request =
        NOTIFICATION(.id = id, .headers = {scratch_format("Authorization: Bearer %s", TOKEN())});
    EXPECT_NUMBER(cgi_status(cgi_run(&request)), 401);
    EXPECT_NUMBER(LOG_COUNT(mark, "refusal", "token_repeated"), 1);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

START_TEST(nobody_can_tell_a_repeated_header_from_a_wrong_one)
{
    const char *key = scratch_format("X-Feedgate-Key: %s", SERVER_KEY);
    struct response response = NOTIFY(.headers = {key});
    EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_REPEATED);
    EXPECT_SAME_ANSWER(response, NOTIFY(.key = WRONG_KEY));
    response = NOTIFY(.authorization = scratch_format("Bearer %s, Bearer %s", TOKEN(), TOKEN()));
    EXPECT_REFUSED(response, REFUSAL_TOKEN_REPEATED);
    EXPECT_SAME_ANSWER(response, NOTIFY(.authorization = OMIT));
}
END_TEST

/* ---- nothing is repeated ------------------------------------------------------- */

/* A text that nobody else writes. */
#define MARKER "xq7vz9"

static void expect_not_repeated(struct response response, int status)
{
    EXPECT_STATUS(response, status);
    EXPECT(strstr(lower_case(response.body), MARKER) == NULL, "repeated in the body:\n%s",
           response.body);
    EXPECT(strstr(lower_case(response.headers), MARKER) == NULL, "repeated in the headers:\n%s",
           response.headers);
}

START_TEST(a_refused_request_is_never_repeated)
{
    expect_not_repeated(NOTIFY(.key = MARKER "-0123456789-0123456789"), 401);
    expect_not_repeated(NOTIFY(.token = MARKER), 401);
    expect_not_repeated(LIST(.token = TOKEN(.kid = "\"" MARKER "\"")), 401);
    expect_not_repeated(NOTIFY(.token = TOKEN(.iss = "\"" MARKER "\"")), 401);
    expect_not_repeated(NOTIFY(.token = TOKEN(.scope = "\"" MARKER "\"")), 403);
    expect_not_repeated(NOTIFY(.body = MARKER), 400);
    expect_not_repeated(NOTIFY(.body = "{\"" MARKER "\":1}"), 400);
    expect_not_repeated(NOTIFY(.media_type = "text/" MARKER), 415);
    expect_not_repeated(LIST(.external_id = MARKER), 404);
    expect_not_repeated(LIST(.query = MARKER), 400);
    for (size_t i = 0; i < 2; i++) {
        const char *endpoint = i == 0 ? "auth" : "authrefresh";
        expect_not_repeated(OPEN(.endpoint = endpoint, .id = MARKER), 400);
        expect_not_repeated(OPEN(.endpoint = endpoint, .state = MARKER), 400);
        expect_not_repeated(
            OPEN(.endpoint = endpoint, .redirect_uri = "https://" MARKER ".test/<b>"), 400);
        expect_not_repeated(
            OPEN(.endpoint = endpoint, .redirect_uri = "https://money.sage.com/" MARKER), 403);
        expect_not_repeated(OPEN(.endpoint = endpoint, .more_query = "&" MARKER "=" MARKER), 403);
        expect_not_repeated(OPEN(.endpoint = endpoint, .query = MARKER), 400);
    }
}
END_TEST

/* ---- nothing secret is logged ----------------------------------------------------- */

static void expect_not_logged(size_t mark, const char *what, const char *secret)
{
    EXPECT(strstr(log_since(mark), secret) == NULL, "%s is in the log:\n%s", what, log_since(mark));
}

START_TEST(the_log_holds_no_secret)
{
    static const char wrong_key[] = "a-key-of-somebody-else-0123456789";
    const char *id = new_uuid();
    const char *unknown = new_uuid();
    const char *state = new_uuid();
    const char *good = TOKEN();
    const char *forged = TOKEN(.key = "second", .kid = "\"first\"");
    size_t mark = log_mark();
    EXPECT_RECORDED(NOTIFY(.id = id, .token = good), "armed");
    EXPECT_REFUSED(NOTIFY(.id = id, .token = forged), REFUSAL_TOKEN_SIGNATURE);
    EXPECT_REFUSED(NOTIFY(.id = id, .key = wrong_key), REFUSAL_KEY_HEADER_WRONG);
    EXPECT_REFUSED(NOTIFY(.id = id, .token = TOKEN(.scope = "\"x\"")), REFUSAL_TOKEN_SCOPE);
    EXPECT_REFUSED(OPEN(.id = id, .state = state, .bank = new_uuid()), REFUSAL_SESSION_BANK);
    EXPECT_REFUSED(OPEN(.id = id, .state = state, .redirect_uri = "https://evil.test/secret-path"),
                   REFUSAL_REDIRECT_URI_REFUSED);
    EXPECT_REFUSED(OPEN(.id = unknown, .state = state), REFUSAL_SESSION_UNKNOWN);
    EXPECT_REFUSED(OPEN(.id = id, .method = "POST"), REFUSAL_CONTINUATION_MISSING);
    EXPECT_REFUSED(LIST(.token = good), REFUSAL_ACCOUNT_UNKNOWN);
    expect_not_logged(mark, "the key", SERVER_KEY);
    expect_not_logged(mark, "a wrong key", wrong_key);
    expect_not_logged(mark, "a token's signature", strrchr(good, '.'));
    expect_not_logged(mark, "a forged token's signature", strrchr(forged, '.'));
    expect_not_logged(mark, "a token's claims", scratch_copy(strchr(good, '.'), 40));
    expect_not_logged(mark, "an identifier that isn't opened", id);
    expect_not_logged(mark, "an unknown identifier", unknown);
    expect_not_logged(mark, "a state", state);
    expect_not_logged(mark, "a refused redirect URI's path", "secret-path");
}
END_TEST

Suite *header_rules(void)
{
    Suite *suite = suite_create("header");
    ADD_TEST(suite, every_answer_has_the_security_headers);
    ADD_TEST(suite, pages_allow_a_browser_nothing_but_what_they_need);
    ADD_TEST(suite, who_may_frame_pages_is_configurable);
    ADD_TEST(suite, pages_speak_the_customers_language);
    ADD_ROWS(suite, a_key_header_that_comes_twice_is_refused, ROWS(key_headers));
    ADD_ROWS(suite, plain_cgi_counts_its_variables, ROWS(key_headers));
    ADD_TEST(suite, nobody_can_tell_a_repeated_header_from_a_wrong_one);
    ADD_TEST(suite, a_refused_request_is_never_repeated);
    ADD_TEST(suite, the_log_holds_no_secret);
    return suite;
}
