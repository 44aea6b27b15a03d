/* SPDX-License-Identifier: MIT */
#include "journey.h"

#include "account_items.h"
#include "base/cleanup.h"
#include "opening.h"
#include "records/session_clock.h"
#include "records/session_journey.h"
#include "service/ending.h"
#include "service/steps.h"
#include "web/page.h"
#include "web/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { URL_SIZE = CONFIG_BASE_URL_MAX + 128, NUMBER_SIZE = 24, VALUES_MAX = 10 };

const struct parameter journey_ticket[] = {
    {"ticket", PARAMETER_SECRET, REQUIRED},
    {.name = NULL},
};

const struct parameter journey_form[] = {
    {"ticket", PARAMETER_SECRET, OPTIONAL},
    {"continuation", PARAMETER_SECRET, OPTIONAL},
    {"step", PARAMETER_TEXT, OPTIONAL},
    {"code", PARAMETER_TYPED, OPTIONAL},
    {.name = NULL},
};

/* A page's values; room for all that any page has. */
struct content {
    size_t count;
    struct page_value values[VALUES_MAX + 1];
};

static void say(struct content *content, const char *name, const char *text)
{
    if (content->count < VALUES_MAX)
        content->values[content->count++] = (struct page_value){name, text};
}

static struct content begin_content(const struct exchange *exchange, enum flow flow)
{
    struct content content = {.count = 0};
    say(&content, "provider", exchange->service->config->journey.provider_name);
    say(&content, flow_name(flow), "yes");
    return content;
}

static enum refusal show(struct exchange *exchange, int status, enum page_kind kind,
                         const struct content *content, const struct account_items *accounts)
{
    const struct page page = {
        .kind = kind,
        .values = content->values,
        .items = accounts ? accounts->items : NULL,
        .item_count = accounts ? accounts->count : 0,
    };
    return page_reply(exchange, status, &page);
}

static const char *own_url(const struct exchange *exchange, enum flow flow, const char *ticket,
                           char url[URL_SIZE])
{
    (void)snprintf(url, URL_SIZE, "%s/%s%s%s", exchange->service->config->journey.public_url,
                   flow_path(flow), ticket ? "?ticket=" : "", ticket ? ticket : "");
    return url;
}

static enum refusal show_message(struct exchange *exchange, int status, const char *message,
                                 const struct session_journey *session)
{
    struct content content = begin_content(exchange, session->flow);
    _cleanup_(cleanup_free) char *back = ending_way_back(session);
    if (!back)
        return REFUSAL_OUT_OF_MEMORY;
    say(&content, "message", message);
    say(&content, "back", back);
    return show(exchange, status, PAGE_MESSAGE, &content, NULL);
}

static enum refusal show_code_page(struct exchange *exchange, int status, const char *ticket,
                                   enum flow flow, const char *problem, const char *tries_left)
{
    char url[URL_SIZE];
    struct content content = begin_content(exchange, flow);
    say(&content, "action", own_url(exchange, flow, NULL, url));
    say(&content, "ticket", ticket);
    if (problem)
        say(&content, problem, "yes");
    say(&content, "tries_left", tries_left);
    return show(exchange, status, PAGE_CODE, &content, NULL);
}

/* What the customer is about to agree to. */
static enum refusal show_accounts_page(struct exchange *exchange, const struct progress *progress)
{
    const struct session_journey *session = &progress->session;
    char url[URL_SIZE];
    char count[NUMBER_SIZE];
    _cleanup_(account_items_clear) struct account_items accounts;
    enum refusal refusal = account_items_read(exchange->service->store, page_language(exchange),
                                              session->customer_id, &accounts);
    if (refusal != REFUSAL_NONE)
        return refusal;
    (void)snprintf(count, sizeof count, "%zu", accounts.count);
    struct content content = begin_content(exchange, session->flow);
    say(&content, "action", own_url(exchange, session->flow, NULL, url));
    say(&content, "continuation", progress->continuation);
    say(&content, "count", count);
    if (accounts.count == 0)
        say(&content, "no_accounts", "yes");
    return show(exchange, 200, session->flow == FLOW_AUTHORISATION ? PAGE_ACCOUNTS : PAGE_RENEW,
                &content, &accounts);
}

