/* SPDX-License-Identifier: MIT */
#include "linger.h"

#include "base/clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 1000, END_MS = 2000, READY_MAX = 64, READS_MAX = 16, STOP = LINGER_MAX };

struct place {
    int connection; /* -1: free */
    int64_t deadline;
};

struct lingering {
    int events;
    int stop; /* an eventfd that turns readable when all is to end */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    int count;
    struct place places[LINGER_MAX];
};

/* Reads and drops what is there; true when no more will come. */
static bool is_over(int connection)
{
    char dropped[8192];
    for (int reads = 0; reads < READS_MAX; reads++) {
        ssize_t count = recv(connection, dropped, sizeof dropped, MSG_DONTWAIT);
        if (count < 0)
            return errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR;
        if (count == 0)
            return true;
    }
    return false;
}

/* The caller holds the mutex. Closing takes the descriptor out of the epoll set too. */
static void release(struct lingering *lingering, struct place *place)
{
    (void)close(place->connection); /* all was written */
    place->connection = -1;
    lingering->count--;
}

static void read_ready(struct lingering *lingering, const struct epoll_event *ready, int count,
                       bool *stopping)
{
    for (int i = 0; i < count; i++) {
        if (ready[i].data.u32 == STOP) {
            *stopping = true;
            continue;
        }
        struct place *place = &lingering->places[ready[i].data.u32];
        if (place->connection >= 0 && is_over(place->connection))
            release(lingering, place);
    }
}

static void release_late(struct lingering *lingering, int64_t now)
{
    for (size_t i = 0; i < LINGER_MAX && lingering->count > 0; i++)
        if (lingering->places[i].connection >= 0 && lingering->places[i].deadline <= now)
            release(lingering, &lingering->places[i]);
}

static void *read_all(void *argument)
{
    struct lingering *lingering = argument;
    int64_t end = INT64_MAX;
    for (;;) {
        struct epoll_event ready[READY_MAX];
        int count = epoll_wait(lingering->events, ready, READY_MAX, LOOK_EVERY_MS);
        bool stopping = end != INT64_MAX;
        (void)pthread_mutex_lock(&lingering->mutex);
        read_ready(lingering, ready, count, &stopping);
        int64_t now = clock_monotonic();
        release_late(lingering, now);
        bool idle = lingering->count == 0;
        (void)pthread_mutex_unlock(&lingering->mutex);
        if (stopping && end == INT64_MAX)
            end = now + END_MS;
        if (stopping && (idle || now >= end))
            return NULL;
    }
}

static bool watch(struct lingering *lingering, int descriptor, uint32_t place)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data = {.u32 = place}};
    return epoll_ctl(lingering->events, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static void free_lingering(struct lingering *lingering)
{
    if (lingering->events >= 0)
        (void)close(lingering->events);
    if (lingering->stop >= 0)
        (void)close(lingering->stop);
    free(lingering);
}

struct lingering *linger_open(void)
{
    struct lingering *lingering = calloc(1, sizeof *lingering);
    if (!lingering)
        return NULL;
    for (size_t i = 0; i < LINGER_MAX; i++)
        lingering->places[i].connection = -1;
    lingering->events = epoll_create1(EPOLL_CLOEXEC);
    lingering->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lingering->events >= 0 && lingering->stop >= 0 && watch(lingering, lingering->stop, STOP) &&
        pthread_mutex_init(&lingering->mutex, NULL) == 0 &&
        pthread_create(&lingering->thread, NULL, read_all, lingering) == 0)
        return lingering;
    free_lingering(lingering);
    return NULL;
}

/* The caller holds the mutex. */
static bool keep_connection(struct lingering *lingering, int connection)
{
    for (uint32_t i = 0; i < LINGER_MAX && lingering->count < LINGER_MAX; i++) {
        struct place *place = &lingering->places[i];
        if (place->connection >= 0)
            continue;
        if (!watch(lingering, connection, i))
            return false;
        *place = (struct place){connection, clock_monotonic() + LINGER_MS};
        lingering->count++;
        return true;
    }
    return false;
}

void linger_take(struct lingering *lingering, int connection)
{
    /* It fails when the peer has gone, and then nothing is left to wait for. */
    bool over = shutdown(connection, SHUT_WR) != 0 || is_over(connection);
    if (!over) {
        (void)pthread_mutex_lock(&lingering->mutex);
        over = !keep_connection(lingering, connection);
        (void)pthread_mutex_unlock(&lingering->mutex);
    }
    if (over)
        (void)close(connection);
}

void linger_close(struct lingering *lingering)
{
    if (!lingering)
        return;
    const uint64_t one = 1;
    if (write(lingering->stop, &one, sizeof one) != (ssize_t)sizeof one)
        return; /* can't be for an eventfd; the thread then ends with the process */
    (void)pthread_join(lingering->thread, NULL); /* fails only for what is no thread */
    for (size_t i = 0; i < LINGER_MAX; i++)
        if (lingering->places[i].connection >= 0)
            release(lingering, &lingering->places[i]);
    (void)pthread_mutex_destroy(&lingering->mutex);
    free_lingering(lingering);
}
