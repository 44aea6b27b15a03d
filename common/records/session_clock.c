/* SPDX-License-Identifier: MIT */
#include "session_clock.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"
#include "sage/issuer_time.h"
#include "session.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_EVERY_MS = 250, /* how old our picture of the row may be */
    BOOT_ID_SIZE = 40,
    NUMBER_MAX = 24,
};

static const char *const verdict_words[] = {
    [SESSION_TIME_DOUBTFUL] = "doubtful",
    [SESSION_TIME_HELD] = "held",
    [SESSION_TIME_DROPPED] = "dropped",
};

/* What the table says. */
struct row {
    bool there;
    int64_t floor_at, boot_at, newest_at, era;
    char boot_id[BOOT_ID_SIZE];
    enum session_verdict verdict;
};

struct session_clock {
    struct store *store;
    struct clock *clock;
    const struct config *config;

    pthread_mutex_t mutex; /* guards what follows; whoever waits for the store under it lends it */
    pthread_cond_t work;   /* for the asker */
    pthread_t asker;
    int64_t floor; /* that the store gave us at the start, if it was ahead of the machine's clock */
    int64_t era;
    int64_t looked_at; /* by CLOCK_BOOTTIME */
    char boot_id[BOOT_ID_SIZE];
    bool asks;
    bool starting; /* the row hasn't been looked at yet */
    bool doubtful;
    bool closing;
    bool asking; /* the asker was started */
    atomic_bool cancel;
};

/* Which boot of the machine this is; "" when nobody says. */
static void read_boot_id(char id[BOOT_ID_SIZE])
{
    /* A unit that hides /proc/sys hands it over (systemd's %b). */
    const char *given = getenv("FEEDGATE_BOOT_ID");
    id[0] = '\0';
    if (given && given[0]) {
        (void)snprintf(id, BOOT_ID_SIZE, "%s", given);
        return;
    }
    struct stat status;
    _cleanup_(cleanup_close) int file =
        file_open("/proc/sys/kernel/random/boot_id", FILE_LINKS_FOLLOWED, &status);
    ssize_t length = file >= 0 ? file_read(file, id, BOOT_ID_SIZE - 1) : -1;
    id[length > 0 ? length : 0] = '\0';
    id[strcspn(id, "\n")] = '\0';
}

/* One form for both ways: systemd's has no hyphens. */
static void take_out_hyphens(char id[BOOT_ID_SIZE])
{
    char *to = id;
    for (const char *from = id; *from; from++)
        if (*from != '-')
            *to++ = *from;
    *to = '\0';
}

static bool read_row(struct database *database, struct row *row)
{
    struct statement *select = database_statement(
        database, "SELECT floor_at, boot_at, boot_id, newest_at, verdict, era FROM session_clock "
                  "WHERE id = 1");
    enum statement_row found = statement_step(select);
    *row = (struct row){.there = found == ROW_FOUND};
    if (row->there) {
        row->floor_at = statement_integer(select, 0);
        row->boot_at = statement_integer(select, 1);
        (void)snprintf(row->boot_id, BOOT_ID_SIZE, "%s", statement_text(select, 2));
        row->newest_at = statement_integer(select, 3);
        for (int i = SESSION_TIME_DOUBTFUL; i <= SESSION_TIME_DROPPED; i++)
            if (strcmp(statement_text(select, 4), verdict_words[i]) == 0)
                row->verdict = (enum session_verdict)i;
        row->era = statement_integer(select, 5);
    }
    statement_done(select);
    return found != ROW_FAILED;
}

/* What the row's time has become by now. */
static int64_t time_of(const struct row *row, int64_t boot)
{
    return row->floor_at + boot - row->boot_at;
}

/* Whether the row's time is one that goes on: of this boot of the machine. */
static bool goes_on(const struct row *row, const char *boot_id, int64_t boot)
{
    return row->there && row->boot_at <= boot && strcmp(row->boot_id, boot_id) == 0;
}

/* The same for a process; one that just starts must know it for sure. */
static bool is_ours(const struct session_clock *times, const struct row *row, int64_t boot)
{
    return goes_on(row, times->boot_id, boot) && (row->boot_id[0] != '\0' || !times->starting);
}

static void log_change(enum log_level level, const char *event, int64_t ahead_ms)
{
    char text[NUMBER_MAX];
    (void)snprintf(text, sizeof text, "%" PRId64, ahead_ms / SECOND_MS);
    log_event(level, event, {"seconds", text});
}

