/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/* Who may call, told by addresses: the web server's peer here is 127.0.0.1, as a proxy's would be.
 */

#define CLOUDFLARE "104.16.0.0/13\n2400:cb00::/32\n"
#define CHECKED "network.sage_addresses_file = sage.txt"
#define TRUSTING "network.trusted_proxies = 127.0.0.1 10.0.0.0/8"

START_TEST(an_address_that_is_not_sages_is_refused_before_the_key_is_looked_at)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", "# of a test\n" CLOUDFLARE}});
    struct response stranger = NOTIFY();
    EXPECT_REFUSED(stranger, REFUSAL_ADDRESS_REFUSED);
    struct response without_key = NOTIFY(.key = OMIT);
    EXPECT_REFUSED(without_key, REFUSAL_ADDRESS_REFUSED);
    EXPECT_SAME_ANSWER(stranger, without_key);
    EXPECT_REFUSED(NOTIFY(.authorization = OMIT), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(LIST(), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(LIST(.authorization = OMIT), REFUSAL_ADDRESS_REFUSED);
    /* what costs nothing comes first */
    EXPECT_REFUSED(NOTIFY(.media_type = "text/plain"), REFUSAL_MEDIA_TYPE);
    EXPECT_REFUSED(NOTIFY(.method = "PUT"), REFUSAL_METHOD_NOT_ALLOWED);
}
END_TEST

START_TEST(customers_and_the_backend_come_from_anywhere)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", CLOUDFLARE}});
    EXPECT_REFUSED(OPEN(), REFUSAL_SESSION_UNKNOWN);
    EXPECT_REFUSED(OPEN(.endpoint = "authrefresh"), REFUSAL_SESSION_UNKNOWN);
    EXPECT_STATUS(OPEN(.state = "x"), 400);
    EXPECT_REFUSED(http_send(&(struct request){.path = "/code",
                                               .body = "{}",
                                               .body_length = 2,
                                               .headers = {"Content-Type: application/json"}}),
                   REFUSAL_CODE_KEY_MISSING);
}
END_TEST

START_TEST(an_address_alone_lets_nobody_in)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", CLOUDFLARE "127.0.0.0/8\n"}});
    EXPECT_RECORDED(NOTIFY(), "armed");
    EXPECT_REFUSED(NOTIFY(.key = OMIT), REFUSAL_KEY_HEADER_MISSING);
    EXPECT_REFUSED(NOTIFY(.authorization = OMIT), REFUSAL_TOKEN_MISSING);
    EXPECT_STATUS(LIST(), 404);
    /* a stranger's headers change nothing */
    EXPECT_RECORDED(
        NOTIFY(.headers = {"X-Forwarded-For: 192.0.2.1", "CF-Connecting-IP: 192.0.2.1"}), "armed");
}
END_TEST

/* That the newest refusal's line names this client, and whether a proxy named it. */
static void expect_logged(size_t mark, const char *address, bool by_proxy)
{
    if (by_proxy)
        AWAIT(LOG_COUNT(mark, "event", "refused", "address", address, "proxy", "127.0.0.1") == 1,
              "no %s by a proxy:\n%s", address, log_since(mark));
    else
        AWAIT(LOG_COUNT(mark, "event", "refused", "address", address) == 1, "no %s:\n%s", address,
              log_since(mark));
    EXPECT(by_proxy || strstr(log_since(mark), "\"proxy\"") == NULL, "%s", log_since(mark));
}

START_TEST(a_header_from_an_untrusted_peer_is_ignored)
{
    SERVER(.settings = {CHECKED, "network.trusted_proxies = 10.0.0.0/8 ::1"},
           .files = {{"sage.txt", CLOUDFLARE}});
    struct response forged = NOTIFY(.headers = {"X-Forwarded-For: 104.16.0.1"});
    EXPECT_REFUSED(forged, REFUSAL_ADDRESS_REFUSED);
    expect_logged(forged.log_mark, "127.0.0.1", false);
    EXPECT_REFUSED(
        NOTIFY(.headers = {"CF-Connecting-IP: 104.16.0.1", "X-Real-IP: 104.16.0.1",
                           "Forwarded: for=104.16.0.1", "X-Forwarded-For: 104.16.0.1, 10.0.0.1"}),
        REFUSAL_ADDRESS_REFUSED);
}
END_TEST

START_TEST(while_no_list_is_given_nobody_is_refused_by_address)
{
    EXPECT_RECORDED(NOTIFY(.headers = {"X-Forwarded-For: 192.0.2.1"}), "armed");
    struct response refused = NOTIFY(.key = OMIT, .headers = {"X-Forwarded-For: 192.0.2.1"});
    EXPECT_REFUSED(refused, REFUSAL_KEY_HEADER_MISSING);
    expect_logged(refused.log_mark, "127.0.0.1", false);
}
END_TEST

