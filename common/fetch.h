/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_FETCH_H
#define FEEDGATE_FETCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Calls out, by HTTPS with the certificate always verified; plain HTTP only to
 * loopback, where also the address that was really connected to is checked. No
 * redirect is followed, and the environment's proxies are ignored.
 */

enum { FETCH_CONNECT_MS = 2000, FETCH_TOTAL_MS = 5000, FETCH_ERROR_MAX = 256 };

struct fetch {
    const char *url;           /* one that redirect_uri_is_safe_url() allows */
    const char *ca_file;       /* NULL: the system's authorities */
    const char *proxy;         /* NULL: none; never used for loopback */
    size_t limit;              /* bytes of the answer; a longer one fails */
    const atomic_bool *cancel; /* ends the call early when it turns true; or NULL */
};

/* To be called once in a process, before threads start; false on failure. */
bool fetch_init(void);

/*
 * GETs the URL. Returns the body of a 200 answer, with a NUL behind its
 * `*length` bytes, owned by the caller; or NULL and one line in `error`.
 */
char *fetch_get(const struct fetch *fetch, size_t *length, char error[FETCH_ERROR_MAX]);

#endif
