/* SPDX-License-Identifier: MIT */
#include "exchange.h"

#include "base/memory.h"
#include "records/session_clock.h"
#include "service/service.h"
#include "transport.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum role read_role(const struct exchange *exchange)
{
    const char *role = exchange_variable(exchange, "FCGI_ROLE");
    if (role && strcmp(role, "AUTHORIZER") == 0)
        return ROLE_AUTHORIZER;
    role = exchange_variable(exchange, "FEEDGATE_ROLE");
    if (!role || role[0] == '\0')
        return ROLE_RESPONDER;
    return strcmp(role, "AUTHORIZER") == 0 ? ROLE_SUBREQUEST
           : strcmp(role, "REFUSAL") == 0  ? ROLE_REFUSAL
                                           : ROLE_UNKNOWN;
}

static void find_client(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    const char *variable = client_address_variable(config->network.client_address_header);
    exchange->client = client_address_find(
        &config->network.trusted_proxies, config->network.client_address_header,
        exchange_variable(exchange, "REMOTE_ADDR"), exchange_variable(exchange, variable),
        exchange_repeated(exchange, variable));
    if (exchange->client.kind == CLIENT_ADDRESS_FROM_HEADER)
        (void)address_print(&exchange->client.address, exchange->client_text);
}

void exchange_begin(struct exchange *exchange, const struct transport *transport,
                    struct service *service)
{
    memset(exchange, 0, sizeof *exchange);
    exchange->transport = transport;
    exchange->service = service;
    exchange->now = clock_now(&service->clock);
    exchange->role = read_role(exchange);
    const char *method = exchange_variable(exchange, "REQUEST_METHOD");
    if (method && strcmp(method, "GET") == 0)
        exchange->method = METHOD_GET;
    else if (method && strcmp(method, "POST") == 0)
        exchange->method = METHOD_POST;
    find_client(exchange);
}

void exchange_clear(struct exchange *exchange)
{
    memory_free(exchange->body);
    parameter_values_clear(&exchange->parameters);
    OPENSSL_cleanse(exchange, sizeof *exchange);
}

const char *exchange_variable(const struct exchange *exchange, const char *name)
{
    return exchange->transport->variable(exchange->transport->source, name);
}

bool exchange_repeated(const struct exchange *exchange, const char *name)
{
    return exchange->transport->repeated(exchange->transport->source, name);
}

const char *exchange_address(const struct exchange *exchange)
{
    return exchange->client.kind == CLIENT_ADDRESS_FROM_HEADER
               ? exchange->client_text
               : exchange_variable(exchange, "REMOTE_ADDR");
}

const char *exchange_proxy(const struct exchange *exchange)
{
    return exchange->client.kind == CLIENT_ADDRESS_FROM_HEADER
               ? exchange_variable(exchange, "REMOTE_ADDR")
               : NULL;
}

/* Reads until `size` bytes are there or the body ends; -1 when it broke off. */
static long read_up_to(const struct transport *transport, char *bytes, size_t size)
{
    size_t length = 0;
    while (length < size) {
        long count = transport->read(transport->source, bytes + length, size - length);
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        length += (size_t)count;
    }
    return (long)length;
}

/* The declared length; -1 when none is (a chunked body), -2 when it is no number. */
static long long declared_length(const struct exchange *exchange)
{
    const char *text = exchange_variable(exchange, "CONTENT_LENGTH");
    if (!text || text[0] == '\0')
        return -1;
    if (strspn(text, "0123456789") != strlen(text))
        return -2;
    errno = 0;
    long long length = strtoll(text, NULL, 10);
    return errno == 0 ? length : -2;
}

bool exchange_declares_more(const struct exchange *exchange, size_t limit)
{
    return declared_length(exchange) > (long long)limit;
}

