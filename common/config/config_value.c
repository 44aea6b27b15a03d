/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include "base/clock.h"
#include "base/url.h"
#include "base/utf8.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define BLANKS " \t"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define DIGITS "0123456789"

enum {
    QUOTED_MAX = 64, /* of a value, in messages */
    WORD_MAX = 256,
    HEADER_MAX = 64,
    TITLE_MAX = 100,
    ITEM_MAX = 300,
    DURATION_DIGITS_MAX = 9,
};

static bool keep_text(struct config_reading *reading, const struct config_key *key,
                      const char *value)
{
    char **field = config_key_field(reading, key);
    *field = config_keep(reading, value, strlen(value));
    return *field != NULL;
}

/* The index of a value among the key's choices; -1 after config_refuse(). */
static int find_choice(struct config_reading *reading, const struct config_key *key,
                       const char *value)
{
    char names[WORD_MAX] = "";
    size_t used = 0;
    for (int i = 0; key->choices[i] != NULL; i++) {
        if (strcmp(key->choices[i], value) == 0)
            return i;
        int length = snprintf(names + used, sizeof(names) - used, "%s%s", i == 0 ? "" : ", ",
                              key->choices[i]);
        if (length > 0 && (size_t)length < sizeof(names) - used)
            used += (size_t)length;
    }
    (void)config_refuse(reading, key, "can't be \"%.*s\"; it is one of: %s", QUOTED_MAX, value,
                        names);
    return -1;
}

bool config_read_choice(struct config_reading *reading, const struct config_key *key,
                        const char *value)
{
    static_assert(sizeof(enum environment) == sizeof(unsigned) &&
                      sizeof(enum client_address_header) == sizeof(unsigned) &&
                      sizeof(enum log_target) == sizeof(unsigned) &&
                      sizeof(enum log_level) == sizeof(unsigned),
                  "all enumerations are written as one type");
    int choice = find_choice(reading, key, value);
    if (choice < 0)
        return false;
    *(unsigned *)config_key_field(reading, key) = (unsigned)choice;
    return true;
}

bool config_read_one_of(struct config_reading *reading, const struct config_key *key,
                        const char *value)
{
    return find_choice(reading, key, value) >= 0 && keep_text(reading, key, value);
}

bool config_read_yes_no(struct config_reading *reading, const struct config_key *key,
                        const char *value)
{
    bool yes = strcmp(value, "yes") == 0;
    if (!yes && strcmp(value, "no") != 0)
        return config_refuse(reading, key, "can't be \"%.*s\"; write yes or no", QUOTED_MAX, value);
    *(bool *)config_key_field(reading, key) = yes;
    return true;
}

static bool is_word(const char *value)
{
    size_t length = strlen(value);
    return length <= WORD_MAX && ascii_is_visible(value, length);
}

bool config_read_word(struct config_reading *reading, const struct config_key *key,
                      const char *value)
{
    if (!is_word(value))
        return config_refuse(reading, key, "must be one word of visible ASCII characters");
    return keep_text(reading, key, value);
}

bool config_read_client(struct config_reading *reading, const struct config_key *key,
                        const char *value)
{
    return strcmp(value, "any") == 0 || config_read_word(reading, key, value);
}

/* clang-format off */
static const struct {
    const char *name;
    int64_t ms;
} units[] = {
    {"", SECOND_MS},
    {"s", SECOND_MS}, {"second", SECOND_MS}, {"seconds", SECOND_MS},
    {"m", MINUTE_MS}, {"minute", MINUTE_MS}, {"minutes", MINUTE_MS},
    {"h", HOUR_MS}, {"hour", HOUR_MS}, {"hours", HOUR_MS},
    {"d", DAY_MS}, {"day", DAY_MS}, {"days", DAY_MS},
};
/* clang-format on */

/* -1 when it is no duration. */
static int64_t parse_duration(const char *value)
{
    size_t digits = strspn(value, DIGITS);
    if (digits == 0 || digits > DURATION_DIGITS_MAX)
        return -1;
    const char *unit = value + digits + strspn(value + digits, BLANKS);
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (strcmp(units[i].name, unit) == 0)
            return strtoll(value, NULL, 10) * units[i].ms;
    return -1;
}

/* In the largest unit that gives a whole number. */
static const char *show_duration(int64_t ms, char text[QUOTED_MAX])
{
    const char *unit = "s";
    int64_t size = SECOND_MS;
    if (ms % DAY_MS == 0) {
        unit = "d";
        size = DAY_MS;
    } else if (ms % HOUR_MS == 0) {
        unit = "h";
        size = HOUR_MS;
    }
    (void)snprintf(text, QUOTED_MAX, "%lld %s", (long long)(ms / size), unit);
    return text;
}

