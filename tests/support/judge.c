/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "expect.h"
#include "log_file.h"
#include "scratch.h"
#include "server.h"

#include <cjson/cJSON.h>
#include <stdlib.h>
#include <string.h>

/* What answers must be like; see client.h. */

static bool is_page(const struct response *response)
{
    return strncmp(response->endpoint, "auth", 4) == 0;
}

static bool has_body(const struct response *response)
{
    return strcmp(response->method, "HEAD") != 0;
}

/* EXPECT with the place of the test that asked. */
#define CHECK(condition, ...)                                                                      \
    do {                                                                                           \
        if (!(condition))                                                                          \
            expect_failed(file, line, #condition, __VA_ARGS__);                                    \
    } while (0)

/* Waits for a line of the log; tells what is there in its place. */
#define CHECK_LOGGED(mark, ...)                                                                    \
    do {                                                                                           \
        int64_t begin = monotonic_ms();                                                            \
        while (LOG_COUNT((mark), __VA_ARGS__) == 0) {                                              \
            CHECK(monotonic_ms() - begin < log_patience(mark),                                     \
                  "the log has no such line, but:\n%s", log_since(mark));                          \
            pause_briefly();                                                                       \
        }                                                                                          \
    } while (0)

/* Only a test that fails waits so long; less when another line is there already. */
static int64_t log_patience(size_t mark)
{
    return LOG_COUNT(mark, "event", "refused") > 0 ? 2000 : 20000;
}

static void check_header(const char *file, int line, const struct response *response,
                         const char *name, const char *expected)
{
    const char *value = response_header(response, name);
    bool equal =
        value == NULL || expected == NULL ? value == expected : strcmp(value, expected) == 0;
    CHECK(equal, "the header %s is <%s>, not <%s>", name, value != NULL ? value : "not there",
          expected != NULL ? expected : "left out");
}

/* What every answer has, whatever it says. */
static void check_security_headers(const char *file, int line, const struct response *response)
{
    check_header(file, line, response, "Cache-Control", "no-store");
    check_header(file, line, response, "Referrer-Policy", "no-referrer");
    check_header(file, line, response, "X-Content-Type-Options", "nosniff");
    check_header(file, line, response, "X-Frame-Options", NULL);
    check_header(file, line, response, "Set-Cookie", NULL);
    if (is_page(response) && response->status != 303)
        CHECK(response_header(response, "Content-Security-Policy") != NULL, "%s", "no policy");
}

void expect_status(const char *file, int line, struct response response, int status)
{
    CHECK(response.status == status, "%s /%s is answered with %d, not %d:\n%.400s\nlog:\n%s",
          response.method, response.endpoint, response.status, status, response.body,
          log_since(response.log_mark));
    check_security_headers(file, line, &response);
}

static const char *expected_challenge(const struct response *response, enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_KEY_HEADER_MISSING:
    case REFUSAL_KEY_HEADER_WRONG:
    case REFUSAL_KEY_HEADER_REPEATED:
    case REFUSAL_TOKEN_MISSING:
    case REFUSAL_TOKEN_REPEATED:
    case REFUSAL_CODE_KEY_MISSING:
    case REFUSAL_CODE_KEY_WRONG:
    case REFUSAL_COMPLETE_KEY_MISSING:
    case REFUSAL_COMPLETE_KEY_WRONG:
        return "Bearer realm=\"feedgate\"";
    case REFUSAL_TOKEN_SCOPE:
        return scratch_format(
            "Bearer realm=\"feedgate\", error=\"insufficient_scope\", scope=\"%s\"",
            strcmp(response->endpoint, "notification") == 0 ? "WebhooksLambda" : "ProviderAPI");
    default:
        break;
    }
    if (refusal_status(refusal) == 401)
        return "Bearer realm=\"feedgate\", error=\"invalid_token\"";
    return NULL;
}

static const char *expected_methods(const struct response *response, enum refusal refusal)
{
    if (refusal != REFUSAL_METHOD_NOT_ALLOWED)
        return NULL;
    if (is_page(response))
        return response->gated ? "GET" : "GET, POST";
    return strcmp(response->endpoint, "availableaccounts") == 0 ? "GET" : "POST";
}

static void check_refusal_headers(const char *file, int line, const struct response *response,
                                  enum refusal refusal)
{
    check_header(file, line, response, "WWW-Authenticate", expected_challenge(response, refusal));
    check_header(file, line, response, "Allow", expected_methods(response, refusal));
    const char *retry = response_header(response, "Retry-After");
    if (refusal_status(refusal) == 503)
        CHECK(retry != NULL && strtol(retry, NULL, 10) >= 1, "Retry-After is <%s>",
              retry != NULL ? retry : "not there");
    else
        CHECK(retry == NULL, "Retry-After with %d", response->status);
    if (!has_body(response))
        return;
    check_header(file, line, response, "Content-Type",
                 is_page(response) ? "text/html; charset=utf-8" : "application/problem+json");
}

