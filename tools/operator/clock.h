/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_CLOCK_H
#define FEEDGATE_OPERATOR_CLOCK_H

#include "base/fetch.h"
#include "operator.h"

/* The machine's clock beside the issuer's time. */
enum clock_judgement {
    CLOCK_RIGHT,   /* within CLOCK_DOUBT_MS */
    CLOCK_WRONG,   /* `off_ms` ahead of the issuer's, or behind when negative */
    CLOCK_UNKNOWN, /* the issuer couldn't be asked, and `error` says why */
};
struct clock_finding {
    enum clock_judgement judgement;
    int64_t off_ms;
    int64_t issuer_ms; /* its time, and the CLOCK_BOOTTIME at which it was had */
    int64_t boot_ms;
    char error[FETCH_ERROR_MAX];
};

/* Asks the issuer now; the call's service is open. */
void clock_ask(struct call *call, struct clock_finding *finding);

/* Says on standard error why the clock isn't known to be right; returns EXIT_FAILURE. */
int fail_clock(const struct call *call, const struct clock_finding *finding, const char *so);

#endif
