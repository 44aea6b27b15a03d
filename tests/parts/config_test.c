/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/clock.h"
#include "config/config.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY "0123456789abcdef-the-key"
#define NEXT_KEY "fedcba9876543210-the-next"

/* A configuration that is complete and right; a case adds to it or takes a line away. */
#define BASE                                                                                       \
    "[sage]\n"                                                                                     \
    "environment = custom\n"                                                                       \
    "issuer = http://localhost:8081/\n"                                                            \
    "audience = sfdsbanking/sfdsBankingProvider-Pre\n"                                             \
    "jwks_url = http://localhost:8081/.well-known/jwks.json\n"                                     \
    "[notification]\n"                                                                             \
    "key_header = X-Feedgate-Key\n"                                                                \
    "key_file = notification.key\n"                                                                \
    "[journey]\n"                                                                                  \
    "public_url = http://127.0.0.1:8080\n"                                                         \
    "redirect_origins = http://localhost:8081\n"                                                   \
    "[store]\n"                                                                                    \
    "database = feedgate.db\n"
enum { BASE_LINES = 13 };

/* The same for an environment that is built in. */
#define BUILT_IN(name)                                                                             \
    "[sage]\nenvironment = " name "\n"                                                             \
    "[notification]\nkey_header = X-Feedgate-Key\nkey_file = notification.key\n"                   \
    "[journey]\npublic_url = https://feeds.bank.example/sage\n"                                    \
    "[store]\ndatabase = /var/lib/feedgate/feedgate.db\n"
enum { BUILT_IN_LINES = 9 };

static char directory[64];
static char file[128];
static char error[CONFIG_ERROR_MAX];

static void write_file(const char *name, const char *bytes, size_t length, mode_t mode)
{
    char path[256];
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s/%s", directory, name), 0);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, bytes, length), (ssize_t)length);
    ck_assert_int_eq(fchmod(descriptor, mode), 0);
    ck_assert_int_eq(close(descriptor), 0);
}

static void set_up(void)
{
    ck_assert_int_gt(snprintf(directory, sizeof(directory), "/tmp/feedgate-parts-XXXXXX"), 0);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    ck_assert_int_gt(snprintf(file, sizeof(file), "%s/feedgate.conf", directory), 0);
    write_file("notification.key", BYTES(KEY "\n"), 0640);
    write_file("next.key", BYTES(NEXT_KEY "\r\n"), 0600);
}

static void tear_down(void)
{
    static const char *const names[] = {"feedgate.conf", "notification.key", "next.key",
                                        "case.key",      "link.key",         "code.key",
                                        "code.next",     "complete.key",     "complete.next",
                                        "client.secret", "api.key"};
    char path[256];
    for (size_t i = 0; i < COUNT(names); i++) {
        ck_assert_int_gt(snprintf(path, sizeof(path), "%s/%s", directory, names[i]), 0);
        (void)unlink(path); /* not every test makes every file */
    }
    ck_assert_int_eq(rmdir(directory), 0);
}

static struct config *load_bytes(const char *bytes, size_t length)
{
    write_file("feedgate.conf", bytes, length, 0640);
    return config_load(file, SECRETS_ALL, error);
}

static struct config *load(const char *text)
{
    return load_bytes(text, strlen(text));
}

static struct config *load_good(const char *text)
{
    struct config *config = load(text);
    ck_assert_msg(config != NULL, "%s", error);
    ck_assert_str_eq(error, "");
    return config;
}

/* What was wrong must be said as "FILE:LINE: ..." in one line, with `says` in it. */
static void assert_refused(const char *name, struct config *config, int line, const char *says)
{
    char start[256];
    ck_assert_msg(config == NULL, "%s was taken", name);
    ck_assert_int_gt(snprintf(start, sizeof(start), "%s:%d: ", file, line), 0);
    ck_assert_msg(strncmp(error, start, strlen(start)) == 0, "%s: %s", name, error);
    ck_assert_msg(strstr(error, says) != NULL, "%s: %s", name, error);
    ck_assert_msg(strchr(error, '\n') == NULL, "%s: %s", name, error);
    ck_assert_msg(strstr(error, KEY) == NULL, "%s: %s", name, error);
}

START_TEST(what_is_not_given_has_its_default)
{
    struct config *config = load_good(BASE);
    ck_assert_int_eq((int)config->sage.environment, ENVIRONMENT_CUSTOM);
    ck_assert_ptr_null(config->sage.region);
    ck_assert_str_eq(config->sage.notification_scope, "WebhooksLambda");
    ck_assert_str_eq(config->sage.availableaccounts_scope, "ProviderAPI");
    ck_assert_ptr_null(config->sage.token_url);
    ck_assert_ptr_null(config->sage.provider_api_url);
    ck_assert_uint_eq(config->notification.next_key.length, 0);
    ck_assert_uint_eq(config->code.key.length, 0);
    ck_assert_uint_eq(config->code.next_key.length, 0);
    ck_assert_ptr_null(config->notification.client);
    ck_assert_ptr_null(config->availableaccounts.client);
    ck_assert(!config->availableaccounts.require_key_header);
    ck_assert_int_eq(config->session.lifetime_ms, 20 * MINUTE_MS);
    ck_assert_int_eq(config->session.retention_ms, 30 * DAY_MS);
    ck_assert_uint_eq(config->journey.fragment_origins.count, 0);
    ck_assert_str_eq(config->journey.frame_ancestors,
                     "'self' https://*.sagebankdrive.com https://*.sage.com https://*.intacct.com "
                     "https://*.sageone.com");
    ck_assert_str_eq(config->journey.provider_name, "your bank");
    ck_assert_ptr_null(config->provider_api.client_id);
    ck_assert_uint_eq(config->provider_api.api_key.length, 0);
    ck_assert_ptr_null(config->network.ca_file);
    ck_assert_ptr_null(config->network.proxy);
    ck_assert_ptr_null(config->network.sage_addresses.file);
    ck_assert_uint_eq(config->network.trusted_proxies.count, 0);
    ck_assert_int_eq(config->keys.max_age_ms, HOUR_MS);
    ck_assert_int_eq(config->keys.cool_down_ms, MINUTE_MS / 2);
    ck_assert_int_eq(config->keys.max_stale_ms, 24 * HOUR_MS);
    ck_assert_int_eq((int)config->log.target, LOG_TO_STDERR);
    ck_assert_int_eq((int)config->log.level, LOG_LEVEL_INFO);
    config_free(config);
}
END_TEST