/*
 * Follows the row. False when the session time is ahead of the machine's clock
 * and no row says why: then it is for us to begin one.
 */
static bool follow(struct session_clock *times, const struct row *row)
{
    int64_t boot = clock_boot(times->clock);
    bool ours = is_ours(times, row, boot);
    if (ours && !times->starting && row->era != times->era)
        clock_correct(times->clock, time_of(row, boot));
    else if (ours)
        clock_not_before(times->clock, time_of(row, boot));
    times->era = row->era;
    int64_t lag = clock_lag(times->clock);
    bool covered = ours && clock_session(times->clock) <= time_of(row, boot) + CLOCK_DOUBT_MS;
    if (lag > CLOCK_DOUBT_MS && !covered)
        return false;
    bool doubtful = lag > CLOCK_DOUBT_MS && row->verdict == SESSION_TIME_DOUBTFUL;
    if (doubtful && !times->doubtful)
        log_change(LOG_LEVEL_WARNING, "session_time_doubtful", lag);
    if (lag > CLOCK_DOUBT_MS && times->starting && row->verdict != SESSION_TIME_DOUBTFUL)
        log_change(LOG_LEVEL_ERROR, "clock_behind", lag);
    times->doubtful = doubtful;
    times->starting = false;
    return true;
}

static bool store_row(struct database *database, const struct row *row, int64_t issuer_at)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO session_clock (id, floor_at, boot_at, boot_id, newest_at, verdict, "
                  "era, ask_at, issuer_at) VALUES (1, $1, $2, $3, $4, $5, $6, 0, NULLIF($7, 0)) "
                  "ON CONFLICT (id) DO UPDATE SET floor_at = excluded.floor_at, "
                  "boot_at = excluded.boot_at, boot_id = excluded.boot_id, "
                  "newest_at = excluded.newest_at, verdict = excluded.verdict, "
                  "era = excluded.era, ask_at = excluded.ask_at, issuer_at = excluded.issuer_at");
    statement_bind_integer(insert, 1, row->floor_at);
    statement_bind_integer(insert, 2, row->boot_at);
    statement_bind_text(insert, 3, row->boot_id);
    statement_bind_integer(insert, 4, row->newest_at);
    statement_bind_text(insert, 5, verdict_words[row->verdict]);
    statement_bind_integer(insert, 6, row->era);
    statement_bind_integer(insert, 7, issuer_at);
    return statement_run(insert);
}

/* A verdict may have put right what we began with. */
static bool look_at_store_again(struct database *database, struct session_clock *times)
{
    int64_t newest;
    if (!session_newest_time(database, &newest))
        return false;
    if (newest < times->floor)
        clock_correct(times->clock, newest);
    return true;
}

static bool begin_doubt(struct database *database, void *context)
{
    struct session_clock *times = context;
    struct row row;
    int64_t last_expiry = 0;
    if ((times->starting && !look_at_store_again(database, times)) || !read_row(database, &row))
        return false;
    if (follow(times, &row)) /* another process was quicker */
        return true;
    if (times->starting && !session_last_expiry(database, &last_expiry))
        return false;
    row.newest_at = clock_session(times->clock);
    row.floor_at = row.newest_at > last_expiry ? row.newest_at : last_expiry + 1;
    row.boot_at = clock_boot(times->clock);
    row.verdict = SESSION_TIME_DOUBTFUL;
    (void)snprintf(row.boot_id, sizeof row.boot_id, "%s", times->boot_id);
    return store_row(database, &row, 0);
}

static bool read_clock(struct database *database, void *context)
{
    return read_row(database, context);
}

/* Brings us up to date; the caller holds the mutex. */
static enum store_result look_now(struct session_clock *times)
{
    struct row row;
    enum store_result result = store_read(times->store, read_clock, &row);
    if (result == STORE_DONE && !follow(times, &row)) {
        result = store_write(times->store, begin_doubt, times);
        if (result == STORE_DONE)
            result = store_read(times->store, read_clock, &row);
        times->starting = times->starting && result != STORE_DONE; /* from here on it is ours */
        if (result == STORE_DONE && !follow(times, &row))
            result = STORE_FAILED;
    }
    if (result == STORE_DONE)
        times->looked_at = clock_boot(times->clock);
    return result;
}

/* ---- asking the issuer ------------------------------------------------------- */

