/* SPDX-License-Identifier: MIT */
#include "utf8.h"

/* RFC 3629, section 4: by the first byte, what the second may be. */
/* clang-format off */
static const struct {
    unsigned char first, last;
    unsigned char second_least, second_most;
    size_t length;
} forms[] = {
    {0xC2, 0xDF, 0x80, 0xBF, 2}, /* C0 and C1 would be overlong */
    {0xE0, 0xE0, 0xA0, 0xBF, 3}, /* nothing overlong */
    {0xE1, 0xEC, 0x80, 0xBF, 3},
    {0xED, 0xED, 0x80, 0x9F, 3}, /* no surrogates */
    {0xEE, 0xEF, 0x80, 0xBF, 3},
    {0xF0, 0xF0, 0x90, 0xBF, 4}, /* nothing overlong */
    {0xF1, 0xF3, 0x80, 0xBF, 4},
    {0xF4, 0xF4, 0x80, 0x8F, 4}, /* up to U+10FFFF */
};
/* clang-format on */

static bool continues(const unsigned char *byte, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (byte[i] < 0x80 || byte[i] > 0xBF)
            return false;
    return true;
}

size_t utf8_character(const char *bytes, size_t length)
{
    const unsigned char *byte = (const unsigned char *)bytes;
    if (length == 0)
        return 0;
    if (byte[0] < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
        if (byte[0] < forms[i].first || byte[0] > forms[i].last)
            continue;
        if (length < forms[i].length || byte[1] < forms[i].second_least ||
            byte[1] > forms[i].second_most || !continues(byte + 2, forms[i].length - 2))
            return 0;
        return forms[i].length;
    }
    return 0;
}

bool utf8_is_control(const char *character)
{
    const unsigned char *byte = (const unsigned char *)character;
    return byte[0] < 0x20 || byte[0] == 0x7F || (byte[0] == 0xC2 && byte[1] < 0xA0);
}

static bool is_within(const char *text, size_t length, char least)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] < least || text[i] > 0x7E)
            return false;
    return true;
}

bool ascii_is_printable(const char *text, size_t length)
{
    return is_within(text, length, 0x20);
}

bool ascii_is_visible(const char *text, size_t length)
{
    return is_within(text, length, 0x21);
}
