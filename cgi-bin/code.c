/* SPDX-License-Identifier: MIT */

/*
 * POST /code: the provider's own backend asks for a one-time code, to show it
 * to the customer who is logged in there. Nobody else may reach it: whoever
 * has a code may let Sage read that customer's accounts.
 */
#include "records/code.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "service/service.h"
#include "web/process.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

enum { TIME_SIZE = 32, ANSWER_SIZE = 128 };

/* Notes what is wrong with the body, in words of ours alone. */
static enum refusal refuse_customer(struct exchange *exchange, const char *complaint)
{
    exchange_note(exchange, complaint);
    return REFUSAL_CUSTOMER_MALFORMED;
}

/* A member that isn't known is refused: what it asks for would else be passed over in silence. */
static enum refusal read_customer(struct exchange *exchange, const cJSON *document,
                                  char customer_id[CUSTOMER_ID_SIZE])
{
    const char *text = json_text(document, "customer");
    if (!cJSON_IsObject(document) || !text)
        return refuse_customer(exchange, "customer must be a text");
    if (cJSON_GetArraySize(document) != 1)
        return refuse_customer(exchange, "there may be no member beside customer");
    size_t length = strlen(text);
    if (length == 0 || length >= CUSTOMER_ID_SIZE)
        return refuse_customer(exchange, "customer must have 1 to 256 bytes");
    memcpy(customer_id, text, length + 1);
    return REFUSAL_NONE;
}

/* RFC 3339 in UTC; the second's fraction is cut, so a code never lives shorter than is said. */
static bool format_time(int64_t milliseconds, char text[TIME_SIZE])
{
    time_t seconds = (time_t)(milliseconds / SECOND_MS);
    struct tm parts;
    return gmtime_r(&seconds, &parts) &&
           strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0;
}

static enum refusal reply_code(struct exchange *exchange, const struct code *code)
{
    char time[TIME_SIZE];
    char answer[ANSWER_SIZE];
    if (!format_time(code->expires_at, time))
        return REFUSAL_INTERNAL;
    int length = snprintf(answer, sizeof answer, "{\"code\":\"%s\",\"expiresAt\":\"%s\"}\n",
                          code->text, time);
    return reply_json(exchange, answer, (size_t)length);
}

static enum refusal issue_code(struct exchange *exchange)
{
    struct service *service = exchange->service;
    char customer_id[CUSTOMER_ID_SIZE];
    struct code code;
    _cleanup_(cleanup_json) cJSON *document = json_parse(exchange->body, exchange->body_length);
    if (!document)
        return REFUSAL_BODY_MALFORMED;
    enum refusal refusal = read_customer(exchange, document, customer_id);
    if (refusal == REFUSAL_NONE)
        refusal = code_issue(service->store, service->codes, customer_id, exchange->now, &code);
    if (refusal != REFUSAL_NONE)
        return refusal;
    /* Neither the code nor the customer: logs name no person. */
    exchange_log_line(exchange, LOG_LEVEL_INFO, "code_issued", NULL, 0);
    return reply_code(exchange, &code);
}

static const struct endpoint code = {
    .name = "code",
    .refusals = REPLY_PROBLEM,
    .parts = SERVICE_CODES,
    .secrets = SECRETS_CODE,
    .post =
        {
            .body = {.type = "application/json", .limit = 4 * KIB},
            .guards = {guard_code_key},
            .handle = issue_code,
        },
};

int main(int argc, char **argv)
{
    return process_main(&code, argc, argv);
}
