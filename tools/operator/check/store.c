/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/cleanup.h"
#include "config/config.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "sage/key_set.h"
#include "service/mend.h"
#include "store/local_key.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Of a day: a few customers mistype, a hundred wrong codes are somebody's tries. */
enum { DIRECTORY_MODE = 02770, WRONG_CODES_MANY = 100 };

static const char *database_of(const struct check *check)
{
    return check->call->service.config->store.database;
}

/* The directory that a path leads to, owned by the caller; NULL when memory is out. */
static char *directory_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? strndup(path, slash == path ? 1 : (size_t)(slash - path)) : strdup(".");
}

/* Without the directory nothing else of the database can be looked at. */
static bool has_directory(struct check *check)
{
    struct stat status;
    char *directory = directory_of(database_of(check));
    check->no_directory = directory && stat(directory, &status) != 0 && errno == ENOENT;
    if (check->no_directory)
        check_report(check, CHECK_FAIL, "directory", "store", "database",
                     "%s isn't there: install -d -o feedgate -g feedgate -m 2770 %s (as the user "
                     "and group of the endpoints)",
                     directory, directory);
    free(directory);
    return !check->no_directory;
}

/* Root becomes the owner of the database; then the configuration must be readable as that user. */
void check_user(struct check *check)
{
    char error[SERVICE_ERROR_MAX];
    bool root = geteuid() == 0;
    if (!has_directory(check))
        return;
    if (!operator_step_down(check->call, error)) {
        check_report(check, CHECK_FAIL, "user", "store", "database", "%s", error);
        return;
    }
    const struct passwd *user = getpwuid(geteuid());
    const char *name = user ? user->pw_name : "without a name";
    if (geteuid() == 0)
        check_report(check, CHECK_WARN, "user", "store", "database",
                     "the database or its directory belongs to root; give both to the endpoints' "
                     "user: chown feedgate: \"$(dirname %s)\" %s*",
                     database_of(check), database_of(check));
    struct config *again =
        config_load(check->call->conf, operator_secrets(check->call->command), error);
    if (!again)
        check_report(check, CHECK_FAIL, "user", NULL, NULL, "as user %s: %s", name, error);
    else
        check_report(check, CHECK_OK, "user", NULL, NULL,
                     "%s, who can read the configuration and its secrets%s", name,
                     root && geteuid() != 0 ? "; become from root" : "");
    config_free(again);
}

static void judge_directory(struct check *check, const char *directory, unsigned mode)
{
    if ((mode & S_IWOTH) != 0)
        check_report(check, CHECK_FAIL, "directory", "store", "database",
                     "others may write to %s (mode %04o): chmod 2770 %s", directory, mode,
                     directory);
    else if (mode != DIRECTORY_MODE)
        check_report(check, CHECK_WARN, "directory", "store", "database",
                     "%s has mode %04o; 2770 lets the endpoints' group share it and keeps others "
                     "out: chmod 2770 %s",
                     directory, mode, directory);
    else
        check_report(check, CHECK_OK, "directory", "store", "database", "%s has mode 2770",
                     directory);
}

void check_directory(struct check *check)
{
    struct stat status;
    if (check->no_directory)
        return;
    _cleanup_(cleanup_free) char *directory = directory_of(database_of(check));
    if (directory && stat(directory, &status) == 0)
        judge_directory(check, directory, status.st_mode & 07777);
    else
        check_report(check, CHECK_FAIL, "directory", "store", "database", "%s: %s",
                     directory ? directory : "memory is out", strerror(errno));
}

/* Takes all locks that a write takes, and writes nothing. */
static bool write_nothing(struct database *database, void *context)
{
    (void)database, (void)context;
    return true;
}

static bool is_missing(const char *path)
{
    struct stat status;
    return stat(path, &status) != 0 && errno == ENOENT;
}

void check_database(struct check *check)
{
    char error[SERVICE_ERROR_MAX];
    if (check->no_directory)
        return;
    check->opened = service_open_parts(&check->call->service, STORE_OPERATOR, 0, 1, error);
    if (!check->opened) {
        check_report(check, CHECK_FAIL, "database", "store", "database", "%s%s", error,
                     is_missing(database_of(check))
                         ? "; if they were started, see why they failed: journalctl -u "
                           "'feedgate*', or syslog"
                         : "");
        return;
    }
    enum store_result result = store_write(check->call->service.store, write_nothing, NULL);
    if (result == STORE_DONE)
        check_report(check, CHECK_OK, "database", "store", "database",
                     "%s is as this version wants it", database_of(check));
    else
        check_report(
            check, CHECK_FAIL, "database", "store", "database", "%s: %s", database_of(check),
            result == STORE_BUSY
                ? "another process holds its lock all the time; find it and end it"
                : "can't be written to; look at the owners and modes of the files (ls -l)");
}

