/* SPDX-License-Identifier: MIT */
#include "addresses.h"

#include "base/cleanup.h"
#include "base/fetch.h"
#include "base/file.h"
#include "base/url.h"
#include "config/config.h"
#include "operator.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/*
 * `feedgate addresses refresh`. The file is what lets Sage in and keeps others
 * out, so it changes whole or not at all, and only to what looks like the lists that it
 * is made of.
 */

enum { EXIT_WOULD_CHANGE = 3, URL_SIZE = 2048 };

static const char *const published[ADDRESS_FAMILIES] = {
    [ADDRESS_IPV4] = "https://www.cloudflare.com/ips-v4",
    [ADDRESS_IPV6] = "https://www.cloudflare.com/ips-v6",
};

struct refresh {
    struct call *call;
    const struct address_set *present;
    const char *urls[ADDRESS_FAMILIES];
    struct address_set fetched;
    char *path; /* of the file itself, at the end of all links */
    struct stat before;
};

static bool is_redirect(long status)
{
    return status == 301 || status == 302 || status == 307 || status == 308;
}

/*
 * Redirects aren't followed, since they lead anywhere; but for a while
 * Cloudflare had the lists at the same URLs with a slash behind.
 */
static bool fetch_list(const struct refresh *refresh, enum address_family family,
                       struct fetch_answer *answer, char error[FETCH_ERROR_MAX])
{
    const struct config *config = refresh->call->service.config;
    char with_slash[URL_SIZE];
    struct fetch fetch = {
        .url = refresh->urls[family],
        .ca_file = config->network.ca_file,
        .proxy = config->network.proxy,
        .limit = ADDRESS_LIST_MAX,
    };
    if (!fetch_call(&fetch, answer, error))
        return false;
    int length = snprintf(with_slash, sizeof with_slash, "%s/", fetch.url);
    if (is_redirect(answer->status) && length > 0 && length < URL_SIZE) {
        fetch_answer_clear(answer);
        fetch.url = with_slash;
        if (!fetch_call(&fetch, answer, error))
            return false;
    }
    if (answer->status == 200)
        return true;
    (void)snprintf(error, FETCH_ERROR_MAX, "status %ld", answer->status);
    fetch_answer_clear(answer);
    return false;
}

static bool take_list(struct refresh *refresh, enum address_family family)
{
    struct fetch_answer answer = {0};
    char error[FETCH_ERROR_MAX];
    char complaint[ADDRESS_LIST_ERROR_MAX];
    if (!url_is_safe(refresh->urls[family])) {
        (void)fail("%s: not a URL that is fetched; write https://host/path in lower case (http:// "
                   "only to this machine)",
                   refresh->urls[family]);
        return false;
    }
    if (!fetch_list(refresh, family, &answer, error)) {
        (void)fail("%s: %s; nothing was changed", refresh->urls[family], error);
        return false;
    }
    bool taken = address_list_take(family, answer.body, answer.length, refresh->present,
                                   &refresh->fetched, complaint);
    fetch_answer_clear(&answer);
    if (!taken)
        (void)fail("%s: %s; nothing was changed", refresh->urls[family], complaint);
    return taken;
}

/* Prints the ranges of one set that the other lacks; how many there are. */
static size_t print_missing(const struct address_set *set, const struct address_set *other,
                            char sign)
{
    char text[ADDRESS_RANGE_SIZE];
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++) {
        if (address_set_has_range(other, &set->ranges[i]))
            continue;
        (void)printf("%c %s\n", sign, address_range_print(&set->ranges[i], text));
        count++;
    }
    return count;
}

static bool write_list(const struct refresh *refresh, FILE *file)
{
    char range[ADDRESS_RANGE_SIZE];
    char date[32];
    time_t now = time(NULL);
    struct tm parts;
    if (!gmtime_r(&now, &parts) || strftime(date, sizeof date, "%Y-%m-%d", &parts) == 0)
        return false;
    (void)fprintf(
        file,
        "# Cloudflare's addresses, behind which Sage's services stand: one range a line.\n"
        "# As fetched by `feedgate addresses refresh` on %s from\n#   %s\n#   %s\n",
        date, refresh->urls[ADDRESS_IPV4], refresh->urls[ADDRESS_IPV6]);
    for (size_t i = 0; i < refresh->fetched.count; i++)
        (void)fprintf(file, "%s\n", address_range_print(&refresh->fetched.ranges[i], range));
    return fflush(file) == 0 && !ferror(file);
}