/* A page of the journey for a refusal, which the caller still has to log; NONE: there is none. */
static enum refusal show_refusal(struct exchange *exchange, const struct progress *progress,
                                 enum refusal refusal, const char *secret)
{
    const struct session_journey *session = &progress->session;
    int status = refusal_status(refusal);
    char tries_left[NUMBER_SIZE];
    switch (refusal) {
    case REFUSAL_CODE_WRONG:
        (void)snprintf(tries_left, sizeof tries_left, "%" PRId64, progress->tries_left);
        return show_code_page(exchange, status, secret, session->flow, "wrong", tries_left);
    case REFUSAL_CODES_EXHAUSTED:
        return show_message(exchange, status, "codes_exhausted", session);
    case REFUSAL_ACCOUNT_OF_ANOTHER:
        return show_message(exchange, status, "account_of_another", session);
    case REFUSAL_CUSTOMER_GONE:
        return show_message(exchange, status, "customer_gone", session);
    case REFUSAL_JOURNEY_EXPIRED:
        return show_message(exchange, status, "expired", session);
    case REFUSAL_JOURNEY_ENDED:
        return show_message(exchange, status, "ended", session);
    default:
        return REFUSAL_NONE; /* the endpoint replies as for any other refusal */
    }
}

/* Shows why not; the refusal goes on to the log. */
static enum refusal answer_refusal(struct exchange *exchange, const struct progress *progress,
                                   enum refusal refusal, const char *secret)
{
    enum refusal problem = show_refusal(exchange, progress, refusal, secret);
    return problem == REFUSAL_NONE ? refusal : problem;
}

/* Answers a step that wasn't taken. */
static enum refusal refuse_step(struct exchange *exchange, const struct progress *progress,
                                enum refusal refusal, const char *secret)
{
    if (progress->session.ending != ENDING_NONE) /* by this very step */
        ending_tell_sage(exchange->service, &progress->session.key);
    return answer_refusal(exchange, progress, refusal, secret);
}

/* The journey is over: its page, for who comes by once more, and who calls nobody by that. */
static enum refusal show_ended(struct exchange *exchange, const struct progress *progress)
{
    switch (progress->session.ending) {
    case ENDING_SUCCESS:
        return show_message(exchange, 200, "done", &progress->session);
    case ENDING_CANCELLED:
        return show_message(exchange, 200, "cancelled", &progress->session);
    default:
        return answer_refusal(exchange, progress, REFUSAL_JOURNEY_ENDED, NULL);
    }
}

static enum refusal send_back(struct exchange *exchange, const struct session_journey *session)
{
    _cleanup_(cleanup_free) char *back = ending_way_back(session);
    if (!back)
        return REFUSAL_OUT_OF_MEMORY;
    ending_tell_sage(exchange->service, &session->key);
    return reply_redirect(exchange, back);
}

static void name_session(struct exchange *exchange, const struct progress *progress)
{
    memcpy(exchange->log_id, progress->session.key.log_id, sizeof exchange->log_id);
}

static enum refusal submit_code(struct exchange *exchange, const struct step_request *request)
{
    struct progress progress;
    const char *code = parameter_value(&exchange->parameters, "code");
    bool typed = code && code[strspn(code, " \t")] != '\0';
    enum refusal refusal = typed ? step_try_code(exchange->service, request, code, &progress)
                                 : step_read(exchange->service, request, &progress);
    name_session(exchange, &progress);
    if (refusal != REFUSAL_NONE)
        return refuse_step(exchange, &progress, refusal, request->secret);
    if (progress.session.ending != ENDING_NONE)
        return show_ended(exchange, &progress);
    if (typed)
        return show_accounts_page(exchange, &progress);
    refusal = show_code_page(exchange, refusal_status(REFUSAL_CODE_MISSING), request->secret,
                             request->flow, "empty", NULL);
    return refusal == REFUSAL_NONE ? REFUSAL_CODE_MISSING : refusal;
}

