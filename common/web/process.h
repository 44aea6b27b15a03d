/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PROCESS_H
#define FEEDGATE_PROCESS_H

#include "endpoint.h"

enum { THREADS_MAX = 64, THREADS_DEFAULT = 8 };

/*
 * The whole life of an endpoint's process: options, configuration, then
 * requests from the FastCGI listener on descriptor 0 (served by several
 * threads) or the one of plain CGI. SIGTERM, SIGHUP, SIGINT, SIGQUIT and
 * SIGUSR1 end it when the requests under way are answered. Returns the exit
 * status.
 */
int process_main(const struct endpoint *endpoint, int argc, char **argv);

#endif
