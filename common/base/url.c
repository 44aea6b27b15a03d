/* SPDX-License-Identifier: MIT */
#include "url.h"

#include <arpa/inet.h>
#include <netinet/in.h>
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

char url_lower(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return (char)(letter - 'A' + 'a');
    return letter;
}

bool url_is_plain(const char *text)
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

bool url_is_origin(const char *text)
{
    struct authority authority;
    long standard_port;
    return read_origin(text, &authority, &standard_port) && *authority.end == '\0' &&
           authority.port != standard_port;
}

bool url_is_safe(const char *url)
{
    struct authority authority;
    long standard_port;
    return url_is_plain(url) && strchr(url, '#') == NULL &&
           read_origin(url, &authority, &standard_port);
}

bool url_has_origin(const char *uri, const char *origin)
{
    size_t length = strlen(origin);
    for (size_t i = 0; i < length; i++)
        if (url_lower(uri[i]) != origin[i])
            return false;
    uri += length;
    bool has_port = strchr(origin + strlen(http), ':') != NULL;
    if (starts_with(origin, https) && !has_port && starts_with(uri, ":443"))
        uri += strlen(":443");
    return *uri == '\0' || *uri == '/' || *uri == '?';
}

void url_origin(const char *uri, char origin[URL_ORIGIN_MAX])
{
    size_t length = strcspn(uri, "/?#");
    if (starts_with(uri + length, "//"))
        length += 2 + strcspn(uri + length + 2, "/?#");
    if (length > URL_ORIGIN_MAX - 1)
        length = URL_ORIGIN_MAX - 1;
    memset(origin, '?', length);
    for (size_t i = 0; i < length; i++)
        if (uri[i] > 0x20 && uri[i] <= 0x7E)
            origin[i] = url_lower(uri[i]);
    origin[length] = '\0';
}