START_TEST(what_is_given_is_taken)
{
    struct config *config = load_good(
        BASE "# a comment\n; another\n\n"
             "[sage]\nnotification_scope = Hooks\navailableaccounts_scope = Accounts ; why\n"
             "token_url = http://[::1]:8081/oauth/token\n"
             "provider_api_url = https://gateway.example/v1/\n"
             "[notification]\nnext_key_file = next.key\nclient = abc@clients\n"
             "[availableaccounts]\nclient = any\nrequire_key_header = yes\n"
             "[session]\nlifetime = 2\nretention = 1 day\n"
             "[journey]\nfragment_origins = http://localhost:8081\n"
             "frame_ancestors = 'self'\n   https://*.sage.com http://localhost:8081\n"
             "provider_name = Cr\xC3\xA9"
             "dit & \"Example\"\n"
             "[provider_api]\nclient_id = me\nclient_secret_file = next.key\n"
             "api_key_file = notification.key\n"
             "[network]\nca_file = certs/../ca.pem\nproxy = http://proxy.internal:3128\n"
             "[keys]\nmax_age = 1s\ncool_down = 1 second\nmax_stale = 2 minutes\n"
             "[log]\ntarget = syslog\nlevel = debug");
    char path[256];
    ck_assert_str_eq(config->file, file);
    ck_assert_str_eq(config->sage.issuer, "http://localhost:8081/");
    ck_assert_str_eq(config->sage.audience, "sfdsbanking/sfdsBankingProvider-Pre");
    ck_assert_str_eq(config->sage.jwks_url, "http://localhost:8081/.well-known/jwks.json");
    ck_assert_str_eq(config->sage.notification_scope, "Hooks");
    ck_assert_str_eq(config->sage.availableaccounts_scope, "Accounts");
    ck_assert_str_eq(config->sage.token_url, "http://[::1]:8081/oauth/token");
    ck_assert_str_eq(config->sage.provider_api_url, "https://gateway.example/v1");
    ck_assert_str_eq(config->notification.key_header, "X-Feedgate-Key");
    ck_assert_str_eq(config->notification.key_variable, "HTTP_X_FEEDGATE_KEY");
    ck_assert_uint_eq(config->notification.key.length, strlen(KEY));
    ck_assert_mem_eq(config->notification.key.bytes, KEY, strlen(KEY));
    ck_assert_uint_eq(config->notification.next_key.length, strlen(NEXT_KEY));
    ck_assert_mem_eq(config->notification.next_key.bytes, NEXT_KEY, strlen(NEXT_KEY));
    ck_assert_str_eq(config->notification.client, "abc@clients");
    ck_assert_ptr_null(config->availableaccounts.client);
    ck_assert(config->availableaccounts.require_key_header);
    ck_assert_int_eq(config->session.lifetime_ms, 2000);
    ck_assert_int_eq(config->session.retention_ms, DAY_MS);
    ck_assert_str_eq(config->journey.public_url, "http://127.0.0.1:8080");
    ck_assert_uint_eq(config->journey.redirect_origins.count, 1);
    ck_assert_str_eq(config->journey.redirect_origins.items[0], "http://localhost:8081");
    ck_assert_uint_eq(config->journey.fragment_origins.count, 1);
    ck_assert_str_eq(config->journey.frame_ancestors,
                     "'self' https://*.sage.com http://localhost:8081");
    ck_assert_str_eq(config->journey.provider_name, "Cr\xC3\xA9"
                                                    "dit & \"Example\"");
    ck_assert_str_eq(config->provider_api.client_id, "me");
    ck_assert_uint_eq(config->provider_api.client_secret.length, strlen(NEXT_KEY));
    ck_assert_uint_eq(config->provider_api.api_key.length, strlen(KEY));
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s/certs/../ca.pem", directory), 0);
    ck_assert_str_eq(config->network.ca_file, path);
    ck_assert_str_eq(config->network.proxy, "http://proxy.internal:3128");
    ck_assert_int_eq(config->keys.max_age_ms, SECOND_MS);
    ck_assert_int_eq(config->keys.cool_down_ms, SECOND_MS);
    ck_assert_int_eq(config->keys.max_stale_ms, 2 * MINUTE_MS);
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s/feedgate.db", directory), 0);
    ck_assert_str_eq(config->store.database, path);
    ck_assert_int_eq((int)config->log.target, LOG_TO_SYSLOG);
    ck_assert_int_eq((int)config->log.level, LOG_LEVEL_DEBUG);
    config_free(config);
}
END_TEST

START_TEST(the_sandbox_is_built_in)
{
    struct config *config = load_good(BUILT_IN("sandbox"));
    ck_assert_int_eq((int)config->sage.environment, ENVIRONMENT_SANDBOX);
    ck_assert_str_eq(config->sage.issuer, "https://id-shadow.sage.com/");
    ck_assert_str_eq(config->sage.audience, "sfdsbanking/sfdsBankingProvider-Pre");
    ck_assert_str_eq(config->sage.jwks_url, "https://id-shadow.sage.com/.well-known/jwks.json");
    ck_assert_str_eq(config->sage.token_url, "https://id-shadow.sage.com/oauth/token");
    ck_assert_str_eq(config->sage.notification_scope, "WebhooksLambda");
    ck_assert_str_eq(config->sage.availableaccounts_scope, "ProviderAPI");
    ck_assert_ptr_null(config->sage.provider_api_url);
    ck_assert_uint_eq(config->journey.redirect_origins.count, 3);
    ck_assert_str_eq(config->journey.redirect_origins.items[0],
                     "https://snd01us.sagebankdrive.com");
    ck_assert_str_eq(config->journey.redirect_origins.items[1],
                     "https://snd01eu.sagebankdrive.com");
    ck_assert_str_eq(config->journey.redirect_origins.items[2], "https://money.sage.com");
    config_free(config);
}
END_TEST

START_TEST(production_is_built_in)
{
    struct config *config = load_good(BUILT_IN("production") "[availableaccounts]\nclient = any\n");
    ck_assert_int_eq((int)config->sage.environment, ENVIRONMENT_PRODUCTION);
    ck_assert_str_eq(config->sage.issuer, "https://id.sage.com/");
    ck_assert_str_eq(config->sage.audience, "sfdsbanking/sfdsBankingProvider");
    ck_assert_str_eq(config->sage.jwks_url, "https://id.sage.com/.well-known/jwks.json");
    ck_assert_str_eq(config->sage.token_url, "https://id.sage.com/oauth/token");
    ck_assert_str_eq(config->sage.notification_scope, "WebhooksLambda");
    ck_assert_str_eq(config->sage.availableaccounts_scope, "ProviderAPI");
    ck_assert_uint_eq(config->journey.redirect_origins.count, 3);
    ck_assert_str_eq(config->journey.redirect_origins.items[0], "https://www.sagebankdrive.com");
    ck_assert_str_eq(config->journey.redirect_origins.items[1], "https://eu.sagebankdrive.com");
    ck_assert_str_eq(config->journey.redirect_origins.items[2], "https://money.sage.com");
    ck_assert_str_eq(config->journey.public_url, "https://feeds.bank.example/sage");
    ck_assert_str_eq(config->store.database, "/var/lib/feedgate/feedgate.db");
    config_free(config);
}
END_TEST

static const struct {
    const char *text;
    const char *url;
} regions[] = {
    {BUILT_IN("sandbox") "[sage]\nregion = eu\n",
     "https://papi-snd01-eu-west-1.sagebanking-sandbox.cloud/v1"},
    {BUILT_IN("sandbox") "[sage]\nregion = us\n",
     "https://papi-snd01-us-east-1.sagebanking-sandbox.cloud/v1"},
    {BUILT_IN("production") "[availableaccounts]\nclient = any\n[sage]\nregion = eu\n",
     "https://eu-banking.fabric.sage.com/provider/v1"},
    {BUILT_IN("production") "[availableaccounts]\nclient = any\n[sage]\nregion = us\n",
     "https://us-banking.fabric.sage.com/provider/v1"},
};

