/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

/* HTTPS, as tls.conf of each web server has it. */

static const char hsts[] = "max-age=63072000";

/* What came of one GET over HTTPS. */
struct answer {
    CURLcode result;
    long status;
    const char *hsts; /* the header's value; NULL: none */
};

static size_t find_hsts(char *line, size_t size, size_t count, void *closure)
{
    static const char name[] = "Strict-Transport-Security: ";
    struct answer *answer = closure;
    size_t length = size * count;
    if (length > sizeof(name) && strncasecmp(line, name, sizeof(name) - 1) == 0) {
        EXPECT(answer->hsts == NULL, "%s", "it came twice");
        const char *value = scratch_copy(line + sizeof(name) - 1, length - sizeof(name) + 1);
        answer->hsts = scratch_copy(value, strcspn(value, "\r\n"));
    }
    return length;
}

static size_t drop(char *bytes, size_t size, size_t count, void *closure)
{
    (void)bytes, (void)closure;
    return size * count;
}

#define SET(option, value)                                                                         \
    EXPECT(curl_easy_setopt(handle, (option), (value)) == CURLE_OK, "curl: %s", #option)

/* `version` is the newest that the client speaks; any header may be added. */
static struct answer get(const char *url, long version, const char *header)
{
    struct answer answer = {.hsts = NULL};
    CURL *handle = curl_easy_init();
    struct curl_slist *headers = header != NULL ? curl_slist_append(NULL, header) : NULL;
    EXPECT(handle != NULL, "%s", "no curl");
    SET(CURLOPT_URL, url);
    SET(CURLOPT_HTTPHEADER, headers);
    SET(CURLOPT_PROXY, "");
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_TIMEOUT_MS, (long)PATIENCE_MS);
    SET(CURLOPT_CAINFO, server_path("run/tls.crt"));
    SET(CURLOPT_SSLVERSION, version);
    SET(CURLOPT_SSL_CIPHER_LIST, "ALL:@SECLEVEL=0"); /* else the client would refuse old versions */
    SET(CURLOPT_HEADERFUNCTION, find_hsts);
    SET(CURLOPT_HEADERDATA, &answer);
    SET(CURLOPT_WRITEFUNCTION, drop);
    answer.result = curl_easy_perform(handle);
    (void)curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &answer.status);
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
    return answer;
}

static const char *https(const char *path)
{
    return scratch_format("https://localhost:%u%s", server_tls_port(), path);
}

static const struct {
    const char *name;
    long version;
    bool spoken;
} versions[] = {
    {"TLS 1.0 refused", CURL_SSLVERSION_TLSv1_0 | CURL_SSLVERSION_MAX_TLSv1_0, false},
    {"TLS 1.1 refused", CURL_SSLVERSION_TLSv1_1 | CURL_SSLVERSION_MAX_TLSv1_1, false},
    {"TLS 1.2", CURL_SSLVERSION_TLSv1_2 | CURL_SSLVERSION_MAX_TLSv1_2, true},
    {"TLS 1.3", CURL_SSLVERSION_TLSv1_3 | CURL_SSLVERSION_MAX_TLSv1_3, true},
};

START_TEST(only_tls_1_2_and_later_is_spoken)
{
    row_begin(versions[_i].name);
    struct answer answer = get(https("/auth"), versions[_i].version, NULL);
    if (versions[_i].spoken)
        EXPECT(answer.result == CURLE_OK && answer.status == 400, "%s, status %ld",
               curl_easy_strerror(answer.result), answer.status);
    else
        EXPECT(answer.result == CURLE_SSL_CONNECT_ERROR, "%s, status %ld",
               curl_easy_strerror(answer.result), answer.status);
    row_passed();
}
END_TEST

static void expect_hsts(const char *url, const char *header, long status)
{
    struct answer answer = get(url, CURL_SSLVERSION_DEFAULT, header);
    EXPECT(answer.result == CURLE_OK &&
               (answer.status == status || (status == 0 && answer.status >= 400)),
           "%s: %s, status %ld", url, curl_easy_strerror(answer.result), answer.status);
    EXPECT(answer.hsts != NULL && strcmp(answer.hsts, hsts) == 0, "%s, %ld: HSTS is %s", url,
           answer.status, answer.hsts != NULL ? answer.hsts : "missing");
}

START_TEST(every_answer_has_hsts)
{
    row_begin("HSTS on every answer");
    const char *id = new_uuid();
    arm(id);
    struct request opening = OPENING(.id = id);
    expect_hsts(https(opening.path), NULL, 200);
    expect_hsts(https(opening.path), NULL, 403);
    expect_hsts(https("/not-there"), NULL, 404);
    row_passed();
}
END_TEST

START_TEST(a_request_that_the_server_refuses_early_has_hsts)
{
    row_begin("HSTS where a header line is refused");
    if (server_is("lighttpd")) {
        row_left_to_server("lighttpd refuses it while it reads, with no further headers");
        return;
    }
    expect_hsts(https("/auth"), scratch_format("X-Long: %s", repeat("x", 9000)), 0);
    row_passed();
}
END_TEST

START_TEST(plain_http_has_no_hsts)
{
    row_begin("no HSTS over plain HTTP");
    const char *url = scratch_format("%s/auth", server_url());
    struct answer answer = get(url, CURL_SSLVERSION_DEFAULT, NULL);
    EXPECT(answer.status == 400 && answer.hsts == NULL, "status %ld, HSTS %s", answer.status,
           answer.hsts != NULL ? answer.hsts : "missing");
    row_passed();
}
END_TEST

Suite *https_rows(void)
{
    Suite *suite = suite_create("https");
    ADD_ROWS(suite, only_tls_1_2_and_later_is_spoken, ROWS(versions));
    ADD_TEST(suite, every_answer_has_hsts);
    ADD_TEST(suite, a_request_that_the_server_refuses_early_has_hsts);
    ADD_TEST(suite, plain_http_has_no_hsts);
    return suite;
}
