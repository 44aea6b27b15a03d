/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/address.h"

#include <stdio.h>
#include <string.h>

static bool parse(const char *text, struct address *address)
{
    return address_parse(text, strlen(text), address);
}

static struct address_range range_of(const char *text)
{
    struct address_range range;
    const char *complaint = NULL;
    bool parsed = address_range_parse(text, strlen(text), &range, &complaint);
    ck_assert_msg(parsed, "%s %s", text, complaint);
    return range;
}

static const struct {
    const char *text;
    const char *printed; /* NULL: it is no address */
} addresses[] = {
    {"192.0.2.1", "192.0.2.1"},
    {"0.0.0.0", "0.0.0.0"},
    {"255.255.255.255", "255.255.255.255"},
    {"2001:db8::1", "2001:db8::1"},
    {"2001:0DB8:0:0:0:0:0:1", "2001:db8::1"},
    {"::1", "::1"},
    {"::", "::"},
    {"::ffff:192.0.2.1", "192.0.2.1"},
    {"::FFFF:c000:201", "192.0.2.1"},
    {"0:0:0:0:0:ffff:192.0.2.1", "192.0.2.1"},
    {"::192.0.2.1", "::192.0.2.1"}, /* deprecated, and not the same address */
    {"64:ff9b::192.0.2.1", "64:ff9b::c000:201"},
    {"ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"},

    {"", NULL},
    {"unknown", NULL},
    {"unix:", NULL},
    {"localhost", NULL},
    {"_hidden", NULL},
    {"192.0.2", NULL},
    {"192.0.2.1.1", NULL},
    {"192.0.2.256", NULL},
    {"192.0.2.-1", NULL},
    {"192.0.2.1.", NULL},
    {".192.0.2.1", NULL},
    {"192.0..1", NULL},
    {"010.0.0.1", NULL},
    {"192.0.2.01", NULL},
    {"00.0.0.0", NULL},
    {"0x7f.0.0.1", NULL},
    {"2130706433", NULL},
    {" 192.0.2.1", NULL},
    {"192.0.2.1 ", NULL},
    {"192.0.2.1\n", NULL},
    {"192.0.2.1:443", NULL},
    {"192.0.2.1/32", NULL},
    {"[2001:db8::1]", NULL},
    {"[2001:db8::1]:443", NULL},
    {"fe80::1%lo", NULL},
    {"fe80::1%1", NULL},
    {"2001:db8::1::", NULL},
    {":::", NULL},
    {":", NULL},
    {"2001:db8:::1", NULL},
    {"2001:db8::12345", NULL},
    {"1:2:3:4:5:6:7", NULL},
    {"1:2:3:4:5:6:7:8:9", NULL},
    {"2001:db8::g", NULL},
    {"::ffff:192.0.2.256", NULL},
    {"::ffff:192.0.2.01", NULL},
    {"::ffff:192.0.2.1:80", NULL},
    {"1234567890123456789012345678901234567890123456", NULL},
    {"\xd9\xa1.0.0.1", NULL},
};

START_TEST(an_address_is_read_strictly)
{
    struct address address;
    char text[ADDRESS_SIZE];
    bool parsed = parse(addresses[_i].text, &address);
    ck_assert_msg(parsed == (addresses[_i].printed != NULL), "%s", addresses[_i].text);
    if (parsed)
        ck_assert_str_eq(address_print(&address, text), addresses[_i].printed);
}
END_TEST

START_TEST(an_address_ends_where_its_length_says)
{
    struct address address;
    ck_assert(address_parse("192.0.2.1, 10.0.0.1", 9, &address));
    ck_assert(!address_parse("192.0.2.1\0", 10, &address));
    ck_assert(!address_parse("192.0.2.1", 0, &address));
}
END_TEST

