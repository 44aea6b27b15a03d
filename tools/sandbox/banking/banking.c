/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "sandbox/sandbox.h"

#include <string.h>
#include <time.h>

/*
 * The Banking Service's side: it posts notifications to the connector and
 * opens its pages. Each answer here tells what was asked and what came back.
 */

static bool add_body(cJSON *report, const struct connector_answer *answer)
{
    _cleanup_(text_clear) struct text text = {0};
    const char *bytes = answer->body.bytes == NULL ? "" : answer->body.bytes;
    text_append_utf8(&text, bytes, answer->body.size);
    text_append_string(&text, "");
    if (text.failed)
        return false;
    const char *type = answer->content_type == NULL ? "" : answer->content_type;
    bool is_json = strncmp(type, "application/json", 16) == 0 ||
                   strncmp(type, "application/problem+json", 24) == 0;
    cJSON *body = is_json ? cJSON_Parse(text.bytes) : NULL;
    if (body == NULL)
        body = cJSON_CreateString(text.bytes == NULL ? "" : text.bytes);
    if (cJSON_AddItemToObject(report, "body", body))
        return true;
    cJSON_Delete(body);
    return false;
}

/* Adds status, contentType, location and body, as far as there are any. */
static bool add_answer(cJSON *report, const struct connector_answer *answer)
{
    const char *type = answer->content_type;
    const char *location = answer->location;
    return cJSON_AddNumberToObject(report, "status", (double)answer->status) != NULL &&
           (type == NULL || cJSON_AddStringToObject(report, "contentType", type) != NULL) &&
           (location == NULL || cJSON_AddStringToObject(report, "location", location) != NULL) &&
           add_body(report, answer);
}

/* Answers with what the connector said; takes over the report. */
static void reply_report(struct reply *reply, cJSON *report, const struct connector_answer *answer)
{
    if (answer->error == NULL && add_answer(report, answer)) {
        reply_json(reply, 200, report);
        return;
    }
    cJSON_Delete(report);
    if (answer->error != NULL)
        reply_error(reply, 502, "connector_unreachable", answer->error);
}

/* An authorisation's announcement is remembered, so that its result can be told. */
static void remember(struct sandbox *sandbox, const struct form *fields, const char *id)
{
    bool refresh = strcmp(form_value_or(fields, "flow", "auth"), "authrefresh") == 0;
    struct authorisation authorisation = {.flow = refresh ? FLOW_REFRESH : FLOW_ONBOARDING};
    if (strlen(id) >= sizeof(authorisation.id))
        return;
    memcpy(authorisation.id, id, strlen(id) + 1);
    results_announce(sandbox->results, &authorisation);
}

static bool write_now(char date[32])
{
    time_t now = time(NULL);
    struct tm utc;
    return gmtime_r(&now, &utc) != NULL && strftime(date, 32, "%Y-%m-%dT%H:%M:%SZ", &utc) > 0;
}

static cJSON *requested_notification(struct sandbox *sandbox, const struct form *fields)
{
    char made[UUID_SIZE];
    char now[32];
    if (!uuid_make(made) || !write_now(now))
        return NULL;
    const char *id = form_value_or(fields, "authorisationId", made);
    id = form_value_or(fields, "resourceId", id);
    const char *type = form_value_or(fields, "type", "resourceCreated");
    const char *resource_type = form_value_or(fields, "resourceType", "authorisation");
    const char *bank_id = form_value_or(fields, "bankId", SANDBOX_BANK);
    bool created = strcmp(type, "resourceCreated") == 0;
    if (created && strcmp(resource_type, "authorisation") == 0) {
        remember(sandbox, fields, id);
        return authorisation_created(id, bank_id);
    }
    const struct resource_event event = {
        .type = type,
        .resource_type = resource_type,
        .id = id,
        .external_id = form_value(fields, "externalId"),
        .start_date = created ? now : NULL,
        .bank_id = bank_id,
    };
    return resource_event(&event);
}

void send_notification(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    _cleanup_(cleanup_json) cJSON *notification = requested_notification(sandbox, &request->fields);
    _cleanup_(cleanup_free) char *body = cJSON_PrintUnformatted(notification);
    _cleanup_(cleanup_json) cJSON *report = cJSON_CreateObject();
    if (body == NULL || !cJSON_AddItemToObject(report, "request", notification))
        return;
    notification = NULL;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    post_notification(sandbox, body, &answer);
    reply_report(reply, report, &answer);
    report = NULL;
}

