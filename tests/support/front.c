/* SPDX-License-Identifier: MIT */
#include "front.h"

#include "child.h"
#include "expect.h"
#include "log_file.h"
#include "scratch.h"
#include "server.h"
#include "stage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

const char *const fronts[FRONTS] = {"lighttpd", "apache", "nginx"};

const char *const gates[GATES] = {"auth", "authrefresh", "availableaccounts"};

enum { PARTS = GATES + 2 };

static struct {
    unsigned port;
    unsigned gate_ports[GATES]; /* 0: the server's sockets */
    struct child children[PARTS];
    size_t started;
} front;

void front_end(void)
{
    while (front.started > 0)
        child_stop(&front.children[--front.started]);
}

static void end_with_test(void *unused)
{
    (void)unused;
    front_end();
}

/* Web servers stand where a user's PATH doesn't lead. */
static const char *path_of(const char *program)
{
    const char *path = scratch_format("/usr/sbin/%s", program);
    return access(path, X_OK) == 0 ? path : scratch_format("/usr/bin/%s", program);
}

static void start(const char **arguments, const char *const *environment)
{
    EXPECT(front.started < PARTS, "%s", "too many parts");
    arguments[0] = path_of(arguments[0]);
    child_start(&front.children[front.started], arguments, environment, server_path("log"));
    front.started++;
}

/* A FastCGI program on a socket, as the user of the endpoints; `place` is its options. */
static void start_fastcgi(const char *program, const char *const place[4],
                          const char *const *environment)
{
    static const char *const as_user[] = {"-u", "www-data", "-g", "www-data"};
    const char *arguments[16] = {"spawn-fcgi", "-n"};
    size_t count = 2;
    for (size_t i = 0; i < 4 && geteuid() == 0; i++)
        arguments[count++] = as_user[i];
    for (size_t i = 0; i < 4; i++)
        arguments[count++] = place[i];
    arguments[count++] = "--";
    arguments[count++] = program;
    start(arguments, environment);
}

static const char *application_socket(void)
{
    return server_path("run/application.sock");
}

static void start_application(void)
{
    const char *copy = server_path("run/application");
    server_copy(built_path("tests/support/application"), "run/application", 0750);
    server_write_file("application.requests", "");
    EXPECT(chmod(server_path("application.requests"), 0660) == 0, "%s", "chmod");
    start_fastcgi(copy, (const char *[]){"-s", application_socket(), "-M", "0666"},
                  (const char *[]){scratch_format("APPLICATION_REQUESTS=%s",
                                                  server_path("application.requests")),
                                   scratch_format("COMPLETE_URL=%s/complete", server_url()),
                                   scratch_format("COMPLETE_KEY=%s", SERVER_COMPLETE_KEY), NULL});
}

size_t application_requests(void)
{
    size_t count = 0;
    FILE *file = fopen(server_path("application.requests"), "re");
    EXPECT(file != NULL, "%s", "the application's list isn't there");
    for (int byte; (byte = getc(file)) != EOF;)
        count += byte == '\n' ? 1 : 0;
    (void)fclose(file);
    return count;
}

/* ---- the web servers --------------------------------------------------------- */

static const char *user_lines(const char *form)
{
    return geteuid() == 0 ? form : "";
}

static void start_lighttpd(void)
{
    server_write_file(
        "front.conf",
        scratch_format(
            "server.modules = ()\nserver.compat-module-load = \"disable\"\n"
            "server.bind = \"127.0.0.1\"\nserver.port = %u\n"
            "server.document-root = \"%s\"\nserver.upload-dirs = (\"%s\")\n%s"
            "var.feedgate_lighttpd_conf = \"%s\"\nvar.feedgate_run = \"%s\"\n"
            "include var.feedgate_lighttpd_conf + \"/feedgate.conf\"\n"
            "var.feedgate_application = \"%s\"\n"
            "include var.feedgate_lighttpd_conf + \"/authorizer.conf\"\n"
            "$HTTP[\"url\"] == \"/connect\" { fastcgi.server = (\"/connect\" => "
            "((\"socket\" => var.feedgate_application) + var.feedgate_endpoint)) }\n",
            front.port, server_path("run/empty"), server_path("run/upload"),
            user_lines("server.username = \"www-data\"\nserver.groupname = \"www-data\"\n"),
            staged_path("share/feedgate/lighttpd-conf"), server_path("run"), application_socket()));
    start((const char *[]){"lighttpd", "-D", "-f", server_path("front.conf"), NULL},
          (const char *[]){NULL});
}

static const char *apache_modules(void)
{
    static const char *const modules[] = {"mpm_event",   "authz_core", "authn_core", "authz_user",
                                          "authnz_fcgi", "alias",      "headers",    "reqtimeout",
                                          "macro",       "env",        "buffer",     "proxy",
                                          "proxy_fcgi"};
    const char *lines = "";
    for (size_t i = 0; i < ROWS(modules); i++)
        lines = scratch_format("%sLoadModule %s_module /usr/lib/apache2/modules/mod_%s.so\n", lines,
                               modules[i], modules[i]);
    return lines;
}

/* mod_authnz_fcgi asks over TCP alone. */
static void start_gates(void)
{
    for (size_t i = 0; i < GATES; i++) {
        front.gate_ports[i] = free_port();
        start_fastcgi(
            server_path(scratch_format("run/programs/%s.fcgi", gates[i])),
            (const char *[]){"-a", "127.0.0.1", "-p", scratch_format("%u", front.gate_ports[i])},
            (const char *[]){NULL});
    }
}