static const struct {
    const char *name;
    const char *headers[4];
    const char *logged; /* the client's address; NULL: it passes as Sage */
    bool by_peer;       /* what is logged is the peer's, since nobody else's can be told */
} forwarded[] = {
    {"Sage", {"X-Forwarded-For: 104.16.0.1"}, NULL, false},
    {"Sage by IPv6", {"X-Forwarded-For: 2400:cb00::1"}, NULL, false},
    {"Sage, mapped", {"X-Forwarded-For: ::ffff:104.23.255.255"}, NULL, false},
    {"Sage through two proxies", {"X-Forwarded-For: 104.16.0.1, 10.0.0.9"}, NULL, false},
    {"Sage, whatever it wrote itself", {"X-Forwarded-For: unknown, 104.16.0.1"}, NULL, false},
    {"a stranger", {"X-Forwarded-For: 192.0.2.1"}, "192.0.2.1", false},
    {"a stranger beside the range", {"X-Forwarded-For: 104.24.0.0"}, "104.24.0.0", false},
    {"a stranger who writes Sage's",
     {"X-Forwarded-For: 104.16.0.1, 192.0.2.1"},
     "192.0.2.1",
     false},
    {"a stranger who writes Sage's and a proxy's",
     {"X-Forwarded-For: 104.16.0.1, 10.0.0.9, 192.0.2.1, 10.0.0.9"},
     "192.0.2.1",
     false},
    {"a stranger who sends a header of their own",
     {"X-Forwarded-For: 104.16.0.1", "X-Forwarded-For: 192.0.2.1"},
     "192.0.2.1",
     false},
    {"another header",
     {"CF-Connecting-IP: 104.16.0.1", "X-Forwarded-For: 192.0.2.1"},
     "192.0.2.1",
     false},
    {"another header alone",
     {"CF-Connecting-IP: 104.16.0.1", "X-Real-IP: 104.16.0.1"},
     "127.0.0.1",
     true},
    {"none", {NULL}, "127.0.0.1", true},
    {"an empty element", {"X-Forwarded-For: 104.16.0.1,"}, "127.0.0.1", true},
    {"an empty element between", {"X-Forwarded-For: 104.16.0.1,,10.0.0.9"}, "127.0.0.1", true},
    {"unknown", {"X-Forwarded-For: 104.16.0.1, unknown"}, "127.0.0.1", true},
    {"a port", {"X-Forwarded-For: 104.16.0.1:443"}, "127.0.0.1", true},
    {"brackets", {"X-Forwarded-For: [2400:cb00::1]"}, "127.0.0.1", true},
    {"a zone", {"X-Forwarded-For: 2400:cb00::1%lo"}, "127.0.0.1", true},
    {"leading zeros", {"X-Forwarded-For: 104.016.0.1"}, "127.0.0.1", true},
    {"a range", {"X-Forwarded-For: 104.16.0.0/13"}, "127.0.0.1", true},
};

START_TEST(a_trusted_proxy_names_the_client_from_the_right)
{
    SERVER(.settings = {CHECKED, TRUSTING}, .files = {{"sage.txt", CLOUDFLARE}});
    for (size_t i = 0; i < ROWS(forwarded); i++) {
        case_is(forwarded[i].name);
        const char *const *headers = forwarded[i].headers;
        struct response response = NOTIFY(.headers = {headers[0], headers[0] ? headers[1] : NULL});
        if (!forwarded[i].logged) {
            EXPECT_RECORDED(response, "armed");
            EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "notification_recorded", "proxy",
                                    "127.0.0.1"),
                          1);
            continue;
        }
        EXPECT_REFUSED(response, REFUSAL_ADDRESS_REFUSED);
        expect_logged(response.log_mark, forwarded[i].logged, !forwarded[i].by_peer);
    }
    case_is("too many proxies");
    const char *hops = repeat(", 10.0.0.9", 40);
    EXPECT_REFUSED(NOTIFY(.headers = {scratch_format("X-Forwarded-For: 104.16.0.1%s", hops)}),
                   REFUSAL_ADDRESS_REFUSED);
    case_is("/availableaccounts");
    EXPECT_STATUS(LIST(.headers = {"X-Forwarded-For: 104.16.0.1"}), 404);
    EXPECT_REFUSED(LIST(.headers = {"X-Forwarded-For: 192.0.2.1"}), REFUSAL_ADDRESS_REFUSED);
    case_is("a customer's address is logged, and not judged");
    struct response page = OPEN(.headers = {"X-Forwarded-For: 192.0.2.1"});
    EXPECT_REFUSED(page, REFUSAL_SESSION_UNKNOWN);
    expect_logged(page.log_mark, "192.0.2.1", true);
    page = OPEN(.headers = {"X-Forwarded-For: unknown"});
    EXPECT_REFUSED(page, REFUSAL_SESSION_UNKNOWN);
    expect_logged(page.log_mark, "127.0.0.1", false);
}
END_TEST

