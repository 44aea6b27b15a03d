/* SPDX-License-Identifier: MIT */
#include "secret.h"

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>

bool secret_make_short(char *text, size_t bytes)
{
    unsigned char random[SECRET_BYTES];
    if (bytes > sizeof random || RAND_bytes(random, (int)bytes) != 1)
        return false;
    for (size_t i = 0; i < bytes; i++)
        (void)snprintf(text + 2 * i, 3, "%02x", random[i]);
    OPENSSL_cleanse(random, sizeof random);
    return true;
}

bool secret_make(char text[SECRET_TEXT])
{
    return secret_make_short(text, SECRET_BYTES);
}
