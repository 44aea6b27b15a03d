/* SPDX-License-Identifier: MIT */
#include "processes.h"
#include "setups.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* What is seen only after a while, or when the server has ended. */

static const char *const halves[] = {
    "GET /auth HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half: ",
    "POST /auth HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nticket=",
    "POST /notification HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{",
};
static int stalled[ROWS(halves)];

/* Not by wire.h, whose connections end with their test. */
void stall_from_now_on(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons((uint16_t)server_port()),
                                  .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
    for (size_t i = 0; i < ROWS(halves); i++) {
        stalled[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        EXPECT(stalled[i] >= 0 &&
                   connect(stalled[i], (struct sockaddr *)&address, sizeof(address)) == 0 &&
                   send(stalled[i], halves[i], strlen(halves[i]), MSG_NOSIGNAL) > 0,
               "%s", "no connection");
    }
}

START_TEST(a_stalled_client_is_cut_off)
{
    row_begin("a stalled client is cut off");
    char bytes[8192];
    for (size_t i = 0; i < ROWS(halves); i++) {
        struct pollfd poll_for = {.fd = stalled[i], .events = POLLIN};
        do /* an answer may come first */
            EXPECT(poll(&poll_for, 1, PATIENCE_MS) == 1, "not after %s", halves[i]);
        while (recv(stalled[i], bytes, sizeof(bytes), 0) > 0);
        (void)close(stalled[i]);
    }
    row_passed();
}
END_TEST

static pid_t endpoints[32];
static size_t endpoint_count;

START_TEST(the_access_log_has_no_query)
{
    row_begin("no query in the access log");
    endpoint_count = server_processes(NULL, endpoints, ROWS(endpoints)); /* while it can be told */
    const char *id = new_uuid();
    const char *account = new_uuid();
    const char *too_long = scratch_format("X-Long: %s", repeat("x", 9000));
    arm(id);
    EXPECT_STATUS(OPEN(.id = id), 200);
    EXPECT_STATUS(OPEN(.id = id, .endpoint = "authrefresh"), 403);
    EXPECT_STATUS(LIST(.external_id = account, .key = SERVER_KEY), 404);
    struct request refused =
        OPENING(.id = id, .headers = {too_long, scratch_format("Referer: %s", id)});
    EXPECT(http_send(&refused).status >= 400, "%s", "the web server takes what it shouldn't");
    server_stop(); /* some write their log only then */
    const char *log = server_read_file("access.log");
    static const char *const urls[] = {"/auth ", "/authrefresh ", "/availableaccounts "};
    for (size_t i = 0; i < ROWS(urls); i++)
        EXPECT(strstr(log, urls[i]) != NULL, "%sisn't in the log:\n%s", urls[i], log);
    EXPECT(strstr(log, id) == NULL && strstr(log, account) == NULL, "it is in the log:\n%s", log);
    row_passed();
}
END_TEST

START_TEST(nothing_is_left)
{
    row_begin("nothing runs on after its end");
    server_stop();
    EXPECT(endpoint_count > 0 || strcmp(server_set_up(), "apache-cgi") == 0, "%s",
           "no endpoint was seen before");
    EXPECT(!processes_run(endpoints, endpoint_count), "%s", "an endpoint runs on");
    row_passed();
}
END_TEST

Suite *last_rows(void)
{
    Suite *suite = suite_create("last");
    ADD_TEST(suite, a_stalled_client_is_cut_off);
    ADD_TEST(suite, the_access_log_has_no_query);
    ADD_TEST(suite, nothing_is_left);
    return suite;
}
