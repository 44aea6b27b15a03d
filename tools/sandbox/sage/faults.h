/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_SAGE_FAULTS_H
#define FEEDGATE_SANDBOX_SAGE_FAULTS_H

#include "sandbox/http/http.h"

/*
 * Trouble on demand: what the next requests to the Provider API or the token
 * endpoint meet. May be used by several threads at once.
 */

enum fault_target { FAULT_PATCH, FAULT_TOKEN, FAULT_TARGETS };

enum fault_kind {
    FAULT_NONE,
    FAULT_STATUS,    /* nothing is done; the answer is this status */
    FAULT_CUT,       /* nothing is done; the connection is closed */
    FAULT_STALL,     /* nothing is done until the fault is released; then all is */
    FAULT_CUT_AFTER, /* all is done, and then the connection is closed without an answer */
    FAULT_SLOW       /* all is done, and the answer comes when the fault is released */
};

struct fault {
    enum fault_kind kind;
    unsigned int times;        /* how many requests it is for */
    unsigned int status;       /* FAULT_STATUS */
    unsigned int retry_after;  /* seconds in Retry-After; 0: without */
    unsigned int milliseconds; /* at most, for FAULT_STALL and FAULT_SLOW */
};

enum { FAULT_TIMES_MAX = 100000, FAULT_MILLISECONDS_MAX = 120000 };

struct faults;
struct faults *faults_new(void);
void faults_free(struct faults *faults);

/* Sets the fault in place of the one before. */
void faults_set(struct faults *faults, enum fault_target target, const struct fault *fault);

/* Takes back all faults and lets all requests go on that wait. */
void faults_clear(struct faults *faults);

/*
 * Before a request is looked at: takes its fault, if there is one. True if that
 * makes the whole answer, which then is in `reply`.
 */
bool fault_before(struct faults *faults, enum fault_target target, struct fault *fault,
                  struct reply *reply);

/* After the reply was made: cuts or delays it, if that is the fault. */
void fault_after(struct faults *faults, const struct fault *fault, struct reply *reply);

/* How many requests wait now. */
unsigned int faults_waiting(struct faults *faults);

/* What is set for the target. */
struct fault faults_get(struct faults *faults, enum fault_target target);

/* "stall" for FAULT_STALL. */
const char *fault_word(enum fault_kind kind);
bool fault_parse(const char *word, enum fault_kind *kind);

#endif
