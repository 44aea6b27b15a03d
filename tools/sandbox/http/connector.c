/* SPDX-License-Identifier: MIT */
#include "connector.h"

#include "base/cleanup.h"
#include "sandbox/options.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    ANSWER_MAX = 512 * 1024,
    ANSWER_HEADERS_MAX = 64 * 1024,
    CONNECT_MILLISECONDS = 2000,
    CALL_MILLISECONDS = 5000,
    CALLS_MAX = 128 /* half the server's connections: the key set stays within reach */
};

struct connector {
    char *base;
    char *key_line; /* the key header, as libcurl takes it */
    sem_t free_calls;
};

/* How much of an answer has come in. */
struct progress {
    struct text *body;
    size_t headers_size;
};

static bool is_loopback_host(const char *host, size_t size)
{
    char name[INET_ADDRSTRLEN];
    struct in_addr address;
    if ((size == 9 && memcmp(host, "localhost", 9) == 0) ||
        (size == 5 && memcmp(host, "[::1]", 5) == 0))
        return true;
    if (size >= sizeof(name))
        return false;
    memcpy(name, host, size);
    name[size] = '\0';
    return inet_pton(AF_INET, name, &address) == 1 && ntohl(address.s_addr) >> 24 == 127;
}

/*
 * Judged by bytes: http://, a loopback host, a port perhaps, a slash perhaps,
 * and nothing else. libcurl never looks "localhost" up: it is always loopback.
 */
bool connector_is_loopback(const char *base)
{
    static const char scheme[] = "http://";
    if (strncmp(base, scheme, sizeof(scheme) - 1) != 0)
        return false;
    const char *host = base + sizeof(scheme) - 1;
    size_t host_size = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/");
    if (host_size > strlen(host) || !is_loopback_host(host, host_size))
        return false;
    const char *rest = host + host_size;
    if (*rest == ':') {
        size_t digits = strcspn(rest + 1, "/");
        char port[6] = "";
        uint16_t number;
        if (digits >= sizeof(port))
            return false;
        memcpy(port, rest + 1, digits);
        if (!options_parse_port(port, &number))
            return false;
        rest += 1 + digits;
    }
    return strcmp(rest, "") == 0 || strcmp(rest, "/") == 0;
}

struct connector *connector_new(const char *base, const char *key_header, const char *key)
{
    struct connector *connector = calloc(1, sizeof(*connector));
    if (connector == NULL)
        return NULL;
    if (sem_init(&connector->free_calls, 0, CALLS_MAX) != 0) {
        free(connector);
        return NULL;
    }
    struct text key_line = {0};
    text_append_string(&key_line, key_header);
    text_append_string(&key_line, ": ");
    text_append_string(&key_line, key);
    connector->key_line = text_take(&key_line);
    size_t size = strlen(base);
    connector->base = strndup(base, base[size - 1] == '/' ? size - 1 : size);
    if (connector->key_line != NULL && connector->base != NULL)
        return connector;
    connector_free(connector);
    return NULL;
}

void connector_free(struct connector *connector)
{
    if (connector == NULL)
        return;
    free(connector->base);
    free(connector->key_line);
    (void)sem_destroy(&connector->free_calls);
    free(connector);
}

const char *connector_base(const struct connector *connector)
{
    return connector->base;
}

static size_t take_body(char *bytes, size_t size, size_t count, void *cls)
{
    struct progress *progress = cls;
    size *= count;
    if (size > ANSWER_MAX - progress->body->size)
        return 0; /* ends the call */
    text_append(progress->body, bytes, size);
    return progress->body->failed ? 0 : size;
}

static size_t take_header(char *bytes, size_t size, size_t count, void *cls)
{
    (void)bytes;
    struct progress *progress = cls;
    size *= count;
    if (size > ANSWER_HEADERS_MAX - progress->headers_size)
        return 0;
    progress->headers_size += size;
    return size;
}

static bool add_line(struct curl_slist **list, const char *line)
{
    struct curl_slist *longer = curl_slist_append(*list, line);
    if (longer == NULL)
        return false;
    *list = longer;
    return true;
}

static void cleanup_list(struct curl_slist **list)
{
    curl_slist_free_all(*list);
}

static void cleanup_curl(CURL **curl)
{
    curl_easy_cleanup(*curl);
}

/* The header set that Sage's guide lists for its calls. */
static bool make_headers(const struct connector *connector, const struct connector_call *call,
                         struct curl_slist **list)
{
    if (!add_line(list, call->wants_page ? "accept: text/html" : "accept: application/json"))
        return false;
    if (call->token != NULL) {
        _cleanup_(text_clear) struct text line = {0};
        text_append_string(&line, "Authorization: Bearer ");
        text_append_string(&line, call->token);
        if (line.failed || !add_line(list, line.bytes) ||
            !add_line(list, "content-type: application/json; charset=utf-8"))
            return false;
    }
    return !call->with_key || add_line(list, connector->key_line);
}

static bool set_bounds(CURL *curl)
{
    return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MILLISECONDS) ==
               CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)CALL_MILLISECONDS) == CURLE_OK;
}

static bool set_call(CURL *curl, const char *url, const struct connector_call *call,
                     struct curl_slist *headers, struct progress *progress)
{
    return curl_easy_setopt(curl, CURLOPT_URL, url) == CURLE_OK &&
           (call->body == NULL ||
            curl_easy_setopt(curl, CURLOPT_POSTFIELDS, call->body) == CURLE_OK) &&
           curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_USERAGENT, "feedgate-sandbox") == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_WRITEDATA, progress) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, take_header) == CURLE_OK &&
           curl_easy_setopt(curl, CURLOPT_HEADERDATA, progress) == CURLE_OK;
}

/* The last value of this header as text, or NULL. */
static char *copy_header(CURL *curl, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(curl, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    struct text text = {0};
    text_append_utf8(&text, header->value, strlen(header->value));
    return text_take(&text);
}

static const char *perform(const struct connector *connector, const struct connector_call *call,
                           struct connector_answer *answer)
{
    static const char no_memory[] = "out of memory";
    struct progress progress = {.body = &answer->body};
    _cleanup_(text_clear) struct text url = {0};
    text_append_string(&url, connector->base);
    text_append_string(&url, call->path);
    _cleanup_(cleanup_list) struct curl_slist *headers = NULL;
    _cleanup_(cleanup_curl) CURL *curl = curl_easy_init();
    if (curl == NULL || url.failed || !make_headers(connector, call, &headers) ||
        !set_bounds(curl) || !set_call(curl, url.bytes, call, headers, &progress))
        return no_memory;
    CURLcode result = curl_easy_perform(curl);
    if (result != CURLE_OK)
        return result == CURLE_WRITE_ERROR ? "the connector's answer is too large"
                                           : curl_easy_strerror(result);
    answer->content_type = copy_header(curl, "Content-Type");
    answer->location = copy_header(curl, "Location");
    return curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer->status) == CURLE_OK ? NULL
                                                                                        : no_memory;
}

void connector_call(struct connector *connector, const struct connector_call *call,
                    struct connector_answer *answer)
{
    *answer = (struct connector_answer){0};
    if (sem_trywait(&connector->free_calls) != 0) {
        answer->error = "too many calls at once";
        return;
    }
    answer->error = perform(connector, call, answer);
    (void)sem_post(&connector->free_calls);
}

void connector_clear_answer(struct connector_answer *answer)
{
    free(answer->content_type);
    free(answer->location);
    text_clear(&answer->body);
}
