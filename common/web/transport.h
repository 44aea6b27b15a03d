/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TRANSPORT_H
#define FEEDGATE_TRANSPORT_H

#include "linger.h"

#include <fcgiapp.h>
#include <stdbool.h>
#include <stddef.h>

/* The two transports of requests: a FastCGI connection, and plain CGI. */

/* How a request's parts are read and its reply is written. */
struct transport {
    void *source;
    /* A CGI variable ("QUERY_STRING", "HTTP_AUTHORIZATION"); NULL when it isn't there. Borrowed. */
    const char *(*variable)(void *source, const char *name);
    /* Whether a variable is there more than once, of which one was found. */
    bool (*repeated)(void *source, const char *name);
    /* Reads up to `size` bytes of the body: how many, 0 at its end, -1 when it broke off. */
    long (*read)(void *source, char *bytes, size_t size);
    /* Writes all bytes of the reply; false when nobody takes them any more. */
    bool (*write)(void *source, const char *bytes, size_t length);
};

/* Whether the process was started as plain CGI: descriptor 0 is no listener. */
bool transport_is_cgi(void);

/* To be called once before requests are accepted; false on failure. */
bool transport_start(void);

/* Makes a request ready to be used for one connection after the other. */
void transport_init(FCGX_Request *request);

/*
 * Begins the request that comes over `connection`, which it owns from now on.
 * False when it isn't a whole request: a stream of parameters that breaks off
 * would otherwise look like a request with fewer headers.
 */
bool transport_accept(struct transport *transport, FCGX_Request *request, int connection);

/*
 * Ends the request, answered or not, and leaves its connection to be closed to
 * `lingering`. What it was and what was answered is wiped.
 */
void transport_finish(FCGX_Request *request, struct lingering *lingering);

/* What is left of the body on standard input. */
struct cgi_source {
    long long unread; /* by the declared length; -1: until the end */
};

/* The request of plain CGI. `source` must live as long as the transport. */
void transport_from_environment(struct transport *transport, struct cgi_source *source);

/* Reads what is left of the body, bounded: some servers drop the reply to an unread one. */
void transport_drain(const struct transport *transport);

/* Wipes the request of plain CGI, once it is answered. */
void transport_wipe_environment(void);

#endif