START_TEST(the_region_tells_where_the_provider_api_is)
{
    struct config *config = load_good(regions[_i].text);
    ck_assert_str_eq(config->sage.provider_api_url, regions[_i].url);
    config_free(config);
}
END_TEST

START_TEST(the_backends_key_is_read)
{
    struct config *config = load_good(BASE "[code]\nkey_file = next.key\n");
    ck_assert_uint_eq(config->code.key.length, strlen(NEXT_KEY));
    ck_assert_mem_eq(config->code.key.bytes, NEXT_KEY, strlen(NEXT_KEY));
    ck_assert_uint_eq(config->code.next_key.length, 0);
    config_free(config);
}
END_TEST

START_TEST(in_production_available_accounts_need_a_pin_or_the_key_header)
{
    struct config *config = load(BUILT_IN("production"));
    assert_refused("no guard", config, BUILT_IN_LINES, "shared by all providers");
    config = load(BUILT_IN("production") "[availableaccounts]\nrequire_key_header = no\n");
    assert_refused("no", config, BUILT_IN_LINES + 1, "[availableaccounts] client");
    config = load_good(BUILT_IN("production") "[availableaccounts]\nrequire_key_header = yes\n");
    ck_assert_ptr_null(config->availableaccounts.client);
    config_free(config);
    config = load_good(BUILT_IN("production") "[availableaccounts]\nclient = sage@clients\n");
    ck_assert_str_eq(config->availableaccounts.client, "sage@clients");
    config_free(config);
}
END_TEST

/* What is added to BASE; `line` counts from the first line that was added. */
struct addition {
    const char *added;
    int line;
    const char *says;
};

static const struct addition additions[] = {
    /* the form of the file */
    {"[unknown]\n", 1, "no section [unknown]"},
    {"[Session]\nlifetime = 5\n", 1, "no section [Session]"},
    {"[]\n", 1, "no section []"},
    {"[completed]\n", 1, "no section [completed]"},
    {"[session\nlifetime = 5\n", 1, "[name]"},
    {"[session] lifetime = 5\n", 1, "nothing may follow [session]"},
    {"[session]\nlifetme = 5\n", 2, "no key \"lifetme\"; its keys are lifetime, retention"},
    {"[session]\nLifetime = 5\n", 2, "no key \"Lifetime\""},
    {"[store]\nlifetime = 5\n", 2, "no key \"lifetime\""},
    {"[session]\n= 5\n", 2, "no key \"\""},
    {"[session]\nlifetime\n", 2, "key = value"},
    {"\n\nlifetime 5\n", 3, "key = value"},
    {"nonsense\n[session]\nlifetime = 0\n", 1, "key = value"},
    {"[session]\nlifetime = 0\nnonsense\n", 2, "from 1 s"},
    {"[session]\nlifetime = 5\nlifetime = 5\n", 3, "is given twice; the first time in line 15"},
    {"[session]\nlifetime = 5\n[log]\n[session]\nlifetime = 6\n", 5, "is given twice"},
    {"[store]\ndatabase = other.db\n", 2, "given twice; the first time in line 13"},
    {"[session]\nlifetime =\n", 2, "is empty"},
    {"[session]\nlifetime = ; a comment\n", 2, "is empty"},
    {"[session]\nlifetime = 5\n  retention = 30 days\n", 3, "lifetime takes one value"},
    {"[session]\nlifetime = 5\n\n\t6\n", 4, "lifetime takes one value"},
    {"[journey]\nfragment_origins =\n[session]\n", 2, "is empty"},
    {"[journey]\nfragment_origins =\nprovider_name = A\n", 2, "is empty"},
    {"[journey]\nfragment_origins =\n", 2, "is empty"},
    {"[journey]\nfragment_origins =\n  [session]\n", 3, "can't have \"[session]\""},
    {"[log]\nlevel = inf\xC3\n", 2, "UTF-8"},
    {"# caf\xE9\n", 1, "UTF-8"},
    {"[log]\nlevel = info\x01\n", 2, "control character"},
    {"[log]\nlevel = info\rtarget = syslog\n", 2, "control character"},
    {"[journey]\nprovider_name = \x1b[31m\n", 2, "control character"},
    {"[journey]\nprovider_name = \xC2\x9B\n", 2, "control character"},
    {"[journey]\nprovider_name = \x7f\n", 2, "control character"},
    /* one or other environment */
    {"[sage]\nregion = EU\n", 2, "one of: eu, us"},
    /* addresses */
    {"[network]\nsage_addresses_file = x\n", 2, "names /tmp/feedgate-parts-"},
    {"[network]\nsage_addresses_file = x\n", 2, "/x: No such file"},
    {"[network]\ntrusted_proxies = 127.0.0.1 localhost\n", 2, "\"localhost\", which is no"},
    {"[network]\ntrusted_proxies = 127.0.0.1\n 10.0.0.1/8\n", 3, "bits set"},
    {"[network]\ntrusted_proxies = 0.0.0.0/0\n", 2, "which is everybody"},
    {"[network]\ntrusted_proxies = 127.0.0.1,10.0.0.0/8\n", 2, "is no address"},
    {"[network]\ntrusted_proxies =\n", 2, "is empty"},
    {"[network]\nclient_address_header = X-Forwarded-For\n", 2, "without trusted_proxies"},
    {"[network]\ntrusted_proxies = ::1\nclient_address_header = Forwarded\n", 3, "one of: X-"},
    /* words */
    {"[sage]\nnotification_scope = a b\n", 2, "one word"},
    {"[sage]\navailableaccounts_scope = \xC3\xA9\n", 2, "one word"},
    {"[notification]\nclient = a b\n", 2, "one word"},
    {"[availableaccounts]\nclient = a b\n", 2, "one word"},
    {"[availableaccounts]\nrequire_key_header = true\n", 2, "yes or no"},
    {"[availableaccounts]\nrequire_key_header = Yes\n", 2, "yes or no"},
    {"[log]\ntarget = file\n", 2, "one of: stderr, syslog"},
    {"[log]\nlevel = trace\n", 2, "one of: error, warning, info, debug"},
    {"[log]\nlevel = info # comment\n", 2, "one of: "},
    /* durations */
    {"[session]\nlifetime = 0\n", 2, "from 1 s to 1 d"},
    {"[session]\nlifetime = 25h\n", 2, "from 1 s to 1 d"},
    {"[session]\nlifetime = 999999999 days\n", 2, "from 1 s to 1 d"},
    {"[session]\nlifetime = 9999999999\n", 2, "such as 20m"},
    {"[session]\nlifetime = -5\n", 2, "such as 20m"},
    {"[session]\nlifetime = +5\n", 2, "such as 20m"},
    {"[session]\nlifetime = 5.5\n", 2, "such as 20m"},
    {"[session]\nlifetime = 20 M\n", 2, "such as 20m"},
    {"[session]\nlifetime = 20 weeks\n", 2, "such as 20m"},
    {"[session]\nlifetime = 1h30m\n", 2, "such as 20m"},
    {"[session]\nlifetime = m\n", 2, "such as 20m"},
    {"[session]\nretention = 23 hours\n", 2, "from 1 d to 3650 d"},
    {"[session]\nretention = 3651 days\n", 2, "from 1 d to 3650 d"},
    {"[keys]\nmax_age = 25 hours\n", 2, "from 1 s to 1 d"},
    {"[keys]\ncool_down = 0 s\n", 2, "from 1 s to 1 h"},
    {"[keys]\ncool_down = 61 m\n", 2, "from 1 s to 1 h"},
    {"[keys]\nmax_stale = 31 d\n", 2, "from 1 s to 30 d"},
    /* addresses */
    {"[sage]\ntoken_url = http://id.sage.com/oauth/token\n", 2, "https://host/path"},
    {"[sage]\ntoken_url = https://user@id.sage.com/\n", 2, "https://host/path"},
    {"[sage]\nprovider_api_url = https://gateway.example/v1?a=b\n", 2, "query"},
    {"[sage]\nprovider_api_url = https://gateway.example/v1#a\n", 2, "https://host/path"},
    {"[network]\nproxy = proxy.internal:3128\n", 2, "http://host:port"},
    {"[network]\nproxy = socks5://proxy.internal:3128\n", 2, "http://host:port"},
    {"[network]\nproxy = http://user:pass@proxy.internal:3128\n", 2, "http://host:port"},
    {"[network]\nproxy = http://proxy.internal/path\n", 2, "http://host:port"},
    {"[network]\nproxy = http://\n", 2, "http://host:port"},
    {"[journey]\nfragment_origins = https://money.sage.com\n", 2, "isn't among redirect_origins"},
    {"[journey]\nfragment_origins = http://localhost:8081/\n", 2, "nothing behind"},
    {"[journey]\nfragment_origins = http://localhost:8081,x\n", 2, "nothing behind"},
    {"[journey]\nframe_ancestors = 'self'; script-src\n", 2, "can't have \"'self';\""},
    {"[journey]\nframe_ancestors = https://a.example,https://b.example\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = *\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = https:\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = https://*\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = https://*.*.example\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = https://a.*.example\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = http://a.example\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = https://a.example/path\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = self\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = 'unsafe-inline'\n", 2, "can't have"},
    {"[journey]\nframe_ancestors = 'none' 'self'\n", 2, "beside 'none'"},
    {"[journey]\nframe_ancestors = 'self'\n 'none'\n", 3, "beside 'none'"},
    /* secrets and what goes together */
    {"[notification]\nnext_key_file = nowhere.key\n", 2, "nowhere.key: No such file"},
    {"[notification]\nnext_key_file = notification.key\n", 2, "same key"},
    {"[code]\nkey_file = notification.key\n", 2, "a key of [notification], which Sage knows"},
    {"[code]\nkey_file = next.key\n[notification]\nnext_key_file = next.key\n", 2,
     "[code] key_file has a key of [notification]"},
    {"[code]\nkey_file = next.key\nnext_key_file = next.key\n", 3, "same key"},
    {"[code]\nkey_file = next.key\nnext_key_file = notification.key\n", 3,
     "[code] next_key_file has a key of [notification]"},
    {"[code]\nnext_key_file = next.key\n", 2, "nothing without key_file"},
    {"[complete]\nkey_file = notification.key\n", 2, "a key of [notification], which Sage knows"},
    {"[complete]\nkey_file = next.key\nnext_key_file = next.key\n", 3, "same key"},
    {"[complete]\nnext_key_file = next.key\n", 2, "nothing without key_file"},
    {"[complete]\nkey_file = next.key\n[code]\nkey_file = next.key\n", 2,
     "[complete] key_file has a key of [code]"},
    {"[provider_api]\nclient_id = me\n", 2, "given together"},
    {"[provider_api]\nclient_secret_file = next.key\n", 2, "given together"},
    {"[provider_api]\napi_key_file = next.key\nclient_id = me\n", 2, "given together"},
    {"[provider_api]\nclient_id = me\nclient_secret_file = next.key\napi_key_file = next.key\n", 4,
     "token_url and provider_api_url"},
};