static enum refusal submit_confirmation(struct exchange *exchange,
                                        const struct step_request *request)
{
    struct progress progress;
    const struct language *language = page_language(exchange);
    const struct consent_wording wording = {
        .version = language_wording(language),
        .language = language_tag(language),
    };
    enum refusal refusal = step_confirm(exchange->service, request, &wording, &progress);
    name_session(exchange, &progress);
    if (refusal != REFUSAL_NONE)
        return refuse_step(exchange, &progress, refusal, NULL);
    if (progress.session.ending == ENDING_ERROR)
        return show_ended(exchange, &progress);
    return send_back(exchange, &progress.session);
}

static enum refusal submit_cancellation(struct exchange *exchange,
                                        const struct step_request *request)
{
    struct progress progress;
    enum refusal refusal = step_cancel(exchange->service, request, &progress);
    name_session(exchange, &progress);
    if (refusal != REFUSAL_NONE)
        return refuse_step(exchange, &progress, refusal, NULL);
    if (progress.session.ending == ENDING_ERROR)
        return show_ended(exchange, &progress);
    return send_back(exchange, &progress.session);
}

enum refusal journey_continue(struct exchange *exchange)
{
    const struct parameter_values *values = &exchange->parameters;
    const char *ticket = parameter_value(values, "ticket");
    const char *continuation = parameter_value(values, "continuation");
    const char *step = parameter_value(values, "step");
    struct session_instant instant;
    enum refusal refusal = exchange_session_time(exchange, &instant);
    const struct step_request request = {
        .proof = continuation ? PROOF_CONTINUATION : PROOF_TICKET,
        .secret = continuation ? continuation : ticket,
        .flow = exchange->flow,
        .now = exchange->now,
        .session_now = instant.now,
    };
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (!request.secret)
        return REFUSAL_CONTINUATION_MISSING;
    if (!step || (ticket && continuation))
        return REFUSAL_STEP_UNKNOWN;
    if (strcmp(step, "cancel") == 0)
        return submit_cancellation(exchange, &request);
    if (ticket && strcmp(step, "code") == 0)
        return submit_code(exchange, &request);
    if (continuation && strcmp(step, "confirm") == 0)
        return submit_confirmation(exchange, &request);
    return REFUSAL_STEP_UNKNOWN;
}

enum refusal journey_resume(struct exchange *exchange)
{
    struct progress progress;
    struct session_instant instant;
    enum refusal refusal = exchange_session_time(exchange, &instant);
    if (refusal != REFUSAL_NONE)
        return refusal;
    const struct step_request request = {
        .proof = PROOF_TICKET,
        .secret = parameter_value(&exchange->parameters, "ticket"),
        .flow = exchange->flow,
        .now = exchange->now,
        .session_now = instant.now,
    };
    refusal = step_read(exchange->service, &request, &progress);
    name_session(exchange, &progress);
    if (refusal != REFUSAL_NONE)
        return refuse_step(exchange, &progress, refusal, NULL);
    if (progress.session.ending != ENDING_NONE)
        return show_ended(exchange, &progress);
    return show_code_page(exchange, 200, request.secret, request.flow, NULL, NULL);
}

/* Sage may fetch the page for itself; only a browser on its way follows us to our own origin. */
static enum refusal lead_to_ticket(struct exchange *exchange, const char *ticket)
{
    char url[URL_SIZE];
    const char *mode = exchange_variable(exchange, "HTTP_SEC_FETCH_MODE");
    (void)own_url(exchange, exchange->flow, ticket, url);
    if (mode && strcmp(mode, "navigate") == 0)
        return reply_redirect(exchange, url);
    struct content content = begin_content(exchange, exchange->flow);
    say(&content, "url", url);
    return show(exchange, 200, PAGE_LINK, &content, NULL);
}

enum refusal journey_open(struct exchange *exchange)
{
    char ticket[SECRET_TEXT];
    char ticket_hash[DIGEST_TEXT];
    if (!secret_make(ticket) || !digest_text(ticket, strlen(ticket), ticket_hash))
        return REFUSAL_INTERNAL;
    enum refusal refusal = opening_take(exchange, ticket_hash);
    return refusal == REFUSAL_NONE ? lead_to_ticket(exchange, ticket) : refusal;
}
