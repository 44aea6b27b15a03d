/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct text {
    char *name;
    char *text;
    char *file; /* NULL: built into the program or taken from English */
    int line;
    bool used;
};

struct language {
    char tag[CATALOGUE_TAG_SIZE];
    char wording[WORDING_SIZE];
    struct text texts[CATALOGUE_TEXTS_MAX]; /* sorted by catalogue_complete() */
    size_t count;
};

struct catalogue {
    struct language languages[CATALOGUE_LANGUAGES_MAX]; /* English is the first */
    size_t count;
};

__attribute__((format(printf, 2, 3))) static bool refuse(char error[CATALOGUE_ERROR_MAX],
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, CATALOGUE_ERROR_MAX, format, arguments); /* cut at worst */
    va_end(arguments);
    return false;
}

static bool out_of_memory(char error[CATALOGUE_ERROR_MAX])
{
    return refuse(error, "memory is out");
}

bool name_is_valid(const char *bytes, size_t length)
{
    if (length == 0 || length >= CATALOGUE_NAME_SIZE)
        return false;
    for (size_t i = 0; i < length; i++) {
        char c = bytes[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '_'))
            return false;
    }
    return true;
}

bool text_next_value(const char **text, size_t *length, char name[CATALOGUE_NAME_SIZE])
{
    const char *open = strstr(*text, "{{");
    const char *close = open ? strstr(open, "}}") : NULL;
    if (!close || !name_is_valid(open + 2, (size_t)(close - open) - 2)) {
        *length = strlen(*text);
        return false;
    }
    *length = (size_t)(open - *text);
    memcpy(name, open + 2, (size_t)(close - open) - 2);
    name[close - open - 2] = '\0';
    *text = close + 2;
    return true;
}

static struct language *add_language(struct catalogue *catalogue, const char *tag)
{
    if (catalogue->count == CATALOGUE_LANGUAGES_MAX || strlen(tag) >= CATALOGUE_TAG_SIZE)
        return NULL;
    struct language *language = &catalogue->languages[catalogue->count++];
    (void)snprintf(language->tag, sizeof language->tag, "%s", tag); /* it fits */
    return language;
}

struct catalogue *catalogue_new(void)
{
    struct catalogue *catalogue = calloc(1, sizeof *catalogue);
    if (catalogue)
        (void)add_language(catalogue, "en"); /* there is room for the first */
    return catalogue;
}

static void clear_text(struct text *text)
{
    free(text->name);
    free(text->text);
    free(text->file);
    memset(text, 0, sizeof *text);
}

void catalogue_free(struct catalogue *catalogue)
{
    if (!catalogue)
        return;
    for (size_t i = 0; i < catalogue->count; i++) {
        struct language *language = &catalogue->languages[i];
        for (size_t j = 0; j < language->count; j++)
            clear_text(&language->texts[j]);
    }
    free(catalogue);
}

static struct language *find_language(struct catalogue *catalogue, const char *tag)
{
    for (size_t i = 0; i < catalogue->count; i++)
        if (strcasecmp(catalogue->languages[i].tag, tag) == 0)
            return &catalogue->languages[i];
    return NULL;
}

