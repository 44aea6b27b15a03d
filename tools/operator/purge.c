/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "clock.h"

#include "records/inbox.h"
#include "records/outbox.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "sage/sage_token.h"

#include <inttypes.h>
#include <stdio.h>

enum { PURGE_STEP = 500 };

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
