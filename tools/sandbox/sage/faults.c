/* SPDX-License-Identifier: MIT */
#include "faults.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct faults {
    pthread_mutex_t mutex; /* for all below */
    pthread_cond_t released;
    unsigned int releases; /* so far */
    unsigned int waiting;
    struct fault set[FAULT_TARGETS];
};

static const char *const words[] = {
    [FAULT_NONE] = "none",   [FAULT_STATUS] = "status",       [FAULT_CUT] = "cut",
    [FAULT_STALL] = "stall", [FAULT_CUT_AFTER] = "cut-after", [FAULT_SLOW] = "slow",
};

const char *fault_word(enum fault_kind kind)
{
    return words[kind];
}

bool fault_parse(const char *word, enum fault_kind *kind)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (strcmp(words[i], word) == 0) {
            *kind = (enum fault_kind)i;
            return true;
        }
    }
    return false;
}

struct faults *faults_new(void)
{
    struct faults *faults = calloc(1, sizeof(*faults));
    if (faults == NULL)
        return NULL;
    (void)pthread_mutex_init(&faults->mutex, NULL);
    (void)pthread_cond_init(&faults->released, NULL); /* can't fail without attributes on Linux */
    return faults;
}

void faults_free(struct faults *faults)
{
    if (faults == NULL)
        return;
    (void)pthread_cond_destroy(&faults->released);
    (void)pthread_mutex_destroy(&faults->mutex);
    free(faults);
}

void faults_set(struct faults *faults, enum fault_target target, const struct fault *fault)
{
    (void)pthread_mutex_lock(&faults->mutex);
    faults->set[target] = *fault;
    (void)pthread_mutex_unlock(&faults->mutex);
}

void faults_clear(struct faults *faults)
{
    (void)pthread_mutex_lock(&faults->mutex);
    memset(faults->set, 0, sizeof(faults->set));
    faults->releases++;
    (void)pthread_cond_broadcast(&faults->released);
    (void)pthread_mutex_unlock(&faults->mutex);
}

struct fault faults_get(struct faults *faults, enum fault_target target)
{
    (void)pthread_mutex_lock(&faults->mutex);
    struct fault fault = faults->set[target];
    (void)pthread_mutex_unlock(&faults->mutex);
    return fault;
}

unsigned int faults_waiting(struct faults *faults)
{
    (void)pthread_mutex_lock(&faults->mutex);
    unsigned int waiting = faults->waiting;
    (void)pthread_mutex_unlock(&faults->mutex);
    return waiting;
}

static struct fault take_fault(struct faults *faults, enum fault_target target)
{
    (void)pthread_mutex_lock(&faults->mutex);
    struct fault *set = &faults->set[target];
    struct fault taken = *set;
    if (set->kind != FAULT_NONE && --set->times == 0)
        set->kind = FAULT_NONE;
    (void)pthread_mutex_unlock(&faults->mutex);
    return taken;
}

static void wait_for_release(struct faults *faults, unsigned int milliseconds)
{
    struct timespec end = {0};
    (void)clock_gettime(CLOCK_REALTIME, &end); /* this clock is always there */
    end.tv_sec += milliseconds / 1000;
    end.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    end.tv_sec += end.tv_nsec / 1000000000;
    end.tv_nsec %= 1000000000;
    (void)pthread_mutex_lock(&faults->mutex);
    unsigned int releases = faults->releases;
    faults->waiting++;
    int result = 0;
    while (faults->releases == releases && result == 0)
        result = pthread_cond_timedwait(&faults->released, &faults->mutex, &end);
    faults->waiting--;
    (void)pthread_mutex_unlock(&faults->mutex);
}

bool fault_before(struct faults *faults, enum fault_target target, struct fault *fault,
                  struct reply *reply)
{
    *fault = take_fault(faults, target);
    switch (fault->kind) {
    case FAULT_STATUS:
        reply_error(reply, fault->status, "fault", "a test asked for this status");
        reply->retry_after = fault->retry_after;
        return true;
    case FAULT_CUT:
        reply->cut = true;
        return true;
    case FAULT_STALL:
        wait_for_release(faults, fault->milliseconds);
        return false;
    case FAULT_NONE:
    case FAULT_CUT_AFTER:
    case FAULT_SLOW:
        break;
    }
    return false;
}

void fault_after(struct faults *faults, const struct fault *fault, struct reply *reply)
{
    if (fault->kind == FAULT_CUT_AFTER)
        reply->cut = true;
    if (fault->kind == FAULT_SLOW)
        wait_for_release(faults, fault->milliseconds);
}
