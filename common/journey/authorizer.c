/* SPDX-License-Identifier: MIT */
#include "authorizer.h"

#include "base/utf8.h"
#include "opening.h"
#include "web/reply.h"

#include <string.h>

/* The parameters that are passed on, and what the application calls them. */
static const struct {
    const char *parameter;
    const char *variable;
} passed[] = {
    {"authorisation_id", "AUTHORISATION_ID"}, {"bank", "BANK_ID"},
    {"bankaccount", "BANK_ACCOUNT"},          {"externalId", "EXTERNAL_ID"},
    {"redirect_uri", "REDIRECT_URI"},         {"state", "STATE"},
};
enum { PASSED = sizeof passed / sizeof passed[0] };

/*
 * Whether a header carries the value unchanged. The parameters' types let no
 * control character pass; but spaces at either end a server takes off, and it
 * would be another identifier then.
 */
static bool comes_through(const char *value)
{
    size_t length = strlen(value);
    return ascii_is_printable(value, length) && length > 0 && value[0] != ' ' &&
           value[length - 1] != ' ';
}

static enum refusal judge_values(struct exchange *exchange)
{
    for (size_t i = 0; i < PASSED; i++) {
        const char *value = parameter_value(&exchange->parameters, passed[i].parameter);
        if (!value || comes_through(value))
            continue;
        exchange_note(exchange, passed[i].parameter);
        return REFUSAL_PARAMETER_MALFORMED;
    }
    return REFUSAL_NONE;
}

static enum refusal pass(struct exchange *exchange, const char *flow)
{
    for (size_t i = 0; i < PASSED; i++) {
        const char *value = parameter_value(&exchange->parameters, passed[i].parameter);
        if (value && !exchange_add_header(exchange, "Variable-%s: %s", passed[i].variable, value))
            return REFUSAL_INTERNAL;
    }
    if (!exchange_add_header(exchange, "Variable-FLOW: %s", flow))
        return REFUSAL_INTERNAL;
    return reply_pass(exchange);
}

enum refusal authorizer_pass_session(struct exchange *exchange)
{
    enum refusal refusal = judge_values(exchange);
    if (refusal == REFUSAL_NONE)
        refusal = opening_take(exchange, NULL);
    return refusal == REFUSAL_NONE ? pass(exchange, flow_name(exchange->flow)) : refusal;
}

enum refusal authorizer_pass_external_id(struct exchange *exchange)
{
    enum refusal refusal = judge_values(exchange);
    if (refusal == REFUSAL_NONE)
        exchange_log(exchange, LOG_LEVEL_INFO, "accounts_passed_on",
                     {"client", exchange->token.client});
    return refusal == REFUSAL_NONE ? pass(exchange, "availableaccounts") : refusal;
}