static void start_apache(void)
{
    start_gates();
    server_write_file(
        "front.conf",
        scratch_format("ServerRoot \"%s\"\nDefaultRuntimeDir \"%s\"\nPidFile \"%s\"\n"
                       "ServerName 127.0.0.1\nListen 127.0.0.1:%u\n%s%s"
                       "StartServers 1\nServerLimit 2\nThreadsPerChild 32\nMaxRequestWorkers 64\n"
                       "ErrorLog \"%s\"\nDocumentRoot \"%s\"\n"
                       "Define FEEDGATE_APACHE_CONF \"%s\"\nDefine FEEDGATE_RUN \"%s\"\n"
                       "Define FEEDGATE_APPLICATION \"%s\"\n"
                       "Define FEEDGATE_GATE_AUTH 127.0.0.1:%u\n"
                       "Define FEEDGATE_GATE_AUTHREFRESH 127.0.0.1:%u\n"
                       "Define FEEDGATE_GATE_AVAILABLEACCOUNTS 127.0.0.1:%u\n"
                       "Include \"${FEEDGATE_APACHE_CONF}/feedgate.conf\"\n"
                       "Include \"${FEEDGATE_APACHE_CONF}/authorizer.conf\"\n"
                       "<LocationMatch \"^/connect$\">\nRequire all granted\n"
                       "SetHandler \"proxy:unix:%s|fcgi://application.feedgate/\"\n"
                       "</LocationMatch>\n",
                       server_path("run"), server_path("run"), server_path("run/front.pid"),
                       front.port, apache_modules(), user_lines("User www-data\nGroup www-data\n"),
                       server_path("front.log"), server_path("run/empty"),
                       staged_path("share/feedgate/apache-conf"), server_path("run"),
                       application_socket(), front.gate_ports[0], front.gate_ports[1],
                       front.gate_ports[2], application_socket()));
    start((const char *[]){"apache2", "-f", server_path("front.conf"), "-DFOREGROUND", NULL},
          (const char *[]){NULL});
}

static void start_nginx(void)
{
    static const char *const kinds[] = {"client_body", "fastcgi", "proxy", "scgi", "uwsgi"};
    const char *paths = "";
    for (size_t i = 0; i < ROWS(kinds); i++)
        paths = scratch_format("%s%s_temp_path %s;\n", paths, kinds[i],
                               server_path(scratch_format("run/upload/front-%s", kinds[i])));
    (void)unlink(server_path("feedgate")); /* "include feedgate/..." begins at the configuration */
    EXPECT(symlink(staged_path("share/feedgate/nginx-conf"), server_path("feedgate")) == 0, "%s",
           "symlink");
    server_write_file(
        "front.conf",
        scratch_format("daemon off;\npid %s;\n%serror_log %s;\nevents { worker_connections 512; }\n"
                       "http {\naccess_log off;\n%sinclude feedgate/feedgate-http.conf;\n"
                       "server { listen 127.0.0.1:%u; root %s;\nset $feedgate_run %s;\n"
                       "set $feedgate_application unix:%s;\ninclude feedgate/authorizer.conf;\n"
                       "include feedgate/backend.conf;\nlocation = /connect {\n"
                       "fastcgi_pass $feedgate_application; include feedgate/endpoint.conf; }\n"
                       "}\n}\n",
                       server_path("run/front.pid"), user_lines("user www-data;\n"),
                       server_path("front.log"), paths, front.port, server_path("run/empty"),
                       server_path("run"), application_socket()));
    start((const char *[]){"nginx", "-e", server_path("front.log"), "-p", server_path(""), "-c",
                           server_path("front.conf"), NULL},
          (const char *[]){NULL});
}

struct request through_front(struct request request)
{
    request.base = scratch_format("http://127.0.0.1:%u", front.port);
    request.gated = true;
    return request;
}

bool front_runs(void)
{
    for (size_t i = 0; i < front.started; i++)
        if (!child_runs(&front.children[i]))
            return false;
    return front.started > 0;
}

/* HEAD is refused everywhere, and uses nothing up. */
static bool answers(const char *endpoint)
{
    EXPECT(front_runs(), "a part has ended:\n%s", log_since(0));
    struct request request =
        through_front((struct request){.method = "HEAD", .path = scratch_format("/%s", endpoint)});
    return http_send(&request).status == 405;
}

void front_start(const char *web_server)
{
    undo_later(end_with_test, NULL);
    front_keep(web_server);
}

void front_keep(const char *web_server)
{
    front_end(); /* an earlier one of the same test */
    memset(&front, 0, sizeof(front));
    front.port = free_port();
    start_application();
    if (strcmp(web_server, "lighttpd") == 0)
        start_lighttpd();
    else if (strcmp(web_server, "apache") == 0)
        start_apache();
    else
        start_nginx();
    for (size_t i = 0; i < GATES; i++)
        AWAIT(answers(gates[i]), "%s doesn't answer /%s", web_server, gates[i]);
    struct request own = through_front((struct request){.path = "/connect"});
    AWAIT(http_send(&own).status == 200, "%s doesn't reach the application", web_server);
    server_write_file("application.requests", "");
    EXPECT(chmod(server_path("application.requests"), 0660) == 0, "%s", "chmod");
}

bool front_end_endpoints(void)
{
    if (front.gate_ports[0] == 0)
        return false;
    for (size_t i = 0; i < GATES; i++)
        child_stop(&front.children[1 + i]); /* behind the application */
    return true;
}
