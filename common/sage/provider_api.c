/* SPDX-License-Identifier: MIT */
#include "provider_api.h"

#include "access_token.h"
#include "base/cleanup.h"
#include "base/fetch.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>

enum { ANSWER_MAX = 64 * 1024, UNAUTHORISED = 401 };

struct provider_api {
    struct store *store;
    struct clock *clock;
    const struct config *config;
};

/* A call of ours, with the token that it goes on with. */
struct call {
    const char *url;
    const char *body;
    struct access_token token;
    struct api_answer *answer;
};

struct provider_api *provider_api_open(struct store *store, struct clock *clock,
                                       const struct config *config)
{
    struct provider_api *api = calloc(1, sizeof *api);
    if (api)
        *api = (struct provider_api){.store = store, .clock = clock, .config = config};
    return api;
}

void provider_api_close(struct provider_api *api)
{
    free(api);
}

bool provider_api_is_configured(const struct provider_api *api)
{
    return api->config->provider_api.client_id != NULL;
}

static void say(struct api_answer *answer, enum api_outcome outcome, const char *text)
{
    answer->outcome = outcome;
    answer->retry_after_ms = 0;
    answer->excerpt[0] = '\0';
    (void)snprintf(answer->text, sizeof answer->text, "%s", text); /* cut at worst */
}

static void begin_token(const struct provider_api *api, int64_t budget_ms,
                        const atomic_bool *cancel, struct access_token *token)
{
    token->store = api->store;
    token->clock = api->clock;
    token->config = api->config;
    token->end = clock_monotonic() + budget_ms;
    token->cancel = cancel;
}

/* False when there is none, and the answer is said. */
static bool take_token(struct access_token *token, struct api_answer *answer)
{
    switch (access_token_take(token)) {
    case ACCESS_TOKEN_HAD:
        return true;
    case ACCESS_TOKEN_CANCELLED:
        say(answer, API_CANCELLED, "ended early");
        return false;
    case ACCESS_TOKEN_MISSING:
        break;
    }
    say(answer, API_TRY_AGAIN, token->error);
    answer->retry_after_ms = token->retry_after_ms;
    return false;
}

static bool holds(const struct fetch_answer *answer, const char *secret, size_t length)
{
    return length > 0 && memmem(answer->body, answer->length, secret, length) != NULL;
}

static bool holds_a_secret(const struct call *call, const struct fetch_answer *answer)
{
    const struct config *config = call->token.config;
    const struct config_secret *key = &config->provider_api.api_key;
    const struct config_secret *secret = &config->provider_api.client_secret;
    return holds(answer, call->token.token, strlen(call->token.token)) ||
           holds(answer, key->bytes, key->length) || holds(answer, secret->bytes, secret->length);
}

/* How the body begins, on one line, with `?` for what isn't UTF-8. */
static void excerpt(const struct call *call, const struct fetch_answer *answer)
{
    char *excerpt = call->answer->excerpt;
    size_t used = 0;
    excerpt[0] = '\0';
    if (holds_a_secret(call, answer))
        return;
    for (size_t at = 0; at < answer->length;) {
        const char *character = answer->body + at;
        size_t taken = utf8_character(character, answer->length - at);
        bool whole = taken > 0;
        taken = whole ? taken : 1;
        if (used + taken >= API_EXCERPT_MAX)
            break;
        if (whole && !utf8_is_control(character))
            memcpy(excerpt + used, character, taken);
        else
            memset(excerpt + used, whole ? ' ' : '?', taken);
        used += taken;
        at += taken;
    }
    excerpt[used] = '\0';
}

static enum api_outcome judge_status(long status)
{
    if (status >= 200 && status < 300)
        return API_TAKEN;
    bool final = status >= 400 && status < 500 && status != 408 && status != 429;
    return final ? API_REFUSED : API_TRY_AGAIN;
}

static void read_answer(const struct call *call, const struct fetch_answer *answer)
{
    char text[API_TEXT_MAX];
    (void)snprintf(text, sizeof text, "status %ld%s", answer->status,
                   answer->status == 403 ? ": is the API key right?" : "");
    say(call->answer, judge_status(answer->status), text);
    call->answer->retry_after_ms = answer->retry_after_ms;
    if (call->answer->outcome != API_TAKEN)
        excerpt(call, answer);
}

