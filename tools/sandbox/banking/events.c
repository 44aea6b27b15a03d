/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "sandbox/sandbox.h"

#include <string.h>
#include <time.h>

/* What the Banking Service tells the connector and asks of it, and what it remembers of that. */

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

static bool add_if_given(cJSON *object, const char *name, const char *text)
{
    return text == NULL || cJSON_AddStringToObject(object, name, text) != NULL;
}

cJSON *resource_event(const struct resource_event *event)
{
    bool created = strcmp(event->type, "resourceCreated") == 0;
    const char *url = created ? "https://example.invalid/x" : "NA";
    _cleanup_(cleanup_json) cJSON *body = cJSON_CreateObject();
    if (cJSON_AddStringToObject(body, "type", event->type) == NULL ||
        !add_resource(body, event->id, event->resource_type, url))
        return NULL;
    cJSON *additional = cJSON_AddObjectToObject(body, "additionalData");
    if (additional == NULL || !add_if_given(additional, "externalId", event->external_id) ||
        !add_if_given(additional, "requestedStartDate", event->start_date) ||
        !add_if_given(additional, "bankId", event->bank_id))
        return NULL;
    cJSON *done = body;
    body = NULL;
    return done;
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

bool answer_is_good(const struct connector_answer *answer)
{
    return answer->error == NULL && answer->status >= 200 && answer->status < 300;
}

/* Posts the event, which it takes over. */
static bool post_event(struct sandbox *sandbox, cJSON *event, struct connector_answer *answer)
{
    _cleanup_(cleanup_free) char *body = cJSON_PrintUnformatted(event);
    cJSON_Delete(event);
    if (body == NULL) {
        *answer = (struct connector_answer){.error = "out of memory"};
        return false;
    }
    post_notification(sandbox, body, answer);
    return answer_is_good(answer);
}

bool announce(struct sandbox *sandbox, const struct authorisation *authorisation,
              struct connector_answer *answer)
{
    results_announce(sandbox->results, authorisation);
    return post_event(sandbox, authorisation_created(authorisation->id, SANDBOX_BANK), answer);
}

/* In a PATCH the member is called otherwise than everywhere else. */
static const char *external_id_of(const cJSON *named)
{
    const char *id = member_text(named, "externalId");
    return id[0] != '\0' ? id : member_text(named, "bankAccountExternalId");
}

static cJSON *make_account(const cJSON *named, const char *id, const char *start_date)
{
    static const char *const members[] = {"accountName", "bankIdentifier", "branchIdentifier",
                                          "accountIdentifier"};
    _cleanup_(cleanup_json) cJSON *account = cJSON_CreateObject();
    if (cJSON_AddStringToObject(account, "id", id) == NULL ||
        cJSON_AddStringToObject(account, "externalId", external_id_of(named)) == NULL ||
        cJSON_AddStringToObject(account, "startDate", start_date) == NULL)
        return NULL;
    for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
        const char *text = member_text(named, members[i]);
        if (text[0] != '\0' && cJSON_AddStringToObject(account, members[i], text) == NULL)
            return NULL;
    }
    cJSON *done = account;
    account = NULL;
    return done;
}

bool is_date(const char *text)
{
    static const char form[] = "0000-00-00";
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        bool digit = text[i] >= '0' && text[i] <= '9';
        if (form[i] == '0' ? !digit : text[i] != '-')
            return false;
    }
    return text[sizeof(form) - 1] == '\0';
}

/* "2026-01-31", or today, as Sage writes a time. */
static void write_start(const char *start_date, char start[32])
{
    time_t now = time(NULL);
    struct tm utc;
    size_t size = 0;
    if (start_date != NULL && is_date(start_date)) {
        memcpy(start, start_date, 10);
        memcpy(start + 10, "T00:00:00Z", 11);
        return;
    }
    if (gmtime_r(&now, &utc) != NULL)
        size = strftime(start, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
    start[size] = '\0';
}

bool create_account(struct sandbox *sandbox, const cJSON *named, const char *id,
                    const char *start_date, struct connector_answer *answer)
{
    *answer = (struct connector_answer){.error = "out of memory"};
    char start[32];
    write_start(start_date, start);
    _cleanup_(cleanup_json) cJSON *account = make_account(named, id, start);
    if (account == NULL)
        return false;
    const struct resource_event event = {
        .type = "resourceCreated",
        .resource_type = "bankAccount",
        .id = id,
        .external_id = member_text(account, "externalId"),
        .start_date = start,
        .bank_id = SANDBOX_BANK,
    };
    if (!post_event(sandbox, resource_event(&event), answer))
        return false;
    const char *name = member_text(account, "accountName");
    ledger_note(sandbox->ledger, "Connected", name[0] != '\0' ? name : event.external_id);
    ledger_add(sandbox->ledger, account);
    account = NULL;
    return true;
}

bool delete_account(struct sandbox *sandbox, const cJSON *account, struct connector_answer *answer)
{
    const char *name = member_text(account, "accountName");
    const struct resource_event event = {
        .type = "resourceDeleted",
        .resource_type = "bankAccount",
        .id = member_text(account, "id"),
        .external_id = member_text(account, "externalId"),
        .bank_id = SANDBOX_BANK,
    };
    if (!post_event(sandbox, resource_event(&event), answer))
        return false;
    if (ledger_remove(sandbox->ledger, event.id))
        ledger_note(sandbox->ledger, "Disconnected", name[0] != '\0' ? name : event.external_id);
    return true;
}

void fetch_candidates(struct sandbox *sandbox, const char *external_id,
                      struct connector_answer *answer)
{
    *answer = (struct connector_answer){.error = "out of memory"};
    _cleanup_(cleanup_free) char *token =
        sage_id_make_token(sandbox->sage_id, TOKEN_GOOD, "ProviderAPI");
    _cleanup_(text_clear) struct text path = {0};
    text_append_string(&path, "/availableaccounts");
    text_append_query(&path, "externalId", external_id);
    if (token == NULL || path.failed)
        return;
    const struct connector_call call = {.path = path.bytes, .token = token};
    connector_call(sandbox->connector, &call, answer);
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

char *authorisation_path(const struct sandbox *sandbox, const struct authorisation *authorisation)
{
    const struct opening opening = {
        .is_refresh = authorisation->flow == FLOW_REFRESH,
        .authorisation_id = authorisation->id,
        .bank_id = SANDBOX_BANK,
        .bank_account = authorisation->bank_account,
        .external_id = authorisation->external_id,
        .state = authorisation->state,
    };
    return opening_path(sandbox, &opening);
}
