/* SPDX-License-Identifier: MIT */
#include "wire.h"

#include "expect.h"
#include "log_file.h"
#include "scratch.h"
#include "server.h"
#include "stage.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void close_later(void *wire)
{
    (void)close((int)(intptr_t)wire);
}

static int connect_to(const struct sockaddr *address, socklen_t size)
{
    int wire = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(wire >= 0, "socket: %s", strerror(errno));
    undo_later(close_later, (void *)(intptr_t)wire);
    EXPECT(connect(wire, address, size) == 0, "connect: %s", strerror(errno));
    return wire;
}

int wire_connect_http(void)
{
    return wire_connect_port(server_port());
}

int wire_connect_port(unsigned port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)port),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    return connect_to((struct sockaddr *)&address, sizeof(address));
}

int wire_connect_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    EXPECT(strlen(path) < sizeof(address.sun_path), "%s is too long", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    return connect_to((struct sockaddr *)&address, sizeof(address));
}

void wire_close(int wire)
{
    (void)shutdown(wire, SHUT_RDWR); /* the descriptor itself ends with the test */
}

void wire_end_sending(int wire)
{
    (void)shutdown(wire, SHUT_WR); /* reading tells what came of it */
}

bool wire_send(int wire, const void *bytes, size_t length)
{
    const char *next = bytes;
    while (length > 0) {
        ssize_t sent = send(wire, next, length, MSG_NOSIGNAL);
        if (sent < 0)
            return false;
        next += sent;
        length -= (size_t)sent;
    }
    return true;
}

void wire_send_request(int wire, const struct request *request)
{
    const char *head = scratch_format("%s %s HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                      "Connection: keep-alive\r\nContent-Length: %zu\r\n",
                                      request->method != NULL ? request->method : "GET",
                                      request->path, request->body_length);
    for (size_t i = 0; i < HEADERS_MAX && request->headers[i] != NULL; i++)
        head = scratch_format("%s%s\r\n", head, request->headers[i]);
    head = scratch_format("%s\r\n", head);
    (void)wire_send(wire, head, strlen(head)); /* the answer tells whether it was taken */
    (void)wire_send(wire, request->body, request->body_length);
}

/* One more byte, or more; false at the end or after too long a time. */
static bool receive(int wire, char *into, size_t size, size_t *length)
{
    struct pollfd poll_for = {.fd = wire, .events = POLLIN};
    if (poll(&poll_for, 1, PATIENCE_MS) != 1)
        return false;
    ssize_t got = recv(wire, into, size, 0);
    *length = got > 0 ? (size_t)got : 0;
    return got > 0;
}

int wire_read_answer(int wire)
{
    char head[8192] = "";
    size_t length = 0;
    for (size_t got; strstr(head, "\r\n\r\n") == NULL; length += got) {
        if (length + 1 == sizeof(head) || !receive(wire, head + length, 1, &got))
            return 0;
        head[length + got] = '\0';
    }
    size_t body = 0;
    for (const char *line = head; (line = strchr(line, '\n')) != NULL;)
        if (strncasecmp(++line, "Content-Length:", 15) == 0)
            body = strtoul(line + 15, NULL, 10);
    char dropped[1024];
    for (size_t got; body > 0; body -= got)
        if (!receive(wire, dropped, body < sizeof(dropped) ? body : sizeof(dropped), &got))
            return 0;
    return (int)strtol(head + strcspn(head, " "), NULL, 10);
}

const char *wire_read_all(int wire, size_t *length)
{
    size_t size = 1 << 20;
    char *all = scratch_take(size);
    *length = 0;
    for (size_t got; receive(wire, all + *length, size - 1 - *length, &got);)
        *length += got;
    return all;
}

/* ---- FastCGI ------------------------------------------------------------- */

void fastcgi_send(int wire, int type, const void *bytes, size_t length)
{
    unsigned char header[8] = {
        1, (unsigned char)type, 0, 1, (unsigned char)(length >> 8), (unsigned char)length, 0, 0};
    EXPECT(length <= 0xFFFF, "a record of %zu bytes", length);
    (void)wire_send(wire, header, sizeof(header)); /* reading tells whether it was taken */
    (void)wire_send(wire, bytes, length);
}

