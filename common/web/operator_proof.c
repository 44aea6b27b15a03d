/* SPDX-License-Identifier: MIT */
#include "operator_proof.h"

#include "base/clock.h"

#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { EXPIRY_DIGITS_MAX = 12 };

static bool authenticate(const char *database, const char *endpoint, int64_t expiry,
                         char mac[DIGEST_TEXT], char error[LOCAL_KEY_ERROR_MAX])
{
    unsigned char key[DIGEST_BYTES];
    unsigned char digest[DIGEST_BYTES];
    char message[128];
    int length = snprintf(message, sizeof message, "%s %" PRId64, endpoint, expiry);
    if (length < 0 || (size_t)length >= sizeof message ||
        !local_key_derive(database, "feedgate explain", key, error))
        return false;
    bool made = digest_hmac(key, sizeof key, message, (size_t)length, digest);
    OPENSSL_cleanse(key, sizeof key);
    if (made)
        digest_write(digest, mac);
    else
        (void)snprintf(error, LOCAL_KEY_ERROR_MAX, "OpenSSL fails");
    return made;
}

bool operator_proof_make(const char *database, const char *endpoint, int64_t now,
                         char value[OPERATOR_PROOF_SIZE], char error[LOCAL_KEY_ERROR_MAX])
{
    char mac[DIGEST_TEXT];
    int64_t expiry = now / SECOND_MS + OPERATOR_PROOF_LIFETIME_S / 2;
    if (!authenticate(database, endpoint, expiry, mac, error))
        return false;
    int length = snprintf(value, OPERATOR_PROOF_SIZE, "%" PRId64 ".%s", expiry, mac);
    return length > 0 && length < OPERATOR_PROOF_SIZE;
}

bool operator_proof_verify(const char *database, const char *endpoint, int64_t now,
                           const char *value)
{
    char mac[DIGEST_TEXT];
    char error[LOCAL_KEY_ERROR_MAX];
    size_t digits = value ? strspn(value, "0123456789") : 0;
    /* The form and the time come first, since strangers may send anything here. */
    if (digits == 0 || digits > EXPIRY_DIGITS_MAX || value[0] == '0' || value[digits] != '.' ||
        strlen(value) != digits + DIGEST_TEXT)
        return false;
    int64_t expiry = strtoll(value, NULL, 10);
    if (expiry < now / SECOND_MS || expiry > now / SECOND_MS + OPERATOR_PROOF_LIFETIME_S)
        return false;
    return authenticate(database, endpoint, expiry, mac, error) &&
           digest_equal(value + digits + 1, DIGEST_TEXT - 1, mac, DIGEST_TEXT - 1);
}
