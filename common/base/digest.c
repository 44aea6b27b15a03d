/* SPDX-License-Identifier: MIT */
#include "digest.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

bool digest_bytes(const void *bytes, size_t length, unsigned char digest[DIGEST_BYTES])
{
    unsigned int written = 0;
    return EVP_Digest(bytes, length, digest, &written, EVP_sha256(), NULL) == 1 &&
           written == DIGEST_BYTES;
}

bool digest_hmac(const void *key, size_t key_length, const void *bytes, size_t length,
                 unsigned char digest[DIGEST_BYTES])
{
    unsigned int written = 0;
    return key_length <= INT_MAX &&
           HMAC(EVP_sha256(), key, (int)key_length, bytes, length, digest, &written) &&
           written == DIGEST_BYTES;
}

void digest_write(const unsigned char digest[DIGEST_BYTES], char text[DIGEST_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < DIGEST_BYTES; i++) {
        text[2 * i] = digits[digest[i] >> 4];
        text[2 * i + 1] = digits[digest[i] & 15];
    }
    text[DIGEST_TEXT - 1] = '\0';
}

bool digest_text(const void *bytes, size_t length, char text[DIGEST_TEXT])
{
    unsigned char digest[DIGEST_BYTES];
    if (!digest_bytes(bytes, length, digest))
        return false;
    digest_write(digest, text);
    return true;
}

bool digest_equal(const char *given, size_t given_length, const char *expected,
                  size_t expected_length)
{
    unsigned char left[DIGEST_BYTES];
    unsigned char right[DIGEST_BYTES];
    return digest_bytes(given, given_length, left) &&
           digest_bytes(expected, expected_length, right) &&
           CRYPTO_memcmp(left, right, DIGEST_BYTES) == 0;
}