START_TEST(a_wrong_line_is_named)
{
    char text[4096];
    const struct addition *row = &additions[_i];
    ck_assert_int_gt(snprintf(text, sizeof(text), "%s%s", BASE, row->added), 0);
    assert_refused(row->added, load(text), BASE_LINES + row->line, row->says);
}
END_TEST

/* What is put in place of the line of BASE that begins so; NULL: nothing. */
struct replacement {
    const char *old;
    const char *new;
    int line;
    const char *says;
};

static const struct replacement replacements[] = {
    {"environment", NULL, 1, "[sage] environment is missing"},
    {"issuer", NULL, 1, "[sage] issuer is missing"},
    {"audience", NULL, 1, "[sage] audience is missing"},
    {"jwks_url", NULL, 1, "[sage] jwks_url is missing"},
    {"key_header", NULL, 6, "[notification] key_header is missing"},
    {"key_file", NULL, 6, "[notification] key_file is missing"},
    {"redirect_origins", NULL, 9, "[journey] redirect_origins is missing"},
    {"database", NULL, 12, "[store] database is missing"},
    {"[sage]", NULL, 1, "before the first [section]"},
    {"[sage]", "[sage]x", 1, "nothing may follow"},
    {"environment", "environment = Custom", 2, "one of: sandbox, production, custom"},
    {"environment", "environment = sandbox", 3, "is built in"},
    {"environment", "environment = production", 3, "is built in"},
    {"issuer", "issuer = http://id.sage.com/", 3, "https://host/path"},
    {"issuer", "issuer = id.sage.com", 3, "https://host/path"},
    {"audience", "audience = two words", 4, "one word"},
    {"jwks_url", "jwks_url = file:///etc/passwd", 5, "https://host/path"},
    {"public_url", "public_url = http://feeds.bank.example", 10, "https://host/path"},
    {"public_url", "public_url = https://feeds.bank.example/?a=b", 10, "query"},
    {"redirect_origins", "redirect_origins = https://money.sage.com/", 11, "nothing behind"},
    {"redirect_origins", "redirect_origins = https://Money.sage.com", 11, "lower case"},
    {"redirect_origins", "redirect_origins = https://money.sage.com:443", 11, "other than 443"},
    {"redirect_origins", "redirect_origins = http://money.sage.com", 11, "http:// only for"},
    {"redirect_origins", "redirect_origins = *", 11, "can't have \"*\""},
    {"redirect_origins", "redirect_origins = https://a.example\n  b.example", 12, "\"b.example\""},
    {"key_file", "key_file = .", 8, "not a regular file"},
    {"key_file", "key_file = /dev/null", 8, "not a regular file"},
    {"key_header", "key_header = X_Feedgate_Key", 7, "letters, digits"},
    {"key_header", "key_header = X Feedgate", 7, "letters, digits"},
    {"key_header", "key_header = 1X", 7, "begins with a letter"},
    {"key_header", "key_header = -X", 7, "begins with a letter"},
    {"key_header", "key_header = X-", 7, "letters, digits"},
    {"key_header", "key_header = X-Feedgate:", 7, "letters, digits"},
    {"key_header",
     "key_header = X-12345678901234567890123456789012345678901234567890123456789012345", 7,
     "letters, digits"},
    {"key_header", "key_header = Authorization", 7, "meaning of its own"},
    {"key_header", "key_header = authorization", 7, "meaning of its own"},
    {"key_header", "key_header = Content-Type", 7, "meaning of its own"},
    {"key_header", "key_header = Content-Length", 7, "meaning of its own"},
    {"key_header", "key_header = Host", 7, "meaning of its own"},
    {"key_header", "key_header = Cookie", 7, "meaning of its own"},
    {"key_header", "key_header = Connection", 7, "meaning of its own"},
    {"key_header", "key_header = Accept", 7, "meaning of its own"},
    {"key_header", "key_header = Accept-Language", 7, "meaning of its own"},
    {"key_header", "key_header = User-Agent", 7, "meaning of its own"},
    {"key_header", "key_header = Transfer-Encoding", 7, "meaning of its own"},
    {"key_header", "key_header = Forwarded", 7, "meaning of its own"},
    {"key_header", "key_header = X-Forwarded-For", 7, "meaning of its own"},
    {"key_header", "key_header = CF-Connecting-IP", 7, "meaning of its own"},
    {"key_header", "key_header = Sec-Purpose", 7, "meaning of its own"},
    {"key_header", "key_header = Proxy", 7, "meaning of its own"},
    {"key_header", "key_header = Proxy-Authorization", 7, "meaning of its own"},
    {"key_header", "key_header = Purpose", 7, "meaning of its own"},
    {"key_header", "key_header = X-MOZ", 7, "meaning of its own"},
    {"key_header", "key_header = Keep-Alive", 7, "meaning of its own"},
    {"key_header", "key_header = TE", 7, "meaning of its own"},
    {"key_header", "key_header = X-HTTP-Method-Override", 7, "meaning of its own"},
};

