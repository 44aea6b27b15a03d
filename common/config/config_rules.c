/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include <openssl/crypto.h>
#include <string.h>

/* What must hold among the keys once each has its value. */

/* Where to write what is missing: in its section if there is one, else at the end. */
static int line_of_section(const struct config_reading *reading, const char *section)
{
    int index = config_section_find(section);
    if (index >= 0 && reading->section_lines[index] != 0)
        return reading->section_lines[index];
    return reading->line > 0 ? reading->line : 1;
}

static bool refuse_at(struct config_reading *reading, const char *section, const char *key,
                      const char *message)
{
    const struct config_key *found = config_key_find(section, key);
    int line = config_key_line(reading, found);
    return config_refuse_line(reading, line != 0 ? line : line_of_section(reading, section),
                              "[%s] %s %s", section, key, message);
}

/* Fits one key to the environment: refuses it, misses it or gives it its default. */
static bool settle_key(struct config_reading *reading, const struct config_key *key)
{
    enum environment environment = reading->config->sage.environment;
    const char *standard = key->defaults[environment];
    if (config_key_line(reading, key) != 0) {
        if ((key->rules & CONFIG_CUSTOM_ONLY) != 0 && environment != ENVIRONMENT_CUSTOM)
            return refuse_at(reading, key->section, key->name,
                             "is built in; it may be given only with environment = custom");
        return true;
    }
    if (standard != NULL)
        return key->read(reading, key, standard);
    return (key->rules & CONFIG_REQUIRED) == 0 ||
           refuse_at(reading, key->section, key->name, "is missing; it must be given");
}

static bool settle_keys(struct config_reading *reading)
{
    for (size_t i = 0; i < config_key_count; i++)
        if (!settle_key(reading, &config_keys[i]))
            return false;
    return true;
}

/* The address of the Provider API in Sage's own environments is told by the region. */
static bool settle_provider_api_url(struct config_reading *reading)
{
    struct config *config = reading->config;
    const char *url = NULL;
    bool europe = config->sage.region != NULL && strcmp(config->sage.region, "eu") == 0;
    if (config->sage.region == NULL || config->sage.environment == ENVIRONMENT_CUSTOM)
        return true;
    if (config->sage.environment == ENVIRONMENT_SANDBOX)
        url = europe ? "https://papi-snd01-eu-west-1.sagebanking-sandbox.cloud/v1"
                     : "https://papi-snd01-us-east-1.sagebanking-sandbox.cloud/v1";
    else
        url = europe ? "https://eu-banking.fabric.sage.com/provider/v1"
                     : "https://us-banking.fabric.sage.com/provider/v1";
    config->sage.provider_api_url = config_keep(reading, url, strlen(url));
    return config->sage.provider_api_url != NULL;
}

static bool are_equal(const struct config_secret *one, const struct config_secret *other)
{
    return one->length > 0 && one->length == other->length &&
           CRYPTO_memcmp(one->bytes, other->bytes, one->length) == 0;
}

static bool keys_of_notification_differ(struct config_reading *reading)
{
    const struct config *config = reading->config;
    return !are_equal(&config->notification.key, &config->notification.next_key) ||
           refuse_at(reading, "notification", "next_key_file",
                     "has the same key as key_file; make a new one, or remove the line");
}

/* Whether a key of this section is one of those that open something else. */
static bool keys_differ(struct config_reading *reading, const char *section,
                        const struct config_own_key *own, const struct config_secret *other,
                        const char *complaint)
{
    if (are_equal(&own->key, other))
        return refuse_at(reading, section, "key_file", complaint);
    if (are_equal(&own->next_key, other))
        return refuse_at(reading, section, "next_key_file", complaint);
    return true;
}

/* Who may have a code for any customer, or end a journey, got no key for something else. */
static bool key_is_its_own(struct config_reading *reading, const char *section,
                           const struct config_own_key *own)
{
    static const char sages[] = "has a key of [notification], which Sage knows; make a new one";
    const struct config *config = reading->config;
    if (own->key.file == NULL && own->next_key.file != NULL)
        return refuse_at(reading, section, "next_key_file", "is nothing without key_file");
    if (are_equal(&own->key, &own->next_key))
        return refuse_at(reading, section, "next_key_file",
                         "has the same key as key_file; make a new one, or remove the line");
    return keys_differ(reading, section, own, &config->notification.key, sages) &&
           keys_differ(reading, section, own, &config->notification.next_key, sages);
}

