/* SPDX-License-Identifier: MIT */
#include "event.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"

#include <ctype.h>
#include <string.h>

static const struct {
    const char *type;
    const char *resource_type;
    enum event_kind kind;
} known_events[] = {
    {"resourceCreated", "authorisation", EVENT_AUTHORISATION_CREATED},
    {"resourceCreated", "bankAccount", EVENT_BANK_ACCOUNT_CREATED},
    {"resourceDeleted", "bankAccount", EVENT_BANK_ACCOUNT_DELETED},
};

static enum event_kind kind_of(const struct event *event)
{
    for (size_t i = 0; i < sizeof known_events / sizeof known_events[0]; i++)
        if (strcmp(event->type, known_events[i].type) == 0 &&
            strcmp(event->resource_type, known_events[i].resource_type) == 0)
            return known_events[i].kind;
    return EVENT_OTHER;
}

static bool copy(const char *text, char *into, size_t size)
{
    if (!text || text[0] == '\0' || strlen(text) >= size)
        return false;
    memcpy(into, text, strlen(text) + 1);
    return true;
}

static void lower(char *text)
{
    for (; *text; text++)
        *text = (char)tolower((unsigned char)*text);
}

/* A member that may be left out (or null), but must be a short text if it is there. */
static bool copy_optional(const cJSON *object, const char *name, char *into, size_t size)
{
    const cJSON *member = json_member(object, name);
    if (!member || cJSON_IsNull(member))
        return true;
    const char *text = cJSON_GetStringValue(member);
    return text && (text[0] == '\0' || copy(text, into, size));
}

/* Notes the member that is to blame, unless it is good. */
static bool judge_member(struct event *event, const char *member, bool is_good)
{
    if (!is_good)
        event->culprit = member;
    return is_good;
}

static bool is_uuid_or_nothing(const char *text)
{
    return text[0] == '\0' || uuid_is_valid(text);
}

static bool read_announcement(const cJSON *details, struct event *event)
{
    bool bank = copy_optional(details, "bankId", event->bank_id, sizeof event->bank_id);
    lower(event->bank_id);
    return judge_member(event, "resource.id", uuid_is_valid(event->resource_id)) &&
           judge_member(event, "additionalData.bankId", bank && is_uuid_or_nothing(event->bank_id));
}

static bool read_envelope(const cJSON *document, struct event *event)
{
    const cJSON *resource = json_member(document, "resource");
    const char *type = json_text(document, "type");
    const char *resource_type = json_text(resource, "type");
    const char *id = json_text(resource, "id");
    if (!judge_member(event, "type", copy(type, event->type, sizeof event->type)) ||
        !judge_member(event, "resource.type",
                      copy(resource_type, event->resource_type, sizeof event->resource_type)) ||
        !judge_member(event, "resource.id",
                      copy(id, event->resource_id, sizeof event->resource_id)))
        return false;
    memcpy(event->resource_key, event->resource_id, sizeof event->resource_key);
    lower(event->resource_key);
    event->kind = kind_of(event);
    return true;
}

static bool read_details(const cJSON *details, struct event *event)
{
    if (event->kind == EVENT_AUTHORISATION_CREATED)
        return read_announcement(details, event);
    return event->kind == EVENT_OTHER ||
           judge_member(
               event, "additionalData.externalId",
               copy_optional(details, "externalId", event->external_id, sizeof event->external_id));
}

enum refusal event_read(const char *body, size_t length, struct event *event)
{
    memset(event, 0, sizeof *event);
    event->body = body;
    _cleanup_(cleanup_json) cJSON *document = json_parse(body, length);
    if (!document)
        return REFUSAL_BODY_MALFORMED;
    if (!read_envelope(document, event) ||
        !read_details(json_member(document, "additionalData"), event))
        return REFUSAL_EVENT_MALFORMED;
    return digest_text(body, length, event->body_sha256) ? REFUSAL_NONE : REFUSAL_INTERNAL;
}
