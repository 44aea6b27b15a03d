/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "web/client_address.h"

#include <string.h>

#define HOP "10.0.0.1, "
#define HOPS_8 HOP HOP HOP HOP HOP HOP HOP HOP
#define FORGED "192.0.2.66, "
#define FORGED_8 FORGED FORGED FORGED FORGED FORGED FORGED FORGED FORGED

/* Who is trusted in all cases. */
static struct address_set trusted_proxies(void)
{
    static const char list[] = "127.0.0.1\n10.0.0.0/8\n2001:db8:1::/48\n";
    struct address_set set = {0};
    int line;
    const char *complaint;
    ck_assert(address_set_read(&set, list, strlen(list), &line, &complaint));
    return set;
}

static const struct {
    const char *peer, *value;
    enum client_address_kind kind;
    const char *address; /* with the last two kinds */
} forwarded[] = {
    /* nobody to believe */
    {"198.51.100.7", NULL, CLIENT_ADDRESS_OF_PEER, "198.51.100.7"},
    {"198.51.100.7", "192.0.2.1", CLIENT_ADDRESS_OF_PEER, "198.51.100.7"},
    {"198.51.100.7", "127.0.0.1", CLIENT_ADDRESS_OF_PEER, "198.51.100.7"},
    {"198.51.100.7", "nonsense", CLIENT_ADDRESS_OF_PEER, "198.51.100.7"},
    {"::1", "192.0.2.1", CLIENT_ADDRESS_OF_PEER, "::1"},
    {"11.0.0.1", "192.0.2.1", CLIENT_ADDRESS_OF_PEER, "11.0.0.1"},
    /* no peer */
    {NULL, "192.0.2.1", CLIENT_ADDRESS_NONE, NULL},
    {"", "192.0.2.1", CLIENT_ADDRESS_NONE, NULL},
    {"unix:", "192.0.2.1", CLIENT_ADDRESS_NONE, NULL},
    {"127.0.0.1:4711", "192.0.2.1", CLIENT_ADDRESS_NONE, NULL},
    {"127.0.0.1 ", "192.0.2.1", CLIENT_ADDRESS_NONE, NULL},
    /* a trusted one */
    {"127.0.0.1", NULL, CLIENT_ADDRESS_OF_PEER, "127.0.0.1"},
    {"127.0.0.1", "192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"::ffff:127.0.0.1", "192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", "::ffff:192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"2001:db8:1::9", "2001:db8:2::1", CLIENT_ADDRESS_FROM_HEADER, "2001:db8:2::1"},
    {"127.0.0.1", " \t192.0.2.1 \t", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    /* from the right, past proxies; what the client wrote itself stands left */
    {"127.0.0.1", "104.16.0.1, 192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", "104.16.0.1,192.0.2.1,10.1.2.3", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", "104.16.0.1, 10.0.0.1, 192.0.2.1, 10.0.0.1", CLIENT_ADDRESS_FROM_HEADER,
     "192.0.2.1"},
    {"127.0.0.1", "192.0.2.1, ::ffff:10.0.0.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", "nonsense, 192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", ",,,192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", FORGED_8 FORGED_8 FORGED_8 FORGED_8 FORGED_8 "192.0.2.1",
     CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    /* a request that a proxy itself began */
    {"127.0.0.1", "10.0.0.1", CLIENT_ADDRESS_FROM_HEADER, "10.0.0.1"},
    {"127.0.0.1", "10.0.0.2, 10.0.0.1", CLIENT_ADDRESS_FROM_HEADER, "10.0.0.2"},
    /* what can't be understood is nobody's address */
    {"127.0.0.1", "", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", " ", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", ",", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1,", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1, ", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1,,10.0.0.1", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1 10.0.0.1", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1;10.0.0.1", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1, unknown", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "unknown, 10.0.0.1", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1:443", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "[2001:db8:2::1]", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "[2001:db8:2::1]:443", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "for=192.0.2.1", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "\"192.0.2.1\"", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.01", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "fe80::1%eth0", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1\v", CLIENT_ADDRESS_MALFORMED, NULL},
    /* as many proxies as anybody has, and more */
    {"127.0.0.1", "192.0.2.1, " HOPS_8 HOP HOP HOP HOP HOP HOP "10.0.0.1",
     CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"127.0.0.1", "192.0.2.1, " HOPS_8 HOPS_8 "10.0.0.1", CLIENT_ADDRESS_MALFORMED, NULL},
    {"127.0.0.1", "192.0.2.1, " HOPS_8 HOPS_8 HOPS_8 HOPS_8 HOPS_8 "10.0.0.1",
     CLIENT_ADDRESS_MALFORMED, NULL},
};

static void judge(const struct client_address *found, enum client_address_kind kind,
                  const char *address, const char *name)
{
    char text[ADDRESS_SIZE];
    ck_assert_msg(found->kind == kind, "%s: %d", name, (int)found->kind);
    if (address)
        ck_assert_str_eq(address_print(&found->address, text), address);
}

START_TEST(forwarded_for_is_read_from_the_right_and_only_from_a_trusted_proxy)
{
    const struct address_set trusted = trusted_proxies();
    struct client_address found = client_address_find(
        &trusted, CLIENT_X_FORWARDED_FOR, forwarded[_i].peer, forwarded[_i].value, false);
    judge(&found, forwarded[_i].kind, forwarded[_i].address,
          forwarded[_i].value ? forwarded[_i].value : "no header");
}
END_TEST

static const struct {
    const char *value;
    enum client_address_kind kind;
    const char *address;
} connecting[] = {
    {"192.0.2.1", CLIENT_ADDRESS_FROM_HEADER, "192.0.2.1"},
    {"2001:db8:2::1", CLIENT_ADDRESS_FROM_HEADER, "2001:db8:2::1"},
    {"10.0.0.1", CLIENT_ADDRESS_FROM_HEADER, "10.0.0.1"},
    {NULL, CLIENT_ADDRESS_OF_PEER, "127.0.0.1"},
    {"192.0.2.1, 192.0.2.2", CLIENT_ADDRESS_MALFORMED, NULL},
    {"192.0.2.1,", CLIENT_ADDRESS_MALFORMED, NULL},
    {"", CLIENT_ADDRESS_MALFORMED, NULL},
    {"unknown", CLIENT_ADDRESS_MALFORMED, NULL},
};

START_TEST(connecting_ip_is_one_address)
{
    const struct address_set trusted = trusted_proxies();
    struct client_address found = client_address_find(&trusted, CLIENT_CF_CONNECTING_IP,
                                                      "127.0.0.1", connecting[_i].value, false);
    judge(&found, connecting[_i].kind, connecting[_i].address,
          connecting[_i].value ? connecting[_i].value : "no header");
}
END_TEST

START_TEST(a_header_that_came_in_two_variables_names_nobody)
{
    const struct address_set trusted = trusted_proxies();
    for (int header = CLIENT_X_FORWARDED_FOR; header <= CLIENT_CF_CONNECTING_IP; header++) {
        struct client_address found = client_address_find(
            &trusted, (enum client_address_header)header, "127.0.0.1", "192.0.2.1", true);
        judge(&found, CLIENT_ADDRESS_MALFORMED, NULL, "trusted");
        found = client_address_find(&trusted, (enum client_address_header)header, "198.51.100.7",
                                    "192.0.2.1", true);
        judge(&found, CLIENT_ADDRESS_OF_PEER, "198.51.100.7", "not trusted");
    }
}
END_TEST

START_TEST(without_trusted_proxies_no_header_is_believed)
{
    static const struct address_set none;
    struct client_address found =
        client_address_find(&none, CLIENT_X_FORWARDED_FOR, "127.0.0.1", "192.0.2.1", false);
    judge(&found, CLIENT_ADDRESS_OF_PEER, "127.0.0.1", "none");
}
END_TEST

Suite *client_address_suite(void)
{
    Suite *suite = suite_create("client_address");
    ADD_RULE_FOR_EACH(suite, forwarded_for_is_read_from_the_right_and_only_from_a_trusted_proxy,
                      forwarded);
    ADD_RULE_FOR_EACH(suite, connecting_ip_is_one_address, connecting);
    ADD_RULE(suite, a_header_that_came_in_two_variables_names_nobody);
    ADD_RULE(suite, without_trusted_proxies_no_header_is_believed);
    return suite;
}