START_TEST(only_the_chosen_header_counts)
{
    SERVER(.settings = {CHECKED, TRUSTING, "network.client_address_header = CF-Connecting-IP"},
           .files = {{"sage.txt", CLOUDFLARE}});
    EXPECT_RECORDED(NOTIFY(.headers = {"CF-Connecting-IP: 104.16.0.1"}), "armed");
    EXPECT_RECORDED(
        NOTIFY(.headers = {"CF-Connecting-IP: 104.16.0.1", "X-Forwarded-For: 192.0.2.1"}), "armed");
    EXPECT_REFUSED(NOTIFY(.headers = {"X-Forwarded-For: 104.16.0.1"}), REFUSAL_ADDRESS_REFUSED);
    struct response stranger =
        NOTIFY(.headers = {"CF-Connecting-IP: 192.0.2.1", "X-Forwarded-For: 104.16.0.1"});
    EXPECT_REFUSED(stranger, REFUSAL_ADDRESS_REFUSED);
    expect_logged(stranger.log_mark, "192.0.2.1", true);
    EXPECT_REFUSED(NOTIFY(.headers = {"CF-Connecting-IP: 104.16.0.1, 104.16.0.2"}),
                   REFUSAL_ADDRESS_REFUSED);
    /* lighttpd makes one variable of both spellings; others drop the one with underscores */
    EXPECT_REFUSED(
        NOTIFY(.headers = {"CF-Connecting-IP: 192.0.2.1", "CF_Connecting_IP: 104.16.0.1"}),
        REFUSAL_ADDRESS_REFUSED);
}
END_TEST

/* What a web server that hides its peer, or hands over a header twice, makes of a notification. */
static struct response notify_with(const char *peer, const char *first, const char *second)
{
    const struct request request = NOTIFICATION();
    size_t mark = log_mark();
    int wire = fastcgi_begin("notification");
    fastcgi_send_variables(wire, &request);
    if (peer)
        fastcgi_send_parameter(wire, "REMOTE_ADDR", peer);
    if (first)
        fastcgi_send_parameter(wire, "HTTP_X_FORWARDED_FOR", first);
    if (second)
        fastcgi_send_parameter(wire, "HTTP_X_FORWARDED_FOR", second);
    fastcgi_send(wire, FASTCGI_PARAMS, "", 0);
    fastcgi_send(wire, FASTCGI_STDIN, request.body, request.body_length);
    fastcgi_send(wire, FASTCGI_STDIN, "", 0);
    const char *answer = fastcgi_read_answer(wire);
    const char *body = strstr(answer, "\r\n\r\n");
    EXPECT(body != NULL, "no answer but <%s>", answer);
    return (struct response){.endpoint = "notification",
                             .method = "POST",
                             .status = cgi_status(answer),
                             .headers = scratch_copy(answer, (size_t)(body - answer) + 2),
                             .body = body + 4,
                             .body_length = strlen(body + 4),
                             .log_mark = mark};
}

START_TEST(a_client_whose_address_cannot_be_told_is_refused)
{
    SERVER(.settings = {CHECKED, TRUSTING}, .files = {{"sage.txt", CLOUDFLARE}});
    EXPECT_RECORDED(notify_with("104.16.0.1", NULL, NULL), "armed");
    EXPECT_RECORDED(notify_with("::ffff:104.16.0.1", NULL, NULL), "armed");
    EXPECT_RECORDED(notify_with("127.0.0.1", "104.16.0.1", NULL), "armed");
    EXPECT_REFUSED(notify_with(NULL, NULL, NULL), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(notify_with("", NULL, NULL), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(notify_with("unix:", NULL, NULL), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(notify_with("unix:", "104.16.0.1", NULL), REFUSAL_ADDRESS_REFUSED);
    /* nginx's way with a header that came twice: the client may have written the first one */
    EXPECT_REFUSED(notify_with("127.0.0.1", "104.16.0.1", "192.0.2.1"), REFUSAL_ADDRESS_REFUSED);
    EXPECT_REFUSED(notify_with("127.0.0.1", "104.16.0.1", "104.16.0.1"), REFUSAL_ADDRESS_REFUSED);
    EXPECT_RECORDED(notify_with("104.16.0.1", "192.0.2.1", "192.0.2.1"), "armed");
}
END_TEST

Suite *address_rules(void)
{
    Suite *suite = suite_create("address");
    ADD_TEST(suite, an_address_that_is_not_sages_is_refused_before_the_key_is_looked_at);
    ADD_TEST(suite, customers_and_the_backend_come_from_anywhere);
    ADD_TEST(suite, an_address_alone_lets_nobody_in);
    ADD_TEST(suite, a_header_from_an_untrusted_peer_is_ignored);
    ADD_TEST(suite, while_no_list_is_given_nobody_is_refused_by_address);
    ADD_TEST(suite, a_trusted_proxy_names_the_client_from_the_right);
    ADD_TEST(suite, only_the_chosen_header_counts);
    ADD_TEST(suite, a_client_whose_address_cannot_be_told_is_refused);
    return suite;
}
