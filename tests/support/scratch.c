/* SPDX-License-Identifier: MIT */
#include "scratch.h"

#include <ctype.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char OMIT[] = "(left out)";

struct block {
    struct block *before;
    max_align_t bytes[];
};

static struct block *latest;

void *scratch_take(size_t size)
{
    struct block *block = calloc(1, sizeof(*block) + size);
    if (block == NULL)
        abort(); /* a test machine without memory can't tell anything */
    block->before = latest;
    latest = block;
    return block->bytes;
}

char *scratch_copy(const void *bytes, size_t length)
{
    char *copy = scratch_take(length + 1);
    if (length > 0)
        memcpy(copy, bytes, length);
    return copy;
}

char *scratch_format(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *text = NULL;
    int length = vasprintf(&text, format, arguments);
    va_end(arguments);
    if (length < 0)
        abort();
    char *copy = scratch_copy(text, (size_t)length);
    free(text);
    return copy;
}

const void *scratch_mark(void)
{
    return latest;
}

void scratch_release_to(const void *mark)
{
    while (latest != NULL && latest != mark) {
        struct block *block = latest;
        latest = block->before;
        free(block);
    }
}

const char *new_uuid(void)
{
    unsigned char b[16];
    if (RAND_bytes(b, sizeof(b)) != 1)
        abort();
    b[6] = (unsigned char)((b[6] & 0x0F) | 0x40);
    b[8] = (unsigned char)((b[8] & 0x3F) | 0x80);
    return scratch_format("%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x",
                          b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7], b[8], b[9], b[10], b[11],
                          b[12], b[13], b[14], b[15]);
}

static const char *each_byte(const char *text, int (*change)(int))
{
    char *changed = scratch_copy(text, strlen(text));
    for (char *byte = changed; *byte != '\0'; byte++)
        *byte = (char)change((unsigned char)*byte);
    return changed;
}

const char *upper_case(const char *text)
{
    return each_byte(text, toupper);
}

const char *lower_case(const char *text)
{
    return each_byte(text, tolower);
}

const char *repeat(const char *text, size_t count)
{
    size_t length = strlen(text);
    char *all = scratch_take(length * count + 1);
    for (size_t i = 0; i < count; i++)
        memcpy(all + i * length, text, length);
    return all;
}

const char *fill_in(const char *text, char mark, const char *replacement)
{
    const char *filled = "";
    for (const char *place; (place = strchr(text, mark)) != NULL; text = place + 1)
        filled = scratch_format("%s%.*s%s", filled, (int)(place - text), text, replacement);
    return scratch_format("%s%s", filled, text);
}

const char *percent_encoded(const char *text)
{
    char *encoded = scratch_take(3 * strlen(text) + 1);
    char *end = encoded;
    for (; *text != '\0'; text++) {
        unsigned char byte = (unsigned char)*text;
        if (isalnum(byte) || strchr("-._~", byte) != NULL) {
            *end++ = (char)byte;
            continue;
        }
        *end++ = '%';
        *end++ = "0123456789ABCDEF"[byte >> 4];
        *end++ = "0123456789ABCDEF"[byte & 0x0F];
    }
    return encoded;
}

const char *sha256_of(const char *text)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    char *digits = scratch_take(2 * sizeof(hash) + 1);
    if (EVP_Digest(text, strlen(text), hash, &length, EVP_sha256(), NULL) != 1)
        abort();
    for (unsigned i = 0; i < length; i++)
        (void)snprintf(digits + (size_t)2 * i, 3, "%02x", hash[i]);
    return digits;
}

const char *log_id_of(const char *authorisation_id)
{
    return scratch_format("%.12s", sha256_of(lower_case(authorisation_id)));
}
