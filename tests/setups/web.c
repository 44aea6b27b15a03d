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
    /* What was asked before stands in the log once this does. */
    EXPECT_REFUSED(OPEN(.method = "HEAD"), REFUSAL_METHOD_NOT_ALLOWED);
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

#define WRONG_KEY "another-key-0123456789-0123456789"

/* `*` is the right key. */
static const struct {
    const char *name;
    const char *headers[2];
} twice[] = {
    {"key header twice, the same", {"X-Feedgate-Key: *", "X-Feedgate-Key: *"}},
    {"key header twice, right first", {"X-Feedgate-Key: *", "X-Feedgate-Key: " WRONG_KEY}},
    {"key header twice, wrong first", {"X-Feedgate-Key: " WRONG_KEY, "X-Feedgate-Key: *"}},
    {"key header twice, in two cases", {"X-Feedgate-Key: *", "x-feedgate-key: *"}},
};

static struct response send_key_headers(const char *const headers[2])
{
    const char *second = headers[1] != NULL ? fill_in(headers[1], '*', SERVER_KEY) : NULL;
    return NOTIFY(.key = OMIT, .headers = {fill_in(headers[0], '*', SERVER_KEY), second});
}

START_TEST(a_key_header_that_comes_twice_is_refused)
{
    row_begin(twice[_i].name);
    struct response response = send_key_headers(twice[_i].headers);
    row_status(response.status);
    EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_REPEATED);
    expect_public_answer(&response, REFUSAL_KEY_HEADER_REPEATED);
    row_passed();
}
END_TEST

START_TEST(an_empty_second_key_header_is_refused_or_dropped)
{
    static const char *const behind[2] = {"X-Feedgate-Key: *", "X-Feedgate-Key;"};
    static const char *const first[2] = {"X-Feedgate-Key;", "X-Feedgate-Key: *"};
    row_begin("key header twice, one is empty");
    struct response response = send_key_headers(behind);
    row_status(response.status);
    if (strncmp(server_set_up(), "lighttpd", strlen("lighttpd")) == 0) {
        EXPECT_RECORDED(response, "armed");
        EXPECT_RECORDED(send_key_headers(first), "armed");
        row_left_to_server("lighttpd drops a header without a value");
        return;
    }
    EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_REPEATED);
    EXPECT_REFUSED(send_key_headers(first), REFUSAL_KEY_HEADER_REPEATED);
    row_passed();
}
END_TEST

/* A name with `_` is another header, which becomes the same variable, unless it is dropped. */
static const struct {
    const char *name;
    const char *headers[2];
    enum refusal dropped; /* what comes of it where the second name is dropped */
} aliases[] = {
    {"X_Key and X-Key, the same", {"X_Feedgate_Key: *", "X-Feedgate-Key: *"}, REFUSAL_NONE},
    {"X-Key and X_Key, the same", {"X-Feedgate-Key: *", "X_Feedgate_Key: *"}, REFUSAL_NONE},
    {"X_Key right, X-Key wrong",
     {"X_Feedgate_Key: *", "X-Feedgate-Key: " WRONG_KEY},
     REFUSAL_KEY_HEADER_WRONG},
    {"X-Key wrong, X_Key right",
     {"X-Feedgate-Key: " WRONG_KEY, "X_Feedgate_Key: *"},
     REFUSAL_KEY_HEADER_WRONG},
    {"X_Key wrong, X-Key right", {"X_Feedgate_Key: " WRONG_KEY, "X-Feedgate-Key: *"}, REFUSAL_NONE},
    {"X-Key right, X-Feedgate_Key wrong",
     {"X-Feedgate-Key: *", "X-Feedgate_Key: " WRONG_KEY},
     REFUSAL_NONE},
};

static bool drops_underscores(void)
{
    return strncmp(server_set_up(), "lighttpd", strlen("lighttpd")) != 0;
}

START_TEST(an_alias_of_the_key_header_never_counts_beside_it)
{
    row_begin(aliases[_i].name);
    struct response response = send_key_headers(aliases[_i].headers);
    row_status(response.status);
    if (!drops_underscores())
        EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_REPEATED);
    else if (aliases[_i].dropped == REFUSAL_NONE)
        EXPECT_RECORDED(response, "armed");
    else
        EXPECT_REFUSED(response, aliases[_i].dropped);
    row_passed();
}
END_TEST

