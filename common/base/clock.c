/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <stdlib.h>
#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec time;
    if (clock_gettime(id, &time) != 0)
        abort(); /* can't fail for these clocks; without time nothing here is safe */
    return (int64_t)time.tv_sec * SECOND_MS + time.tv_nsec / 1000000;
}

static int64_t read_machine(void)
{
    return read_clock(CLOCK_REALTIME);
}

static int64_t read_boot(void)
{
    return read_clock(CLOCK_BOOTTIME);
}

void clock_init(struct clock *clock)
{
    *clock = (struct clock){
        .read = read_machine, .read_boot = read_boot, .mutex = PTHREAD_MUTEX_INITIALIZER};
}

int64_t clock_now(struct clock *clock)
{
    return clock->read();
}

/* Brings the session time up to now; the caller holds the mutex. */
static int64_t go_on(struct clock *clock)
{
    int64_t machine = clock->read();
    int64_t boot = clock->read_boot();
    /* A machine's clock that isn't behind counts alone, so that processes agree. */
    if (clock->latest > machine)
        clock->latest += boot - clock->latest_boot;
    if (clock->latest < machine)
        clock->latest = machine;
    clock->latest_boot = boot;
    return clock->latest;
}

int64_t clock_session(struct clock *clock)
{
    (void)pthread_mutex_lock(&clock->mutex);
    int64_t now = go_on(clock);
    (void)pthread_mutex_unlock(&clock->mutex);
    return now;
}

void clock_not_before(struct clock *clock, int64_t floor_ms)
{
    (void)pthread_mutex_lock(&clock->mutex);
    if (go_on(clock) < floor_ms)
        clock->latest = floor_ms;
    (void)pthread_mutex_unlock(&clock->mutex);
}

void clock_correct(struct clock *clock, int64_t session_ms)
{
    (void)pthread_mutex_lock(&clock->mutex);
    clock->latest = session_ms;
    clock->latest_boot = clock->read_boot();
    (void)go_on(clock);
    (void)pthread_mutex_unlock(&clock->mutex);
}

int64_t clock_lag(struct clock *clock)
{
    (void)pthread_mutex_lock(&clock->mutex);
    int64_t session = go_on(clock);
    int64_t machine = clock->read();
    (void)pthread_mutex_unlock(&clock->mutex);
    return session > machine ? session - machine : 0;
}

int64_t clock_boot(struct clock *clock)
{
    return clock->read_boot();
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
