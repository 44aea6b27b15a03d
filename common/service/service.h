/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SERVICE_H
#define FEEDGATE_SERVICE_H

#include "base/clock.h"
#include "store/store.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

struct config;
struct key_set;
struct local_key;
struct pages;
struct provider_api;
struct session_clock;
struct token_memory;

/* What only some programs need; a broken template must not keep /notification from its work. */
enum service_part {
    SERVICE_PAGES = 1,   /* templates and texts */
    SERVICE_CODES = 2,   /* the key of one-time codes */
    SERVICE_REPORTS = 4, /* Sage's Provider API */
    SERVICE_ASKS = 8,    /* a thread that asks the issuer for its time, when that is due */
};

/* What all requests of a process share: made at its start, given back at its end. */
struct service {
    struct config *config;
    struct clock clock;
    struct store *store;
    struct session_clock *session_clock;
    struct key_set *keys;
    struct token_memory *tokens;
    struct pages *pages;               /* NULL without SERVICE_PAGES */
    struct local_key *codes;           /* NULL without SERVICE_CODES */
    struct provider_api *provider_api; /* NULL without SERVICE_REPORTS */
    atomic_uint reporting;             /* threads that wait for Sage to take a result */
    unsigned reporting_max;            /* at most half of them, so that others are served */
};

enum { SERVICE_ERROR_MAX = 1024 };

/*
 * Reads the configuration, opens the log under the name `program`, the store
 * and the key set, and begins the session time at the newest time of a session.
 * `threads` is how many requests are served at a time, `parts` what is needed of
 * enum service_part, `secrets` which of enum config_secrets. Returns false and one
 * line in `error`; what was opened by then is closed.
 */
bool service_open(struct service *service, const char *program, enum store_role role,
                  unsigned parts, unsigned secrets, size_t threads, char error[SERVICE_ERROR_MAX]);

/*
 * The rest of service_open(), for a caller that has read the configuration
 * itself and opened the log: `service` holds nothing but that. When it returns
 * false the configuration is still there; service_close() is due either way.
 */
bool service_open_parts(struct service *service, enum store_role role, unsigned parts,
                        size_t threads, char error[SERVICE_ERROR_MAX]);

/* Closes all of it; a zeroed service is allowed. */
void service_close(struct service *service);

#endif
