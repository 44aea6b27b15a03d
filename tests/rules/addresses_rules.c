/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "child.h"
#include "stage.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* `feedgate addresses`: the operator's file is brought up to date, or printed for others. */

#define CHECKED "network.sage_addresses_file = sage.txt"
#define NEW_IPV4 "8.8.8.0/24\n"
#define IN_USE "173.245.48.0/20\n" /* one of those that come with feedgate */

/* The list that comes with feedgate, or the lines of one family of it. */
static const char *shipped(const char *having)
{
    const char *text = "";
    const char *line = file_text(staged_path("share/feedgate/addresses/cloudflare.txt"));
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        const char *one = scratch_copy(line, (size_t)(end - line));
        bool ipv6 = strchr(one, ':') != NULL;
        if (one[0] != '#' && (strcmp(having, "ipv6") == 0) == ipv6)
            text = scratch_format("%s%s\n", text, one);
    }
    return text;
}

/* Two servers that answer with the lists. */
static struct issuer *ipv4_server, *ipv6_server;

static void serve_lists(const char *ipv4, const char *ipv6)
{
    ipv4_server = issuer_start();
    ipv6_server = issuer_start();
    issuer_answer(ipv4_server, ipv4);
    issuer_answer(ipv6_server, ipv6);
}

static const char *list_url(const struct issuer *issuer)
{
    return scratch_format("%s.well-known/jwks.json", issuer_url(issuer));
}

/* `more` is one more option. */
static struct run refresh(const char *more)
{
    return run_feedgate("addresses", "refresh", "--ipv4-url", list_url(ipv4_server), "--ipv6-url",
                        list_url(ipv6_server), more, NULL);
}

START_TEST(a_list_that_is_up_to_date_stays_as_it_is)
{
    SERVER(.settings = {CHECKED},
           .files = {
               {"sage.txt", file_text(staged_path("share/feedgate/addresses/cloudflare.txt"))}});
    serve_lists(shipped("ipv4"), shipped("ipv6"));
    struct run run = refresh(NULL);
    EXPECT_NUMBER(run.status, 0);
    EXPECT(strstr(run.output, "is up to date: 22 ranges") != NULL, "%s", run.output);
    EXPECT_TEXT(file_text(server_path("sage.txt")),
                file_text(staged_path("share/feedgate/addresses/cloudflare.txt")));
    EXPECT_NUMBER(refresh("--dry-run").status, 0);
}
END_TEST

START_TEST(a_refresh_replaces_the_file_and_says_what_changed)
{
    SERVER(.settings = {CHECKED},
           .files = {
               {"sage.txt", file_text(staged_path("share/feedgate/addresses/cloudflare.txt"))}});
    const char *ipv4 = shipped("ipv4");
    serve_lists(scratch_format(NEW_IPV4 "%s", strchr(ipv4, '\n') + 1), shipped("ipv6"));
    struct stat before;
    struct stat after;
    EXPECT_NUMBER(chmod(server_path("sage.txt"), 0604), 0);
    EXPECT_NUMBER(stat(server_path("sage.txt"), &before), 0);

    struct run run = refresh("--dry-run");
    EXPECT_NUMBER(run.status, 3);
    EXPECT(strstr(run.output, "nothing was changed") != NULL, "%s", run.output);
    EXPECT_TEXT(file_text(server_path("sage.txt")),
                file_text(staged_path("share/feedgate/addresses/cloudflare.txt")));

    run = refresh(NULL);
    EXPECT_NUMBER(run.status, 0);
    EXPECT(strstr(run.output, "- 173.245.48.0/20\n+ 8.8.8.0/24\n") != NULL, "%s", run.output);
    EXPECT(strstr(run.output, "has 22 ranges now") != NULL, "%s", run.output);
    const char *text = file_text(server_path("sage.txt"));
    EXPECT(strstr(text, "\n8.8.8.0/24\n") != NULL && strstr(text, "173.245.48.0/20") == NULL, "%s",
           text);
    EXPECT(strstr(text, list_url(ipv4_server)) != NULL, "%s", text);
    EXPECT_NUMBER(stat(server_path("sage.txt"), &after), 0);
    EXPECT_NUMBER(after.st_mode, before.st_mode);
    EXPECT_NUMBER(after.st_uid, before.st_uid);
    EXPECT_NUMBER(after.st_gid, before.st_gid);
    EXPECT(after.st_ino != before.st_ino, "%s", "it was written over, not replaced");
    /* what was written is what endpoints and the next refresh read */
    EXPECT_NUMBER(refresh("--dry-run").status, 0);
}
END_TEST