const struct language *catalogue_language(const struct catalogue *catalogue, size_t index)
{
    return index < catalogue->count ? &catalogue->languages[index] : NULL;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

bool catalogue_is_tag(const char *tag, size_t length)
{
    size_t word = 0;
    bool first = true;
    if (length >= CATALOGUE_TAG_SIZE)
        return false;
    for (size_t i = 0; i <= length; i++) {
        if (i == length || tag[i] == '-') {
            if (word < 2 || word > (first ? 3 : 8))
                return false;
            first = false;
            word = 0;
        } else if (is_letter(tag[i]) || (!first && tag[i] >= '0' && tag[i] <= '9')) {
            word++;
        } else {
            return false;
        }
    }
    return true;
}

static struct text *find_text(struct language *language, const char *name)
{
    for (size_t i = 0; i < language->count; i++)
        if (strcmp(language->texts[i].name, name) == 0)
            return &language->texts[i];
    return NULL;
}

/* Replaces the text of that name, or adds one; false when memory or room is out. */
static bool put_text(struct language *language, const struct text *given)
{
    struct text *place = find_text(language, given->name);
    if (!place && language->count == CATALOGUE_TEXTS_MAX)
        return false;
    struct text copy = {.name = strdup(given->name),
                        .text = strdup(given->text),
                        .file = given->file ? strdup(given->file) : NULL,
                        .line = given->line};
    if (!copy.name || !copy.text || (given->file && !copy.file)) {
        clear_text(&copy);
        return false;
    }
    copy.used = place && place->used;
    if (place)
        clear_text(place);
    else
        place = &language->texts[language->count++];
    *place = copy;
    return true;
}

bool catalogue_add(struct catalogue *catalogue, const char *name, const char *text)
{
    struct language *english = &catalogue->languages[0];
    const struct text given = {.name = (char *)(uintptr_t)name, .text = (char *)(uintptr_t)text};
    return find_text(english, name) || put_text(english, &given);
}

/* The line at which a place of a file is. */
static int line_of(const char *bytes, const char *place)
{
    int line = 1;
    for (; bytes < place; bytes++)
        line += *bytes == '\n';
    return line;
}

/* The place at which the `nth` (from 1) member of this name begins; NULL without one. */
static const char *find_member(const char *bytes, size_t length, const char *name, int nth)
{
    char quoted[CATALOGUE_NAME_SIZE + 2];
    int size = snprintf(quoted, sizeof quoted, "\"%s\"", name);
    if (size < 0 || (size_t)size >= sizeof quoted)
        return NULL;
    const char *end = bytes + length;
    for (const char *at = bytes; (at = memmem(at, (size_t)(end - at), quoted, (size_t)size));) {
        const char *behind = at + size;
        while (behind < end && strchr(" \t\r\n", *behind) && *behind)
            behind++;
        if (behind < end && *behind == ':' && --nth == 0)
            return at;
        at += size;
    }
    return NULL;
}

/* Why json_parse() refuses it: the place where cJSON stumbles, or a name given twice. */
static bool refuse_json(const char *file, const char *bytes, size_t length,
                        char error[CATALOGUE_ERROR_MAX])
{
    const char *end = bytes;
    _cleanup_(cleanup_json) cJSON *document = cJSON_ParseWithLengthOpts(bytes, length, &end, false);
    if (!document)
        return refuse(error, "%s:%d: this is no JSON", file, line_of(bytes, end));
    const cJSON *member;
    cJSON_ArrayForEach(member, document)
    {
        const char *again = member->string ? find_member(bytes, length, member->string, 2) : NULL;
        if (again)
            return refuse(error, "%s:%d: the text %s is there twice", file, line_of(bytes, again),
                          member->string);
    }
    return refuse(error, "%s:%d: this is no strict JSON (RFC 8259)", file, line_of(bytes, end));
}

/* What is wrong with a text itself; NULL when nothing is. */
static const char *text_problem(const char *name, const char *text)
{
    if (!name_is_valid(name, strlen(name)))
        return "a text's name has at most 47 letters, digits and '_'";
    if (!text)
        return "a text must be a JSON string";
    if (text[0] == '\0' || strlen(text) > CATALOGUE_TEXT_MAX)
        return "a text has 1 to 2048 bytes";
    char value[CATALOGUE_NAME_SIZE];
    size_t length;
    const char *rest = text;
    while (text_next_value(&rest, &length, value))
        ;
    return strstr(rest, "{{") ? "'{{' in a text must begin a {{value}}" : NULL;
}

static bool read_member(struct language *language, const cJSON *member, const char *file, int line,
                        char error[CATALOGUE_ERROR_MAX])
{
    char *text = cJSON_GetStringValue(member);
    const char *problem = text_problem(member->string, text);
    if (problem)
        return refuse(error, "%s:%d: %.60s: %s", file, line, member->string, problem);
    char *file_name = (char *)(uintptr_t)file;
    const struct text given = {
        .name = member->string, .text = text, .file = file_name, .line = line};
    if (!find_text(language, member->string) && language->count == CATALOGUE_TEXTS_MAX)
        return refuse(error, "%s:%d: a language has at most %d texts", file, line,
                      CATALOGUE_TEXTS_MAX);
    return put_text(language, &given) || out_of_memory(error);
}

bool catalogue_read(struct catalogue *catalogue, const char *tag, const char *file,
                    const char *bytes, size_t length, char error[CATALOGUE_ERROR_MAX])
{
    struct language *language = find_language(catalogue, tag);
    if (!language)
        language = add_language(catalogue, tag);
    if (!language)
        return refuse(error, "%s:1: there can be at most %d languages", file,
                      CATALOGUE_LANGUAGES_MAX);
    _cleanup_(cleanup_json) cJSON *document = json_parse(bytes, length);
    if (!document)
        return refuse_json(file, bytes, length, error);
    if (!cJSON_IsObject(document))
        return refuse(error, "%s:1: this must be a JSON object of names and texts", file);
    const cJSON *member;
    cJSON_ArrayForEach(member, document)
    {
        const char *place = find_member(bytes, length, member->string, 1);
        if (!read_member(language, member, file, place ? line_of(bytes, place) : 1, error))
            return false;
    }
    return true;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(((const struct text *)left)->name, ((const struct text *)right)->name);
}

static bool add_missing(struct language *language, const struct language *english)
{
    for (size_t i = 0; i < english->count; i++) {
        struct text given = english->texts[i];
        given.file = NULL;
        if (!find_text(language, given.name) && !put_text(language, &given))
            return false;
    }
    return true;
}

bool catalogue_complete(struct catalogue *catalogue, char error[CATALOGUE_ERROR_MAX])
{
    struct language *english = &catalogue->languages[0];
    for (size_t i = 0; i < catalogue->count; i++) {
        struct language *language = &catalogue->languages[i];
        for (size_t j = 0; j < language->count; j++) {
            const struct text *text = &language->texts[j];
            if (!find_text(english, text->name))
                return refuse(error, "%s:%d: en.json has no text %s", text->file, text->line,
                              text->name);
        }
        if (!add_missing(language, english))
            return out_of_memory(error);
        qsort(language->texts, language->count, sizeof language->texts[0], compare_texts);
    }
    return true;
}

/* What a text names that its user doesn't have; false and the name when there is such. */
static bool names_allowed(const char *text, const struct catalogue_use *use,
                          char name[CATALOGUE_NAME_SIZE])
{
    size_t length;
    while (text_next_value(&text, &length, name))
        if (!use->allowed(name, use->context))
            return false;
    return true;
}

bool catalogue_use_text(struct catalogue *catalogue, const char *name,
                        const struct catalogue_use *use, char error[CATALOGUE_ERROR_MAX])
{
    error[0] = '\0';
    for (size_t i = 0; i < catalogue->count; i++) {
        struct text *text = find_text(&catalogue->languages[i], name);
        if (!text)
            return false;
        text->used = true;
        char value[CATALOGUE_NAME_SIZE];
        if (!names_allowed(text->text, use, value))
            return refuse(error, "%s:%d: the text %s names {{%s}}, a value that %s doesn't have",
                          text->file ? text->file : "en.json", text->line, name, value, use->user);
    }
    return true;
}

void catalogue_trust(struct catalogue *catalogue)
{
    struct language *english = &catalogue->languages[0];
    for (size_t i = 0; i < english->count; i++)
        english->texts[i].used = true;
}

bool catalogue_all_used(const struct catalogue *catalogue, char error[CATALOGUE_ERROR_MAX])
{
    const struct language *english = &catalogue->languages[0]; /* it has every name */
    for (size_t i = 0; i < english->count; i++) {
        const struct text *text = &english->texts[i];
        if (!text->used)
            return refuse(error, "%s:%d: no page uses a text %s",
                          text->file ? text->file : "en.json", text->line, text->name);
    }
    return true;
}

static bool add_wording(EVP_MD_CTX *context, const struct language *language)
{
    for (size_t i = 0; i < language->count; i++) {
        const struct text *text = &language->texts[i];
        /* With their NULs, so that no two catalogues make the same bytes. */
        if (EVP_DigestUpdate(context, text->name, strlen(text->name) + 1) != 1 ||
            EVP_DigestUpdate(context, text->text, strlen(text->text) + 1) != 1)
            return false;
    }
    return true;
}

bool catalogue_sign(struct catalogue *catalogue, const void *digest, size_t length)
{
    for (size_t i = 0; i < catalogue->count; i++) {
        struct language *language = &catalogue->languages[i];
        unsigned char sum[DIGEST_BYTES];
        _cleanup_(cleanup_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
        if (!context || EVP_DigestInit_ex(context, EVP_sha256(), NULL) != 1 ||
            EVP_DigestUpdate(context, digest, length) != 1 || !add_wording(context, language) ||
            EVP_DigestFinal_ex(context, sum, NULL) != 1)
            return false;
        for (size_t byte = 0; byte < (WORDING_SIZE - 1) / 2; byte++)
            (void)snprintf(language->wording + 2 * byte, 3, "%02x", sum[byte]); /* it fits */
    }
    return true;
}

const char *language_tag(const struct language *language)
{
    return language->tag;
}

const char *language_wording(const struct language *language)
{
    return language->wording;
}

static int compare_name(const void *name, const void *text)
{
    return strcmp(name, ((const struct text *)text)->name);
}

const char *language_text(const struct language *language, const char *name)
{
    const struct text *text =
        bsearch(name, language->texts, language->count, sizeof language->texts[0], compare_name);
    return text ? text->text : NULL;
}

bool language_entry(const struct language *language, size_t index, const char **name,
                    const char **text)
{
    if (index >= language->count)
        return false;
    *name = language->texts[index].name;
    *text = language->texts[index].text;
    return true;
}
