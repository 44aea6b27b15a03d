/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CLOCK_H
#define FEEDGATE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

/*
 * The one source of time. All times are milliseconds since 1970 (UTC).
 *
 * It never runs backwards: a session that has expired can't come alive again
 * because somebody set the machine's clock back. While the machine's clock is
 * behind what was seen before, time stands still.
 */
struct clock {
    int64_t (*read)(void); /* what the machine says; tests give their own */
    _Atomic int64_t latest;
};

/* Starts a clock on the machine's own time. */
void clock_init(struct clock *clock);

/* The time now; never less than any answer before it, nor than the floor. */
int64_t clock_now(struct clock *clock);

/* Raises the floor, to the newest time that the store holds. */
void clock_not_before(struct clock *clock, int64_t floor_ms);

/* By how much the machine's clock is behind ours; 0 when it isn't. */
int64_t clock_lag(struct clock *clock);

/* Milliseconds of a counter that no one sets; for waits and time-outs only. */
int64_t clock_monotonic(void);

#endif