/* BASE with one line replaced. */
static void replace_line(const struct replacement *row, char *text, size_t size)
{
    const char *old = strstr(BASE, row->old);
    ck_assert_ptr_nonnull(old);
    const char *behind = strchr(old, '\n') + 1;
    int length = snprintf(text, size, "%.*s%s%s%s", (int)(old - BASE), BASE,
                          row->new == NULL ? "" : row->new, row->new == NULL ? "" : "\n", behind);
    ck_assert_int_gt(length, 0);
    ck_assert_uint_lt((size_t)length, size);
}

START_TEST(a_line_that_is_missing_or_wrong_is_named)
{
    char text[4096];
    const struct replacement *row = &replacements[_i];
    replace_line(row, text, sizeof(text));
    assert_refused(row->new == NULL ? row->old : row->new, load(text), row->line, row->says);
}
END_TEST

static const char *const key_headers[] = {"X-Feedgate-Key", "x-key",   "Apikey",    "X2",
                                          "XSec-Key",       "Hostess", "Teller-Key"};

START_TEST(a_header_of_ones_own_may_carry_the_key)
{
    char line[128];
    char text[4096];
    ck_assert_int_gt(snprintf(line, sizeof(line), "key_header = %s", key_headers[_i]), 0);
    replace_line(&(struct replacement){.old = "key_header", .new = line}, text, sizeof(text));
    struct config *config = load_good(text);
    ck_assert_str_eq(config->notification.key_header, key_headers[_i]);
    config_free(config);
}
END_TEST

static const struct {
    const char *written;
    int64_t ms;
} durations[] = {
    {"1", 1000},      {"90", 90000},       {"90s", 90000},
    {"90 s", 90000},  {"1 second", 1000},  {"2 seconds", 2000},
    {"20m", 1200000}, {"1 minute", 60000}, {"20 minutes", 1200000},
    {"1h", 3600000},  {"1 hour", 3600000}, {"24 hours", 86400000},
    {"1d", 86400000}, {"1 day", 86400000}, {"1\tdays", 86400000},
    {"007", 7000},
};

START_TEST(a_duration_has_a_unit_or_is_in_seconds)
{
    char text[4096];
    ck_assert_int_gt(
        snprintf(text, sizeof(text), "%s[session]\nlifetime = %s\n", BASE, durations[_i].written),
        0);
    struct config *config = load_good(text);
    ck_assert_int_eq(config->session.lifetime_ms, durations[_i].ms);
    config_free(config);
}
END_TEST

START_TEST(a_list_goes_on_over_indented_lines)
{
    struct config *config =
        load_good(BUILT_IN("sandbox") "[journey]\n"
                                      "redirect_origins =\n"
                                      "    https://a.example https://b.example ; comment\n"
                                      "\n"
                                      "  # comment\n"
                                      "\thttps://c.example:8443\n"
                                      "fragment_origins = https://a.example\n"
                                      "  https://b.example\n");
    ck_assert_uint_eq(config->journey.redirect_origins.count, 3);
    ck_assert_str_eq(config->journey.redirect_origins.items[2], "https://c.example:8443");
    ck_assert_uint_eq(config->journey.fragment_origins.count, 2);
    config_free(config);
}
END_TEST

START_TEST(a_list_has_a_largest_number_of_items)
{
    char text[8192] = BUILT_IN("sandbox") "[journey]\nredirect_origins =\n";
    size_t used = strlen(text);
    for (int i = 0; i < CONFIG_LIST_MAX; i++)
        used += (size_t)snprintf(text + used, sizeof(text) - used, "  https://h%d.example\n", i);
    struct config *config = load_good(text);
    ck_assert_uint_eq(config->journey.redirect_origins.count, CONFIG_LIST_MAX);
    config_free(config);
    (void)snprintf(text + used, sizeof(text) - used, "  https://one-more.example\n");
    assert_refused("one more", load(text), BUILT_IN_LINES + 3 + CONFIG_LIST_MAX, "more than 32");
}
END_TEST

START_TEST(lines_may_end_as_on_windows)
{
    struct config *config = load_good("[sage]\r\nenvironment = sandbox\r\n[notification]\r\n"
                                      "key_header = X-Key\r\nkey_file = notification.key\r\n"
                                      "[journey]\r\npublic_url = https://a.example\r\n\r\n"
                                      "[store]\r\ndatabase = feedgate.db\r\n");
    ck_assert_str_eq(config->notification.key_header, "X-Key");
    ck_assert_str_eq(config->journey.public_url, "https://a.example");
    config_free(config);
}
END_TEST

START_TEST(a_line_that_libinih_would_cut_is_refused)
{
    char text[4096];
    char name[512];
    memset(name, 'x', sizeof(name));
    for (size_t length = 150; length < 400; length += 10) {
        name[length] = '\0';
        ck_assert_int_gt(snprintf(text, sizeof(text), "%s[network]\nca_file = /%s\n", BASE, name),
                         0);
        name[length] = 'x';
        struct config *config = load(text);
        if (length < 188) {
            ck_assert_msg(config != NULL, "%s", error);
            ck_assert_uint_eq(strlen(config->network.ca_file), length + 1);
            config_free(config);
        } else {
            assert_refused("long", config, BASE_LINES + 2, "longer than 199 bytes");
        }
    }
}
END_TEST

