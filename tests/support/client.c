/* SPDX-License-Identifier: MIT */
#include "client.h"

#include "expect.h"
#include "log_file.h"
#include "scratch.h"
#include "server.h"
#include "token.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

const char BANK[] = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee";
const char REDIRECT_URI[] = "https://money.sage.com/banking/return?product=accounting";

/* ---- one exchange ------------------------------------------------------- */

struct bytes {
    char *start;
    size_t length;
};

struct transfer {
    CURL *handle;
    struct curl_slist *headers;
    struct bytes header_lines;
    struct bytes body;
    size_t log_mark;
    size_t index;
};

static size_t take(char *from, size_t size, size_t count, void *closure)
{
    struct bytes *bytes = closure;
    char *longer = realloc(bytes->start, bytes->length + size * count + 1);
    if (longer == NULL)
        return 0;
    bytes->start = longer;
    memcpy(longer + bytes->length, from, size * count);
    bytes->length += size * count;
    return size * count;
}

#define SET(handle, option, value)                                                                 \
    EXPECT(curl_easy_setopt((handle), (option), (value)) == CURLE_OK, "curl: %s", #option)

static const char *method_of(const struct request *request)
{
    if (request->method != NULL)
        return request->method;
    return request->body != NULL ? "POST" : "GET";
}

static void set_headers(struct transfer *transfer, const struct request *request)
{
    static const char *const unwanted[] = {"Accept:", "Content-Type:", "Expect:"};
    for (size_t i = 0; i < ROWS(unwanted); i++)
        transfer->headers = curl_slist_append(transfer->headers, unwanted[i]);
    for (size_t i = 0; i < HEADERS_MAX && request->headers[i] != NULL; i++)
        transfer->headers = curl_slist_append(transfer->headers, request->headers[i]);
    SET(transfer->handle, CURLOPT_HTTPHEADER, transfer->headers);
}

static void prepare(struct transfer *transfer, const struct request *request)
{
    CURL *handle = transfer->handle = curl_easy_init();
    EXPECT(handle != NULL, "%s", "curl doesn't start");
    const char *base = request->base != NULL ? request->base : server_url();
    SET(handle, CURLOPT_URL, scratch_format("%s%s", base, request->path));
    SET(handle, CURLOPT_PATH_AS_IS, 1L);
    SET(handle, CURLOPT_PROXY, "");
    SET(handle, CURLOPT_NOSIGNAL, 1L);
    SET(handle, CURLOPT_FORBID_REUSE, 1L);
    SET(handle, CURLOPT_TIMEOUT_MS, 2L * PATIENCE_MS);
    SET(handle, CURLOPT_HEADERFUNCTION, take);
    SET(handle, CURLOPT_HEADERDATA, &transfer->header_lines);
    SET(handle, CURLOPT_WRITEFUNCTION, take);
    SET(handle, CURLOPT_WRITEDATA, &transfer->body);
    if (request->body != NULL || strcmp(method_of(request), "POST") == 0) {
        SET(handle, CURLOPT_POSTFIELDSIZE, (long)request->body_length);
        SET(handle, CURLOPT_POSTFIELDS, request->body != NULL ? request->body : "");
    }
    if (strcmp(method_of(request), "HEAD") == 0)
        SET(handle, CURLOPT_NOBODY, 1L);
    else
        SET(handle, CURLOPT_CUSTOMREQUEST, method_of(request));
    set_headers(transfer, request);
    transfer->log_mark = log_mark();
}

static struct response finish(struct transfer *transfer, const struct request *request)
{
    const char *path = request->path + 1;
    long status = 0;
    (void)curl_easy_getinfo(transfer->handle, CURLINFO_RESPONSE_CODE, &status);
    struct response response = {
        .endpoint = scratch_copy(path, strcspn(path, "?")),
        .method = method_of(request),
        .status = (int)status,
        .headers = scratch_copy(transfer->header_lines.start, transfer->header_lines.length),
        .body = scratch_copy(transfer->body.start, transfer->body.length),
        .body_length = transfer->body.length,
        .log_mark = transfer->log_mark,
        .gated = request->gated,
    };
    curl_easy_cleanup(transfer->handle);
    curl_slist_free_all(transfer->headers);
    free(transfer->header_lines.start);
    free(transfer->body.start);
    return response;
}

struct response http_send(const struct request *request)
{
    struct transfer transfer = {.handle = NULL};
    prepare(&transfer, request);
    bool answered = curl_easy_perform(transfer.handle) == CURLE_OK;
    struct response response = finish(&transfer, request);
    if (!answered)
        response.status = 0;
    return response;
}

/* ---- many at the same moment --------------------------------------------- */

/* Starts what may run now; returns how many were started in all. */
static size_t start_more(CURLM *multi, struct transfer *transfers, const struct request *requests,
                         size_t started, size_t limit)
{
    for (; started < limit; started++) {
        struct transfer *transfer = &transfers[started];
        transfer->index = started;
        prepare(transfer, &requests[started]);
        SET(transfer->handle, CURLOPT_PRIVATE, transfer);
        EXPECT(curl_multi_add_handle(multi, transfer->handle) == CURLM_OK, "%s", "curl is full");
    }
    return started;
}

/* The next transfer that has ended, and whether an answer came; NULL: none now. */
static struct transfer *next_ended(CURLM *multi, bool *answered)
{
    int left;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &left)) != NULL) {
        if (message->msg != CURLMSG_DONE)
            continue;
        struct transfer *transfer = NULL;
        *answered = message->data.result == CURLE_OK;
        (void)curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&transfer);
        (void)curl_multi_remove_handle(multi, transfer->handle);
        return transfer;
    }
    return NULL;
}

