/* SPDX-License-Identifier: MIT */
#include "store.h"

#include "base/cleanup.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "migration.h"
#include "writer.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

/* At the start there is nobody yet whom a longer wait would keep waiting. */
enum { READERS_MAX = 64, WAIT_MS = 2000, START_WAIT_MS = 60 * 1000 };

struct store {
    char *path; /* our own: a writer that hangs may outlive the caller's */
    int lock;   /* descriptor of the file at which processes queue (writer.h) */
    int users;  /* of the one that tells that somebody is here */
    struct writer *writer;

    pthread_mutex_t mutex; /* guards the readers that wait for work */
    size_t idle_count;
    struct database *idle[READERS_MAX];
};

static void fail_with(char *error, const char *path, const char *what)
{
    (void)snprintf(error, STORE_ERROR_MAX, "%s: %s", path, what);
}

enum store_result store_write(struct store *store, store_piece *piece, void *context)
{
    return writer_write(store->writer, piece, context);
}

static struct database *take_reader(struct store *store)
{
    struct database *reader = NULL;
    (void)pthread_mutex_lock(&store->mutex);
    if (store->idle_count > 0)
        reader = store->idle[--store->idle_count];
    (void)pthread_mutex_unlock(&store->mutex);
    if (reader && database_is_current(reader))
        return reader;
    database_close(reader);
    char error[DATABASE_ERROR_MAX];
    /* Not read-only: the first reader of a WAL may have to make its index. */
    reader = database_open(store->path, DATABASE_READ_WRITE, WAIT_MS, error);
    if (!reader)
        log_event(LOG_LEVEL_ERROR, "database_not_opened", {"path", store->path}, {"detail", error});
    return reader;
}

static void return_reader(struct store *store, struct database *reader)
{
    (void)pthread_mutex_lock(&store->mutex);
    if (store->idle_count < READERS_MAX) {
        store->idle[store->idle_count++] = reader;
        reader = NULL;
    }
    (void)pthread_mutex_unlock(&store->mutex);
    database_close(reader);
}

enum store_result store_read(struct store *store, store_piece *piece, void *context)
{
    struct database *reader = take_reader(store);
    if (!reader)
        return STORE_FAILED;
    if (piece(reader, context)) {
        return_reader(store, reader);
        return STORE_DONE;
    }
    enum store_result result = database_was_busy(reader) ? STORE_BUSY : STORE_FAILED;
    database_close(reader);
    return result;
}

static bool lock_within(int lock, int operation, int64_t wait_ms)
{
    int64_t end = clock_monotonic() + wait_ms;
    while (flock(lock, operation | LOCK_NB) != 0) {
        if (clock_monotonic() >= end)
            return false;
        (void)poll(NULL, 0, 1);
    }
    return true;
}

/* The descriptor of a file beside the database; -1 after saying why. */
static int open_beside(const struct store *store, const char *ending, char *error)
{
    _cleanup_(cleanup_free) char *path = NULL;
    if (asprintf(&path, "%s%s", store->path, ending) < 0) {
        path = NULL;
        fail_with(error, store->path, "out of memory");
        return -1;
    }
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0660);
    if (file < 0)
        fail_with(error, path, strerror(errno));
    return file;
}

/* Tells that we are here, for as long as the descriptor is open. */
static bool come_in(struct store *store, enum store_role role, char *error)
{
    bool alone = role == STORE_ALONE;
    store->users = open_beside(store, ".users", error);
    if (store->users < 0)
        return false;
    if (lock_within(store->users, alone ? LOCK_EX : LOCK_SH, alone ? 0 : START_WAIT_MS))
        return true;
    fail_with(error, store->path,
              alone ? "is in use: stop the endpoints, feedgate deliver and all other commands first"
                    : "is being mended");
    return false;
}

static bool open_lock(struct store *store, char *error)
{
    store->lock = open_beside(store, ".lock", error);
    return store->lock >= 0;
}

static int64_t machine_time(void)
{
    struct clock clock;
    clock_init(&clock);
    return clock_now(&clock);
}

static bool migrate(const struct store *store, struct database *database, enum store_role role,
                    char *error)
{
    enum migration_result state = migration_state(database);
    if (state == MIGRATION_OLDER && role == STORE_ENDPOINT)
        state = migration_apply(database, machine_time());
    if (state == MIGRATION_NEWER)
        fail_with(error, store->path,
                  "was made by a newer version of feedgate; install that version");
    else if (state == MIGRATION_OLDER)
        fail_with(error, store->path,
                  "was made by an older version of feedgate; start an endpoint to bring it up "
                  "to date");
    else if (state == MIGRATION_FAILED)
        fail_with(error, store->path, database_error(database));
    return state == MIGRATION_CURRENT;
}

