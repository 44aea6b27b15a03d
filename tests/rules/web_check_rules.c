/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "child.h"
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/*
 * `feedgate check` through the web server: as shipped all is well, and each
 * mistake that people make is named. A mistake stands in a second web server
 * in front of the same endpoints, which runs with the shipped configuration but for that.
 */

#define CHECKED "network.sage_addresses_file = sage.txt"

static struct run check_with(const char *url, const char *run_directory)
{
    const char *arguments[] = {staged_path("bin/feedgate"), "check", url ? "--url" : NULL, url,
                               NULL};
    const char *environment[] = {
        scratch_format("FEEDGATE_RUN=%s", run_directory ? run_directory : server_path("run")),
        NULL};
    return run_program(arguments, environment, NULL, 0);
}

static void expect_line(const struct run *run, const char *line)
{
    EXPECT(strstr(run->output, line) != NULL, "\"%s\" isn't in:\n%s", line, run->output);
}

START_TEST(as_shipped_all_is_well)
{
    SERVER(.processes = 1);
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "ok    web server: /notification is reached, with the key header, with Auth");
    expect_line(&run, "ok    web server: /availableaccounts is reached");
    expect_line(&run, "ok    web server: /auth is reached");
    expect_line(&run, "ok    web server: /authrefresh is reached");
    expect_line(&run, "ok    web server: /code is reached, with Authorization");
    expect_line(&run, "ok    time: ");
    EXPECT(strstr(run.output, "FAIL") == NULL, "%s", run.output);
    EXPECT_NUMBER(run.status, 0);
    run = check_with(server_url(), NULL);
    EXPECT_NUMBER(run.status, 0);
}
END_TEST

/* ---- web servers with a mistake ----------------------------------------------- */

static struct child front;

static void stop_front(void *argument)
{
    child_stop(argument);
}

