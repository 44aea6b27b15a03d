/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_JSON_H
#define FEEDGATE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * JSON from outside, strictly. cJSON alone cuts strings at NUL, ignores case
 * in names, keeps members given twice, and takes invalid UTF-8, control
 * characters and text behind the document; so bytes are judged here first
 * (RFC 8259, and RFC 7493 for names given twice and for surrogates), and
 * members are looked up by exact name.
 */

enum { JSON_DEPTH_MAX = 32 }; /* objects and arrays within each other */

/*
 * Parses `length` bytes (they need no NUL behind them) that must be one JSON
 * document: valid UTF-8 without BOM, no raw control character in strings and
 * no NUL, raw or escaped, no lone surrogate, numbers that are finite doubles
 * of at most 63 characters in RFC 8259's grammar, no name twice in an object
 * (compared after unescaping), at most JSON_DEPTH_MAX deep, only white space
 * around it. Returns a document that cJSON_Delete() gives back, or NULL.
 */
cJSON *json_parse(const char *bytes, size_t length);

/* The member of exactly this name; NULL if there is none or `object` is no object. */
const cJSON *json_member(const cJSON *object, const char *name);

/* The member's text, borrowed from the document; NULL if it is missing or no string. */
const char *json_text(const cJSON *object, const char *name);

/*
 * Whether `word` stands in a list that is either one string with words
 * separated by single spaces or an array of strings; false for anything else.
 */
bool json_has_word(const cJSON *list, const char *word);

#endif
