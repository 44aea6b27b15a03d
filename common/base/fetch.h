/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_FETCH_H
#define FEEDGATE_FETCH_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Calls out, by HTTPS with the certificate always verified; plain HTTP only to
 * loopback, where also the address that was really connected to is checked. No
 * redirect is followed, and the environment's proxies and no_proxy are ignored.
 */

enum {
    FETCH_CONNECT_MS = 2000,
    FETCH_TOTAL_MS = 5000,
    FETCH_ERROR_MAX = 256,
    FETCH_HEADER_MAX = 512,
    FETCH_RETRY_AFTER_MAX_MS = 60 * 60 * 1000,
};

/* A header of the answer that the caller wants to see. */
struct fetch_header {
    const char *name;
    char value[FETCH_HEADER_MAX]; /* of its last line, "" when there is none; cut at worst */
};

struct fetch {
    const char *url;             /* one that url_is_safe() allows */
    const char *method;          /* NULL: GET */
    const char *const *headers;  /* "Name: value", NULL ends them; or NULL */
    const char *body;            /* NULL: none */
    struct fetch_header *wanted; /* filled in; ends with a NULL name; or NULL */
    const char *ca_file;         /* NULL: the system's authorities */
    const char *proxy;           /* NULL: none; never used for loopback */
    const char *connect_to;      /* "::HOST:PORT": connects there, in the URL's name; or NULL */
    size_t limit;                /* bytes of the answer's body; a longer one fails */
    int64_t timeout_ms;          /* for all of it, at most FETCH_TOTAL_MS; 0: that */
    const atomic_bool *cancel;   /* ends the call within a second when it turns true; or NULL */
};

/* A whole answer, whatever its status. */
struct fetch_answer {
    long status;
    int64_t retry_after_ms; /* at most FETCH_RETRY_AFTER_MAX_MS; 0: it didn't ask for a wait */
    char *body;             /* never NULL; a NUL stands behind its `length` bytes */
    size_t length;
};

/* To be called once in a process, before threads start; false on failure. */
bool fetch_init(void);

/*
 * Makes the call. True when a whole answer came, which fetch_answer_clear()
 * gives back; else false and one line in `error`, which never holds a header
 * or a body, since these have secrets in them. A header with a byte that isn't
 * printable ASCII fails, and nothing is sent.
 */
bool fetch_call(const struct fetch *fetch, struct fetch_answer *answer,
                char error[FETCH_ERROR_MAX]);

/* Wipes the body and gives it back; a zeroed answer is allowed. */
void fetch_answer_clear(struct fetch_answer *answer);

/*
 * GETs the URL. Returns the body of a 200 answer, with a NUL behind its
 * `*length` bytes, owned by the caller; or NULL and one line in `error`.
 */
char *fetch_get(const struct fetch *fetch, size_t *length, char error[FETCH_ERROR_MAX]);

/* The seconds since 1970 that a Date header names; -1 when it names none. */
int64_t fetch_read_date(const char *date);

#endif
