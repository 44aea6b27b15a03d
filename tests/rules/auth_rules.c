/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/* GET /auth and /authrefresh: what opens a session, once, and what doesn't. */

static const char *const endpoints[] = {"auth", "authrefresh"};
#define AT_BOTH(table) (ROWS(table) * ROWS(endpoints))
#define ROW_OF(i) ((i) / (int)ROWS(endpoints))
#define ENDPOINT_OF(i) (endpoints[(i) % (int)ROWS(endpoints)])
#define OTHER_THAN(i) (endpoints[1 - (i) % (int)ROWS(endpoints)])

/* That the session can be opened: nothing that came before consumed it. */
static void expect_still_usable(const char *id)
{
    EXPECT_TEXT(session_state(id), "notified");
    EXPECT_OPENED(OPEN(.id = id), id);
}

START_TEST(a_notified_session_is_opened)
{
    const char *endpoint = ENDPOINT_OF(_i);
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id, .endpoint = endpoint), id);
    EXPECT_TEXT(session_state(id), "opened");
    EXPECT_TEXT(session_column("opened_by", id), endpoint);
    EXPECT_TEXT(session_column("flow", id), _i == 0 ? "authorisation" : "re-authorisation");
    EXPECT(session_column("opened_at", id) != NULL, "%s", "no time of opening");
}
END_TEST

START_TEST(a_session_opens_once)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i)), id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i)), REFUSAL_SESSION_USED);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = OTHER_THAN(_i)), REFUSAL_SESSION_USED);
    EXPECT_TEXT(session_column("opened_by", id), ENDPOINT_OF(_i));
}
END_TEST

START_TEST(an_unknown_session_is_refused)
{
    const char *id = new_uuid();
    struct response response = OPEN(.id = id, .endpoint = ENDPOINT_OF(_i));
    EXPECT_REFUSED(response, REFUSAL_SESSION_UNKNOWN);
    AWAIT(LOG_COUNT(response.log_mark, "refusal", "session_unknown", "session", log_id_of(id)) == 1,
          "the log:\n%s", log_since(response.log_mark));
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

START_TEST(nobody_can_tell_a_used_session_from_an_unknown_one)
{
    const char *id = new_uuid();
    const char *endpoint = ENDPOINT_OF(_i);
    arm(id);
    EXPECT_OPENED(OPEN(.id = id), id);
    struct response used = OPEN(.id = id, .endpoint = endpoint);
    struct response unknown = OPEN(.endpoint = endpoint);
    struct response forged = OPEN(.endpoint = endpoint, .method = "POST");
    EXPECT_REFUSED(used, REFUSAL_SESSION_USED);
    EXPECT_REFUSED(unknown, REFUSAL_SESSION_UNKNOWN);
    EXPECT_REFUSED(forged, REFUSAL_CONTINUATION_MISSING);
    EXPECT_SAME_ANSWER(used, unknown);
    EXPECT_SAME_ANSWER(forged, unknown);
}
END_TEST

START_TEST(identifiers_are_compared_without_case)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = upper_case(id), .endpoint = ENDPOINT_OF(_i)), id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i)), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(state_may_be_the_session_itself)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id, .state = id, .endpoint = ENDPOINT_OF(_i)), id);
}
END_TEST

START_TEST(parameters_that_sage_may_add_are_ignored)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i),
                       .more_query = "&product=accounting&flag&empty=&ID=1"),
                  id);
}
END_TEST

/* ---- what consumes nothing ------------------------------------------------ */

static const char *const other_methods[] = {"HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"};

START_TEST(other_methods_consume_nothing)
{
    const char *id = new_uuid();
    case_is(other_methods[ROW_OF(_i)]);
    arm(id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i), .method = other_methods[ROW_OF(_i)]),
                   REFUSAL_METHOD_NOT_ALLOWED);
    expect_still_usable(id);
}
END_TEST

