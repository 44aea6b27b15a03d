/* SPDX-License-Identifier: MIT */
#include "client_address.h"

#include <string.h>

static bool is_blank(char character)
{
    return character == ' ' || character == '\t';
}

/* An element of a list without the blanks around it; an empty one is no address. */
static bool parse_element(const char *text, size_t length, struct address *address)
{
    while (length > 0 && is_blank(text[length - 1]))
        length--;
    while (length > 0 && is_blank(*text)) {
        text++;
        length--;
    }
    return address_parse(text, length, address);
}

/* From the right: whoever called us, then whoever called them, as long as they are trusted. */
static struct client_address walk(const struct address_set *trusted, const char *list)
{
    struct client_address found = {.kind = CLIENT_ADDRESS_FROM_HEADER};
    const char *end = list + strlen(list);
    for (int i = 0; i < CLIENT_PROXIES_MAX; i++) {
        const char *start = end;
        while (start > list && start[-1] != ',')
            start--;
        if (!parse_element(start, (size_t)(end - start), &found.address))
            break;
        /* With nobody left to ask, the first proxy began it itself. */
        if (start == list || !address_set_has(trusted, &found.address))
            return found;
        end = start - 1; /* the comma */
    }
    return (struct client_address){.kind = CLIENT_ADDRESS_MALFORMED};
}

const char *client_address_variable(enum client_address_header header)
{
    return header == CLIENT_CF_CONNECTING_IP ? "HTTP_CF_CONNECTING_IP" : "HTTP_X_FORWARDED_FOR";
}

struct client_address client_address_find(const struct address_set *trusted_proxies,
                                          enum client_address_header header, const char *peer,
                                          const char *value, bool repeated)
{
    struct client_address found = {.kind = CLIENT_ADDRESS_OF_PEER};
    if (!peer || !address_parse(peer, strlen(peer), &found.address))
        return (struct client_address){.kind = CLIENT_ADDRESS_NONE};
    if (!value || !address_set_has(trusted_proxies, &found.address))
        return found;
    if (repeated)
        return (struct client_address){.kind = CLIENT_ADDRESS_MALFORMED};
    if (header == CLIENT_X_FORWARDED_FOR)
        return walk(trusted_proxies, value);
    found.kind = parse_element(value, strlen(value), &found.address) ? CLIENT_ADDRESS_FROM_HEADER
                                                                     : CLIENT_ADDRESS_MALFORMED;
    return found;
}
