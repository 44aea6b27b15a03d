/* SPDX-License-Identifier: MIT */
#include "server.h"

#include "child.h"
#include "expect.h"
#include "processes.h"
#include "scratch.h"
#include "stage.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

const char SERVER_KEY[] = "the-key-that-only-Sage-knows-0815";
const char SERVER_API_KEY[] = "our-key-for-the-provider-api-4711";
const char SERVER_CLIENT_SECRET[] = "our-client-secret-at-sage-id-1234";
const char SERVER_CODE_KEY[] = "the-key-of-the-backend-4711-0815";
const char SERVER_COMPLETE_KEY[] = "the-key-of-the-application-4713";

struct server {
    char directory[64];
    char url[64];
    unsigned port;
    unsigned tls_port; /* 0: no HTTPS */
    struct issuer *issuer;
    struct sage_api *sage_api;
    struct child serve; /* tools/serve while it runs */
    unsigned processes;
    unsigned threads;
    bool own_clock;
    int64_t time; /* of the own clock */
    char *environment;
    bool preloads; /* the library that was copied into the directory */
    char *wrapper;
    bool access_log;
};

static struct server *shared;
static const struct server_options *shared_options;
static struct issuer *shared_issuer;
static struct sage_api *shared_sage_api;
static struct server *in_use;

#define REDIRECT_ORIGINS                                                                           \
    "journey.redirect_origins = https://money.sage.com http://localhost:8081 "                     \
    "https://fragments.test"

/* `*` stands for the issuer's URL, `^` for Sage's API, `@` for the server's. */
static const char *const usual_settings[] = {
    "sage.environment = custom",
    "sage.issuer = *",
    "sage.audience = sfdsbanking/sfdsBankingProvider-Pre",
    "sage.jwks_url = *.well-known/jwks.json",
    "sage.token_url = ^oauth/token",
    "sage.provider_api_url = ^v1",
    "provider_api.client_id = provider",
    "provider_api.client_secret_file = client.secret",
    "provider_api.api_key_file = api.key",
    "notification.key_header = X-Feedgate-Key",
    "notification.key_file = notification.key",
    "journey.public_url = @",
    REDIRECT_ORIGINS,
    "journey.fragment_origins = https://fragments.test",
    "journey.provider_name = Example Bank",
    "code.key_file = code.key",
    "complete.key_file = complete.key",
    "store.database = feedgate.db",
    "log.target = stderr",
};

static const char *tree_path(const char *variable, const char *name)
{
    const char *tree = getenv(variable);
    char *absolute = realpath(tree != NULL ? tree : ".", NULL);
    if (absolute == NULL)
        abort();
    const char *path = scratch_format("%s/%s", absolute, name);
    free(absolute);
    return path;
}

const char *built_path(const char *name)
{
    return tree_path("FEEDGATE_BUILD", name);
}

const char *source_path(const char *name)
{
    return tree_path("FEEDGATE_SOURCE", name);
}

const char *server_set_up(void)
{
    const char *name = getenv("FEEDGATE_TEST_SERVER");
    return name != NULL && name[0] != '\0' ? name : "lighttpd";
}

bool server_is(const char *name)
{
    const char *set_up = server_set_up();
    size_t length = strcspn(set_up, "-");
    return strlen(name) == length && strncmp(set_up, name, length) == 0;
}

const char *server_path(const char *name)
{
    return scratch_format("%s/%s", in_use->directory, name);
}

const char *server_socket(const char *endpoint)
{
    const char *set_up = server_set_up();
    if (strcmp(set_up, "lighttpd-spawn") == 0)
        return scratch_format("%s/run/sockets/feedgate-%s.sock-0", in_use->directory, endpoint);
    if (strchr(set_up, '-') != NULL)
        return NULL;
    return scratch_format("%s/run/%s.sock", in_use->directory, endpoint);
}

const char *server_url(void)
{
    return in_use->url;
}

