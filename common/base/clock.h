/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CLOCK_H
#define FEEDGATE_CLOCK_H

#include <pthread.h>
#include <stdint.h>

#define SECOND_MS INT64_C(1000)
#define MINUTE_MS INT64_C(60000)
#define HOUR_MS INT64_C(3600000)
#define DAY_MS INT64_C(86400000)

/* A clock that is further off than this is wrong; less is set right while nobody looks. */
#define CLOCK_DOUBT_MS (5 * MINUTE_MS)

/*
 * The one source of time. All times are milliseconds since 1970 (UTC). There
 * are two:
 *
 * The machine's clock, as it is. By it go tokens, since their times are the
 * issuer's and a wrong floor would refuse them all; what comes from outside
 * and is made anew when its age makes no sense (key sets and their cool-down,
 * our own access token); what is scheduled (the outbox); one-time codes, which
 * a customer can get again; and what is written down for people.
 *
 * The session time, by which alone sessions live and expire. It never runs
 * backwards in a process: a session that has expired can't come alive again
 * because somebody set the machine's clock back. While the machine's clock is
 * behind it, it goes on by CLOCK_BOOTTIME. How it is begun, shared by processes
 * and put right: session_clock.h.
 */
struct clock {
    int64_t (*read)(void);      /* what the machine says; tests give their own */
    int64_t (*read_boot)(void); /* CLOCK_BOOTTIME, that no one sets; likewise */
    pthread_mutex_t mutex;      /* guards what follows */
    int64_t latest;             /* session time */
    int64_t latest_boot;        /* at this CLOCK_BOOTTIME */
};

/* Starts a clock on the machine's own time. */
void clock_init(struct clock *clock);

/* The machine's clock now. */
int64_t clock_now(struct clock *clock);

/* The session time now: never less than any answer before it, nor than the floor. */
int64_t clock_session(struct clock *clock);

/* Raises the session time to this at least. */
void clock_not_before(struct clock *clock, int64_t floor_ms);

/* Puts the session time right, also back: only for what the issuer's time has shown to be false. */
void clock_correct(struct clock *clock, int64_t session_ms);

/* By how much the machine's clock is behind the session time; 0 when it isn't. */
int64_t clock_lag(struct clock *clock);

/* Milliseconds since the machine was started, with those in which it slept. */
int64_t clock_boot(struct clock *clock);

/* Milliseconds of a counter that no one sets; for waits and time-outs only. */
int64_t clock_monotonic(void);

#endif
