/* SPDX-License-Identifier: MIT */
#include "sandbox_http.h"

#include "../common/cleanup.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    HEADERS_MAX = 32 * 1024,
    DISCARD_MAX = 256 * 1024, /* of a body that is too large, so that the 413 arrives */
    IDLE_SECONDS = 5,
    STOP_SECONDS = 7, /* a handler waits for the connector up to 5 */
    THREAD_STACK = 512 * 1024,
    LISTENERS = 2
};

struct server {
    const struct route *routes;
    struct sandbox *sandbox;
    struct {
        int socket;
        struct MHD_Daemon *daemon;
    } listeners[LISTENERS];
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    size_t under_way; /* requests begun and not yet answered; behind the mutex */
};

/* One request while it comes in. */
struct incoming {
    struct request request;
    size_t body_size;
    size_t discarded; /* bytes beyond REQUEST_BODY_MAX */
    char body[REQUEST_BODY_MAX + 1];
};

void reply_json(struct reply *reply, unsigned int status, cJSON *document)
{
    reply->body = cJSON_PrintUnformatted(document);
    reply->status = reply->body == NULL ? 0 : status;
    reply->content_type = "application/json";
    cJSON_Delete(document);
}

void reply_error(struct reply *reply, unsigned int status, const char *error,
                 const char *description)
{
    _cleanup_(cleanup_json) cJSON *document = cJSON_CreateObject();
    if (cJSON_AddStringToObject(document, "error", error) == NULL ||
        cJSON_AddStringToObject(document, "error_description", description) == NULL)
        return;
    reply_json(reply, status, document);
    document = NULL;
}

void reply_text(struct reply *reply, unsigned int status, const char *content_type,
                struct text *text)
{
    reply->body = text_take(text);
    reply->status = reply->body == NULL ? 0 : status;
    reply->content_type = content_type;
}

static void clear_reply(struct reply *reply)
{
    free(reply->body);
    free(reply->location);
}

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return value == NULL || MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *response, const struct reply *reply, const char *allow)
{
    return add_header(response, "Content-Type", reply->content_type) &&
           add_header(response, "Content-Security-Policy", reply->policy) &&
           add_header(response, "Location", reply->location) &&
           add_header(response, "Allow", allow) &&
           add_header(response, "Cache-Control", "no-store") &&
           add_header(response, "Pragma", "no-cache") && /* RFC 6749 5.1 asks for it */
           add_header(response, "Referrer-Policy", "no-referrer") &&
           add_header(response, "X-Content-Type-Options", "nosniff");
}

static enum MHD_Result send_reply(struct MHD_Connection *connection, const struct reply *reply,
                                  const char *allow)
{
    static char out_of_memory[] = "{\"error\":\"server_error\"}";
    char *body = reply->body == NULL ? out_of_memory : reply->body;
    if (reply->status == 0)
        body = out_of_memory;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(response, reply, allow)) {
        unsigned int status = reply->status == 0 ? 500 : reply->status;
        result = MHD_queue_response(connection, status, response);
    }
    MHD_destroy_response(response);
    return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned int status,
                              const char *error, const char *description, const char *allow)
{
    struct reply reply = {0};
    reply_error(&reply, status, error, description);
    enum MHD_Result result = send_reply(connection, &reply, allow);
    clear_reply(&reply);
    return result;
}

static bool is_form(const char *content_type)
{
    static const char form[] = "application/x-www-form-urlencoded";
    if (content_type == NULL || strncasecmp(content_type, form, sizeof(form) - 1) != 0)
        return false;
    char next = content_type[sizeof(form) - 1];
    return next == '\0' || next == ';' || next == ' ';
}

struct query {
    struct form *form;
    bool good;
};

static enum MHD_Result take_query_field(void *cls, enum MHD_ValueKind kind, const char *name,
                                        size_t name_size, const char *value, size_t value_size)
{
    (void)kind;
    struct query *query = cls;
    query->good = form_add(query->form, name, name_size, value == NULL ? "" : value, value_size);
    return query->good ? MHD_YES : MHD_NO;
}

