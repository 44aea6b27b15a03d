/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/fetch.h"
#include "base/json.h"
#include "sage/key_document.h"

#include "base/cleanup.h"
#include "config/config.h"
#include "pages/catalogue.h"
#include "pages/pages.h"

#include <stdlib.h>

static const struct config *config_of(const struct check *check)
{
    return check->call->service.config;
}

static void check_environment(struct check *check)
{
    static const char *const names[] = {[ENVIRONMENT_SANDBOX] = "Sage's sandbox",
                                        [ENVIRONMENT_PRODUCTION] = "Sage's production",
                                        [ENVIRONMENT_CUSTOM] = "a custom environment"};
    const struct config *config = config_of(check);
    check_report(
        check, CHECK_OK, "environment", "sage", "environment", "%s%s%s; tokens of %s for %s",
        names[config->sage.environment], config->sage.region ? ", region " : "",
        config->sage.region ? config->sage.region : "", config->sage.issuer, config->sage.audience);
}

static void check_notification_key(struct check *check)
{
    const struct config *config = config_of(check);
    check_report(check, CHECK_OK, "notification key", "notification", "key_file",
                 "%zu characters, in the header %s", config->notification.key.length,
                 config->notification.key_header);
    if (config->notification.next_key.length > 0)
        check_report(check, CHECK_WARN, "notification key", "notification", "next_key_file",
                     "a rotation is pending: once Sage sends the next key, make it key_file and "
                     "remove this line");
}

static void check_own_key(struct check *check, const char *section,
                          const struct config_own_key *own, enum check_result result_without,
                          const char *without)
{
    if (own->key.length == 0)
        check_report(check, result_without, section, section, "key_file",
                     "without it POST /%s takes no request%s", section, without);
    else
        check_report(check, CHECK_OK, section, section, "key_file", "%zu characters, for POST /%s",
                     own->key.length, section);
    if (own->next_key.length > 0)
        check_report(check, CHECK_WARN, section, section, "next_key_file",
                     "a rotation is pending: once your backend sends the next key, make it "
                     "key_file and remove this line");
}

static void check_own_keys(struct check *check)
{
    const struct config *config = config_of(check);
    check_own_key(check, "code", &config->code, CHECK_WARN,
                  ", and your own product gets its one-time codes from feedgate code issue alone");
    check_own_key(check, "complete", &config->complete, CHECK_OK,
                  ", which only an application of your own behind the gate needs");
}

/* A client is pinned, or it is written out that any is taken. */
static void check_client(struct check *check, const char *section, const char *client,
                         const char *guard)
{
    if (client)
        check_report(check, CHECK_OK, "client", section, "client", "[%s] takes only %s", section,
                     client);
    else if (config_line(config_of(check), section, "client") != 0)
        check_report(check, CHECK_OK, "client", section, "client",
                     "[%s] takes any, as is written out", section);
    else
        check_report(check, CHECK_WARN, "client", section, "client",
                     "[%s] takes any client's token that has its scope%s, and all providers share "
                     "Sage's audience: give the client that the log of a genuine request names",
                     section, guard);
}

static void check_clients(struct check *check)
{
    const struct config *config = config_of(check);
    check_client(check, "notification", config->notification.client, " (with the key header)");
    check_client(check, "availableaccounts", config->availableaccounts.client,
                 config->availableaccounts.require_key_header ? " (with the key header)" : "");
}

static void check_journey(struct check *check)
{
    const struct config *config = config_of(check);
    check_report(check, CHECK_OK, "journey", "journey", "public_url",
                 "%s at %s; redirect origins: %zu", config->journey.provider_name,
                 config->journey.public_url, config->journey.redirect_origins.count);
}

/* The languages with their wording's versions, cut at worst. */
static void name_languages(const struct catalogue *catalogue, char names[SERVICE_ERROR_MAX])
{
    const struct language *language;
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; (language = catalogue_language(catalogue, i)) && used < SERVICE_ERROR_MAX;
         i++) {
        int length =
            snprintf(names + used, SERVICE_ERROR_MAX - used, "%s%s (wording %s)",
                     i == 0 ? "" : ", ", language_tag(language), language_wording(language));
        used += length > 0 ? (size_t)length : 0;
    }
}

static void check_pages(struct check *check)
{
    const char *directory = config_of(check)->journey.templates;
    char error[PAGES_ERROR_MAX];
    char names[SERVICE_ERROR_MAX];
    struct pages *pages = pages_open(directory, error);
    if (!pages) {
        check_report(check, CHECK_FAIL, "pages", "journey", "templates", "%s", error);
        return;
    }
    name_languages(pages_catalogue(pages), names);
    check_report(check, CHECK_OK, "pages", "journey", "templates", "%s; languages: %s",
                 directory ? directory : "built in", names);
    pages_close(pages);
}

