/* SPDX-License-Identifier: MIT */
#include "writer.h"

#include "base/clock.h"
#include "base/log.h"
#include "migration.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>

/*
 * One thread writes for all others of the process. It takes the lock between
 * processes (`DATABASE.lock`), begins a transaction, and only then takes the
 * pieces that wait, so that whoever came meanwhile shares the fsync.
 *
 * Processes queue at flock(), which is fair; at SQLite's own lock a busy
 * process starves the others, since waiting there means sleeping and trying
 * again. The file is one of its own, since closing any descriptor of the
 * database would drop SQLite's locks in this process.
 */

enum { GROUP_MAX = 64, BUSY_SLICE_MS = 100, CLOSE_WAIT_MS = 3000 };

enum stage { PIECE_WAITS, PIECE_RUNS, PIECE_ENDED };

struct piece {
    store_piece *run;
    void *context;
    enum stage stage;
    enum store_result result;
    pthread_cond_t ended;
    struct piece *next;
};

struct writer {
    const char *path;
    int lock;                  /* the descriptor that flock() is asked for */
    struct database *database; /* NULL until it is used, and after a failure */
    pthread_t thread;

    pthread_mutex_t mutex; /* guards what follows */
    pthread_cond_t work;
    struct piece *first;
    bool closing;
};

/* The queue of pieces; the caller holds the mutex. */

static void enqueue(struct writer *writer, struct piece *piece)
{
    struct piece **end = &writer->first;
    while (*end)
        end = &(*end)->next;
    *end = piece;
}

static void dequeue(struct writer *writer, const struct piece *piece)
{
    struct piece **place = &writer->first;
    while (*place && *place != piece)
        place = &(*place)->next;
    if (*place)
        *place = piece->next;
}

static void end_piece(struct piece *piece, enum store_result result)
{
    piece->result = result;
    piece->stage = PIECE_ENDED;
    (void)pthread_cond_signal(&piece->ended); /* fails only for what is no condition */
}

/* Takes up to GROUP_MAX pieces; from here on they wait for the outcome. */
static struct piece *take_group(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    struct piece *group = writer->first;
    struct piece **end = &group;
    for (int count = 0; *end && count < GROUP_MAX; count++) {
        (*end)->stage = PIECE_RUNS;
        end = &(*end)->next;
    }
    writer->first = *end;
    *end = NULL;
    (void)pthread_mutex_unlock(&writer->mutex);
    return group;
}

static void end_group(struct writer *writer, struct piece *group, bool committed)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (group) {
        struct piece *piece = group;
        group = piece->next; /* the piece is its waiter's again once it has ended */
        end_piece(piece, committed ? piece->result : STORE_FAILED);
    }
    (void)pthread_mutex_unlock(&writer->mutex);
}

/* Runs one piece within its savepoint; false when the whole transaction is lost. */
static bool run_piece(struct database *database, struct piece *piece)
{
    if (!statement_run(database_statement(database, "SAVEPOINT piece")))
        return false;
    bool keep = piece->run(database, piece->context);
    piece->result = keep ? STORE_DONE : STORE_FAILED;
    if (!database_in_transaction(database))
        return false;
    if (!keep && !statement_run(database_statement(database, "ROLLBACK TO piece")))
        return false;
    return statement_run(database_statement(database, "RELEASE piece"));
}

static bool run_group(struct database *database, struct piece *group)
{
    for (struct piece *piece = group; piece; piece = piece->next)
        if (!run_piece(database, piece))
            return false;
    return statement_run(database_statement(database, "COMMIT"));
}

/* Makes sure that the connection leads to the file that has the name now. */
static bool connect_database(struct writer *writer)
{
    if (writer->database && database_is_current(writer->database))
        return true;
    if (writer->database) {
        /* If only the log was removed, what was acknowledged still gets into the database. */
        bool rescued = database_execute(writer->database, "PRAGMA wal_checkpoint(FULL)");
        log_event(LOG_LEVEL_ERROR, "database_files_changed", {"path", writer->path},
                  {"detail", rescued ? "opened anew" : database_error(writer->database)});
    }
    database_close(writer->database);
    char error[DATABASE_ERROR_MAX];
    writer->database = database_open(writer->path, DATABASE_READ_WRITE, BUSY_SLICE_MS, error);
    if (writer->database && migration_state(writer->database) != MIGRATION_CURRENT) {
        (void)snprintf(error, sizeof error, "another schema than this version's");
        database_close(writer->database);
        writer->database = NULL;
    }
    if (!writer->database)
        log_event(LOG_LEVEL_ERROR, "database_not_opened", {"path", writer->path},
                  {"detail", error});
    return writer->database != NULL;
}

