/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "base/log.h"
#include "records/outbox.h"
#include "service/steps.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

/*
 * `feedgate deliver`: results that Sage doesn't have yet. A thread of its own
 * takes the signals that end it, since the main one may be in a call.
 */

/* A round with a Sage that stalls ends soon, for windows that were closed must be seen in time. */
enum { LOOK_EVERY_MS = 2000, ONCE_MS = 10 * 60 * 1000 };

struct watch {
    sigset_t signals;
    pthread_t thread;
    atomic_bool stop;
    int stopped; /* an eventfd that turns readable then */
};

static void *await_signal(void *argument)
{
    struct watch *watch = argument;
    const uint64_t one = 1;
    int signal = 0;
    (void)sigwait(&watch->signals, &signal); /* fails only for a wrong set */
    atomic_store(&watch->stop, true);
    if (write(watch->stopped, &one, sizeof one) != (ssize_t)sizeof one)
        log_event(LOG_LEVEL_ERROR, "stop_not_written", {"detail", strerror(errno)});
    return NULL;
}

/* Before any other thread starts: all of them leave the signals to ours. */
static bool begin_watch(struct watch *watch)
{
    (void)sigemptyset(&watch->signals); /* these fail only for numbers that are no signals */
    (void)sigaddset(&watch->signals, SIGTERM);
    (void)sigaddset(&watch->signals, SIGINT);
    (void)sigaddset(&watch->signals, SIGHUP);
    (void)sigaddset(&watch->signals, SIGUSR1); /* as endpoints do: what multiwatch sends */
    (void)sigaddset(&watch->signals, SIGQUIT);
    atomic_init(&watch->stop, false);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    watch->stopped = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    return watch->stopped >= 0 && sigaction(SIGPIPE, &ignore, NULL) == 0 &&
           pthread_sigmask(SIG_BLOCK, &watch->signals, NULL) == 0 &&
           pthread_create(&watch->thread, NULL, await_signal, watch) == 0;
}

static void end_watch(struct watch *watch)
{
    /* These fail only for what is no thread of ours. */
    (void)pthread_kill(watch->thread, SIGHUP);
    (void)pthread_join(watch->thread, NULL);
    (void)close(watch->stopped);
}

/* Windows that were closed: their results come into the outbox. */
static bool cancel_abandoned(struct service *service, const atomic_bool *stop)
{
    bool found = true;
    while (found && !atomic_load(stop))
        if (step_cancel_abandoned(service, &found) != REFUSAL_NONE)
            return false;
    return true;
}

static bool one_round(struct call *call, struct watch *watch, int64_t most_ms,
                      struct outbox_round *round)
{
    struct service *service = &call->service;
    return cancel_abandoned(service, &watch->stop) &&
           outbox_deliver_due(service->store, service->provider_api, &service->clock, &watch->stop,
                              most_ms, round);
}

/* For a timer: what is due now, and no more. */
static int deliver_once(struct call *call, struct watch *watch)
{
    struct outbox_round round = {0};
    if (!one_round(call, watch, ONCE_MS, &round))
        return fail("%s: the database is busy or failed", call->service.config->store.database);
    (void)printf("delivered %" PRId64 ", waiting %" PRId64 ", failed %" PRId64 "\n",
                 round.delivered, round.waiting, round.failed);
    return round.waiting == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int deliver_on(struct call *call, struct watch *watch)
{
    struct pollfd stopped = {.fd = watch->stopped, .events = POLLIN};
    log_event(LOG_LEVEL_INFO, "started", {"version", PACKAGE_VERSION});
    while (!atomic_load(&watch->stop)) {
        struct outbox_round round = {0};
        bool done = one_round(call, watch, LOOK_EVERY_MS, &round);
        if (!done)
            log_event(LOG_LEVEL_ERROR, "round_failed",
                      {"detail", "the database is busy or failed"});
        (void)poll(&stopped, 1, done ? (int)round.wait_ms : LOOK_EVERY_MS); /* early is fine */
    }
    log_event(LOG_LEVEL_INFO, "ended", {"version", PACKAGE_VERSION});
    return EXIT_SUCCESS;
}

int deliver(struct call *call)
{
    struct watch watch;
    if (!begin_watch(&watch))
        return fail("can't take signals: %s", strerror(errno));
    int status = EXIT_FAILURE;
    if (operator_open(call)) {
        if (!provider_api_is_configured(call->service.provider_api))
            log_event(LOG_LEVEL_WARNING, "provider_api_not_configured",
                      {"detail", "results wait until [provider_api] is"});
        status = call->once ? deliver_once(call, &watch) : deliver_on(call, &watch);
    }
    end_watch(&watch);
    return status;
}
