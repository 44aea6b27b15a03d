/* SPDX-License-Identifier: MIT */
#include "key_set.h"

#include "cleanup.h"
#include "fetch.h"
#include "key_document.h"
#include "log.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 250, /* how old our picture of the table may be */
    WAIT_SLICE_MS = 50,  /* another process's fetch tells us nothing: look this often */
    FETCH_LIMIT_MS = FETCH_TOTAL_MS + 1000, /* a longer one was abandoned by a process that died */
    WAIT_LIMIT_MS = FETCH_LIMIT_MS + 1000,
};

/* Words of the column `outcome`, beside those that tell a failure. */
static const char fetching[] = "fetching";
static const char good[] = "good";

/* What the table says of the set. */
struct picture {
    int64_t generation; /* 0: there is no row yet */
    int64_t fetched_at; /* 0: never */
    int64_t attempted_at;
    bool under_way;
    bool succeeded;
};

struct key_set {
    struct store *store;
    struct clock *clock;
    const struct config *config;
    size_t waiters_max;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;   /* for the keeper */
    pthread_cond_t news;   /* for requests that wait */
    struct picture picture;
    int64_t looked_at; /* monotonic; 0: never */
    int64_t loaded;    /* the generation of `list` */
    struct key_list list;
    size_t waiters;
    bool wanted;
    bool closing;
    bool keeping; /* the thread below was started */
    pthread_t keeper;
    atomic_bool cancel;
};

struct look {
    struct key_set *keys;
    struct picture picture;
    bool loaded;
};

/* Reads the document anew when its generation isn't the one we hold. */
static bool load(struct database *database, struct look *look)
{
    struct key_set *keys = look->keys;
    struct statement *select =
        database_statement(database, "SELECT document FROM key_set WHERE url = $1");
    statement_bind_text(select, 1, keys->config->sage.jwks_url);
    if (statement_step(select) != STEP_ROW)
        return false;
    const char *document = statement_text(select, 0);
    key_list_clear(&keys->list);
    if (document && key_document_read(document, strlen(document), &keys->list) == 0)
        log_event(LOG_LEVEL_ERROR, "key_set_unreadable", {"url", keys->config->sage.jwks_url});
    keys->loaded = look->picture.generation;
    statement_done(select);
    return true;
}

static bool read_picture(struct database *database, void *context)
{
    struct look *look = context;
    struct statement *select = database_statement(
        database, "SELECT generation, COALESCE(fetched_at, 0), attempted_at, outcome "
                  "FROM key_set WHERE url = $1");
    statement_bind_text(select, 1, look->keys->config->sage.jwks_url);
    enum step step = statement_step(select);
    if (step == STEP_ROW) {
        const char *outcome = statement_text(select, 3);
        look->picture = (struct picture){
            .generation = statement_integer(select, 0),
            .fetched_at = statement_integer(select, 1),
            .attempted_at = statement_integer(select, 2),
            .under_way = strcmp(outcome, fetching) == 0,
            .succeeded = strcmp(outcome, good) == 0,
        };
    }
    statement_done(select);
    if (step == STEP_FAILED)
        return false;
    return look->picture.generation == look->keys->loaded || load(database, look);
}

/* Brings our picture up to date. The caller holds the mutex, as in all that follows. */
static void look_now(struct key_set *keys)
{
    struct look look = {.keys = keys};
    if (store_read(keys->store, read_picture, &look) != STORE_DONE)
        return; /* what needs the store will be refused there */
    keys->picture = look.picture;
    keys->looked_at = clock_monotonic();
}

static void look_sometimes(struct key_set *keys)
{
    if (keys->looked_at == 0 || clock_monotonic() - keys->looked_at >= LOOK_EVERY_MS)
        look_now(keys);
}

static bool usable(const struct key_set *keys, int64_t now)
{
    return keys->list.count > 0 &&
           now - keys->picture.fetched_at <= keys->config->keys.max_stale_ms;
}

static bool attempt_allowed(const struct key_set *keys, int64_t now)
{
    int64_t since = now - keys->picture.attempted_at;
    if (keys->picture.under_way)
        return since >= FETCH_LIMIT_MS && since >= keys->config->keys.cool_down_ms;
    return since >= keys->config->keys.cool_down_ms;
}

struct attempt {
    struct key_set *keys;
    int64_t now;
    bool ours;
    const char *document; /* NULL when the fetch failed */
    const char *outcome;
};