/* The operator's tools never make a database: it would be theirs, not the endpoints'. */
static bool may_open(const struct store *store, enum store_role role, char *error)
{
    if (role == STORE_ENDPOINT || access(store->path, F_OK) == 0)
        return true;
    fail_with(error, store->path,
              errno == ENOENT ? "no database there yet: the first endpoint that starts makes it"
                              : strerror(errno));
    return false;
}

/* SQLite itself would make a file that the group can't write to. */
static bool make_file(const struct store *store, char *error)
{
    int file = open(store->path, O_RDWR | O_CREAT | O_CLOEXEC, 0660);
    if (file < 0) {
        fail_with(error, store->path, strerror(errno));
        return false;
    }
    (void)close(file); /* nothing was written */
    return true;
}

/* Makes sure that there is a database that this version can work with. */
static bool prepare_database(const struct store *store, enum store_role role, char *error)
{
    char why[DATABASE_ERROR_MAX];
    struct database *database = database_open(
        store->path, role == STORE_ENDPOINT ? DATABASE_CREATE : DATABASE_READ_WRITE, WAIT_MS, why);
    if (!database) {
        fail_with(error, store->path, why);
        return false;
    }
    bool current = migrate(store, database, role, error);
    database_close(database);
    return current;
}

/* Endpoints that start together make one database, one after the other. */
static bool prepare_in_turn(const struct store *store, char *error)
{
    if (!lock_within(store->lock, LOCK_EX, START_WAIT_MS)) {
        fail_with(error, store->path, "locked by another process");
        return false;
    }
    bool prepared = make_file(store, error) && prepare_database(store, STORE_ENDPOINT, error);
    (void)flock(store->lock, LOCK_UN); /* fails only for what is no lock of ours */
    return prepared;
}

/* Whether there is nothing to prepare: then a start needs no turn, however busy the others are. */
static bool is_prepared(const struct store *store)
{
    char why[DATABASE_ERROR_MAX];
    if (access(store->path, F_OK) != 0)
        return false;
    struct database *database = database_open(store->path, DATABASE_READ_WRITE, WAIT_MS, why);
    bool current = database && migration_state(database) == MIGRATION_CURRENT;
    database_close(database);
    return current;
}

static bool prepare(const struct store *store, enum store_role role, char *error)
{
    if (role != STORE_ENDPOINT)
        return prepare_database(store, role, error);
    if (!is_prepared(store) && !prepare_in_turn(store, error))
        return false;
    /* A new file's name must survive a power cut as well as the rows of whoever uses it. */
    int reason = file_sync_name(store->path);
    if (reason == 0)
        return true;
    fail_with(error, store->path, strerror(reason));
    return false;
}

struct store *store_open(const char *path, enum store_role role, char error[STORE_ERROR_MAX])
{
    struct store *store = calloc(1, sizeof *store);
    fail_with(error, path, "out of memory");
    if (!store || pthread_mutex_init(&store->mutex, NULL) != 0) {
        free(store);
        return NULL;
    }
    store->lock = -1;
    store->users = -1;
    store->path = strdup(path);
    if (store->path && may_open(store, role, error) && come_in(store, role, error) &&
        open_lock(store, error) && prepare(store, role, error)) {
        store->writer = writer_open(store->path, store->lock);
        if (store->writer)
            return store;
        fail_with(error, path, "no thread to write with");
    }
    store_close(store);
    return NULL;
}

enum refusal store_refusal(enum store_result result, enum refusal otherwise)
{
    switch (result) {
    case STORE_DONE:
        return otherwise;
    case STORE_BUSY:
        return REFUSAL_STORE_BUSY;
    case STORE_FAILED:
        break;
    }
    return REFUSAL_STORE_FAILED;
}

void store_close(struct store *store)
{
    if (!store || !writer_close(store->writer))
        return; /* what a writer that hangs uses is the process's until that ends */
    for (size_t i = 0; i < store->idle_count; i++)
        database_close(store->idle[i]);
    if (store->lock >= 0)
        (void)close(store->lock);
    if (store->users >= 0)
        (void)close(store->users);
    (void)pthread_mutex_destroy(&store->mutex);
    free(store->path);
    free(store);
}