/* For one process at a time, while there is a doubt. */
static bool claim(struct database *database, void *context)
{
    int64_t *boot = context;
    struct statement *update = database_statement(
        database, "UPDATE session_clock SET ask_at = $1 WHERE id = 1 AND verdict = 'doubtful' "
                  "AND (ask_at <= $2 OR ask_at > $1)");
    statement_bind_integer(update, 1, *boot + ASK_EVERY_MS);
    statement_bind_integer(update, 2, *boot);
    int64_t changed;
    if (!statement_changes(update, &changed))
        return false;
    if (changed != 1)
        *boot = 0;
    return true;
}

static void ask(struct session_clock *times)
{
    char error[FETCH_ERROR_MAX] = "";
    int64_t issuer = 0;
    int64_t claimed = clock_boot(times->clock);
    if (store_write(times->store, claim, &claimed) != STORE_DONE || claimed == 0)
        return;
    if (!issuer_time_ask(times->config, &times->cancel, &issuer, error))
        log_event(LOG_LEVEL_ERROR, "session_time_not_confirmed",
                  {"url", times->config->sage.jwks_url}, {"detail", error});
    else if (session_clock_settle(times, issuer, clock_boot(times->clock)) != STORE_DONE)
        log_event(LOG_LEVEL_ERROR, "session_time_not_stored", {"detail", "the database failed"});
}

static void wait_a_while(struct session_clock *times)
{
    int64_t end = clock_monotonic() + ASK_EVERY_MS;
    struct timespec deadline = {.tv_sec = end / SECOND_MS,
                                .tv_nsec = end % SECOND_MS * INT64_C(1000000)};
    (void)pthread_cond_clockwait(&times->work, &times->mutex, CLOCK_MONOTONIC, &deadline);
}

/* Without a request too, so that the first customer needn't find out. */
static void *keep_asking(void *argument)
{
    struct session_clock *times = argument;
    (void)pthread_mutex_lock(&times->mutex);
    while (!times->closing) {
        (void)look_now(times); /* what needs the store will be refused there */
        if (!times->doubtful) {
            (void)pthread_cond_wait(&times->work, &times->mutex);
            continue;
        }
        (void)pthread_mutex_unlock(&times->mutex);
        ask(times);
        (void)pthread_mutex_lock(&times->mutex);
        (void)look_now(times);
        if (times->doubtful && !times->closing)
            wait_a_while(times);
    }
    (void)pthread_mutex_unlock(&times->mutex);
    return NULL;
}

/* The caller holds the mutex, or nobody else knows us yet. One that can't be started is tried
 * again. */
static void want_asker(struct session_clock *times)
{
    if (!times->asks || times->asking)
        return;
    times->asking = pthread_create(&times->asker, NULL, keep_asking, times) == 0;
    if (!times->asking)
        log_event(LOG_LEVEL_ERROR, "session_time_not_confirmed", {"detail", "no thread"});
}

struct verdict {
    struct session_clock *times;
    int64_t issuer;
    int64_t boot; /* when it said so */
    bool settled;
    bool held;
    int64_t off_ms; /* by how much the machine's clock was behind, or the session time ahead */
};

static bool settle(struct database *database, void *context)
{
    struct verdict *verdict = context;
    struct session_clock *times = verdict->times;
    struct row row;
    int64_t boot = clock_boot(times->clock);
    int64_t machine = clock_now(times->clock);
    int64_t issuer = verdict->issuer + boot - verdict->boot;
    verdict->settled = false;
    if (!read_row(database, &row))
        return false;
    if (!goes_on(&row, times->boot_id, boot) || row.verdict != SESSION_TIME_DOUBTFUL)
        return true;
    int64_t doubted = row.newest_at + boot - row.boot_at;
    verdict->held = issuer >= doubted - CLOCK_DOUBT_MS;
    int64_t other = verdict->held ? doubted : machine;
    int64_t truth = issuer > other ? issuer : other;
    verdict->off_ms = verdict->held ? truth - machine : doubted - truth;
    /* What was announced in the doubt isn't over, even if its process was a little ahead of us. */
    if ((!verdict->held && !session_end_future(database, truth, row.floor_at)) ||
        !session_shift(database, row.floor_at, truth - time_of(&row, boot)))
        return false;
    row.verdict = verdict->held ? SESSION_TIME_HELD : SESSION_TIME_DROPPED;
    row.floor_at = truth;
    row.newest_at = truth;
    row.boot_at = boot;
    row.era++;
    verdict->settled = true;
    return store_row(database, &row, issuer);
}

