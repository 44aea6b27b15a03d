/* SPDX-License-Identifier: MIT */
#include "access_token.h"

#include "base/cleanup.h"
#include "base/fetch.h"
#include "base/json.h"
#include "base/log.h"

#include <openssl/crypto.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

/*
 * Who fetches: the process whose UPDATE moves fetching_till, until it has stored a
 * token or a failure, or for CLAIM_MS if it died. The others use a token that lasts,
 * or look at the row until there is one. A failure pauses all of them.
 */

enum {
    ANSWER_MAX = 32 * 1024,
    LIFE_DEFAULT_MS = 5 * 60 * 1000, /* when Sage doesn't say */
    LIFE_MAX_S = 24 * 60 * 60,
    LIFE_MAX_MS = LIFE_MAX_S * 1000,
    MARGIN_MS = 60 * 1000, /* a token is replaced this long before it expires */
    MARGIN_PART = 10,      /* or at that part of a short life */
    LAST_PART = 6,         /* of the margin: till then it is used on while its successor is due */
    CLAIM_MS = FETCH_TOTAL_MS + 1000, /* a longer fetch was abandoned by a process that died */
    PAUSE_MS = 5 * 1000,              /* after Sage ID didn't answer or had trouble */
    PAUSE_REFUSED_MS = 30 * 1000,     /* after it refused our credentials */
    PAUSE_MAX_MS = 60 * 1000,
    WAIT_SLICE_MS = 50, /* another process's fetch tells us nothing: look this often */
    ERROR_WORD_MAX = 60,
};

/* What the table says. */
enum token_state {
    STATE_TOKEN,   /* `token` was filled */
    STATE_NOTHING, /* no token, and nobody fetches one */
    STATE_FETCHED, /* somebody else is fetching */
    STATE_PAUSE,   /* the last fetch failed a moment ago; `error` says how */
    STATE_OURS,    /* it is on us to fetch */
};

struct token_query {
    struct access_token *wanted;
    int64_t now;
    int64_t since; /* an older token isn't good enough */
    enum token_state state;
};

static int64_t margin_of(int64_t life_ms)
{
    int64_t part = life_ms / MARGIN_PART;
    return part < MARGIN_MS ? part : MARGIN_MS;
}

/* The times of a row; `margin` is how long before its end the token is replaced. */
struct times {
    int64_t fetched_at, expires_at, fetching_till, margin;
};

static bool fresh(const struct token_query *query, const struct times *times)
{
    return times->fetched_at >= query->since && times->expires_at - query->now > times->margin &&
           times->expires_at - query->now <= LIFE_MAX_MS; /* else the clock was set back */
}

/* Old, but good enough for as long as its successor isn't there. */
static bool lasting(const struct token_query *query, const struct times *times)
{
    return times->fetched_at >= query->since &&
           times->expires_at - query->now > times->margin / LAST_PART &&
           times->expires_at - query->now <= LIFE_MAX_MS;
}

static enum token_state judge_state(const struct token_query *query, const struct times *times,
                                    bool token, bool failure)
{
    if (token && fresh(query, times))
        return STATE_TOKEN;
    bool over = times->fetching_till <= query->now ||
                times->fetching_till > query->now + PAUSE_MAX_MS; /* the clock was set back */
    if (over || (failure && query->wanted->anew))
        return STATE_NOTHING;
    if (token && lasting(query, times))
        return STATE_TOKEN;
    return failure ? STATE_PAUSE : STATE_FETCHED;
}

static void read_row(struct statement *select, struct token_query *query)
{
    struct access_token *wanted = query->wanted;
    const char *token = statement_text(select, 0);
    const char *failure = statement_text(select, 1);
    struct times times = {
        .fetched_at = statement_integer(select, 2),
        .expires_at = statement_integer(select, 3),
        .fetching_till = statement_integer(select, 4),
    };
    times.margin = margin_of(times.expires_at - times.fetched_at);
    query->state = judge_state(query, &times, token != NULL, failure != NULL);
    if (query->state == STATE_TOKEN)
        (void)snprintf(wanted->token, sizeof wanted->token, "%s", token); /* was bounded before */
    if (query->state == STATE_PAUSE) {
        (void)snprintf(wanted->error, sizeof wanted->error, "%s", failure); /* cut at worst */
        wanted->retry_after_ms = times.fetching_till - query->now;
    }
}

