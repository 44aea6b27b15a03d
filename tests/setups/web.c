/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <poll.h>
#include <string.h>

/* What the web servers' configurations promise. */

enum { STALLED = 12, ROUNDS = 4 }; /* more than the threads of an endpoint, which are eight */

/* ---- URLs --------------------------------------------------------------------------- */

static int status_of(const char *path)
{
    return http_send(&(struct request){.method = "HEAD", .path = path}).status;
}

/* `*` is the endpoint. */
static const char *const others[] = {
    "/*/",   "/*/extra", "/*X",   "/x*",      "/*.fcgi", "/*%2f",  "/*;x",
    "/*%20", "/x/*",     "/*%00", "/*%3fa=b", "/*\\",    "/*&a=b", "/*%23",
};
static const char *const endpoints[] = {"notification",      "auth", "authrefresh",
                                        "availableaccounts", "code", "complete"};

START_TEST(no_other_url_reaches_an_endpoint)
{
    row_begin("URLs matched exactly");
    size_t mark = log_mark();
    for (size_t e = 0; e < ROWS(endpoints); e++)
        for (size_t i = 0; i < ROWS(others); i++) {
            const char *path = fill_in(others[i], '*', endpoints[e]);
            int status = status_of(path);
            EXPECT(status >= 400 && status < 500 && status != 405, "%s is answered with %d", path,
                   status);
        }
    EXPECT_STATUS(OPEN(.method = "HEAD"), 405);
    AWAIT(LOG_COUNT(mark, "event", "refused") == 1, "more than one came through:\n%s",
          log_since(mark));
    row_passed();
}
END_TEST

/* All six servers make the same URL of these before anything is matched. */
START_TEST(what_servers_normalise_is_the_same_url)
{
    static const char *const same[] = {"//auth", "/./auth", "/x/../auth", "/%61uth"};
    row_begin("URLs normalised");
    for (size_t i = 0; i < ROWS(same); i++)
        EXPECT(status_of(same[i]) == 405, "%s is answered with %d", same[i], status_of(same[i]));
    row_passed();
}
END_TEST

/* As plain CGI, a query without `=` would come as options (RFC 3875 section 4.4). */
START_TEST(a_query_is_no_option)
{
    row_begin("a query is no option");
    struct response response = OPEN(.query = "--version");
    row_status(response.status);
    EXPECT_REFUSED(response, REFUSAL_PARAMETER_MISSING);
    row_passed();
}
END_TEST

/* ---- headers ------------------------------------------------------------------------ */

START_TEST(a_wrong_key_before_the_right_one_is_refused)
{
    row_begin("key header twice, wrong first");
    struct response response =
        NOTIFY(.key = "another-key-0123456789-0123456789",
               .headers = {scratch_format("X-Feedgate-Key: %s", SERVER_KEY)});
    row_status(response.status);
    EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_WRONG);
    row_passed();
}
END_TEST

START_TEST(a_wrong_key_behind_the_right_one_is_refused)
{
    row_begin("key header twice, right first");
    struct response response =
        NOTIFY(.headers = {"X-Feedgate-Key: another-key-0123456789-0123456789"});
    row_status(response.status);
    if (server_is("nginx")) {
        EXPECT_RECORDED(response, "armed");
        row_left_to_server("nginx hands on both, the first one first, and that counts");
        return;
    }
    EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_WRONG);
    row_passed();
}
END_TEST

/* A proxy may add a line of its own behind the one that its client forged. */
START_TEST(the_last_x_forwarded_for_counts)
{
    row_begin("X-Forwarded-For twice: the last");
    struct response response =
        NOTIFY(.headers = {"X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 192.0.2.1"});
    row_status(response.status);
    EXPECT_REFUSED(response, REFUSAL_ADDRESS);
    EXPECT_RECORDED(
        NOTIFY(.headers = {"X-Forwarded-For: 192.0.2.1", "X-Forwarded-For: 198.51.100.7"}),
        "armed");
    row_passed();
}
END_TEST

