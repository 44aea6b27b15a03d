/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "patch_body.h"
#include "sandbox/sandbox.h"

#include <openssl/crypto.h>
#include <string.h>
#include <strings.h>

/*
 * The Provider API: takes the result of an authorisation, and nothing that Sage's
 * page doesn't describe (sage-api.md, section 7). Each error says what is wrong.
 */

static bool is_json(const char *type)
{
    static const char json[] = "application/json";
    if (type == NULL || strncasecmp(type, json, sizeof(json) - 1) != 0)
        return false;
    const char *rest = type + sizeof(json) - 1;
    return rest[0] == '\0' || strcasecmp(rest, "; charset=utf-8") == 0;
}

static bool is_key(const char *given, const char *key)
{
    size_t size = strlen(key);
    return given != NULL && strlen(given) == size && CRYPTO_memcmp(given, key, size) == 0;
}

/* True if the headers are right; else the reply says what is wrong. */
static bool check_headers(struct sandbox *sandbox, const struct request *request,
                          struct reply *reply)
{
    static const char scheme[] = "Bearer ";
    const char *authorization = request->authorization;
    if (request->repeats_header) {
        reply_error(reply, 400, "invalid_request", "a header came twice");
        return false;
    }
    if (!is_key(request->api_key, sandbox->api_key)) {
        reply_error(reply, 403, "forbidden", "x-api-key is missing or wrong");
        return false;
    }
    if (authorization == NULL || strncmp(authorization, scheme, sizeof(scheme) - 1) != 0) {
        reply_error(reply, 401, "unauthorized", "Authorization is not \"Bearer\" and a token");
        return false;
    }
    const char *fault =
        sage_id_check_token(sandbox->sage_id, authorization + sizeof(scheme) - 1, "provider");
    if (fault != NULL) {
        reply_error(reply, 401, "unauthorized", fault);
        return false;
    }
    if (!is_json(request->content_type)) {
        reply_error(reply, 415, "invalid_request", "Content-Type is not application/json");
        return false;
    }
    return true;
}

/* In plain words, for a person who looks at the product's page. */
static void note_result(struct sandbox *sandbox, const struct authorisation *authorisation,
                        enum outcome outcome)
{
    bool refresh = authorisation->flow == FLOW_REFRESH;
    const char *what = "The bank couldn't connect";
    if (outcome == OUTCOME_SUCCESS)
        what = refresh ? "The bank confirmed the connection again"
                       : "The bank said yes and sent its list of accounts";
    if (outcome == OUTCOME_CANCELLED)
        what = "The customer cancelled at the bank";
    ledger_note(sandbox->ledger, what, NULL);
}

static void reply_taken(struct reply *reply)
{
    _cleanup_(cleanup_json) cJSON *answer = cJSON_CreateObject();
    cJSON *data = cJSON_AddObjectToObject(answer, "data");
    if (cJSON_AddStringToObject(data, "value", "ok") == NULL ||
        cJSON_AddObjectToObject(answer, "links") == NULL ||
        cJSON_AddObjectToObject(answer, "meta") == NULL)
        return;
    reply_json(reply, 200, answer);
    answer = NULL;
}

static void settle(struct sandbox *sandbox, const struct request *request,
                   const struct authorisation *authorisation, enum outcome outcome,
                   struct reply *reply)
{
    switch (results_settle(sandbox->results, authorisation->id, outcome, request->body)) {
    case SETTLED:
        note_result(sandbox, authorisation, outcome);
        reply_taken(reply);
        break;
    case SETTLED_BEFORE:
        reply_taken(reply);
        break;
    case SETTLED_OTHERWISE:
        ledger_note(sandbox->ledger, "Ignored a second, different answer of the bank's", NULL);
        reply_error(reply, 409, "conflict", "this authorisation has another result already");
        break;
    case SETTLEMENT_UNKNOWN:
        break; /* gone just now, or no memory: 500 */
    }
}

static void judge_result(struct sandbox *sandbox, const struct request *request,
                         struct reply *reply)
{
    if (!check_headers(sandbox, request, reply))
        return;
    _cleanup_(authorisation_clear) struct authorisation authorisation = {0};
    if (!results_find(sandbox->results, request->rest, &authorisation)) {
        reply_error(reply, 404, "not_found", "this authorisation was never announced");
        return;
    }
    enum outcome outcome = OUTCOME_PENDING;
    const char *fault =
        patch_body_check(request->body, request->body_size, authorisation.flow, &outcome);
    if (fault != NULL) {
        ledger_note(sandbox->ledger, "Refused the bank's answer", fault);
        reply_error(reply, 400, "invalid_request", fault);
        return;
    }
    settle(sandbox, request, &authorisation, outcome, reply);
}

void receive_result(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    struct fault fault;
    bool done = fault_before(sandbox->faults, FAULT_PATCH, &fault, reply);
    if (!done)
        judge_result(sandbox, request, reply);
    unsigned int status = reply->status == 0 ? 500 : reply->status;
    bool cut = reply->cut || fault.kind == FAULT_CUT_AFTER;
    results_note(sandbox->results, request->rest, request->body, cut ? 0 : status);
    if (!done)
        fault_after(sandbox->faults, &fault, reply);
}
