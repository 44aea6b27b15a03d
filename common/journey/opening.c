/* SPDX-License-Identifier: MIT */
#include "opening.h"

#include "base/url.h"
#include "service/redirect_uri.h"
#include "service/service.h"

#include <string.h>

static enum refusal check_redirect(struct exchange *exchange, const char *uri)
{
    const struct config *config = exchange->service->config;
    if (redirect_uri_allowed(uri, &config->journey.redirect_origins,
                             &config->journey.fragment_origins))
        return REFUSAL_NONE;
    /* Sage adds hosts: the operator must find a new one in minutes. */
    char origin[URL_ORIGIN_MAX];
    url_origin(uri, origin);
    exchange_note(exchange, origin);
    return REFUSAL_REDIRECT_URI_REFUSED;
}

static enum refusal consume(struct exchange *exchange, const struct session_opening *opening)
{
    const char *id = parameter_value(&exchange->parameters, "authorisation_id");
    struct session_key key;
    if (!session_key_make(id, &key))
        return REFUSAL_INTERNAL;
    memcpy(exchange->log_id, key.log_id, sizeof key.log_id);
    struct session_instant instant;
    enum refusal refusal = exchange_session_time(exchange, &instant);
    if (refusal != REFUSAL_NONE)
        return refusal;
    return session_consume(exchange->service->store, &key, opening, instant.now);
}

enum refusal opening_take(struct exchange *exchange, const char *ticket_hash)
{
    const struct parameter_values *values = &exchange->parameters;
    const struct session_opening opening = {
        .flow = exchange->flow,
        .bank = parameter_value(values, "bank"),
        .redirect_uri = parameter_value(values, "redirect_uri"),
        .state = parameter_value(values, "state"),
        .bank_account = parameter_value(values, "bankaccount"),
        .external_id = parameter_value(values, "externalId"),
        .ticket_hash = ticket_hash,
        .passed_on = !ticket_hash,
    };
    enum refusal refusal = check_redirect(exchange, opening.redirect_uri);
    if (refusal == REFUSAL_NONE)
        refusal = consume(exchange, &opening);
    if (refusal == REFUSAL_NONE)
        exchange_log(exchange, LOG_LEVEL_INFO,
                     opening.passed_on ? "session_passed_on" : "session_opened",
                     {"session", exchange->log_id}, {"flow", flow_word(exchange->flow)});
    return refusal;
}
