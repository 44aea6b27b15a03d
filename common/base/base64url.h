/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_BASE64URL_H
#define FEEDGATE_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Decodes base64url strictly (RFC 4648 section 5, without padding as RFC 7515
 * section 2 has it): only the alphabet, no length that can't be, and unused
 * bits zero, so that every value has exactly one form. Writes at most
 * `capacity` bytes and their number to `*written`; false if it isn't so or
 * doesn't fit.
 */
bool base64url_decode(const char *text, size_t length, unsigned char *bytes, size_t capacity,
                      size_t *written);

#endif