/* The text with the first `from` replaced, which must be there. */
static const char *replaced(const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    EXPECT(at != NULL, "no <%s>", from);
    return scratch_format("%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

/* The shipped configuration, whole in one file. */
static const char *shipped(bool apache)
{
    const char *folder = apache ? "apache-conf" : "lighttpd-conf";
    return replaced(
        file_text(staged_path(scratch_format("share/feedgate/%s/feedgate.conf", folder))),
        apache ? "Include \"${FEEDGATE_APACHE_CONF}/common.conf\""
               : "include var.feedgate_lighttpd_conf + \"/common.conf\"",
        file_text(staged_path(scratch_format("share/feedgate/%s/common.conf", folder))));
}

#define MODULE(name) "LoadModule " name "_module /usr/lib/apache2/modules/mod_" name ".so\n"

static const char *start_front(const char *configuration, bool apache, const char *run_directory)
{
    unsigned port = free_port();
    const char *url = scratch_format("http://127.0.0.1:%u", port);
    server_write_file("shipped.conf", configuration);
    if (apache)
        server_write_file(
            "front.conf",
            scratch_format(
                "ServerName localhost\nServerRoot %s\nDefaultRuntimeDir %s\nListen "
                "127.0.0.1:%u\nPidFile %s\nErrorLog %s\n"
                "%s" MODULE("mpm_event") MODULE("authz_core") MODULE("authz_host") MODULE("alias")
                    MODULE("reqtimeout") MODULE("proxy") MODULE("proxy_fcgi") MODULE("buffer")
                        MODULE("env") MODULE("macro")
                            MODULE("headers") "DocumentRoot %s\nDefine "
                                              "FEEDGATE_RUN %s\nInclude %s\n",
                server_path("run"), server_path("run"), port, server_path("front.pid"),
                server_path("front.log"), geteuid() == 0 ? "User www-data\nGroup www-data\n" : "",
                server_path("run/empty"), run_directory, server_path("shipped.conf")));
    else
        server_write_file(
            "front.conf",
            scratch_format("server.modules = ()\nserver.document-root = \"/nonexistent\"\n"
                           "server.port = %u\nserver.bind = \"127.0.0.1\"\n%s"
                           "var.feedgate_run = \"%s\"\ninclude \"%s\"\n",
                           port,
                           geteuid() == 0 ? "server.username = \"www-data\"\n"
                                            "server.groupname = \"www-data\"\n"
                                          : "",
                           run_directory, server_path("shipped.conf")));
    const char *apache_arguments[] = {"/usr/sbin/apache2", "-DFOREGROUND", "-f",
                                      server_path("front.conf"), NULL};
    const char *lighttpd_arguments[] = {"/usr/sbin/lighttpd", "-D", "-f", server_path("front.conf"),
                                        NULL};
    child_start(&front, apache ? apache_arguments : lighttpd_arguments, (const char *const[]){NULL},
                server_path("log"));
    undo_later(stop_front, &front);
    AWAIT(!child_runs(&front) || http_send(&(struct request){.path = "/", .base = url}).status != 0,
          "the web server doesn't answer:\n%s", log_since(0));
    EXPECT(child_runs(&front), "the web server ended:\n%s", log_since(0));
    return url;
}

static const struct {
    const char *name;
    const char *server;
    const char *from, *to; /* replaced in the shipped configuration */
    const char *more;      /* behind it */
    const char *says[3];
} mistakes[] = {
    {"Apache as shipped",
     "apache",
     NULL,
     NULL,
     "",
     {"ok    web server: /notification is reached, with the key header, with Authorization",
      "ok    web server: /code is reached"}},
    {"Apache keeps Authorization",
     "apache",
     "CGIPassAuth On",
     "",
     "",
     {"FAIL  web server: /notification doesn't get the Authorization header: under Apache write "
      "`CGIPassAuth On`",
      "FAIL  web server: /availableaccounts doesn't get the Authorization",
      "FAIL  web server: /code doesn't get the Authorization"}},
    {"the key header is dropped",
     "apache",
     NULL,
     NULL,
     "RequestHeader unset X-Feedgate-Key early\n",
     {"FAIL  web server: /notification doesn't get the header X-Feedgate-Key: let",
      "if key_header was changed since the endpoints started, restart them",
      "ok    web server: /availableaccounts is reached"}},
    {"the key header is changed",
     "apache",
     NULL,
     NULL,
     "RequestHeader set X-Feedgate-Key other early\n",
     {"FAIL  web server: /notification gets another value in X-Feedgate-Key"}},
    {"a URL isn't mapped",
     "apache",
     "Use FeedgateSocket notification\n",
     "",
     "",
     {"FAIL  web server: /notification isn't handed to feedgate (status 404",
      "a ProxyPass or a rewrite rule of the site takes this URL first (doc/first-hour.md, step 8)",
      "ok    web server: /auth is reached"}},
    {"a redirect",
     "apache",
     NULL,
     NULL,
     "RedirectMatch permanent \"^/auth$\" https://www.bank.example/auth\n",
     {"FAIL  web server: /auth is sent on to https://www.bank.example/auth",
      "ok    web server: /authrefresh is reached"}},
    {"an address rule",
     "apache",
     NULL,
     NULL,
     "<LocationMatch \"^/(?:notification|code)$\">\nRequire ip 192.0.2.0/24\n</LocationMatch>\n",
     {"FAIL  web server: /notification is refused by the web server itself (status 403)",
      "ok    web server: /code is kept from this machine's address"}},
    {"lighttpd as shipped",
     "lighttpd",
     NULL,
     NULL,
     "",
     {"ok    web server: /notification is reached, with the key header, with Authorization",
      "ok    web server: /code is reached"}},
    {"a URL isn't mapped by lighttpd",
     "lighttpd",
     "$HTTP[\"url\"] =~ \"^/availableaccounts$\"",
     "$HTTP[\"url\"] =~ \"^/accounts$\"",
     "",
     {"FAIL  web server: /availableaccounts isn't handed to feedgate (status 404",
      "ok    web server: /notification is reached"}},
    {"a header is dropped by lighttpd",
     "lighttpd",
     NULL,
     NULL,
     "server.modules += (\"mod_setenv\")\nsetenv.set-request-header = (\"Authorization\" => "
     "\"\")\n",
     {"FAIL  web server: /notification doesn't get the Authorization header"}},
};

START_TEST(mistakes_in_a_web_server_are_named)
{
    SERVER(.processes = 1);
    bool apache = strcmp(mistakes[_i].server, "apache") == 0;
    case_is(mistakes[_i].name);
    const char *text = shipped(apache);
    if (mistakes[_i].from)
        text = replaced(text, mistakes[_i].from, mistakes[_i].to);
    const char *url =
        start_front(scratch_format("%s\n%s", text, mistakes[_i].more), apache, server_path("run"));
    struct run run = check_with(url, NULL);
    for (size_t i = 0; i < ROWS(mistakes[_i].says) && mistakes[_i].says[i]; i++)
        expect_line(&run, mistakes[_i].says[i]);
    EXPECT((strstr(run.output, "FAIL") != NULL) == (run.status == 1), "%s", run.output);
}
END_TEST

/* ---- endpoints that the web server can't reach ------------------------------------ */

/* A socket at which nobody listens, as an endpoint that died leaves it. */
static void leave_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int left = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT(strlen(path) < sizeof address.sun_path, "%s", path);
    memcpy(address.sun_path, path, strlen(path) + 1);
    EXPECT(left >= 0 && bind(left, (struct sockaddr *)&address, sizeof address) == 0, "%s",
           strerror(errno));
    (void)close(left);
    EXPECT_NUMBER(chmod(path, 0666), 0);
}

START_TEST(an_endpoint_that_is_not_there_is_named)
{
    SERVER(.processes = 1);
    const char *other = server_path("other");
    bool apache = server_is("apache");
    EXPECT_NUMBER(mkdir(other, 0777), 0);
    EXPECT_NUMBER(chmod(other, 0777), 0);
    leave_socket(server_path("other/auth.sock"));
    EXPECT_NUMBER(symlink(server_path("run/code.sock"), server_path("other/code.sock")), 0);
    const char *text = shipped(apache);
    const char *url = start_front(text, apache, other);
    struct run run = check_with(url, other);
    EXPECT_NUMBER(run.status, 1);
    expect_line(&run, "FAIL  web server: /notification: the web server answers 503, and there is "
                      "no socket");
    expect_line(&run, "other/notification.sock: start the endpoint (systemctl restart "
                      "feedgate@notification.socket, ");
    expect_line(&run, "other/auth.sock: start the endpoint again (systemctl start "
                      "feedgate.target, ");
    expect_line(&run, "FAIL  web server: /auth: the web server answers 503, since nobody listens");
    expect_line(&run, "ok    web server: /code is reached");
}
END_TEST

START_TEST(a_socket_that_the_web_server_may_not_use_is_named)
{
    NEEDS_ROOT(); /* to give it to somebody else */
    SERVER(.processes = 1);
    EXPECT_NUMBER(chown(server_path("run/auth.sock"), 0, 0), 0);
    EXPECT_NUMBER(chmod(server_path("run/auth.sock"), 0600), 0);
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  web server: /auth: the web server answers 503, and its user may not "
                      "write to");
    expect_line(&run, "mode 0600): chgrp www-data ");
    EXPECT_NUMBER(chmod(server_path("run/auth.sock"), 0660), 0);
    run = check_with(NULL, NULL);
    expect_line(&run, "group root");
    expect_line(&run, "FAIL  web server: /auth: the web server answers 503, ");
}
END_TEST

