/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "operator/address_list.h"

#include <stdio.h>
#include <string.h>

#define SEVEN                                                                                      \
    "173.245.48.0/20\n103.21.244.0/22\n103.22.200.0/22\n103.31.4.0/22\n141.101.64.0/18\n"          \
    "108.162.192.0/18\n190.93.240.0/20\n"
#define IPV4_LIST SEVEN "188.114.96.0/20\n"
#define IPV6_LIST "2400:cb00::/32\n2606:4700::/32\n2803:f800::/32\n2405:b500::/32\n"

static const struct {
    const char *name;
    enum address_family family;
    const char *text;
    const char *says; /* NULL: it is taken */
} lists[] = {
    {"a short list", ADDRESS_IPV4, IPV4_LIST, NULL},
    {"of IPv6", ADDRESS_IPV6, IPV6_LIST, NULL},
    {"the widest", ADDRESS_IPV4, SEVEN "104.16.0.0/12", NULL},
    {"the widest of IPv6", ADDRESS_IPV6, IPV6_LIST "2a06:98c0::/28", NULL},

    {"empty", ADDRESS_IPV4, "", "has 0 ranges"},
    {"empty of IPv6", ADDRESS_IPV6, "", "has 0 ranges"},
    {"too few", ADDRESS_IPV4, SEVEN, "has 7 ranges"},
    {"too few since one is twice", ADDRESS_IPV4, SEVEN "173.245.48.0/20\n", "has 7 ranges"},
    {"HTML", ADDRESS_IPV4, "<!DOCTYPE html>\n<html>\n", "line 1 is no address"},
    {"JSON", ADDRESS_IPV4, "{\"result\":{}}", "line 1 is no address"},
    {"a word behind", ADDRESS_IPV4, IPV4_LIST "never mind\n", "line 9 is no address"},
    {"everybody", ADDRESS_IPV4, IPV4_LIST "0.0.0.0/0\n", "line 9 is everybody"},
    {"everybody by IPv6", ADDRESS_IPV6, IPV6_LIST "::/0\n", "line 5 is everybody"},
    {"half of everybody", ADDRESS_IPV4, IPV4_LIST "0.0.0.0/1\n", "0.0.0.0/1 is too wide"},
    {"too wide", ADDRESS_IPV4, IPV4_LIST "104.0.0.0/11\n", "104.0.0.0/11 is too wide"},
    {"too wide by IPv6", ADDRESS_IPV6, IPV6_LIST "2a06::/27\n", "2a06::/27 is too wide"},
    {"host bits", ADDRESS_IPV4, IPV4_LIST "104.16.0.1/13\n", "line 9 has bits set"},
    {"the other family", ADDRESS_IPV4, IPV4_LIST "2606:4700::/32\n", "is of the other family"},
    {"the other family by IPv6", ADDRESS_IPV6, IPV6_LIST "104.16.0.0/13\n", "of the other family"},
    {"mapped", ADDRESS_IPV6, IPV6_LIST "::ffff:104.16.0.0/109\n", "of the other family"},
    {"private", ADDRESS_IPV4, IPV4_LIST "10.20.0.0/16\n", "isn't of the public"},
    {"private around", ADDRESS_IPV4, IPV4_LIST "192.160.0.0/12\n", "isn't of the public"},
    {"loopback", ADDRESS_IPV4, IPV4_LIST "127.0.0.1\n", "127.0.0.1/32 isn't of the public"},
    {"carriers", ADDRESS_IPV4, IPV4_LIST "100.100.0.0/16\n", "isn't of the public"},
    {"link-local", ADDRESS_IPV4, IPV4_LIST "169.254.169.254\n", "isn't of the public"},
    {"documentation", ADDRESS_IPV4, IPV4_LIST "192.0.2.0/24\n", "isn't of the public"},
    {"multicast", ADDRESS_IPV4, IPV4_LIST "224.0.0.0/24\n", "isn't of the public"},
    {"broadcast", ADDRESS_IPV4, IPV4_LIST "255.255.255.255\n", "isn't of the public"},
    {"loopback by IPv6", ADDRESS_IPV6, IPV6_LIST "::1\n", "isn't of the public"},
    {"unique local", ADDRESS_IPV6, IPV6_LIST "fd00::/32\n", "isn't of the public"},
    {"link-local by IPv6", ADDRESS_IPV6, IPV6_LIST "fe80::/64\n", "isn't of the public"},
    {"6to4", ADDRESS_IPV6, IPV6_LIST "2002:6810::/32\n", "isn't of the public"},
    {"NAT64", ADDRESS_IPV6, IPV6_LIST "64:ff9b::/96\n", "isn't of the public"},
    {"documentation by IPv6", ADDRESS_IPV6, IPV6_LIST "2001:db8::/32\n", "isn't of the public"},
};