static const struct {
    const char *text;
    const char *printed; /* NULL: it is no range */
    const char *complaint;
} ranges[] = {
    {"192.0.2.0/24", "192.0.2.0/24", NULL},
    {"192.0.2.1", "192.0.2.1/32", NULL},
    {"128.0.0.0/1", "128.0.0.0/1", NULL},
    {"10.0.0.0/9", "10.0.0.0/9", NULL},
    {"2001:db8::/32", "2001:db8::/32", NULL},
    {"2a06:98c0::/29", "2a06:98c0::/29", NULL},
    {"2001:db8::1", "2001:db8::1/128", NULL},
    {"::ffff:192.0.2.0/120", "192.0.2.0/24", NULL},
    {"::/8", "::/8", NULL},

    {"0.0.0.0/0", NULL, "everybody"},
    {"::/0", NULL, "everybody"},
    {"::ffff:0.0.0.0/96", NULL, "everybody"},
    {"192.0.2.1/24", NULL, "bits set"},
    {"128.0.0.0/0", NULL, "bits set"},
    {"2001:db8::1/64", NULL, "bits set"},
    {"2a06:98c4::/29", NULL, "bits set"},
    {"::ffff:0.0.0.0/90", NULL, "bits set"},
    {"192.0.2.0/33", NULL, "no address"},
    {"2001:db8::/129", NULL, "no address"},
    {"192.0.2.0/", NULL, "no address"},
    {"192.0.2.0/024", NULL, "no address"},
    {"192.0.2.0/+24", NULL, "no address"},
    {"192.0.2.0/24 ", NULL, "no address"},
    {"192.0.2.0 /24", NULL, "no address"},
    {"192.0.2.0/24/24", NULL, "no address"},
    {"192.0.2.0/255.255.255.0", NULL, "no address"},
    {"192.0.2.0/4294967320", NULL, "no address"},
    {"/24", NULL, "no address"},
    {"", NULL, "no address"},
    {"192.0.2.0-192.0.2.9", NULL, "no address"},
    {"example.com", NULL, "no address"},
};

START_TEST(a_range_is_read_strictly)
{
    struct address_range range;
    char text[ADDRESS_RANGE_SIZE];
    const char *complaint = NULL;
    size_t length = strlen(ranges[_i].text);
    bool parsed = address_range_parse(ranges[_i].text, length, &range, &complaint);
    ck_assert_msg(parsed == (ranges[_i].printed != NULL), "%s", ranges[_i].text);
    if (parsed)
        ck_assert_str_eq(address_range_print(&range, text), ranges[_i].printed);
    else
        ck_assert_msg(strstr(complaint, ranges[_i].complaint) != NULL, "%s: %s", ranges[_i].text,
                      complaint);
}
END_TEST

static const struct {
    const char *range, *address;
    bool has;
} members[] = {
    {"192.0.2.0/24", "192.0.2.0", true},
    {"192.0.2.0/24", "192.0.2.255", true},
    {"192.0.2.0/24", "192.0.3.0", false},
    {"192.0.2.0/24", "192.0.1.255", false},
    {"162.158.0.0/15", "162.159.255.255", true},
    {"162.158.0.0/15", "162.160.0.0", false},
    {"104.16.0.0/13", "104.23.255.255", true},
    {"104.16.0.0/13", "104.24.0.0", false},
    {"198.41.128.0/17", "198.41.127.255", false},
    {"192.0.2.7", "192.0.2.7", true},
    {"192.0.2.7", "192.0.2.6", false},
    {"192.0.2.0/31", "192.0.2.1", true},
    {"192.0.2.0/31", "192.0.2.2", false},
    {"128.0.0.0/1", "255.255.255.255", true},
    {"128.0.0.0/1", "127.255.255.255", false},
    {"2400:cb00::/32", "2400:cb00:ffff:ffff:ffff:ffff:ffff:ffff", true},
    {"2400:cb00::/32", "2400:cb01::", false},
    {"2a06:98c0::/29", "2a06:98c7:ffff::", true},
    {"2a06:98c0::/29", "2a06:98c8::", false},
    {"2001:db8::1", "2001:db8::1", true},
    {"2001:db8::1", "2001:db8::", false},
    /* one address, two ways to write it */
    {"192.0.2.0/24", "::ffff:192.0.2.9", true},
    {"::ffff:192.0.2.0/120", "192.0.2.9", true},
    {"::ffff:192.0.2.0/120", "::ffff:192.0.3.9", false},
    /* a range of IPv6 never takes in IPv4, though its bits may */
    {"::/8", "192.0.2.9", false},
    {"::/8", "::ffff:192.0.2.9", false},
    {"::/8", "::192.0.2.9", true},
    {"8000::/1", "192.0.2.9", false},
    {"128.0.0.0/1", "8000::", false},
};

