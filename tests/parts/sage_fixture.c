/* SPDX-License-Identifier: MIT */
#include "sage_fixture.h"

#include "base/fetch.h"

#include <string.h>

struct sage_api *sage;
struct config config;
struct clock test_clock;
struct provider_api *api;

static atomic_llong machine_ms;

static int64_t read_test_clock(void)
{
    return atomic_load(&machine_ms);
}

void time_is(int64_t now)
{
    atomic_store(&machine_ms, now);
}

void time_passes(int64_t milliseconds)
{
    atomic_fetch_add(&machine_ms, milliseconds);
}

static void set_secret(struct config_secret *secret, const char *text)
{
    secret->length = strlen(text);
    memcpy(secret->bytes, text, secret->length);
}

static void configure(void)
{
    static char audience[] = "sfdsbanking/sfdsBankingProvider-Pre";
    static char client_id[] = CLIENT_ID;
    static char token_url[64];
    static char base_url[64];
    (void)stpcpy(token_url, sage_api_token_url(sage));
    (void)stpcpy(base_url, sage_api_base_url(sage));
    memset(&config, 0, sizeof(config));
    config.sage.audience = audience;
    config.sage.token_url = token_url;
    config.sage.provider_api_url = base_url;
    config.provider_api.client_id = client_id;
    set_secret(&config.provider_api.client_secret, CLIENT_SECRET);
    set_secret(&config.provider_api.api_key, API_KEY);
}

void sage_set_up(void)
{
    store_set_up();
    ck_assert(fetch_init());
    sage = sage_api_launch();
    configure();
    clock_init(&test_clock);
    test_clock.read = read_test_clock;
    time_is(START_MS);
    api = provider_api_open(store, &test_clock, &config);
    ck_assert_ptr_nonnull(api);
}

void sage_tear_down(void)
{
    provider_api_close(api);
    sage_api_stop(sage);
    store_tear_down();
}