unsigned server_port(void)
{
    return in_use->port;
}

unsigned server_tls_port(void)
{
    return in_use->tls_port;
}

struct issuer *server_issuer(void)
{
    return in_use->issuer;
}

struct sage_api *server_sage_api(void)
{
    return in_use->sage_api;
}

static void stop_sage_api(void *argument)
{
    sage_api_stop(argument);
}

struct sage_api *new_sage_api(void)
{
    struct sage_api *api = sage_api_launch();
    undo_later(stop_sage_api, api);
    return api;
}

/* Gives a path to the user that endpoints run as when root starts them. */
static void give_to_endpoints(const char *path, mode_t mode)
{
    if (geteuid() == 0) {
        const struct passwd *user = getpwnam("www-data");
        EXPECT(user != NULL, "%s", "there is no user www-data to run the endpoints");
        EXPECT(chown(path, user->pw_uid, user->pw_gid) == 0, "chown %s: %s", path, strerror(errno));
    }
    EXPECT(chmod(path, mode) == 0, "chmod %s: %s", path, strerror(errno));
}

void server_write_file(const char *name, const char *text)
{
    const char *path = server_path(name);
    const char *new_path = scratch_format("%s.new", path);
    FILE *file = fopen(new_path, "we");
    EXPECT(file != NULL && fputs(text, file) >= 0 && fclose(file) == 0, "can't write %s", new_path);
    give_to_endpoints(new_path, 0640);
    EXPECT(rename(new_path, path) == 0, "can't put %s in place", path);
}

void server_copy(const char *path, const char *name, mode_t mode)
{
    const char *copy = server_path(name);
    char bytes[65536];
    FILE *from = fopen(path, "re");
    FILE *to = fopen(copy, "we");
    EXPECT(from != NULL && to != NULL, "can't copy %s to %s", path, copy);
    for (size_t got; (got = fread(bytes, 1, sizeof(bytes), from)) > 0;)
        EXPECT(fwrite(bytes, 1, got, to) == got, "can't write %s", copy);
    EXPECT(ferror(from) == 0 && fclose(from) == 0 && fclose(to) == 0, "can't copy %s", path);
    give_to_endpoints(copy, mode);
}

/* ---- configuration ------------------------------------------------------ */

static size_t name_length(const char *setting)
{
    return strcspn(setting, " =");
}

/* What the test says for the setting's key, or the setting itself. */
static const char *in_force(const char *setting, const struct server_options *options)
{
    size_t length = name_length(setting);
    for (size_t i = 0; i < SETTINGS_MAX && options->settings[i] != NULL; i++)
        if (name_length(options->settings[i]) == length &&
            strncmp(options->settings[i], setting, length) == 0)
            return options->settings[i];
    return setting;
}

static bool is_usual(const char *setting)
{
    for (size_t i = 0; i < ROWS(usual_settings); i++)
        if (name_length(usual_settings[i]) == name_length(setting) &&
            strncmp(usual_settings[i], setting, name_length(setting)) == 0)
            return true;
    return false;
}

/* The file's text with one more line, in a section of its name. */
static const char *with_setting(const char *text, const char *section, const char *setting)
{
    size_t length = strlen(section);
    const char *value = setting + strcspn(setting, "=") + 1;
    bool matches = strncmp(setting, section, length) == 0 && setting[length] == '.';
    if (!matches || strspn(value, " ") == strlen(value))
        return text;
    return scratch_format("%s%s\n", text, setting + length + 1);
}

const char *file_text(const char *path)
{
    struct stat status;
    int file = open(path, O_RDONLY | O_CLOEXEC);
    EXPECT(file >= 0 && fstat(file, &status) == 0, "%s can't be read", path);
    char *text = scratch_take((size_t)status.st_size + 1);
    ssize_t length = read(file, text, (size_t)status.st_size);
    (void)close(file);
    EXPECT(length == status.st_size, "%s can't be read whole", path);
    return text;
}

