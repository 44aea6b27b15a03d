/* SPDX-License-Identifier: MIT */
#include "fetch.h"

#include "cleanup.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

struct answer {
    char *bytes;
    size_t length;
    size_t limit;
};

bool fetch_init(void)
{
    return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

static size_t keep_bytes(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t length = size * count;
    if (length > answer->limit - answer->length)
        return CURL_WRITEFUNC_ERROR;
    char *grown = realloc(answer->bytes, answer->length + length + 1);
    if (!grown)
        return CURL_WRITEFUNC_ERROR;
    answer->bytes = grown;
    memcpy(grown + answer->length, bytes, length);
    answer->length += length;
    grown[answer->length] = '\0';
    return length;
}

static int check_cancelled(void *context, curl_off_t down_total, curl_off_t down,
                           curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    const struct fetch *fetch = context;
    return fetch->cancel && atomic_load(fetch->cancel) ? 1 : 0;
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

static bool set_options(CURL *curl, const struct fetch *fetch, struct answer *answer, char *why)
{
    bool plain = strncmp(fetch->url, "http:", 5) == 0;
    bool good = true;
#define SET(option, value) (good = curl_easy_setopt(curl, (option), (value)) == CURLE_OK && good)
    SET(CURLOPT_URL, fetch->url);
    SET(CURLOPT_PROTOCOLS_STR, plain ? "http" : "https");
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_NOSIGNAL, 1L);
    SET(CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    SET(CURLOPT_TIMEOUT_MS, (long)FETCH_TOTAL_MS);
    SET(CURLOPT_PROXY, fetch->proxy && !plain ? fetch->proxy : "");
    SET(CURLOPT_USERAGENT, "feedgate");
    SET(CURLOPT_WRITEFUNCTION, keep_bytes);
    SET(CURLOPT_WRITEDATA, answer);
    SET(CURLOPT_NOPROGRESS, 0L);
    SET(CURLOPT_XFERINFOFUNCTION, check_cancelled);
    SET(CURLOPT_XFERINFODATA, (void *)(uintptr_t)fetch);
    SET(CURLOPT_ERRORBUFFER, why);
    if (fetch->ca_file)
        SET(CURLOPT_CAINFO, fetch->ca_file);
    if (plain)
        SET(CURLOPT_OPENSOCKETFUNCTION, open_loopback);
#undef SET
    return good;
}

static bool perform(CURL *curl, const struct fetch *fetch, struct answer *answer,
                    char error[FETCH_ERROR_MAX])
{
    char why[CURL_ERROR_SIZE] = "";
    CURLcode code =
        set_options(curl, fetch, answer, why) ? curl_easy_perform(curl) : CURLE_FAILED_INIT;
    if (code != CURLE_OK) {
        (void)snprintf(error, FETCH_ERROR_MAX, "%s",
                       code == CURLE_WRITE_ERROR ? "the answer is too large"
                       : why[0]                  ? why
                                                 : curl_easy_strerror(code));
        return false;
    }
    long status = 0;
    if (curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK && status == 200 &&
        answer->bytes)
        return true;
    (void)snprintf(error, FETCH_ERROR_MAX, "status %ld", status);
    return false;
}

char *fetch_get(const struct fetch *fetch, size_t *length, char error[FETCH_ERROR_MAX])
{
    CURL *curl = curl_easy_init();
    if (!curl) {
        (void)snprintf(error, FETCH_ERROR_MAX, "out of memory");
        return NULL;
    }
    struct answer answer = {.limit = fetch->limit};
    bool good = perform(curl, fetch, &answer, error);
    curl_easy_cleanup(curl);
    if (good) {
        *length = answer.length;
        return answer.bytes;
    }
    free(answer.bytes);
    return NULL;
}
