/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CONFIG_H
#define FEEDGATE_CONFIG_H

#include "base/address.h"
#include "base/log.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * feedgate.conf: an INI file in UTF-8. An unknown section or key, a key given
 * twice, an empty value, a value out of range and a missing required key are
 * errors that name file and line; nothing is ignored. A list may go on over
 * indented lines. A line that begins with `#` or `;` is a comment, and so is
 * what follows a space and `;`.
 * Durations are whole numbers with a unit (s, m, h, d, or the words "seconds",
 * "minutes", "hours", "days", singular too); without one they are seconds.
 * Relative paths start at the directory of the file.
 */

enum { CONFIG_LIST_MAX = 32, CONFIG_ERROR_MAX = 512, CONFIG_KEY_MIN = 16, CONFIG_KEY_MAX = 512 };

/* Bytes that redirect_origins and frame_ancestors may have together: both go into one header. */
enum { CONFIG_POLICY_MAX = 3072 };
enum { CONFIG_LINES_MAX = 64, CONFIG_BASE_URL_MAX = 1024 };

/* The provider_name of a provider that gives none; pages translate it. */
#define CONFIG_PROVIDER_UNNAMED "your bank"

enum environment { ENVIRONMENT_SANDBOX, ENVIRONMENT_PRODUCTION, ENVIRONMENT_CUSTOM };

/* What a re-authorisation's report has as `bankAccounts`: Sage's pages disagree. */
enum reauthorisation_accounts { ACCOUNTS_OMITTED, ACCOUNTS_EMPTY, ACCOUNTS_LISTED };

/* Which header of a trusted proxy names the client. */
enum client_address_header { CLIENT_X_FORWARDED_FOR, CLIENT_CF_CONNECTING_IP };

struct config_list {
    size_t count;
    char *items[CONFIG_LIST_MAX];
};

/* A secret in a file of its own. */
struct config_secret {
    char *file;    /* NULL: none is configured */
    size_t length; /* 0: none is configured, or this process didn't ask for it */
    char bytes[CONFIG_KEY_MAX];
};

/* The secrets that a process asks for: it holds no other. */
enum config_secrets {
    SECRETS_NONE = 0,
    SECRETS_NOTIFICATION = 1,             /* the keys of [notification] */
    SECRETS_NOTIFICATION_IF_REQUIRED = 2, /* the same, while [availableaccounts] wants them shown */
    SECRETS_CODE = 4,                     /* the keys of [code] */
    SECRETS_COMPLETE = 8,                 /* the keys of [complete] */
    SECRETS_PROVIDER_API = 16,            /* client secret and API key */
    SECRETS_ALL = 31,
};

/* What a program of the provider's own shows to an endpoint; without a key nobody passes there. */
struct config_own_key {
    struct config_secret key;
    struct config_secret next_key; /* accepted too, during a rotation */
};

/* Ranges that were read from a file of their own. */
struct config_addresses {
    char *file; /* NULL: none is configured */
    struct address_set set;
};

struct config {
    char *file; /* absolute path of the file that was read */

    struct {
        enum environment environment;
        char *region; /* "eu" or "us"; NULL when not given */
        char *issuer;
        char *audience;
        char *notification_scope;
        char *availableaccounts_scope;
        char *jwks_url;
        char *token_url;
        char *provider_api_url; /* NULL when it can't be told without a region */
    } sage;
    struct {
        char *key_header;   /* as written: letters, digits and '-' */
        char *key_variable; /* the CGI variable of that header: HTTP_X_... */
        struct config_secret key;
        struct config_secret next_key; /* accepted too, during a rotation */
        char *client;                  /* pin; NULL: any */
    } notification;
    struct {
        char *client; /* pin; NULL: any */
        bool require_key_header;
    } availableaccounts;
    struct {
        int64_t lifetime_ms;
        int64_t retention_ms;
    } session;
    struct {
        char *public_url; /* at most CONFIG_BASE_URL_MAX bytes, without a trailing slash */
        struct config_list redirect_origins;
        struct config_list fragment_origins;
        char *frame_ancestors; /* the CSP source list */
        char *provider_name;
        char *templates;             /* a directory; NULL: the built-in pages */
        int64_t cancel_abandoned_ms; /* before the session's expiry; 0: never */
    } journey;
    struct config_own_key code;            /* of POST /code */
    struct config_own_key complete;        /* of POST /complete */
    struct address_set complete_addresses; /* from which it may be called; empty: from anywhere */
    struct {
        char *client_id; /* NULL when results aren't reported */
        struct config_secret client_secret;
        struct config_secret api_key;
        enum reauthorisation_accounts reauthorisation_accounts;
        char *cancelled_status;
        char *error_status;
    } provider_api;
    struct {
        char *ca_file;                          /* NULL: the system's */
        char *proxy;                            /* NULL: none */
        struct config_addresses sage_addresses; /* without a file, Sage may call from anywhere */
        struct address_set trusted_proxies;     /* that may name their client's address */
        enum client_address_header client_address_header;
    } network;
    struct {
        int64_t max_age_ms;
        int64_t cool_down_ms;
        int64_t max_stale_ms;
    } keys;
    struct {
        char *database;
    } store;
    struct {
        enum log_target target;
        enum log_level level;
    } log;

    /* Private to config: */
    int lines[CONFIG_LINES_MAX]; /* of each key, 0: its default */
    struct config_text *texts;   /* owns every text above */
};

/*
 * The path of the configuration: FEEDGATE_CONF from the environment, else the
 * built-in default. Borrowed.
 */
const char *config_path(void);

/*
 * Reads and checks the file at `path`, and of the secrets it names those in
 * `secrets` (of enum config_secrets): each must be a regular file that others
 * can't read, with one line of CONFIG_KEY_MIN to CONFIG_KEY_MAX printable bytes.
 * The other files are looked at and never opened, so what holds between two
 * secrets is told only to who asks for both. Returns a configuration that config_free()
 * gives back, or NULL and in `error` one line: "FILE:LINE: what is wrong and
 * what to write" ("FILE: ..." when the file itself can't be read). What is
 * missing is missed at its section's first line, or at the end of the file.
 */
struct config *config_load(const char *path, unsigned secrets, char error[CONFIG_ERROR_MAX]);

/* Gives back a configuration and wipes its secrets. NULL is allowed. */
void config_free(struct config *config);

/*
 * The line at which a key stands in the file ("session", "lifetime"), for
 * messages about what it names; 0 when the default is in force.
 */
int config_line(const struct config *config, const char *section, const char *key);

#endif