START_TEST(a_proxy_header_is_no_variable)
{
    row_begin("Proxy: never HTTP_PROXY");
    server_write_file("seen", "");
    EXPECT_RECORDED(NOTIFY(.headers = {"Proxy: http://evil.test/", "X-Seen: yes"}), "armed");
    const char *seen = server_read_file("seen");
    EXPECT(strstr(seen, "\nHTTP_X_SEEN=yes\n") != NULL, "nothing was seen: %s", seen);
    EXPECT(strstr(seen, "HTTP_PROXY=") == NULL, "it came: %s", seen);
    row_passed();
}
END_TEST

START_TEST(a_header_line_of_8000_bytes_is_no_business_of_the_endpoint)
{
    row_begin("header line over 8 KiB: 4xx");
    size_t mark = log_mark();
    const char *header = scratch_format("X-Long: %s", repeat("x", 9000));
    struct request request = OPENING(.headers = {header});
    struct response response = http_send(&request);
    row_status(response.status);
    EXPECT(response.status >= 400 && response.status < 500, "status %d", response.status);
    EXPECT_NUMBER(LOG_COUNT(mark, "event", "refused"), 0);
    row_passed();
}
END_TEST

START_TEST(a_body_over_the_wall_is_refused)
{
    row_begin("body over 256 KiB: 413");
    struct response response = NOTIFY(.body = repeat("x", 256 * 1024 + 1));
    row_status(response.status);
    EXPECT_NUMBER(response.status, 413);
    EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "refused"), 0);
    row_passed();
}
END_TEST

/* ---- clients that stall --------------------------------------------------------------- */

static const char half_form[] = "POST /auth HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                "Content-Type: application/x-www-form-urlencoded\r\n"
                                "Content-Length: 100\r\n\r\nticket=";
static const char half_header[] = "GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ";

/* The other side has neither answered nor closed it. */
static bool waits(int wire)
{
    struct pollfd poll_for = {.fd = wire, .events = POLLIN};
    return poll(&poll_for, 1, 0) == 0;
}

/* More clients than threads stall, and others are served while all of them still do. */
static bool served_beside(const char *half)
{
    int wires[STALLED];
    bool outlasted = true;
    for (int i = 0; i < STALLED; i++) {
        wires[i] = wire_connect_http();
        EXPECT(wire_send(wires[i], half, strlen(half)), "%s", "it isn't taken");
    }
    /* were they in the threads' way, these would wait until the server cuts them off */
    for (int i = 0; i < 2; i++)
        EXPECT_REFUSED(OPEN(), REFUSAL_SESSION_UNKNOWN);
    for (int i = 0; i < STALLED; i++)
        outlasted = outlasted && waits(wires[i]);
    for (int i = 0; i < STALLED; i++)
        wire_close(wires[i]);
    return outlasted;
}

/* On a busy machine they may be cut off before the others are served; never each time. */
static void expect_served_beside(const char *half)
{
    for (int round = 0; round < ROUNDS; round++)
        if (served_beside(half))
            return;
    EXPECT(false, "%s", "others were served only when the stalled had been cut off");
}

START_TEST(half_a_form_holds_no_thread)
{
    row_begin("half a form holds no thread");
    expect_served_beside(half_form);
    row_passed();
}
END_TEST

START_TEST(half_a_header_holds_no_thread)
{
    row_begin("half a header holds no thread");
    expect_served_beside(half_header);
    row_passed();
}
END_TEST

Suite *web_rows(void)
{
    Suite *suite = suite_create("web");
    ADD_TEST(suite, no_other_url_reaches_an_endpoint);
    ADD_TEST(suite, what_servers_normalise_is_the_same_url);
    ADD_TEST(suite, a_query_is_no_option);
    ADD_TEST(suite, a_wrong_key_before_the_right_one_is_refused);
    ADD_TEST(suite, a_wrong_key_behind_the_right_one_is_refused);
    ADD_TEST(suite, the_last_x_forwarded_for_counts);
    ADD_TEST(suite, a_proxy_header_is_no_variable);
    ADD_TEST(suite, a_header_line_of_8000_bytes_is_no_business_of_the_endpoint);
    ADD_TEST(suite, a_body_over_the_wall_is_refused);
    ADD_TEST(suite, half_a_form_holds_no_thread);
    ADD_TEST(suite, half_a_header_holds_no_thread);
    return suite;
}
