/* SPDX-License-Identifier: MIT */
#include "sandbox.h"

#include "child.h"
#include "expect.h"
#include "scratch.h"
#include "server.h"
#include "stage.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sandbox {
    struct child program;
    unsigned port;
    char url[64];
};

static struct sandbox shared;
static struct sandbox own;
static struct sandbox *in_use = &shared;

static void choose_port(struct sandbox *sandbox)
{
    sandbox->port = free_port();
    (void)snprintf(sandbox->url, sizeof(sandbox->url), "http://localhost:%u", sandbox->port);
}

static void start_program(struct sandbox *sandbox, const char *connector)
{
    const char *arguments[] = {staged_path("bin/feedgate-sandbox"),
                               "--port",
                               scratch_format("%u", sandbox->port),
                               "--connector",
                               connector,
                               "--key-header",
                               "X-Feedgate-Key",
                               "--key-file",
                               server_path("notification.key"),
                               NULL};
    child_start(&sandbox->program, arguments, NULL, server_path("log"));
    bool ready = child_await_line(&sandbox->program, "ready", PATIENCE_MS);
    EXPECT(ready, "%s", "feedgate-sandbox isn't ready");
}

void sandbox_use_shared(void)
{
    in_use = &shared;
    if (child_runs(&shared.program))
        return;
    choose_port(&shared);
    start_program(&shared, "http://127.0.0.1:9"); /* "discard": nobody listens there today */
}

void sandbox_end_shared(void)
{
    child_stop(&shared.program);
}

static void end_own(void *sandbox)
{
    (void)sandbox;
    child_stop(&own.program);
    in_use = &shared;
}

void sandbox_start_with_server(void)
{
    choose_port(&own);
    const char *url = own.url;
    const struct server_options options = {
        .settings = {scratch_format("sage.issuer = %s/", url),
                     scratch_format("sage.jwks_url = %s/.well-known/jwks.json", url),
                     scratch_format("sage.token_url = %s/oauth/token", url),
                     scratch_format("sage.provider_api_url = %s/v1", url),
                     scratch_format("journey.redirect_origins = %s", url),
                     "journey.fragment_origins =",
                     scratch_format("journey.frame_ancestors = 'self' %s", url),
                     "provider_api.client_id = provider",
                     "provider_api.client_secret_file = provider.secret",
                     "provider_api.api_key_file = api.key"},
        .files = {{"provider.secret", SANDBOX_SECRET "\n"}, {"api.key", SANDBOX_API_KEY "\n"}}};
    server_start(&options);
    start_program(&own, server_url());
    undo_later(end_own, NULL);
    in_use = &own;
}

const char *sandbox_url(void)
{
    return in_use->url;
}

unsigned sandbox_port(void)
{
    return in_use->port;
}

struct response sandbox_get(const char *path)
{
    const struct request request = {.base = in_use->url, .path = path};
    return http_send(&request);
}

struct response sandbox_post(const char *path, const char *fields)
{
    const struct request request = {.base = in_use->url,
                                    .path = path,
                                    .headers = {"Content-Type: application/x-www-form-urlencoded"},
                                    .body = fields,
                                    .body_length = strlen(fields)};
    return http_send(&request);
}

/* A member as JSON, the test's; the test fails if the text is no object with it. */
static const char *json_member(const char *text, const char *name)
{
    cJSON *document = cJSON_Parse(text);
    char *printed = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(document, name));
    cJSON_Delete(document);
    EXPECT(printed != NULL, "no %s in %s", name, text);
    const char *member = scratch_copy(printed, strlen(printed));
    free(printed);
    return member;
}

static const char *json_text(const char *text, const char *name)
{
    const char *quoted = json_member(text, name);
    EXPECT(quoted[0] == '"', "%s is no text: %s", name, quoted);
    return scratch_copy(quoted + 1, strlen(quoted) - 2);
}

const char *sandbox_announce(const char *flow)
{
    const char *id = new_uuid();
    (void)sandbox_post("/sandbox/notification", /* 502 where no connector is */
                       scratch_format("authorisationId=%s&flow=%s", id, flow));
    return id;
}

void sandbox_fault(const char *fields)
{
    EXPECT_STATUS(sandbox_post("/sandbox/fault", fields), 200);
}

unsigned sandbox_waiting(void)
{
    struct response response = sandbox_get("/sandbox/fault");
    EXPECT_STATUS(response, 200);
    return (unsigned)strtoul(json_member(response.body, "waiting"), NULL, 10);
}

const char *sandbox_result(const char *authorisation_id, const char *member)
{
    struct response response =
        sandbox_get(scratch_format("/sandbox/results?authorisationId=%s", authorisation_id));
    EXPECT_STATUS(response, 200);
    return json_member(response.body, member);
}

struct response sandbox_token_request(const char *secret)
{
    return sandbox_post("/oauth/token",
                        scratch_format("grant_type=client_credentials&client_id=provider&"
                                       "client_secret=%s&audience=sfdsbanking%%2F"
                                       "sfdsBankingProvider-Pre",
                                       secret));
}

const char *sandbox_token(void)
{
    struct response response = sandbox_token_request(SANDBOX_SECRET);
    EXPECT_STATUS(response, 200);
    return json_text(response.body, "access_token");
}

static const char *account(const char *external_id)
{
    return scratch_format("{\"bankAccountExternalId\":\"%s\",\"accountName\":\"Current %s\","
                          "\"bankIdentifier\":\"000001\",\"branchIdentifier\":\"main\","
                          "\"accountIdentifier\":\"number-of-%s\"}",
                          external_id, external_id, external_id);
}

const char *patch_success(const char *external_id)
{
    return scratch_format("{\"data\":{\"status\":\"success\",\"bankAccounts\":[%s]}}",
                          account(external_id));
}

const char *patch_success_of_two(const char *first, const char *second)
{
    return scratch_format("{\"data\":{\"status\":\"success\",\"bankAccounts\":[%s,%s]}}",
                          account(first), account(second));
}

static void add_header(struct request *request, const char *name, const char *given,
                       const char *usual)
{
    size_t count = 0;
    while (request->headers[count] != NULL)
        count++;
    if (given != OMIT)
        request->headers[count] = scratch_format("%s: %s", name, given != NULL ? given : usual);
}

struct request patch_request(const struct patch *patch)
{
    const char *id = patch->id != NULL ? patch->id : sandbox_announce("auth");
    const char *body = patch->body != NULL ? patch->body : patch_success("a");
    struct request request = {
        .base = in_use->url,
        .method = patch->method != NULL ? patch->method : "PATCH",
        .path = scratch_format("/v1/authorisations/%s", id),
        .body = body,
        .body_length = patch->body_length > 0 ? patch->body_length : strlen(body),
    };
    add_header(&request, "Authorization", patch->authorization,
               patch->authorization == NULL ? scratch_format("Bearer %s", sandbox_token()) : "");
    add_header(&request, "x-api-key", patch->api_key, SANDBOX_API_KEY);
    add_header(&request, "Content-Type", patch->media_type, "application/json");
    for (size_t i = 0, count = 0; i < ROWS(patch->headers) && patch->headers[i] != NULL; i++) {
        while (request.headers[count] != NULL)
            count++;
        request.headers[count] = patch->headers[i];
    }
    return request;
}

struct response patch_send(const struct patch *patch)
{
    struct request request = patch_request(patch);
    return http_send(&request);
}
