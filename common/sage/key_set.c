/* SPDX-License-Identifier: MIT */
#include "key_set.h"

#include "base/cleanup.h"
#include "base/fetch.h"
#include "base/log.h"
#include "key_document.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

/*
 * Who fetches: a request that finds its key unknown, or the set old, wakes its
 * process's keeper, and waits if it must. The keepers of all processes compete for the
 * turn of those callers by one UPDATE of key_fetch; the winner numbers its fetch in
 * key_set, calls the issuer without any lock, and records what came. The others look
 * at the tables until that number has ended. So a set is fetched once, and each
 * process takes it over when it sees the generation grow.
 */

enum {
    READ_EVERY_MS = 250, /* how old our picture of the table may be */
    WAIT_SLICE_MS = 50,  /* another process's fetch tells us nothing: look this often */
    FETCH_LIMIT_MS = FETCH_TOTAL_MS + 1000, /* a longer one was abandoned by a process that died */
    WAIT_LIMIT_MS = FETCH_LIMIT_MS + 1000,
};

/* Words of the column `outcome`, beside those that tell a failure. */
static const char fetching[] = "fetching";
static const char good[] = "good";

/* How the table names those for whom a fetch is made. */
static const char *const caller_names[CALLER_COUNT] = {
    [CALLER_STRANGER] = "stranger",
    [CALLER_KNOWN] = "key_header",
};

/* The last fetch for one kind of callers. */
struct turn {
    int64_t begun_at; /* 0: never, or cancelled */
    bool unfinished;  /* under way, or abandoned by a process that died */
};

/* What the tables say of the set. */
struct set_state {
    int64_t generation; /* 0: there is no document yet */
    int64_t fetched_at; /* 0: never */
    int64_t fetches;    /* begun so far in all processes, which numbers them */
    int64_t good_fetch; /* the number of the one that brought the document */
    struct turn turns[CALLER_COUNT];
};

struct key_set {
    struct store *store;
    struct clock *clock;
    const struct config *config;
    size_t waiters_max;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;   /* for the keeper */
    pthread_cond_t news;   /* for requests that wait */
    struct set_state state;
    int64_t read_at; /* monotonic; 0: never */
    int64_t loaded;  /* the generation of `list` */
    struct key_list list;
    size_t waiters;
    bool wanted[CALLER_COUNT];
    bool closing;
    bool keeping; /* the thread below was started */
    pthread_t keeper;
    atomic_bool cancel;
};

struct set_query {
    struct key_set *keys;
    struct set_state state;
    bool loaded;
};

/* Reads the document anew when its generation isn't the one we hold. */
static bool load(struct database *database, struct set_query *query)
{
    struct key_set *keys = query->keys;
    struct statement *select =
        database_statement(database, "SELECT document FROM key_set WHERE url = $1");
    statement_bind_text(select, 1, keys->config->sage.jwks_url);
    if (statement_step(select) != ROW_FOUND)
        return false;
    const char *document = statement_text(select, 0);
    key_list_clear(&keys->list);
    if (document && key_document_read(document, strlen(document), &keys->list) == 0)
        log_event(LOG_LEVEL_ERROR, "key_set_unreadable", {"url", keys->config->sage.jwks_url});
    keys->loaded = query->state.generation;
    statement_done(select);
    return true;
}

static void read_turn(struct statement *select, struct set_state *state)
{
    const char *name = statement_text(select, 4);
    for (size_t i = 0; name && i < CALLER_COUNT; i++)
        if (strcmp(name, caller_names[i]) == 0)
            state->turns[i] = (struct turn){
                .begun_at = statement_integer(select, 5),
                .unfinished = strcmp(statement_text(select, 6), fetching) == 0,
            };
}

/* By one statement, so that a fetch that has ended is never seen without what it brought. */
static bool read_set_state(struct database *database, void *context)
{
    struct set_query *query = context;
    struct set_state *state = &query->state;
    struct statement *select = database_statement(
        database, "SELECT generation, COALESCE(fetched_at, 0), fetches, good_fetch, "
                  "key_fetch.caller, key_fetch.begun_at, key_fetch.outcome FROM key_set "
                  "LEFT JOIN key_fetch ON key_fetch.url = key_set.url WHERE key_set.url = $1");
    statement_bind_text(select, 1, query->keys->config->sage.jwks_url);
    enum statement_row row;
    while ((row = statement_step(select)) == ROW_FOUND) {
        state->generation = statement_integer(select, 0);
        state->fetched_at = statement_integer(select, 1);
        state->fetches = statement_integer(select, 2);
        state->good_fetch = statement_integer(select, 3);
        read_turn(select, state);
    }
    if (row == ROW_FAILED)
        return false;
    return state->generation == query->keys->loaded || load(database, query);
}

