/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "config/config.h"
#include "probe.h"
#include "sage/sage_token.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ADDRESSES_OLD_DAYS = 90, DAY_S = 24 * 60 * 60 };

/*
 * A Date header has whole seconds, and an answer from a cache the time at
 * which it was made, with its Age. What is beyond the leeway makes tokens look
 * expired, or not valid yet.
 */
void check_time(struct check *check, const char *date, const char *age)
{
    int64_t then = fetch_read_date(date);
    if (date[0] == '\0' || then < 0)
        return;
    int64_t ahead = (int64_t)time(NULL) - then - strtol(age, NULL, 10);
    check->time_known = true;
    check->clock_ahead_ms = ahead * SECOND_MS;
    int64_t leeway = SAGE_TOKEN_LEEWAY_MS / SECOND_MS;
    if (ahead > leeway || ahead < -leeway)
        check_report(check, CHECK_FAIL, "time", NULL, NULL,
                     "this machine's clock is %" PRId64 " s %s Sage ID's, so good tokens are "
                     "refused: set it right, and keep it so (timedatectl set-ntp true)",
                     ahead > 0 ? ahead : -ahead, ahead > 0 ? "ahead of" : "behind");
    else
        check_report(check, CHECK_OK, "time", NULL, NULL,
                     "the same as Sage ID's within %" PRId64 " s", leeway);
}

/* The words are fetch_call()'s, which has them from libcurl. */
static bool is_about_reach(const char *error)
{
    static const char *const words[] = {"Could not resolve", "Couldn't resolve",
                                        "Failed to connect", "Couldn't connect", "timed out"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (strstr(error, words[i]))
            return true;
    return false;
}

const char *check_advise_reach(const struct check *check, const char *url, const char *error,
                               char advice[CHECK_ADVICE_MAX])
{
    size_t length;
    const char *proxy = check->call->service.config->network.proxy;
    const char *host = probe_authority(url, &length);
    advice[0] = '\0';
    if (!is_about_reach(error) || probe_url_is_loopback(url))
        return advice;
    if (proxy)
        (void)snprintf(advice, CHECK_ADVICE_MAX,
                       "is [network] proxy right (%s), and does it let %.*s through? ", proxy,
                       (int)length, host);
    else
        (void)snprintf(advice, CHECK_ADVICE_MAX,
                       "open the firewall to %.*s, or set [network] proxy; ", (int)length, host);
    return advice;
}

void check_ca_file(struct check *check)
{
    const char *path = check->call->service.config->network.ca_file;
    if (!path)
        check_report(check, CHECK_OK, "authorities", "network", "ca_file", "the system's");
    else if (access(path, R_OK) != 0)
        check_report(check, CHECK_FAIL, "authorities", "network", "ca_file", "%s: %s", path,
                     strerror(errno));
    else
        check_report(check, CHECK_OK, "authorities", "network", "ca_file", "%s", path);
}

static void report_addresses(struct check *check, const struct config_addresses *addresses)
{
    struct stat status;
    if (stat(addresses->file, &status) != 0) {
        check_report(check, CHECK_FAIL, "addresses", "network", "sage_addresses_file", "%s: %s",
                     addresses->file, strerror(errno));
        return;
    }
    int64_t days = ((int64_t)time(NULL) - (int64_t)status.st_mtime) / DAY_S;
    if (days > ADDRESSES_OLD_DAYS)
        check_report(check, CHECK_WARN, "addresses", "network", "sage_addresses_file",
                     "%s hasn't changed for %" PRId64 " days: feedgate addresses refresh --dry-run "
                     "says whether it is up to date",
                     addresses->file, days);
    else
        check_report(check, CHECK_OK, "addresses", "network", "sage_addresses_file",
                     "/notification and /availableaccounts take calls from %s alone (ranges: %zu)",
                     addresses->file, addresses->set.count);
}

void check_addresses(struct check *check)
{
    const struct config *config = check->call->service.config;
    static const char *const headers[] = {[CLIENT_X_FORWARDED_FOR] = "X-Forwarded-For",
                                          [CLIENT_CF_CONNECTING_IP] = "CF-Connecting-IP"};
    if (config->network.sage_addresses.file)
        report_addresses(check, &config->network.sage_addresses);
    else
        check_report(check, CHECK_OK, "addresses", "network", "sage_addresses_file",
                     "anybody may call, from everywhere");
    if (config->network.trusted_proxies.count > 0)
        check_report(check, CHECK_OK, "addresses", "network", "trusted_proxies",
                     "proxies name their clients in %s (ranges: %zu)",
                     headers[config->network.client_address_header],
                     config->network.trusted_proxies.count);
}
