/* SPDX-License-Identifier: MIT */
#include "process.h"

#include "base/log.h"
#include "base/memory.h"
#include "linger.h"
#include "service/service.h"
#include "store/store.h"
#include "transport.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

/*
 * The process of an endpoint. Each thread accepts connections for itself, as
 * long as nothing is to be read from `stop`; so a request is either taken up
 * and answered, or left to another process on the same listener.
 */

enum {
    LISTENER = 0,
    STALL_S = 30,
    OUT_OF_FILES_NAP_MS = 10,
    LAST_CONNECTIONS_MAX = 32,
    EXIT_CONFIGURATION = 78
};

struct process {
    const struct endpoint *endpoint;
    struct service service;
    int stop; /* an eventfd that turns readable when the process is to end */
    struct lingering *lingering;
    size_t thread_count;
    pthread_t threads[THREADS_MAX];
};

static void serve(struct process *process, const struct transport *transport)
{
    struct exchange exchange;
    exchange_begin(&exchange, transport, &process->service);
    endpoint_serve(process->endpoint, &exchange);
    exchange_clear(&exchange);
    memory_wipe_stack();
}

/* A stalled web server must not hold a thread for good. */
static bool bound_waits(int connection)
{
    const struct timeval limit = {.tv_sec = STALL_S};
    return setsockopt(connection, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit) == 0 &&
           setsockopt(connection, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit) == 0;
}

/* False when there was none to take. */
static bool take_connection(struct process *process, FCGX_Request *request)
{
    int connection = accept4(LISTENER, NULL, NULL, SOCK_CLOEXEC);
    if (connection < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)
            (void)poll(NULL, 0, OUT_OF_FILES_NAP_MS);
        return false; /* else another thread or process was quicker, or the client has gone */
    }
    if (!bound_waits(connection)) {
        (void)close(connection);
        return true;
    }
    struct transport transport;
    if (transport_accept(&transport, request, connection))
        serve(process, &transport);
    transport_finish(request, process->lingering);
    return true;
}

/*
 * Where a web server has made this process a listener of its own, nobody else
 * takes what has been connected already; it would be reset.
 */
static void take_last_connections(struct process *process, FCGX_Request *request)
{
    for (int taken = 0; taken < LAST_CONNECTIONS_MAX; taken++)
        if (!take_connection(process, request))
            return;
}

static bool watch(int events, int descriptor, uint32_t kind)
{
    struct epoll_event event = {.events = kind, .data = {.fd = descriptor}};
    return epoll_ctl(events, EPOLL_CTL_ADD, descriptor, &event) == 0;
}

/*
 * Serves until `stop` says so. The listener wakes one waiting thread a
 * connection; one that is woken for both takes the connection first, since
 * nobody else was woken for it.
 */
static void serve_connections(struct process *process, int events)
{
    FCGX_Request request;
    transport_init(&request);
    for (;;) {
        struct epoll_event ready[2];
        int count = epoll_wait(events, ready, 2, -1);
        if (count < 0 && errno != EINTR)
            return;
        bool stop = false;
        for (int i = 0; i < count; i++) {
            if (ready[i].data.fd == LISTENER)
                (void)take_connection(process, &request);
            else
                stop = true;
        }
        if (stop) {
            take_last_connections(process, &request);
            return;
        }
    }
}

static void *run_thread(void *argument)
{
    struct process *process = argument;
    int events = epoll_create1(EPOLL_CLOEXEC);
    if (events >= 0 && watch(events, LISTENER, EPOLLIN | EPOLLEXCLUSIVE) &&
        watch(events, process->stop, EPOLLIN))
        serve_connections(process, events);
    else
        log_event(LOG_LEVEL_ERROR, "thread_not_started", {"detail", strerror(errno)});
    if (events >= 0)
        (void)close(events);
    return NULL;
}

static void ending_signals(sigset_t *signals)
{
    (void)sigemptyset(signals); /* these fail only for numbers that are no signals */
    (void)sigaddset(signals, SIGTERM);
    (void)sigaddset(signals, SIGHUP);
    (void)sigaddset(signals, SIGINT);
    (void)sigaddset(signals, SIGUSR1); /* what FastCGI's process managers send to end gracefully */
    (void)sigaddset(signals, SIGQUIT); /* what multiwatch sends when it is told to send SIGTERM */
}

static void end_threads(struct process *process)
{
    const uint64_t one = 1;
    if (write(process->stop, &one, sizeof one) != (ssize_t)sizeof one)
        log_event(LOG_LEVEL_ERROR, "stop_not_written", {"detail", strerror(errno)});
    for (size_t i = 0; i < process->thread_count; i++)
        (void)pthread_join(process->threads[i], NULL); /* fails only for what is no thread */
}

static bool start_threads(struct process *process, size_t count)
{
    process->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    process->lingering = linger_open();
    if (process->stop < 0 || !process->lingering || fcntl(LISTENER, F_SETFL, O_NONBLOCK) != 0)
        return false;
    for (; process->thread_count < count; process->thread_count++)
        if (pthread_create(&process->threads[process->thread_count], NULL, run_thread, process) !=
            0)
            return false;
    return true;
}

