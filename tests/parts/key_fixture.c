/* SPDX-License-Identifier: MIT */
#include "key_fixture.h"

#include "expect.h"
#include "scratch.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

enum { AWAIT_MS = 60000 };

struct issuer *issuer;
struct key_set *keys;

static struct store *store_elsewhere;
static struct key_set *set_elsewhere;
static const void *mark; /* of the scratch space before the test */

/* ---- what the linker puts in place of libc's (Makefile.am) ------------------------ */

int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument);
int __real_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  clockid_t clock, const struct timespec *deadline);
int __wrap_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  clockid_t clock, const struct timespec *deadline);

static atomic_bool no_thread;
static atomic_int waiting_searches;
static _Thread_local bool is_search; /* and hasn't waited yet */

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *),
                          void *argument)
{
    if (atomic_exchange(&no_thread, false))
        return EAGAIN;
    return __real_pthread_create(thread, attributes, run, argument);
}

int __wrap_pthread_cond_clockwait(pthread_cond_t *condition, pthread_mutex_t *mutex,
                                  clockid_t clock, const struct timespec *deadline)
{
    if (is_search)
        atomic_fetch_add(&waiting_searches, 1);
    is_search = false;
    return __real_pthread_cond_clockwait(condition, mutex, clock, deadline);
}

void fail_next_thread(void)
{
    atomic_store(&no_thread, true);
}

/* ---- what the issuer needs of the tests that go through a server ------------------- */

void expect_failed(const char *file, int line, const char *expression, const char *format, ...)
{
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    ck_abort_msg("%s:%d: %s: %s", file, line, expression, text);
    abort(); /* not reached */
}

void undo_later(void (*undo)(void *), void *argument)
{
    (void)undo, (void)argument;
    abort(); /* the fixture ends what it started */
}

/* ---- the fixture ------------------------------------------------------------------- */

static struct key_set *open_keys(struct store *its_store)
{
    struct key_set *set = key_set_open(its_store, &test_clock, &config, 4);
    ck_assert_ptr_nonnull(set);
    return set;
}

void key_set_up(void)
{
    static char url[128];
    mark = scratch_mark();
    sage_set_up();
    issuer = issuer_launch();
    ck_assert_int_gt(snprintf(url, sizeof(url), "%s.well-known/jwks.json", issuer_url(issuer)), 0);
    config.sage.jwks_url = url;
    config.keys.cool_down_ms = COOL_DOWN_MS;
    config.keys.max_age_ms = MAX_AGE_MS;
    config.keys.max_stale_ms = INT64_C(24) * MAX_AGE_MS;
    atomic_store(&waiting_searches, 0);
    keys = open_keys(store);
}

void key_tear_down(void)
{
    issuer_release(issuer);
    key_set_close(set_elsewhere);
    set_elsewhere = NULL;
    store_close(store_elsewhere);
    store_elsewhere = NULL;
    key_set_close(keys);
    issuer_stop(issuer);
    sage_tear_down();
    scratch_release_to(mark);
}

struct key_set *keys_elsewhere(void)
{
    char error[STORE_ERROR_MAX];
    store_elsewhere = store_open(store_path, STORE_ENDPOINT, error);
    ck_assert_msg(store_elsewhere != NULL, "%s", error);
    set_elsewhere = open_keys(store_elsewhere);
    return set_elsewhere;
}

enum refusal find_key(struct key_set *set, enum caller caller, const char *id)
{
    EVP_PKEY *key = NULL;
    int64_t generation = 0;
    enum refusal refusal = key_set_find(set, caller, id, &key, &generation);
    EVP_PKEY_free(key);
    return refusal;
}

static void *run_search(void *argument)
{
    struct search *search = argument;
    is_search = true;
    search->refusal = find_key(search->set, search->caller, search->id);
    return NULL;
}

void find_begin(struct search *search)
{
    ck_assert_int_eq(pthread_create(&search->thread, NULL, run_search, search), 0);
}

enum refusal find_end(struct search *search)
{
    ck_assert_int_eq(pthread_join(search->thread, NULL), 0);
    return search->refusal;
}

void await_searches(int count)
{
    int64_t end = clock_monotonic() + AWAIT_MS;
    while (atomic_load(&waiting_searches) < count && clock_monotonic() < end)
        (void)poll(NULL, 0, 1);
    ck_assert_int_eq(atomic_load(&waiting_searches), count);
}

void await_fetches(unsigned count)
{
    int64_t end = clock_monotonic() + AWAIT_MS;
    while (issuer_fetches(issuer) < count && clock_monotonic() < end)
        (void)poll(NULL, 0, 1);
    ck_assert_uint_eq(issuer_fetches(issuer), count);
}