static bool read_state(struct database *database, void *context)
{
    struct token_query *query = context;
    const struct config *config = query->wanted->config;
    struct statement *select = database_statement(
        database, "SELECT token, failure, COALESCE(fetched_at, 0), COALESCE(expires_at, 0), "
                  "fetching_till FROM access_token WHERE token_url = $1 AND client_id = $2");
    statement_bind_text(select, 1, config->sage.token_url);
    statement_bind_text(select, 2, config->provider_api.client_id);
    enum statement_row row = statement_step(select);
    query->state = STATE_NOTHING;
    if (row == ROW_FOUND)
        read_row(select, query);
    statement_done(select);
    return row != ROW_FAILED;
}

/* Claims the next fetch: for one process, until it has fetched or its claim runs out. */
static bool claim(struct database *database, void *context)
{
    struct token_query *query = context;
    const struct config *config = query->wanted->config;
    /* Somebody may have fetched since the look that led here. */
    if (!read_state(database, query))
        return false;
    if (query->state != STATE_NOTHING)
        return true;
    /* The condition decides where writers don't come one after the other, as they do here. */
    struct statement *insert = database_statement(
        database, "INSERT INTO access_token (token_url, client_id, fetching_till) "
                  "VALUES ($1, $2, $3) ON CONFLICT (token_url, client_id) DO UPDATE "
                  "SET fetching_till = excluded.fetching_till, failure = NULL "
                  "WHERE access_token.fetching_till <= $4 OR access_token.fetching_till > $5 "
                  "OR access_token.failure IS NOT NULL");
    statement_bind_text(insert, 1, config->sage.token_url);
    statement_bind_text(insert, 2, config->provider_api.client_id);
    statement_bind_integer(insert, 3, query->now + CLAIM_MS);
    statement_bind_integer(insert, 4, query->now);
    statement_bind_integer(insert, 5, query->now + PAUSE_MAX_MS);
    int64_t changed;
    if (!statement_changes(insert, &changed))
        return false;
    query->state = changed == 1 ? STATE_OURS : STATE_FETCHED;
    return true;
}

static void wipe(char **text)
{
    if (*text)
        OPENSSL_cleanse(*text, strlen(*text));
    free(*text);
}

/* A member of a form; all but unreserved characters are escaped (RFC 3986, 2.3). */
static char *add_member(char *at, const char *name, const char *value, size_t length)
{
    static const char digits[] = "0123456789ABCDEF";
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    at = stpcpy(at, name);
    for (size_t i = 0; i < length; i++) {
        unsigned char byte = (unsigned char)value[i];
        if (byte != '\0' && strchr(plain, byte)) {
            *at++ = (char)byte;
            continue;
        }
        *at++ = '%';
        *at++ = digits[byte >> 4];
        *at++ = digits[byte & 15];
    }
    *at = '\0';
    return at;
}

/* Owned by the caller; NULL when memory is out. */
static char *make_form(const struct config *config)
{
    static const char grant[] = "grant_type=client_credentials";
    const struct config_secret *secret = &config->provider_api.client_secret;
    const char *id = config->provider_api.client_id;
    const char *audience = config->sage.audience;
    char *form = malloc(sizeof grant + 64 + 3 * (strlen(id) + secret->length + strlen(audience)));
    if (!form)
        return NULL;
    char *at = stpcpy(form, grant);
    at = add_member(at, "&client_id=", id, strlen(id));
    at = add_member(at, "&client_secret=", secret->bytes, secret->length);
    (void)add_member(at, "&audience=", audience, strlen(audience)); /* where it ends */
    return form;
}