START_TEST(a_long_comment_is_refused_rather_than_cut)
{
    char text[4096];
    int used = snprintf(text, sizeof(text), "%s# ", BASE);
    ck_assert_int_gt(used, 0);
    memset(text + used, ' ', 300);
    (void)snprintf(text + used + 300, sizeof(text) - (size_t)used - 300, "\n[log]\n");
    assert_refused("comment", load(text), BASE_LINES + 1, "longer than");
}
END_TEST

START_TEST(a_nul_byte_is_refused)
{
    struct config *config = load_bytes(BYTES(BASE "[log]\nlevel = info\0rmation\n"));
    assert_refused("NUL", config, BASE_LINES + 2, "control character");
    config = load_bytes(BYTES("\0" BASE));
    assert_refused("NUL", config, 1, "control character");
}
END_TEST

START_TEST(a_byte_order_mark_is_refused)
{
    assert_refused("BOM", load("\xEF\xBB\xBF" BASE), 1, "byte order mark");
}
END_TEST

START_TEST(an_empty_file_lacks_everything)
{
    assert_refused("empty", load(""), 1, "[sage] environment is missing");
    assert_refused("comments", load("#\n#\n"), 2, "[sage] environment is missing");
}
END_TEST

START_TEST(a_file_that_is_too_large_is_refused)
{
    enum { LARGE = 64 * 1024 + 1 };
    static char text[LARGE];
    memset(text, '\n', sizeof(text));
    ck_assert_ptr_null(load_bytes(text, sizeof(text)));
    ck_assert_ptr_nonnull(strstr(error, "too large"));
    ck_assert_ptr_null(load_bytes(text, sizeof(text) - 1));
    ck_assert_ptr_nonnull(strstr(error, "is missing"));
}
END_TEST

START_TEST(a_file_that_cannot_be_read_is_named)
{
    char expected[256];
    ck_assert_ptr_null(config_load(file, SECRETS_ALL, error));
    ck_assert_int_gt(
        snprintf(expected, sizeof(expected), "%s: can't be read: No such file or directory", file),
        0);
    ck_assert_str_eq(error, expected);
    ck_assert_ptr_null(config_load(directory, SECRETS_ALL, error));
    ck_assert_ptr_nonnull(strstr(error, "not a regular file"));
}
END_TEST

START_TEST(a_relative_path_is_made_absolute)
{
    struct config *config = load_good(BASE);
    config_free(config);
    ck_assert_int_eq(chdir(directory), 0);
    config = config_load("feedgate.conf", SECRETS_ALL, error);
    ck_assert_msg(config != NULL, "%s", error);
    ck_assert_str_eq(config->file, file);
    ck_assert_int_eq(strncmp(config->store.database, directory, strlen(directory)), 0);
    config_free(config);
    ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    mode_t mode;
    const char *says; /* NULL: it is taken */
} secrets[] = {
    {"one line", BYTES("0123456789abcdef\n"), 0600, NULL},
    {"no end of line", BYTES("0123456789abcdef"), 0600, NULL},
    {"as on Windows", BYTES("0123456789abcdef\r\n"), 0640, NULL},
    {"read-only", BYTES("0123456789abcdef\n"), 0440, NULL},
    {"all kinds of characters", BYTES("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~\n"), 0600, NULL},
    {"readable to others", BYTES("0123456789abcdef\n"), 0644, "chmod o="},
    {"writable to others", BYTES("0123456789abcdef\n"), 0602, "chmod o="},
    {"executable to others", BYTES("0123456789abcdef\n"), 0601, "chmod o="},
    {"empty", BYTES(""), 0600, "has 0 characters; it needs 16 to 512"},
    {"only the end of a line", BYTES("\n"), 0600, "has 0 characters"},
    {"too short", BYTES("0123456789abcde\n"), 0600, "has 15 characters"},
    {"too short but for its ends of lines", BYTES("0123456789abcde\n\n"), 0600, "visible ASCII"},
    {"two ends of lines", BYTES("0123456789abcdef\n\n"), 0600, "visible ASCII"},
    {"two lines", BYTES("0123456789abcdef\n0123456789abcdef\n"), 0600, "visible ASCII"},
    {"a space inside", BYTES("0123456789 abcdef\n"), 0600, "visible ASCII"},
    {"a space before", BYTES(" 0123456789abcdef\n"), 0600, "visible ASCII"},
    {"a space behind", BYTES("0123456789abcdef \n"), 0600, "visible ASCII"},
    {"a return alone", BYTES("0123456789abcdef\r"), 0600, "visible ASCII"},
    {"a NUL", BYTES("0123456789abcdef\0"), 0600, "visible ASCII"},
    {"a NUL inside", BYTES("0123456789\0abcdef\n"), 0600, "visible ASCII"},
    {"UTF-8", BYTES("0123456789abcd\xC3\xA9\n"), 0600, "visible ASCII"},
    {"a BOM",
     BYTES("\xEF\xBB\xBF"
           "0123456789abcdef\n"),
     0600, "visible ASCII"},
};

static const struct {
    const char *name, *text;
    mode_t mode;
    const char *says; /* NULL: it is taken */
} address_files[] = {
    {"one range", "192.0.2.0/24\n", 0644, NULL},
    {"no newline", "# of Cloudflare\n\n2001:db8::/32", 0600, NULL},
    {"open to others", "192.0.2.0/24\n", 0646, "others may use it"},
    {"nothing", "", 0644, "has no range"},
    {"comments", "# 192.0.2.0/24\n", 0644, "has no range"},
    {"HTML", "<!DOCTYPE html>\n", 0644, "line 1 is no address"},
    {"everybody", "192.0.2.0/24\n0.0.0.0/0\n", 0644, "line 2 is everybody"},
    {"host bits", "192.0.2.0/24\n\n192.0.2.1/24\n", 0644, "line 3 has bits set"},
};

START_TEST(a_file_of_addresses_has_ranges_and_nothing_else)
{
    write_file("case.key", address_files[_i].text, strlen(address_files[_i].text),
               address_files[_i].mode);
    struct config *config = load(BASE "[network]\nsage_addresses_file = case.key\n");
    if (address_files[_i].says) {
        assert_refused(address_files[_i].name, config, BASE_LINES + 2, address_files[_i].says);
        return;
    }
    ck_assert_msg(config != NULL, "%s: %s", address_files[_i].name, error);
    ck_assert_uint_eq(config->network.sage_addresses.set.count, 1);
    config_free(config);
}
END_TEST

START_TEST(a_file_of_too_many_addresses_is_refused)
{
    char text[ADDRESS_SET_MAX * 16 + 32];
    size_t used = 0;
    for (int i = 0; i <= ADDRESS_SET_MAX; i++)
        used +=
            (size_t)snprintf(text + used, sizeof text - used, "10.%d.%d.0/24\n", i / 256, i % 256);
    write_file("case.key", text, used, 0600);
    assert_refused("257", load(BASE "[network]\nsage_addresses_file = case.key\n"), BASE_LINES + 2,
                   "line 257 is one range too many");
}
END_TEST

