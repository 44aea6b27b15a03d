/* SPDX-License-Identifier: MIT */
#include "redirect_uri.h"

#include "cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char https[] = "https://";
static const char http[] = "http://";

enum { HOST_MAX = 253, PORT_DIGITS_MAX = 5, PORT_MAX = 65535, HTTP_PORT = 80, HTTPS_PORT = 443 };

/* What stands behind the scheme. */
struct authority {
    char host[HOST_MAX + 1];
    long port;       /* 0: none is written */
    const char *end; /* borrowed; what follows */
};

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* Locale is nothing that a security check should ask. */
static char lower(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return (char)(letter - 'A' + 'a');
    return letter;
}

/* Visible ASCII, without what some program takes for something else than it is. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if (*text <= 0x20 || *text > 0x7E || strchr("\\\"<>", *text) != NULL)
            return false;
    return true;
}

static bool is_name(const char *host)
{
    size_t length = strlen(host);
    if (length == 0 || strspn(host, "abcdefghijklmnopqrstuvwxyz0123456789.-") != length)
        return false;
    return strchr(".-", host[0]) == NULL && strchr(".-", host[length - 1]) == NULL &&
           strstr(host, "..") == NULL;
}

static bool is_bracketed_address(const char *host)
{
    struct in6_addr address;
    char text[HOST_MAX + 1];
    size_t length = strlen(host);
    if (length < 2 || host[0] != '[' || host[length - 1] != ']' ||
        strspn(host + 1, "0123456789abcdef:.") != length - 2)
        return false;
    memcpy(text, host + 1, length - 2);
    text[length - 2] = '\0';
    return inet_pton(AF_INET6, text, &address) == 1;
}

static bool is_loopback(const char *host)
{
    struct in_addr address;
    if (strcmp(host, "localhost") == 0 || strcmp(host, "[::1]") == 0)
        return true;
    return starts_with(host, "127.") && inet_pton(AF_INET, host, &address) == 1;
}

/* Digits without leading zeros, 1 to 65535; moves `text` behind them. 0 when it's no port. */
static long read_port(const char **text)
{
    size_t digits = strspn(*text, "0123456789");
    if (digits == 0 || digits > PORT_DIGITS_MAX || **text == '0')
        return 0;
    long port = strtol(*text, NULL, 10);
    *text += digits;
    return port <= PORT_MAX ? port : 0;
}

/* Reads host and port. User information has no form here, so it is refused with all else. */
static bool read_authority(const char *text, struct authority *authority)
{
    size_t length = text[0] == '[' ? strcspn(text, "]/?#") + 1 : strcspn(text, ":/?#");
    if (length > strnlen(text, HOST_MAX))
        return false;
    memcpy(authority->host, text, length);
    authority->host[length] = '\0';
    if (!is_name(authority->host) && !is_bracketed_address(authority->host))
        return false;

    text += length;
    authority->port = 0;
    if (*text == ':') {
        text++;
        authority->port = read_port(&text);
        if (authority->port == 0)
            return false;
    }
    authority->end = text;
    return *text == '\0' || *text == '/' || *text == '?';
}

/* Reads `https://` and an authority, or `http://` and that of this very machine. */
static bool read_origin(const char *text, struct authority *authority, long *standard_port)
{
    if (starts_with(text, https)) {
        *standard_port = HTTPS_PORT;
        return read_authority(text + strlen(https), authority);
    }
    *standard_port = HTTP_PORT;
    return starts_with(text, http) && read_authority(text + strlen(http), authority) &&
           is_loopback(authority->host);
}

bool redirect_uri_is_origin(const char *text)
{
    struct authority authority;
    long standard_port;
    return read_origin(text, &authority, &standard_port) && *authority.end == '\0' &&
           authority.port != standard_port;
}

bool redirect_uri_is_safe_url(const char *url)
{
    struct authority authority;
    long standard_port;
    return is_plain(url) && strchr(url, '#') == NULL &&
           read_origin(url, &authority, &standard_port);
}

/*
 * Whether `origin`, which is in lower case, is that of the URI. Upper case and
 * a `:443` that is the scheme's own port anyway make no other origin.
 */
static bool has_origin(const char *uri, const char *origin)
{
    size_t length = strlen(origin);
    for (size_t i = 0; i < length; i++)
        if (lower(uri[i]) != origin[i])
            return false;
    uri += length;
    bool has_port = strchr(origin + strlen(http), ':') != NULL;
    if (starts_with(origin, https) && !has_port && starts_with(uri, ":443"))
        uri += strlen(":443");
    return *uri == '\0' || *uri == '/' || *uri == '?';
}

static bool has_any_origin(const char *uri, const struct config_list *origins)
{
    for (size_t i = 0; i < origins->count; i++)
        if (has_origin(uri, origins->items[i]))
            return true;
    return false;
}

static int digit_value(char digit)
{
    const char *digits = "0123456789abcdef";
    const char *found = digit == '\0' ? NULL : strchr(digits, lower(digit));
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
        if (ends_name(*pair) || lower(next_decoded(&pair)) != *expected)
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
    if (strnlen(uri, REDIRECT_URI_MAX + 1) > REDIRECT_URI_MAX || !is_plain(uri))
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

void redirect_uri_origin(const char *uri, char origin[REDIRECT_ORIGIN_MAX])
{
    size_t length = strcspn(uri, "/?#");
    if (starts_with(uri + length, "//"))
        length += 2 + strcspn(uri + length + 2, "/?#");
    if (length > REDIRECT_ORIGIN_MAX - 1)
        length = REDIRECT_ORIGIN_MAX - 1;
    memset(origin, '?', length);
    for (size_t i = 0; i < length; i++)
        if (uri[i] > 0x20 && uri[i] <= 0x7E)
            origin[i] = lower(uri[i]);
    origin[length] = '\0';
}