START_TEST(a_post_without_continuation_consumes_nothing)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i), .method = "POST"),
                   REFUSAL_CONTINUATION_MISSING);
    struct request form = OPENING(.id = id, .endpoint = ENDPOINT_OF(_i));
    form.body = strchr(form.path, '?') + 1;
    form.body_length = strlen(form.body);
    form.headers[0] = "Content-Type: application/x-www-form-urlencoded";
    EXPECT_REFUSED(http_send(&form), REFUSAL_CONTINUATION_MISSING);
    expect_still_usable(id);
}
END_TEST

static const char *const prefetches[] = {
    "Sec-Purpose: prefetch",
    "Sec-Purpose: prefetch;prerender",
    "Sec-Purpose: prefetch;anonymous-client-ip",
    "Purpose: prefetch",
    "X-Moz: prefetch",
};

START_TEST(a_prefetch_consumes_nothing)
{
    const char *id = new_uuid();
    case_is(prefetches[ROW_OF(_i)]);
    arm(id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i), .headers = {prefetches[ROW_OF(_i)]}),
                   REFUSAL_PREFETCH);
    expect_still_usable(id);
}
END_TEST

static const char *const other_paths[] = {"auth/", "auth/extra", "authX", "AUTH", "authrefresh/x"};

START_TEST(other_paths_consume_nothing)
{
    const char *id = new_uuid();
    case_is(other_paths[_i]);
    arm(id);
    EXPECT_NUMBER(OPEN(.id = id, .endpoint = other_paths[_i]).status, 404);
    expect_still_usable(id);
}
END_TEST

/* ---- parameters ----------------------------------------------------------- */

static const struct {
    const char *name;
    const char *parameter;
    const char *raw; /* what is sent in place of the pair; `*` is the pair as it should be */
    enum refusal refusal;
    const char *endpoint; /* NULL: both */
} parameters[] = {
    {"no identifier", "authorisation_id", "", REFUSAL_PARAMETER_MISSING, NULL},
    {"no redirect_uri", "redirect_uri", "", REFUSAL_PARAMETER_MISSING, NULL},
    {"no state", "state", "", REFUSAL_PARAMETER_MISSING, NULL},
    {"no bank", "bank", "", REFUSAL_PARAMETER_MISSING, "auth"},
    {"no bankaccount", "bankaccount", "", REFUSAL_PARAMETER_MISSING, "authrefresh"},
    {"no externalId", "externalId", "", REFUSAL_PARAMETER_MISSING, "authrefresh"},
    {"name in another case", "state", "S*", REFUSAL_PARAMETER_MISSING, NULL},
    {"identifier twice", "authorisation_id", "*&*", REFUSAL_PARAMETER_TWICE, NULL},
    {"redirect_uri twice", "redirect_uri", "*&*", REFUSAL_PARAMETER_TWICE, NULL},
    {"state twice", "state", "*&*", REFUSAL_PARAMETER_TWICE, NULL},
    {"state twice, once escaped", "state", "*&%73tate=x", REFUSAL_PARAMETER_TWICE, NULL},
    {"state twice, once empty", "state", "*&state", REFUSAL_PARAMETER_TWICE, NULL},
    {"bank twice", "bank", "*&*", REFUSAL_PARAMETER_TWICE, "auth"},
    {"bankaccount twice", "bankaccount", "*&*", REFUSAL_PARAMETER_TWICE, "authrefresh"},
    {"externalId twice", "externalId", "*&*", REFUSAL_PARAMETER_TWICE, "authrefresh"},
    {"unknown one twice", "state", "*&x=1&x=1", REFUSAL_PARAMETER_TWICE, NULL},
    {"empty identifier", "authorisation_id", "authorisation_id=", REFUSAL_PARAMETER_MALFORMED,
     NULL},
    {"identifier without value", "authorisation_id", "authorisation_id",
     REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier goes on", "authorisation_id", "*0", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier and a space", "authorisation_id", "*%20", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier and a plus", "authorisation_id", "*+", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier and a line feed", "authorisation_id", "*%0A", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier and NUL", "authorisation_id", "*%00", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier of other letters", "authorisation_id",
     "authorisation_id=zzzzzzzz-2222-4333-8444-555555555555", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"identifier in braces", "authorisation_id",
     "authorisation_id=%7B11111111-2222-4333-8444-555555555555%7D", REFUSAL_PARAMETER_MALFORMED,
     NULL},
    {"identifier escaped twice", "authorisation_id",
     "authorisation_id=11111111%252D2222-4333-8444-555555555555", REFUSAL_PARAMETER_MALFORMED,
     NULL},
    {"state is no UUID", "state", "state=abc", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"state goes on", "state", "*%26x%3D1", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"bank is no UUID", "bank", "bank=mine", REFUSAL_PARAMETER_MALFORMED, "auth"},
    {"empty externalId", "externalId", "externalId=", REFUSAL_PARAMETER_MALFORMED, "authrefresh"},
    {"externalId with a line feed", "externalId", "*%0Aa", REFUSAL_PARAMETER_MALFORMED,
     "authrefresh"},
    {"externalId of other letters", "externalId", "*%C3%A9", REFUSAL_PARAMETER_MALFORMED,
     "authrefresh"},
    {"a bad escape", "state", "*&x=%zz", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"half an escape", "state", "*&x=%4", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"NUL in an unknown one", "state", "*&x=%00", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"empty redirect_uri", "redirect_uri", "redirect_uri=", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"too many pairs", "state", "*&a&b&c&d&e&f&g&h&i&j&k&l&m&n&o&p&q&r&s&t&u&v&w&x&y&z&A&B&C&D",
     REFUSAL_PARAMETER_MALFORMED, NULL},
};

