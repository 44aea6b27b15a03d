/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PARAMETER_H
#define FEEDGATE_PARAMETER_H

#include "base/refusal.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Values from a query string (or a form), decoded once and checked. A handler
 * declares what it takes and then sees only values that passed.
 */

enum parameter_type {
    PARAMETER_UUID,         /* 36 characters, any version, either case */
    PARAMETER_TEXT,         /* 1 to 256 printable ASCII bytes */
    PARAMETER_REDIRECT_URI, /* 1 to 2048 bytes that redirect_uri_allowed() will judge */
    PARAMETER_SECRET,       /* 64 hexadecimal digits in lower case, as secret_make() makes them */
    PARAMETER_TYPED,        /* what a person typed: up to 256 bytes, maybe none */
};

enum parameter_presence { REQUIRED, OPTIONAL };

struct parameter {
    const char *name;
    enum parameter_type type;
    enum parameter_presence presence;
};

enum { PARAMETERS_MAX = 8, QUERY_BYTES_MAX = 8192, QUERY_PAIRS_MAX = 32 };

/* The values, in the order in which the parameters were declared. */
struct parameter_values {
    const struct parameter *declared; /* borrowed; ends with a NULL name */
    char *bytes;                      /* owns all values */
    const char *values[PARAMETERS_MAX];
};

/*
 * Reads a query string ("a=1&b=2"): `%XX` is decoded once and strictly, `+`
 * is a space. Any name given twice, a bad escape, a NUL byte, more than
 * QUERY_PAIRS_MAX pairs or QUERY_BYTES_MAX bytes is refused, also for names
 * that aren't declared; those are otherwise ignored, since Sage may add some.
 * A `query` of NULL is an empty one.
 *
 * On REFUSAL_NONE, `values` is filled and must be given back with
 * parameter_values_clear(). Otherwise PARAMETER_TWICE, PARAMETER_MISSING or
 * PARAMETER_MALFORMED (or OUT_OF_MEMORY), `*culprit` is the declared
 * parameter's name (static; NULL when it isn't a declared one), and `values`
 * needs no clearing.
 */
enum refusal parameter_read(const char *query, const struct parameter *declared,
                            struct parameter_values *values, const char **culprit);

/* The value of a declared parameter; NULL when it is optional and was left out. Borrowed. */
const char *parameter_value(const struct parameter_values *values, const char *name);

/* Gives the values back; a zeroed struct is allowed. */
void parameter_values_clear(struct parameter_values *values);

#endif
