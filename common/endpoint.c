/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include "log.h"

#include <stdio.h>
#include <string.h>

static const struct operation *find_operation(const struct endpoint *endpoint, enum method method)
{
    const struct operation *operation = method == METHOD_GET    ? &endpoint->get
                                        : method == METHOD_POST ? &endpoint->post
                                                                : NULL;
    return operation && operation->handle ? operation : NULL;
}

static void add_allow(const struct endpoint *endpoint, struct exchange *exchange)
{
    bool both = endpoint->get.handle && endpoint->post.handle;
    (void)exchange_add_header(exchange, "Allow: %s", /* the first header always has room */
                              both                   ? "GET, POST"
                              : endpoint->get.handle ? "GET"
                                                     : "POST");
}

/* The media type before any parameters, in any case (RFC 9110 section 8.3.1). */
static bool is_media_type(const char *content_type, const char *expected)
{
    if (!content_type)
        return false;
    size_t length = strcspn(content_type, "; \t");
    size_t rest = length + strspn(content_type + length, " \t");
    return length == strlen(expected) && strncasecmp(content_type, expected, length) == 0 &&
           (content_type[rest] == '\0' || content_type[rest] == ';');
}

static enum refusal judge_body(const struct operation *operation, const struct exchange *exchange)
{
    if (!operation->body.type)
        return REFUSAL_NONE;
    if (!is_media_type(exchange_variable(exchange, "CONTENT_TYPE"), operation->body.type))
        return REFUSAL_MEDIA_TYPE;
    return exchange_declares_more(exchange, operation->body.limit) ? REFUSAL_BODY_TOO_LARGE
                                                                   : REFUSAL_NONE;
}

static enum refusal read_body(const struct operation *operation, struct exchange *exchange)
{
    return operation->body.type ? exchange_read_body(exchange, operation->body.limit)
                                : REFUSAL_NONE;
}

static enum refusal read_parameters(const struct operation *operation, struct exchange *exchange)
{
    if (!operation->parameters)
        return REFUSAL_NONE;
    const char *query = exchange_variable(exchange, "QUERY_STRING");
    const char *culprit = NULL;
    enum refusal refusal =
        parameter_read(query ? query : "", operation->parameters, &exchange->parameters, &culprit);
    if (culprit)
        exchange_note(exchange, culprit);
    return refusal;
}

/* The way of a request: all checks in their order, then the handler. */
static enum refusal operate(const struct endpoint *endpoint, struct exchange *exchange)
{
    const struct operation *operation = find_operation(endpoint, exchange->method);
    if (!operation) {
        add_allow(endpoint, exchange);
        return REFUSAL_METHOD;
    }
    enum refusal refusal = judge_body(operation, exchange);
    for (size_t i = 0; refusal == REFUSAL_NONE && operation->guards[i]; i++)
        refusal = operation->guards[i](exchange);
    /* Only now, so that nobody holds a thread with a slow body who may not send one. */
    if (refusal == REFUSAL_NONE)
        refusal = read_body(operation, exchange);
    if (refusal == REFUSAL_NONE)
        refusal = read_parameters(operation, exchange);
    return refusal == REFUSAL_NONE ? operation->handle(exchange) : refusal;
}

static void log_refusal(struct exchange *exchange, enum refusal refusal)
{
    char status[16];
    (void)snprintf(status, sizeof status, "%d", refusal_status(refusal));
    log_event(refusal_status(refusal) >= 500 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO, "refused",
              {"refusal", refusal_word(refusal)}, {"status", status},
              {"session", exchange->log_id[0] ? exchange->log_id : NULL},
              {"detail", exchange->detail[0] ? exchange->detail : NULL},
              {"address", exchange_variable(exchange, "REMOTE_ADDR")});
}

void endpoint_serve(const struct endpoint *endpoint, struct exchange *exchange)
{
    enum refusal refusal = operate(endpoint, exchange);
    if (refusal == REFUSAL_NONE)
        return;
    log_refusal(exchange, refusal);
    if (!exchange->replied && !reply_refusal(exchange, endpoint->refusals, refusal))
        log_event(LOG_LEVEL_WARNING, "reply_not_taken",
                  {"address", exchange_variable(exchange, "REMOTE_ADDR")});
}