const char *server_read_file(const char *name)
{
    return file_text(server_path(name));
}

static const char *root_of_sage_api(void)
{
    const char *token_url = sage_api_token_url(in_use->sage_api);
    return scratch_copy(token_url, strlen(token_url) - strlen("oauth/token"));
}

static void write_configuration(const struct server_options *options)
{
    static const char *const sections[] = {
        "sage",     "notification", "availableaccounts", "session", "journey", "code",
        "complete", "provider_api", "network",           "keys",    "store",   "log"};
    const char *text = "";
    for (size_t s = 0; s < ROWS(sections); s++) {
        text = scratch_format("%s[%s]\n", text, sections[s]);
        for (size_t i = 0; i < ROWS(usual_settings); i++)
            text = with_setting(text, sections[s], in_force(usual_settings[i], options));
        for (size_t i = 0; i < SETTINGS_MAX && options->settings[i] != NULL; i++)
            if (!is_usual(options->settings[i]))
                text = with_setting(text, sections[s], options->settings[i]);
    }
    text = fill_in(text, '@', in_use->url);
    text = fill_in(text, '^', root_of_sage_api());
    server_write_file("feedgate.conf", fill_in(text, '*', issuer_url(in_use->issuer)));
    server_write_file("notification.key", scratch_format("%s\n", SERVER_KEY));
    server_write_file("api.key", scratch_format("%s\n", SERVER_API_KEY));
    server_write_file("client.secret", scratch_format("%s\n", SERVER_CLIENT_SECRET));
    server_write_file("code.key", scratch_format("%s\n", SERVER_CODE_KEY));
    server_write_file("complete.key", scratch_format("%s\n", SERVER_COMPLETE_KEY));
}

/* ---- clock -------------------------------------------------------------- */

int64_t server_time(void)
{
    return in_use->own_clock ? in_use->time : (int64_t)time(NULL);
}

void clock_move(int64_t seconds)
{
    in_use->time += seconds;
    server_write_file("clock", scratch_format("%lld\n", (long long)in_use->time));
}

/* The variables by which a program gets the server's own clock, and what else is preloaded. */
static size_t preload_variables(const char *variables[8])
{
    size_t count = 0;
    if (!in_use->own_clock && !in_use->preloads)
        return count;
    variables[count++] =
        scratch_format("LD_PRELOAD=%s%s%s", in_use->own_clock ? faketime_library() : "",
                       in_use->own_clock && in_use->preloads ? ":" : "",
                       in_use->preloads ? server_path("preload.so") : "");
    if (getenv("ASAN_OPTIONS") != NULL) /* it would insist on being loaded first */
        variables[count++] =
            scratch_format("ASAN_OPTIONS=%s:verify_asan_link_order=0", getenv("ASAN_OPTIONS"));
    if (!in_use->own_clock)
        return count;
    variables[count++] = scratch_format("FAKETIME_TIMESTAMP_FILE=%s", server_path("clock"));
    variables[count++] = "FAKETIME_FMT=%s";
    variables[count++] = "FAKETIME_NO_CACHE=1";
    variables[count++] = "DONT_FAKE_MONOTONIC=1";
    variables[count++] = "NO_FAKE_STAT=1";
    return count;
}

/* ---- start and stop ----------------------------------------------------- */

static const char *endpoint_environment(void)
{
    const char *variables[8];
    const char *all = fill_in(in_use->environment, '@', in_use->directory);
    size_t count = preload_variables(variables);
    for (size_t i = 0; i < count; i++)
        all = scratch_format("%s%s%s", all, all[0] != '\0' ? " " : "", variables[i]);
    return all;
}

