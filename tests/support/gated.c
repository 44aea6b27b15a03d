/* SPDX-License-Identifier: MIT */
#include "gated.h"

#include "customer.h"
#include "expect.h"
#include "scratch.h"
#include "server.h"
#include "wire.h"

#include <cjson/cJSON.h>
#include <string.h>

struct response gate_ask(const struct request *request)
{
    static const char *const none[] = {NULL};
    return fastcgi_exchange_as(request, FASTCGI_AUTHORIZER, none);
}

void pass_on(const char *id, const char *endpoint)
{
    arm(id);
    struct response response = ASK_GATE(.id = id, .endpoint = endpoint, .state = CUSTOMER_STATE);
    EXPECT(response.status == 200, "the gate answers %d:\n%s", response.status, response.body);
}

const char *account_json(int number)
{
    return scratch_format("{\"bankAccountExternalId\":\"ext-%d\",\"accountName\":\"Account %d\","
                          "\"bankIdentifier\":\"000001\",\"branchIdentifier\":\"main\","
                          "\"accountIdentifier\":\"%08d\"}",
                          number, number, number);
}

static const char *body_of(const struct completing *completing)
{
    const char *status = completing->status != NULL ? completing->status : "success";
    const char *accounts = completing->accounts;
    if (accounts == NULL && strcmp(status, "success") == 0)
        accounts = scratch_format("[%s]", account_json(1));
    return scratch_format("{\"authorisationId\":\"%s\",\"status\":\"%s\"%s%s}",
                          completing->id != NULL ? completing->id : new_uuid(), status,
                          accounts != NULL ? ",\"bankAccounts\":" : "",
                          accounts != NULL ? accounts : "");
}

struct response complete_send(const struct completing *completing)
{
    const char *body = completing->body != NULL ? completing->body : body_of(completing);
    const char *authorization = completing->authorization != NULL
                                    ? completing->authorization
                                    : scratch_format("Bearer %s", SERVER_COMPLETE_KEY);
    struct request request = {
        .method = completing->method != NULL ? completing->method : "POST",
        .path = completing->path != NULL ? completing->path : "/complete",
        .body = body == OMIT ? NULL : body,
        .body_length = completing->body_length > 0 ? completing->body_length : strlen(body),
    };
    size_t count = 0;
    request.headers[count++] =
        scratch_format("Content-Type: %s", completing->media_type != NULL ? completing->media_type
                                                                          : "application/json");
    if (authorization != OMIT)
        request.headers[count++] = scratch_format("Authorization: %s", authorization);
    for (size_t i = 0; i < ROWS(completing->headers) && completing->headers[i] != NULL; i++)
        request.headers[count++] = completing->headers[i];
    return http_send(&request);
}

const char *redirect_url(const struct response *response)
{
    cJSON *answer = cJSON_ParseWithLength(response->body, response->body_length);
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, "redirectUrl"));
    EXPECT(url != NULL && cJSON_GetArraySize(answer) == 1, "no redirectUrl in %s", response->body);
    const char *copy = scratch_copy(url, strlen(url));
    cJSON_Delete(answer);
    return copy;
}