START_TEST(trusted_proxies_are_a_list_of_ranges)
{
    struct config *config = load_good(BASE "[network]\ntrusted_proxies = 127.0.0.1\n"
                                           "  10.0.0.0/8 2001:db8::/32 ; ours\n"
                                           "client_address_header = CF-Connecting-IP\n");
    ck_assert_uint_eq(config->network.trusted_proxies.count, 3);
    ck_assert_int_eq((int)config->network.client_address_header, CLIENT_CF_CONNECTING_IP);
    config_free(config);
}
END_TEST

#define CASE_KEY "[notification]\nnext_key_file = case.key\n"

START_TEST(a_secret_is_one_line_that_others_cannot_use)
{
    write_file("case.key", secrets[_i].bytes, secrets[_i].length, secrets[_i].mode);
    struct config *config = load(BASE CASE_KEY);
    if (secrets[_i].says != NULL) {
        assert_refused(secrets[_i].name, config, BASE_LINES + 2, secrets[_i].says);
        ck_assert_ptr_null(strstr(error, "0123456789"));
        return;
    }
    ck_assert_msg(config != NULL, "%s: %s", secrets[_i].name, error);
    ck_assert_uint_ge(config->notification.next_key.length, CONFIG_KEY_MIN);
    ck_assert_mem_eq(config->notification.next_key.bytes, secrets[_i].bytes,
                     config->notification.next_key.length);
    config_free(config);
}
END_TEST

static const struct {
    const char *name;
    unsigned secrets;
    const char *setting; /* of [availableaccounts] */
    bool notification, code, complete, provider_api;
} holders[] = {
    {"nobody", SECRETS_NONE, "yes", false, false, false, false},
    {"notification", SECRETS_NOTIFICATION, "no", true, false, false, false},
    {"availableaccounts", SECRETS_NOTIFICATION_IF_REQUIRED, "no", false, false, false, false},
    {"its key header", SECRETS_NOTIFICATION_IF_REQUIRED, "yes", true, false, false, false},
    {"code", SECRETS_CODE, "yes", false, true, false, false},
    {"complete", SECRETS_COMPLETE | SECRETS_PROVIDER_API, "yes", false, false, true, true},
    {"auth", SECRETS_PROVIDER_API, "yes", false, false, false, true},
    {"check", SECRETS_ALL, "no", true, true, true, true},
};

/* In this order, so that what is required is read behind what requires it. */
#define ALL_SECRETS                                                                                \
    BASE "[sage]\ntoken_url = http://localhost:8081/token\n"                                       \
         "provider_api_url = http://localhost:8081/v1\n"                                           \
         "[notification]\nnext_key_file = next.key\n"                                              \
         "[code]\nkey_file = code.key\nnext_key_file = code.next\n"                                \
         "[complete]\nkey_file = complete.key\nnext_key_file = complete.next\n"                    \
         "[provider_api]\nclient_id = provider\nclient_secret_file = client.secret\n"              \
         "api_key_file = api.key\n[availableaccounts]\nrequire_key_header = "

static const char *const further_secrets[] = {"code.key",      "code.next",     "complete.key",
                                              "complete.next", "client.secret", "api.key"};

static void write_further_secrets(void)
{
    char text[64];
    for (size_t i = 0; i < COUNT(further_secrets); i++) {
        int length = snprintf(text, sizeof(text), "the-secret-in-%s\n", further_secrets[i]);
        write_file(further_secrets[i], text, (size_t)length, 0640);
    }
}

static bool holds(const struct config_secret *secret)
{
    ck_assert_ptr_nonnull(secret->file);
    ck_assert(secret->length > 0 || secret->bytes[0] == '\0');
    return secret->length > 0;
}

START_TEST(a_process_holds_the_secrets_that_it_asks_for_and_no_other)
{
    char text[2048];
    write_further_secrets();
    (void)snprintf(text, sizeof(text), "%s%s\n", ALL_SECRETS, holders[_i].setting);
    write_file("feedgate.conf", text, strlen(text), 0640);
    struct config *config = config_load(file, holders[_i].secrets, error);
    ck_assert_msg(config != NULL, "%s: %s", holders[_i].name, error);
    const struct {
        const struct config_secret *secret;
        bool held;
    } expected[] = {
        {&config->notification.key, holders[_i].notification},
        {&config->notification.next_key, holders[_i].notification},
        {&config->code.key, holders[_i].code},
        {&config->code.next_key, holders[_i].code},
        {&config->complete.key, holders[_i].complete},
        {&config->complete.next_key, holders[_i].complete},
        {&config->provider_api.client_secret, holders[_i].provider_api},
        {&config->provider_api.api_key, holders[_i].provider_api},
    };
    for (size_t i = 0; i < COUNT(expected); i++)
        ck_assert_msg(holds(expected[i].secret) == expected[i].held, "%s: secret %zu",
                      holders[_i].name, i);
    config_free(config);
}
END_TEST

/* What can be seen from outside is told all the same. */
START_TEST(a_file_that_nobody_asked_for_is_looked_at_and_not_opened)
{
    write_file("case.key", BYTES("short"), 0640);
    write_file("feedgate.conf", BYTES(BASE CASE_KEY), 0640);
    struct config *config = config_load(file, SECRETS_CODE, error);
    ck_assert_msg(config != NULL, "%s", error);
    config_free(config);
    assert_refused("asked for", config_load(file, SECRETS_NOTIFICATION, error), BASE_LINES + 2,
                   "has 5 characters");
    write_file("case.key", BYTES("short"), 0644);
    assert_refused("open to others", config_load(file, SECRETS_CODE, error), BASE_LINES + 2,
                   "chmod o=");
    write_file("feedgate.conf", BYTES(BASE "[code]\nkey_file = nowhere.key\n"), 0640);
    assert_refused("missing", config_load(file, SECRETS_NONE, error), BASE_LINES + 2,
                   "nowhere.key: No such file");
}
END_TEST

START_TEST(a_secret_has_a_longest_length)
{
    char bytes[4096];
    memset(bytes, 'x', sizeof(bytes));
    bytes[CONFIG_KEY_MAX] = '\n';
    write_file("case.key", bytes, CONFIG_KEY_MAX + 1, 0600);
    struct config *config = load(BASE CASE_KEY);
    ck_assert_msg(config != NULL, "%s", error);
    ck_assert_uint_eq(config->notification.next_key.length, CONFIG_KEY_MAX);
    config_free(config);

    memset(bytes, 'x', sizeof(bytes));
    bytes[CONFIG_KEY_MAX + 1] = '\n';
    write_file("case.key", bytes, CONFIG_KEY_MAX + 2, 0600);
    assert_refused("one more", load(BASE CASE_KEY), BASE_LINES + 2, "513 characters");
    write_file("case.key", bytes, sizeof(bytes), 0600);
    assert_refused("many more", load(BASE CASE_KEY), BASE_LINES + 2, "too large");
}
END_TEST