static void judge_file(struct check *check, const char *path, const struct stat *status,
                       bool of_root)
{
    unsigned mode = status->st_mode & 07777;
    if ((mode & S_IRWXO) != 0)
        check_report(check, CHECK_FAIL, "file", "store", "database",
                     "%s is open to others (mode %04o): chmod o= %s", path, mode, path);
    if (of_root)
        check_report(check, CHECK_FAIL, "file", "store", "database",
                     "%s belongs to root, so endpoints can't use it: chown --reference=%s %s", path,
                     database_of(check), path);
    if ((mode & S_IRWXO) == 0 && !of_root)
        check_report(check, CHECK_OK, "file", "store", "database", "%s has mode %04o", path, mode);
}

/* The database and what stands beside it: for the endpoints, and for nobody else. */
void check_files(struct check *check)
{
    static const char *const endings[] = {"", "-wal", "-shm", ".lock", ".users", ".key"};
    uid_t owner = 0;
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
        struct stat status;
        char *path = NULL;
        if (asprintf(&path, "%s%s", database_of(check), endings[i]) < 0) {
            check_report(check, CHECK_FAIL, "file", NULL, NULL, "memory is out");
            return;
        }
        /* SQLite removes what it doesn't need, and the key is made when it is needed. */
        if (stat(path, &status) == 0) {
            owner = i == 0 ? status.st_uid : owner;
            judge_file(check, path, &status, status.st_uid == 0 && owner != 0);
        }
        free(path);
    }
}

/* Looked at only where it is: making it is the endpoints' to do. */
void check_code_file(struct check *check)
{
    char error[LOCAL_KEY_ERROR_MAX];
    _cleanup_(cleanup_free) char *path = NULL;
    if (check->no_directory)
        return;
    if (asprintf(&path, "%s.key", database_of(check)) < 0) {
        path = NULL;
        check_report(check, CHECK_FAIL, "code", NULL, NULL, "memory is out");
        return;
    }
    if (faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) != 0 && errno == ENOENT) {
        check_report(check, CHECK_OK, "code", "store", "database",
                     "%s isn't there yet: whoever needs it first makes it", path);
        return;
    }
    struct stat status;
    struct local_key *key = local_key_open(database_of(check), error);
    if (key && stat(path, &status) == 0 && (status.st_mode & S_IWGRP) != 0)
        check_report(check, CHECK_WARN, "code", "store", "database",
                     "%s can be written by its group (mode %04o), and needn't be: chmod g-w %s",
                     path, status.st_mode & 07777, path);
    else if (key)
        check_report(check, CHECK_OK, "code", "store", "database",
                     "%s is the key under which codes are stored", path);
    else
        check_report(check, CHECK_FAIL, "code", "store", "database", "%s", error);
    local_key_close(key);
}

struct wrong_codes {
    int64_t since;
    int64_t tries, sessions;
};

static bool count_wrong_codes(struct database *database, void *context)
{
    struct wrong_codes *wrong = context;
    return session_wrong_codes(database, wrong->since, &wrong->tries, &wrong->sessions);
}

void check_wrong_codes(struct check *check)
{
    if (!check->opened)
        return;
    struct service *service = &check->call->service;
    struct wrong_codes wrong = {.since = clock_now(&service->clock) - DAY_MS};
    if (store_read(service->store, count_wrong_codes, &wrong) != STORE_DONE)
        check_report(check, CHECK_FAIL, "wrong codes", NULL, NULL, "the database can't be read");
    else if (wrong.tries > WRONG_CODES_MANY)
        check_report(check, CHECK_WARN, "wrong codes", NULL, NULL,
                     "%" PRId64 " in the last 24 hours, in %" PRId64 " sessions: somebody may be "
                     "guessing: the view sessions shows where, the log from which addresses",
                     wrong.tries, wrong.sessions);
    else
        check_report(check, CHECK_OK, "wrong codes", NULL, NULL, "%" PRId64 " in the last 24 hours",
                     wrong.tries);
}

struct times {
    struct clock *clock;
    struct session_clock_row row;
    int64_t newest;
    struct mending mending;
};

static bool read_times(struct database *database, void *context)
{
    struct times *times = context;
    return session_clock_read(database, times->clock, &times->row) &&
           session_newest_time(database, &times->newest);
}

