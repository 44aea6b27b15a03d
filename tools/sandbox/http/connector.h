/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_HTTP_CONNECTOR_H
#define FEEDGATE_SANDBOX_HTTP_CONNECTOR_H

#include "text.h"

#include <stdbool.h>

/*
 * Calls to the connector under test, the only ones that leave the sandbox:
 * bounded in time, size and number, without proxies and without following
 * redirects.
 */

struct connector_call {
    const char *path;  /* with its query */
    const char *token; /* NULL: without Authorization */
    const char *body;  /* JSON to post; NULL: GET */
    bool with_key;     /* send the key header, too */
    bool wants_page;   /* accept: text/html */
};

struct connector_answer {
    const char *error; /* why there is no answer, or NULL */
    long status;
    char *content_type; /* NULL: none */
    char *location;     /* NULL: none */
    struct text body;
};

struct connector;

/*
 * base: http://HOST[:PORT] where HOST is in 127.0.0.0/8, [::1] or localhost.
 * The strings must outlive it. NULL if there is no memory.
 */
struct connector *connector_new(const char *base, const char *key_header, const char *key);
void connector_free(struct connector *connector);

/* The base without a trailing slash. */
const char *connector_base(const struct connector *connector);

/* True if the URL is one that connector_new may get. */
bool connector_is_loopback(const char *base);

/* Calls and waits for the answer, which is to be cleared in any case. */
void connector_call(struct connector *connector, const struct connector_call *call,
                    struct connector_answer *answer);
void connector_clear_answer(struct connector_answer *answer);

#endif