/*
 * Brings our picture up to date; false when the store doesn't let us. The
 * caller holds the mutex, as in all that follows.
 */
static bool read_now(struct key_set *keys)
{
    struct set_query query = {.keys = keys};
    if (store_read(keys->store, read_set_state, &query) != STORE_DONE)
        return false; /* what needs the store will be refused there */
    keys->state = query.state;
    keys->read_at = clock_monotonic();
    return true;
}

static void read_sometimes(struct key_set *keys)
{
    if (keys->read_at == 0 || clock_monotonic() - keys->read_at >= READ_EVERY_MS)
        (void)read_now(keys); /* the picture stays as it was */
}

/* A time that is still to come was written by a clock that was ahead, and says little. */
static bool usable(const struct key_set *keys, int64_t now)
{
    int64_t age = now - keys->state.fetched_at;
    int64_t most = keys->config->keys.max_stale_ms;
    return keys->list.count > 0 && age <= most && age >= -most;
}

static bool is_old(const struct key_set *keys, int64_t now)
{
    int64_t age = now - keys->state.fetched_at;
    return age > keys->config->keys.max_age_ms || age < -CLOCK_DOUBT_MS;
}

/* A time that is far ahead was told by a clock that was wrong, and keeps nobody waiting. */
static bool is_within(int64_t now, int64_t time, int64_t span)
{
    int64_t since = now - time;
    return since > -span && since < span;
}

static int64_t longer(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static bool is_free(const struct key_set *keys, enum caller caller, int64_t now)
{
    const struct turn *turn = &keys->state.turns[caller];
    int64_t cool = keys->config->keys.cool_down_ms;
    return !is_within(now, turn->begun_at, turn->unfinished ? longer(cool, FETCH_LIMIT_MS) : cool);
}

static bool any_under_way(const struct key_set *keys, int64_t now)
{
    for (size_t i = 0; i < CALLER_COUNT; i++) {
        const struct turn *turn = &keys->state.turns[i];
        if (turn->unfinished && is_within(now, turn->begun_at, FETCH_LIMIT_MS))
            return true;
    }
    return false;
}

/* A stranger's waits for one that is under way: its end may make another one needless. */
static bool may_fetch(const struct key_set *keys, enum caller caller, int64_t now)
{
    return is_free(keys, caller, now) && (caller == CALLER_KNOWN || !any_under_way(keys, now));
}

struct attempt {
    struct key_set *keys;
    enum caller caller;
    int64_t begun_at;
    int64_t ended_at;
    bool ours;
    int64_t number;
    const char *document; /* NULL when the fetch failed */
    const char *outcome;
};

/* Takes the turn of these callers: true for one process in a cool-down. */
static bool take_turn(struct database *database, struct attempt *attempt)
{
    const struct config *config = attempt->keys->config;
    struct statement *insert = database_statement(
        database,
        "INSERT INTO key_fetch (url, caller, begun_at, outcome) VALUES ($1, $2, $3, 'fetching') "
        "ON CONFLICT (url, caller) DO UPDATE "
        "SET begun_at = excluded.begun_at, outcome = excluded.outcome "
        "WHERE ABS(excluded.begun_at - key_fetch.begun_at) >= "
        "CASE WHEN key_fetch.outcome = 'fetching' THEN $4 ELSE $5 END");
    statement_bind_text(insert, 1, config->sage.jwks_url);
    statement_bind_text(insert, 2, caller_names[attempt->caller]);
    statement_bind_integer(insert, 3, attempt->begun_at);
    statement_bind_integer(insert, 4, longer(config->keys.cool_down_ms, FETCH_LIMIT_MS));
    statement_bind_integer(insert, 5, config->keys.cool_down_ms);
    int64_t changed;
    if (!statement_changes(insert, &changed))
        return false;
    attempt->ours = changed == 1;
    return true;
}

static bool count_fetch(struct database *database, struct attempt *attempt)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO key_set (url, generation, attempted_at, outcome, fetches) "
                  "VALUES ($1, 0, $2, 'fetching', 1) ON CONFLICT (url) DO UPDATE "
                  "SET attempted_at = excluded.attempted_at, outcome = excluded.outcome, "
                  "fetches = key_set.fetches + 1 RETURNING fetches");
    statement_bind_text(insert, 1, attempt->keys->config->sage.jwks_url);
    statement_bind_integer(insert, 2, attempt->begun_at);
    if (statement_step(insert) != ROW_FOUND)
        return false;
    attempt->number = statement_integer(insert, 0);
    return statement_step(insert) == ROW_NONE; /* with RETURNING it has to be run to its end */
}