static const struct {
    const char *name;
    const char *ipv4, *ipv6; /* "*" is the good list */
} nonsense[] = {
    {"nothing", "", "*"},
    {"nothing of IPv6", "*", ""},
    {"HTML", "<!DOCTYPE html><html></html>", "*"},
    {"one range", "173.245.48.0/20\n", "*"},
    {"everybody", "*0.0.0.0/0\n", "*"},
    {"half of everybody", "*0.0.0.0/1\n128.0.0.0/1\n", "*"},
    {"everybody by IPv6", "*", "*::/0\n"},
    {"a private range", "*192.168.0.0/16\n", "*"},
    {"loopback", "*127.0.0.0/8\n", "*"},
    {"the lists swapped", "2400:cb00::/32\n", "*"},
    {"a line in between", "*nonsense\n", "*"},
};

START_TEST(nonsense_leaves_the_file_as_it_is)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", IN_USE}});
    serve_lists("", "");
    for (size_t i = 0; i < ROWS(nonsense); i++) {
        case_is(nonsense[i].name);
        issuer_answer(ipv4_server, fill_in(nonsense[i].ipv4, '*', shipped("ipv4")));
        issuer_answer(ipv6_server, fill_in(nonsense[i].ipv6, '*', shipped("ipv6")));
        size_t mark = log_mark();
        EXPECT_NUMBER(refresh(NULL).status, 1);
        EXPECT(strstr(log_since(mark), "nothing was changed") != NULL, "%s", log_since(mark));
        EXPECT_TEXT(file_text(server_path("sage.txt")), IN_USE);
    }
    issuer_answer(ipv4_server, shipped("ipv4"));
    case_is("another status");
    issuer_answer_status(ipv6_server, 404, shipped("ipv6"));
    EXPECT_NUMBER(refresh(NULL).status, 1);
    case_is("too large");
    issuer_answer_status(ipv6_server, 200, repeat("# a comment\n", 6000));
    EXPECT_NUMBER(refresh(NULL).status, 1);
    case_is("a redirect");
    issuer_redirect(ipv6_server, list_url(ipv4_server));
    EXPECT_NUMBER(refresh(NULL).status, 1);
    case_is("no answer");
    issuer_drop_connections(ipv6_server);
    EXPECT_NUMBER(refresh(NULL).status, 1);
    case_is("a URL that isn't safe");
    EXPECT_NUMBER(FEEDGATE("addresses", "refresh", "--ipv4-url", "http://192.0.2.1/").status, 1);
    EXPECT_TEXT(file_text(server_path("sage.txt")), IN_USE);
}
END_TEST

START_TEST(without_a_file_a_refresh_says_how_to_begin)
{
    size_t mark = log_mark();
    EXPECT_NUMBER(FEEDGATE("addresses", "refresh").status, 1);
    EXPECT(strstr(log_since(mark), "sage_addresses_file isn't set: copy ") != NULL, "%s",
           log_since(mark));
}
END_TEST

START_TEST(a_link_is_followed_and_stays)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", IN_USE}});
    serve_lists(shipped("ipv4"), shipped("ipv6"));
    EXPECT_NUMBER(rename(server_path("sage.txt"), server_path("real.txt")), 0);
    EXPECT_NUMBER(symlink("real.txt", server_path("sage.txt")), 0);
    EXPECT_NUMBER(refresh(NULL).status, 0);
    struct stat status;
    EXPECT_NUMBER(lstat(server_path("sage.txt"), &status), 0);
    EXPECT(S_ISLNK(status.st_mode), "%s", "the link was replaced");
    EXPECT(strstr(file_text(server_path("real.txt")), "103.21.244.0/22") != NULL, "%s",
           "not there");
}
END_TEST