static int serve_fastcgi(struct process *process, size_t threads)
{
    if (!transport_start())
        return EXIT_FAILURE;
    bool started = start_threads(process, threads);
    if (started) {
        sigset_t signals;
        int signal = 0;
        ending_signals(&signals);
        log_event(LOG_LEVEL_INFO, "started", {"version", PACKAGE_VERSION});
        (void)sigwait(&signals, &signal); /* fails only for a wrong set */
    } else {
        log_event(LOG_LEVEL_ERROR, "not_started", {"detail", strerror(errno)});
    }
    if (process->stop >= 0) {
        end_threads(process);
        (void)close(process->stop);
    }
    linger_close(process->lingering);
    if (started)
        log_event(LOG_LEVEL_INFO, "ended", {"version", PACKAGE_VERSION});
    return started ? EXIT_SUCCESS : EXIT_FAILURE;
}

static int serve_cgi(struct process *process)
{
    struct transport transport;
    struct cgi_source source;
    transport_from_environment(&transport, &source);
    serve(process, &transport);
    transport_drain(&transport);
    transport_wipe_environment();
    return EXIT_SUCCESS;
}

static int refuse_start(const char *error, bool cgi)
{
    log_event(LOG_LEVEL_ERROR, "not_started", {"detail", error});
    if (cgi)
        (void)printf(
            "Status: 503\r\nContent-Type: application/problem+json\r\n"
            "Cache-Control: no-store\r\nReferrer-Policy: no-referrer\r\n"
            "X-Content-Type-Options: nosniff\r\nRetry-After: 60\r\n\r\n"
            "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":503,\"detail\":\"%s\"}\n",
            answer_title(ANSWER_TRY_AGAIN), answer_advice(ANSWER_TRY_AGAIN));
    return EXIT_CONFIGURATION;
}

static int run(const struct endpoint *endpoint, size_t threads)
{
    struct process process = {.endpoint = endpoint, .stop = -1};
    bool cgi = transport_is_cgi();
    memory_wipe_freed();
    char error[SERVICE_ERROR_MAX];
    /* A process that ends with its request has no time to ask. */
    unsigned parts = endpoint->parts | (cgi ? 0 : SERVICE_ASKS);
    if (!service_open(&process.service, endpoint->name, STORE_ENDPOINT, parts, endpoint->secrets,
                      cgi ? 1 : threads, error))
        return refuse_start(error, cgi);
    int status = cgi ? serve_cgi(&process) : serve_fastcgi(&process, threads);
    service_close(&process.service);
    return status;
}

/* Signals go to the main thread alone, which waits for them; failed writes are seen as errors. */
static bool set_signals(void)
{
    sigset_t signals;
    ending_signals(&signals);
    const struct sigaction ignore = {.sa_handler = SIG_IGN};
    return sigaction(SIGPIPE, &ignore, NULL) == 0 && sigaction(SIGXFSZ, &ignore, NULL) == 0 &&
           pthread_sigmask(SIG_BLOCK, &signals, NULL) == 0;
}

static void print_usage(const struct endpoint *endpoint)
{
    (void)printf("Usage: %s.fcgi [--threads N]\n"
                 "The endpoint /%s of feedgate: a FastCGI program, started by a web server or by\n"
                 "spawn-fcgi, or a plain CGI program. The environment's FEEDGATE_CONF names its\n"
                 "configuration (else %s).\n\n"
                 "  --threads N  requests served at a time, 1 to %d (default %d)\n"
                 "  --version    print the version\n"
                 "  -h, --help   print this\n",
                 endpoint->name, endpoint->name, config_path(), THREADS_MAX, THREADS_DEFAULT);
}

static bool read_thread_count(const char *text, size_t *threads)
{
    char *end = NULL;
    errno = 0;
    long count = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || count < 1 || count > THREADS_MAX)
        return false;
    *threads = (size_t)count;
    return true;
}

int process_main(const struct endpoint *endpoint, int argc, char **argv)
{
    static const struct option options[] = {
        {"threads", required_argument, NULL, 't'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    size_t threads = THREADS_DEFAULT;
    int option;
    /* Plain CGI has a query without `=` as arguments (RFC 3875 section 4.4). */
    if (getenv("REQUEST_METHOD"))
        argc = 1;
    while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            print_usage(endpoint);
            return EXIT_SUCCESS;
        }
        if (option == 'v') {
            (void)printf("feedgate %s\n", PACKAGE_VERSION);
            return EXIT_SUCCESS;
        }
        if (option != 't' || !read_thread_count(optarg, &threads)) {
            (void)fprintf(stderr, "%s.fcgi: see --help\n", endpoint->name);
            return EXIT_FAILURE;
        }
    }
    (void)umask(0007); /* what is made is for the owner and the group feedgate alone */
    if (!memory_close() || !set_signals())
        return EXIT_FAILURE;
    return run(endpoint, threads);
}