START_TEST(a_bad_parameter_consumes_nothing)
{
    const char *only_at = parameters[ROW_OF(_i)].endpoint;
    if (only_at != NULL && strcmp(only_at, ENDPOINT_OF(_i)) != 0)
        return;
    case_is(parameters[ROW_OF(_i)].name);
    const char *id = new_uuid();
    arm(id);
    struct request request =
        OPENING(.id = id, .endpoint = ENDPOINT_OF(_i), .changed = parameters[ROW_OF(_i)].parameter,
                .raw = parameters[ROW_OF(_i)].raw);
    EXPECT_REFUSED(send_unchanged(&request), parameters[ROW_OF(_i)].refusal);
    expect_still_usable(id);
}
END_TEST

START_TEST(a_request_without_query_is_refused)
{
    struct request request = {.path = scratch_format("/%s", ENDPOINT_OF(_i))};
    EXPECT_REFUSED(http_send(&request), REFUSAL_PARAMETER_MISSING);
}
END_TEST

START_TEST(an_external_id_may_be_256_bytes_long)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = "authrefresh", .external_id = repeat("x", 257)),
                   REFUSAL_PARAMETER_MALFORMED);
    EXPECT_OPENED(OPEN(.id = id, .endpoint = "authrefresh", .external_id = repeat("+", 256)), id);
}
END_TEST

/* ---- bank ----------------------------------------------------------------- */

START_TEST(another_bank_than_the_notified_one_consumes_nothing)
{
    const char *id = new_uuid();
    arm(id);
    struct response other = OPEN(.id = id, .bank = new_uuid());
    EXPECT_REFUSED(other, REFUSAL_SESSION_BANK);
    EXPECT_SAME_ANSWER(other, OPEN(.id = new_uuid()));
    expect_still_usable(id);
}
END_TEST

START_TEST(bankaccount_is_not_compared_with_the_bank)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id, .endpoint = "authrefresh", .bank = new_uuid()), id);
}
END_TEST

/* ---- where customers are sent back to ------------------------------------- */

