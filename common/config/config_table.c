/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include "base/clock.h"

#include <assert.h>
#include <string.h>

#define INTO(member) .field = offsetof(struct config, member)
#define ALWAYS(text) .defaults = {text, text, text}
#define BUILT_IN(sandbox, production) .defaults = {sandbox, production, NULL}

static const char *const environments[] = {
    [ENVIRONMENT_SANDBOX] = "sandbox",
    [ENVIRONMENT_PRODUCTION] = "production",
    [ENVIRONMENT_CUSTOM] = "custom",
    NULL,
};
static const char *const regions[] = {"eu", "us", NULL};
static const char *const reauthorisation_accounts[] = {
    [ACCOUNTS_OMITTED] = "omit",
    [ACCOUNTS_EMPTY] = "empty",
    [ACCOUNTS_LISTED] = "list",
    NULL,
};
static const char *const client_address_headers[] = {
    [CLIENT_X_FORWARDED_FOR] = "X-Forwarded-For",
    [CLIENT_CF_CONNECTING_IP] = "CF-Connecting-IP",
    NULL,
};
static const char *const log_targets[] = {
    [LOG_TO_STDERR] = "stderr",
    [LOG_TO_SYSLOG] = "syslog",
    NULL,
};
static const char *const log_levels[] = {
    [LOG_LEVEL_ERROR] = "error",
    [LOG_LEVEL_WARNING] = "warning",
    [LOG_LEVEL_INFO] = "info",
    [LOG_LEVEL_DEBUG] = "debug",
    NULL,
};

/*
 * Every key. What Sage prescribes is built in for its two environments. A
 * section's keys stand together; the environment comes first, since the
 * defaults of all others depend on it.
 */