START_TEST(a_web_server_that_does_not_answer_is_one_line)
{
    SERVER(.processes = 1);
    struct run run = check_with(scratch_format("http://127.0.0.1:%u", refusing_port()), NULL);
    EXPECT_NUMBER(run.status, 1);
    const char *line = strstr(run.output, "web server: ");
    EXPECT(line != NULL, "%s", run.output);
    expect_line(&run, " doesn't answer: ");
    expect_line(&run, "start the web server, or mend public_url");
    EXPECT(strstr(line + 1, "web server: ") == NULL, "%s", run.output);
}
END_TEST

START_TEST(a_web_server_without_feedgate_is_one_line)
{
    SERVER(.processes = 1);
    const char *url = start_front("", server_is("apache"), server_path("run"));
    struct run run = check_with(url, NULL);
    EXPECT_NUMBER(run.status, 1);
    expect_line(&run, "FAIL  web server: /notification, /availableaccounts, /auth, /authrefresh, "
                      "/code, /complete aren't handed to feedgate (status 404, ");
    const char *line = strstr(run.output, "web server: ");
    EXPECT(strstr(line + 1, "web server: ") == NULL, "%s", run.output);
}
END_TEST

/* ---- by https ----------------------------------------------------------------------- */

/* What the endpoints run with stays; only check reads these. */
static void configure_check(const char *public_url, const char *network)
{
    const char *text = file_text(server_path("feedgate.conf"));
    text = replaced(text, scratch_format("public_url = %s", server_url()),
                    scratch_format("public_url = %s", public_url));
    server_write_file("feedgate.conf",
                      replaced(text, "[network]\n", scratch_format("[network]\n%s\n", network)));
}

