/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include "cleanup.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

/* An answer on its way in. */
struct receipt {
    struct fetch_answer *answer;
    size_t limit;
};

bool fetch_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

/* Not by realloc(), which would leave parts of a token behind. */
static bool grow(struct fetch_answer *answer, size_t further)
{
    char *grown = malloc(answer->length + further + 1);
    if (!grown)
        return false;
    memcpy(grown, answer->body, answer->length + 1);
    OPENSSL_cleanse(answer->body, answer->length);
    free(answer->body);
    answer->body = grown;
    return true;
}

static size_t keep_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct receipt *receipt = context;
    struct fetch_answer *answer = receipt->answer;
    size_t length = size * count;
    if (length > receipt->limit - answer->length || !grow(answer, length))
        return CURL_WRITEFUNC_ERROR;
    memcpy(answer->body + answer->length, bytes, length);
    answer->length += length;
    answer->body[answer->length] = '\0';
    return length;
}

static bool is_cancelled(const struct fetch *fetch)
{
    return fetch->cancel && atomic_load(fetch->cancel);
}

static int check_cancelled(void *context, curl_off_t down_total, curl_off_t down,
                           curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    return is_cancelled(context) ? 1 : 0;
}

static bool is_loopback(const struct sockaddr *address)
{
    if (address->sa_family == AF_INET) {
        const struct sockaddr_in *ipv4 = (const void *)address;
        return ntohl(ipv4->sin_addr.s_addr) >> 24 == 127;
    }
    const struct sockaddr_in6 *ipv6 = (const void *)address;
    return address->sa_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr);
}

/* Plain HTTP goes to loopback only, whatever the name `localhost` resolves to. */
static curl_socket_t open_loopback(void *context, curlsocktype purpose,
                                   struct curl_sockaddr *address)
{
    (void)context, (void)purpose;
    if (!is_loopback(&address->addr))
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static bool is_printable(const char *text)
{
    for (; *text; text++)
        if (*text < ' ' || *text > '~')
            return false;
    return true;
}

/* The headers as curl wants them; false when one can't be sent or memory is out. */
static bool make_headers(const struct fetch *fetch, struct curl_slist **list)
{
    /* No `Expect: 100-continue` for long bodies: it only costs time. */
    *list = curl_slist_append(NULL, "Expect:");
    bool good = *list != NULL;
    for (const char *const *header = fetch->headers; good && header && *header; header++) {
        struct curl_slist *longer =
            is_printable(*header) ? curl_slist_append(*list, *header) : NULL;
        good = longer != NULL;
    }
    return good;
}

static void clear_headers(struct curl_slist *const *list)
{
    for (struct curl_slist *header = *list; header; header = header->next)
        OPENSSL_cleanse(header->data, strlen(header->data));
    curl_slist_free_all(*list);
}

/* Asked for by name from what curl kept; what isn't there is "". */
static void take_wanted(CURL *curl, const struct fetch *fetch)
{
    for (struct fetch_header *wanted = fetch->wanted; wanted && wanted->name; wanted++) {
        struct curl_header *found = NULL;
        bool there = curl_easy_header(curl, wanted->name, 0, CURLH_HEADER, -1, &found) == CURLHE_OK;
        (void)snprintf(wanted->value, sizeof wanted->value, "%s", there ? found->value : "");
    }
}

static long time_limit(const struct fetch *fetch)
{
    bool shorter = fetch->timeout_ms > 0 && fetch->timeout_ms < FETCH_TOTAL_MS;
    return shorter ? (long)fetch->timeout_ms : FETCH_TOTAL_MS;
}

static bool set_options(CURL *curl, const struct fetch *fetch, struct receipt *receipt, char *why)
{
    bool plain = strncmp(fetch->url, "http:", 5) == 0;
    bool good = true;
#define SET(option, value) (good = curl_easy_setopt(curl, (option), (value)) == CURLE_OK && good)
    SET(CURLOPT_URL, fetch->url);
    SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, time_limit(fetch));
    SET(CURLOPT_PROXY, fetch->proxy && !plain ? fetch->proxy : "");
    SET(CURLOPT_NOPROXY, ""); /* or the environment's no_proxy would go past ours */
    SET(CURLOPT_USERAGENT, "feedgate");
    SET(CURLOPT_WRITEFUNCTION, keep_bytes);
    SET(CURLOPT_WRITEDATA, receipt);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, check_cancelled);
    SET(CURLOPT_XFERINFODATA, (void *)(uintptr_t)fetch);
    SET(CURLOPT_ERRORBUFFER, why);
    if (fetch->body) {
        SET(CURLOPT_POSTFIELDS, fetch->body);
        SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(fetch->body));
    }
    if (fetch->method)
        SET(CURLOPT_CUSTOMREQUEST, fetch->method);
    if (fetch->ca_file)
        SET(CURLOPT_CAINFO, fetch->ca_file);
    if (plain)
        SET(CURLOPT_OPENSOCKETFUNCTION, open_loopback);