static const struct {
    const char *name;
    const char *uri;
} good_uris[] = {
    {"the origin alone", "https://money.sage.com"},
    {"with a slash", "https://money.sage.com/"},
    {"with a path", "https://money.sage.com/a/b%20c/"},
    {"with a query", "https://money.sage.com/?a=b&c=d"},
    {"a query right behind", "https://money.sage.com?a=b"},
    {"host in capitals", "https://Money.Sage.COM/x"},
    {"scheme in capitals", "HTTPS://money.sage.com/x"},
    {"with the usual port", "https://money.sage.com:443/x"},
    {"loopback", "http://localhost:8081/return"},
    {"a parameter like state", "https://money.sage.com/?xstate=1&state2=2"},
    {"a fragment where allowed", "https://fragments.test/#/banking/return"},
    {"another URL in its query", "https://money.sage.com/?next=https://evil.test/"},
};

START_TEST(a_good_redirect_uri_is_accepted)
{
    const char *id = new_uuid();
    case_is(good_uris[ROW_OF(_i)].name);
    arm(id);
    EXPECT_OPENED(
        OPEN(.id = id, .endpoint = ENDPOINT_OF(_i), .redirect_uri = good_uris[ROW_OF(_i)].uri), id);
}
END_TEST

static const struct {
    const char *name;
    const char *uri;
    const char *origin; /* as the log names it; NULL: not looked at */
} bad_uris[] = {
    {"another host", "https://evil.test/x", "https://evil.test"},
    {"another host of Sage's", "https://new.sagebankdrive.com/x", "https://new.sagebankdrive.com"},
    {"plain HTTP", "http://money.sage.com/x", "http://money.sage.com"},
    {"another port", "https://money.sage.com:8443/x", "https://money.sage.com:8443"},
    {"port that goes on", "http://localhost:80810/", "http://localhost:80810"},
    {"no port", "http://localhost/", "http://localhost"},
    {"host that goes on", "https://money.sage.com.evil.test/", "https://money.sage.com.evil.test"},
    {"host that begins earlier", "https://evilmoney.sage.com/", "https://evilmoney.sage.com"},
    {"as user name", "https://money.sage.com@evil.test/", NULL},
    {"as user name and password", "https://money.sage.com:443@evil.test/", NULL},
    {"port as password", "http://localhost:8081@evil.test/", NULL},
    {"behind a backslash", "https://evil.test/\\@money.sage.com/", NULL},
    {"a backslash in front of @", "https://evil.test\\@money.sage.com/", NULL},
    {"a backslash behind the host", "https://money.sage.com\\.evil.test/", NULL},
    {"escaped slash in the host", "https://money.sage.com%2F.evil.test/", NULL},
    {"without scheme", "//money.sage.com/x", NULL},
    {"without slashes", "https:money.sage.com/x", NULL},
    {"one slash", "https:/money.sage.com/x", NULL},
    {"three slashes", "https:///money.sage.com/x", NULL},
    {"a path", "/x", NULL},
    {"a script", "javascript:alert(1)//https://money.sage.com/", NULL},
    {"data", "data:text/html,https://money.sage.com/", NULL},
    {"a space in front", " https://money.sage.com/x", NULL},
    {"a space within", "https://money.sage.com/ x", NULL},
    {"a tab within", "https://money.sage.com/\tx", NULL},
    {"a line feed within", "https://money.sage.com/\r\nX: y", NULL},
    {"a quotation mark", "https://money.sage.com/\"x", NULL},
    {"less than", "https://money.sage.com/<x", NULL},
    {"greater than", "https://money.sage.com/>x", NULL},
    {"other letters", "https://money.sage.com/\xC3\xA9", NULL},
    {"a fragment", "https://money.sage.com/#/paynow/1", NULL},
    {"an empty fragment", "https://money.sage.com/x#", NULL},
    {"a fragment right behind", "https://money.sage.com#@evil.test/", NULL},
    {"its own state", "https://money.sage.com/?state=1", NULL},
    {"its own state, second", "https://money.sage.com/?a=b&state=1", NULL},
    {"its own state, empty", "https://money.sage.com/?state", NULL},
    {"its own state, escaped", "https://money.sage.com/?%73tate=1", NULL},
    {"its own state, a list", "https://money.sage.com/?state[]=1", NULL},
    {"its own state, a list, escaped", "https://money.sage.com/?%73tate%5B%5D=1", NULL},
    {"its own state in front of a fragment", "https://fragments.test/?state=1#x", NULL},
};