START_TEST(this_machine_is_asked_in_the_name_of_public_url)
{
    SERVER(.processes = 1, .tls = true);
    const char *authority = scratch_format("ca_file = %s", server_path("run/tls.crt"));
    const char *url = scratch_format("https://127.0.0.1:%u", server_tls_port());
    const char *text = file_text(server_path("feedgate.conf"));
    configure_check(scratch_format("https://localhost:%u", refusing_port()), authority);
    struct run run = check_with(url, NULL);
    expect_line(&run, "ok    web server: /notification is reached, with the key header");
    expect_line(&run, "ok    web server: /code is reached, with Authorization");
    run = check_with(NULL, NULL);
    expect_line(&run, "start the web server, or mend public_url (if only this machine can't reach "
                      "it: feedgate check --url https://127.0.0.1)");
    /* The certificate is good for 127.0.0.1, but not for that name. */
    server_write_file("feedgate.conf", text);
    configure_check("https://connector.example", authority);
    run = check_with(url, NULL);
    expect_line(&run, " doesn't answer: ");
    expect_line(&run, "let it show a certificate for https://connector.example");
    EXPECT(strstr(run.output, "is reached") == NULL, "%s", run.output);
}
END_TEST

START_TEST(a_certificate_of_an_unknown_authority_is_named)
{
    SERVER(.processes = 1, .tls = true);
    const char *url = scratch_format("https://localhost:%u", server_tls_port());
    configure_check(url, "");
    struct run run = check_with(NULL, NULL);
    expect_line(&run, scratch_format("FAIL  web server: %s doesn't answer: ", url));
    expect_line(&run, "an authority of your own goes into [network] ca_file, or the system's CA");
    EXPECT(strstr(run.output, "start the web server") == NULL, "%s", run.output);
}
END_TEST

START_TEST(a_proxy_that_is_in_the_way_is_named)
{
    SERVER(.processes = 1);
    const char *proxy = scratch_format("http://127.0.0.1:%u", refusing_port());
    configure_check("https://connector.example", scratch_format("proxy = %s", proxy));
    struct run run = check_with(NULL, NULL);
    expect_line(&run, scratch_format("FAIL  web server: https://connector.example doesn't answer "
                                     "through [network] proxy %s: ",
                                     proxy));
}
END_TEST