/* The end of the log, to say why a server didn't start. */
static const char *end_of_log(void)
{
    char bytes[3000];
    int descriptor = open(server_path("log"), O_RDONLY | O_CLOEXEC);
    off_t size = lseek(descriptor, 0, SEEK_END);
    off_t from = size > (off_t)sizeof(bytes) ? size - (off_t)sizeof(bytes) : 0;
    ssize_t length = pread(descriptor, bytes, sizeof(bytes), from);
    (void)close(descriptor);
    return scratch_copy(bytes, length > 0 ? (size_t)length : 0);
}

static void start_serve(void)
{
    const char *arguments[] = {source_path("tools/serve"),
                               "--port",
                               scratch_format("%u", in_use->port),
                               "--conf",
                               server_path("feedgate.conf"),
                               "--server",
                               server_set_up(),
                               "--threads",
                               scratch_format("%u", in_use->threads),
                               "--processes",
                               scratch_format("%u", in_use->processes),
                               in_use->tls_port != 0 ? "--tls" : NULL,
                               scratch_format("%u", in_use->tls_port),
                               NULL};
    const char *environment[8] = {scratch_format("SERVE_RUNTIME_DIR=%s", server_path("run")),
                                  scratch_format("FEEDGATE_BUILD=%s", built_path("")),
                                  scratch_format("FEEDGATE_STAGE=%s", staged_path(""))};
    size_t count = 3;
    if (endpoint_environment()[0] != '\0')
        environment[count++] = scratch_format("SERVE_ENDPOINT_ENV=%s", endpoint_environment());
    if (in_use->wrapper != NULL)
        environment[count++] = scratch_format("SERVE_WRAPPER=%s", in_use->wrapper);
    if (in_use->access_log)
        environment[count++] = scratch_format("SERVE_ACCESS_LOG=%s", server_path("access.log"));
    environment[count] = NULL;
    child_start(&in_use->serve, arguments, environment, server_path("log"));
    bool ready = child_await_line(&in_use->serve, "ready", 3 * PATIENCE_MS);
    EXPECT(ready, "tools/serve isn't ready; it says:\n%s", end_of_log());
}

static void stop_serve(struct server *server)
{
    child_stop(&server->serve);
}

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *walk)
{
    (void)status, (void)type, (void)walk;
    return remove(path);
}

