/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_CHECK_CHECK_H
#define FEEDGATE_OPERATOR_CHECK_CHECK_H

#include "operator/listing.h"
#include "operator/operator.h"

/*
 * What `feedgate check` goes through, item by item. check.c has the
 * configuration and the key set, report.c how an item is said,
 * store.c what is on the disk, reports.c the way of results to Sage,
 * web.c and socket.c the way of requests through the web server.
 */

enum check_result { CHECK_OK, CHECK_WARN, CHECK_FAIL };

enum { CHECK_ADVICE_MAX = 512 };

struct check {
    struct call *call;
    struct listing listing; /* for --json */
    bool opened;            /* the database */
    bool no_directory;      /* there is none for the database */
    bool failed;
    bool time_known;        /* the issuer's time was had, and this is: */
    int64_t clock_ahead_ms; /* by how much the machine's clock is ahead of it */
};

/* Reports an item; `section` and `key` name the line that it is about, or are NULL. */
void check_report(struct check *check, enum check_result result, const char *item,
                  const char *section, const char *key, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* The items, in this order: later ones work as the user that the first one became. */
void check_user(struct check *check);
void check_directory(struct check *check);
void check_database(struct check *check);
void check_files(struct check *check);
void check_code_file(struct check *check);
void check_wrong_codes(struct check *check);
void check_clock(struct check *check);
void check_ca_file(struct check *check);
void check_stored_keys(struct check *check);
void check_provider_api(struct check *check);
void check_deliverer(struct check *check);
void check_addresses(struct check *check);
void check_web_server(struct check *check);

/* Reports why the web server, which answers with this status, can't reach the endpoint. */
void check_socket(struct check *check, const char *endpoint, long answer);

/*
 * What to do when the URL was called and `error` says that its host can't be
 * found or connected to, with "; " behind; "" for other errors. Written to `advice`.
 */
const char *check_advise_reach(const struct check *check, const char *url, const char *error,
                               char advice[CHECK_ADVICE_MAX]);

/* Judges the machine's clock by the time at which Sage ID answered (a Date header). */
void check_time(struct check *check, const char *date, const char *age);

#endif
