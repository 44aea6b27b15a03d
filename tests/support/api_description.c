/* SPDX-License-Identifier: MIT */
#include "api_description.h"

#include "expect.h"
#include "scratch.h"
#include "stage.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static cJSON *document;

static void forget(void *unused)
{
    (void)unused;
    cJSON_Delete(document);
    document = NULL;
}

void api_read(void)
{
    enum { BYTES_MAX = 256 * 1024 };
    char *text = scratch_take(BYTES_MAX);
    FILE *file = fopen(staged_path("share/feedgate/openapi.json"), "re");
    EXPECT(file != NULL, "%s", "there is no doc/openapi.json");
    size_t length = fread(text, 1, BYTES_MAX - 1, file);
    (void)fclose(file);
    document = cJSON_ParseWithLength(text, length);
    EXPECT(document != NULL, "doc/openapi.json is no JSON at %.40s", cJSON_GetErrorPtr());
    undo_later(forget, NULL);
}

static const cJSON *member(const cJSON *object, const char *name)
{
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const cJSON *paths(void)
{
    return member(document, "paths");
}

bool api_answer(size_t number, struct api_answer *answer)
{
    const cJSON *path;
    const cJSON *method;
    const cJSON *response;
    cJSON_ArrayForEach(path, paths())
    {
        cJSON_ArrayForEach(method, path)
        {
            cJSON_ArrayForEach(response, member(method, "responses"))
            {
                if (number-- > 0)
                    continue;
                *answer =
                    (struct api_answer){path->string, upper_case(method->string), response->string};
                return true;
            }
        }
    }
    return false;
}

const char *api_path(size_t number)
{
    const cJSON *path = cJSON_GetArrayItem(paths(), (int)number);
    return path != NULL ? path->string : NULL;
}

const char *api_methods(const char *path)
{
    const char *methods = "";
    const cJSON *method;
    cJSON_ArrayForEach(method, member(paths(), path))
    {
        methods = scratch_format("%s%s%s", methods, methods[0] != '\0' ? ", " : "",
                                 upper_case(method->string));
    }
    return methods;
}

/* What a "$ref" leads to; the item itself when it has none. */
static const cJSON *resolved(const cJSON *item)
{
    const char *reference = cJSON_GetStringValue(member(item, "$ref"));
    if (reference == NULL)
        return item;
    EXPECT(strncmp(reference, "#/", 2) == 0, "%s leads elsewhere", reference);
    char *steps = scratch_copy(reference + 2, strlen(reference + 2));
    const cJSON *found = document;
    for (char *rest = NULL, *step = strtok_r(steps, "/", &rest); step != NULL;
         step = strtok_r(NULL, "/", &rest))
        found = member(found, step);
    EXPECT(found != NULL, "%s leads nowhere", reference);
    return found;
}

static bool has_type(const cJSON *value, const char *type)
{
    if (strcmp(type, "integer") == 0)
        return cJSON_IsNumber(value) && value->valuedouble == (double)(long long)value->valuedouble;
    return (strcmp(type, "object") == 0 && cJSON_IsObject(value)) ||
           (strcmp(type, "array") == 0 && cJSON_IsArray(value)) ||
           (strcmp(type, "string") == 0 && cJSON_IsString(value));
}

static void expect_schema(const cJSON *value, const cJSON *schema, const char *place);

static void expect_members(const cJSON *value, const cJSON *schema, const char *place)
{
    const cJSON *item;
    cJSON_ArrayForEach(item, member(schema, "required"))
    {
        EXPECT(member(value, cJSON_GetStringValue(item)) != NULL, "%s lacks %s", place,
               cJSON_GetStringValue(item));
    }
    cJSON_ArrayForEach(item, value)
    {
        const cJSON *described = member(member(schema, "properties"), item->string);
        if (described != NULL)
            expect_schema(item, resolved(described), scratch_format("%s.%s", place, item->string));
        else
            EXPECT(!cJSON_IsFalse(member(schema, "additionalProperties")),
                   "%s has %s, which isn't described", place, item->string);
    }
}

static void expect_schema(const cJSON *value, const cJSON *schema, const char *place)
{
    const char *type = cJSON_GetStringValue(member(schema, "type"));
    const cJSON *words = member(schema, "enum");
    const cJSON *item;
    bool among = words == NULL;
    EXPECT(type != NULL && has_type(value, type), "%s isn't of type %s", place, type);
    cJSON_ArrayForEach(item, words)
    {
        among = among || cJSON_Compare(item, value, true);
    }
    EXPECT(among, "%s isn't one of the described words", place);
    if (cJSON_IsObject(value))
        expect_members(value, schema, place);
    if (!cJSON_IsArray(value))
        return;
    cJSON_ArrayForEach(item, value)
    {
        expect_schema(item, resolved(member(schema, "items")), scratch_format("%s[]", place));
    }
}

static void expect_body(const struct response *response, const cJSON *described)
{
    const char *header = response_header(response, "Content-Type");
    EXPECT(header != NULL, "%d has no media type", response->status);
    const char *type = scratch_copy(header, strcspn(header, "; "));
    const cJSON *media = member(member(described, "content"), type);
    EXPECT(media != NULL, "%d comes as %s, which isn't described", response->status, type);
    if (strstr(type, "json") == NULL)
        return;
    cJSON *body = cJSON_ParseWithLength(response->body, response->body_length);
    EXPECT(body != NULL, "no JSON: %s", response->body);
    expect_schema(body, resolved(member(media, "schema")), "the body");
    cJSON_Delete(body);
}

void api_expect(const struct response *response)
{
    const char *path = scratch_format("/%s", response->endpoint);
    const cJSON *operation = member(member(paths(), path), lower_case(response->method));
    EXPECT(operation != NULL, "%s %s isn't described", response->method, path);
    const cJSON *described =
        member(member(operation, "responses"), scratch_format("%d", response->status));
    EXPECT(described != NULL, "%s %s is answered with %d, which isn't described:\n%s",
           response->method, path, response->status, response->body);
    const cJSON *header;
    cJSON_ArrayForEach(header, member(described, "headers"))
    {
        EXPECT(!cJSON_IsTrue(member(resolved(header), "required")) ||
                   response_header(response, header->string) != NULL,
               "%d comes without %s", response->status, header->string);
    }
    expect_body(response, described);
}