/* What the product does after its picker: the account as the newest PATCH named it. */
void link_account(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const char *external_id = form_value(&request->fields, "externalId");
    const char *start = form_value(&request->fields, "startDate");
    char made[UUID_SIZE];
    if (external_id == NULL || strlen(external_id) >= EXTERNAL_ID_SIZE) {
        reply_error(reply, 400, "invalid_request", "externalId is missing or too long");
        return;
    }
    if (start != NULL && !is_date(start)) {
        reply_error(reply, 400, "invalid_request", "startDate is no date like 2026-01-31");
        return;
    }
    if (!uuid_make(made))
        return;
    _cleanup_(cleanup_json) cJSON *named = results_find_account(sandbox->results, external_id);
    if (named == NULL)
        named = cJSON_CreateObject();
    const char *id = form_value_or(&request->fields, "resourceId", made);
    _cleanup_(cleanup_json) cJSON *report = cJSON_CreateObject();
    if ((member_text(named, "bankAccountExternalId")[0] == '\0' &&
         cJSON_AddStringToObject(named, "externalId", external_id) == NULL) ||
        cJSON_AddStringToObject(report, "bankAccountId", id) == NULL)
        return;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    (void)create_account(sandbox, named, id, start, &answer); /* what came of it is in the answer */
    reply_report(reply, report, &answer);
    report = NULL;
}

/* Calls this path of the connector and answers with its whole URL and what came back. */
static void call_and_report(struct sandbox *sandbox, const struct connector_call *call,
                            struct reply *reply)
{
    _cleanup_(text_clear) struct text url = {0};
    text_append_string(&url, connector_base(sandbox->connector));
    text_append_string(&url, call->path);
    _cleanup_(cleanup_json) cJSON *report = cJSON_CreateObject();
    if (url.failed || cJSON_AddStringToObject(report, "url", url.bytes) == NULL)
        return;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    connector_call(sandbox->connector, call, &answer);
    reply_report(reply, report, &answer);
    report = NULL;
}

void open_authorisation(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const struct form *fields = &request->fields;
    const char *flow = form_value_or(fields, "flow", "auth");
    char made[UUID_SIZE];
    if (!uuid_make(made))
        return;
    const struct opening opening = {
        .is_refresh = strcmp(flow, "authrefresh") == 0,
        .authorisation_id = form_value(fields, "authorisationId"),
        .bank_id = form_value_or(fields, "bankId", SANDBOX_BANK),
        .bank_account = form_value_or(fields, "bankAccount", SANDBOX_BANK),
        .external_id = form_value(fields, "externalId"),
        .redirect_uri = form_value(fields, "redirectUri"),
        .state = form_value_or(fields, "state", made),
    };
    if (!opening.is_refresh && strcmp(flow, "auth") != 0) {
        reply_error(reply, 400, "invalid_request", "flow is auth or authrefresh");
        return;
    }
    if (opening.authorisation_id == NULL) {
        reply_error(reply, 400, "invalid_request", "authorisationId is missing");
        return;
    }
    if (opening.is_refresh && opening.external_id == NULL) {
        reply_error(reply, 400, "invalid_request", "authrefresh needs externalId");
        return;
    }
    results_open(sandbox->results, opening.authorisation_id,
                 opening.is_refresh ? FLOW_REFRESH : FLOW_ONBOARDING, opening.state);
    _cleanup_(cleanup_free) char *path = opening_path(sandbox, &opening);
    if (path == NULL)
        return;
    const struct connector_call call = {.path = path, .wants_page = true};
    call_and_report(sandbox, &call, reply);
}

void list_accounts(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const char *external_id = form_value(&request->fields, "externalId");
    if (external_id == NULL) {
        reply_error(reply, 400, "invalid_request", "externalId is missing");
        return;
    }
    _cleanup_(cleanup_free) char *token =
        sage_id_make_token(sandbox->sage_id, TOKEN_GOOD, "ProviderAPI");
    _cleanup_(text_clear) struct text path = {0};
    text_append_string(&path, "/availableaccounts");
    text_append_query(&path, "externalId", external_id);
    if (token == NULL || path.failed)
        return;
    const struct connector_call call = {.path = path.bytes, .token = token};
    call_and_report(sandbox, &call, reply);
}
