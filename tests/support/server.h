/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_SERVER_H
#define FEEDGATE_TEST_SERVER_H

#include "issuer.h"
#include "sage_api.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The connector under test: a real web server with the six endpoints, in a
 * temporary directory of its own, started through tools/serve. Most tests use
 * a shared one and keep apart by fresh identifiers; one that needs its own
 * configuration, clock or trouble starts its own, which then is the server in
 * use until the test ends.
 *
 * Environment: FEEDGATE_SOURCE and FEEDGATE_BUILD (the two trees, default "."),
 * FEEDGATE_STAGE (see stage.h),
 * FEEDGATE_TEST_SERVER (a set-up of tools/serve: lighttpd, lighttpd-spawn, apache,
 * apache-fcgid, apache-cgi or nginx), FEEDGATE_TEST_KEEP (leaves the
 * temporary directories), SERVE_WRAPPER (as for tools/serve).
 */
enum { SETTINGS_MAX = 16 };

struct server_options {
    char usual; /* so that an initialiser may be empty otherwise */
    /*
     * "section.key = value" in place of the default, "section.key =" to leave a
     * key out; `*` stands for the issuer's URL, `^` for that of Sage's API, `@` for the server's
     */
    const char *settings[SETTINGS_MAX];
    struct {
        const char *name, *text;
    } files[2];                /* made before the start, for settings that name them */
    struct issuer *issuer;     /* NULL: the shared one */
    struct sage_api *sage_api; /* likewise */
    unsigned processes;        /* of each endpoint; 0: two */
    unsigned threads;          /* of each process; 0: four */
    bool own_clock;            /* stands still until clock_move() moves it */
    int64_t began;             /* where it stands at first, in seconds since 1970; 0: now */
    const char *database; /* a directory of the project whose feedgate.db and key it begins with */
    const char
        *environment;    /* further variables for the endpoints: "A=b C=@/d", `@` the directory */
    const char *preload; /* a library of the build that is loaded into them */
    const char *wrapper; /* a command in front of the endpoints */
    bool tls;            /* HTTPS beside HTTP; the certificate is run/tls.crt */
    bool access_log;     /* the web server writes one: access.log */
};

/* Starts a server and uses it until the test ends. */
void server_start(const struct server_options *options);
#define SERVER(...) server_start(&(struct server_options){.usual = 0, __VA_ARGS__})

/* Ends the server in use, and starts it again on the same directory. */
void server_stop(void);
void server_restart(void);

/* Goes back to the shared server, which is started when it is first needed. */
void server_use_shared(void);

/* How the shared server is to be, said before it is started; borrowed. NULL: as usual. */
void server_share(const struct server_options *options);
void server_end_shared(void);

/* A Sage API of the test's own, which ends with it. */
struct sage_api *new_sage_api(void);

/* Of the server in use; texts are borrowed. */
struct issuer *server_issuer(void);
struct sage_api *server_sage_api(void);
const char *server_url(void); /* "http://127.0.0.1:PORT" */
unsigned server_port(void);
unsigned server_tls_port(void);
const char *server_path(const char *name); /* of a file in its directory */

/* The endpoint's socket; NULL where the web server has no lasting one. */
const char *server_socket(const char *endpoint);

/* The set-up's name: "apache-cgi". */
const char *server_set_up(void);

/*
 * Whether it is this web server, in whichever set-up. Tests look at it only where the servers
 * differ by nature:
 * lighttpd keeps a connection after a 413, Apache closes it. (What lighttpd
 * does with queries that it doesn't like: see send_unchanged() in wire.h.)
 */
bool server_is(const char *web_server);

/* The key that Sage sends, in the header X-Feedgate-Key; and those that we send to Sage. */
extern const char SERVER_KEY[];
extern const char SERVER_API_KEY[];
extern const char SERVER_CLIENT_SECRET[];

/* The key that the provider's backend sends to /code. */
extern const char SERVER_CODE_KEY[];

/* The key that the provider's application sends to /complete. */
extern const char SERVER_COMPLETE_KEY[];

/* Makes a file in the server's directory that its endpoints may read. */
void server_write_file(const char *name, const char *text);

/* Copies a file there for them, since they may not reach the build. */
void server_copy(const char *path, const char *name, mode_t mode);

/* The text of a file, and of one in the server's directory. */
const char *file_text(const char *path);
const char *server_read_file(const char *name);

/* The endpoints' time, in seconds since 1970; moved only with an own clock. */
int64_t server_time(void);
void clock_move(int64_t seconds);

/*
 * The processes that run an endpoint (NULL: any of them) now, found by the files
 * in which tools/serve notes its parts; returns how many. Without these files,
 * as after server_stop(), the test fails.
 */
size_t server_processes(const char *endpoint, pid_t *processes, size_t max);

/* Where the build's programs and the project's files are; absolute. */
const char *built_path(const char *name);
const char *source_path(const char *name);

/*
 * Runs a program to its end with FEEDGATE_CONF set and the endpoints' clock.
 * `environment` and `arguments` end with NULL; the first argument is the path.
 */
struct run {
    int status;         /* the exit status; -1 if a signal ended it */
    const char *output; /* its standard output; standard error goes to the server's log */
};
struct run run_program(const char *const *arguments, const char *const *environment,
                       const void *input, size_t input_length);

/* Runs the operator's tool: FEEDGATE("accounts", "import", path). */
struct run run_feedgate(const char *first, ...) __attribute__((sentinel));
#define FEEDGATE(...) run_feedgate(__VA_ARGS__, NULL)

#endif
