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

void clock_init(struct clock *clock)
{
    clock->read = read_machine;
    atomic_init(&clock->latest, 0);
}

int64_t clock_now(struct clock *clock)
{
    int64_t now = clock->read();
    int64_t latest = atomic_load(&clock->latest);
    while (now > latest)
        if (atomic_compare_exchange_weak(&clock->latest, &latest, now))
            return now;
    return latest;
}

void clock_not_before(struct clock *clock, int64_t floor_ms)
{
    int64_t latest = atomic_load(&clock->latest);
    while (floor_ms > latest)
        if (atomic_compare_exchange_weak(&clock->latest, &latest, floor_ms))
            return;
}

int64_t clock_lag(struct clock *clock)
{
    int64_t behind = atomic_load(&clock->latest) - clock->read();
    return behind > 0 ? behind : 0;
}

int64_t clock_monotonic(void)
{
    return read_clock(CLOCK_MONOTONIC);
}