static int begin_as(const char *endpoint, enum fastcgi_role role)
{
    const unsigned char body[8] = {0, (unsigned char)role};
    int wire = wire_connect_socket(server_socket(endpoint));
    fastcgi_send(wire, FASTCGI_BEGIN, body, sizeof(body));
    return wire;
}

int fastcgi_begin(const char *endpoint)
{
    return begin_as(endpoint, FASTCGI_RESPONDER);
}

static size_t put_length(unsigned char *at, size_t length)
{
    if (length < 128) {
        at[0] = (unsigned char)length;
        return 1;
    }
    at[0] = (unsigned char)(0x80 | length >> 24);
    at[1] = (unsigned char)(length >> 16);
    at[2] = (unsigned char)(length >> 8);
    at[3] = (unsigned char)length;
    return 4;
}

void fastcgi_send_parameter(int wire, const char *name, const char *value)
{
    size_t name_length = strlen(name);
    size_t value_length = strlen(value);
    unsigned char *pair = scratch_take(8 + name_length + value_length);
    size_t size = put_length(pair, name_length);
    size += put_length(pair + size, value_length);
    memcpy(pair + size, name, name_length);
    memcpy(pair + size + name_length, value, value_length);
    fastcgi_send(wire, FASTCGI_PARAMS, pair, size + name_length + value_length);
}

static bool is_chunked(const struct request *request)
{
    for (size_t i = 0; i < HEADERS_MAX && request->headers[i] != NULL; i++)
        if (strcmp(request->headers[i], CHUNKED) == 0)
            return true;
    return false;
}

const char *const *cgi_variables(const struct request *request)
{
    const char **variables = scratch_take((HEADERS_MAX + 8) * sizeof(*variables));
    size_t count = 0;
    const char *query = strchr(request->path, '?');
    const char *usual_method = request->body != NULL ? "POST" : "GET";
    variables[count++] = "GATEWAY_INTERFACE=CGI/1.1";
    variables[count++] = scratch_format("REQUEST_METHOD=%s",
                                        request->method != NULL ? request->method : usual_method);
    variables[count++] = scratch_format("QUERY_STRING=%s", query != NULL ? query + 1 : "");
    if (request->body != NULL && !is_chunked(request))
        variables[count++] = scratch_format("CONTENT_LENGTH=%zu", request->body_length);
    for (size_t i = 0; i < HEADERS_MAX && request->headers[i] != NULL; i++) {
        const char *value = strstr(request->headers[i], ": ");
        EXPECT(value != NULL, "the header <%s> has no value", request->headers[i]);
        char *name = scratch_format("%.*s", (int)(value - request->headers[i]),
                                    upper_case(request->headers[i]));
        for (char *byte = name; *byte != '\0'; byte++)
            *byte = *byte == '-' ? '_' : *byte;
        bool is_type = strcmp(name, "CONTENT_TYPE") == 0;
        variables[count++] = scratch_format("%s%s=%s", is_type ? "" : "HTTP_", name, value + 2);
    }
    return variables;
}

static void send_variables(int wire, const char *const *variables)
{
    for (; *variables != NULL; variables++) {
        size_t length = strcspn(*variables, "=");
        fastcgi_send_parameter(wire, scratch_copy(*variables, length), *variables + length + 1);
    }
}

void fastcgi_send_variables(int wire, const struct request *request)
{
    send_variables(wire, cgi_variables(request));
}

static void fastcgi_send_body(int wire, const struct request *request)
{
    enum { RECORD = 32768 };
    for (size_t sent = 0; sent < request->body_length; sent += RECORD) {
        size_t left = request->body_length - sent;
        fastcgi_send(wire, FASTCGI_STDIN, request->body + sent, left < RECORD ? left : RECORD);
    }
    fastcgi_send(wire, FASTCGI_STDIN, "", 0);
}

