/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include "base/cleanup.h"
#include "page.h"
#include "pages/pages.h"
#include "pages/template.h"
#include "service/service.h"

#include <stdio.h>
#include <string.h>

/* How long a client should wait after a 503; a store or key set is mostly back by then. */
enum { RETRY_AFTER_S = 5, PROBLEM_MAX = 512 };

static enum refusal taken(bool replied)
{
    return replied ? REFUSAL_NONE : REFUSAL_INTERNAL;
}

enum refusal reply_json(struct exchange *exchange, const char *body, size_t length)
{
    return taken(exchange_reply(exchange, 200, "application/json", body, length));
}

enum refusal reply_document(struct exchange *exchange, const cJSON *document)
{
    _cleanup_(cleanup_free) char *text = cJSON_PrintUnformatted(document);
    return text ? reply_json(exchange, text, strlen(text)) : REFUSAL_OUT_OF_MEMORY;
}

enum refusal reply_redirect(struct exchange *exchange, const char *url)
{
    return taken(exchange_add_header(exchange, "Location: %s", url) &&
                 exchange_reply(exchange, 303, "text/plain; charset=utf-8", "", 0));
}

enum refusal reply_pass(struct exchange *exchange)
{
    return taken(exchange_pass(exchange));
}

/*
 * Whoever shows a key of the provider's own is told what is wrong with the body,
 * in words that need no escaping; everybody else what all others are told.
 */
static const char *detail_of(const struct exchange *exchange, enum refusal refusal)
{
    bool own = refusal == REFUSAL_CUSTOMER_MALFORMED || refusal == REFUSAL_RESULT_MALFORMED;
    return own && exchange->detail[0] && !strpbrk(exchange->detail, "\"\\")
               ? exchange->detail
               : refusal_advice(refusal);
}

/* The titles and advice of the table need no escaping: a test walks it. */
static bool reply_problem(struct exchange *exchange, enum refusal refusal)
{
    char body[PROBLEM_MAX];
    int length =
        snprintf(body, sizeof body,
                 "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,"
                 "\"detail\":\"%s\"}\n",
                 refusal_title(refusal), refusal_status(refusal), detail_of(exchange, refusal));
    return length > 0 && (size_t)length < sizeof body &&
           exchange_reply(exchange, refusal_status(refusal), "application/problem+json", body,
                          (size_t)length);
}

static bool reply_refusal_page(struct exchange *exchange, enum refusal refusal)
{
    const struct page_value values[] = {
        {"provider", exchange->service->config->journey.provider_name},
        {"message", answer_word(refusal_answer(refusal))},
        {"problem", "yes"},
        {NULL, NULL},
    };
    const struct page page = {.kind = PAGE_MESSAGE, .values = values};
    return page_reply(exchange, refusal_status(refusal), &page) == REFUSAL_NONE;
}

/*
 * RFC 6750 section 3.1: no error code for a request that brought no token. A
 * key is none, and a wrong one, or two of anything, get the answer of a missing one.
 */
static bool brought_token(enum refusal refusal)
{
    return refusal != REFUSAL_TOKEN_MISSING && refusal != REFUSAL_TOKEN_REPEATED &&
           refusal != REFUSAL_KEY_HEADER_MISSING && refusal != REFUSAL_KEY_HEADER_WRONG &&
           refusal != REFUSAL_KEY_HEADER_REPEATED && refusal != REFUSAL_CODE_KEY_MISSING &&
           refusal != REFUSAL_CODE_KEY_WRONG && refusal != REFUSAL_COMPLETE_KEY_MISSING &&
           refusal != REFUSAL_COMPLETE_KEY_WRONG;
}

static bool add_challenge(struct exchange *exchange, enum refusal refusal)
{
    static const char challenge[] = "WWW-Authenticate: Bearer realm=\"feedgate\"";
    if (refusal == REFUSAL_TOKEN_SCOPE)
        return exchange_add_header(exchange, "%s, error=\"insufficient_scope\", scope=\"%s\"",
                                   challenge, exchange->scope);
    if (brought_token(refusal))
        return exchange_add_header(exchange, "%s, error=\"invalid_token\"", challenge);
    return exchange_add_header(exchange, "%s", challenge);
}

static bool add_headers(struct exchange *exchange, enum refusal refusal)
{
    if (refusal_status(refusal) == 503)
        return exchange_add_header(exchange, "Retry-After: %d", RETRY_AFTER_S);
    if (refusal_status(refusal) == 401 || refusal == REFUSAL_TOKEN_SCOPE)
        return add_challenge(exchange, refusal);
    return true;
}

bool reply_refusal(struct exchange *exchange, enum reply_form form, enum refusal refusal)
{
    if (!add_headers(exchange, refusal))
        return false;
    return form == REPLY_PAGE ? reply_refusal_page(exchange, refusal)
                              : reply_problem(exchange, refusal);
}

bool reply_subrequest_refusal(struct exchange *exchange, enum refusal refusal)
{
    exchange->headers_length = 0; /* they belong to the answer that comes later */
    exchange->headers[0] = '\0';
    return exchange_add_header(exchange, "X-Feedgate-Refusal: %s", refusal_word(refusal)) &&
           exchange_reply(exchange, 403, "text/plain; charset=utf-8", "", 0);
}