static bool read_fields(struct MHD_Connection *connection, struct incoming *incoming)
{
    struct request *request = &incoming->request;
    if (request->is_post)
        return form_parse(&request->fields, incoming->body, incoming->body_size);
    struct query query = {.form = &request->fields, .good = true};
    (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_query_field, &query);
    return query.good;
}

static enum MHD_Result run_route(struct server *server, struct MHD_Connection *connection,
                                 const struct route *route, struct incoming *incoming)
{
    const char *type = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Content-Type");
    if (incoming->discarded > 0)
        return refuse(connection, 413, "invalid_request", "the body is larger than 16 KiB", NULL);
    if (incoming->request.is_post && incoming->body_size > 0 && !is_form(type))
        return refuse(connection, 415, "invalid_request", "send application/x-www-form-urlencoded",
                      NULL);
    if (!read_fields(connection, incoming))
        return refuse(connection, 400, "invalid_request",
                      "a field is malformed or given twice, or there are too many", NULL);
    struct reply reply = {0};
    route->handle(server->sandbox, &incoming->request, &reply);
    enum MHD_Result result = send_reply(connection, &reply, NULL);
    clear_reply(&reply);
    return result;
}

static enum MHD_Result dispatch(struct server *server, struct MHD_Connection *connection,
                                const char *path, const char *method, struct incoming *incoming)
{
    const struct route *route = server->routes;
    while (route->path != NULL && strcmp(route->path, path) != 0)
        route++;
    if (route->path == NULL)
        return refuse(connection, 404, "not_found", "there is nothing here", NULL);
    bool takes_post = strcmp(route->method, "POST") == 0;
    incoming->request.is_post = strcmp(method, "POST") == 0;
    bool is_read = strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0;
    if (takes_post ? !incoming->request.is_post : !is_read)
        return refuse(connection, 405, "method_not_allowed", "see the header Allow",
                      takes_post ? "POST" : "GET, HEAD");
    return run_route(server, connection, route, incoming);
}

static struct incoming *begin_request(struct server *server)
{
    struct incoming *incoming = calloc(1, sizeof(*incoming));
    if (incoming == NULL)
        return NULL;
    (void)pthread_mutex_lock(&server->mutex);
    server->under_way++;
    (void)pthread_mutex_unlock(&server->mutex);
    return incoming;
}

static bool take_body(struct incoming *incoming, const char *data, size_t size)
{
    size_t room = REQUEST_BODY_MAX - incoming->body_size;
    size_t taken = size < room ? size : room;
    memcpy(incoming->body + incoming->body_size, data, taken);
    incoming->body_size += taken;
    incoming->discarded += size - taken;
    return incoming->discarded <= DISCARD_MAX;
}

/*
 * libmicrohttpd calls this once for the headers, then with each piece of the
 * body, then once more for the answer.
 */
static enum MHD_Result answer(void *cls, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *data,
                              size_t *size, void **state)
{
    (void)version;
    struct server *server = cls;
    struct incoming *incoming = *state;
    if (incoming == NULL) {
        *state = begin_request(server);
        return *state == NULL ? MHD_NO : MHD_YES;
    }
    if (*size == 0)
        return dispatch(server, connection, path, method, incoming);
    bool taken = take_body(incoming, data, *size);
    *size = 0;
    return taken ? MHD_YES : MHD_NO;
}

static void end_request(void *cls, struct MHD_Connection *connection, void **state,
                        enum MHD_RequestTerminationCode code)
{
    (void)connection;
    (void)code;
    struct server *server = cls;
    if (*state == NULL)
        return;
    free(*state);
    *state = NULL;
    (void)pthread_mutex_lock(&server->mutex);
    server->under_way--;
    if (server->under_way == 0)
        (void)pthread_cond_broadcast(&server->idle);
    (void)pthread_mutex_unlock(&server->mutex);
}

static int open_listener(const struct sockaddr *address, socklen_t size)
{
    int one = 1;
    int descriptor = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (descriptor < 0)
        return -1;
    bool ipv6 = address->sa_family == AF_INET6;
    if (setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0 &&
        (!ipv6 || setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) == 0) &&
        bind(descriptor, address, size) == 0 && listen(descriptor, SOMAXCONN) == 0)
        return descriptor;
    int reason = errno;
    (void)close(descriptor);
    errno = reason;
    return -1;
}

