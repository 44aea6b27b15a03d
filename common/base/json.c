/* SPDX-License-Identifier: MIT */
#include "json.h"

#include "cleanup.h"
#include "utf8.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* cJSON reads no more of a number; the rest would be taken for something else. */
enum { NUMBER_BYTES_MAX = 63 };

/* A walk over bytes that may be JSON. It builds nothing: it only says yes or no. */
struct scanner {
    const char *at;
    const char *end;
    int depth;
};

static bool scan_value(struct scanner *scanner);

static size_t left(const struct scanner *scanner)
{
    return (size_t)(scanner->end - scanner->at);
}

/* The next byte, or -1 at the end. */
static int peek(const struct scanner *scanner)
{
    return scanner->at < scanner->end ? (unsigned char)*scanner->at : -1;
}

static bool take_character(struct scanner *scanner, char wanted)
{
    if (peek(scanner) != wanted)
        return false;
    scanner->at++;
    return true;
}

static void skip_space(struct scanner *scanner)
{
    while (take_character(scanner, ' ') || take_character(scanner, '\t') ||
           take_character(scanner, '\n') || take_character(scanner, '\r'))
        ;
}

static bool scan_literal(struct scanner *scanner, const char *literal)
{
    size_t length = strlen(literal);
    if (left(scanner) < length || memcmp(scanner->at, literal, length) != 0)
        return false;
    scanner->at += length;
    return true;
}

static bool scan_digits(struct scanner *scanner)
{
    const char *start = scanner->at;
    while (peek(scanner) >= '0' && peek(scanner) <= '9')
        scanner->at++;
    return scanner->at > start;
}

static bool scan_number(struct scanner *scanner)
{
    const char *start = scanner->at;
    (void)take_character(scanner, '-');
    if (!take_character(scanner, '0') &&
        !scan_digits(scanner)) /* no digit may follow a leading zero */
        return false;
    if (take_character(scanner, '.') && !scan_digits(scanner))
        return false;
    if (take_character(scanner, 'e') || take_character(scanner, 'E')) {
        if (!take_character(scanner, '+'))
            (void)take_character(scanner, '-');
        if (!scan_digits(scanner))
            return false;
    }
    return scanner->at - start <= NUMBER_BYTES_MAX;
}

/* The four digits behind \u; -1 when they aren't. */
static long scan_code_unit(struct scanner *scanner)
{
    long unit = 0;
    for (int i = 0; i < 4; i++) {
        int digit = peek(scanner);
        if (digit >= '0' && digit <= '9')
            unit = unit * 16 + digit - '0';
        else if (digit >= 'a' && digit <= 'f')
            unit = unit * 16 + digit - 'a' + 10;
        else if (digit >= 'A' && digit <= 'F')
            unit = unit * 16 + digit - 'A' + 10;
        else
            return -1;
        scanner->at++;
    }
    return unit;
}

static bool scan_unicode_escape(struct scanner *scanner)
{
    long unit = scan_code_unit(scanner);
    if (unit <= 0) /* NUL would cut the string in cJSON */
        return false;
    if (unit < 0xD800 || unit > 0xDFFF)
        return true;
    if (unit > 0xDBFF || !scan_literal(scanner, "\\u"))
        return false;
    unit = scan_code_unit(scanner);
    return unit >= 0xDC00 && unit <= 0xDFFF;
}

/* What stands behind a backslash. */
static bool scan_escape(struct scanner *scanner)
{
    int escaped = peek(scanner);
    if (escaped <= 0 || strchr("\"\\/bfnrtu", escaped) == NULL)
        return false;
    scanner->at++;
    return escaped != 'u' || scan_unicode_escape(scanner);
}

static bool scan_string(struct scanner *scanner)
{
    if (!take_character(scanner, '"'))
        return false;
    while (!take_character(scanner, '"')) {
        size_t length = utf8_character(scanner->at, left(scanner));
        if (length == 0 || peek(scanner) < 0x20)
            return false;
        if (take_character(scanner, '\\')) {
            if (!scan_escape(scanner))
                return false;
        } else {
            scanner->at += length;
        }
    }
    return true;
}

