/* SPDX-License-Identifier: MIT */
#include "base64url.h"

#include <stdint.h>

static int value_of(char digit)
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    return digit == '-' ? 62 : digit == '_' ? 63 : -1;
}

bool base64url_decode(const char *text, size_t length, unsigned char *bytes, size_t capacity,
                      size_t *written)
{
    if (length % 4 == 1 || length / 4 * 3 + length % 4 * 3 / 4 > capacity)
        return false;
    uint32_t bits = 0;
    unsigned held = 0; /* how many of the lowest bits are not written yet */
    size_t count = 0;
    for (size_t i = 0; i < length; i++) {
        int value = value_of(text[i]);
        if (value < 0)
            return false;
        bits = (bits << 6 | (uint32_t)value) & 0xffffU;
        held += 6;
        if (held >= 8) {
            held -= 8;
            bytes[count++] = (unsigned char)(bits >> held & 0xffU);
        }
    }
    *written = count;
    return (bits & ((1U << held) - 1)) == 0;
}
