/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_HTTP_TEXT_H
#define FEEDGATE_SANDBOX_HTTP_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/*
 * A text that grows up to TEXT_MAX bytes. A failure (no memory, too long)
 * sticks: later appends do nothing, and text_take tells it. Start with
 * `struct text text = {0};`.
 */
struct text {
    char *bytes;
    size_t size;
    size_t capacity;
    bool failed;
};

enum { TEXT_MAX = 4 * 1024 * 1024, UUID_SIZE = 37 };

void text_append(struct text *text, const void *bytes, size_t size);
void text_append_string(struct text *text, const char *string);

/* The string as text or attribute value of an HTML page. */
void text_append_html(struct text *text, const char *string);

/* The string as part of a URL's query: all but unreserved characters encoded. */
void text_append_percent(struct text *text, const char *string);

/* "?name=value" for the first one, "&name=value" for those after it. */
void text_append_query(struct text *text, const char *name, const char *value);

/* base64url without padding, as in RFC 7515. */
void text_append_base64url(struct text *text, const void *bytes, size_t size);

/* Appends what the unpadded base64url stands for; false, and nothing is appended, if it is none. */
bool text_append_decoded(struct text *text, const char *base64url, size_t size);

/* What is no UTF-8, and NUL, becomes U+FFFD, so that the result fits into JSON. */
void text_append_utf8(struct text *text, const void *bytes, size_t size);

/* The text with a final NUL, owned by the caller; NULL if it failed. Empties text. */
char *text_take(struct text *text);

/* Gives the memory back; made for _cleanup_. */
void text_clear(struct text *text);

/* True if the bytes are UTF-8 without NUL. */
bool text_is_utf8(const char *bytes, size_t size);

/* A random UUID (version 4), or false if there is no randomness to be had. */
bool uuid_make(char uuid[UUID_SIZE]);

#endif
