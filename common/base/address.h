/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ADDRESS_H
#define FEEDGATE_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Internet addresses and sets of ranges. Nothing is looked up: what isn't
 * written as an address is none. An IPv4 address is kept as the IPv6 address
 * that it maps to (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so both ways of
 * writing it are the same one; but no range of IPv6 takes in an IPv4 address.
 */

enum { ADDRESS_BYTES = 16, ADDRESS_BITS = 128, ADDRESS_IPV4_BITS = 32 };
enum { ADDRESS_SIZE = 46, ADDRESS_RANGE_SIZE = ADDRESS_SIZE + 4 }; /* as text, with a NUL */
enum { ADDRESS_SET_MAX = 256 };

struct address {
    uint8_t bytes[ADDRESS_BYTES];
};

struct address_range {
    struct address first;
    unsigned bits; /* that all its addresses share, of ADDRESS_BITS */
};

struct address_set {
    size_t count;
    struct address_range ranges[ADDRESS_SET_MAX];
};

/*
 * Reads "192.0.2.1", "2001:db8::1" or "::ffff:192.0.2.1"; nothing else passes:
 * no port, brackets, zone, blanks, nor numbers with leading zeros, which some
 * read as octal. `length` bytes, without a NUL. False: it is no address.
 */
bool address_parse(const char *text, size_t length, struct address *address);

bool address_is_ipv4(const struct address *address);

/* As people write it, a mapped IPv4 address as IPv4. Returns `text`. */
const char *address_print(const struct address *address, char text[ADDRESS_SIZE]);

/*
 * Reads "192.0.2.0/24", "2001:db8::/32", or an address, which is a range of
 * one. Bits that are set behind the prefix and a prefix of 0, which would be
 * everybody, are errors. False, and in `*complaint` why (static).
 */
bool address_range_parse(const char *text, size_t length, struct address_range *range,
                         const char **complaint);

bool address_range_is_ipv4(const struct address_range *range);

/* The length of the prefix as it is written: 24 for 192.0.2.0/24. */
unsigned address_range_prefix(const struct address_range *range);

bool address_range_has(const struct address_range *range, const struct address *address);

/* Whether they have an address in common: then one of them is within the other. */
bool address_ranges_overlap(const struct address_range *one, const struct address_range *other);

/* "192.0.2.0/24". Returns `text`. */
const char *address_range_print(const struct address_range *range, char text[ADDRESS_RANGE_SIZE]);

/* Adds a range; false when the set is full. One that is there already isn't added again. */
bool address_set_add(struct address_set *set, const struct address_range *range);

/* Whether a range of exactly these addresses is in the set. */
bool address_set_has_range(const struct address_set *set, const struct address_range *range);

/* Whether the address is in one of the ranges. */
bool address_set_has(const struct address_set *set, const struct address *address);

/*
 * Adds the ranges of a text, one a line; blanks around it, empty lines and
 * those that begin with `#` are nothing. False, with the line in `*line`
 * and in `*complaint` why (static).
 */
bool address_set_read(struct address_set *set, const char *text, size_t length, int *line,
                      const char **complaint);

#endif
