/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_CHECK_PROBE_H
#define FEEDGATE_OPERATOR_CHECK_PROBE_H

#include "base/fetch.h"
#include "operator/operator.h"

/* One request of `feedgate check` through the web server, and what came back. */

enum { PROBE_KEY_HEADER = 1, PROBE_AUTHORIZATION = 2, PROBE_OWN_KEY = 4 };
enum { PROBE_ERROR_MAX = 512 };

struct probe {
    const char *endpoint;
    const char *method;
    const char *query;    /* with its `?`; NULL: none */
    unsigned sends;       /* PROBE_OWN_KEY: the key of [code] or [complete], as Authorization */
    bool internal;        /* for the provider's own software, not for the world */
    const char *expected; /* what the refusal's word begins with when all arrives */
};

struct probe_answer {
    long status;
    char word[64]; /* why it was refused; "" when that isn't said */
    char location[FETCH_HEADER_MAX];
    char media_type[FETCH_HEADER_MAX];
    bool of_endpoint; /* it looks like one of ours */
    bool has_hsts;
};

enum probe_result { PROBE_ANSWERED, PROBE_NO_ANSWER, PROBE_NO_KEY };

/*
 * Sends it to `base`, in the name of public_url's host: a base that is this
 * machine by https must have public_url's certificate, if that is https. Keys
 * go along when the probe says so. Unless it was answered, one line in `error`.
 */
enum probe_result probe_send(struct call *call, const char *base, const struct probe *probe,
                             struct probe_answer *answer, char error[PROBE_ERROR_MAX]);

/* Whether a base is asked in the name of public_url, certificate included. */
bool probe_is_in_name_of(const char *base, const char *public_url);

/* Where the host and port of a URL begin, and how long they are. */
const char *probe_authority(const char *url, size_t *length);

/* Whether a URL that is safe leads to this machine: localhost, 127.0.0.0/8 or [::1]. */
bool probe_url_is_loopback(const char *url);

/* Whether two URLs have the same scheme, host and port. */
bool probe_same_host(const char *url, const char *other);

#endif