static const char *ask_over_socket(const char *endpoint, const struct request *request,
                                   enum fastcgi_role role, const char *const *variables)
{
    int wire = begin_as(endpoint, role);
    fastcgi_send_variables(wire, request);
    send_variables(wire, variables);
    fastcgi_send(wire, FASTCGI_PARAMS, "", 0);
    if (role != FASTCGI_AUTHORIZER) /* it is sent no body, and no end of one either */
        fastcgi_send_body(wire, request);
    return fastcgi_read_answer(wire);
}

static const char *run_as_cgi(const struct request *request, const char *const *variables)
{
    const char *name = scratch_copy(request->path + 1, strcspn(request->path + 1, "?"));
    const char *arguments[] = {staged_path(scratch_format("libexec/feedgate/%s.fcgi", name)), NULL};
    return run_program(arguments, variables, request->body, request->body_length).output;
}

const char *cgi_run(const struct request *request)
{
    return run_as_cgi(request, cgi_variables(request));
}

/* The same in a role: libfcgi says it in a variable, and so does a server with plain CGI. */
static const char *cgi_run_as(const struct request *request, enum fastcgi_role role,
                              const char *const *further)
{
    const char *variables[64] = {role == FASTCGI_AUTHORIZER ? "FCGI_ROLE=AUTHORIZER"
                                                            : "FCGI_ROLE=RESPONDER"};
    size_t count = 1;
    const char *const *usual = cgi_variables(request);
    for (; *usual != NULL && count < ROWS(variables) - 1; usual++)
        variables[count++] = *usual;
    for (; *further != NULL && count < ROWS(variables) - 1; further++)
        variables[count++] = *further;
    return run_as_cgi(request, variables);
}

struct response fastcgi_exchange(const struct request *request)
{
    static const char *const none[] = {NULL};
    return fastcgi_exchange_as(request, FASTCGI_RESPONDER, none);
}

struct response fastcgi_exchange_as(const struct request *request, enum fastcgi_role role,
                                    const char *const *variables)
{
    size_t mark = log_mark();
    const char *path = request->path + 1;
    const char *endpoint = scratch_copy(path, strcspn(path, "?"));
    const char *answer = server_socket(endpoint) != NULL
                             ? ask_over_socket(endpoint, request, role, variables)
                             : cgi_run_as(request, role, variables);
    const char *body = strstr(answer, "\r\n\r\n");
    EXPECT(body != NULL, "no answer but <%s>", answer);
    return (struct response){.endpoint = endpoint,
                             .method = request->method != NULL ? request->method : "GET",
                             .status = cgi_status(answer),
                             .headers = scratch_copy(answer, (size_t)(body - answer) + 2),
                             .body = body + 4,
                             .body_length = strlen(body + 4),
                             .log_mark = mark};
}

struct response send_unchanged(const struct request *request)
{
    static const char *const unfit[] = {"%0", "%zz", "%4&", "%C3"};
    size_t length = strlen(request->path);
    bool fit = request->path[length - 1] != '%' && request->path[length - 2] != '%';
    for (size_t i = 0; i < ROWS(unfit); i++)
        fit = fit && strstr(request->path, unfit[i]) == NULL;
    return fit ? http_send(request) : fastcgi_exchange(request);
}

const char *fastcgi_read_answer(int wire)
{
    size_t length;
    const unsigned char *bytes = (const unsigned char *)wire_read_all(wire, &length);
    const char *answer = "";
    for (size_t at = 0; at + 8 <= length;) {
        size_t content = (size_t)bytes[at + 4] << 8 | bytes[at + 5];
        if (at + 8 + content > length)
            break;
        if (bytes[at + 1] == FASTCGI_STDOUT)
            answer = scratch_format("%s%.*s", answer, (int)content, (const char *)bytes + at + 8);
        at += 8 + content + bytes[at + 6];
    }
    return answer;
}

int cgi_status(const char *answer)
{
    if (strncmp(answer, "Status: ", 8) == 0)
        return (int)strtol(answer + 8, NULL, 10);
    return strstr(answer, "\r\n\r\n") != NULL ? 200 : 0; /* CGI's default */
}
