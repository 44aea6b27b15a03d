/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_DIGEST_H
#define FEEDGATE_DIGEST_H

#include <stdbool.h>
#include <stddef.h>

/* SHA-256 as the project uses it: to name things and to compare secrets. */

enum { DIGEST_BYTES = 32, DIGEST_TEXT = 65 };

/* The SHA-256 of `length` bytes; false when OpenSSL fails. */
bool digest_bytes(const void *bytes, size_t length, unsigned char digest[DIGEST_BYTES]);

/* HMAC-SHA-256 (RFC 2104) of `length` bytes under a key; false when OpenSSL fails. */
bool digest_hmac(const void *key, size_t key_length, const void *bytes, size_t length,
                 unsigned char digest[DIGEST_BYTES]);

/* A digest as 64 lower-case hexadecimal digits and a NUL. */
void digest_write(const unsigned char digest[DIGEST_BYTES], char text[DIGEST_TEXT]);

/* The SHA-256 of `length` bytes as 64 lower-case hexadecimal digits and a NUL. */
bool digest_text(const void *bytes, size_t length, char text[DIGEST_TEXT]);

/*
 * Whether two secrets are equal, in a time that tells neither where they
 * differ nor how long the expected one is. False when OpenSSL fails.
 */
bool digest_equal(const char *given, size_t given_length, const char *expected,
                  size_t expected_length);

#endif
