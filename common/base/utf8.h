/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_UTF8_H
#define FEEDGATE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The number of bytes (1 to 4) of the character that `bytes` begins with, of
 * which `length` may be looked at; 0 when it isn't well-formed UTF-8 (RFC
 * 3629): overlong, a surrogate, beyond U+10FFFF, cut off, or nothing at all.
 */
size_t utf8_character(const char *bytes, size_t length);

/*
 * Whether that character is a control character: below U+0020, DEL, or U+0080
 * to U+009F, which some terminals obey.
 */
bool utf8_is_control(const char *character);

/* Whether all `length` bytes are printable ASCII (0x20 to 0x7E), or visible (not the space). */
bool ascii_is_printable(const char *text, size_t length);
bool ascii_is_visible(const char *text, size_t length);

#endif