/* A text of the key ids, cut at worst. */
static void name_keys(const struct key_list *keys, char names[SERVICE_ERROR_MAX])
{
    size_t used = 0;
    names[0] = '\0';
    for (size_t i = 0; i < keys->count && used < SERVICE_ERROR_MAX; i++) {
        int length =
            snprintf(names + used, SERVICE_ERROR_MAX - used, "%s%s (%d bits)", i == 0 ? "" : ", ",
                     keys->keys[i].id, EVP_PKEY_get_bits(keys->keys[i].key));
        used += length > 0 ? (size_t)length : 0;
    }
}

static size_t count_members(const char *document, size_t length)
{
    _cleanup_(cleanup_json) cJSON *set = json_parse(document, length);
    return (size_t)cJSON_GetArraySize(json_member(set, "keys"));
}

static void check_document(struct check *check, const char *document, size_t length)
{
    struct key_list keys = {0};
    char names[SERVICE_ERROR_MAX];
    const char *url = config_of(check)->sage.jwks_url;
    size_t usable = key_document_read(document, length, &keys);
    size_t members = count_members(document, length);
    name_keys(&keys, names);
    if (usable == 0)
        check_report(check, CHECK_FAIL, "key set", "sage", "jwks_url",
                     "what %s answers has no RSA key for RS256; is this the right URL?", url);
    else if (usable < members)
        check_report(check, CHECK_WARN, "key set", "sage", "jwks_url",
                     "%s has %zu keys, of which %zu can't be used; usable: %s", url, members,
                     members - usable, names);
    else
        check_report(check, CHECK_OK, "key set", "sage", "jwks_url", "%s has %zu keys: %s", url,
                     usable, names);
    key_list_clear(&keys);
}

/* Fetched now and over the network, and not stored: that is the endpoints' to do. */
static void check_key_set(struct check *check)
{
    const struct config *config = config_of(check);
    struct fetch_header wanted[] = {{.name = "Date"}, {.name = "Age"}, {.name = NULL}};
    struct fetch fetch = {
        .url = config->sage.jwks_url,
        .wanted = wanted,
        .ca_file = config->network.ca_file,
        .proxy = config->network.proxy,
        .limit = KEY_DOCUMENT_MAX,
    };
    char error[FETCH_ERROR_MAX] = "out of memory";
    char advice[CHECK_ADVICE_MAX];
    size_t length = 0;
    _cleanup_(cleanup_free) char *document =
        fetch_init() ? fetch_get(&fetch, &length, error) : NULL;
    if (document) {
        check_document(check, document, length);
        check_time(check, wanted[0].value, wanted[1].value);
    } else {
        check_report(check, CHECK_FAIL, "key set", "sage", "jwks_url",
                     "%s can't be fetched: %s; %swithout it no token is accepted", fetch.url, error,
                     check_advise_reach(check, fetch.url, error, advice));
    }
}

static void (*const items[])(struct check *check) = {
    check_environment, check_notification_key, check_clients,
    check_journey,     check_own_keys,         check_user,
    check_pages,       check_directory,        check_database,
    check_files,       check_code_file,        check_wrong_codes,
    check_ca_file,     check_key_set,          check_clock,
    check_stored_keys, check_provider_api,     check_deliverer,
    check_addresses,   check_web_server,
};

static void check_all(struct check *check)
{
    char error[SERVICE_ERROR_MAX];
    if (!operator_configure(check->call, error)) {
        check_report(check, CHECK_FAIL, "configuration", NULL, NULL, "%s", error);
        return;
    }
    check_report(check, CHECK_OK, "configuration", NULL, NULL, "%s", config_of(check)->file);
    for (size_t i = 0; i < sizeof items / sizeof items[0]; i++)
        items[i](check);
}

int show_check(struct call *call)
{
    static const struct column columns[] = {
        {.name = "result"},
        {.name = "item"},
        {.name = "text"},
        {.name = "file"},
        {.name = "line", .kind = COLUMN_NUMBER},
    };
    struct check check = {.call = call};
    listing_begin(&check.listing, columns, sizeof columns / sizeof columns[0], true);
    check_all(&check);
    if (call->json && !listing_end(&check.listing))
        return fail("the list can't be printed");
    return check.failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