/* After any failure nothing is known of the connection: the next group opens it anew. */
static void drop_connection(struct writer *writer)
{
    database_close(writer->database);
    writer->database = NULL;
}

static void write_group(struct writer *writer)
{
    if (!connect_database(writer)) {
        end_group(writer, take_group(writer), false);
        return;
    }
    if (!statement_run(database_statement(writer->database, "BEGIN IMMEDIATE"))) {
        if (database_was_busy(writer->database))
            return; /* those that wait try again until their time is over */
        drop_connection(writer);
        end_group(writer, take_group(writer), false);
        return;
    }
    struct piece *group = take_group(writer);
    bool committed = run_group(writer->database, group);
    if (!committed)
        drop_connection(writer);
    /* What went into a file that lost its name meanwhile is not acknowledged. */
    else if (!database_is_current(writer->database))
        committed = false;
    end_group(writer, group, committed);
    if (writer->database && !committed)
        (void)connect_database(writer); /* the next group tries again */
}

static bool wait_for_work(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    while (!writer->first && !writer->closing)
        (void)pthread_cond_wait(&writer->work, &writer->mutex);
    bool work = writer->first != NULL;
    (void)pthread_mutex_unlock(&writer->mutex);
    return work;
}

static void *write_for_all(void *argument)
{
    struct writer *writer = argument;
    while (wait_for_work(writer)) {
        while (flock(writer->lock, LOCK_EX) != 0 && errno == EINTR)
            continue;
        write_group(writer);
        (void)flock(writer->lock, LOCK_UN); /* fails only for what is no lock of ours */
    }
    return NULL;
}

static struct timespec deadline_in(int64_t wait_ms)
{
    int64_t end = clock_monotonic() + wait_ms;
    return (struct timespec){.tv_sec = end / SECOND_MS,
                             .tv_nsec = end % SECOND_MS * INT64_C(1000000)};
}

static void wait_for_piece(struct writer *writer, struct piece *piece)
{
    struct timespec deadline = deadline_in(WRITER_WAIT_MS);
    while (piece->stage == PIECE_WAITS)
        if (pthread_cond_clockwait(&piece->ended, &writer->mutex, CLOCK_MONOTONIC, &deadline) !=
                0 &&
            piece->stage == PIECE_WAITS) {
            dequeue(writer, piece);
            piece->result = STORE_BUSY;
            return;
        }
    while (piece->stage != PIECE_ENDED)
        (void)pthread_cond_wait(&piece->ended, &writer->mutex);
}

enum store_result writer_write(struct writer *writer, store_piece *piece, void *context)
{
    struct piece entry = {.run = piece, .context = context, .result = STORE_FAILED};
    if (pthread_cond_init(&entry.ended, NULL) != 0)
        return STORE_FAILED;
    (void)pthread_mutex_lock(&writer->mutex);
    enqueue(writer, &entry);
    (void)pthread_cond_signal(&writer->work);
    wait_for_piece(writer, &entry);
    (void)pthread_mutex_unlock(&writer->mutex);
    (void)pthread_cond_destroy(&entry.ended);
    return entry.result;
}

struct writer *writer_open(const char *path, int lock)
{
    struct writer *writer = calloc(1, sizeof *writer);
    if (!writer)
        return NULL;
    writer->path = path;
    writer->lock = lock;
    if (pthread_mutex_init(&writer->mutex, NULL) == 0 &&
        pthread_cond_init(&writer->work, NULL) == 0 &&
        pthread_create(&writer->thread, NULL, write_for_all, writer) == 0)
        return writer;
    free(writer);
    return NULL;
}

/* False when the thread hangs at a lock that another process won't give. */
static bool end_thread(struct writer *writer)
{
    (void)pthread_mutex_lock(&writer->mutex);
    writer->closing = true;
    (void)pthread_cond_signal(&writer->work);
    (void)pthread_mutex_unlock(&writer->mutex);
    struct timespec deadline = deadline_in(CLOSE_WAIT_MS);
    return pthread_clockjoin_np(writer->thread, NULL, CLOCK_MONOTONIC, &deadline) == 0;
}

bool writer_close(struct writer *writer)
{
    if (!writer)
        return true;
    if (!end_thread(writer))
        return false;
    database_close(writer->database);
    (void)pthread_cond_destroy(&writer->work);
    (void)pthread_mutex_destroy(&writer->mutex);
    free(writer);
    return true;
}
