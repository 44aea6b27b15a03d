/* SPDX-License-Identifier: MIT */
#include "probe.h"

#include "config/config.h"
#include "web/operator_proof.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { URL_SIZE = 2048, HEADER_SIZE = 1024, ANSWER_MAX = 1024 * 1024 };
enum { WANTED_WORD, WANTED_LOCATION, WANTED_TYPE, WANTED_POLICY, WANTED_HSTS, WANTED_COUNT };

const char *probe_authority(const char *url, size_t *length)
{
    const char *start = strstr(url, "://");
    start = start ? start + 3 : url;
    *length = strcspn(start, "/?#");
    return start;
}

bool probe_same_host(const char *url, const char *other)
{
    size_t length;
    size_t other_length;
    const char *end = probe_authority(url, &length) + length;
    const char *other_end = probe_authority(other, &other_length) + other_length;
    return end - url == other_end - other && strncmp(url, other, (size_t)(end - url)) == 0;
}

bool probe_url_is_loopback(const char *url)
{
    size_t length;
    struct address address;
    struct address_range loopback;
    const char *complaint = NULL;
    const char *host = probe_authority(url, &length);
    if (host[0] == '[')
        return length >= 5 && strncmp(host, "[::1]", 5) == 0;
    size_t name = strcspn(host, ":/?#");
    if (name == strlen("localhost") && strncmp(host, "localhost", name) == 0)
        return true;
    return address_parse(host, name, &address) &&
           address_range_parse("127.0.0.0/8", strlen("127.0.0.0/8"), &loopback, &complaint) &&
           address_range_has(&loopback, &address);
}

bool probe_is_in_name_of(const char *base, const char *public_url)
{
    return strncmp(base, "https:", 6) == 0 && strncmp(public_url, "https:", 6) == 0 &&
           probe_url_is_loopback(base) && !probe_same_host(base, public_url);
}

static int64_t now_of(struct call *call)
{
    if (!call->service.store)
        clock_init(&call->service.clock);
    return clock_now(&call->service.clock);
}

/* Answers of endpoints are problem documents, or pages with a policy like no other. */
static bool looks_like_ours(const struct fetch_header *wanted)
{
    return strcmp(wanted[WANTED_TYPE].value, "application/problem+json") == 0 ||
           strncmp(wanted[WANTED_POLICY].value, "default-src 'none'; base-uri 'none'", 35) == 0;
}

static void take_answer(const struct fetch_header *wanted, long status, struct probe_answer *answer)
{
    answer->status = status;
    (void)snprintf(answer->word, sizeof answer->word, "%.60s", wanted[WANTED_WORD].value);
    (void)snprintf(answer->location, sizeof answer->location, "%s", wanted[WANTED_LOCATION].value);
    (void)snprintf(answer->media_type, sizeof answer->media_type, "%s", wanted[WANTED_TYPE].value);
    answer->of_endpoint = looks_like_ours(wanted);
    answer->has_hsts = wanted[WANTED_HSTS].value[0] != '\0';
}

/* Where to connect to for a base, as struct fetch has it. */
static void name_connection(const char *base, char connection[HEADER_SIZE])
{
    size_t length;
    const char *host = probe_authority(base, &length);
    size_t name = host[0] == '[' ? strcspn(host, "]") : strcspn(host, ":/?#");
    bool has_port = name < length && memchr(host + name, ':', length - name);
    (void)snprintf(connection, HEADER_SIZE, "::%.*s%s", (int)length, host, has_port ? "" : ":443");
}

/* Where the request goes: a URL, and where to connect to when that isn't in it, or "". */
struct way {
    char url[URL_SIZE];
    char connection[HEADER_SIZE];
};

static void find_way(const struct config *config, const char *base, const struct probe *probe,
                     struct way *way)
{
    way->connection[0] = '\0';
    if (probe_is_in_name_of(base, config->journey.public_url)) {
        name_connection(base, way->connection);
        base = config->journey.public_url;
    }
    size_t length = strlen(base);
    while (length > 0 && base[length - 1] == '/')
        length--;
    (void)snprintf(way->url, sizeof way->url, "%.*s/%s%s", (int)length, base, probe->endpoint,
                   probe->query ? probe->query : "");
}

