/* SPDX-License-Identifier: MIT */
#include "service.h"

#include "base/fetch.h"
#include "base/log.h"
#include "config/config.h"
#include "pages/pages.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "sage/key_set.h"
#include "sage/provider_api.h"
#include "sage/sage_token.h"
#include "store/local_key.h"

#include <stdio.h>
#include <string.h>

_Static_assert((int)SERVICE_ERROR_MAX >= (int)CONFIG_ERROR_MAX &&
                   (int)SERVICE_ERROR_MAX >= (int)STORE_ERROR_MAX &&
                   (int)SERVICE_ERROR_MAX >= (int)PAGES_ERROR_MAX &&
                   (int)SERVICE_ERROR_MAX >= (int)LOCAL_KEY_ERROR_MAX,
               "an error of a part must fit");

static bool find_newest_time(struct database *database, void *context)
{
    return session_newest_time(database, context);
}

/* No other time counts: what nobody opens by it may have been written by any clock. */
static bool begin_session_time(struct service *service)
{
    int64_t newest = 0;
    if (store_read(service->store, find_newest_time, &newest) != STORE_DONE)
        return false;
    clock_not_before(&service->clock, newest);
    return true;
}

/* What only some programs need. */
static bool open_further(struct service *service, unsigned parts, char error[SERVICE_ERROR_MAX])
{
    const struct config *config = service->config;
    if (parts & SERVICE_PAGES) {
        service->pages = pages_open(config->journey.templates, error);
        if (!service->pages)
            return false;
    }
    if (parts & SERVICE_CODES) {
        service->codes = local_key_open(config->store.database, error);
        if (!service->codes)
            return false;
    }
    if (parts & SERVICE_REPORTS) {
        service->provider_api = provider_api_open(service->store, &service->clock, config);
        if (!service->provider_api)
            return false;
    }
    return true;
}

bool service_open_parts(struct service *service, enum store_role role, unsigned parts,
                        size_t threads, char error[SERVICE_ERROR_MAX])
{
    clock_init(&service->clock);
    service->store = store_open(service->config->store.database, role, error);
    if (!service->store)
        return false;
    (void)snprintf(error, SERVICE_ERROR_MAX, "%s: can't be read", service->config->store.database);
    if (!begin_session_time(service))
        return false;
    (void)snprintf(error, SERVICE_ERROR_MAX, "out of memory");
    /* Half of the threads stay free for requests that needn't wait for a key set, or for Sage. */
    size_t waiters = threads > 1 ? threads / 2 : 1;
    service->reporting_max = (unsigned)waiters;
    service->keys = key_set_open(service->store, &service->clock, service->config, waiters);
    service->tokens = token_memory_new();
    if (!service->keys || !service->tokens || !fetch_init())
        return false;
    service->session_clock = session_clock_open(service->store, &service->clock, service->config,
                                                (parts & SERVICE_ASKS) != 0);
    return service->session_clock && open_further(service, parts, error);
}

bool service_open(struct service *service, const char *program, enum store_role role,
                  unsigned parts, unsigned secrets, size_t threads, char error[SERVICE_ERROR_MAX])
{
    memset(service, 0, sizeof *service);
    /* Before it is known where the log goes, since nobody may read standard error. */
    log_open(program, LOG_TO_STDERR, LOG_LEVEL_WARNING);
    service->config = config_load(config_path(), secrets, error);
    if (!service->config)
        return false;
    log_open(program, service->config->log.target, service->config->log.level);
    if (service_open_parts(service, role, parts, threads, error))
        return true;
    service_close(service);
    return false;
}

void service_close(struct service *service)
{
    provider_api_close(service->provider_api);
    local_key_close(service->codes);
    pages_close(service->pages);
    session_clock_close(service->session_clock);
    key_set_close(service->keys);
    token_memory_free(service->tokens);
    store_close(service->store);
    config_free(service->config);
    memset(service, 0, sizeof *service);
}