static bool refuse_range(struct config_reading *reading, const struct config_key *key,
                         const char *value)
{
    char least[QUOTED_MAX];
    char most[QUOTED_MAX];
    return config_refuse(reading, key, "can't be \"%.*s\"; it may be from %s to %s", QUOTED_MAX,
                         value, show_duration(key->least_ms, least),
                         show_duration(key->most_ms, most));
}

bool config_read_duration(struct config_reading *reading, const struct config_key *key,
                          const char *value)
{
    int64_t ms = parse_duration(value);
    if (ms < 0)
        return config_refuse(
            reading, key, "can't be \"%.*s\"; write a whole number and s, m, h or d, such as 20m",
            QUOTED_MAX, value);
    if (ms < key->least_ms || ms > key->most_ms)
        return refuse_range(reading, key, value);
    *(int64_t *)config_key_field(reading, key) = ms;
    return true;
}

static bool check_url(struct config_reading *reading, const struct config_key *key,
                      const char *value)
{
    return url_is_safe(value) ||
           config_refuse(reading, key,
                         "can't be \"%.*s\"; write https://host/path in lower case, without user "
                         "information or fragment (http:// only to this machine: localhost, "
                         "127.0.0.1, [::1])",
                         QUOTED_MAX, value);
}

bool config_read_url(struct config_reading *reading, const struct config_key *key,
                     const char *value)
{
    return check_url(reading, key, value) && keep_text(reading, key, value);
}

bool config_read_base_url(struct config_reading *reading, const struct config_key *key,
                          const char *value)
{
    char **field = config_key_field(reading, key);
    size_t length = strlen(value);
    if (!check_url(reading, key, value))
        return false;
    if (strchr(value, '?') != NULL)
        return config_refuse(reading, key, "can't have a query, since paths are put behind it");
    if (length > CONFIG_BASE_URL_MAX)
        return config_refuse(reading, key, "is longer than %d bytes", CONFIG_BASE_URL_MAX);
    while (value[length - 1] == '/')
        length--;
    *field = config_keep(reading, value, length);
    return *field != NULL;
}

/* Inside a network, a proxy is often spoken to without TLS: what goes through it has its own. */
bool config_read_proxy(struct config_reading *reading, const struct config_key *key,
                       const char *value)
{
    char secure[ITEM_MAX];
    const char *rest = value + strcspn(value, ":");
    int length = snprintf(secure, sizeof(secure), "https%s", rest);
    bool known = strncmp(value, "http://", 7) == 0 || strncmp(value, "https://", 8) == 0;
    if (!known || length < 0 || (size_t)length >= sizeof(secure) || !url_is_safe(secure) ||
        strpbrk(secure + strlen("https://"), "/?") != NULL)
        return config_refuse(reading, key,
                             "can't be \"%.*s\"; write http://host:port or https://host:port",
                             QUOTED_MAX, value);
    return keep_text(reading, key, value);
}

bool config_read_path(struct config_reading *reading, const struct config_key *key,
                      const char *value)
{
    char **field = config_key_field(reading, key);
    *field = config_keep_path(reading, value);
    return *field != NULL;
}

/*
 * Headers that mean something to browsers, proxies or servers. What they may
 * set, drop or merge can't carry a secret. A star stands for any ending.
 */
static bool is_standard_header(const char *name)
{
    /* clang-format off */
    static const char *const standard[] = {
        "Accept*", "Access-Control-*", "Age", "Allow", "Alt-*", "Authentication-*",
        "Authorization", "Cache-*", "CDN-*", "CF-*", "Connection", "Content-*", "Cookie*",
        "Date", "DNT", "ETag", "Expect", "Expires", "Forwarded*", "From", "Host", "HTTP2-*",
        "If-*", "Keep-Alive", "Last-*", "Location", "Max-Forwards", "Origin", "Pragma",
        "Priority", "Proxy*", "Purpose", "Range", "Referer", "Sec-*", "Set-Cookie*", "TE",
        "Traceparent", "Tracestate", "Trailer", "Transfer-*", "True-Client-IP", "Upgrade*",
        "User-Agent", "Via", "Warning", "WWW-Authenticate", "X-Forwarded*", "X-HTTP-Method*",
        "X-Moz", "X-Original-*", "X-Real-IP", "X-Requested-With", "X-Rewrite-*", "X-Sendfile",
    };
    /* clang-format on */
    for (size_t i = 0; i < sizeof(standard) / sizeof(standard[0]); i++) {
        size_t length = strcspn(standard[i], "*");
        if (strncasecmp(name, standard[i], length) == 0 &&
            (standard[i][length] == '*' || name[length] == '\0'))
            return true;
    }
    return false;
}

