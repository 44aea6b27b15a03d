/* SPDX-License-Identifier: MIT */
#include "sage_api.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { REQUESTS_MAX = 4096, FLOOD_BYTES = 1024 * 1024, PATIENCE_S = 10 };

static const char patch_path[] = "/v1/authorisations/";

/* The requests of one kind, and what they get. */
struct desk {
    struct sage_request *requests[REQUESTS_MAX]; /* owned */
    size_t count;
    const struct sage_reply *replies; /* borrowed; NULL: the usual one */
    size_t reply_count;
    size_t replied;
};

struct sage_api {
    struct MHD_Daemon *daemon;
    char token_url[64];
    char base_url[64];

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t news;
    unsigned releases;
    size_t voided; /* tokens up to this number */
    struct desk tokens;
    struct desk patches;
    struct desk strays;
};

static char *copy_text(const char *text)
{
    char *copy = text != NULL ? strdup(text) : NULL;
    if (text != NULL && copy == NULL)
        abort();
    return copy;
}

static char *copy_header(struct MHD_Connection *connection, const char *name)
{
    return copy_text(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name));
}

static struct sage_request *begin_request(struct MHD_Connection *connection, const char *method,
                                          const char *path)
{
    struct sage_request *request = calloc(1, sizeof(*request));
    if (request == NULL)
        abort();
    request->method = copy_text(method);
    request->path = copy_text(path);
    request->authorization = copy_header(connection, "Authorization");
    request->api_key = copy_header(connection, "x-api-key");
    request->content_type = copy_header(connection, "Content-Type");
    request->expect = copy_header(connection, "Expect");
    request->body = copy_text("");
    return request;
}

static void free_request(struct sage_request *request)
{
    free(request->method);
    free(request->path);
    free(request->authorization);
    free(request->api_key);
    free(request->content_type);
    free(request->expect);
    free(request->body);
    free(request);
}

static void add_to_body(struct sage_request *request, const char *bytes, size_t length)
{
    size_t before = strlen(request->body);
    request->body = realloc(request->body, before + length + 1);
    if (request->body == NULL)
        abort();
    memcpy(request->body + before, bytes, length);
    request->body[before + length] = '\0';
}

static struct desk *desk_of(struct sage_api *api, const struct sage_request *request)
{
    if (strcmp(request->method, "POST") == 0 && strcmp(request->path, "/oauth/token") == 0)
        return &api->tokens;
    if (strcmp(request->method, "PATCH") == 0 &&
        strncmp(request->path, patch_path, strlen(patch_path)) == 0)
        return &api->patches;
    return &api->strays;
}

static bool has_void_token(const struct sage_api *api, const struct sage_request *request)
{
    static const char before[] = "Bearer token-";
    return request->authorization != NULL &&
           strncmp(request->authorization, before, strlen(before)) == 0 &&
           strtoul(request->authorization + strlen(before), NULL, 10) <= api->voided;
}

/* Takes a whole request to its desk, and what it shall get from there. */
static struct sage_reply take_in(struct sage_api *api, struct sage_request *request, size_t *number)
{
    struct desk *desk = desk_of(api, request);
    struct sage_reply reply = {.status = desk == &api->strays ? 404 : 200};
    if (desk->count == REQUESTS_MAX)
        abort();
    desk->requests[desk->count++] = request;
    *number = desk->count;
    if (desk->replies != NULL && desk->reply_count > 0) {
        size_t which = desk->replied < desk->reply_count ? desk->replied : desk->reply_count - 1;
        desk->replied++;
        if (desk->replies[which].status != 0)
            reply = desk->replies[which];
    }
    if (desk == &api->patches && has_void_token(api, request))
        reply = (struct sage_reply){.status = 401};
    (void)pthread_cond_broadcast(&api->news);
    unsigned releases = api->releases;
    while (reply.manner == SAGE_HOLDS && api->releases == releases)
        (void)pthread_cond_wait(&api->news, &api->lock);
    if (reply.manner != SAGE_CUTS)
        request->status = reply.status;
    return reply;
}

static ssize_t send_half(void *closure, uint64_t position, char *buffer, size_t size)
{
    (void)closure;
    if (position > 0 || size == 0)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    buffer[0] = '{';
    return 1;
}

static struct MHD_Response *make_response(const struct sage_reply *reply, const char *usual)
{
    static char flood[FLOOD_BYTES];
    const char *body = reply->body != NULL ? reply->body : usual;
    switch (reply->manner) {
    case SAGE_HALVES:
        return MHD_create_response_from_callback(1000, 1000, send_half, NULL, NULL);
    case SAGE_FLOODS:
        memset(flood, ' ', sizeof(flood));
        return MHD_create_response_from_buffer(sizeof(flood), flood, MHD_RESPMEM_PERSISTENT);
    case SAGE_CUTS:
        return NULL;
    case SAGE_ANSWERS:
    case SAGE_HOLDS:
        break;
    }
    return MHD_create_response_from_buffer(strlen(body), (void *)(uintptr_t)body,
                                           MHD_RESPMEM_MUST_COPY);
}