#undef SET
    return good;
}

static void say_why(const struct fetch *fetch, CURLcode code, const char *why,
                    char error[FETCH_ERROR_MAX])
{
    const char *text = why[0] ? why : curl_easy_strerror(code);
    if (is_cancelled(fetch))
        text = "ended early";
    else if (code == CURLE_WRITE_ERROR)
        text = "the answer is too large";
    else if (code == CURLE_OPERATION_TIMEDOUT)
        text = "timed out";
    (void)snprintf(error, FETCH_ERROR_MAX, "%s", text); /* cut at worst */
}

static int64_t retry_after(CURL *curl)
{
    curl_off_t seconds = 0;
    if (curl_easy_getinfo(curl, CURLINFO_RETRY_AFTER, &seconds) != CURLE_OK || seconds <= 0)
        return 0;
    return seconds < FETCH_RETRY_AFTER_MAX_MS / 1000 ? seconds * 1000 : FETCH_RETRY_AFTER_MAX_MS;
}

static bool perform(CURL *curl, const struct fetch *fetch, struct fetch_answer *answer,
                    char error[FETCH_ERROR_MAX])
{
    char why[CURL_ERROR_SIZE] = "";
    struct receipt receipt = {.answer = answer, .limit = fetch->limit};
    _cleanup_(clear_headers) struct curl_slist *headers = NULL;
    _cleanup_(clear_headers) struct curl_slist *connect_to = NULL;
    if (fetch->connect_to && !(connect_to = curl_slist_append(NULL, fetch->connect_to))) {
        (void)snprintf(error, FETCH_ERROR_MAX, "out of memory");
        return false;
    }
    if (!make_headers(fetch, &headers)) {
        (void)snprintf(error, FETCH_ERROR_MAX, "a header can't be sent");
        return false;
    }
    CURLcode code = set_options(curl, fetch, &receipt, why) ? CURLE_OK : CURLE_FAILED_INIT;
    if (code == CURLE_OK)
        code = curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    if (code == CURLE_OK && connect_to)
        code = curl_easy_setopt(curl, CURLOPT_CONNECT_TO, connect_to);
    if (code == CURLE_OK)
        code = curl_easy_perform(curl);
    if (code == CURLE_OK)
        code = curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status);
    answer->retry_after_ms = retry_after(curl);
    take_wanted(curl, fetch);
    if (code != CURLE_OK)
        say_why(fetch, code, why, error);
    return code == CURLE_OK;
}

bool fetch_call(const struct fetch *fetch, struct fetch_answer *answer, char error[FETCH_ERROR_MAX])
{
    *answer = (struct fetch_answer){.body = calloc(1, 1)};
    CURL *curl = curl_easy_init();
    if (!curl || !answer->body) {
        (void)snprintf(error, FETCH_ERROR_MAX, "out of memory");
        curl_easy_cleanup(curl);
        fetch_answer_clear(answer);
        return false;
    }
    bool good = perform(curl, fetch, answer, error);
    curl_easy_cleanup(curl);
    if (!good)
        fetch_answer_clear(answer);
    return good;
}

void fetch_answer_clear(struct fetch_answer *answer)
{
    if (answer->body)
        OPENSSL_cleanse(answer->body, answer->length);
    free(answer->body);
    *answer = (struct fetch_answer){0};
}

char *fetch_get(const struct fetch *fetch, size_t *length, char error[FETCH_ERROR_MAX])
{
    struct fetch_answer answer;
    if (!fetch_call(fetch, &answer, error))
        return NULL;
    if (answer.status == 200 && answer.length > 0) {
        *length = answer.length;
        return answer.body;
    }
    (void)snprintf(error, FETCH_ERROR_MAX, "status %ld", answer.status);
    fetch_answer_clear(&answer);
    return NULL;
}

int64_t fetch_read_date(const char *date)
{
    return (int64_t)curl_getdate(date, NULL);
}