enum store_result session_clock_settle(struct session_clock *times, int64_t issuer_ms,
                                       int64_t boot_ms)
{
    struct verdict verdict = {.times = times, .issuer = issuer_ms, .boot = boot_ms};
    enum store_result result = store_write(times->store, settle, &verdict);
    if (result == STORE_DONE && verdict.settled)
        log_change(verdict.held ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
                   verdict.held ? "clock_behind" : "session_time_dropped", verdict.off_ms);
    return result;
}

/* ---- for everybody else ------------------------------------------------------ */

struct session_clock *session_clock_open(struct store *store, struct clock *clock,
                                         const struct config *config, bool asks)
{
    struct session_clock *times = calloc(1, sizeof *times);
    if (!times || pthread_mutex_init(&times->mutex, NULL) != 0 ||
        pthread_cond_init(&times->work, NULL) != 0) {
        free(times);
        return NULL;
    }
    times->store = store;
    times->clock = clock;
    times->config = config;
    times->asks = asks;
    times->starting = true;
    read_boot_id(times->boot_id);
    take_out_hyphens(times->boot_id);
    if (clock_lag(clock) <= CLOCK_DOUBT_MS)
        return times;
    times->floor = clock_session(clock);
    want_asker(times);
    return times;
}

void session_clock_close(struct session_clock *times)
{
    if (!times)
        return;
    (void)pthread_mutex_lock(&times->mutex);
    times->closing = true;
    atomic_store(&times->cancel, true);
    (void)pthread_cond_signal(&times->work);
    (void)pthread_mutex_unlock(&times->mutex);
    if (times->asking)
        (void)pthread_join(times->asker, NULL); /* fails only for what is no thread of ours */
    (void)pthread_cond_destroy(&times->work);
    (void)pthread_mutex_destroy(&times->mutex);
    free(times);
}

enum store_result session_clock_now(struct session_clock *times, struct session_instant *instant)
{
    enum store_result result = STORE_DONE;
    (void)pthread_mutex_lock(&times->mutex);
    bool known = times->doubtful;
    bool ahead = !times->doubtful && clock_lag(times->clock) > CLOCK_DOUBT_MS;
    if (times->starting || ahead || clock_boot(times->clock) - times->looked_at >= LOOK_EVERY_MS)
        result = look_now(times);
    if (times->doubtful)
        want_asker(times);
    if (times->doubtful && !known)
        (void)pthread_cond_signal(&times->work);
    *instant = (struct session_instant){.now = clock_session(times->clock), .era = times->era};
    (void)pthread_mutex_unlock(&times->mutex);
    return result;
}

bool session_clock_renew(struct database *database, struct session_clock *times,
                         struct session_instant *instant)
{
    struct row row;
    int64_t boot = clock_boot(times->clock);
    if (!read_row(database, &row))
        return false;
    int64_t at = time_of(&row, boot);
    if (row.era == instant->era) {
        if (goes_on(&row, times->boot_id, boot) && instant->now < at)
            instant->now = at;
        return true;
    }
    int64_t machine = clock_now(times->clock);
    *instant = (struct session_instant){.now = at > machine ? at : machine, .era = row.era};
    return true;
}

bool session_clock_read(struct database *database, struct clock *clock,
                        struct session_clock_row *found)
{
    struct row row;
    char boot_id[BOOT_ID_SIZE];
    int64_t boot = clock_boot(clock);
    read_boot_id(boot_id);
    take_out_hyphens(boot_id);
    *found = (struct session_clock_row){.there = false};
    if (!read_row(database, &row))
        return false;
    if (goes_on(&row, boot_id, boot))
        *found = (struct session_clock_row){
            .there = true, .verdict = row.verdict, .now = time_of(&row, boot)};
    return true;
}

bool session_clock_was_later(struct database *database, int64_t now, bool *later)
{
    struct row row;
    if (!read_row(database, &row))
        return false;
    *later = row.there && (row.floor_at > now || row.newest_at > now);
    return true;
}

bool session_clock_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *delete =
        database_statement(database, "DELETE FROM session_clock "
                                     "WHERE floor_at > $1 OR newest_at > $1 OR issuer_at > $1");
    statement_bind_integer(delete, 1, now);
    return statement_changes(delete, changed);
}