static enum MHD_Result respond(struct sage_api *api, struct MHD_Connection *connection,
                               struct sage_request *request)
{
    char usual[128] = "{}";
    size_t number = 0;
    (void)pthread_mutex_lock(&api->lock);
    struct sage_reply reply = take_in(api, request, &number);
    bool token = desk_of(api, request) == &api->tokens;
    (void)pthread_mutex_unlock(&api->lock);
    if (token)
        (void)snprintf(usual, sizeof(usual),
                       "{\"access_token\":\"token-%zu\",\"token_type\":\"Bearer\","
                       "\"expires_in\":28800}",
                       number);
    struct MHD_Response *response = make_response(&reply, usual);
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    if (reply.retry_after != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_RETRY_AFTER, reply.retry_after);
    if (reply.location != NULL)
        (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, reply.location);
    enum MHD_Result result = MHD_queue_response(connection, reply.status, response);
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result answer(void *closure, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **seen)
{
    (void)version;
    struct sage_request *request = *seen;
    if (request == NULL) {
        *seen = begin_request(connection, method, path);
        return MHD_YES;
    }
    if (*upload_size > 0) {
        add_to_body(request, upload, *upload_size);
        *upload_size = 0;
        return MHD_YES;
    }
    *seen = NULL; /* the desk's, from here on */
    return respond(closure, connection, request);
}

/* A request that never was whole. */
static void forget(void *closure, struct MHD_Connection *connection, void **seen,
                   enum MHD_RequestTerminationCode code)
{
    (void)closure, (void)connection, (void)code;
    if (*seen != NULL)
        free_request(*seen);
    *seen = NULL;
}

struct sage_api *sage_api_launch(void)
{
    struct sage_api *api = calloc(1, sizeof(*api));
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    if (api == NULL || pthread_mutex_init(&api->lock, NULL) != 0 ||
        pthread_cond_init(&api->news, NULL) != 0)
        abort();
    api->daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION,
                                   0, NULL, NULL, answer, api, MHD_OPTION_SOCK_ADDR, &address,
                                   MHD_OPTION_NOTIFY_COMPLETED, forget, NULL, MHD_OPTION_END);
    if (api->daemon == NULL)
        abort();
    unsigned port = MHD_get_daemon_info(api->daemon, MHD_DAEMON_INFO_BIND_PORT)->port;
    (void)snprintf(api->token_url, sizeof(api->token_url), "http://127.0.0.1:%u/oauth/token", port);
    (void)snprintf(api->base_url, sizeof(api->base_url), "http://127.0.0.1:%u/v1", port);
    return api;
}

static void clear_desk(struct desk *desk)
{
    for (size_t i = 0; i < desk->count; i++)
        free_request(desk->requests[i]);
}

void sage_api_stop(struct sage_api *api)
{
    sage_api_tokens(api, NULL, 0);
    sage_api_patches(api, NULL, 0);
    sage_api_release(api);
    MHD_stop_daemon(api->daemon);
    clear_desk(&api->tokens);
    clear_desk(&api->patches);
    clear_desk(&api->strays);
    (void)pthread_cond_destroy(&api->news);
    (void)pthread_mutex_destroy(&api->lock);
    free(api);
}

const char *sage_api_token_url(const struct sage_api *api)
{
    return api->token_url;
}

const char *sage_api_base_url(const struct sage_api *api)
{
    return api->base_url;
}

static void set_replies(struct sage_api *api, struct desk *desk, const struct sage_reply *replies,
                        size_t count)
{
    (void)pthread_mutex_lock(&api->lock);
    desk->replies = replies;
    desk->reply_count = count;
    desk->replied = 0;
    (void)pthread_mutex_unlock(&api->lock);
}

void sage_api_tokens(struct sage_api *api, const struct sage_reply *replies, size_t count)
{
    set_replies(api, &api->tokens, replies, count);
}

void sage_api_patches(struct sage_api *api, const struct sage_reply *replies, size_t count)
{
    set_replies(api, &api->patches, replies, count);
}

void sage_api_void_tokens(struct sage_api *api)
{
    (void)pthread_mutex_lock(&api->lock);
    api->voided = api->tokens.count;
    (void)pthread_mutex_unlock(&api->lock);
}

void sage_api_release(struct sage_api *api)
{
    (void)pthread_mutex_lock(&api->lock);
    api->releases++;
    (void)pthread_cond_broadcast(&api->news);
    (void)pthread_mutex_unlock(&api->lock);
}

static size_t count_of(struct sage_api *api, const struct desk *desk)
{
    (void)pthread_mutex_lock(&api->lock);
    size_t count = desk->count;
    (void)pthread_mutex_unlock(&api->lock);
    return count;
}

static const struct sage_request *request_of(struct sage_api *api, const struct desk *desk,
                                             size_t number)
{
    return number < count_of(api, desk) ? desk->requests[number] : NULL;
}

size_t sage_api_token_count(struct sage_api *api)
{
    return count_of(api, &api->tokens);
}

size_t sage_api_patch_count(struct sage_api *api)
{
    return count_of(api, &api->patches);
}

size_t sage_api_strays(struct sage_api *api)
{
    return count_of(api, &api->strays);
}

const struct sage_request *sage_api_token_request(struct sage_api *api, size_t number)
{
    return request_of(api, &api->tokens, number);
}

const struct sage_request *sage_api_patch_request(struct sage_api *api, size_t number)
{
    return request_of(api, &api->patches, number);
}

size_t sage_api_answered(struct sage_api *api, const char *authorisation_id, unsigned status)
{
    size_t count = 0;
    (void)pthread_mutex_lock(&api->lock);
    for (size_t i = 0; i < api->patches.count; i++) {
        const struct sage_request *request = api->patches.requests[i];
        count += request->status == status &&
                 strcmp(request->path + strlen(patch_path), authorisation_id) == 0;
    }
    (void)pthread_mutex_unlock(&api->lock);
    return count;
}

bool sage_api_await_patches(struct sage_api *api, size_t count)
{
    struct timespec end;
    int result = clock_gettime(CLOCK_MONOTONIC, &end);
    end.tv_sec += PATIENCE_S;
    (void)pthread_mutex_lock(&api->lock);
    while (result == 0 && api->patches.count < count)
        result = pthread_cond_clockwait(&api->news, &api->lock, CLOCK_MONOTONIC, &end);
    (void)pthread_mutex_unlock(&api->lock);
    return result == 0;
}