START_TEST(a_fetched_list_must_look_like_cloudflares)
{
    static const struct address_set none;
    struct address_set set = {0};
    char error[ADDRESS_LIST_ERROR_MAX] = "";
    bool taken = address_list_take(lists[_i].family, lists[_i].text, strlen(lists[_i].text), &none,
                                   &set, error);
    ck_assert_msg(taken == !lists[_i].says, "%s: %s", lists[_i].name, error);
    if (lists[_i].says)
        ck_assert_msg(strstr(error, lists[_i].says) != NULL, "%s: %s", lists[_i].name, error);
}
END_TEST

/* `count` ranges of IPv4, each on a line. */
static void write_ranges(char *text, size_t size, int count)
{
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < count; i++)
        used += (size_t)snprintf(text + used, size - used, "104.16.%d.0/24\n", i);
}

START_TEST(a_list_that_loses_half_of_its_ranges_is_refused)
{
    static const struct address_set none;
    struct address_set present = {0};
    struct address_set set = {0};
    char text[4096];
    char error[ADDRESS_LIST_ERROR_MAX] = "";
    write_ranges(text, sizeof text, 20);
    ck_assert(address_list_take(ADDRESS_IPV4, text, strlen(text), &none, &present, error));
    write_ranges(text, sizeof text, 10);
    ck_assert(address_list_take(ADDRESS_IPV4, text, strlen(text), &present, &set, error));
    write_ranges(text, sizeof text, 9);
    ck_assert(!address_list_take(ADDRESS_IPV4, text, strlen(text), &present, &set, error));
    ck_assert_ptr_nonnull(strstr(error, "with 9 of the 20 in use"));
    /* as many others are none of them */
    static const char others[] =
        "23.0.0.0/24\n23.0.1.0/24\n23.0.2.0/24\n23.0.3.0/24\n23.0.4.0/24\n"
        "23.0.5.0/24\n23.0.6.0/24\n23.0.7.0/24\n23.0.8.0/24\n23.0.9.0/24\n";
    ck_assert(!address_list_take(ADDRESS_IPV4, BYTES(others), &present, &set, error));
    ck_assert_ptr_nonnull(strstr(error, "with 0 of the 20 in use"));
    /* ranges of the other family don't count */
    set.count = 0;
    ck_assert(address_list_take(ADDRESS_IPV6, BYTES(IPV6_LIST), &present, &set, error));
}
END_TEST

START_TEST(a_list_of_too_many_ranges_is_refused)
{
    static const struct address_set none;
    struct address_set set = {0};
    char text[4096];
    char error[ADDRESS_LIST_ERROR_MAX] = "";
    write_ranges(text, sizeof text, ADDRESS_LIST_RANGES_MAX);
    ck_assert(address_list_take(ADDRESS_IPV4, text, strlen(text), &none, &set, error));
    set.count = 0;
    write_ranges(text, sizeof text, ADDRESS_LIST_RANGES_MAX + 1);
    ck_assert(!address_list_take(ADDRESS_IPV4, text, strlen(text), &none, &set, error));
}
END_TEST

Suite *address_list_suite(void)
{
    Suite *suite = suite_create("address_list");
    ADD_RULE_FOR_EACH(suite, a_fetched_list_must_look_like_cloudflares, lists);
    ADD_RULE(suite, a_list_that_loses_half_of_its_ranges_is_refused);
    ADD_RULE(suite, a_list_of_too_many_ranges_is_refused);
    return suite;
}
