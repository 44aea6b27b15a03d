/* SPDX-License-Identifier: MIT */
#include "catalogue.h"

#include <string.h>
#include <strings.h>

/* A browser sends a handful; what is behind these is ignored. */
enum { RANGES_MAX = 32, HEADER_MAX = 1024, QUALITY_ONE = 1000 };

/* The quality in thousandths (RFC 9110 section 12.4.2); 0 for what isn't one. */
static int read_quality(const char *text, size_t length)
{
    if (length == 0 || length > 5 || (text[0] != '0' && text[0] != '1') ||
        (length > 1 && text[1] != '.'))
        return 0;
    int quality = (text[0] - '0') * QUALITY_ONE;
    int unit = QUALITY_ONE / 10;
    for (size_t i = 2; i < length; i++, unit /= 10) {
        if (text[i] < '0' || text[i] > '9')
            return 0;
        quality += (text[i] - '0') * unit;
    }
    return quality <= QUALITY_ONE ? quality : 0;
}

static size_t trim(const char **text, size_t length)
{
    while (length > 0 && (**text == ' ' || **text == '\t')) {
        (*text)++;
        length--;
    }
    while (length > 0 && ((*text)[length - 1] == ' ' || (*text)[length - 1] == '\t'))
        length--;
    return length;
}

/* Takes the parameter away from a range: its quality. */
static int split_quality(const char *range, size_t *length)
{
    const char *parameter = memchr(range, ';', *length);
    if (!parameter)
        return QUALITY_ONE;
    size_t size = *length - (size_t)(parameter - range) - 1;
    *length = (size_t)(parameter - range);
    const char *text = parameter + 1;
    size = trim(&text, size);
    if (size < 2 || (text[0] != 'q' && text[0] != 'Q') || text[1] != '=')
        return 0;
    return read_quality(text + 2, size - 2);
}

static bool begins_with(const char *text, size_t length, const char *start, size_t start_length)
{
    return length >= start_length && strncasecmp(text, start, start_length) == 0 &&
           (length == start_length || text[start_length] == '-');
}

/* The language with the longest tag that the range begins with; else one that begins with it. */
static const struct language *match(const struct catalogue *catalogue, const char *range,
                                    size_t length)
{
    const struct language *best = NULL;
    const struct language *language;
    for (size_t i = 0; (language = catalogue_language(catalogue, i)); i++) {
        const char *tag = language_tag(language);
        if (begins_with(range, length, tag, strlen(tag)) &&
            (!best || strlen(tag) > strlen(language_tag(best))))
            best = language;
    }
    for (size_t i = 0; !best && (language = catalogue_language(catalogue, i)); i++) {
        const char *tag = language_tag(language);
        if (begins_with(tag, strlen(tag), range, length))
            best = language;
    }
    return best;
}

/* The language of a range with its quality; NULL when there is none. */
static const struct language *read_range(const struct catalogue *catalogue, const char *range,
                                         size_t length, int *quality)
{
    *quality = split_quality(range, &length);
    length = trim(&range, length);
    if (length == 0)
        return NULL;
    if (length == 1 && range[0] == '*')
        return catalogue_language(catalogue, 0);
    return match(catalogue, range, length);
}

const struct language *catalogue_best(const struct catalogue *catalogue,
                                      const char *accept_language)
{
    const struct language *best = catalogue_language(catalogue, 0);
    int best_quality = 0;
    const char *at = accept_language ? accept_language : "";
    const char *end = at + strnlen(at, HEADER_MAX);
    for (int i = 0; i < RANGES_MAX && at < end; i++) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *range_end = comma ? comma : end;
        int quality;
        const struct language *language =
            read_range(catalogue, at, (size_t)(range_end - at), &quality);
        if (language && quality > best_quality) {
            best = language;
            best_quality = quality;
        }
        at = comma ? comma + 1 : end;
    }
    return best;
}