START_TEST(a_link_to_a_secret_is_followed_and_its_end_judged)
{
    char link[256];
    ck_assert_int_gt(snprintf(link, sizeof(link), "%s/link.key", directory), 0);
    ck_assert_int_eq(symlink("case.key", link), 0);
    write_file("case.key", BYTES("0123456789abcdef\n"), 0600);
    struct config *config = load(BASE "[notification]\nnext_key_file = link.key\n");
    ck_assert_msg(config != NULL, "%s", error);
    config_free(config);
    write_file("case.key", BYTES("0123456789abcdef\n"), 0604);
    assert_refused("link", load(BASE "[notification]\nnext_key_file = link.key\n"), BASE_LINES + 2,
                   "chmod o=");
}
END_TEST

START_TEST(a_fifo_in_place_of_a_secret_holds_nobody)
{
    char path[256];
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s/case.key", directory), 0);
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    assert_refused("FIFO", load(BASE CASE_KEY), BASE_LINES + 2, "not a regular file");
}
END_TEST

START_TEST(the_line_of_a_key_is_remembered)
{
    struct config *config = load_good(BASE "[session]\nlifetime = 5\n");
    ck_assert_int_eq(config_line(config, "sage", "issuer"), 3);
    ck_assert_int_eq(config_line(config, "session", "lifetime"), BASE_LINES + 2);
    ck_assert_int_eq(config_line(config, "session", "retention"), 0);
    ck_assert_int_eq(config_line(config, "session", "unknown"), 0);
    config_free(config);
}
END_TEST

START_TEST(a_long_provider_name_is_refused)
{
    char text[4096];
    char name[102];
    memset(name, 'x', sizeof(name));
    name[100] = '\0';
    ck_assert_int_gt(snprintf(text, sizeof(text), "%s[journey]\nprovider_name = %s\n", BASE, name),
                     0);
    struct config *config = load_good(text);
    ck_assert_str_eq(config->journey.provider_name, name);
    config_free(config);
    name[100] = 'x';
    name[101] = '\0';
    ck_assert_int_gt(snprintf(text, sizeof(text), "%s[journey]\nprovider_name = %s\n", BASE, name),
                     0);
    assert_refused("long", load(text), BASE_LINES + 2, "longer than 100 bytes");
}
END_TEST

START_TEST(no_configuration_needs_no_freeing)
{
    config_free(NULL);
}
END_TEST

START_TEST(the_environment_names_the_file)
{
    ck_assert_int_eq(setenv("FEEDGATE_CONF", "/somewhere/feedgate.conf", 1), 0);
    ck_assert_str_eq(config_path(), "/somewhere/feedgate.conf");
    ck_assert_int_eq(setenv("FEEDGATE_CONF", "", 1), 0);
    const char *built_in = config_path();
    ck_assert_int_eq(built_in[0], '/');
    ck_assert_int_eq(unsetenv("FEEDGATE_CONF"), 0);
    ck_assert_str_eq(config_path(), built_in);
}
END_TEST

/* A rule that reads files in a directory of its own. */
static void add_rule_with_files(Suite *suite, const char *name, const TTest *test, size_t count)
{
    TCase *rule = parts_add_rule(suite, name, test, (int)count);
    tcase_add_checked_fixture(rule, set_up, tear_down);
}

#define ADD_RULE_WITH_FILES(suite, test, count) add_rule_with_files((suite), #test, (test), (count))

Suite *config_suite(void)
{
    Suite *suite = suite_create("config");
    ADD_RULE_WITH_FILES(suite, what_is_not_given_has_its_default, 1);
    ADD_RULE_WITH_FILES(suite, what_is_given_is_taken, 1);
    ADD_RULE_WITH_FILES(suite, the_sandbox_is_built_in, 1);
    ADD_RULE_WITH_FILES(suite, production_is_built_in, 1);
    ADD_RULE_WITH_FILES(suite, the_region_tells_where_the_provider_api_is, COUNT(regions));
    ADD_RULE_WITH_FILES(suite, the_backends_key_is_read, 1);
    ADD_RULE_WITH_FILES(suite, in_production_available_accounts_need_a_pin_or_the_key_header, 1);
    ADD_RULE_WITH_FILES(suite, a_wrong_line_is_named, COUNT(additions));
    ADD_RULE_WITH_FILES(suite, a_line_that_is_missing_or_wrong_is_named, COUNT(replacements));
    ADD_RULE_WITH_FILES(suite, a_header_of_ones_own_may_carry_the_key, COUNT(key_headers));
    ADD_RULE_WITH_FILES(suite, a_duration_has_a_unit_or_is_in_seconds, COUNT(durations));
    ADD_RULE_WITH_FILES(suite, a_list_goes_on_over_indented_lines, 1);
    ADD_RULE_WITH_FILES(suite, a_list_has_a_largest_number_of_items, 1);
    ADD_RULE_WITH_FILES(suite, lines_may_end_as_on_windows, 1);
    ADD_RULE_WITH_FILES(suite, a_line_that_libinih_would_cut_is_refused, 1);
    ADD_RULE_WITH_FILES(suite, a_long_comment_is_refused_rather_than_cut, 1);
    ADD_RULE_WITH_FILES(suite, a_nul_byte_is_refused, 1);
    ADD_RULE_WITH_FILES(suite, a_byte_order_mark_is_refused, 1);
    ADD_RULE_WITH_FILES(suite, an_empty_file_lacks_everything, 1);
    ADD_RULE_WITH_FILES(suite, a_file_that_is_too_large_is_refused, 1);
    ADD_RULE_WITH_FILES(suite, a_file_that_cannot_be_read_is_named, 1);
    ADD_RULE_WITH_FILES(suite, a_relative_path_is_made_absolute, 1);
    ADD_RULE_WITH_FILES(suite, a_file_of_addresses_has_ranges_and_nothing_else,
                        COUNT(address_files));
    ADD_RULE_WITH_FILES(suite, a_file_of_too_many_addresses_is_refused, 1);
    ADD_RULE_WITH_FILES(suite, trusted_proxies_are_a_list_of_ranges, 1);
    ADD_RULE_WITH_FILES(suite, a_secret_is_one_line_that_others_cannot_use, COUNT(secrets));
    ADD_RULE_WITH_FILES(suite, a_process_holds_the_secrets_that_it_asks_for_and_no_other,
                        COUNT(holders));
    ADD_RULE_WITH_FILES(suite, a_file_that_nobody_asked_for_is_looked_at_and_not_opened, 1);
    ADD_RULE_WITH_FILES(suite, a_secret_has_a_longest_length, 1);
    ADD_RULE_WITH_FILES(suite, a_link_to_a_secret_is_followed_and_its_end_judged, 1);
    ADD_RULE_WITH_FILES(suite, a_fifo_in_place_of_a_secret_holds_nobody, 1);
    ADD_RULE_WITH_FILES(suite, the_line_of_a_key_is_remembered, 1);
    ADD_RULE_WITH_FILES(suite, a_long_provider_name_is_refused, 1);
    ADD_RULE(suite, no_configuration_needs_no_freeing);
    ADD_RULE(suite, the_environment_names_the_file);
    return suite;
}