static bool open_listeners(struct server *server, uint16_t port)
{
    const struct sockaddr_in ipv4 = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr_in6 ipv6 = {
        .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    int *first = &server->listeners[0].socket;
    int *second = &server->listeners[1].socket;
    *first = open_listener((const struct sockaddr *)&ipv4, sizeof(ipv4));
    if (*first < 0) {
        (void)fprintf(stderr, "feedgate-sandbox: port %u of 127.0.0.1: %s\n", port,
                      strerror(errno));
        return false;
    }
    *second = open_listener((const struct sockaddr *)&ipv6, sizeof(ipv6));
    if (*second >= 0 || errno == EAFNOSUPPORT || errno == EADDRNOTAVAIL)
        return true; /* a machine without IPv6: its localhost is 127.0.0.1 alone */
    (void)fprintf(stderr, "feedgate-sandbox: port %u of [::1]: %s\n", port, strerror(errno));
    return false;
}

static struct MHD_Daemon *start_daemon(struct server *server, int socket)
{
    unsigned int flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD |
                         MHD_USE_POLL | MHD_USE_ITC;
    return MHD_start_daemon(
        flags, 0, NULL, NULL, answer, server, MHD_OPTION_LISTEN_SOCKET, socket,
        MHD_OPTION_CONNECTION_LIMIT, (unsigned int)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
        (unsigned int)IDLE_SECONDS, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEADERS_MAX,
        MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK, MHD_OPTION_NOTIFY_COMPLETED,
        end_request, server, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_END);
}

static bool start_daemons(struct server *server)
{
    for (size_t i = 0; i < LISTENERS; i++) {
        if (server->listeners[i].socket < 0)
            continue;
        server->listeners[i].daemon = start_daemon(server, server->listeners[i].socket);
        if (server->listeners[i].daemon == NULL) {
            (void)fprintf(stderr, "feedgate-sandbox: the HTTP server does not start\n");
            return false;
        }
    }
    return true;
}

static bool make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0)
        return false;
    bool made = pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
                pthread_cond_init(condition, &attributes) == 0;
    (void)pthread_condattr_destroy(&attributes);
    return made;
}

struct server *server_start(uint16_t port, const struct route *routes, struct sandbox *sandbox)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL || !make_condition(&server->idle)) {
        (void)fprintf(stderr, "feedgate-sandbox: out of memory\n");
        free(server);
        return NULL;
    }
    (void)pthread_mutex_init(&server->mutex, NULL); /* can't fail without attributes on Linux */
    server->routes = routes;
    server->sandbox = sandbox;
    for (size_t i = 0; i < LISTENERS; i++)
        server->listeners[i].socket = -1;
    if (open_listeners(server, port) && start_daemons(server))
        return server;
    server_stop(server);
    return NULL;
}

static void wait_until_idle(struct server *server)
{
    struct timespec deadline;
    if (clock_gettime(CLOCK_MONOTONIC, &deadline) != 0)
        return;
    deadline.tv_sec += STOP_SECONDS;
    int result = 0;
    (void)pthread_mutex_lock(&server->mutex);
    while (server->under_way > 0 && result == 0)
        result = pthread_cond_timedwait(&server->idle, &server->mutex, &deadline);
    (void)pthread_mutex_unlock(&server->mutex);
}

void server_stop(struct server *server)
{
    for (size_t i = 0; i < LISTENERS; i++) {
        if (server->listeners[i].daemon == NULL)
            continue;
        (void)MHD_quiesce_daemon(server->listeners[i].daemon);
        (void)shutdown(server->listeners[i].socket, SHUT_RDWR); /* refuses at once what comes now */
    }
    wait_until_idle(server);
    for (size_t i = 0; i < LISTENERS; i++) {
        if (server->listeners[i].daemon != NULL)
            MHD_stop_daemon(server->listeners[i].daemon);
        if (server->listeners[i].socket >= 0)
            (void)close(server->listeners[i].socket);
    }
    (void)pthread_cond_destroy(&server->idle);
    (void)pthread_mutex_destroy(&server->mutex);
    free(server);
}