START_TEST(the_key_goes_to_nobody_else)
{
    struct run run = check_with("https://elsewhere.example", NULL);
    EXPECT_NUMBER(run.status, 1);
    expect_line(&run, "FAIL  web server: --url https://elsewhere.example: the key header is only");
    run = check_with("http://192.0.2.1", NULL);
    expect_line(&run, "FAIL  web server: --url http://192.0.2.1: ");
    run = check_with("https://127.evil.example", NULL);
    expect_line(&run, "FAIL  web server: --url https://127.evil.example: ");
}
END_TEST

/* ---- endpoints that run with something else ------------------------------------------ */

START_TEST(endpoints_with_an_older_key_are_named)
{
    SERVER(.processes = 1);
    server_write_file("notification.key", "a-key-that-was-made-after-the-start\n");
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  web server: /notification gets another value in X-Feedgate-Key than "
                      "the one in the file: restart the endpoints");
}
END_TEST

START_TEST(endpoints_with_an_older_key_of_our_own_are_named)
{
    SERVER(.processes = 1);
    server_write_file("code.key", "a-key-that-was-made-after-the-start\n");
    server_write_file("complete.key", "another-that-was-made-after-the-start\n");
    size_t mark = log_mark();
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  web server: /code doesn't take the key in the file: the endpoint runs "
                      "with an older one; restart it");
    expect_line(&run, "FAIL  web server: /complete doesn't take the key in the file");
    EXPECT(strstr(log_since(mark), "made-after-the-start") == NULL, "%s", log_since(mark));
}
END_TEST

START_TEST(endpoints_with_another_database_are_named)
{
    SERVER(.processes = 1);
    const char *text = file_text(server_path("feedgate.conf"));
    server_write_file("feedgate.conf", replaced(text, "feedgate.db", "other.db"));
    server_write_file("other.db.key", "0123456789abcdef0123456789abcdef");
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  web server: /notification answers (status 401), but not with this "
                      "database");
    expect_line(&run, "FAIL  web server: /auth answers (status 400), but not with this database");
}
END_TEST

START_TEST(without_the_databases_key_nothing_can_be_looked_through)
{
    SERVER(.processes = 1);
    EXPECT_NUMBER(unlink(server_path("feedgate.db.key")), 0);
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "warn  web server: can't be looked through: ");
}
END_TEST

START_TEST(an_address_that_is_refused_is_expected)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", "104.16.0.0/13\n"}});
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "sage.txt alone (ranges: 1)");
    expect_line(&run, "ok    web server: /notification is reached, and refuses this machine's");
    expect_line(&run, "ok    web server: /code is reached");
    EXPECT_NUMBER(run.status, 0);
}
END_TEST

START_TEST(a_clock_that_is_minutes_off_is_named)
{
    SERVER(.own_clock = true);
    clock_move(300);
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  time: this machine's clock is ");
    expect_line(&run, " s ahead of Sage ID's, so good tokens are refused");
    clock_move(-600);
    run = check_with(NULL, NULL);
    expect_line(&run, " s behind Sage ID's");
}
END_TEST

/* ---- what else check says --------------------------------------------------------- */

START_TEST(a_token_that_cannot_be_had_is_said_once)
{
    struct sage_api *api = new_sage_api();
    SERVER(.sage_api = api, .settings = {"sage.token_url = ^nothing"});
    size_t mark = log_mark();
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  provider api: ");
    EXPECT(strstr(log_since(mark), "access_token_not_fetched") == NULL, "%s", log_since(mark));
}
END_TEST