static bool call_out(const struct config *config, const struct way *way, const struct probe *probe,
                     const char *const *headers, struct probe_answer *answer,
                     char error[PROBE_ERROR_MAX])
{
    struct fetch_header wanted[WANTED_COUNT + 1] = {
        [WANTED_WORD] = {.name = OPERATOR_PROOF_ANSWER},
        [WANTED_LOCATION] = {.name = "Location"},
        [WANTED_TYPE] = {.name = "Content-Type"},
        [WANTED_POLICY] = {.name = "Content-Security-Policy"},
        [WANTED_HSTS] = {.name = "Strict-Transport-Security"},
    };
    bool direct = way->connection[0] != '\0';
    const struct fetch fetch = {
        .url = way->url,
        .method = probe->method,
        .headers = headers,
        .body = strcmp(probe->method, "POST") == 0 ? "{}" : NULL,
        .wanted = wanted,
        .ca_file = config->network.ca_file,
        .connect_to = direct ? way->connection : NULL,
        .proxy = direct || probe_url_is_loopback(way->url) ? NULL : config->network.proxy,
        .limit = ANSWER_MAX,
    };
    struct fetch_answer received;
    char why[FETCH_ERROR_MAX] = "out of memory";
    if (!fetch_init() || !fetch_call(&fetch, &received, why)) {
        (void)snprintf(error, PROBE_ERROR_MAX, "%s", why);
        return false;
    }
    take_answer(wanted, received.status, answer);
    fetch_answer_clear(&received);
    return true;
}

/* A token that nobody takes, or the true key of the endpoint. */
static void print_authorization(const struct config *config, const struct probe *probe,
                                char header[HEADER_SIZE])
{
    const struct config_own_key *own =
        strcmp(probe->endpoint, "code") == 0 ? &config->code : &config->complete;
    if (probe->sends & PROBE_OWN_KEY)
        (void)snprintf(header, HEADER_SIZE, "Authorization: Bearer %.*s", (int)own->key.length,
                       own->key.bytes);
    else
        (void)snprintf(header, HEADER_SIZE, "Authorization: Bearer feedgate-check");
}

enum probe_result probe_send(struct call *call, const char *base, const struct probe *probe,
                             struct probe_answer *answer, char error[PROBE_ERROR_MAX])
{
    const struct config *config = call->service.config;
    char value[OPERATOR_PROOF_SIZE];
    struct way way;
    char explain[HEADER_SIZE], host[HEADER_SIZE], key[HEADER_SIZE], authorization[HEADER_SIZE];
    size_t length;
    const char *public_host = probe_authority(config->journey.public_url, &length);
    if (!operator_proof_make(config->store.database, probe->endpoint, now_of(call), value, error))
        return PROBE_NO_KEY;
    find_way(config, base, probe, &way);
    (void)snprintf(explain, sizeof explain, OPERATOR_PROOF_REQUEST ": %s", value);
    (void)snprintf(host, sizeof host, "Host: %.*s", (int)length, public_host);
    (void)snprintf(key, sizeof key, "%s: %.*s", config->notification.key_header,
                   (int)config->notification.key.length, config->notification.key.bytes);
    print_authorization(config, probe, authorization);
    const char *headers[6] = {explain, host};
    size_t count = 2;
    if (strcmp(probe->method, "POST") == 0)
        headers[count++] = "Content-Type: application/json";
    if (probe->sends & (PROBE_AUTHORIZATION | PROBE_OWN_KEY))
        headers[count++] = authorization;
    if (probe->sends & PROBE_KEY_HEADER)
        headers[count++] = key;
    bool answered = call_out(config, &way, probe, headers, answer, error);
    OPENSSL_cleanse(key, sizeof key);
    OPENSSL_cleanse(authorization, sizeof authorization);
    return answered ? PROBE_ANSWERED : PROBE_NO_ANSWER;
}
