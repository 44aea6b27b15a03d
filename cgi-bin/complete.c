/* SPDX-License-Identifier: MIT */

/*
 * POST /complete: the provider's own application, which stood behind the gate,
 * hands in a journey's result. Nobody else may: whoever can hand in results can
 * give any accounts to the Sage of whoever opened a session.
 */
#include "base/cleanup.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "records/session_journey.h"
#include "service/completion.h"
#include "service/ending.h"
#include "web/process.h"

#include <string.h>

static enum refusal reply_way_back(struct exchange *exchange, const struct session_journey *session)
{
    _cleanup_(cleanup_free) char *url = ending_way_back(session);
    _cleanup_(cleanup_json) cJSON *answer = cJSON_CreateObject();
    if (!url || !cJSON_AddStringToObject(answer, "redirectUrl", url))
        return REFUSAL_OUT_OF_MEMORY;
    return reply_document(exchange, answer);
}

static enum refusal take_result(struct exchange *exchange, const struct completion_body *body)
{
    struct session_key key;
    struct session_journey session;
    const char *detail;
    struct session_instant instant;
    if (!session_key_make(body->authorisation_id, &key))
        return REFUSAL_INTERNAL;
    memcpy(exchange->log_id, key.log_id, sizeof key.log_id);
    enum refusal refusal = exchange_session_time(exchange, &instant);
    if (refusal != REFUSAL_NONE)
        return refusal;
    refusal = completion_take(exchange->service, &key, body, exchange->now, instant.now, &session,
                              &detail);
    if (detail)
        exchange_note(exchange, detail);
    if (refusal != REFUSAL_NONE)
        return refusal;
    ending_tell_sage(exchange->service, &key);
    return reply_way_back(exchange, &session);
}

static enum refusal complete_journey(struct exchange *exchange)
{
    struct completion_body body;
    char detail[COMPLETION_BODY_DETAIL_SIZE] = "";
    enum refusal refusal =
        completion_body_read(exchange->body, exchange->body_length, &body, detail);
    if (refusal != REFUSAL_NONE) {
        exchange_note(exchange, detail);
        return refusal;
    }
    refusal = take_result(exchange, &body);
    completion_body_clear(&body);
    return refusal;
}

static const struct endpoint complete = {
    .name = "complete",
    .refusals = REPLY_PROBLEM,
    .parts = SERVICE_REPORTS,
    .secrets = SECRETS_COMPLETE | SECRETS_PROVIDER_API,
    .post =
        {
            .body = {.type = "application/json", .limit = 64 * KIB},
            .guards = {guard_complete_address, guard_complete_key},
            .handle = complete_journey,
        },
};

int main(int argc, char **argv)
{
    return process_main(&complete, argc, argv);
}
