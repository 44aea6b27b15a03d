/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_LISTING_H
#define FEEDGATE_OPERATOR_LISTING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * Rows for people, as an aligned table, or for programs, as a JSON array of
 * objects. Texts come from outside: control characters, which some terminals
 * obey, are written as escapes in both.
 */

enum { COLUMNS_MAX = 12 };

enum column_kind { COLUMN_TEXT, COLUMN_NUMBER, COLUMN_BOOLEAN };

struct column {
    const char *name; /* the heading, and the member's name in JSON */
    enum column_kind kind;
    bool only_json;
};

struct listing {
    const struct column *columns; /* borrowed */
    size_t column_count;
    bool json;
    size_t cell_count;
    size_t capacity;
    char **cells; /* escaped already; NULL for what isn't there */
    bool failed;  /* memory is out */
};

/* Begins a listing with `column_count` columns. */
void listing_begin(struct listing *listing, const struct column *columns, size_t column_count,
                   bool json);

/*
 * Adds a row: one text a column, NULL for what isn't there; numbers in digits,
 * booleans as "true" and "false". Nothing is printed yet, so that a slow
 * reader of the output doesn't keep a look at the database open.
 */
void listing_add(struct listing *listing, const char *const values[]);

/* Prints and gives back what it holds; false when memory or the output failed. */
bool listing_end(struct listing *listing);

/* Prints a text with its control characters as escapes; false when that failed. */
bool print_visibly(FILE *stream, const char *text);

#endif