/* Claims the next fetch for these callers. */
static bool claim(struct database *database, void *context)
{
    struct attempt *attempt = context;
    return take_turn(database, attempt) && (!attempt->ours || count_fetch(database, attempt));
}

static bool end_turn(struct database *database, const struct attempt *attempt, const char *outcome,
                     bool counts)
{
    const char *url = attempt->keys->config->sage.jwks_url;
    struct statement *turn =
        database_statement(database, "UPDATE key_fetch SET outcome = $1, begun_at = begun_at * $2 "
                                     "WHERE url = $3 AND caller = $4 AND begun_at = $5");
    statement_bind_text(turn, 1, outcome);
    statement_bind_integer(turn, 2, counts ? 1 : 0);
    statement_bind_text(turn, 3, url);
    statement_bind_text(turn, 4, caller_names[attempt->caller]);
    statement_bind_integer(turn, 5, attempt->begun_at);
    if (!statement_run(turn))
        return false;
    struct statement *last = database_statement(
        database, "UPDATE key_set SET outcome = $1 WHERE url = $2 AND fetches = $3");
    statement_bind_text(last, 1, outcome);
    statement_bind_text(last, 2, url);
    statement_bind_integer(last, 3, attempt->number);
    return statement_run(last);
}

/* What a fetch brought that began earlier than the one whose document is there is older. */
static bool record(struct database *database, void *context)
{
    struct attempt *attempt = context;
    struct statement *update = database_statement(
        database, "UPDATE key_set SET generation = generation + CASE WHEN document = $1 THEN 0 "
                  "ELSE 1 END, document = $1, fetched_at = $2, good_fetch = $3 "
                  "WHERE url = $4 AND good_fetch < $3");
    statement_bind_text(update, 1, attempt->document);
    statement_bind_integer(update, 2, attempt->ended_at);
    statement_bind_integer(update, 3, attempt->number);
    statement_bind_text(update, 4, attempt->keys->config->sage.jwks_url);
    return statement_run(update) && end_turn(database, attempt, good, true);
}

