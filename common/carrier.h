/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CARRIER_H
#define FEEDGATE_CARRIER_H

#include "closer.h"
#include "exchange.h"

#include <fcgiapp.h>

/* The two carriers of requests: a FastCGI connection, and plain CGI. */

/* Whether the process was started as plain CGI: descriptor 0 is no listener. */
bool carrier_is_cgi(void);

/* To be called once before requests are accepted; false on failure. */
bool carrier_start(void);

/* Makes a request ready to be used for one connection after the other. */
void carrier_init(FCGX_Request *request);

/*
 * Begins the request that comes over `connection`, which it owns from now on.
 * False when it isn't a whole request: a stream of parameters that breaks off
 * would otherwise look like a request with fewer headers.
 */
bool carrier_accept(struct carrier *carrier, FCGX_Request *request, int connection);

/*
 * Ends the request, answered or not, and leaves its connection to be closed to
 * `closer`. What it was and what was answered is wiped.
 */
void carrier_finish(FCGX_Request *request, struct closer *closer);

/* What is left of the body on standard input. */
struct cgi_source {
    long long unread; /* by the declared length; -1: until the end */
};

/* The request of plain CGI. `source` must live as long as the carrier. */
void carrier_from_environment(struct carrier *carrier, struct cgi_source *source);

/* Reads what is left of the body, bounded: some servers drop the reply to an unread one. */
void carrier_drain(const struct carrier *carrier);

/* Wipes the request of plain CGI, once it is answered. */
void carrier_wipe_environment(void);

#endif