void http_send_all(const struct request *requests, struct response *responses, size_t count,
                   size_t parallel, void (*answered)(size_t so_far))
{
    CURLM *multi = curl_multi_init();
    struct transfer *transfers = scratch_take(count * sizeof(*transfers));
    size_t started = 0;
    for (size_t done = 0; done < count;) {
        size_t limit = done + parallel < count ? done + parallel : count;
        started = start_more(multi, transfers, requests, started, limit);
        int running;
        EXPECT(curl_multi_perform(multi, &running) == CURLM_OK, "%s", "curl failed");
        bool came;
        for (struct transfer *ended; (ended = next_ended(multi, &came)) != NULL;) {
            size_t index = ended->index;
            responses[index] = finish(ended, &requests[index]);
            if (!came)
                responses[index].status = 0;
            done++;
            if (answered != NULL)
                answered(done);
        }
        (void)curl_multi_poll(multi, NULL, 0, 100, NULL); /* each transfer has its time-out */
    }
    (void)curl_multi_cleanup(multi);
}

const char *response_header(const struct response *response, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = response->headers; (line = strchr(line, '\n')) != NULL;) {
        line++;
        if (strncasecmp(line, name, length) != 0 || line[length] != ':')
            continue;
        const char *value = line + length + 1 + strspn(line + length + 1, " ");
        return scratch_copy(value, strcspn(value, "\r\n"));
    }
    return NULL;
}

/* ---- what Sage sends ------------------------------------------------------ */

static void add_header(struct request *request, const char *line)
{
    size_t i = 0;
    while (request->headers[i] != NULL)
        i++;
    EXPECT(i < HEADERS_MAX - 1, "%s", "too many headers");
    request->headers[i] = line;
}

/* A header with the given value, or the usual one. */
static void add_value(struct request *request, const char *name, const char *given,
                      const char *usual)
{
    const char *value = given != NULL ? given : usual;
    if (value == OMIT || value == NULL)
        return;
    const char *form = value[0] != '\0' ? "%s: %s" : "%s;%s"; /* curl's way to send an empty one */
    add_header(request, form[2] == ':' ? scratch_format("%s: %s", name, value)
                                       : scratch_format("%s;", name));
}

static void add_further(struct request *request, const char *const headers[4])
{
    for (size_t i = 0; i < 4 && headers[i] != NULL; i++)
        add_header(request, headers[i]);
}

static void add_authorization(struct request *request, const char *whole, const char *token)
{
    if (token == NULL)
        token = TOKEN();
    const char *usual = whole == NULL ? scratch_format("Bearer %s", token) : NULL;
    add_value(request, "Authorization", whole, usual);
}

const char *authorisation_created(const char *authorisation_id, const char *bank_id)
{
    return scratch_format("{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"%s\","
                          "\"type\":\"authorisation\",\"url\":\"NA\"},"
                          "\"additionalData\":{\"bankId\":\"%s\"}}",
                          authorisation_id, bank_id);
}