/* Claims the next fetch: true for one process in a cool-down. */
static bool claim(struct database *database, void *context)
{
    struct attempt *attempt = context;
    const struct config *config = attempt->keys->config;
    int64_t cool = attempt->now - config->keys.cool_down_ms;
    int64_t abandoned = attempt->now - FETCH_LIMIT_MS;
    struct statement *insert = database_statement(
        database, "INSERT INTO key_set (url, generation, attempted_at, outcome) "
                  "VALUES ($1, 0, $2, 'fetching') ON CONFLICT (url) DO UPDATE "
                  "SET attempted_at = excluded.attempted_at, outcome = excluded.outcome "
                  "WHERE key_set.attempted_at <= $3 "
                  "AND (key_set.outcome <> 'fetching' OR key_set.attempted_at <= $4)");
    statement_bind_text(insert, 1, config->sage.jwks_url);
    statement_bind_integer(insert, 2, attempt->now);
    statement_bind_integer(insert, 3, cool);
    statement_bind_integer(insert, 4, abandoned);
    int64_t changed;
    if (!statement_changes(insert, &changed))
        return false;
    attempt->ours = changed == 1;
    return true;
}

static bool record(struct database *database, void *context)
{
    struct attempt *attempt = context;
    struct statement *update = database_statement(
        database, "UPDATE key_set SET generation = generation + CASE WHEN document = $1 THEN 0 "
                  "ELSE 1 END, document = $1, fetched_at = $2, outcome = 'good' WHERE url = $3");
    statement_bind_text(update, 1, attempt->document);
    statement_bind_integer(update, 2, attempt->now);
    statement_bind_text(update, 3, attempt->keys->config->sage.jwks_url);
    return statement_run(update);
}

static bool record_failure(struct database *database, void *context)
{
    struct attempt *attempt = context;
    /* A process that ends in the middle must not make the others wait for the cool-down. */
    bool cancelled = atomic_load(&attempt->keys->cancel);
    struct statement *update = database_statement(
        database,
        "UPDATE key_set SET outcome = $1, attempted_at = attempted_at * $2 WHERE url = $3");
    statement_bind_text(update, 1, cancelled ? "cancelled" : attempt->outcome);
    statement_bind_integer(update, 2, cancelled ? 0 : 1);
    statement_bind_text(update, 3, attempt->keys->config->sage.jwks_url);
    return statement_run(update);
}

/* The document of the set; NULL and a reason when what came is none that may replace the old. */
static char *fetch_document(struct key_set *keys, char error[FETCH_ERROR_MAX])
{
    struct fetch fetch = {
        .url = keys->config->sage.jwks_url,
        .ca_file = keys->config->network.ca_file,
        .proxy = keys->config->network.proxy,
        .limit = KEY_DOCUMENT_MAX,
        .cancel = &keys->cancel,
    };
    size_t length = 0;
    char *document = fetch_get(&fetch, &length, error);
    struct key_list list = {0};
    if (document && key_document_read(document, length, &list) == 0) {
        (void)snprintf(error, FETCH_ERROR_MAX, "no key set with a usable key");
        free(document);
        document = NULL;
    }
    key_list_clear(&list);
    return document;
}

/* Fetches if it is our turn. Works without the mutex: it may take seconds. */
static void attempt_fetch(struct key_set *keys)
{
    struct attempt attempt = {.keys = keys, .now = clock_now(keys->clock)};
    if (store_write(keys->store, claim, &attempt) != STORE_DONE || !attempt.ours)
        return;
    char error[FETCH_ERROR_MAX] = "";
    _cleanup_(cleanup_free) char *document = fetch_document(keys, error);
    attempt.document = document;
    attempt.outcome = error;
    attempt.now = clock_now(keys->clock);
    if (document)
        log_event(LOG_LEVEL_INFO, "key_set_fetched", {"url", keys->config->sage.jwks_url});
    else
        log_event(LOG_LEVEL_ERROR, "key_set_not_fetched", {"url", keys->config->sage.jwks_url},
                  {"detail", error});
    if (store_write(keys->store, document ? record : record_failure, &attempt) != STORE_DONE)
        log_event(LOG_LEVEL_ERROR, "key_set_not_stored", {"url", keys->config->sage.jwks_url});
}

