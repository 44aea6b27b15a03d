/* SPDX-License-Identifier: MIT */
#include "closer.h"

#include "clock.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { LOOK_EVERY_MS = 1000, END_MS = 2000, READY_MAX = 64, READS_MAX = 16, STOP = CLOSER_MAX };

struct place {
    int connection; /* -1: free */
    int64_t deadline;
};

struct closer {
    int events;
    int stop; /* an eventfd that turns readable when all is to end */
    pthread_t thread;
    pthread_mutex_t mutex; /* guards what follows */
    int count;
    struct place places[CLOSER_MAX];
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
static void release(struct closer *closer, struct place *place)
{
    (void)close(place->connection); /* all was written */
    place->connection = -1;
    closer->count--;
}

static void read_ready(struct closer *closer, const struct epoll_event *ready, int count,
                       bool *stopping)
{
    for (int i = 0; i < count; i++) {
        if (ready[i].data.u32 == STOP) {
            *stopping = true;
            continue;
        }
        struct place *place = &closer->places[ready[i].data.u32];
        if (place->connection >= 0 && is_over(place->connection))
            release(closer, place);
    }
}

static void release_late(struct closer *closer, int64_t now)
{
    for (size_t i = 0; i < CLOSER_MAX && closer->count > 0; i++)
        if (closer->places[i].connection >= 0 && closer->places[i].deadline <= now)
            release(closer, &closer->places[i]);
}

static void *read_all(void *argument)
{
    struct closer *closer = argument;
    int64_t end = INT64_MAX;
    for (;;) {
        struct epoll_event ready[READY_MAX];
        int count = epoll_wait(closer->events, ready, READY_MAX, LOOK_EVERY_MS);
        bool stopping = end != INT64_MAX;
        (void)pthread_mutex_lock(&closer->mutex);
        read_ready(closer, ready, count, &stopping);
        int64_t now = clock_monotonic();
        release_late(closer, now);
        bool idle = closer->count == 0;
        (void)pthread_mutex_unlock(&closer->mutex);
        if (stopping && end == INT64_MAX)
            end = now + END_MS;
        if (stopping && (idle || now >= end))
            return NULL;
    }
}

static bool watch(struct closer *closer, int descriptor, uint32_t place)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data = {.u32 = place}};
    return epoll_ctl(closer->events, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

static void free_closer(struct closer *closer)
{
    if (closer->events >= 0)
        (void)close(closer->events);
    if (closer->stop >= 0)
        (void)close(closer->stop);
    free(closer);
}

struct closer *closer_open(void)
{
    struct closer *closer = calloc(1, sizeof *closer);
    if (!closer)
        return NULL;
    for (size_t i = 0; i < CLOSER_MAX; i++)
        closer->places[i].connection = -1;
    closer->events = epoll_create1(EPOLL_CLOEXEC);
    closer->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (closer->events >= 0 && closer->stop >= 0 && watch(closer, closer->stop, STOP) &&
        pthread_mutex_init(&closer->mutex, NULL) == 0 &&
        pthread_create(&closer->thread, NULL, read_all, closer) == 0)
        return closer;
    free_closer(closer);
    return NULL;
}

/* The caller holds the mutex. */
static bool keep(struct closer *closer, int connection)
{
    for (uint32_t i = 0; i < CLOSER_MAX && closer->count < CLOSER_MAX; i++) {
        struct place *place = &closer->places[i];
        if (place->connection >= 0)
            continue;
        if (!watch(closer, connection, i))
            return false;
        *place = (struct place){connection, clock_monotonic() + CLOSER_MS};
        closer->count++;
        return true;
    }
    return false;
}

void closer_take(struct closer *closer, int connection)
{
    /* It fails when the peer has gone, and then nothing is left to wait for. */
    bool over = shutdown(connection, SHUT_WR) != 0 || is_over(connection);
    if (!over) {
        (void)pthread_mutex_lock(&closer->mutex);
        over = !keep(closer, connection);
        (void)pthread_mutex_unlock(&closer->mutex);
    }
    if (over)
        (void)close(connection);
}

void closer_close(struct closer *closer)
{
    if (!closer)
        return;
    const uint64_t one = 1;
    if (write(closer->stop, &one, sizeof one) != (ssize_t)sizeof one)
        return; /* can't be for an eventfd; the thread then ends with the process */
    (void)pthread_join(closer->thread, NULL); /* fails only for what is no thread */
    for (size_t i = 0; i < CLOSER_MAX; i++)
        if (closer->places[i].connection >= 0)
            release(closer, &closer->places[i]);
    (void)pthread_mutex_destroy(&closer->mutex);
    free_closer(closer);
}
