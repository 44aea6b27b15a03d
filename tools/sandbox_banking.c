/* SPDX-License-Identifier: MIT */
#include "../common/cleanup.h"
#include "sandbox.h"

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

static bool add_resource(cJSON *body, const char *id, const char *type, const char *url)
{
    cJSON *resource = cJSON_AddObjectToObject(body, "resource");
    return cJSON_AddStringToObject(resource, "id", id) != NULL &&
           cJSON_AddStringToObject(resource, "type", type) != NULL &&
           cJSON_AddStringToObject(resource, "url", url) != NULL;
}

cJSON *authorisation_created(const char *authorisation_id, const char *bank_id)
{
    _cleanup_(cleanup_json) cJSON *body = cJSON_CreateObject();
    if (cJSON_AddStringToObject(body, "type", "resourceCreated") == NULL ||
        !add_resource(body, authorisation_id, "authorisation", "NA"))
        return NULL;
    cJSON *additional = cJSON_AddObjectToObject(body, "additionalData");
    if (cJSON_AddStringToObject(additional, "bankId", bank_id) == NULL)
        return NULL;
    cJSON *done = body;
    body = NULL;
    return done;
}

static bool add_start_date(cJSON *additional)
{
    char date[32];
    time_t now = time(NULL);
    struct tm utc;
    return gmtime_r(&now, &utc) != NULL &&
           strftime(date, sizeof(date), "%Y-%m-%dT%H:%M:%SZ", &utc) > 0 &&
           cJSON_AddStringToObject(additional, "requestedStartDate", date) != NULL;
}

/* Any other event, in the form of bankAccount created or deleted. */
static cJSON *resource_event(const struct form *fields, const char *resource_type, const char *id)
{
    const char *type = form_value_or(fields, "type", "resourceCreated");
    const char *external_id = form_value(fields, "externalId");
    const char *bank_id = form_value_or(fields, "bankId", SANDBOX_BANK);
    bool created = strcmp(type, "resourceCreated") == 0;

    _cleanup_(cleanup_json) cJSON *body = cJSON_CreateObject();
    if (cJSON_AddStringToObject(body, "type", type) == NULL ||
        !add_resource(body, id, resource_type, created ? "https://example.invalid/x" : "NA"))
        return NULL;
    cJSON *additional = cJSON_AddObjectToObject(body, "additionalData");
    if (additional == NULL)
        return NULL;
    if (external_id != NULL &&
        cJSON_AddStringToObject(additional, "externalId", external_id) == NULL)
        return NULL;
    if (created && !add_start_date(additional))
        return NULL;
    if (cJSON_AddStringToObject(additional, "bankId", bank_id) == NULL)
        return NULL;
    cJSON *done = body;
    body = NULL;
    return done;
}

static cJSON *requested_notification(const struct form *fields)
{
    char made[UUID_SIZE];
    if (!uuid_make(made))
        return NULL;
    const char *id = form_value_or(fields, "authorisationId", made);
    id = form_value_or(fields, "resourceId", id);
    const char *type = form_value_or(fields, "type", "resourceCreated");
    const char *resource_type = form_value_or(fields, "resourceType", "authorisation");
    if (strcmp(type, "resourceCreated") == 0 && strcmp(resource_type, "authorisation") == 0)
        return authorisation_created(id, form_value_or(fields, "bankId", SANDBOX_BANK));
    return resource_event(fields, resource_type, id);
}

void post_notification(struct sandbox *sandbox, const char *body, struct connector_answer *answer)
{
    *answer = (struct connector_answer){0};
    _cleanup_(cleanup_free) char *token =
        sage_id_make_token(sandbox->sage_id, TOKEN_GOOD, "WebhooksLambda");
    if (token == NULL) {
        answer->error = "out of memory";
        return;
    }
    const struct connector_call call = {
        .path = "/notification", .token = token, .body = body, .with_key = true};
    connector_call(sandbox->connector, &call, answer);
}

void send_notification(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    _cleanup_(cleanup_json) cJSON *notification = requested_notification(&request->fields);
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

char *opening_path(const struct sandbox *sandbox, const struct opening *opening)
{
    _cleanup_(text_clear) struct text own_return = {0};
    text_append_string(&own_return, sandbox->issuer);
    text_append_string(&own_return, "return");
    if (own_return.failed)
        return NULL;
    const char *redirect_uri = opening->redirect_uri;
    if (redirect_uri == NULL)
        redirect_uri = own_return.bytes;

    struct text path = {0};
    text_append_string(&path, opening->is_refresh ? "/authrefresh" : "/auth");
    if (opening->is_refresh)
        text_append_query(&path, "bankaccount", opening->bank_account);
    else
        text_append_query(&path, "bank", opening->bank_id);
    text_append_query(&path, "authorisation_id", opening->authorisation_id);
    text_append_query(&path, "redirect_uri", redirect_uri);
    text_append_query(&path, "state", opening->state);
    if (opening->is_refresh)
        text_append_query(&path, "externalId", opening->external_id);
    return text_take(&path);
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
