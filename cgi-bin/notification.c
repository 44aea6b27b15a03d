/* SPDX-License-Identifier: MIT */

/*
 * POST /notification: Sage says what happened. The event is recorded durably,
 * once, before the answer, since Sage documents no second try; an authorisation
 * that was created arms a session, which /auth or /authrefresh may then open.
 */
#include "records/account.h"
#include "records/inbox.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "sage/event.h"
#include "service/service.h"
#include "web/process.h"

struct receipt {
    const struct event *event;
    struct session_key key; /* of an authorisation */
    int64_t now;            /* by the machine's clock */
    struct session_instant instant;
    int64_t lifetime_ms;
    int64_t token_expires_at;
    struct session_clock *session_clock;
    enum event_outcome outcome;
};

static bool arm(struct database *database, struct receipt *receipt)
{
    const struct event *event = receipt->event;
    if (!session_clock_renew(database, receipt->session_clock, &receipt->instant))
        return false;
    const struct session_announcement announcement = {
        .key = receipt->key,
        .authorisation_id = event->resource_id,
        .bank_id = event->bank_id[0] ? event->bank_id : NULL,
        .notified_at = receipt->instant.now,
        .expires_at = receipt->instant.now + receipt->lifetime_ms,
        .token_expires_at = receipt->token_expires_at,
    };
    enum session_armed armed = session_arm(database, &announcement);
    receipt->outcome = armed == SESSION_ARMED ? EVENT_ARMED : EVENT_CONFLICT;
    return armed != SESSION_NOT_STORED;
}

/* What the first event of a type about a resource does; others only stand in the inbox. */
static bool take_effect(struct database *database, struct receipt *receipt)
{
    const struct event *event = receipt->event;
    const char *external_id = event->external_id[0] ? event->external_id : NULL;
    switch (event->kind) {
    case EVENT_AUTHORISATION_CREATED:
        return arm(database, receipt);
    case EVENT_BANK_ACCOUNT_CREATED:
        if (!external_id)
            break;
        receipt->outcome = EVENT_LINKED;
        return account_link(database, event->resource_key, external_id, receipt->now);
    case EVENT_BANK_ACCOUNT_DELETED:
        receipt->outcome = EVENT_UNLINKED;
        return account_unlink(database, event->resource_key, external_id, receipt->now);
    case EVENT_OTHER:
        break;
    }
    receipt->outcome = EVENT_STORED;
    return true;
}

static bool record(struct database *database, void *context)
{
    struct receipt *receipt = context;
    const struct event *event = receipt->event;
    enum inbox_history history;
    if (!inbox_history(database, event, &history))
        return false;
    receipt->outcome = EVENT_REPEATED;
    if (history == INBOX_SAME_EVENT)
        return true;
    receipt->outcome = event->kind == EVENT_OTHER ? EVENT_STORED : EVENT_CONFLICT;
    if (history == INBOX_NEW && !take_effect(database, receipt))
        return false;
    return inbox_record(database, event, receipt->outcome, receipt->now, receipt->token_expires_at);
}

static void log_receipt(const struct receipt *receipt, const struct exchange *exchange)
{
    bool authorisation = receipt->event->kind == EVENT_AUTHORISATION_CREATED;
    exchange_log(exchange, receipt->outcome == EVENT_CONFLICT ? LOG_LEVEL_WARNING : LOG_LEVEL_INFO,
                 "notification_recorded", {"outcome", event_outcome_word(receipt->outcome)},
                 {"type", receipt->event->type}, {"resource_type", receipt->event->resource_type},
                 {"session", authorisation ? receipt->key.log_id : NULL},
                 {"client", exchange->token.client});
}

static enum refusal record_notification(struct exchange *exchange)
{
    struct event event;
    enum refusal refusal = event_read(exchange->body, exchange->body_length, &event);
    if (refusal != REFUSAL_NONE) {
        if (event.culprit)
            exchange_note(exchange, event.culprit);
        return refusal;
    }
    struct receipt receipt = {
        .event = &event,
        .now = exchange->now,
        .lifetime_ms = exchange->service->config->session.lifetime_ms,
        .token_expires_at = exchange->token.expires_at,
        .session_clock = exchange->service->session_clock,
    };
    if (event.kind == EVENT_AUTHORISATION_CREATED &&
        !session_key_make(event.resource_id, &receipt.key))
        return REFUSAL_INTERNAL;
    refusal = exchange_session_time(exchange, &receipt.instant);
    if (refusal != REFUSAL_NONE)
        return refusal;
    enum store_result result = store_write(exchange->service->store, record, &receipt);
    if (result != STORE_DONE)
        return store_refusal(result, REFUSAL_INTERNAL);
    log_receipt(&receipt, exchange);
    static const char accepted[] = "{\"data\":{\"value\":\"ok\"},\"links\":{},\"meta\":{}}\n";
    return reply_json(exchange, accepted, sizeof accepted - 1);
}

static const struct endpoint notification = {
    .name = "notification",
    .refusals = REPLY_PROBLEM,
    .secrets = SECRETS_NOTIFICATION,
    .post =
        {
            .body = {.type = "application/json", .limit = 64 * KIB},
            .guards = {guard_sage_address, guard_key_header, guard_notification_token},
            .handle = record_notification,
        },
};

int main(int argc, char **argv)
{
    return process_main(&notification, argc, argv);
}
