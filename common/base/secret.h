/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SECRET_H
#define FEEDGATE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

/* Random texts that nobody can guess. */

enum { SECRET_BYTES = 32, SECRET_TEXT = 2 * SECRET_BYTES + 1 };

/* 256 random bits as 64 hexadecimal digits; false when there is no randomness to be had. */
bool secret_make(char text[SECRET_TEXT]);

/* The same with `bytes` random bytes (at most SECRET_BYTES), 2 * bytes + 1 characters. */
bool secret_make_short(char *text, size_t bytes);

#endif
