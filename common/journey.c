/* SPDX-License-Identifier: MIT */
#include "journey.h"

#include "cleanup.h"
#include "log.h"
#include "page.h"
#include "redirect_uri.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)LOG_ID_SIZE == (int)SESSION_LOG_ID_SIZE, "an exchange names its session");

static const struct {
    const char *title;   /* %s: the provider */
    const char *request; /* %s: the provider */
} flows[] = {
    [FLOW_AUTHORISATION] = {"Connect %s to Sage",
                            "You asked in your Sage product to connect your accounts at %s."},
    [FLOW_REAUTHORISATION] = {"Renew the connection of %s to Sage",
                              "You asked in your Sage product to renew the connection of your "
                              "accounts at %s."},
};

/* A sentence with the provider's name in it; both come from where their size is known. */
static const char *say(char sentence[512], const char *format, const char *provider)
{
    const char *place = strstr(format, "%s");
    int before = place ? (int)(place - format) : (int)strlen(format);
    (void)snprintf(sentence, 512, "%.*s%s%s", before, format, place ? provider : "",
                   place ? place + 2 : "");
    return sentence;
}

static enum refusal show_opened(struct exchange *exchange, enum flow flow, const char *back)
{
    const char *provider = exchange->service->config->journey.provider_name;
    char sentence[512];
    struct page page;
    if (!page_begin(&page, say(sentence, flows[flow].title, provider)))
        return REFUSAL_OUT_OF_MEMORY;
    page_paragraph(&page, say(sentence, flows[flow].request, provider));
    page_paragraph(&page, "Whoever opened this window in Sage will see these accounts. If you "
                          "didn't start this in Sage yourself, or if the link came by mail or "
                          "message, close this window now.");
    page_paragraph(&page, "This page opens once. To start again, go back to Sage.");
    page_link(&page, back, "Go back to Sage");
    return page_reply(&page, exchange, 200) ? REFUSAL_NONE : REFUSAL_INTERNAL;
}

static enum refusal check_redirect(struct exchange *exchange, const char *uri)
{
    const struct config *config = exchange->service->config;
    if (redirect_uri_allowed(uri, &config->journey.redirect_origins,
                             &config->journey.fragment_origins))
        return REFUSAL_NONE;
    /* Sage adds hosts: the operator must find a new one in minutes. */
    char origin[REDIRECT_ORIGIN_MAX];
    redirect_uri_origin(uri, origin);
    exchange_note(exchange, origin);
    return REFUSAL_REDIRECT_URI;
}

static enum refusal consume(struct exchange *exchange, const struct session_opening *opening)
{
    const char *id = parameter_value(&exchange->parameters, "authorisation_id");
    struct session_key key;
    if (!session_key_make(id, &key))
        return REFUSAL_INTERNAL;
    memcpy(exchange->log_id, key.log_id, sizeof key.log_id);
    return session_consume(exchange->service->store, &key, opening, exchange->now);
}

enum refusal journey_open(struct exchange *exchange, enum flow flow)
{
    const struct parameter_values *values = &exchange->parameters;
    const struct session_opening opening = {
        .flow = flow,
        .bank = parameter_value(values, "bank"),
        .redirect_uri = parameter_value(values, "redirect_uri"),
        .state = parameter_value(values, "state"),
        .bank_account = parameter_value(values, "bankaccount"),
        .external_id = parameter_value(values, "externalId"),
    };
    enum refusal refusal = check_redirect(exchange, opening.redirect_uri);
    if (refusal != REFUSAL_NONE)
        return refusal;
    _cleanup_(cleanup_free) char *back =
        redirect_uri_with_state(opening.redirect_uri, opening.state);
    if (!back)
        return REFUSAL_OUT_OF_MEMORY;
    refusal = consume(exchange, &opening);
    if (refusal != REFUSAL_NONE)
        return refusal;
    log_event(LOG_LEVEL_INFO, "session_opened", {"session", exchange->log_id},
              {"flow", flow_word(flow)});
    return show_opened(exchange, flow, back);
}

enum refusal journey_continue(struct exchange *exchange)
{
    (void)exchange;
    return REFUSAL_CONTINUATION;
}
