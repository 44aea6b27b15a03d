/* SPDX-License-Identifier: MIT */
#include "http.h"

#include "base/cleanup.h"
#include "http_private.h"

#include <arpa/inet.h>
#include <errno.h>
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
    DISCARD_MAX = 512 * 1024, /* of a body that is too large, so that the 413 arrives */
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
    struct text body;
    size_t discarded; /* bytes beyond REQUEST_BODY_MAX */
};

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

static bool read_fields(struct MHD_Connection *connection, const struct route *route,
                        struct incoming *incoming)
{
    struct request *request = &incoming->request;
    if (strcmp(route->method, "POST") == 0)
        return form_parse(&request->fields, incoming->body.bytes, incoming->body.size);
    struct query query = {.form = &request->fields, .good = true};
    (void)MHD_get_connection_values_n(connection, MHD_GET_ARGUMENT_KIND, take_query_field, &query);
    return query.good;
}

static enum MHD_Result take_header(void *cls, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    (void)kind;
    struct request *request = cls;
    const char **place = NULL;
    if (strcasecmp(name, "Authorization") == 0)
        place = &request->authorization;
    else if (strcasecmp(name, "x-api-key") == 0)
        place = &request->api_key;
    else if (strcasecmp(name, "Content-Type") == 0)
        place = &request->content_type;
    if (place != NULL) {
        request->repeats_header = request->repeats_header || *place != NULL;
        *place = value == NULL ? "" : value;
    }
    return MHD_YES;
}

/* What is wrong with the request's form, before any handler looks at it; 0: nothing. */
static unsigned int check_body(const struct route *route, const struct incoming *incoming,
                               const char **description)
{
    bool takes_form = strcmp(route->method, "POST") == 0;
    if (incoming->discarded > 0 || (takes_form && incoming->body.size > FORM_BODY_MAX)) {
        *description = "the body is larger than 64 KiB, or 256 KiB for a PATCH";
        return 413;
    }
    if (takes_form && incoming->body.size > 0 && !is_form(incoming->request.content_type)) {
        *description = "send application/x-www-form-urlencoded";
        return 415;
    }
    return 0;
}

static enum MHD_Result run_route(struct server *server, struct MHD_Connection *connection,
                                 const struct route *route, struct incoming *incoming)
{
    const char *description = NULL;
    struct request *request = &incoming->request;
    (void)MHD_get_connection_values(connection, MHD_HEADER_KIND, take_header, request);
    text_append_string(&incoming->body, ""); /* at least an empty text */
    if (incoming->body.failed)
        return MHD_NO;
    unsigned int status = check_body(route, incoming, &description);
    if (status != 0)
        return reply_refuse(connection, status, "invalid_request", description, NULL);
    if (!read_fields(connection, route, incoming))
        return reply_refuse(connection, 400, "invalid_request",
                            "a field is malformed or given twice, or there are too many", NULL);
    request->body = incoming->body.bytes;
    request->body_size = incoming->body.size;
    struct reply reply = {0};
    /* without this, a handler that waits would find its connection idle, and so closed */
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    route->handle(server->sandbox, request, &reply);
    (void)MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                    (unsigned int)IDLE_SECONDS);
    enum MHD_Result result = reply.cut ? MHD_NO : reply_send(connection, &reply, NULL);
    reply_clear(&reply);
    return result;
}

/* True if the path is the route's; `rest` is what comes behind the route's last slash. */
static bool leads_to(const struct route *route, const char *path, const char **rest)
{
    size_t size = strlen(route->path);
    if (size < 2 || route->path[size - 1] != '/')
        return strcmp(route->path, path) == 0;
    *rest = path + size;
    return strncmp(route->path, path, size) == 0 && (*rest)[0] != '\0' &&
           strchr(*rest, '/') == NULL;
}

static enum MHD_Result dispatch(struct server *server, struct MHD_Connection *connection,
                                const char *path, const char *method, struct incoming *incoming)
{
    _cleanup_(text_clear) struct text allow = {0};
    const char *wanted = strcmp(method, "HEAD") == 0 ? "GET" : method;
    for (const struct route *route = server->routes; route->path != NULL; route++) {
        const char *rest = NULL;
        if (!leads_to(route, path, &rest))
            continue;
        incoming->request.rest = rest;
        if (strcmp(route->method, wanted) == 0)
            return run_route(server, connection, route, incoming);
        text_append_string(&allow, allow.size == 0 ? "" : ", ");
        text_append_string(&allow, route->method);
        text_append_string(&allow, strcmp(route->method, "GET") == 0 ? ", HEAD" : "");
    }
    if (allow.size == 0)
        return reply_refuse(connection, 404, "not_found", "there is nothing here", NULL);
    return reply_refuse(connection, 405, "method_not_allowed", "see the header Allow", allow.bytes);
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
    size_t room = REQUEST_BODY_MAX - incoming->body.size;
    size_t taken = size < room ? size : room;
    text_append(&incoming->body, data, taken);
    incoming->discarded += size - taken;
    return !incoming->body.failed && incoming->discarded <= DISCARD_MAX;
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
    struct incoming *incoming = *state;
    text_clear(&incoming->body);
    free(incoming);
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
