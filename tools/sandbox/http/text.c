/* SPDX-License-Identifier: MIT */
#include "text.h"

#include <openssl/rand.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool make_room(struct text *text, size_t size)
{
    if (text->failed)
        return false;
    if (size > TEXT_MAX - text->size) {
        text->failed = true;
        return false;
    }
    size_t needed = text->size + size + 1;
    if (needed <= text->capacity)
        return true;
    size_t capacity = text->capacity < 256 ? 256 : text->capacity;
    while (capacity < needed)
        capacity *= 2;
    char *bytes = realloc(text->bytes, capacity);
    if (bytes == NULL) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void text_append(struct text *text, const void *bytes, size_t size)
{
    if (!make_room(text, size))
        return;
    if (size > 0)
        memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void text_append_string(struct text *text, const char *string)
{
    text_append(text, string, strlen(string));
}

void text_append_html(struct text *text, const char *string)
{
    for (; *string != '\0'; string++) {
        switch (*string) {
        case '&':
            text_append_string(text, "&amp;");
            break;
        case '<':
            text_append_string(text, "&lt;");
            break;
        case '>':
            text_append_string(text, "&gt;");
            break;
        case '"':
            text_append_string(text, "&quot;");
            break;
        case '\'':
            text_append_string(text, "&#39;");
            break;
        default:
            text_append(text, string, 1);
        }
    }
}

static bool is_unreserved(unsigned char byte)
{
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' || byte == '~';
}

void text_append_percent(struct text *text, const char *string)
{
    static const char digits[] = "0123456789ABCDEF";
    for (; *string != '\0'; string++) {
        unsigned char byte = (unsigned char)*string;
        if (is_unreserved(byte)) {
            text_append(text, string, 1);
            continue;
        }
        const char encoded[3] = {'%', digits[byte >> 4], digits[byte & 15]};
        text_append(text, encoded, sizeof(encoded));
    }
}

void text_append_query(struct text *text, const char *name, const char *value)
{
    bool first = text->bytes == NULL || memchr(text->bytes, '?', text->size) == NULL;
    text_append_string(text, first ? "?" : "&");
    text_append_percent(text, name);
    text_append_string(text, "=");
    text_append_percent(text, value);
}

static const char base64url_digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void text_append_base64url(struct text *text, const void *bytes, size_t size)
{
    const char *digits = base64url_digits;
    const unsigned char *in = bytes;
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        uint32_t group = (uint32_t)in[i] << 16;
        if (left > 1)
            group |= (uint32_t)in[i + 1] << 8;
        if (left > 2)
            group |= in[i + 2];
        const char encoded[4] = {digits[group >> 18], digits[(group >> 12) & 63],
                                 digits[(group >> 6) & 63], digits[group & 63]};
        text_append(text, encoded, left < 3 ? left + 1 : sizeof(encoded));
    }
}

bool text_append_decoded(struct text *text, const char *base64url, size_t size)
{
    uint32_t bits = 0;
    unsigned int count = 0; /* of bits that wait for a whole byte */
    size_t before = text->size;
    bool good = size % 4 != 1;
    for (size_t i = 0; i < size && good; i++) {
        const char *digit = base64url[i] == '\0' ? NULL : strchr(base64url_digits, base64url[i]);
        if (digit == NULL) {
            good = false;
            break;
        }
        bits = (bits << 6) | (uint32_t)(digit - base64url_digits);
        count += 6;
        if (count < 8)
            continue;
        count -= 8;
        const unsigned char byte = (unsigned char)(bits >> count);
        bits &= (1U << count) - 1;
        text_append(text, &byte, 1);
    }
    if (good && bits == 0 && !text->failed)
        return true;
    text->size = before;
    return false;
}

static bool is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the character at the start (Unicode's table 3-7), or 0 if there is none or it is NUL.
 */
static size_t utf8_length(const unsigned char *bytes, size_t left)
{
    unsigned char first = bytes[0];
    if (first < 0x80)
        return first == 0 ? 0 : 1;
    size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || left < length)
        return 0;
    for (size_t i = 1; i < length; i++) {
        if (!is_continuation(bytes[i]))
            return 0;
    }
    bool overlong = (first == 0xE0 && bytes[1] < 0xA0) || (first == 0xF0 && bytes[1] < 0x90);
    bool surrogate = first == 0xED && bytes[1] > 0x9F;
    bool beyond = first == 0xF4 && bytes[1] > 0x8F;
    return overlong || surrogate || beyond ? 0 : length;
}

void text_append_utf8(struct text *text, const void *bytes, size_t size)
{
    const unsigned char *in = bytes;
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(in + i, size - i);
        if (length == 0)
            text_append_string(text, "\xEF\xBF\xBD");
        else
            text_append(text, in + i, length);
        i += length == 0 ? 1 : length;
    }
}

bool text_is_utf8(const char *bytes, size_t size)
{
    const unsigned char *in = (const unsigned char *)bytes;
    for (size_t i = 0; i < size;) {
        size_t length = utf8_length(in + i, size - i);
        if (length == 0)
            return false;
        i += length;
    }
    return true;
}

char *text_take(struct text *text)
{
    text_append(text, "", 0); /* an empty text is a string, too */
    char *bytes = text->bytes;
    if (text->failed) {
        free(bytes);
        bytes = NULL;
    }
    *text = (struct text){0};
    return bytes;
}

void text_clear(struct text *text)
{
    free(text->bytes);
    *text = (struct text){0};
}

bool uuid_make(char uuid[UUID_SIZE])
{
    unsigned char b[16];
    if (RAND_bytes(b, sizeof(b)) != 1)
        return false;
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40); /* version 4 */
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80); /* the variant of RFC 4122 */
    int length = snprintf(uuid, UUID_SIZE,
                          "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                          b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                          b[12], b[13], b[14], b[15]);
    return length == UUID_SIZE - 1;
}
