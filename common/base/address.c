/* SPDX-License-Identifier: MIT */
#include "address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

enum { MAPPED_BYTES = 12, MAPPED_BITS = 96, BYTE_BITS = 8, PREFIX_DIGITS_MAX = 3 };

static const uint8_t mapped[MAPPED_BYTES] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

bool address_parse(const char *text, size_t length, struct address *address)
{
    char copy[ADDRESS_SIZE];
    if (length == 0 || length >= sizeof copy || memchr(text, '\0', length))
        return false;
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (memchr(text, ':', length))
        return inet_pton(AF_INET6, copy, address->bytes) == 1;
    memcpy(address->bytes, mapped, MAPPED_BYTES);
    return inet_pton(AF_INET, copy, address->bytes + MAPPED_BYTES) == 1;
}

bool address_is_ipv4(const struct address *address)
{
    return memcmp(address->bytes, mapped, MAPPED_BYTES) == 0;
}

const char *address_print(const struct address *address, char text[ADDRESS_SIZE])
{
    bool ipv4 = address_is_ipv4(address);
    /* Neither family nor room can be wrong. */
    (void)inet_ntop(ipv4 ? AF_INET : AF_INET6, address->bytes + (ipv4 ? MAPPED_BYTES : 0), text,
                    ADDRESS_SIZE);
    return text;
}

static unsigned bit_of(const struct address *address, unsigned bit)
{
    return ((unsigned)address->bytes[bit / BYTE_BITS] >> (BYTE_BITS - 1 - bit % BYTE_BITS)) & 1U;
}

/* Whether the first `bits` bits are the same. */
static bool share(const struct address *one, const struct address *other, unsigned bits)
{
    unsigned rest = bits % BYTE_BITS;
    size_t whole = bits / BYTE_BITS;
    if (memcmp(one->bytes, other->bytes, whole) != 0)
        return false;
    return rest == 0 || (one->bytes[whole] ^ other->bytes[whole]) >> (BYTE_BITS - rest) == 0;
}

/* A whole number up to `most`, without leading zeros; -1 when it is none. */
static int parse_prefix(const char *text, size_t length, unsigned most)
{
    unsigned number = 0;
    if (length == 0 || length > PREFIX_DIGITS_MAX || (length > 1 && text[0] == '0'))
        return -1;
    for (size_t i = 0; i < length; i++) {
        if (text[i] < '0' || text[i] > '9')
            return -1;
        number = number * 10 + (unsigned)(text[i] - '0');
    }
    return number <= most ? (int)number : -1;
}

static bool has_host_bits(const struct address_range *range)
{
    for (unsigned bit = range->bits; bit < ADDRESS_BITS; bit++)
        if (bit_of(&range->first, bit))
            return true;
    return false;
}

bool address_range_parse(const char *text, size_t length, struct address_range *range,
                         const char **complaint)
{
    const char *slash = memchr(text, '/', length);
    size_t address_length = slash ? (size_t)(slash - text) : length;
    *complaint = "is no address or range, such as 192.0.2.0/24 or 2001:db8::/32";
    if (!address_parse(text, address_length, &range->first))
        return false;
    range->bits = ADDRESS_BITS;
    if (!slash)
        return true;
    /* What is written as IPv4 counts its own bits; a mapped one counts those of IPv6. */
    bool short_form = !memchr(text, ':', address_length);
    int prefix = parse_prefix(slash + 1, length - address_length - 1,
                              short_form ? ADDRESS_IPV4_BITS : ADDRESS_BITS);
    if (prefix < 0)
        return false;
    range->bits = (unsigned)prefix + (short_form ? MAPPED_BITS : 0);
    *complaint = "has bits set behind its prefix";
    if (has_host_bits(range))
        return false;
    *complaint = "is everybody";
    return address_range_prefix(range) > 0;
}

bool address_range_is_ipv4(const struct address_range *range)
{
    return range->bits >= MAPPED_BITS && address_is_ipv4(&range->first);
}

unsigned address_range_prefix(const struct address_range *range)
{
    return address_range_is_ipv4(range) ? range->bits - MAPPED_BITS : range->bits;
}

bool address_range_has(const struct address_range *range, const struct address *address)
{
    return address_range_is_ipv4(range) == address_is_ipv4(address) &&
           share(&range->first, address, range->bits);
}

bool address_ranges_overlap(const struct address_range *one, const struct address_range *other)
{
    return address_range_is_ipv4(one) == address_range_is_ipv4(other) &&
           share(&one->first, &other->first, one->bits < other->bits ? one->bits : other->bits);
}

const char *address_range_print(const struct address_range *range, char text[ADDRESS_RANGE_SIZE])
{
    char first[ADDRESS_SIZE];
    (void)snprintf(text, ADDRESS_RANGE_SIZE, "%s/%u", address_print(&range->first, first),
                   address_range_prefix(range) & 0xFFU); /* a number of three digits at most */
    return text;
}

bool address_set_has_range(const struct address_set *set, const struct address_range *range)
{
    for (size_t i = 0; i < set->count; i++)
        if (set->ranges[i].bits == range->bits &&
            share(&set->ranges[i].first, &range->first, ADDRESS_BITS))
            return true;
    return false;
}

bool address_set_add(struct address_set *set, const struct address_range *range)
{
    if (address_set_has_range(set, range))
        return true;
    if (set->count == ADDRESS_SET_MAX)
        return false;
    set->ranges[set->count++] = *range;
    return true;
}

bool address_set_has(const struct address_set *set, const struct address *address)
{
    for (size_t i = 0; i < set->count; i++)
        if (address_range_has(&set->ranges[i], address))
            return true;
    return false;
}

static bool read_line(struct address_set *set, const char *line, size_t length,
                      const char **complaint)
{
    struct address_range range;
    while (length > 0 && strchr(BLANKS, line[length - 1]) && line[length - 1])
        length--;
    while (length > 0 && strchr(BLANKS, *line) && *line) {
        line++;
        length--;
    }
    if (length == 0 || *line == '#')
        return true;
    if (!address_range_parse(line, length, &range, complaint))
        return false;
    *complaint = "is one range too many";
    return address_set_add(set, &range);
}

bool address_set_read(struct address_set *set, const char *text, size_t length, int *line,
                      const char **complaint)
{
    const char *end = text + length;
    for (*line = 1; text < end; ++*line) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        const char *stop = newline ? newline : end;
        if (!read_line(set, text, (size_t)(stop - text), complaint))
            return false;
        text = newline ? newline + 1 : end;
    }
    return true;
}
