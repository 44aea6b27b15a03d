/* SPDX-License-Identifier: MIT */
#include "redirect_uri.h"

#include "base/cleanup.h"
#include "base/url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

static bool has_any_origin(const char *uri, const struct config_list *origins)
{
    for (size_t i = 0; i < origins->count; i++)
        if (url_has_origin(uri, origins->items[i]))
            return true;
    return false;
}

static int digit_value(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, url_lower(digit));
    return found == NULL ? -1 : (int)(found - digits);
}

/* The value of two digits; -1 when they aren't. */
static int byte_value(const char *digits)
{
    int high = digit_value(digits[0]);
    int low = high < 0 ? -1 : digit_value(digits[1]);
    return low < 0 ? -1 : high * 16 + low;
}

/* The next byte of a query as a server reads it; moves `text` behind it. */
static char next_decoded(const char **text)
{
    const char *at = *text;
    /* ASP.NET reads %u0073 too. */
    size_t prefix = starts_with(at, "%u00") || starts_with(at, "%U00") ? 4 : 1;
    int byte = at[0] == '%' ? byte_value(at + prefix) : -1;
    *text += byte < 0 ? 1 : prefix + 2;
    if (byte >= 0)
        return (char)byte;
    if (*at == '+')
        return ' ';
    return *at;
}

static bool ends_name(char raw)
{
    return raw == '\0' || strchr("=&;#", raw) != NULL;
}

/* What servers pass over beside a name: PHP drops spaces, Rack and Node's qs brackets. */
static bool is_beside_name(char byte)
{
    return byte == ' ' || byte == '[' || byte == ']';
}

/*
 * Whether a server may take a pair of a query for `state`: some don't mind the
 * case, PHP and others read `state[]` and `state[x]` as a `state` that is a list,
 * and PHP's names end at a NUL.
 */
static bool is_named_state(const char *pair)
{
    const char *at = pair;
    while (!ends_name(*at) && is_beside_name(next_decoded(&at)))
        pair = at;
    for (const char *expected = "state"; *expected != '\0'; expected++)
        if (ends_name(*pair) || url_lower(next_decoded(&pair)) != *expected)
            return false;
    if (ends_name(*pair))
        return true;
    char behind = next_decoded(&pair);
    return behind == '\0' || is_beside_name(behind);
}

/* Some servers take `;` for `&`, so both begin a pair here. */
static bool has_state(const char *uri)
{
    const char *fragment = strchrnul(uri, '#');
    const char *pair = strchrnul(uri, '?');
    while (pair < fragment) {
        if (is_named_state(pair + 1))
            return true;
        pair += 1 + strcspn(pair + 1, "&;#");
    }
    return false;
}

bool redirect_uri_allowed(const char *uri, const struct config_list *origins,
                          const struct config_list *fragment_origins)
{
    if (strnlen(uri, REDIRECT_URI_MAX + 1) > REDIRECT_URI_MAX || !url_is_plain(uri))
        return false;
    if (!has_any_origin(uri, origins))
        return false;
    if (strchr(uri, '#') != NULL && !has_any_origin(uri, fragment_origins))
        return false;
    return !has_state(uri);
}

char *redirect_uri_with_state(const char *uri, const char *state)
{
    size_t length = strcspn(uri, "#");
    const char *separator = "?";
    if (memchr(uri, '?', length) != NULL)
        separator = strchr("?&", uri[length - 1]) != NULL ? "" : "&";

    char *joined = NULL;
    if (asprintf(&joined, "%.*s%sstate=%s%s", (int)length, uri, separator, state, uri + length) < 0)
        return NULL;
    return joined;
}