/* ---- for other programs ---------------------------------------------------- */

static const char *printed(const char *target)
{
    struct run run = FEEDGATE("addresses", "print", "--for", target);
    EXPECT_NUMBER(run.status, 0);
    server_write_file("printed.conf", run.output);
    return run.output;
}

/* Runs a program that reads a configuration; its exit status. */
static int judge(const char *const *arguments)
{
    const char *output;
    return child_run(arguments, (const char *const[]){NULL}, server_path("log"), NULL, 0, &output);
}

START_TEST(nft_takes_what_is_printed_for_it)
{
    NEEDS_ROOT(); /* nft asks the kernel, even to check only */
    SERVER(.settings = {CHECKED},
           .files = {
               {"sage.txt", file_text(staged_path("share/feedgate/addresses/cloudflare.txt"))}});
    (void)printed("nft");
    EXPECT(judge((const char *[]){"/usr/sbin/nft", "-c", "-f", server_path("printed.conf"),
                                  NULL}) == 0,
           "%s", log_since(0));
}
END_TEST

START_TEST(what_is_printed_is_taken_by_the_program_that_it_is_for)
{
    SERVER(.settings = {CHECKED},
           .files = {
               {"sage.txt", file_text(staged_path("share/feedgate/addresses/cloudflare.txt"))}});
    const char *file = server_path("printed.conf");
    (void)printed("lighttpd");
    server_write_file("lighttpd.conf",
                      scratch_format("server.document-root = \"%s\"\nserver.port = %u\n"
                                     "server.bind = \"127.0.0.1\"\ninclude \"%s\"\n",
                                     server_path("run"), free_port(), file));
    EXPECT(judge((const char *[]){"/usr/sbin/lighttpd", "-tt", "-f", server_path("lighttpd.conf"),
                                  NULL}) == 0,
           "%s", log_since(0));
    (void)printed("nginx");
    server_write_file(
        "nginx.conf",
        scratch_format("pid %s;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\nserver {\n"
                       "listen 127.0.0.1:%u;\nlocation = /notification {\ninclude %s;\n}\n}\n}\n",
                       server_path("nginx.pid"), free_port(), file));
    EXPECT(judge((const char *[]){"/usr/sbin/nginx", "-t", "-c", server_path("nginx.conf"),
                                  NULL}) == 0,
           "%s", log_since(0));
    (void)printed("apache");
    server_write_file(
        "apache.conf",
        scratch_format("ServerName localhost\nListen 127.0.0.1:%u\nPidFile %s\nErrorLog %s\n"
                       "LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so\n"
                       "LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so\n"
                       "LoadModule authz_host_module /usr/lib/apache2/modules/mod_authz_host.so\n"
                       "Include %s\n",
                       free_port(), server_path("a.pid"), server_path("a.log"), file));
    EXPECT(judge((const char *[]){"/usr/sbin/apache2", "-t", "-f", server_path("apache.conf"),
                                  NULL}) == 0,
           "%s", log_since(0));
}
END_TEST

/* ---- and through those that run ------------------------------------------------ */

#define MODULE(name) "LoadModule " name "_module /usr/lib/apache2/modules/mod_" name ".so\n"

static struct child filtering;

static void stop_filtering(void *argument)
{
    child_stop(argument);
}