/* Sessions know a later time than the machine's clock. */
static void report_ahead(struct check *check, const struct times *times)
{
    int64_t ahead =
        times->row.there && times->row.now > times->newest ? times->row.now : times->newest;
    int64_t off_s = (ahead - clock_now(times->clock)) / SECOND_MS;
    bool behind = check->time_known && check->clock_ahead_ms < -CLOCK_DOUBT_MS;
    if (behind)
        check_report(check, CHECK_FAIL, "clock", NULL, NULL,
                     "the machine's clock is %" PRId64 " s behind the newest time of a session, "
                     "and behind Sage ID's: set it right (sessions go by the later time, but "
                     "tokens by this clock)",
                     off_s);
    else if (check->time_known)
        check_report(check, CHECK_WARN, "clock", NULL, NULL,
                     "the newest time of a session is %" PRId64 " s ahead of the machine's clock, "
                     "which agrees with Sage ID's: a clock was ahead once. The endpoints drop "
                     "that time once they have asked Sage ID; if this stays, stop them and "
                     "feedgate deliver, and run feedgate clock mend",
                     off_s);
    else
        check_report(check, CHECK_FAIL, "clock", NULL, NULL,
                     "the newest time of a session is %" PRId64 " s ahead of the machine's clock, "
                     "and Sage ID can't be asked which is right: sessions that were announced "
                     "before the endpoints' start are refused. If the clock is behind, set it "
                     "right; if it is right, let them reach Sage ID, or stop them and feedgate "
                     "deliver, and run feedgate clock mend",
                     off_s);
}

static void report_to_come(struct check *check, const struct mending *mending)
{
    char tables[256] = "";
    size_t used = 0;
    int64_t rows = 0;
    for (size_t i = 0; i < MEND_TABLES && used < sizeof tables; i++) {
        if (mending->changed[i] == 0)
            continue;
        int length = snprintf(tables + used, sizeof tables - used, "%s%s", rows > 0 ? ", " : "",
                              mend_tables[i].table);
        used += length > 0 ? (size_t)length : 0;
        rows += mending->changed[i];
    }
    if (rows > 0)
        check_report(check, CHECK_WARN, "times", NULL, NULL,
                     "%" PRId64 " rows have times that are still to come (%s): a clock was ahead "
                     "once, or is behind now. When it is right: stop the endpoints and feedgate "
                     "deliver, and run feedgate clock mend",
                     rows, tables);
}

void check_clock(struct check *check)
{
    if (!check->opened)
        return;
    struct service *service = &check->call->service;
    struct times times = {.clock = &service->clock};
    if (store_read(service->store, read_times, &times) != STORE_DONE) {
        check_report(check, CHECK_FAIL, "clock", NULL, NULL, "the database can't be read");
        return;
    }
    int64_t machine = clock_now(&service->clock);
    /* Times by a clock that was right and is behind by less are no reason to stop endpoints. */
    times.mending = (struct mending){.clock = &service->clock,
                                     .margin_ms = CLOCK_DOUBT_MS,
                                     .confirmed = check->time_known,
                                     .dry_run = true};
    if (times.newest > machine + CLOCK_DOUBT_MS ||
        (times.row.there && times.row.now > machine + CLOCK_DOUBT_MS))
        report_ahead(check, &times);
    else
        check_report(check, CHECK_OK, "clock", NULL, NULL, "not behind what sessions have seen");
    (void)store_write(service->store, mend_all, &times.mending); /* undone: it only counts */
    if (times.mending.counted)
        report_to_come(check, &times.mending);
}

struct stored {
    struct check *check;
    bool found;
};

static void report_stored(const struct key_set_row *row, void *context)
{
    struct stored *stored = context;
    if (strcmp(row->url, stored->check->call->service.config->sage.jwks_url) != 0)
        return;
    stored->found = true;
    const char *fetched = row->fetched_at ? row->fetched_at : "never";
    if (strcmp(row->outcome, "good") == 0 || strcmp(row->outcome, "fetching") == 0)
        check_report(stored->check, CHECK_OK, "stored keys", NULL, NULL,
                     "last fetched by an endpoint: %s", fetched);
    else
        check_report(stored->check, CHECK_WARN, "stored keys", "sage", "jwks_url",
                     "the endpoints' last attempt (%s) ended with: %s; last fetched: %s",
                     row->attempted_at, row->outcome, fetched);
}

static bool read_stored(struct database *database, void *context)
{
    return key_set_list(database, report_stored, context);
}

void check_stored_keys(struct check *check)
{
    if (!check->opened)
        return;
    struct stored stored = {.check = check};
    if (store_read(check->call->service.store, read_stored, &stored) != STORE_DONE)
        check_report(check, CHECK_FAIL, "stored keys", NULL, NULL, "the database can't be read");
    else if (!stored.found)
        check_report(check, CHECK_OK, "stored keys", NULL, NULL,
                     "none yet: an endpoint fetches them with its first token");
}