/* The variable in which CGI and FastCGI hand over a header (RFC 3875, 4.1.18). */
static bool keep_variable(struct config_reading *reading, const char *header)
{
    char name[HEADER_MAX + 8];
    int length = snprintf(name, sizeof(name), "HTTP_%s", header);
    if (length < 0 || (size_t)length >= sizeof(name))
        return false;
    for (char *at = name; *at != '\0'; at++) {
        *at = (char)toupper((unsigned char)*at);
        if (*at == '-')
            *at = '_';
    }
    reading->config->notification.key_variable = config_keep(reading, name, (size_t)length);
    return reading->config->notification.key_variable != NULL;
}

bool config_read_key_header(struct config_reading *reading, const struct config_key *key,
                            const char *value)
{
    size_t length = strlen(value);
    if (strspn(value, LETTERS) == 0 || strspn(value, LETTERS DIGITS "-") != length ||
        value[length - 1] == '-' || length > HEADER_MAX)
        return config_refuse(reading, key,
                             "can't be \"%.*s\"; write a header's name of letters, digits and "
                             "\"-\" that begins with a letter, such as X-Feedgate-Key",
                             QUOTED_MAX, value);
    if (is_standard_header(value))
        return config_refuse(reading, key,
                             "can't be %s, which has a meaning of its own; choose a name such as "
                             "X-Feedgate-Key",
                             value);
    return keep_text(reading, key, value) && keep_variable(reading, value);
}

/*
 * Cuts the next word off a value; false when none is left or it is longer than
 * ITEM_MAX - 1. libinih leaves comments in the lines that go on with a list.
 */
static bool next_word(const char **rest, char word[ITEM_MAX])
{
    *rest += strspn(*rest, BLANKS);
    if (**rest == ';')
        *rest += strlen(*rest);
    size_t length = strcspn(*rest, BLANKS);
    if (length == 0 || length >= ITEM_MAX)
        return false;
    memcpy(word, *rest, length);
    word[length] = '\0';
    *rest += length;
    return true;
}

static bool add_origin(struct config_reading *reading, const struct config_key *key,
                       const char *origin)
{
    struct config_list *list = config_key_field(reading, key);
    if (!url_is_origin(origin))
        return config_refuse(reading, key,
                             "can't have \"%.*s\"; write https://host in lower case, with nothing "
                             "behind but a port other than 443 (http:// only for localhost, "
                             "127.0.0.1, [::1])",
                             QUOTED_MAX, origin);
    if (list->count == CONFIG_LIST_MAX)
        return config_refuse(reading, key, "has more than %d items", CONFIG_LIST_MAX);
    list->items[list->count] = config_keep(reading, origin, strlen(origin));
    return list->items[list->count++] != NULL;
}

bool config_read_origins(struct config_reading *reading, const struct config_key *key,
                         const char *value)
{
    char word[ITEM_MAX];
    while (next_word(&value, word))
        if (!add_origin(reading, key, word))
            return false;
    return *value == '\0' || config_refuse(reading, key, "has an item that is too long");
}

/* 'self', or an origin whose host may begin with "*." (only with https). */
static bool is_frame_ancestor(const char *item)
{
    static const char wildcard[] = "https://*.";
    char origin[ITEM_MAX];
    if (strcmp(item, "'self'") == 0)
        return true;
    if (strncmp(item, wildcard, strlen(wildcard)) != 0)
        return url_is_origin(item);
    int length = snprintf(origin, sizeof(origin), "https://%s", item + strlen(wildcard));
    return length > 0 && (size_t)length < sizeof(origin) && url_is_origin(origin);
}

static bool add_frame_ancestor(struct config_reading *reading, const struct config_key *key,
                               const char *item)
{
    char **list = config_key_field(reading, key);
    char *joined = NULL;
    bool none = strcmp(item, "'none'") == 0;
    if (!none && !is_frame_ancestor(item))
        return config_refuse(reading, key,
                             "can't have \"%.*s\"; its items are 'self', https://host, "
                             "https://*.host, or 'none' alone",
                             QUOTED_MAX, item);
    if (*list == NULL)
        return keep_text(reading, key, item);
    if (none || strcmp(*list, "'none'") == 0)
        return config_refuse(reading, key, "can't have anything beside 'none'");
    int length = asprintf(&joined, "%s %s", *list, item);
    if (length < 0)
        return config_refuse(reading, key, "can't be kept: memory is out");
    *list = config_keep(reading, joined, (size_t)length);
    free(joined);
    return *list != NULL;
}

bool config_read_frame_ancestors(struct config_reading *reading, const struct config_key *key,
                                 const char *value)
{
    char word[ITEM_MAX];
    while (next_word(&value, word))
        if (!add_frame_ancestor(reading, key, word))
            return false;
    return *value == '\0' || config_refuse(reading, key, "has an item that is too long");
}

/* The file has been found to be UTF-8 without control characters already. */
bool config_read_title(struct config_reading *reading, const struct config_key *key,
                       const char *value)
{
    if (strlen(value) > TITLE_MAX)
        return config_refuse(reading, key, "is longer than %d bytes", TITLE_MAX);
    return keep_text(reading, key, value);
}
