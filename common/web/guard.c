/* SPDX-License-Identifier: MIT */
#include "guard.h"

#include "base/address.h"
#include "base/digest.h"
#include "client_address.h"
#include "config/config.h"
#include "exchange.h"
#include "sage/key_set.h"
#include "sage/sage_token.h"
#include "service/service.h"

#include <stdio.h>
#include <string.h>

static bool is_key(const char *given, const struct config_secret *key)
{
    return key->length > 0 && digest_equal(given, strlen(given), key->bytes, key->length);
}

/* A client whose address can't be told is in no set. */
static enum refusal check_address(struct exchange *exchange, const struct address_set *set)
{
    const struct client_address *client = &exchange->client;
    switch (client->kind) {
    case CLIENT_ADDRESS_NONE:
        exchange_note(exchange, "the web server names no address");
        return REFUSAL_ADDRESS_REFUSED;
    case CLIENT_ADDRESS_MALFORMED:
        exchange_note(exchange, "the proxy's header has no client's address in its place");
        return REFUSAL_ADDRESS_REFUSED;
    case CLIENT_ADDRESS_OF_PEER:
    case CLIENT_ADDRESS_FROM_HEADER:
        break;
    }
    return address_set_has(set, &client->address) ? REFUSAL_NONE : REFUSAL_ADDRESS_REFUSED;
}

enum refusal guard_sage_address(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    return config->network.sage_addresses.file
               ? check_address(exchange, &config->network.sage_addresses.set)
               : REFUSAL_NONE;
}

enum refusal guard_complete_address(struct exchange *exchange)
{
    const struct address_set *set = &exchange->service->config->complete_addresses;
    return set->count > 0 ? check_address(exchange, set) : REFUSAL_NONE;
}

/*
 * lighttpd and Apache join what came twice by a comma and a space (RFC 9110 section
 * 5.3), which no configured key and no token has in it; others hand over both.
 */
static const char joint[] = ", ";

enum refusal guard_key_header(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    const char *variable = config->notification.key_variable;
    const char *given = exchange_variable(exchange, variable);
    if (exchange_repeated(exchange, variable) || (given && strstr(given, joint)))
        return REFUSAL_KEY_HEADER_REPEATED; /* whatever the values: which one counts isn't ours */
    if (!given || given[0] == '\0')
        return REFUSAL_KEY_HEADER_MISSING;
    bool current = is_key(given, &config->notification.key);
    bool next = is_key(given, &config->notification.next_key);
    enum refusal refusal = current || next ? REFUSAL_NONE : REFUSAL_KEY_HEADER_WRONG;
    if (refusal == REFUSAL_NONE)
        exchange->caller = CALLER_KNOWN;
    return refusal;
}

enum refusal guard_key_header_if_required(struct exchange *exchange)
{
    return exchange->service->config->availableaccounts.require_key_header
               ? guard_key_header(exchange)
               : REFUSAL_NONE;
}

static const char authorization[] = "HTTP_AUTHORIZATION";
static const char scheme[] = "Bearer ";

static bool has_scheme(const char *credentials)
{
    return strncasecmp(credentials, scheme, sizeof scheme - 1) == 0;
}

/* The credentials of other schemes may be lists by themselves (RFC 9110 section 11.4). */
static bool token_is_repeated(const struct exchange *exchange)
{
    const char *header = exchange_variable(exchange, authorization);
    bool first = header && has_scheme(header);
    for (const char *at = header; at && (at = strstr(at, joint));) {
        at += sizeof joint - 1;
        if (first || has_scheme(at))
            return true;
    }
    return exchange_repeated(exchange, authorization);
}

/* The token of `Authorization: Bearer TOKEN` (RFC 6750 section 2.1); NULL if there is none. */
static const char *find_token(const struct exchange *exchange)
{
    const char *header = exchange_variable(exchange, authorization);
    if (!header || !has_scheme(header))
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
    if (token_is_repeated(exchange))
        return REFUSAL_TOKEN_REPEATED;
    const char *token = find_token(exchange);
    if (!token)
        return REFUSAL_TOKEN_MISSING;
    enum refusal refusal =
        sage_token_verify(&rules, service->keys, service->tokens, exchange->caller, token,
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

/* A key of the provider's own in place of a token; `section` is where it is configured. */
static enum refusal check_own_key(struct exchange *exchange, const char *section,
                                  const struct config_own_key *own, enum refusal missing,
                                  enum refusal wrong)
{
    char detail[DETAIL_SIZE];
    if (own->key.length == 0) {
        (void)snprintf(detail, sizeof detail, "no [%s] key_file is configured", section);
        exchange_note(exchange, detail);
        return wrong;
    }
    if (token_is_repeated(exchange))
        return REFUSAL_TOKEN_REPEATED;
    const char *given = find_token(exchange);
    if (!given)
        return missing;
    bool current = is_key(given, &own->key);
    bool next = is_key(given, &own->next_key);
    return current || next ? REFUSAL_NONE : wrong;
}

enum refusal guard_code_key(struct exchange *exchange)
{
    return check_own_key(exchange, "code", &exchange->service->config->code,
                         REFUSAL_CODE_KEY_MISSING, REFUSAL_CODE_KEY_WRONG);
}

enum refusal guard_complete_key(struct exchange *exchange)
{
    return check_own_key(exchange, "complete", &exchange->service->config->complete,
                         REFUSAL_COMPLETE_KEY_MISSING, REFUSAL_COMPLETE_KEY_WRONG);
}

enum refusal guard_no_prefetch(struct exchange *exchange)
{
    static const char *const marks[] = {"HTTP_SEC_PURPOSE", "HTTP_PURPOSE", "HTTP_X_MOZ"};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++)
        if (exchange_variable(exchange, marks[i]))
            return REFUSAL_PREFETCH;
    return REFUSAL_NONE;
}