static bool is_visible(const char *text)
{
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

/* For how long a token is good; a short time when the answer doesn't say, or says nonsense. */
static int64_t read_life(const cJSON *answer)
{
    const cJSON *seconds = json_member(answer, "expires_in");
    if (!cJSON_IsNumber(seconds) || !(seconds->valuedouble >= 1))
        return LIFE_DEFAULT_MS;
    return seconds->valuedouble < LIFE_MAX_S ? (int64_t)(seconds->valuedouble * 1000) : LIFE_MAX_MS;
}

const char *access_token_read(const char *bytes, size_t length, char *token, int64_t *life_ms)
{
    _cleanup_(cleanup_json) cJSON *answer = json_parse(bytes, length);
    const char *text = json_text(answer, "access_token");
    const cJSON *type = json_member(answer, "token_type");
    if (!answer)
        return "the answer isn't JSON";
    if (!text || !text[0])
        return "the answer has no access_token";
    if (strlen(text) >= ACCESS_TOKEN_SIZE || !is_visible(text))
        return "the access_token isn't one: too long, or not visible ASCII";
    if (type && (!cJSON_IsString(type) || strcasecmp(type->valuestring, "Bearer") != 0))
        return "the token_type isn't Bearer";
    *life_ms = read_life(answer);
    (void)stpcpy(token, text);
    return NULL;
}

/* A fetch of ours: what it brought, for the table. */
struct fetched {
    const struct access_token *wanted;
    int64_t fetched_at, expires_at;
    const char *failure; /* NULL: another process may begin at once */
    int64_t pause_till;
};

static bool record(struct database *database, void *context)
{
    const struct fetched *fetched = context;
    const struct config *config = fetched->wanted->config;
    struct statement *update = database_statement(
        database, "UPDATE access_token SET token = $1, fetched_at = $2, expires_at = $3, "
                  "fetching_till = 0, failure = NULL WHERE token_url = $4 AND client_id = $5");
    statement_bind_text(update, 1, fetched->wanted->token);
    statement_bind_integer(update, 2, fetched->fetched_at);
    statement_bind_integer(update, 3, fetched->expires_at);
    statement_bind_text(update, 4, config->sage.token_url);
    statement_bind_text(update, 5, config->provider_api.client_id);
    return statement_run(update);
}

static bool record_failure(struct database *database, void *context)
{
    const struct fetched *fetched = context;
    const struct config *config = fetched->wanted->config;
    struct statement *update =
        database_statement(database, "UPDATE access_token SET failure = $1, fetching_till = $2 "
                                     "WHERE token_url = $3 AND client_id = $4");
    statement_bind_text(update, 1, fetched->failure);
    statement_bind_integer(update, 2, fetched->pause_till);
    statement_bind_text(update, 3, config->sage.token_url);
    statement_bind_text(update, 4, config->provider_api.client_id);
    return statement_run(update);
}

static void keep_fetched(const struct access_token *wanted, store_piece *piece,
                         struct fetched *fetched)
{
    if (store_write(wanted->store, piece, fetched) != STORE_DONE) /* then our claim runs out */
        log_event(LOG_LEVEL_ERROR, "access_token_not_stored",
                  {"url", wanted->config->sage.token_url});
}

/* The word that OAuth has for an error (RFC 6749, 5.2), when it is one. */
static void read_error_word(const struct fetch_answer *answer, char word[ERROR_WORD_MAX])
{
    _cleanup_(cleanup_json) cJSON *document = json_parse(answer->body, answer->length);
    const char *text = json_text(document, "error");
    word[0] = '\0';
    if (text && text[strspn(text, "abcdefghijklmnopqrstuvwxyz_")] == '\0')
        (void)snprintf(word, ERROR_WORD_MAX, " (%s)", text); /* cut at worst */
}

/* Says in `error` why this answer brought no token; returns how long nobody tries again. */
static int64_t explain(struct access_token *wanted, const struct fetch_answer *answer)
{
    char word[ERROR_WORD_MAX];
    bool refused = answer->status >= 400 && answer->status < 500 && answer->status != 408 &&
                   answer->status != 429;
    read_error_word(answer, word);
    (void)snprintf(wanted->error, sizeof wanted->error, "no access token: status %ld%s%s",
                   answer->status, word,
                   refused ? "; are client_id and client_secret_file right?" : "");
    int64_t pause = refused ? PAUSE_REFUSED_MS : PAUSE_MS;
    if (answer->retry_after_ms > pause)
        pause = answer->retry_after_ms < PAUSE_MAX_MS ? answer->retry_after_ms : PAUSE_MAX_MS;
    return pause;
}

/* Asks Sage ID; 0 and the token's life, or how long nobody tries again. */
static int64_t ask(struct access_token *wanted, int64_t *life_ms)
{
    static const char *const headers[] = {"Content-Type: application/x-www-form-urlencoded",
                                          "Accept: application/json", NULL};
    const struct config *config = wanted->config;
    _cleanup_(wipe) char *form = make_form(config);
    _cleanup_(fetch_answer_clear) struct fetch_answer answer = {0};
    int64_t left = wanted->end - clock_monotonic();
    const struct fetch fetch = {
        .url = config->sage.token_url,
        .method = "POST",
        .headers = headers,
        .body = form,
        .ca_file = config->network.ca_file,
        .proxy = config->network.proxy,
        .limit = ANSWER_MAX,
        .timeout_ms = left > 0 ? left : 1,
        .cancel = wanted->cancel,
    };
    char why[FETCH_ERROR_MAX] = "out of memory";
    if (!form || !fetch_call(&fetch, &answer, why)) {
        (void)snprintf(wanted->error, sizeof wanted->error, "no access token: %.*s",
                       ACCESS_TOKEN_ERROR_MAX - 32, why);
        return PAUSE_MS;
    }
    if (answer.status != 200)
        return explain(wanted, &answer);
    const char *wrong = access_token_read(answer.body, answer.length, wanted->token, life_ms);
    if (!wrong)
        return 0;
    (void)snprintf(wanted->error, sizeof wanted->error, "no access token: %s", wrong);
    return PAUSE_REFUSED_MS;
}

static bool is_cancelled(const struct access_token *wanted)
{
    return wanted->cancel && atomic_load(wanted->cancel);
}

/* It is on us: the claim is ours. */
static enum access_token_result fetch_ours(struct access_token *wanted)
{
    int64_t life = 0;
    /* A call that had hardly any time says nothing about Sage ID: others may begin at once. */
    bool fair = wanted->end - clock_monotonic() >= FETCH_CONNECT_MS;
    /* From before the call, since Sage counts from when it answered. */
    struct fetched fetched = {.wanted = wanted, .fetched_at = clock_now(wanted->clock)};
    int64_t pause = ask(wanted, &life);
    if (pause == 0) {
        fetched.expires_at = fetched.fetched_at + life;
        keep_fetched(wanted, record, &fetched);
        log_event(LOG_LEVEL_INFO, "access_token_fetched", {"url", wanted->config->sage.token_url});
        return ACCESS_TOKEN_HAD;
    }
    bool cancelled = is_cancelled(wanted);
    fetched.failure = fair && !cancelled ? wanted->error : NULL;
    fetched.pause_till = fetched.failure ? clock_now(wanted->clock) + pause : 0;
    keep_fetched(wanted, record_failure, &fetched);
    if (cancelled)
        return ACCESS_TOKEN_CANCELLED;
    log_event(LOG_LEVEL_ERROR, "access_token_not_fetched", {"url", wanted->config->sage.token_url},
              {"detail", wanted->error});
    wanted->retry_after_ms = pause;
    return ACCESS_TOKEN_MISSING;
}

static enum access_token_result miss(struct access_token *wanted, const char *why)
{
    (void)snprintf(wanted->error, sizeof wanted->error, "no access token: %s", why);
    return ACCESS_TOKEN_MISSING;
}

/* Looks, and claims the fetch when nobody else has it; false when the store wouldn't. */
static bool read_or_claim(struct token_query *query)
{
    struct store *store = query->wanted->store;
    query->now = clock_now(query->wanted->clock);
    if (store_read(store, read_state, query) != STORE_DONE)
        return false;
    return query->state != STATE_NOTHING || store_write(store, claim, query) == STORE_DONE;
}

enum access_token_result access_token_take(struct access_token *wanted)
{
    struct token_query query = {.wanted = wanted,
                                .since = wanted->anew ? clock_now(wanted->clock) : INT64_MIN};
    for (;;) {
        if (is_cancelled(wanted))
            return ACCESS_TOKEN_CANCELLED;
        if (!read_or_claim(&query))
            return miss(wanted, "the database is busy or failed");
        switch (query.state) {
        case STATE_TOKEN:
            return ACCESS_TOKEN_HAD;
        case STATE_OURS:
            return fetch_ours(wanted);
        case STATE_PAUSE:
            return ACCESS_TOKEN_MISSING;
        case STATE_NOTHING:
        case STATE_FETCHED:
            break;
        }
        if (clock_monotonic() >= wanted->end)
            return miss(wanted, "another process didn't get one in time");
        (void)poll(NULL, 0, WAIT_SLICE_MS); /* nothing but a pause */
    }
}

static bool drop(struct database *database, void *context)
{
    const struct access_token *wanted = context;
    struct statement *update =
        database_statement(database, "UPDATE access_token SET token = NULL, expires_at = NULL "
                                     "WHERE token_url = $1 AND client_id = $2 AND token = $3");
    statement_bind_text(update, 1, wanted->config->sage.token_url);
    statement_bind_text(update, 2, wanted->config->provider_api.client_id);
    statement_bind_text(update, 3, wanted->token);
    return statement_run(update);
}

bool access_token_drop(struct access_token *wanted)
{
    bool dropped = store_write(wanted->store, drop, wanted) == STORE_DONE;
    if (!dropped)
        log_event(LOG_LEVEL_ERROR, "access_token_not_dropped",
                  {"url", wanted->config->sage.token_url});
    return dropped;
}

/* A token whose age nobody knows is fetched anew. */
bool access_token_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE access_token SET token = NULL, expires_at = NULL, fetched_at = NULL, "
                  "failure = NULL, fetching_till = 0 "
                  "WHERE fetched_at > $1 OR expires_at > $2 OR fetching_till > $3");
    statement_bind_integer(update, 1, now);
    statement_bind_integer(update, 2, now + LIFE_MAX_MS);
    statement_bind_integer(update, 3, now + PAUSE_MAX_MS);
    return statement_changes(update, changed);
}