START_TEST(a_bad_redirect_uri_consumes_nothing)
{
    const char *id = new_uuid();
    const char *origin = bad_uris[ROW_OF(_i)].origin;
    case_is(bad_uris[ROW_OF(_i)].name);
    arm(id);
    struct request request =
        OPENING(.id = id, .endpoint = ENDPOINT_OF(_i), .redirect_uri = bad_uris[ROW_OF(_i)].uri);
    struct response response = send_unchanged(&request);
    if (origin == NULL && strpbrk(bad_uris[ROW_OF(_i)].uri, " \t\r\"<>\xC3\\") != NULL)
        EXPECT_STATUS(response, 400); /* refused as a parameter or as a redirect URI */
    else
        EXPECT_REFUSED(response, REFUSAL_REDIRECT_URI_REFUSED);
    if (origin != NULL)
        AWAIT(LOG_COUNT(response.log_mark, "refusal", "redirect_uri_refused", "detail", origin) ==
                  1,
              "the log:\n%s", log_since(response.log_mark));
    expect_still_usable(id);
}
END_TEST

START_TEST(a_redirect_uri_may_be_2048_bytes_long)
{
    const char *id = new_uuid();
    const char *origin = "https://money.sage.com/";
    const char *longest = scratch_format("%s%s", origin, repeat("x", 2048 - strlen(origin)));
    arm(id);
    EXPECT_REFUSED(
        OPEN(.id = id, .endpoint = ENDPOINT_OF(_i), .redirect_uri = scratch_format("%sx", longest)),
        REFUSAL_PARAMETER_MALFORMED);
    EXPECT_OPENED(OPEN(.id = id, .endpoint = ENDPOINT_OF(_i), .redirect_uri = longest), id);
}
END_TEST

START_TEST(the_redirect_uri_is_judged_before_the_session)
{
    struct response unknown = OPEN(.redirect_uri = "https://evil.test/");
    EXPECT_REFUSED(unknown, REFUSAL_REDIRECT_URI_REFUSED);
    const char *id = new_uuid();
    arm(id);
    struct response known = OPEN(.id = id, .redirect_uri = "https://evil.test/");
    EXPECT_SAME_ANSWER(known, unknown);
}
END_TEST

/* ---- the page ------------------------------------------------------------- */

/* Every URL that the page names, in href, src, action, ...: absolute ones only. */
static void expect_absolute_urls(const char *page)
{
    static const char *const attributes[] = {" href=\"",      " src=\"",    " action=\"",
                                             " srcset=\"",    " poster=\"", " data=\"",
                                             " formaction=\""};
    for (size_t i = 0; i < ROWS(attributes); i++)
        for (const char *at = page; (at = strstr(at, attributes[i])) != NULL;) {
            at += strlen(attributes[i]);
            EXPECT(strncmp(at, "https://", 8) == 0 || strncmp(at, "http://", 7) == 0,
                   "a URL that isn't absolute: %.60s", at);
        }
}