START_TEST(a_missing_directory_is_one_failure)
{
    SERVER(.processes = 1);
    const char *text = file_text(server_path("feedgate.conf"));
    server_write_file("feedgate.conf", replaced(text, "feedgate.db", "nowhere/feedgate.db"));
    struct run run = check_with(NULL, NULL);
    EXPECT_NUMBER(run.status, 1);
    expect_line(&run, "FAIL  directory: ");
    expect_line(&run, "nowhere isn't there: install -d -o feedgate -g feedgate -m 2770 ");
    const char *first = strstr(run.output, "FAIL");
    EXPECT(strstr(first + 1, "FAIL") == NULL, "%s", run.output);
}
END_TEST

START_TEST(a_database_that_nobody_made_leads_to_the_endpoints_log)
{
    SERVER(.processes = 1);
    const char *text = file_text(server_path("feedgate.conf"));
    server_write_file("feedgate.conf", replaced(text, "feedgate.db", "other.db"));
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "the first endpoint that starts makes it; if they were started, see why they "
                      "failed: journalctl -u 'feedgate*', or syslog");
}
END_TEST

/* Names below .invalid are never resolved (RFC 2606 section 2). */
START_TEST(a_host_that_cannot_be_reached_leads_to_the_firewall)
{
    SERVER(.processes = 1);
    const char *text = file_text(server_path("feedgate.conf"));
    const char *given = strstr(text, "jwks_url = ");
    EXPECT(given != NULL, "%s", text);
    given = scratch_copy(given, strcspn(given, "\n"));
    server_write_file("feedgate.conf", replaced(text, given, "jwks_url = https://id.invalid/keys"));
    struct run run = check_with(NULL, NULL);
    expect_line(&run, "FAIL  key set: https://id.invalid/keys can't be fetched: ");
    expect_line(&run, "open the firewall to id.invalid, or set [network] proxy; without it no");
}
END_TEST

START_TEST(the_help_says_that_the_web_server_is_asked)
{
    const char *arguments[] = {staged_path("bin/feedgate"), "check", "--help", NULL};
    struct run run = run_program(arguments, (const char *const[]){NULL}, NULL, 0);
    EXPECT_NUMBER(run.status, 0);
    expect_line(&run, "asks the web server at public_url");
    expect_line(&run, "--url https://127.0.0.1");
}
END_TEST

Suite *web_check_rules(void)
{
    Suite *suite = suite_create("web_check");
    ADD_TEST(suite, as_shipped_all_is_well);
    ADD_ROWS(suite, mistakes_in_a_web_server_are_named, ROWS(mistakes));
    ADD_TEST(suite, an_endpoint_that_is_not_there_is_named);
    ADD_TEST(suite, a_socket_that_the_web_server_may_not_use_is_named);
    ADD_TEST(suite, a_web_server_that_does_not_answer_is_one_line);
    ADD_TEST(suite, a_web_server_without_feedgate_is_one_line);
    ADD_TEST(suite, this_machine_is_asked_in_the_name_of_public_url);
    ADD_TEST(suite, a_certificate_of_an_unknown_authority_is_named);
    ADD_TEST(suite, a_proxy_that_is_in_the_way_is_named);
    ADD_TEST(suite, the_key_goes_to_nobody_else);
    ADD_TEST(suite, endpoints_with_an_older_key_are_named);
    ADD_TEST(suite, endpoints_with_an_older_key_of_our_own_are_named);
    ADD_TEST(suite, endpoints_with_another_database_are_named);
    ADD_TEST(suite, without_the_databases_key_nothing_can_be_looked_through);
    ADD_TEST(suite, an_address_that_is_refused_is_expected);
    ADD_TEST(suite, a_clock_that_is_minutes_off_is_named);
    ADD_TEST(suite, a_token_that_cannot_be_had_is_said_once);
    ADD_TEST(suite, a_missing_directory_is_one_failure);
    ADD_TEST(suite, a_database_that_nobody_made_leads_to_the_endpoints_log);
    ADD_TEST(suite, a_host_that_cannot_be_reached_leads_to_the_firewall);
    ADD_TEST(suite, the_help_says_that_the_web_server_is_asked);
    return suite;
}
