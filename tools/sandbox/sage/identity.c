/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "sandbox/sandbox.h"

#include <string.h>

/*
 * Sage ID's side: the key set and the token endpoint, and what a test needs
 * besides: a rotation, and tokens that are wrong in one way each.
 */

void serve_key_set(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)request;
    reply_json(reply, 200, sage_id_key_set(sandbox->sage_id));
}

/* Answers a request that passed, with the whole answer of RFC 6749 5.1. */
static void reply_token(struct sandbox *sandbox, const struct sage_client *client,
                        struct reply *reply)
{
    _cleanup_(cleanup_free) char *token =
        sage_id_make_token(sandbox->sage_id, TOKEN_GOOD, client->scope);
    _cleanup_(cleanup_json) cJSON *answer = cJSON_CreateObject();
    if (token == NULL || cJSON_AddStringToObject(answer, "access_token", token) == NULL ||
        cJSON_AddStringToObject(answer, "token_type", "Bearer") == NULL ||
        cJSON_AddNumberToObject(answer, "expires_in", TOKEN_LIFETIME_SECONDS) == NULL)
        return;
    if (client->scope != NULL && cJSON_AddStringToObject(answer, "scope", client->scope) == NULL)
        return;
    reply_json(reply, 200, answer);
    answer = NULL;
}

/* Errors as in RFC 6749 5.2. */
static void judge_credentials(struct sandbox *sandbox, const struct request *request,
                              struct reply *reply)
{
    const struct form *fields = &request->fields;
    const char *grant_type = form_value(fields, "grant_type");
    const char *id = form_value(fields, "client_id");
    const char *secret = form_value(fields, "client_secret");
    const char *audience = form_value(fields, "audience");
    const char *scope = form_value(fields, "scope");
    if (grant_type == NULL) {
        reply_error(reply, 400, "invalid_request", "grant_type is missing");
        return;
    }
    if (strcmp(grant_type, "client_credentials") != 0) {
        reply_error(reply, 400, "unsupported_grant_type", "use client_credentials");
        return;
    }
    const struct sage_client *client = NULL;
    if (id != NULL && secret != NULL)
        client = sage_client_find(id, secret);
    if (client == NULL) {
        reply_error(reply, 401, "invalid_client", "unknown client, or wrong secret");
        return;
    }
    if (audience == NULL || strcmp(audience, sage_id_audience(sandbox->sage_id)) != 0) {
        reply_error(reply, 400, "invalid_request", "audience is missing or unknown");
        return;
    }
    if (scope != NULL && (client->scope == NULL || strcmp(scope, client->scope) != 0)) {
        reply_error(reply, 400, "invalid_scope", "this client can't have that scope");
        return;
    }
    reply_token(sandbox, client, reply);
}

void issue_token(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    struct fault fault;
    if (fault_before(sandbox->faults, FAULT_TOKEN, &fault, reply))
        return;
    judge_credentials(sandbox, request, reply);
    fault_after(sandbox->faults, &fault, reply);
}

void rotate_keys(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)request;
    char kid[KID_SIZE];
    if (!sage_id_rotate(sandbox->sage_id, kid))
        return;
    _cleanup_(cleanup_json) cJSON *answer = cJSON_CreateObject();
    if (cJSON_AddStringToObject(answer, "kid", kid) == NULL)
        return;
    reply_json(reply, 200, answer);
    answer = NULL;
}

static bool parse_kind(const char *word, enum token_kind *kind)
{
    static const struct {
        const char *word;
        enum token_kind kind;
    } kinds[] = {
        {"good", TOKEN_GOOD},
        {"forged", TOKEN_FORGED},
        {"expired", TOKEN_EXPIRED},
        {"wrong-audience", TOKEN_WRONG_AUDIENCE},
        {"wrong-issuer", TOKEN_WRONG_ISSUER},
        {"no-scope", TOKEN_NO_SCOPE},
    };
    for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
        if (strcmp(kinds[i].word, word) == 0) {
            *kind = kinds[i].kind;
            return true;
        }
    }
    return false;
}

void make_token(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    enum token_kind kind;
    if (!parse_kind(form_value_or(&request->fields, "kind", "good"), &kind)) {
        reply_error(reply, 400, "invalid_request", "unknown kind");
        return;
    }
    const char *scope = form_value_or(&request->fields, "scope", "WebhooksLambda");
    _cleanup_(cleanup_free) char *token = sage_id_make_token(sandbox->sage_id, kind, scope);
    _cleanup_(cleanup_json) cJSON *answer = cJSON_CreateObject();
    if (token == NULL || cJSON_AddStringToObject(answer, "access_token", token) == NULL)
        return;
    reply_json(reply, 200, answer);
    answer = NULL;
}
