/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_UUID_H
#define FEEDGATE_UUID_H

#include <stdbool.h>

/* Whether the text is a UUID in its 36-character form (hexadecimal digits in either case). */
bool uuid_is_valid(const char *text);

#endif
