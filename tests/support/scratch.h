/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_SCRATCH_H
#define FEEDGATE_TEST_SCRATCH_H

#include <stddef.h>

/*
 * Memory that belongs to the running test: nobody frees a piece of it, the
 * fixture gives all of it back when the test ends, failed or not.
 */
void *scratch_take(size_t size);                      /* zeroed; never NULL */
char *scratch_copy(const void *bytes, size_t length); /* with a NUL behind */
__attribute__((format(printf, 1, 2))) char *scratch_format(const char *format, ...);

/* Gives back what was taken since the mark; a NULL mark means all. */
const void *scratch_mark(void);
void scratch_release_to(const void *mark);

/*
 * Stands for "left out" wherever NULL means the usual value: a claim, a
 * parameter, a header. Compared by address.
 */
extern const char OMIT[];

/* A random UUID in lower case, and texts in the other case. */
const char *new_uuid(void);
const char *upper_case(const char *text);
const char *lower_case(const char *text);

/* `count` times the text. */
const char *repeat(const char *text, size_t count);

/* The text with every `mark` replaced. */
const char *fill_in(const char *text, char mark, const char *replacement);

/* Everything but letters, digits and -._~ as %XX. */
const char *percent_encoded(const char *text);

/* The SHA-256 of a text in hexadecimal digits. */
const char *sha256_of(const char *text);

/* The first 12 hex digits of the SHA-256 of the identifier in lower case: a session's name in logs.
 */
const char *log_id_of(const char *authorisation_id);

#endif
