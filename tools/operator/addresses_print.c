/* SPDX-License-Identifier: MIT */
#include "addresses.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "config/config.h"
#include "operator.h"
#include "options.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * `feedgate addresses print`: the ranges as configuration of programs that
 * turn strangers away before an endpoint sees them.
 */

/* One line for each range of a family, or of both. */
static void print_ranges(const struct address_set *set, int family, const char *before,
                         const char *behind)
{
    char text[ADDRESS_RANGE_SIZE];
    for (size_t i = 0; i < set->count; i++)
        if (family == ADDRESS_FAMILIES ||
            address_range_is_ipv4(&set->ranges[i]) == (family == ADDRESS_IPV4))
            (void)printf("%s%s%s\n", before, address_range_print(&set->ranges[i], text), behind);
}

static void print_apache(const struct address_set *set)
{
    (void)printf("# Behind the line that includes feedgate's configuration, in the same place.\n"
                 "<LocationMatch \"^/(?:notification|availableaccounts)$\">\n"
                 "    <RequireAny>\n");
    print_ranges(set, ADDRESS_FAMILIES, "        Require ip ", "");
    (void)printf("    </RequireAny>\n</LocationMatch>\n");
}

static void print_lighttpd(const struct address_set *set)
{
    char text[ADDRESS_RANGE_SIZE];
    (void)printf("# Anywhere behind the list of modules.\n"
                 "server.modules += (\"mod_access\")\n"
                 "$HTTP[\"url\"] =~ \"^/(?:notification|availableaccounts)$\" {\n");
    for (size_t i = 0; i < set->count; i++)
        (void)printf("    %s$HTTP[\"remoteip\"] == \"%s\" { }\n", i == 0 ? "" : "else ",
                     address_range_print(&set->ranges[i], text));
    (void)printf("    else $HTTP[\"remoteip\"] =~ \"\" { url.access-deny = (\"\") }\n}\n");
}

static void print_nginx(const struct address_set *set)
{
    (void)printf("# To be included in `location = /notification` and in\n"
                 "# `location = /availableaccounts`, and nowhere else.\n");
    print_ranges(set, ADDRESS_FAMILIES, "allow ", ";");
    (void)printf("deny all;\n");
}

/* An element of a set ends with a comma, the last one too. */
static void print_nft_set(const struct address_set *set, int family, const char *name,
                          const char *type)
{
    (void)printf("    set %s {\n        type %s\n        flags interval\n        elements = {\n",
                 name, type);
    print_ranges(set, family, "            ", ",");
    (void)printf("        }\n    }\n");
}

static bool has_family(const struct address_set *set, enum address_family family)
{
    for (size_t i = 0; i < set->count; i++)
        if (address_range_is_ipv4(&set->ranges[i]) == (family == ADDRESS_IPV4))
            return true;
    return false;
}

static void print_nft(const struct address_set *set)
{
    (void)printf("# Sage's addresses as sets, and no rule: a firewall can't tell one URL from\n"
                 "# another, and customers come to the same port from anywhere. With a port that\n"
                 "# is for Sage alone (here 8443), rules such as these, in a chain of yours, keep\n"
                 "# others off it:\n#\n"
                 "#   tcp dport 8443 ip saddr @sage_ipv4 accept\n"
                 "#   tcp dport 8443 ip6 saddr @sage_ipv6 accept\n"
                 "#   tcp dport 8443 drop\n#\n"
                 "# Load it with nft -f; loading it again replaces the sets' elements.\n"
                 "table inet feedgate {\n    set sage_ipv4 { type ipv4_addr; flags interval; }\n"
                 "    set sage_ipv6 { type ipv6_addr; flags interval; }\n}\n"
                 "flush set inet feedgate sage_ipv4\nflush set inet feedgate sage_ipv6\n"
                 "table inet feedgate {\n");
    if (has_family(set, ADDRESS_IPV4))
        print_nft_set(set, ADDRESS_IPV4, "sage_ipv4", "ipv4_addr");
    if (has_family(set, ADDRESS_IPV6))
        print_nft_set(set, ADDRESS_IPV6, "sage_ipv6", "ipv6_addr");
    (void)printf("}\n");
}

typedef void printer(const struct address_set *set);

static const struct {
    const char *name;
    printer *print;
} targets[] = {
    {"apache", print_apache},
    {"lighttpd", print_lighttpd},
    {"nginx", print_nginx},
    {"nft", print_nft},
};

/* The list that came with feedgate; false after saying why not. */
static bool read_shipped(struct address_set *set)
{
    char text[ADDRESS_LIST_MAX];
    const char *complaint = NULL;
    int line = 0;
    struct stat status;
    _cleanup_(cleanup_close) int file = file_open(ADDRESSES_SHIPPED, FILE_LINKS_FOLLOWED, &status);
    if (file < 0) {
        (void)fail("[network] sage_addresses_file isn't set, and %s: %s", ADDRESSES_SHIPPED,
                   strerror(errno));
        return false;
    }
    ssize_t length = file_read(file, text, sizeof text);
    if (length < 0 || length == sizeof text) {
        (void)fail("%s can't be read", ADDRESSES_SHIPPED);
        return false;
    }
    if (address_set_read(set, text, (size_t)length, &line, &complaint))
        return true;
    (void)fail("%s:%d: the line %s", ADDRESSES_SHIPPED, line, complaint);
    return false;
}

static printer *find_printer(const char *name)
{
    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++)
        if (strcmp(name, targets[i].name) == 0)
            return targets[i].print;
    return NULL;
}

int print_addresses(struct call *call)
{
    char error[SERVICE_ERROR_MAX];
    printer *print = find_printer(call->target);
    if (!print)
        return fail_usage("--for takes apache, lighttpd, nginx or nft, not ", call->target);
    struct address_set shipped = {0};
    if (!operator_configure(call, error))
        return fail("%s", error);
    const struct config_addresses *configured = &call->service.config->network.sage_addresses;
    if (!configured->file && !read_shipped(&shipped))
        return EXIT_FAILURE;
    const struct address_set *set = configured->file ? &configured->set : &shipped;
    (void)printf("# Sage's addresses, from %s.\n",
                 configured->file ? configured->file : ADDRESSES_SHIPPED);
    print(set);
    return EXIT_SUCCESS;
}