static bool scan_name(struct scanner *scanner)
{
    skip_space(scanner);
    if (!scan_string(scanner))
        return false;
    skip_space(scanner);
    return take_character(scanner, ':');
}

/* An object or an array, whose opening bracket has been taken. */
static bool scan_members(struct scanner *scanner, char closing)
{
    if (++scanner->depth > JSON_DEPTH_MAX)
        return false;
    skip_space(scanner);
    if (!take_character(scanner, closing)) {
        do {
            if (closing == '}' && !scan_name(scanner))
                return false;
            if (!scan_value(scanner))
                return false;
        } while (take_character(scanner, ','));
        if (!take_character(scanner, closing))
            return false;
    }
    scanner->depth--;
    return true;
}

static bool scan_bare_value(struct scanner *scanner)
{
    if (take_character(scanner, '{'))
        return scan_members(scanner, '}');
    if (take_character(scanner, '['))
        return scan_members(scanner, ']');
    switch (peek(scanner)) {
    case '"':
        return scan_string(scanner);
    case 't':
        return scan_literal(scanner, "true");
    case 'f':
        return scan_literal(scanner, "false");
    case 'n':
        return scan_literal(scanner, "null");
    default:
        return scan_number(scanner);
    }
}

static bool scan_value(struct scanner *scanner)
{
    skip_space(scanner);
    if (!scan_bare_value(scanner))
        return false;
    skip_space(scanner);
    return true;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted first, since an object of many members must not cost their number squared. */
static bool names_differ(const cJSON *object)
{
    size_t count = (size_t)cJSON_GetArraySize(object);
    if (count < 2)
        return true;

    _cleanup_(cleanup_free) const char **names = calloc(count, sizeof(*names));
    if (names == NULL)
        return false;
    const cJSON *member = object->child;
    for (size_t i = 0; i < count; i++, member = member->next)
        names[i] = member->string;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            return false;
    return true;
}

/* What can only be told once escapes and digits have been turned into values. */
static bool values_allowed(const cJSON *value)
{
    if (cJSON_IsNumber(value))
        return isfinite(value->valuedouble);
    if (cJSON_IsObject(value) && !names_differ(value))
        return false;
    const cJSON *member;
    cJSON_ArrayForEach(member, value)
    {
        if (!values_allowed(member))
            return false;
    }
    return true;
}

cJSON *json_parse(const char *bytes, size_t length)
{
    if (bytes == NULL)
        return NULL;
    struct scanner scanner = {.at = bytes, .end = bytes + length, .depth = 0};
    if (!scan_value(&scanner) || scanner.at != scanner.end)
        return NULL;

    _cleanup_(cleanup_json) cJSON *document = cJSON_ParseWithLengthOpts(bytes, length, NULL, false);
    if (document == NULL || !values_allowed(document))
        return NULL;
    cJSON *allowed = document;
    document = NULL;
    return allowed;
}

const cJSON *json_member(const cJSON *object, const char *name)
{
    if (!cJSON_IsObject(object))
        return NULL;
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *json_text(const cJSON *object, const char *name)
{
    return cJSON_GetStringValue(json_member(object, name));
}

/* Nothing but words with one space between them, and `word` among them. */
static bool text_has_word(const char *text, const char *word)
{
    bool found = false;
    for (;;) {
        size_t length = strcspn(text, " ");
        if (length == 0)
            return false;
        if (length == strlen(word) && memcmp(text, word, length) == 0)
            found = true;
        if (text[length] == '\0')
            return found;
        text += length + 1;
    }
}

bool json_has_word(const cJSON *list, const char *word)
{
    if (cJSON_IsString(list))
        return text_has_word(list->valuestring, word);
    if (!cJSON_IsArray(list))
        return false;

    bool found = false;
    const cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item))
            return false;
        if (strcmp(item->valuestring, word) == 0)
            found = true;
    }
    return found;
}
