/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ISSUER_TIME_H
#define FEEDGATE_ISSUER_TIME_H

#include "base/fetch.h"
#include "config/config.h"

/*
 * Asks the issuer for the time: the Date of its answer at `[sage] jwks_url`,
 * and its Age when it comes from a cache, in milliseconds since 1970. fetch.h
 * verifies the issuer's certificate. Plain HTTP, which only a custom environment
 * may have and only to loopback, counts as much: who answers there also decides
 * which tokens are good. False and one line in `error` when nobody says so.
 * `cancel` as in struct fetch.
 */
bool issuer_time_ask(const struct config *config, const atomic_bool *cancel, int64_t *time_ms,
                     char error[FETCH_ERROR_MAX]);

/*
 * The time of a Date header in the form that all must send (RFC 9110 section
 * 5.6.7), and of an Age of a day at most ("" for none); false for any other.
 */
bool issuer_time_read(const char *date, const char *age, int64_t *time_ms);

#endif
