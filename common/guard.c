/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "digest.h"

#include <string.h>

static bool is_key(const char *given, const struct config_secret *key)
{
    return key->length > 0 && digest_equal(given, strlen(given), key->bytes, key->length);
}

enum refusal guard_key_header(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    const char *given = exchange_variable(exchange, config->notification.key_variable);
    if (!given || given[0] == '\0')
        return REFUSAL_KEY_HEADER_MISSING;
    /* A header that came twice arrives joined by a comma, which equals neither key. */
    bool current = is_key(given, &config->notification.key);
    bool next = is_key(given, &config->notification.next_key);
    return current || next ? REFUSAL_NONE : REFUSAL_KEY_HEADER_WRONG;
}

enum refusal guard_key_header_if_required(struct exchange *exchange)
{
    return exchange->service->config->availableaccounts.require_key_header
               ? guard_key_header(exchange)
               : REFUSAL_NONE;
}

/* The token of `Authorization: Bearer TOKEN` (RFC 6750 section 2.1); NULL if there is none. */
static const char *find_token(const struct exchange *exchange)
{
    static const char scheme[] = "Bearer ";
    const char *header = exchange_variable(exchange, "HTTP_AUTHORIZATION");
    if (!header || strncasecmp(header, scheme, sizeof scheme - 1) != 0)
        return NULL;
    const char *token = header + sizeof scheme - 1;
    token += strspn(token, " ");
    return *token ? token : NULL;
}

static enum refusal check_token(struct exchange *exchange, const char *scope, const char *client)
{
    struct service *service = exchange->service;
    const struct sage_token_rules rules = {
        .issuer = service->config->sage.issuer,
        .audience = service->config->sage.audience,
        .scope = scope,
        .client = client,
    };
    exchange->scope = scope;
    const char *token = find_token(exchange);
    if (!token)
        return REFUSAL_TOKEN_MISSING;
    enum refusal refusal = sage_token_verify(&rules, service->keys, service->tokens, token,
                                             strlen(token), exchange->now, &exchange->token);
    if (refusal == REFUSAL_TOKEN_CLIENT) /* for the operator who is about to pin it */
        exchange_note(exchange, exchange->token.client);
    return refusal;
}

enum refusal guard_notification_token(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    return check_token(exchange, config->sage.notification_scope, config->notification.client);
}

enum refusal guard_availableaccounts_token(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    return check_token(exchange, config->sage.availableaccounts_scope,
                       config->availableaccounts.client);
}

enum refusal guard_code_key(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    if (config->code.key.length == 0) {
        exchange_note(exchange, "no [code] key_file is configured");
        return REFUSAL_CODE_KEY_WRONG;
    }
    const char *given = find_token(exchange);
    if (!given)
        return REFUSAL_CODE_KEY_MISSING;
    bool current = is_key(given, &config->code.key);
    bool next = is_key(given, &config->code.next_key);
    return current || next ? REFUSAL_NONE : REFUSAL_CODE_KEY_WRONG;
}

enum refusal guard_no_prefetch(struct exchange *exchange)
{
    static const char *const marks[] = {"HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (exchange_variable(exchange, marks[i]))
            return REFUSAL_PREFETCH;
    return REFUSAL_NONE;
}
