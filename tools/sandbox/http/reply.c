/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "http_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void reply_json(struct reply *reply, unsigned int status, cJSON *document)
{
    reply->body = cJSON_PrintUnformatted(document);
    reply->status = reply->body == NULL ? 0 : status;
    reply->content_type = "application/json";
    cJSON_Delete(document);
}

void reply_error(struct reply *reply, unsigned int status, const char *error,
                 const char *description)
{
    _cleanup_(cleanup_json) cJSON *document = cJSON_CreateObject();
    if (cJSON_AddStringToObject(document, "error", error) == NULL ||
        cJSON_AddStringToObject(document, "error_description", description) == NULL)
        return;
    reply_json(reply, status, document);
    document = NULL;
}

void reply_text(struct reply *reply, unsigned int status, const char *content_type,
                struct text *text)
{
    reply->body = text_take(text);
    reply->status = reply->body == NULL ? 0 : status;
    reply->content_type = content_type;
}

void reply_clear(struct reply *reply)
{
    free(reply->body);
    free(reply->location);
    free(reply->policy);
}

static bool add_header(struct MHD_Response *response, const char *name, const char *value)
{
    return value == NULL || MHD_add_response_header(response, name, value) == MHD_YES;
}

static bool add_headers(struct MHD_Response *response, const struct reply *reply, const char *allow)
{
    char seconds[16] = "";
    if (snprintf(seconds, sizeof(seconds), "%u", reply->retry_after) < 0)
        return false;
    const char *retry_after = reply->retry_after == 0 ? NULL : seconds;
    return add_header(response, "Content-Type", reply->content_type) &&
           add_header(response, "Content-Security-Policy", reply->policy) &&
           add_header(response, "Location", reply->location) &&
           add_header(response, "Allow", allow) &&
           add_header(response, "Retry-After", retry_after) &&
           add_header(response, "Cache-Control", "no-store") &&
           add_header(response, "Pragma", "no-cache") && /* RFC 6749 5.1 asks for it */
           add_header(response, "Referrer-Policy", "no-referrer") &&
           add_header(response, "X-Content-Type-Options", "nosniff");
}

enum MHD_Result reply_send(struct MHD_Connection *connection, const struct reply *reply,
                           const char *allow)
{
    static char out_of_memory[] = "{\"error\":\"server_error\"}";
    char *body = reply->body == NULL ? out_of_memory : reply->body;
    if (reply->status == 0)
        body = out_of_memory;
    struct MHD_Response *response =
        MHD_create_response_from_buffer(strlen(body), body, MHD_RESPMEM_MUST_COPY);
    if (response == NULL)
        return MHD_NO;
    enum MHD_Result result = MHD_NO;
    if (add_headers(response, reply, allow)) {
        unsigned int status = reply->status == 0 ? 500 : reply->status;
        result = MHD_queue_response(connection, status, response);
    }
    MHD_destroy_response(response);
    return result;
}

enum MHD_Result reply_refuse(struct MHD_Connection *connection, unsigned int status,
                             const char *error, const char *description, const char *allow)
{
    struct reply reply = {0};
    reply_error(&reply, status, error, description);
    enum MHD_Result result = reply_send(connection, &reply, allow);
    reply_clear(&reply);
    return result;
}