const char *account_created(const char *bank_account_id, const char *external_id)
{
    return scratch_format("{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"%s\","
                          "\"type\":\"bankAccount\",\"url\":\"https://example.invalid/x\"},"
                          "\"additionalData\":{\"externalId\":\"%s\","
                          "\"requestedStartDate\":\"2026-01-31T09:00:00Z\",\"bankId\":\"%s\"}}",
                          bank_account_id, external_id, BANK);
}

const char *account_deleted(const char *bank_account_id, const char *external_id)
{
    return scratch_format("{\"type\":\"resourceDeleted\",\"resource\":{\"id\":\"%s\","
                          "\"type\":\"bankAccount\",\"url\":\"NA\"},"
                          "\"additionalData\":{\"externalId\":\"%s\",\"bankId\":\"%s\"}}",
                          bank_account_id, external_id, BANK);
}

struct request notification_request(const struct notification *notification)
{
    const char *body = notification->body;
    if (body == NULL)
        body = authorisation_created(notification->id != NULL ? notification->id : new_uuid(),
                                     notification->bank != NULL ? notification->bank : BANK);
    struct request request = {
        .method = notification->method != NULL ? notification->method : "POST",
        .path = "/notification",
        .body = body == OMIT ? NULL : body,
        .body_length = notification->body_length > 0 ? notification->body_length : strlen(body),
    };
    add_header(&request, "Accept: application/json");
    add_authorization(&request, notification->authorization, notification->token);
    add_value(&request, "X-Feedgate-Key", notification->key, SERVER_KEY);
    add_value(&request, "Content-Type", notification->media_type,
              "application/json; charset=utf-8");
    add_further(&request, notification->headers);
    return request;
}

struct response notification_send(const struct notification *notification)
{
    struct request request = notification_request(notification);
    return http_send(&request);
}

void arm(const char *authorisation_id)
{
    EXPECT_RECORDED(NOTIFY(.id = authorisation_id), "armed");
}

/* ---- opening -------------------------------------------------------------- */

static const char *with_parameter(const char *query, const struct opening *opening,
                                  const char *name, const char *given, const char *usual)
{
    const char *pair =
        scratch_format("%s=%s", name, percent_encoded(given != NULL ? given : usual));
    if (opening->changed != NULL && strcmp(opening->changed, name) == 0)
        pair = fill_in(opening->raw, '*', pair);
    else if (given == OMIT)
        return query;
    if (pair[0] == '\0')
        return query;
    return scratch_format("%s%s%s", query, query[0] != '\0' ? "&" : "", pair);
}

struct request opening_request(const struct opening *opening)
{
    const char *endpoint = opening->endpoint != NULL ? opening->endpoint : "auth";
    bool refresh = strcmp(endpoint, "authrefresh") == 0;
    const char *query = opening->query;
    if (query == NULL) {
        query = with_parameter("", opening, refresh ? "bankaccount" : "bank", opening->bank, BANK);
        query = with_parameter(query, opening, "authorisation_id", opening->id, new_uuid());
        query = with_parameter(query, opening, "redirect_uri", opening->redirect_uri, REDIRECT_URI);
        query = with_parameter(query, opening, "state", opening->state, new_uuid());
        if (refresh)
            query = with_parameter(query, opening, "externalId", opening->external_id,
                                   "cust-0042:acct-07");
    }
    struct request request = {
        .method = opening->method,
        .path = scratch_format("/%s?%s%s", endpoint, query,
                               opening->more_query != NULL ? opening->more_query : ""),
    };
    add_further(&request, opening->headers);
    return request;
}

struct response opening_send(const struct opening *opening)
{
    struct request request = opening_request(opening);
    return http_send(&request);
}

/* ---- listing -------------------------------------------------------------- */

struct request listing_request(const struct listing *listing)
{
    const char *query = listing->query;
    if (query == NULL)
        query = scratch_format(
            "externalId=%s",
            percent_encoded(listing->external_id != NULL ? listing->external_id : new_uuid()));
    struct request request = {.method = listing->method,
                              .path = scratch_format("/availableaccounts?%s", query)};
    add_header(&request, "Accept: application/json");
    add_authorization(&request, listing->authorization, listing->token);
    add_value(&request, "X-Feedgate-Key", listing->key, OMIT);
    add_further(&request, listing->headers);
    return request;
}

struct response listing_send(const struct listing *listing)
{
    struct request request = listing_request(listing);
    return http_send(&request);
}
