/* SPDX-License-Identifier: MIT */
#include "endpoint.h"

#include "operator_proof.h"
#include "service/service.h"

#include <stdio.h>
#include <string.h>

/* Whether a pair of the query has this name; what else it is, its reading will tell. */
static bool query_names(const struct exchange *exchange, const char *name)
{
    const char *query = exchange_variable(exchange, "QUERY_STRING");
    size_t length = strlen(name);
    for (const char *pair = query; pair; pair = strchr(pair, '&')) {
        pair += *pair == '&' ? 1 : 0;
        if (strncmp(pair, name, length) == 0 && pair[length] == '=')
            return true;
    }
    return false;
}

static bool is_authorizer(const struct exchange *exchange)
{
    return exchange->role == ROLE_AUTHORIZER || exchange->role == ROLE_SUBREQUEST;
}

static const struct operation *find_operation(const struct endpoint *endpoint,
                                              const struct exchange *exchange)
{
    const struct operation *operation = NULL;
    if (is_authorizer(exchange))
        operation = exchange->method == METHOD_GET ? &endpoint->authorize : NULL;
    else if (exchange->method == METHOD_POST)
        operation = &endpoint->post;
    else if (exchange->method == METHOD_GET)
        operation = endpoint->get_ticket.handle && query_names(exchange, "ticket")
                        ? &endpoint->get_ticket
                        : &endpoint->get;
    return operation && operation->handle ? operation : NULL;
}

static void add_allow(const struct endpoint *endpoint, struct exchange *exchange)
{
    bool get = endpoint->get.handle;
    bool post = endpoint->post.handle && exchange->role == ROLE_RESPONDER;
    (void)exchange_add_header(exchange, "Allow: %s%s%s", /* the first header always has room */
                              get ? "GET" : "", get && post ? ", " : "", post ? "POST" : "");
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
    if (operation->body.limit == 0)
        return REFUSAL_NONE;
    const char *type = operation->body.type;
    if (type && !is_media_type(exchange_variable(exchange, "CONTENT_TYPE"), type))
        return REFUSAL_MEDIA_TYPE;
    return exchange_declares_more(exchange, operation->body.limit) ? REFUSAL_BODY_TOO_LARGE
                                                                   : REFUSAL_NONE;
}

static enum refusal read_body(const struct operation *operation, struct exchange *exchange)
{
    return operation->body.limit > 0 ? exchange_read_body(exchange, operation->body.limit)
                                     : REFUSAL_NONE;
}

/* The form in the body; one of another media type is none, and has no fields. */
static const char *find_form(const struct exchange *exchange)
{
    static const char form[] = "application/x-www-form-urlencoded";
    if (!is_media_type(exchange_variable(exchange, "CONTENT_TYPE"), form))
        return NULL;
    /* A NUL would hide what is behind it. */
    return strlen(exchange->body) == exchange->body_length ? exchange->body : "%00";
}

static enum refusal read_parameters(const struct operation *operation, struct exchange *exchange)
{
    const struct parameter *declared = operation->form ? operation->form : operation->parameters;
    if (!declared)
        return REFUSAL_NONE;
    const char *pairs =
        operation->form ? find_form(exchange) : exchange_variable(exchange, "QUERY_STRING");
    const char *culprit = NULL;
    enum refusal refusal = parameter_read(pairs, declared, &exchange->parameters, &culprit);
    if (culprit)
        exchange_note(exchange, culprit);
    return refusal;
}

/* The way of a request: all checks in their order, then the handler. */
static enum refusal operate(const struct endpoint *endpoint, struct exchange *exchange)
{
    if (exchange->role == ROLE_UNKNOWN) {
        exchange_note(exchange, "FEEDGATE_ROLE must be AUTHORIZER or REFUSAL");
        return REFUSAL_INTERNAL;
    }
    const struct operation *operation = find_operation(endpoint, exchange);
    if (!operation) {
        add_allow(endpoint, exchange);
        return REFUSAL_METHOD_NOT_ALLOWED;
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
    exchange_log(exchange, refusal_status(refusal) >= 500 ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
                 "refused", {"refusal", refusal_word(refusal)}, {"status", status},
                 {"session", exchange->log_id[0] ? exchange->log_id : NULL},
                 {"detail", exchange->detail[0] ? exchange->detail : NULL});
}

/* For `feedgate check` alone, which shows that it may know. */
static void explain(const struct endpoint *endpoint, struct exchange *exchange,
                    enum refusal refusal)
{
    const char *database = exchange->service->config->store.database;
    if (operator_proof_verify(database, endpoint->name, exchange->now,
                              exchange_variable(exchange, OPERATOR_PROOF_VARIABLE)))
        (void)exchange_add_header(exchange, OPERATOR_PROOF_ANSWER ": %s", refusal_word(refusal));
}

/* To a client that was refused in a subrequest, whose answer the web server dropped. */
static enum refusal find_refusal(const struct endpoint *endpoint, struct exchange *exchange)
{
    const char *word = exchange_variable(exchange, "FEEDGATE_REFUSAL");
    enum refusal refusal = word ? refusal_find(word) : REFUSAL_NONE;
    if (refusal == REFUSAL_METHOD_NOT_ALLOWED)
        add_allow(endpoint, exchange);
    exchange->scope = exchange->service->config->sage.availableaccounts_scope;
    /* Something else in the server's configuration refused. */
    return refusal == REFUSAL_NONE ? REFUSAL_INTERNAL : refusal;
}

static bool reply_refused(const struct endpoint *endpoint, struct exchange *exchange,
                          enum refusal refusal)
{
    if (exchange->role == ROLE_SUBREQUEST)
        return reply_subrequest_refusal(exchange, refusal);
    return reply_refusal(exchange, endpoint->refusals, refusal);
}

void endpoint_serve(const struct endpoint *endpoint, struct exchange *exchange)
{
    exchange->flow = endpoint->flow;
    bool again = exchange->role == ROLE_REFUSAL; /* it stands in the log already */
    enum refusal refusal = again ? find_refusal(endpoint, exchange) : operate(endpoint, exchange);
    if (refusal == REFUSAL_NONE)
        return;
    if (!again)
        log_refusal(exchange, refusal);
    explain(endpoint, exchange, refusal);
    if (exchange->replied || reply_refused(endpoint, exchange, refusal))
        return;
    (void)exchange_give_up(exchange); /* where that fails, nobody listens */
    exchange_log_line(exchange, LOG_LEVEL_WARNING, "reply_not_taken", NULL, 0);
}
