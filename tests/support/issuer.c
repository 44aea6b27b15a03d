/* SPDX-License-Identifier: MIT */
#include "issuer.h"

#include "expect.h"
#include "keys.h"
#include "scratch.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct issuer {
    struct MHD_Daemon *daemon;
    unsigned port;
    char url[64];
    char *certificate; /* NULL without TLS */
    char *private_key;
    atomic_uint fetches;
    atomic_uint strays;
    atomic_llong time; /* seconds since 1970 that answers are dated; 0: the true one */

    pthread_mutex_t lock; /* for all below */
    pthread_cond_t released;
    bool holds;
    bool drops;
    unsigned status;
    char *document;
    char *location; /* NULL: no redirect */
};

static struct sockaddr_in loopback(unsigned port)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
}

/* A bound socket that doesn't listen, and its port. */
static int bind_free_port(unsigned *port)
{
    int descriptor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in address = loopback(0);
    socklen_t size = sizeof(address);
    if (descriptor < 0 || bind(descriptor, (struct sockaddr *)&address, size) != 0 ||
        getsockname(descriptor, (struct sockaddr *)&address, &size) != 0)
        abort();
    *port = ntohs(address.sin_port);
    return descriptor;
}

unsigned free_port(void)
{
    unsigned port;
    (void)close(bind_free_port(&port));
    return port;
}

static void close_descriptor(void *descriptor)
{
    (void)close((int)(intptr_t)descriptor);
}

unsigned refusing_port(void)
{
    unsigned port;
    undo_later(close_descriptor, (void *)(intptr_t)bind_free_port(&port));
    return port;
}

/* What stands in the issuer now, as an answer; NULL to close the connection. */
static struct MHD_Response *current_answer(struct issuer *issuer, unsigned *status)
{
    struct MHD_Response *response = NULL;
    (void)pthread_mutex_lock(&issuer->lock);
    while (issuer->holds)
        (void)pthread_cond_wait(&issuer->released, &issuer->lock);
    if (!issuer->drops) {
        *status = issuer->status;
        response = MHD_create_response_from_buffer(strlen(issuer->document), issuer->document,
                                                   MHD_RESPMEM_MUST_COPY);
        if (response != NULL && issuer->location != NULL)
            (void)MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, issuer->location);
    }
    (void)pthread_mutex_unlock(&issuer->lock);
    return response;
}

static void add_date(struct issuer *issuer, struct MHD_Response *response)
{
    char date[64];
    struct tm parts;
    time_t now = (time_t)atomic_load(&issuer->time);
    if (now == 0)
        now = time(NULL);
    if (gmtime_r(&now, &parts) == NULL ||
        strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts) == 0)
        abort();
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_DATE, date);
}

static enum MHD_Result answer(void *closure, struct MHD_Connection *connection, const char *url,
                              const char *method, const char *version, const char *upload,
                              size_t *upload_size, void **seen)
{
    (void)method, (void)version, (void)upload;
    struct issuer *issuer = closure;
    if (*seen == NULL) { /* the headers came; the answer is due at the next call */
        *seen = issuer;
        return MHD_YES;
    }
    *upload_size = 0;
    unsigned status = MHD_HTTP_NOT_FOUND;
    struct MHD_Response *response;
    if (strcmp(url, "/.well-known/jwks.json") == 0) {
        atomic_fetch_add(&issuer->fetches, 1);
        response = current_answer(issuer, &status);
    } else {
        atomic_fetch_add(&issuer->strays, 1);
        response = MHD_create_response_from_buffer(0, "", MHD_RESPMEM_PERSISTENT);
    }
    if (response == NULL)
        return MHD_NO;
    (void)MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
    add_date(issuer, response);
    enum MHD_Result result = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return result;
}