static void *keep(void *argument)
{
    struct key_set *keys = argument;
    (void)pthread_mutex_lock(&keys->mutex);
    while (!keys->closing) {
        if (!keys->wanted) {
            (void)pthread_cond_wait(&keys->work, &keys->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&keys->mutex);
        attempt_fetch(keys);
        (void)pthread_mutex_lock(&keys->mutex);
        keys->wanted = false;
        look_now(keys);
        (void)pthread_cond_broadcast(&keys->news);
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    return NULL;
}

/* Sets the keeper to work, and starts it if it is needed for the first time. */
static void want_fetch(struct key_set *keys)
{
    if (!keys->keeping && pthread_create(&keys->keeper, NULL, keep, keys) == 0)
        keys->keeping = true;
    if (!keys->keeping)
        log_event(LOG_LEVEL_ERROR, "key_set_not_fetched", {"detail", "no thread"});
    keys->wanted = true;
    (void)pthread_cond_signal(&keys->work);
}

struct key_set *key_set_open(struct store *store, struct clock *clock, const struct config *config,
                             size_t waiters_max)
{
    struct key_set *keys = calloc(1, sizeof *keys);
    if (!keys || pthread_mutex_init(&keys->mutex, NULL) != 0 ||
        pthread_cond_init(&keys->work, NULL) != 0 || pthread_cond_init(&keys->news, NULL) != 0) {
        free(keys);
        return NULL;
    }
    keys->store = store;
    keys->clock = clock;
    keys->config = config;
    keys->waiters_max = waiters_max;
    return keys;
}

void key_set_close(struct key_set *keys)
{
    if (!keys)
        return;
    (void)pthread_mutex_lock(&keys->mutex);
    keys->closing = true;
    atomic_store(&keys->cancel, true);
    (void)pthread_cond_signal(&keys->work);
    (void)pthread_mutex_unlock(&keys->mutex);
    if (keys->keeping)
        (void)pthread_join(keys->keeper, NULL); /* fails only for what is no thread of ours */
    key_list_clear(&keys->list);
    (void)pthread_cond_destroy(&keys->news);
    (void)pthread_cond_destroy(&keys->work);
    (void)pthread_mutex_destroy(&keys->mutex);
    free(keys);
}

int64_t key_set_generation(struct key_set *keys)
{
    (void)pthread_mutex_lock(&keys->mutex);
    look_sometimes(keys);
    int64_t now = clock_now(keys->clock);
    int64_t generation = usable(keys, now) ? keys->loaded : -1;
    if (generation >= 0 && now - keys->picture.fetched_at > keys->config->keys.max_age_ms &&
        attempt_allowed(keys, now) && !keys->wanted)
        want_fetch(keys);
    (void)pthread_mutex_unlock(&keys->mutex);
    return generation;
}

static void wait_a_slice(struct key_set *keys)
{
    int64_t end = clock_monotonic() + WAIT_SLICE_MS;
    struct timespec deadline = {.tv_sec = end / SECOND_MS,
                                .tv_nsec = end % SECOND_MS * INT64_C(1000000)};
    (void)pthread_cond_clockwait(&keys->news, &keys->mutex, CLOCK_MONOTONIC, &deadline);
    look_now(keys);
}

/* Waits until the key is there or the table says why it isn't. */
static enum refusal wait_for_key(struct key_set *keys, const char *id)
{
    int64_t end = clock_monotonic() + WAIT_LIMIT_MS;
    for (;;) {
        int64_t now = clock_now(keys->clock);
        if (usable(keys, now) && key_list_find(&keys->list, id))
            return REFUSAL_NONE;
        bool allowed = attempt_allowed(keys, now);
        if (!allowed && !keys->picture.under_way)
            return keys->picture.succeeded ? REFUSAL_TOKEN_KEY_UNKNOWN : REFUSAL_KEYS_UNAVAILABLE;
        if (clock_monotonic() >= end)
            return REFUSAL_KEYS_UNAVAILABLE;
        if (allowed && !keys->wanted)
            want_fetch(keys);
        wait_a_slice(keys);
    }
}

static enum refusal find(struct key_set *keys, const char *id)
{
    look_sometimes(keys);
    bool any = usable(keys, clock_now(keys->clock));
    if (any && key_list_find(&keys->list, id))
        return REFUSAL_NONE;
    /* Some threads stay free for known keys; while there are none, all may wait. */
    if (any && keys->waiters >= keys->waiters_max)
        return REFUSAL_KEYS_UNAVAILABLE;
    keys->waiters++;
    enum refusal refusal = wait_for_key(keys, id);
    keys->waiters--;
    return refusal;
}

enum refusal key_set_find(struct key_set *keys, const char *id, EVP_PKEY **key, int64_t *generation)
{
    (void)pthread_mutex_lock(&keys->mutex);
    enum refusal refusal = find(keys, id);
    if (refusal == REFUSAL_NONE) {
        *key = key_list_find(&keys->list, id);
        *generation = keys->loaded;
        if (EVP_PKEY_up_ref(*key) != 1)
            refusal = REFUSAL_INTERNAL;
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    return refusal;
}

bool key_set_newest_time(struct database *database, int64_t *newest)
{
    struct statement *select =
        database_statement(database, "SELECT COALESCE(MAX(attempted_at), 0) FROM key_set");
    if (statement_step(select) != STEP_ROW)
        return false;
    *newest = statement_integer(select, 0);
    statement_done(select);
    return true;
}

bool key_set_list(struct database *database,
                  void (*show)(const struct key_set_row *row, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT url, fetched_at, attempted_at, outcome, document FROM key_sets");
    enum step step;
    while ((step = statement_step(select)) == STEP_ROW) {
        struct key_set_row row = {
            .url = statement_text(select, 0),
            .fetched_at = statement_text(select, 1),
            .attempted_at = statement_text(select, 2),
            .outcome = statement_text(select, 3),
            .document = statement_text(select, 4),
        };
        show(&row, context);
    }
    return step == STEP_DONE;
}