enum refusal exchange_read_body(struct exchange *exchange, size_t limit)
{
    if (limit > BODY_MAX)
        return REFUSAL_INTERNAL;
    exchange->body = malloc(limit + 2); /* one byte shows that there is more, one is for the NUL */
    if (!exchange->body)
        return REFUSAL_OUT_OF_MEMORY;
    long length = read_up_to(exchange->transport, exchange->body, limit + 1);
    if (length < 0)
        return REFUSAL_BODY_INCOMPLETE;
    if ((size_t)length > limit)
        return REFUSAL_BODY_TOO_LARGE;
    exchange->body[length] = '\0';
    exchange->body_length = (size_t)length;
    exchange->now = clock_now(&exchange->service->clock);
    long long declared = declared_length(exchange);
    return declared == -1 || declared == length ? REFUSAL_NONE : REFUSAL_BODY_INCOMPLETE;
}

enum refusal exchange_session_time(struct exchange *exchange, struct session_instant *instant)
{
    switch (session_clock_now(exchange->service->session_clock, instant)) {
    case STORE_DONE:
        return REFUSAL_NONE;
    case STORE_BUSY:
        return REFUSAL_STORE_BUSY;
    case STORE_FAILED:
        break;
    }
    return REFUSAL_STORE_FAILED;
}

void exchange_note(struct exchange *exchange, const char *detail)
{
    (void)snprintf(exchange->detail, sizeof exchange->detail, "%s", detail);
}

void exchange_log_line(const struct exchange *exchange, enum log_level level, const char *event,
                       const struct log_field *fields, size_t count)
{
    struct log_field all[EXCHANGE_FIELDS_MAX + 2];
    size_t used = count < EXCHANGE_FIELDS_MAX ? count : EXCHANGE_FIELDS_MAX;
    if (used > 0)
        memcpy(all, fields, used * sizeof *fields);
    all[used++] = (struct log_field){"address", exchange_address(exchange)};
    all[used++] = (struct log_field){"proxy", exchange_proxy(exchange)};
    log_line(level, event, all, used);
}

bool exchange_add_header(struct exchange *exchange, const char *format, ...)
{
    size_t room = sizeof exchange->headers - exchange->headers_length;
    char *place = exchange->headers + exchange->headers_length;
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(place, room, format, arguments);
    va_end(arguments);
    if (length < 0 || (size_t)length + 2 >= room) {
        *place = '\0';
        return false;
    }
    memcpy(place + length, "\r\n", 3);
    exchange->headers_length += (size_t)length + 2;
    return true;
}

bool exchange_pass(struct exchange *exchange)
{
    char head[REPLY_HEADERS_MAX + 64];
    int length = snprintf(head, sizeof head, "Status: 200\r\n%s\r\n", exchange->headers);
    if (length < 0 || (size_t)length >= sizeof head)
        return false;
    exchange->replied = true;
    return exchange->transport->write(exchange->transport->source, head, (size_t)length);
}

bool exchange_give_up(struct exchange *exchange)
{
    static const char head[] =
        "Status: 500\r\nContent-Length: 0\r\nCache-Control: no-store\r\n\r\n";
    if (exchange->replied)
        return false;
    exchange->replied = true;
    return exchange->transport->write(exchange->transport->source, head, sizeof head - 1);
}

bool exchange_reply(struct exchange *exchange, int status, const char *media_type, const char *body,
                    size_t length)
{
    char head[REPLY_HEADERS_MAX + 512];
    int head_length = snprintf(head, sizeof head,
                               "Status: %d\r\n"
                               "Content-Type: %s\r\n"
                               "Content-Length: %zu\r\n"
                               "Cache-Control: no-store\r\n"
                               "Referrer-Policy: no-referrer\r\n"
                               "X-Content-Type-Options: nosniff\r\n"
                               "%s\r\n",
                               status, media_type, length, exchange->headers);
    if (head_length < 0 || (size_t)head_length >= sizeof head)
        return false;
    const struct transport *transport = exchange->transport;
    exchange->replied = true;
    return transport->write(transport->source, head, (size_t)head_length) &&
           transport->write(transport->source, body, length);
}