const struct config_key config_keys[] = {
    {"sage", "environment", config_read_choice, INTO(sage.environment), .rules = CONFIG_REQUIRED,
     .choices = environments},
    {"sage", "region", config_read_one_of, INTO(sage.region), .choices = regions},
    {"sage", "issuer", config_read_url, INTO(sage.issuer),
     .rules = CONFIG_REQUIRED | CONFIG_CUSTOM_ONLY,
     BUILT_IN("https://id-shadow.sage.com/", "https://id.sage.com/")},
    {"sage", "audience", config_read_word, INTO(sage.audience),
     .rules = CONFIG_REQUIRED | CONFIG_CUSTOM_ONLY,
     BUILT_IN("sfdsbanking/sfdsBankingProvider-Pre", "sfdsbanking/sfdsBankingProvider")},
    {"sage", "notification_scope", config_read_word, INTO(sage.notification_scope),
     .rules = CONFIG_CUSTOM_ONLY, ALWAYS("WebhooksLambda")},
    {"sage", "availableaccounts_scope", config_read_word, INTO(sage.availableaccounts_scope),
     .rules = CONFIG_CUSTOM_ONLY, ALWAYS("ProviderAPI")},
    {"sage", "jwks_url", config_read_url, INTO(sage.jwks_url),
     .rules = CONFIG_REQUIRED | CONFIG_CUSTOM_ONLY,
     BUILT_IN("https://id-shadow.sage.com/.well-known/jwks.json",
              "https://id.sage.com/.well-known/jwks.json")},
    {"sage", "token_url", config_read_url, INTO(sage.token_url), .rules = CONFIG_CUSTOM_ONLY,
     BUILT_IN("https://id-shadow.sage.com/oauth/token", "https://id.sage.com/oauth/token")},
    {"sage", "provider_api_url", config_read_base_url, INTO(sage.provider_api_url),
     .rules = CONFIG_CUSTOM_ONLY}, /* its default depends on the region too */

    {"notification", "key_header", config_read_key_header, INTO(notification.key_header),
     .rules = CONFIG_REQUIRED},
    {"notification", "key_file", config_read_secret, INTO(notification.key),
     .rules = CONFIG_REQUIRED, .secrets = SECRETS_NOTIFICATION},
    {"notification", "next_key_file", config_read_secret, INTO(notification.next_key),
     .secrets = SECRETS_NOTIFICATION},
    {"notification", "client", config_read_client, INTO(notification.client)},

    {"availableaccounts", "client", config_read_client, INTO(availableaccounts.client)},
    {"availableaccounts", "require_key_header", config_read_yes_no,
     INTO(availableaccounts.require_key_header), ALWAYS("no")},

    {"session", "lifetime", config_read_duration, INTO(session.lifetime_ms), ALWAYS("1200 s"),
     .least_ms = SECOND_MS, .most_ms = 24 * HOUR_MS},
    {"session", "retention", config_read_duration, INTO(session.retention_ms), ALWAYS("30 days"),
     .least_ms = DAY_MS, .most_ms = 3650 * DAY_MS},

    {"journey", "public_url", config_read_base_url, INTO(journey.public_url),
     .rules = CONFIG_REQUIRED},
    {"journey", "redirect_origins", config_read_origins, INTO(journey.redirect_origins),
     .rules = CONFIG_REQUIRED | CONFIG_LIST,
     BUILT_IN("https://snd01us.sagebankdrive.com https://snd01eu.sagebankdrive.com "
              "https://money.sage.com",
              "https://www.sagebankdrive.com https://eu.sagebankdrive.com "
              "https://money.sage.com")},
    {"journey", "fragment_origins", config_read_origins, INTO(journey.fragment_origins),
     .rules = CONFIG_LIST},
    {"journey", "frame_ancestors", config_read_frame_ancestors, INTO(journey.frame_ancestors),
     .rules = CONFIG_LIST,
     ALWAYS("'self' https://*.sagebankdrive.com https://*.sage.com https://*.intacct.com "
            "https://*.sageone.com")},
    {"journey", "provider_name", config_read_title, INTO(journey.provider_name),
     ALWAYS(CONFIG_PROVIDER_UNNAMED)},
    {"journey", "templates", config_read_path, INTO(journey.templates)},
    {"journey", "cancel_abandoned", config_read_duration, INTO(journey.cancel_abandoned_ms),
     ALWAYS("120 s"), .least_ms = 0, .most_ms = HOUR_MS},

    {"code", "key_file", config_read_secret, INTO(code.key), .secrets = SECRETS_CODE},
    {"code", "next_key_file", config_read_secret, INTO(code.next_key), .secrets = SECRETS_CODE},

    {"complete", "key_file", config_read_secret, INTO(complete.key), .secrets = SECRETS_COMPLETE},
    {"complete", "next_key_file", config_read_secret, INTO(complete.next_key),
     .secrets = SECRETS_COMPLETE},
    {"complete", "addresses", config_read_addresses, INTO(complete_addresses),
     .rules = CONFIG_LIST},

    {"provider_api", "client_id", config_read_word, INTO(provider_api.client_id)},
    {"provider_api", "client_secret_file", config_read_secret, INTO(provider_api.client_secret),
     .secrets = SECRETS_PROVIDER_API},
    {"provider_api", "api_key_file", config_read_secret, INTO(provider_api.api_key),
     .secrets = SECRETS_PROVIDER_API},
    {"provider_api", "reauthorisation_accounts", config_read_choice,
     INTO(provider_api.reauthorisation_accounts), ALWAYS("omit"),
     .choices = reauthorisation_accounts},
    {"provider_api", "cancelled_status", config_read_word, INTO(provider_api.cancelled_status),
     ALWAYS("cancelled")},
    {"provider_api", "error_status", config_read_word, INTO(provider_api.error_status),
     ALWAYS("error")},

    {"network", "ca_file", config_read_path, INTO(network.ca_file)},
    {"network", "proxy", config_read_proxy, INTO(network.proxy)},
    {"network", "sage_addresses_file", config_read_addresses_file, INTO(network.sage_addresses)},
    {"network", "trusted_proxies", config_read_addresses, INTO(network.trusted_proxies),
     .rules = CONFIG_LIST},
    {"network", "client_address_header", config_read_choice, INTO(network.client_address_header),
     ALWAYS("X-Forwarded-For"), .choices = client_address_headers},

    {"keys", "max_age", config_read_duration, INTO(keys.max_age_ms), ALWAYS("1 h"),
     .least_ms = SECOND_MS, .most_ms = 24 * HOUR_MS},
    {"keys", "cool_down", config_read_duration, INTO(keys.cool_down_ms), ALWAYS("30 s"),
     .least_ms = SECOND_MS, .most_ms = HOUR_MS},
    {"keys", "max_stale", config_read_duration, INTO(keys.max_stale_ms), ALWAYS("24 h"),
     .least_ms = SECOND_MS, .most_ms = 30 * DAY_MS},

    {"store", "database", config_read_path, INTO(store.database), .rules = CONFIG_REQUIRED},

    {"log", "target", config_read_choice, INTO(log.target), ALWAYS("stderr"),
     .choices = log_targets},
    {"log", "level", config_read_choice, INTO(log.level), ALWAYS("info"), .choices = log_levels},
};

const size_t config_key_count = sizeof(config_keys) / sizeof(config_keys[0]);
static_assert(sizeof(config_keys) / sizeof(config_keys[0]) <= CONFIG_LINES_MAX,
              "struct config notes a line for each key");

const struct config_key *config_key_find(const char *section, const char *name)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0 && strcmp(config_keys[i].name, name) == 0)
            return &config_keys[i];
    return NULL;
}

int config_section_find(const char *section)
{
    int index = -1;
    for (size_t i = 0; i < config_key_count; i++) {
        if (i == 0 || strcmp(config_keys[i].section, config_keys[i - 1].section) != 0)
            index++;
        if (strcmp(config_keys[i].section, section) == 0)
            return index;
    }
    return -1;
}

int config_key_line(const struct config_reading *reading, const struct config_key *key)
{
    return reading->config->lines[key - config_keys];
}

void *config_key_field(const struct config_reading *reading, const struct config_key *key)
{
    return (char *)reading->config + key->field;
}