static void check_problem(const char *file, int line, const struct response *response,
                          enum refusal refusal)
{
    cJSON *problem = cJSON_ParseWithLength(response->body, response->body_length);
    CHECK(problem != NULL, "the body is no JSON: %s", response->body);
    const char *parts = scratch_format(
        "%s|%s|%d|%s|%d", cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(problem, "type")),
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(problem, "title")),
        (int)cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(problem, "status")),
        cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(problem, "detail")),
        cJSON_GetArraySize(problem));
    cJSON_Delete(problem);
    if (refusal == REFUSAL_CUSTOMER_MALFORMED || refusal == REFUSAL_RESULT_MALFORMED)
        return; /* its test looks for the words */
    const char *expected = scratch_format("about:blank|%s|%d|%s|4", refusal_title(refusal),
                                          refusal_status(refusal), refusal_advice(refusal));
    CHECK(strcmp(parts, expected) == 0, "the problem is %s, not %s", parts, expected);
}

/* The page with its apostrophes as they are. */
static const char *plain(const char *html)
{
    static const char *const forms[] = {"&#39;", "&#x27;", "&apos;"};
    char *text = scratch_copy(html, strlen(html));
    for (size_t i = 0; i < ROWS(forms); i++)
        for (char *place; (place = strstr(text, forms[i])) != NULL;) {
            *place = '\'';
            memmove(place + 1, place + strlen(forms[i]), strlen(place + strlen(forms[i])) + 1);
        }
    return text;
}

static void check_refusal_page(const char *file, int line, const struct response *response,
                               enum refusal refusal)
{
    const char *page = plain(response->body);
    CHECK(strstr(page, refusal_title(refusal)) != NULL, "the page doesn't say \"%s\":\n%s",
          refusal_title(refusal), page);
    CHECK(strstr(page, refusal_advice(refusal)) != NULL, "the page doesn't say \"%s\":\n%s",
          refusal_advice(refusal), page);
}

void expect_refused(const char *file, int line, struct response response, enum refusal refusal)
{
    expect_status(file, line, response, refusal_status(refusal));
    check_refusal_headers(file, line, &response, refusal);
    if (!has_body(&response))
        CHECK(response.body_length == 0, "%s", "an answer to HEAD has no body");
    else if (is_page(&response))
        check_refusal_page(file, line, &response, refusal);
    else
        check_problem(file, line, &response, refusal);
    CHECK_LOGGED(response.log_mark, "event", "refused", "program", response.endpoint, "refusal",
                 refusal_word(refusal), "status", scratch_format("%d", refusal_status(refusal)));
}

void expect_recorded(const char *file, int line, struct response response, const char *outcome)
{
    expect_status(file, line, response, 200);
    check_header(file, line, &response, "Content-Type", "application/json");
    CHECK(strcmp(response.body, "{\"data\":{\"value\":\"ok\"},\"links\":{},\"meta\":{}}\n") == 0,
          "the body is %s", response.body);
    CHECK_LOGGED(response.log_mark, "event", "notification_recorded", "program", "notification",
                 "outcome", outcome);
}

void expect_opened(const char *file, int line, struct response response, const char *id)
{
    expect_status(file, line, response, 200);
    check_header(file, line, &response, "Content-Type", "text/html; charset=utf-8");
    bool refresh = strcmp(response.endpoint, "authrefresh") == 0;
    CHECK_LOGGED(response.log_mark, "event", "session_opened", "program", response.endpoint,
                 "session", log_id_of(id), "flow", refresh ? "re-authorisation" : "authorisation");
}

/* The header lines without those that change from answer to answer by themselves. */
static const char *comparable_headers(const struct response *response)
{
    const char *kept = "";
    for (const char *line = response->headers; *line != '\0';) {
        size_t length = strcspn(line, "\n") + 1;
        if (strncmp(line, "Date:", 5) != 0)
            kept = scratch_format("%s%.*s", kept, (int)length, line);
        line += strnlen(line, length);
    }
    return kept;
}

void expect_same_answer(const char *file, int line, struct response a, struct response b)
{
    CHECK(strcmp(comparable_headers(&a), comparable_headers(&b)) == 0, "headers differ:\n%s\n%s",
          comparable_headers(&a), comparable_headers(&b));
    CHECK(a.body_length == b.body_length && memcmp(a.body, b.body, a.body_length) == 0,
          "bodies differ:\n%s\n%s", a.body, b.body);
}
