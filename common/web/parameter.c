/* SPDX-License-Identifier: MIT */
#include "parameter.h"

#include "base/memory.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX = 256, URI_MAX = 2048, SECRET_DIGITS = 64 };

struct pair {
    char *name;
    char *value;
};

static bool is_hexadecimal(char digit)
{
    return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
           (digit >= 'A' && digit <= 'F');
}

static int digit_value(char digit)
{
    if (digit <= '9')
        return digit - '0';
    return (digit | 0x20) - 'a' + 10; /* 0x20 makes a letter lower case */
}

/* Decodes in place. False for an escape that isn't one, or is that of NUL. */
static bool decode(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; from++) {
        if (*from == '%') {
            if (!is_hexadecimal(from[1]) || !is_hexadecimal(from[2]))
                return false;
            *to = (char)(digit_value(from[1]) * 16 + digit_value(from[2]));
            if (*to++ == '\0')
                return false;
            from += 2;
        } else {
            *to++ = *from;
            if (*from == '+')
                to[-1] = ' ';
        }
    }
    *to = '\0';
    return true;
}

/* Cuts the next pair off `rest`; both halves are still encoded. */
static struct pair cut_pair(char **rest)
{
    struct pair pair = {.name = strsep(rest, "&"), .value = NULL};
    char *equals = strchr(pair.name, '=');
    pair.value = pair.name + strlen(pair.name);
    if (equals != NULL) {
        *equals = '\0';
        pair.value = equals + 1;
    }
    return pair;
}

/* The declared parameter's own name, to tell the operator; NULL when it isn't declared. */
static const char *declared_name(const struct parameter *declared, const char *name)
{
    for (; declared->name != NULL; declared++)
        if (strcmp(declared->name, name) == 0)
            return declared->name;
    return NULL;
}

static bool is_among(const struct pair *pairs, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return true;
    return false;
}

/* Splits and decodes `query` in place. All pairs are judged, also those nobody asked for. */
static enum refusal read_pairs(char *query, const struct parameter *declared,
                               struct pair pairs[QUERY_PAIRS_MAX], size_t *count,
                               const char **culprit)
{
    *count = 0;
    while (query != NULL) {
        struct pair pair = cut_pair(&query);
        if (pair.name[0] == '\0' && pair.value[0] == '\0')
            continue;
        if (*count == QUERY_PAIRS_MAX || !decode(pair.name))
            return REFUSAL_PARAMETER_MALFORMED;
        *culprit = declared_name(declared, pair.name);
        if (is_among(pairs, *count, pair.name))
            return REFUSAL_PARAMETER_TWICE;
        if (!decode(pair.value))
            return REFUSAL_PARAMETER_MALFORMED;
        *culprit = NULL;
        pairs[(*count)++] = pair;
    }
    return REFUSAL_NONE;
}

static bool is_between(size_t length, size_t least, size_t most)
{
    return length >= least && length <= most;
}

static bool has_type(const char *value, enum parameter_type type)
{
    switch (type) {
    case PARAMETER_UUID:
        return uuid_is_valid(value);
    case PARAMETER_TEXT:
        return is_between(strlen(value), 1, TEXT_MAX) && ascii_is_printable(value, strlen(value));
    case PARAMETER_REDIRECT_URI:
        return is_between(strlen(value), 1, URI_MAX);
    case PARAMETER_SECRET:
        return strlen(value) == SECRET_DIGITS && strspn(value, "0123456789abcdef") == SECRET_DIGITS;
    case PARAMETER_TYPED:
        return strlen(value) <= TEXT_MAX;
    }
    return false;
}

static enum refusal pick_values(const struct pair *pairs, size_t count,
                                struct parameter_values *values, const char **culprit)
{
    for (size_t i = 0; i < PARAMETERS_MAX && values->declared[i].name != NULL; i++) {
        const struct parameter *parameter = &values->declared[i];
        for (size_t j = 0; j < count; j++)
            if (strcmp(pairs[j].name, parameter->name) == 0)
                values->values[i] = pairs[j].value;

        *culprit = parameter->name;
        if (values->values[i] == NULL) {
            if (parameter->presence == REQUIRED)
                return REFUSAL_PARAMETER_MISSING;
        } else if (!has_type(values->values[i], parameter->type)) {
            return REFUSAL_PARAMETER_MALFORMED;
        }
    }
    *culprit = NULL;
    return REFUSAL_NONE;
}

enum refusal parameter_read(const char *query, const struct parameter *declared,
                            struct parameter_values *values, const char **culprit)
{
    struct pair pairs[QUERY_PAIRS_MAX];
    size_t count;

    *culprit = NULL;
    *values = (struct parameter_values){.declared = declared};
    if (query == NULL)
        query = "";
    if (strlen(query) > QUERY_BYTES_MAX)
        return REFUSAL_PARAMETER_MALFORMED;
    values->bytes = strdup(query);
    if (values->bytes == NULL)
        return REFUSAL_OUT_OF_MEMORY;

    enum refusal refusal = read_pairs(values->bytes, declared, pairs, &count, culprit);
    if (refusal == REFUSAL_NONE)
        refusal = pick_values(pairs, count, values, culprit);
    if (refusal != REFUSAL_NONE)
        parameter_values_clear(values);
    return refusal;
}

const char *parameter_value(const struct parameter_values *values, const char *name)
{
    if (values->declared == NULL)
        return NULL;
    for (size_t i = 0; i < PARAMETERS_MAX && values->declared[i].name != NULL; i++)
        if (strcmp(values->declared[i].name, name) == 0)
            return values->values[i];
    return NULL;
}

void parameter_values_clear(struct parameter_values *values)
{
    memory_free(values->bytes);
    *values = (struct parameter_values){.declared = NULL};
}