START_TEST(the_page_works_inside_another_page)
{
    static const char *const unwanted[] = {
        "<script", " onclick", " onload", "javascript:", "<iframe", "<object",
        "<embed",  "<base",    " style=", "@import",     "url(",    "http-equiv"};
    const char *id = new_uuid();
    arm(id);
    struct response response = OPEN(.id = id, .endpoint = ENDPOINT_OF(_i));
    EXPECT_OPENED(response, id);
    const char *page = lower_case(response.body);
    for (size_t i = 0; i < ROWS(unwanted); i++)
        EXPECT(strstr(page, unwanted[i]) == NULL, "%s in the page:\n%s", unwanted[i],
               response.body);
    expect_absolute_urls(page);
    EXPECT(strstr(page, "<!doctype html>") == page, "%s", "no doctype");
    EXPECT(strstr(page, "<html lang=\"en\"") != NULL, "%s", "no language");
    EXPECT(strstr(page, "<title>") != NULL && strstr(page, "<h1") != NULL, "%s", "no title");
    EXPECT(strstr(response.body, "Example Bank") != NULL, "the provider isn't named:\n%s",
           response.body);
    EXPECT(strstr(response.body, "Sage") != NULL, "Sage isn't named:\n%s", response.body);
    EXPECT_TEXT(response_header(&response, "Set-Cookie"), NULL);
}
END_TEST

START_TEST(the_provider_name_is_escaped)
{
    SERVER(.settings = {"journey.provider_name = R&D <b>\"Bank\"</b> 'n' Sons"});
    const char *id = new_uuid();
    arm(id);
    struct response response = OPEN(.id = id);
    EXPECT_OPENED(response, id);
    EXPECT(strstr(response.body, "<b>") == NULL, "the name is no HTML:\n%s", response.body);
    EXPECT(strstr(response.body, "R&amp;D &lt;b&gt;") != NULL, "no name:\n%s", response.body);
}
END_TEST

START_TEST(the_log_says_from_where_a_session_was_opened)
{
    const char *id = new_uuid();
    arm(id);
    struct response response = OPEN(.id = id);
    EXPECT_OPENED(response, id);
    EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "session_opened", "session", log_id_of(id),
                            "address", "127.0.0.1"),
                  1);
}
END_TEST

Suite *auth_rules(void)
{
    Suite *suite = suite_create("auth");
    ADD_ROWS(suite, a_notified_session_is_opened, ROWS(endpoints));
    ADD_ROWS(suite, a_session_opens_once, ROWS(endpoints));
    ADD_ROWS(suite, an_unknown_session_is_refused, ROWS(endpoints));
    ADD_ROWS(suite, nobody_can_tell_a_used_session_from_an_unknown_one, ROWS(endpoints));
    ADD_ROWS(suite, identifiers_are_compared_without_case, ROWS(endpoints));
    ADD_ROWS(suite, state_may_be_the_session_itself, ROWS(endpoints));
    ADD_ROWS(suite, parameters_that_sage_may_add_are_ignored, ROWS(endpoints));
    ADD_ROWS(suite, other_methods_consume_nothing, AT_BOTH(other_methods));
    ADD_ROWS(suite, a_post_without_continuation_consumes_nothing, ROWS(endpoints));
    ADD_ROWS(suite, a_prefetch_consumes_nothing, AT_BOTH(prefetches));
    ADD_ROWS(suite, other_paths_consume_nothing, ROWS(other_paths));
    ADD_ROWS(suite, a_bad_parameter_consumes_nothing, AT_BOTH(parameters));
    ADD_ROWS(suite, a_request_without_query_is_refused, ROWS(endpoints));
    ADD_TEST(suite, an_external_id_may_be_256_bytes_long);
    ADD_TEST(suite, another_bank_than_the_notified_one_consumes_nothing);
    ADD_TEST(suite, bankaccount_is_not_compared_with_the_bank);
    ADD_ROWS(suite, a_good_redirect_uri_is_accepted, AT_BOTH(good_uris));
    ADD_ROWS(suite, a_bad_redirect_uri_consumes_nothing, AT_BOTH(bad_uris));
    ADD_ROWS(suite, a_redirect_uri_may_be_2048_bytes_long, ROWS(endpoints));
    ADD_TEST(suite, the_redirect_uri_is_judged_before_the_session);
    ADD_ROWS(suite, the_page_works_inside_another_page, ROWS(endpoints));
    ADD_TEST(suite, the_provider_name_is_escaped);
    ADD_TEST(suite, the_log_says_from_where_a_session_was_opened);
    return suite;
}
