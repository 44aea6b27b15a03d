/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CHECK_H
#define FEEDGATE_CHECK_H

#include "feedgate.h"
#include "feedgate_listing.h"

/*
 * What `feedgate check` goes through, item by item. feedgate_check.c has the
 * configuration and the key set, feedgate_check_store.c what is on the disk,
 * feedgate_check_reports.c the way of results to Sage.
 */

enum check_result { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check {
    struct call *call;
    struct listing listing; /* for --json */
    bool opened;            /* the database */
    bool failed;
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

#endif