static bool record_failure(struct database *database, void *context)
{
    struct attempt *attempt = context;
    /* A process that ends in the middle must not make the others wait for the cool-down. */
    bool cancelled = atomic_load(&attempt->keys->cancel);
    return end_turn(database, attempt, cancelled ? "cancelled" : attempt->outcome, !cancelled);
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
static void attempt_fetch(struct key_set *keys, enum caller caller)
{
    struct attempt attempt = {.keys = keys, .caller = caller, .begun_at = clock_now(keys->clock)};
    if (store_write(keys->store, claim, &attempt) != STORE_DONE || !attempt.ours)
        return;
    char error[FETCH_ERROR_MAX] = "";
    _cleanup_(cleanup_free) char *document = fetch_document(keys, error);
    attempt.document = document;
    attempt.outcome = error;
    attempt.ended_at = clock_now(keys->clock);
    if (document)
        log_event(LOG_LEVEL_INFO, "key_set_fetched", {"url", keys->config->sage.jwks_url});
    else
        log_event(LOG_LEVEL_ERROR, "key_set_not_fetched", {"url", keys->config->sage.jwks_url},
                  {"detail", error});
    if (store_write(keys->store, document ? record : record_failure, &attempt) != STORE_DONE)
        log_event(LOG_LEVEL_ERROR, "key_set_not_stored", {"url", keys->config->sage.jwks_url});
}

static void *keep_set(void *argument)
{
    struct key_set *keys = argument;
    (void)pthread_mutex_lock(&keys->mutex);
    while (!keys->closing) {
        enum caller caller = keys->wanted[CALLER_KNOWN] ? CALLER_KNOWN : CALLER_STRANGER;
        if (!keys->wanted[caller]) {
            (void)pthread_cond_wait(&keys->work, &keys->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&keys->mutex);
        attempt_fetch(keys, caller);
        (void)pthread_mutex_lock(&keys->mutex);
        keys->wanted[caller] = false;
        (void)read_now(keys); /* those who wait look themselves */
        (void)pthread_cond_broadcast(&keys->news);
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    return NULL;
}

/*
 * Sets the keeper to work, and starts it if it is needed for the first time.
 * False when it can't be started: whoever comes next tries that again.
 */
static bool want_fetch(struct key_set *keys, enum caller caller)
{
    if (!keys->keeping && pthread_create(&keys->keeper, NULL, keep_set, keys) == 0)
        keys->keeping = true;
    if (!keys->keeping) {
        log_event(LOG_LEVEL_ERROR, "key_set_not_fetched", {"detail", "no thread"});
        return false;
    }
    keys->wanted[caller] = true;
    (void)pthread_cond_signal(&keys->work);
    return true;
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
    read_sometimes(keys);
    int64_t now = clock_now(keys->clock);
    int64_t generation = usable(keys, now) ? keys->loaded : -1;
    if (generation >= 0 && is_old(keys, now) && may_fetch(keys, CALLER_STRANGER, now) &&
        !keys->wanted[CALLER_STRANGER])
        (void)want_fetch(keys, CALLER_STRANGER); /* nobody waits for it */
    (void)pthread_mutex_unlock(&keys->mutex);
    return generation;
}

static void wait_a_slice(struct key_set *keys)
{
    int64_t end = clock_monotonic() + WAIT_SLICE_MS;
    struct timespec deadline = {.tv_sec = end / SECOND_MS,
                                .tv_nsec = end % SECOND_MS * INT64_C(1000000)};
    (void)pthread_cond_clockwait(&keys->news, &keys->mutex, CLOCK_MONOTONIC, &deadline);
    (void)read_now(keys); /* if it fails, the wait goes on */
}

/*
 * Whether the set in force, which lacks the key, is new enough to say that
 * there is no such key; `arrived` is how many fetches had begun when the caller came.
 */
static bool is_final(const struct key_set *keys, enum caller caller, int64_t arrived, int64_t now)
{
    const struct set_state *state = &keys->state;
    if (!usable(keys, now))
        return false;
    return caller == CALLER_KNOWN
               ? state->good_fetch > arrived
               : is_within(now, state->fetched_at, keys->config->keys.cool_down_ms);
}

/* Waits until the key is there or the table says why it isn't. */
static enum refusal wait_for_key(struct key_set *keys, enum caller caller, const char *id)
{
    int64_t end = clock_monotonic() + WAIT_LIMIT_MS;
    /* A picture that is old would count a fetch that began before. */
    if (caller == CALLER_KNOWN && !read_now(keys))
        return REFUSAL_KEYS_UNAVAILABLE;
    int64_t arrived = keys->state.fetches;
    for (;;) {
        int64_t now = clock_now(keys->clock);
        if (usable(keys, now) && key_list_find(&keys->list, id))
            return REFUSAL_NONE;
        if (is_final(keys, caller, arrived, now))
            return REFUSAL_TOKEN_KEY_UNKNOWN;
        bool allowed = may_fetch(keys, caller, now);
        if ((!allowed && !any_under_way(keys, now)) || clock_monotonic() >= end)
            return REFUSAL_KEYS_UNAVAILABLE;
        if (allowed && !keys->wanted[caller] && !want_fetch(keys, caller))
            return REFUSAL_KEYS_UNAVAILABLE;
        wait_a_slice(keys);
    }
}

static enum refusal find(struct key_set *keys, enum caller caller, const char *id)
{
    read_sometimes(keys);
    bool any = usable(keys, clock_now(keys->clock));
    if (any && key_list_find(&keys->list, id))
        return REFUSAL_NONE;
    /* Some threads stay free for known keys; while there are none, all may wait. */
    if (any && keys->waiters >= keys->waiters_max)
        return REFUSAL_KEYS_UNAVAILABLE;
    keys->waiters++;
    enum refusal refusal = wait_for_key(keys, caller, id);
    keys->waiters--;
    return refusal;
}

enum refusal key_set_find(struct key_set *keys, enum caller caller, const char *id, EVP_PKEY **key,
                          int64_t *generation)
{
    (void)pthread_mutex_lock(&keys->mutex);
    enum refusal refusal = find(keys, caller, id);
    if (refusal == REFUSAL_NONE) {
        *key = key_list_find(&keys->list, id);
        *generation = keys->loaded;
        if (EVP_PKEY_up_ref(*key) != 1)
            refusal = REFUSAL_INTERNAL;
    }
    (void)pthread_mutex_unlock(&keys->mutex);
    return refusal;
}