static struct issuer *launch(const char *tls_host)
{
    struct issuer *issuer = calloc(1, sizeof(*issuer));
    if (issuer == NULL || pthread_mutex_init(&issuer->lock, NULL) != 0 ||
        pthread_cond_init(&issuer->released, NULL) != 0)
        abort();
    issuer_answer(issuer, KEY_SET(JWK("first")));
    if (tls_host != NULL) {
        issuer->certificate = strdup(self_signed_certificate("certificate", tls_host));
        issuer->private_key = strdup(private_pem("certificate"));
    }
    issuer->port = free_port();
    (void)snprintf(issuer->url, sizeof(issuer->url), "%s://127.0.0.1:%u/",
                   tls_host != NULL ? "https" : "http", issuer->port);
    struct sockaddr_in address = loopback(issuer->port);
    struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_CERT, 0, issuer->certificate},
                                   {MHD_OPTION_HTTPS_MEM_KEY, 0, issuer->private_key},
                                   {MHD_OPTION_END, 0, NULL}};
    unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION |
                     MHD_USE_SUPPRESS_DATE_NO_CLOCK;
    issuer->daemon =
        MHD_start_daemon(tls_host != NULL ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, answer,
                         issuer, MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_ARRAY,
                         tls_host != NULL ? tls : &tls[2], MHD_OPTION_END);
    EXPECT(issuer->daemon != NULL, "the issuer can't listen at %s", issuer->url);
    return issuer;
}

static void stop_later(void *issuer)
{
    issuer_stop(issuer);
}

struct issuer *issuer_launch(void)
{
    return launch(NULL);
}

struct issuer *issuer_start(void)
{
    struct issuer *issuer = launch(NULL);
    undo_later(stop_later, issuer);
    return issuer;
}

struct issuer *issuer_start_tls(const char *host)
{
    struct issuer *issuer = launch(host);
    undo_later(stop_later, issuer);
    return issuer;
}

void issuer_stop(struct issuer *issuer)
{
    issuer_release(issuer);
    MHD_stop_daemon(issuer->daemon);
    (void)pthread_cond_destroy(&issuer->released);
    (void)pthread_mutex_destroy(&issuer->lock);
    free(issuer->document);
    free(issuer->location);
    free(issuer->certificate);
    free(issuer->private_key);
    free(issuer);
}

const char *issuer_url(const struct issuer *issuer)
{
    return issuer->url;
}

unsigned issuer_port(const struct issuer *issuer)
{
    return issuer->port;
}

const char *issuer_certificate(const struct issuer *issuer)
{
    return issuer->certificate;
}

static void set_answer(struct issuer *issuer, unsigned status, const char *document,
                       const char *location, bool drops)
{
    char *new_document = strdup(document);
    char *new_location = location != NULL ? strdup(location) : NULL;
    if (new_document == NULL || (location != NULL && new_location == NULL))
        abort();
    (void)pthread_mutex_lock(&issuer->lock);
    free(issuer->document);
    free(issuer->location);
    issuer->status = status;
    issuer->document = new_document;
    issuer->location = new_location;
    issuer->drops = drops;
    (void)pthread_mutex_unlock(&issuer->lock);
}

void issuer_answer(struct issuer *issuer, const char *document)
{
    set_answer(issuer, MHD_HTTP_OK, document, NULL, false);
}

void issuer_answer_status(struct issuer *issuer, unsigned status, const char *document)
{
    set_answer(issuer, status, document, NULL, false);
}

void issuer_redirect(struct issuer *issuer, const char *location)
{
    set_answer(issuer, MHD_HTTP_FOUND, "", location, false);
}

void issuer_drop_connections(struct issuer *issuer)
{
    set_answer(issuer, MHD_HTTP_OK, "", NULL, true);
}

void issuer_hold(struct issuer *issuer)
{
    (void)pthread_mutex_lock(&issuer->lock);
    issuer->holds = true;
    (void)pthread_mutex_unlock(&issuer->lock);
}

void issuer_release(struct issuer *issuer)
{
    (void)pthread_mutex_lock(&issuer->lock);
    issuer->holds = false;
    (void)pthread_cond_broadcast(&issuer->released);
    (void)pthread_mutex_unlock(&issuer->lock);
}

void issuer_time_is(struct issuer *issuer, int64_t seconds)
{
    atomic_store(&issuer->time, seconds);
}

unsigned issuer_fetches(const struct issuer *issuer)
{
    return atomic_load(&issuer->fetches);
}

unsigned issuer_strays(const struct issuer *issuer)
{
    return atomic_load(&issuer->strays);
}