static void end_server(void *argument)
{
    struct server *server = argument;
    stop_serve(server);
    if (getenv("FEEDGATE_TEST_KEEP") == NULL)
        (void)nftw(server->directory, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
    free(server->environment);
    free(server->wrapper);
    free(server);
}

static void make_directory(struct server *server)
{
    const char *place = getenv("TMPDIR");
    (void)snprintf(server->directory, sizeof(server->directory), "%s/feedgate-XXXXXX",
                   place != NULL && strlen(place) < 40 ? place
                                                       : "/tmp"); /* sockets' paths are short */
    EXPECT(mkdtemp(server->directory) != NULL, "can't make %s", server->directory);
    EXPECT(mkdir(server_path("run"), 0770) == 0, "can't make %s", server_path("run"));
    give_to_endpoints(server->directory, 02770);
    give_to_endpoints(server_path("run"), 02770);
}

static struct server *prepare(const struct server_options *options)
{
    struct server *server = calloc(1, sizeof(*server));
    if (server == NULL)
        abort();
    in_use = server;
    server->issuer = options->issuer != NULL ? options->issuer : shared_issuer;
    server->sage_api = options->sage_api != NULL ? options->sage_api : shared_sage_api;
    server->processes = options->processes > 0 ? options->processes : 2;
    server->threads = options->threads > 0 ? options->threads : 4;
    server->environment = strdup(options->environment != NULL ? options->environment : "");
    server->preloads = options->preload != NULL;
    server->wrapper = options->wrapper != NULL ? strdup(options->wrapper) : NULL;
    server->access_log = options->access_log;
    server->port = free_port();
    while (options->tls && (server->tls_port == 0 || server->tls_port == server->port))
        server->tls_port = free_port();
    (void)snprintf(server->url, sizeof(server->url), "http://127.0.0.1:%u", server->port);
    make_directory(server);
    write_configuration(options);
    if (server->preloads)
        server_copy(built_path(options->preload), "preload.so", 0640);
    for (size_t i = 0; i < ROWS(options->files) && options->files[i].name != NULL; i++)
        server_write_file(options->files[i].name, options->files[i].text);
    if (options->database != NULL) {
        const char *database = scratch_format("%s/feedgate.db", source_path(options->database));
        server_copy(database, "feedgate.db", 0660);
        server_copy(scratch_format("%s.key", database), "feedgate.db.key", 0660);
    }
    server->own_clock = options->own_clock;
    server->time = options->began != 0 ? options->began : (int64_t)time(NULL);
    clock_move(0);
    return server;
}

void server_start(const struct server_options *options)
{
    undo_later(end_server, prepare(options));
    start_serve();
}

void server_stop(void)
{
    stop_serve(in_use);
}

void server_restart(void)
{
    stop_serve(in_use);
    start_serve();
}

void server_share(const struct server_options *options)
{
    shared_options = options;
}

void server_use_shared(void)
{
    if (shared == NULL) {
        if (shared_issuer == NULL)
            shared_issuer = issuer_launch();
        if (shared_sage_api == NULL)
            shared_sage_api = sage_api_launch();
        shared =
            prepare(shared_options != NULL ? shared_options : &(struct server_options){.usual = 0});
    }
    in_use = shared;
    if (!child_runs(&shared->serve))
        start_serve();
}

void server_end_shared(void)
{
    if (shared != NULL)
        end_server(shared);
    if (shared_issuer != NULL)
        issuer_stop(shared_issuer);
    if (shared_sage_api != NULL)
        sage_api_stop(shared_sage_api);
    shared = NULL;
    shared_issuer = NULL;
    shared_sage_api = NULL;
    stage_end();
}

/* ---- processes ---------------------------------------------------------- */

/* Where the web server starts the endpoints itself, they are among its own processes. */
static size_t find_processes(const char *endpoint, pid_t *processes, size_t max)
{
    const char *set_up = server_set_up();
    size_t length = strcspn(set_up, "-");
    if (set_up[length] == '\0')
        return processes_find(server_path(scratch_format("run/%s.pid", endpoint)), NULL, processes,
                              max);
    const char *file = scratch_format("run/%.*s.pid", (int)length, set_up);
    return processes_find(server_path(file), scratch_format("%s.fcgi", endpoint), processes, max);
}

size_t server_processes(const char *endpoint, pid_t *processes, size_t max)
{
    static const char *const endpoints[] = {"notification",      "auth", "authrefresh",
                                            "availableaccounts", "code", "complete"};
    size_t count = 0;
    if (endpoint != NULL)
        return find_processes(endpoint, processes, max);
    for (size_t i = 0; i < ROWS(endpoints); i++)
        count += find_processes(endpoints[i], processes + count, max - count);
    return count;
}

struct run run_program(const char *const *arguments, const char *const *environment,
                       const void *input, size_t input_length)
{
    const char *all[48] = {scratch_format("FEEDGATE_CONF=%s", server_path("feedgate.conf"))};
    size_t count = 1 + preload_variables(all + 1);
    for (; environment != NULL && *environment != NULL && count < ROWS(all) - 1; environment++)
        all[count++] = *environment;
    struct run run;
    run.status = child_run(arguments, all, server_path("log"), input, input_length, &run.output);
    return run;
}

struct run run_feedgate(const char *first, ...)
{
    const char *arguments[16] = {staged_path("bin/feedgate"), first};
    va_list more;
    va_start(more, first);
    for (size_t i = 2; i < ROWS(arguments) && (arguments[i] = va_arg(more, const char *)) != NULL;)
        i++;
    va_end(more);
    return run_program(arguments, NULL, "", 0);
}