/* Content, mode and owner, for good; 0 or the errno. */
static int fill(const struct refresh *refresh, int descriptor)
{
    int copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    FILE *file = copy >= 0 ? fdopen(copy, "w") : NULL;
    if (!file)
        return errno;
    errno = EIO;
    int reason = write_list(refresh, file) ? 0 : errno;
    if (fclose(file) != 0 && reason == 0)
        reason = errno;
    if (reason != 0)
        return reason;
    struct stat own;
    bool done = fstat(descriptor, &own) == 0 &&
                ((own.st_uid == refresh->before.st_uid && own.st_gid == refresh->before.st_gid) ||
                 fchown(descriptor, refresh->before.st_uid, refresh->before.st_gid) == 0) &&
                fchmod(descriptor, refresh->before.st_mode & 0777) == 0 && fsync(descriptor) == 0;
    return done ? 0 : errno;
}

/* Readers see the old list or the new one, also after a power cut; 0 or the errno. */
static int replace(const struct refresh *refresh)
{
    _cleanup_(cleanup_free) char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", refresh->path) < 0) {
        temporary = NULL; /* its value is undefined then */
        return ENOMEM;
    }
    _cleanup_(cleanup_close) int file = mkostemp(temporary, O_CLOEXEC);
    if (file < 0)
        return errno;
    int reason = fill(refresh, file);
    if (reason == 0 && rename(temporary, refresh->path) != 0)
        reason = errno;
    if (reason != 0) {
        (void)unlink(temporary); /* one that stays is in nobody's way */
        return reason;
    }
    return file_sync_name(refresh->path);
}

/* Finds the file and becomes who may replace it. */
static bool prepare(struct refresh *refresh)
{
    const char *configured = refresh->call->service.config->network.sage_addresses.file;
    char error[SERVICE_ERROR_MAX];
    if (!configured) {
        (void)fail("[network] sage_addresses_file isn't set: copy %s to a place of your own, such "
                   "as /var/lib/feedgate/sage-addresses.txt, and name that",
                   ADDRESSES_SHIPPED);
        return false;
    }
    refresh->path = realpath(configured, NULL);
    if (!refresh->path || stat(refresh->path, &refresh->before) != 0) {
        (void)fail("%s: %s", configured, strerror(errno));
        return false;
    }
    if (strncmp(refresh->path, FEEDGATE_DATA "/", sizeof FEEDGATE_DATA) == 0) {
        (void)fail("%s came with feedgate and isn't changed: copy it to a place of your own, such "
                   "as /var/lib/feedgate/sage-addresses.txt, and name that in [network] "
                   "sage_addresses_file",
                   refresh->path);
        return false;
    }
    if (operator_become_owner(refresh->path, error))
        return true;
    (void)fail("%s", error);
    return false;
}

static int compare_and_replace(const struct refresh *refresh)
{
    size_t changes = print_missing(refresh->present, &refresh->fetched, '-');
    changes += print_missing(&refresh->fetched, refresh->present, '+');
    if (changes == 0) {
        (void)printf("%s is up to date: %zu ranges\n", refresh->path, refresh->fetched.count);
        return EXIT_SUCCESS;
    }
    if (refresh->call->dry_run) {
        (void)printf("%s would have %zu ranges; nothing was changed\n", refresh->path,
                     refresh->fetched.count);
        return EXIT_WOULD_CHANGE;
    }
    int reason = replace(refresh);
    if (reason != 0)
        return fail("%s can't be replaced: %s", refresh->path, strerror(reason));
    (void)printf("%s has %zu ranges now; restart the endpoints to apply\n", refresh->path,
                 refresh->fetched.count);
    return EXIT_SUCCESS;
}

int refresh_addresses(struct call *call)
{
    char error[SERVICE_ERROR_MAX];
    if (!operator_configure(call, error))
        return fail("%s", error);
    struct refresh refresh = {.call = call,
                              .present = &call->service.config->network.sage_addresses.set};
    for (int i = 0; i < ADDRESS_FAMILIES; i++)
        refresh.urls[i] = call->list_urls[i] ? call->list_urls[i] : published[i];
    int status = EXIT_FAILURE;
    if (prepare(&refresh) && fetch_init() && take_list(&refresh, ADDRESS_IPV4) &&
        take_list(&refresh, ADDRESS_IPV6))
        status = compare_and_replace(&refresh);
    free(refresh.path);
    return status;
}