START_TEST(a_range_has_its_addresses_and_no_other)
{
    struct address address;
    struct address_range range = range_of(members[_i].range);
    ck_assert(parse(members[_i].address, &address));
    ck_assert_msg(address_range_has(&range, &address) == members[_i].has, "%s in %s",
                  members[_i].address, members[_i].range);
}
END_TEST

START_TEST(each_prefix_has_its_own_last_address)
{
    const struct address_range one = range_of("192.0.2.171"); /* both bits in it */
    for (unsigned bit = 97; bit < ADDRESS_BITS; bit++) {
        struct address_range range = {.first = one.first, .bits = bit};
        struct address other = one.first;
        other.bytes[bit / 8] ^= (uint8_t)(0x80U >> bit % 8);
        ck_assert(address_range_has(&range, &other));
        range.bits = bit + 1;
        ck_assert(!address_range_has(&range, &other));
    }
}
END_TEST

START_TEST(ranges_overlap_when_one_is_within_the_other)
{
    const struct address_range wide = range_of("10.0.0.0/8");
    const struct address_range narrow = range_of("10.9.0.0/16");
    const struct address_range beside = range_of("11.0.0.0/8");
    const struct address_range ipv6 = range_of("::/8");
    ck_assert(address_ranges_overlap(&wide, &narrow));
    ck_assert(address_ranges_overlap(&narrow, &wide));
    ck_assert(!address_ranges_overlap(&beside, &narrow));
    ck_assert(!address_ranges_overlap(&ipv6, &narrow));
}
END_TEST

static bool read_set(const char *text, struct address_set *set, int *line, const char **complaint)
{
    set->count = 0;
    return address_set_read(set, text, strlen(text), line, complaint);
}

START_TEST(a_list_has_one_range_a_line)
{
    struct address_set set;
    struct address address;
    int line;
    const char *complaint;
    ck_assert(read_set("# 2026-11-24\n\n192.0.2.0/24\r\n \t2001:db8::/32 \n  # more\n192.0.2.0/24\n"
                       "198.51.100.7",
                       &set, &line, &complaint));
    ck_assert_uint_eq(set.count, 3); /* one stood there twice */
    ck_assert(parse("2001:db8::9", &address) && address_set_has(&set, &address));
    ck_assert(parse("198.51.100.7", &address) && address_set_has(&set, &address));
    ck_assert(parse("198.51.100.8", &address) && !address_set_has(&set, &address));
}
END_TEST

START_TEST(a_list_names_the_line_that_is_wrong)
{
    struct address_set set;
    int line;
    const char *complaint;
    ck_assert(!read_set("192.0.2.0/24\n\n<!DOCTYPE html>\n", &set, &line, &complaint));
    ck_assert_int_eq(line, 3);
    ck_assert(!read_set("192.0.2.0/24 # why\n", &set, &line, &complaint));
    ck_assert_int_eq(line, 1);
    ck_assert(!address_set_read(&set, "10.0.0.1\0\n", 10, &line, &complaint));
}
END_TEST

START_TEST(a_set_is_bounded)
{
    struct address_set set = {0};
    char text[64];
    struct address_range range;
    for (int i = 0; i < ADDRESS_SET_MAX; i++) {
        (void)snprintf(text, sizeof text, "10.0.%d.0/24", i);
        range = range_of(text);
        ck_assert(address_set_add(&set, &range));
    }
    ck_assert(address_set_add(&set, &range)); /* it is there */
    range = range_of("10.1.0.0/24");
    ck_assert(!address_set_add(&set, &range));
    ck_assert_uint_eq(set.count, ADDRESS_SET_MAX);
}
END_TEST

Suite *address_suite(void)
{
    Suite *suite = suite_create("address");
    ADD_RULE_FOR_EACH(suite, an_address_is_read_strictly, addresses);
    ADD_RULE(suite, an_address_ends_where_its_length_says);
    ADD_RULE_FOR_EACH(suite, a_range_is_read_strictly, ranges);
    ADD_RULE_FOR_EACH(suite, a_range_has_its_addresses_and_no_other, members);
    ADD_RULE(suite, each_prefix_has_its_own_last_address);
    ADD_RULE(suite, ranges_overlap_when_one_is_within_the_other);
    ADD_RULE(suite, a_list_has_one_range_a_line);
    ADD_RULE(suite, a_list_names_the_line_that_is_wrong);
    ADD_RULE(suite, a_set_is_bounded);
    return suite;
}