static bool own_keys_are_their_own(struct config_reading *reading)
{
    static const char codes[] = "has a key of [code]; make a new one";
    const struct config *config = reading->config;
    return key_is_its_own(reading, "code", &config->code) &&
           key_is_its_own(reading, "complete", &config->complete) &&
           keys_differ(reading, "complete", &config->complete, &config->code.key, codes) &&
           keys_differ(reading, "complete", &config->complete, &config->code.next_key, codes);
}

static bool availableaccounts_is_guarded(struct config_reading *reading)
{
    const struct config_key *client = config_key_find("availableaccounts", "client");
    if (reading->config->sage.environment != ENVIRONMENT_PRODUCTION ||
        config_key_line(reading, client) != 0 ||
        reading->config->availableaccounts.require_key_header)
        return true;
    return refuse_at(reading, "availableaccounts", "client",
                     "or require_key_header = yes must be given in production: the audience of "
                     "Sage's tokens is shared by all providers, so any of them holds tokens that "
                     "pass; client = any takes them all knowingly");
}

/* Whoever writes it thinks that a header is believed. */
static bool client_address_header_is_believed(struct config_reading *reading)
{
    return reading->config->network.trusted_proxies.count > 0 ||
           config_line(reading->config, "network", "client_address_header") == 0 ||
           refuse_at(reading, "network", "client_address_header",
                     "is nothing without trusted_proxies, from which alone it is believed");
}

static bool list_has(const struct config_list *list, const char *item)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], item) == 0)
            return true;
    return false;
}

static bool fragment_origins_are_allowed(struct config_reading *reading)
{
    const struct config_list *fragments = &reading->config->journey.fragment_origins;
    for (size_t i = 0; i < fragments->count; i++)
        if (!list_has(&reading->config->journey.redirect_origins, fragments->items[i]))
            return refuse_at(reading, "journey", "fragment_origins",
                             "has an origin that isn't among redirect_origins; add it there too");
    return true;
}

static bool policy_fits(struct config_reading *reading)
{
    const struct config_list *origins = &reading->config->journey.redirect_origins;
    size_t length = strlen(reading->config->journey.frame_ancestors);
    for (size_t i = 0; i < origins->count; i++)
        length += strlen(origins->items[i]) + 1;
    return length <= CONFIG_POLICY_MAX ||
           refuse_at(reading, "journey", "redirect_origins",
                     "and frame_ancestors are too long together for the header that pages carry; "
                     "leave some out");
}

/* Results are reported with all of it, or not at all. */
static bool provider_api_is_whole(struct config_reading *reading)
{
    static const char *const parts[] = {"client_id", "client_secret_file", "api_key_file"};
    enum { PARTS = sizeof(parts) / sizeof(parts[0]) };
    const struct config *config = reading->config;
    const char *given = NULL;
    int count = 0;
    for (int i = 0; i < PARTS; i++) {
        if (config_line(config, "provider_api", parts[i]) == 0)
            continue;
        given = parts[i];
        count++;
    }
    if (count == 0)
        return true;
    if (count < PARTS)
        return refuse_at(reading, "provider_api", given,
                         "stands alone: client_id, client_secret_file and api_key_file must be "
                         "given together, or none of them");
    if (config->sage.provider_api_url == NULL || config->sage.token_url == NULL)
        return refuse_at(reading, "provider_api", given,
                         "needs to know where: give [sage] region (with environment = custom, "
                         "token_url and provider_api_url)");
    return true;
}

bool config_settle(struct config_reading *reading)
{
    return settle_keys(reading) && settle_provider_api_url(reading) &&
           keys_of_notification_differ(reading) && own_keys_are_their_own(reading) &&
           availableaccounts_is_guarded(reading) && fragment_origins_are_allowed(reading) &&
           policy_fits(reading) && client_address_header_is_believed(reading) &&
           provider_api_is_whole(reading);
}