/* Sends the PATCH once; returns the status, 0 when no whole answer came. */
static long send_once(const struct call *call)
{
    const struct config *config = call->token.config;
    const struct config_secret *key = &config->provider_api.api_key;
    char authorization[ACCESS_TOKEN_SIZE + 32];
    char api_key[CONFIG_KEY_MAX + 32];
    const char *const headers[] = {authorization, api_key, "Content-Type: application/json",
                                   "Accept: application/json", NULL};
    int64_t left = call->token.end - clock_monotonic();
    const struct fetch fetch = {
        .url = call->url,
        .method = "PATCH",
        .headers = headers,
        .body = call->body,
        .ca_file = config->network.ca_file,
        .proxy = config->network.proxy,
        .limit = ANSWER_MAX,
        .timeout_ms = left,
        .cancel = call->token.cancel,
    };
    if (left <= 0) {
        say(call->answer, API_TRY_AGAIN, "there was no time left for the call");
        return 0;
    }
    (void)snprintf(authorization, sizeof authorization, "Authorization: Bearer %s",
                   call->token.token);
    (void)snprintf(api_key, sizeof api_key, "x-api-key: %.*s", (int)key->length, key->bytes);
    _cleanup_(fetch_answer_clear) struct fetch_answer answer = {0};
    char error[FETCH_ERROR_MAX];
    bool whole = fetch_call(&fetch, &answer, error);
    OPENSSL_cleanse(authorization, sizeof authorization);
    OPENSSL_cleanse(api_key, sizeof api_key);
    bool cancelled = fetch.cancel && atomic_load(fetch.cancel);
    if (whole)
        read_answer(call, &answer);
    else
        say(call->answer, cancelled ? API_CANCELLED : API_TRY_AGAIN, error);
    return whole ? answer.status : 0;
}

/* Once; after 401 (Sage, or its gateway, no longer takes the token) once more with another. */
static void send_patch(struct call *call)
{
    if (!take_token(&call->token, call->answer) || send_once(call) != UNAUTHORISED)
        return;
    if (!access_token_drop(&call->token)) { /* without a new one, 401 isn't the last word */
        say(call->answer, API_TRY_AGAIN, "status 401, and the database is busy or failed");
        return;
    }
    if (take_token(&call->token, call->answer) && send_once(call) == UNAUTHORISED)
        say(call->answer, API_TRY_AGAIN, "status 401 with a new token");
}

void provider_api_patch(struct provider_api *api, const char *authorisation_id, const char *body,
                        int64_t budget_ms, const atomic_bool *cancel, struct api_answer *answer)
{
    *answer = (struct api_answer){.outcome = API_TRY_AGAIN};
    if (!provider_api_is_configured(api)) {
        say(answer, API_TRY_AGAIN, "[provider_api] isn't configured");
        return;
    }
    if (!uuid_is_valid(authorisation_id)) {
        say(answer, API_REFUSED, "not sent: the authorisation's id is no UUID");
        return;
    }
    _cleanup_(cleanup_free) char *url = NULL;
    if (asprintf(&url, "%s/authorisations/%s", api->config->sage.provider_api_url,
                 authorisation_id) < 0) {
        url = NULL;
        say(answer, API_TRY_AGAIN, "out of memory");
        return;
    }
    struct call call = {.url = url, .body = body, .answer = answer};
    begin_token(api, budget_ms, cancel, &call.token);
    send_patch(&call);
    OPENSSL_cleanse(call.token.token, sizeof call.token.token);
}

bool provider_api_probe(struct provider_api *api, struct api_answer *answer)
{
    *answer = (struct api_answer){.outcome = API_TRY_AGAIN};
    if (!provider_api_is_configured(api)) {
        say(answer, API_TRY_AGAIN, "[provider_api] isn't configured");
        return false;
    }
    struct access_token token = {.anew = true};
    begin_token(api, FETCH_TOTAL_MS, NULL, &token);
    bool had = take_token(&token, answer);
    if (had)
        say(answer, API_TAKEN, "a token was had");
    OPENSSL_cleanse(token.token, sizeof token.token);
    return had;
}
