/* SPDX-License-Identifier: MIT */
#include "address_list.h"

#include <stdio.h>
#include <string.h>

static const struct {
    const char *name;
    size_t fewest;     /* about half of what is published */
    unsigned shortest; /* of prefixes */
} families[ADDRESS_FAMILIES] = {
    [ADDRESS_IPV4] = {"IPv4", 8, 12},
    [ADDRESS_IPV6] = {"IPv6", 4, 28},
};

/* What isn't routed on the Internet, or belongs to nobody (IANA's special-purpose registries). */
static const char *const reserved[] = {
    "0.0.0.0/8",     "10.0.0.0/8",      "100.64.0.0/10",  "127.0.0.0/8",    "169.254.0.0/16",
    "172.16.0.0/12", "192.0.0.0/24",    "192.0.2.0/24",   "192.88.99.0/24", "192.168.0.0/16",
    "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/3",    "::/3",
    "2001::/23",     "2001:db8::/32",   "2002::/16",      "3fff::/20",      "4000::/2",
    "8000::/1",
};

static bool is_reserved(const struct address_range *range)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        struct address_range other;
        const char *complaint = NULL;
        if (!address_range_parse(reserved[i], strlen(reserved[i]), &other, &complaint) ||
            address_ranges_overlap(&other, range))
            return true;
    }
    return false;
}

/* What is wrong with a range; NULL when it can be one of Cloudflare's. */
static const char *judge_range(enum address_family family, const struct address_range *range)
{
    if (address_range_is_ipv4(range) != (family == ADDRESS_IPV4))
        return "is of the other family";
    if (address_range_prefix(range) < families[family].shortest)
        return "is too wide";
    return is_reserved(range) ? "isn't of the public Internet" : NULL;
}

static size_t count_family(const struct address_set *set, enum address_family family)
{
    size_t count = 0;
    for (size_t i = 0; i < set->count; i++)
        if (address_range_is_ipv4(&set->ranges[i]) == (family == ADDRESS_IPV4))
            count++;
    return count;
}

/* Whether all of a range is in one of the set's. */
static bool is_covered(const struct address_set *set, const struct address_range *range)
{
    for (size_t i = 0; i < set->count; i++)
        if (address_ranges_overlap(&set->ranges[i], range) &&
            address_range_prefix(&set->ranges[i]) <= address_range_prefix(range))
            return true;
    return false;
}

/* How many of the family's ranges in use are in the list, too. */
static size_t count_kept(enum address_family family, const struct address_set *present,
                         const struct address_set *list)
{
    size_t kept = 0;
    for (size_t i = 0; i < present->count; i++)
        if (address_range_is_ipv4(&present->ranges[i]) == (family == ADDRESS_IPV4) &&
            is_covered(list, &present->ranges[i]))
            kept++;
    return kept;
}

/* A list of which one range lies in another counts for more than it is. */
static bool overlaps_before(const struct address_set *list, size_t place)
{
    for (size_t i = 0; i < place; i++)
        if (address_ranges_overlap(&list->ranges[i], &list->ranges[place]))
            return true;
    return false;
}

static bool judge_count(enum address_family family, const struct address_set *list,
                        const struct address_set *present, char error[ADDRESS_LIST_ERROR_MAX])
{
    size_t before = count_family(present, family);
    size_t kept = count_kept(family, present, list);
    if (list->count >= families[family].fewest && list->count <= ADDRESS_LIST_RANGES_MAX &&
        kept * 2 >= before)
        return true;
    (void)snprintf(error, ADDRESS_LIST_ERROR_MAX,
                   "the list has %zu ranges of %s, with %zu of the %zu in use, which can't be "
                   "right: it must have %zu to %d, and at least half of those in use",
                   list->count, families[family].name, kept, before, families[family].fewest,
                   ADDRESS_LIST_RANGES_MAX);
    return false;
}

bool address_list_take(enum address_family family, const char *text, size_t length,
                       const struct address_set *present, struct address_set *set,
                       char error[ADDRESS_LIST_ERROR_MAX])
{
    struct address_set list = {0};
    const char *complaint = NULL;
    int line = 0;
    if (!address_set_read(&list, text, length, &line, &complaint)) {
        (void)snprintf(error, ADDRESS_LIST_ERROR_MAX, "line %d %s", line, complaint);
        return false;
    }
    for (size_t i = 0; i < list.count; i++) {
        char range[ADDRESS_RANGE_SIZE];
        complaint = judge_range(family, &list.ranges[i]);
        if (!complaint && overlaps_before(&list, i))
            complaint = "is in another range of the list";
        if (complaint || !address_set_add(set, &list.ranges[i])) {
            (void)snprintf(error, ADDRESS_LIST_ERROR_MAX, "%s %s",
                           address_range_print(&list.ranges[i], range),
                           complaint ? complaint : "is one range too many");
            return false;
        }
    }
    return judge_count(family, &list, present, error);
}
