/* SPDX-License-Identifier: MIT */
#include "feedgate.h"

#include "feedgate_clock.h"

#include "base/cleanup.h"
#include "records/account_import.h"
#include "records/inbox.h"
#include "records/outbox.h"
#include "records/session.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { PURGE_STEP = 500, READ_AT_FIRST = 64 * 1024, READ_MOST = ACCOUNT_IMPORT_BYTES_MAX + 1 };

/* One small transaction of a purge, so that endpoints come in between. */
struct purge_step {
    int64_t expired_before;
    int64_t received_before; /* or created, of results */
    int64_t token_expired_before;
    int64_t removed;
};

static bool purge_sessions(struct database *database, void *context)
{
    struct purge_step *step = context;
    return session_purge(database, step->expired_before, step->token_expired_before, PURGE_STEP,
                         &step->removed);
}

static bool purge_announcements(struct database *database, void *context)
{
    struct purge_step *step = context;
    return inbox_purge(database, step->received_before, step->token_expired_before, PURGE_STEP,
                       &step->removed);
}

static bool purge_results(struct database *database, void *context)
{
    struct purge_step *step = context;
    return outbox_purge(database, step->received_before, PURGE_STEP, &step->removed);
}

/* Steps until nothing is left to remove: what becomes due meanwhile is for the next run. */
static enum store_result purge_all(struct store *store, store_piece *piece, struct purge_step *step,
                                   int64_t *total)
{
    do {
        enum store_result result = store_write(store, piece, step);
        if (result != STORE_DONE)
            return result;
        *total += step->removed;
    } while (step->removed == PURGE_STEP);
    return STORE_DONE;
}

/*
 * The time by which tombstones are old enough; false after saying why there is
 * none: by a clock that is ahead they would go too early, and what a replayed
 * notification then arms could be opened a second time.
 */
static bool find_time(struct call *call, int64_t *now)
{
    struct service *service = &call->service;
    struct session_instant instant;
    struct clock_finding finding;
    clock_ask(call, &finding);
    if (finding.judgement != CLOCK_RIGHT) {
        (void)fail_clock(call, &finding, "nothing is removed");
        return false;
    }
    /* Where all endpoints are plain CGI, nobody else may have the time to decide a doubt. */
    enum store_result result = session_clock_now(service->session_clock, &instant);
    if (result == STORE_DONE)
        result = session_clock_settle(service->session_clock, finding.issuer_ms, finding.boot_ms);
    if (result != STORE_DONE) {
        (void)fail_store(call, result);
        return false;
    }
    int64_t machine = clock_now(&service->clock);
    *now = machine < finding.issuer_ms ? machine : finding.issuer_ms;
    return true;
}

int purge(struct call *call)
{
    int64_t now;
    if (!operator_open(call) || !find_time(call, &now))
        return EXIT_FAILURE;
    const struct config *config = call->service.config;
    struct purge_step step = {
        .expired_before = now - config->session.retention_ms,
        .received_before = now - config->session.retention_ms - config->session.lifetime_ms,
        /* Until then a replayed token would still pass, and could arm what it armed before. */
        .token_expired_before = now - SAGE_TOKEN_LEEWAY_MS,
    };
    int64_t sessions = 0;
    int64_t announcements = 0;
    int64_t results = 0;
    enum store_result result = purge_all(call->service.store, purge_sessions, &step, &sessions);
    if (result == STORE_DONE)
        result = purge_all(call->service.store, purge_announcements, &step, &announcements);
    if (result == STORE_DONE)
        result = purge_all(call->service.store, purge_results, &step, &results);
    (void)printf("removed: sessions %" PRId64 ", announcements %" PRId64 ", results %" PRId64 "\n",
                 sessions, announcements, results);
    return result == STORE_DONE ? EXIT_SUCCESS : fail_store(call, result);
}

static void close_unless_standard(const int *descriptor)
{
    if (*descriptor != STDIN_FILENO)
        cleanup_close(descriptor);
}

/* Makes room behind `length` bytes, for one byte more than may be read at most. */
static bool make_room(char **bytes, size_t *capacity, size_t length)
{
    if (length < *capacity)
        return true;
    size_t larger = 2 * *capacity < READ_MOST ? 2 * *capacity : READ_MOST;
    char *grown = realloc(*bytes, larger);
    if (!grown)
        return false;
    *bytes = grown;
    *capacity = larger;
    return true;
}

/* All that can be read, or one byte more than the limit; NULL with errno on failure. */
static char *read_all(int descriptor, size_t *length)
{
    size_t capacity = READ_AT_FIRST;
    char *bytes = malloc(capacity);
    *length = 0;
    while (bytes && *length < READ_MOST && make_room(&bytes, &capacity, *length)) {
        ssize_t count = read(descriptor, bytes + *length, capacity - *length);
        if (count == 0)
            return bytes;
        if (count < 0 && errno != EINTR)
            break;
        *length += count > 0 ? (size_t)count : 0;
    }
    if (bytes && *length == READ_MOST)
        return bytes;
    free(bytes);
    return NULL;
}

static char *read_file(const char *path, size_t *length)
{
    bool standard = strcmp(path, "-") == 0;
    _cleanup_(close_unless_standard) int descriptor =
        standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return descriptor < 0 ? NULL : read_all(descriptor, length);
}

static int import_file(struct call *call, const char *bytes, size_t length, const char *name)
{
    char error[ACCOUNT_ERROR_MAX];
    struct account_import *file = account_import_parse(bytes, length, error);
    if (!file)
        return fail("%s: %s", name, error);
    struct account_import_counts counts;
    enum store_result result = account_import_store(
        call->service.store, file, clock_now(&call->service.clock), &counts, error);
    account_import_free(file);
    if (error[0] != '\0')
        return fail("%s: %s", name, error);
    if (result != STORE_DONE)
        return fail_store(call, result);
    (void)printf("stored: customers %zu, accounts %zu; in the database now: accounts %zu, linked "
                 "%zu\n",
                 counts.customers, counts.accounts, counts.known, counts.linked);
    return EXIT_SUCCESS;
}

int import_accounts(struct call *call)
{
    const char *name = strcmp(call->argument, "-") == 0 ? "standard input" : call->argument;
    size_t length = 0;
    /* Before the database is opened, since its owner may not be allowed to read the file. */
    _cleanup_(cleanup_free) char *bytes = read_file(call->argument, &length);
    if (!bytes)
        return fail("%s: %s", name, strerror(errno));
    if (!operator_open(call))
        return EXIT_FAILURE;
    return import_file(call, bytes, length, name);
}