START_TEST(a_lone_alias_is_dropped_or_is_the_key_header)
{
    static const char *const right[2] = {"X_Feedgate_Key: *"};
    static const char *const wrong[2] = {"X_Feedgate_Key: " WRONG_KEY};
    row_begin("X_Key alone");
    struct response response = send_key_headers(right);
    row_status(response.status);
    if (!drops_underscores()) {
        EXPECT_RECORDED(response, "armed");
        EXPECT_REFUSED(send_key_headers(wrong), REFUSAL_KEY_HEADER_WRONG);
        row_left_to_server("lighttpd makes one variable of X_Key and X-Key, so the one is as good "
                           "as the other, with the right key");
        return;
    }
    EXPECT_REFUSED(response, REFUSAL_KEY_HEADER_MISSING);
    row_passed();
}
END_TEST

/* ---- Authorization ------------------------------------------------------------------ */

/* `*` is what opens, a token or a key. */
static const struct {
    const char *name;
    const char *first;
    const char *second;
} credentials[] = {
    {"Authorization twice, the same", "Bearer *", "Bearer *"},
    {"Authorization twice, right first", "Bearer *", "Bearer x"},
    {"Authorization twice, wrong first", "Bearer x", "Bearer *"},
    {"Authorization twice, another scheme", "Basic eDp5", "Bearer *"},
};

static struct response call_with(const char *endpoint, const char *first, const char *line)
{
    const char *body = scratch_format("{\"customer\":\"%s\"}", new_customer(1));
    struct request code = {.path = "/code",
                           .body = body,
                           .body_length = strlen(body),
                           .headers = {"Content-Type: application/json",
                                       scratch_format("Authorization: %s", first), line}};
    if (strcmp(endpoint, "notification") == 0)
        return NOTIFY(.authorization = first, .headers = {line});
    if (strcmp(endpoint, "availableaccounts") == 0)
        return LIST(.key = SERVER_KEY, .authorization = first, .headers = {line});
    if (strcmp(endpoint, "complete") == 0)
        return COMPLETE(.authorization = first, .headers = {line});
    return http_send(&code);
}

START_TEST(an_authorization_that_comes_twice_is_refused)
{
    const char *const opens[][2] = {{"notification", TOKEN()},
                                    {"availableaccounts", TOKEN()},
                                    {"code", SERVER_CODE_KEY},
                                    {"complete", SERVER_COMPLETE_KEY}};
    row_begin(credentials[_i].name);
    for (size_t i = 0; i < ROWS(opens); i++) {
        const char *second = fill_in(credentials[_i].second, '*', opens[i][1]);
        struct response response =
            call_with(opens[i][0], fill_in(credentials[_i].first, '*', opens[i][1]),
                      scratch_format("Authorization: %s", second));
        row_status(response.status);
        if (server_is("nginx")) {
            EXPECT_NUMBER(response.status, 400);
            EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "refused"), 0);
            continue;
        }
        EXPECT_REFUSED(response, REFUSAL_TOKEN_REPEATED);
        expect_public_answer(&response, REFUSAL_TOKEN_REPEATED);
    }
    if (server_is("nginx"))
        row_left_to_server(not_from_outside(REFUSAL_TOKEN_REPEATED));
    else
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
    EXPECT_REFUSED(response, REFUSAL_ADDRESS_REFUSED);
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
    ADD_ROWS(suite, a_key_header_that_comes_twice_is_refused, ROWS(twice));
    ADD_TEST(suite, an_empty_second_key_header_is_refused_or_dropped);
    ADD_ROWS(suite, an_alias_of_the_key_header_never_counts_beside_it, ROWS(aliases));
    ADD_TEST(suite, a_lone_alias_is_dropped_or_is_the_key_header);
    ADD_ROWS(suite, an_authorization_that_comes_twice_is_refused, ROWS(credentials));
    ADD_TEST(suite, the_last_x_forwarded_for_counts);
    ADD_TEST(suite, a_proxy_header_is_no_variable);
    ADD_TEST(suite, a_header_line_of_8000_bytes_is_no_business_of_the_endpoint);
    ADD_TEST(suite, a_body_over_the_wall_is_refused);
    ADD_TEST(suite, half_a_form_holds_no_thread);
    ADD_TEST(suite, half_a_header_holds_no_thread);
    return suite;
}