/* Configurations in which `@` is the directory, `%` the port and `^` what was printed. */
static const struct {
    const char *name;
    const char *configuration;
    const char *arguments[6];
} programs[] = {
    {"lighttpd",
     "server.document-root = \"@\"\nserver.port = %\nserver.bind = \"127.0.0.1\"\n"
     "include \"^\"\n",
     {"/usr/sbin/lighttpd", "-D", "-f"}},
    {"nginx",
     "daemon off;\npid @/nginx.pid;\nerror_log stderr;\nuser www-data;\nevents {}\nhttp {\n"
     "access_log off;\nserver {\nlisten 127.0.0.1:%;\nroot @;\n"
     "location = /notification { include ^; }\nlocation = /availableaccounts { include ^; "
     "}\n}\n}\n",
     {"/usr/sbin/nginx", "-c"}},
    {"apache",
     "ServerName localhost\nListen 127.0.0.1:%\nPidFile @/apache2.pid\nErrorLog @/apache.log\n"
     "User www-data\nDocumentRoot @\n" MODULE("mpm_event") MODULE("authz_core")
         MODULE("authz_host") "<Location />\nRequire all granted\n</Location>\nInclude ^\n",
     {"/usr/sbin/apache2", "-DFOREGROUND", "-f"}},
};

static int status_at(unsigned port, const char *path)
{
    return http_send(
               &(struct request){.path = path, .base = scratch_format("http://127.0.0.1:%u", port)})
        .status;
}

/* Starts the program with what is printed for it, and asks it for the three files. */
static void expect_filtered(size_t program, int expected)
{
    unsigned port = free_port();
    (void)printed(programs[program].name);
    const char *text = fill_in(programs[program].configuration, '@', server_path("run"));
    text = fill_in(text, '%', scratch_format("%u", port));
    server_write_file("filter.conf", fill_in(text, '^', server_path("printed.conf")));
    const char *arguments[8] = {NULL};
    size_t count = 0;
    while (programs[program].arguments[count] != NULL) {
        arguments[count] = programs[program].arguments[count];
        count++;
    }
    arguments[count] = server_path("filter.conf");
    child_start(&filtering, arguments, (const char *const[]){NULL}, server_path("log"));
    undo_later(stop_filtering, &filtering);
    AWAIT(status_at(port, "/auth") == 200, "%s doesn't answer:\n%s", programs[program].name,
          log_since(0));
    EXPECT_NUMBER(status_at(port, "/notification"), expected);
    EXPECT_NUMBER(status_at(port, "/availableaccounts"), expected);
    EXPECT_NUMBER(status_at(port, "/auth"), 200);
    child_stop(&filtering);
}

START_TEST(a_web_server_with_what_is_printed_lets_only_the_ranges_in)
{
    SERVER(.settings = {CHECKED}, .files = {{"sage.txt", IN_USE}});
    server_stop();
    server_write_file("run/notification", "");
    server_write_file("run/availableaccounts", "");
    server_write_file("run/auth", "");
    for (size_t i = 0; i < ROWS(programs); i++) {
        case_is(programs[i].name);
        server_write_file("sage.txt", "8.8.8.0/24\n2400:cb00::/32\n");
        expect_filtered(i, 403);
        server_write_file("sage.txt", "8.8.8.0/24\n127.0.0.0/8\n2400:cb00::/32\n");
        expect_filtered(i, 200);
    }
}
END_TEST

START_TEST(only_programs_that_are_known_are_printed_for)
{
    EXPECT_NUMBER(FEEDGATE("addresses", "print").status, 2);
    EXPECT_NUMBER(FEEDGATE("addresses", "print", "--for", "iis").status, 2);
}
END_TEST

Suite *addresses_rules(void)
{
    Suite *suite = suite_create("addresses");
    ADD_TEST(suite, a_list_that_is_up_to_date_stays_as_it_is);
    ADD_TEST(suite, a_refresh_replaces_the_file_and_says_what_changed);
    ADD_TEST(suite, nonsense_leaves_the_file_as_it_is);
    ADD_TEST(suite, without_a_file_a_refresh_says_how_to_begin);
    ADD_TEST(suite, a_link_is_followed_and_stays);
    ADD_TEST(suite, nft_takes_what_is_printed_for_it);
    ADD_TEST(suite, what_is_printed_is_taken_by_the_program_that_it_is_for);
    ADD_TEST(suite, a_web_server_with_what_is_printed_lets_only_the_ranges_in);
    ADD_TEST(suite, only_programs_that_are_known_are_printed_for);
    return suite;
}
