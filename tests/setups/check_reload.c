/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include "child.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Loads one set-up with notifications (wrk), reloads web server and endpoints
 * again and again meanwhile, and counts what was lost. Prints one line,
 * "ANSWERS<tab>RELOADS<tab>LOST<tab>what wrk says". See tests/reload.
 */

enum { PAUSE_MS = 3000, PROCESSES_MAX = 16 };

static int status = EXIT_FAILURE;

static long setting(const char *name, long usual)
{
    const char *value = getenv(name);
    return value != NULL ? strtol(value, NULL, 10) : usual;
}

static pid_t web_process(void)
{
    const char *set_up = server_set_up();
    const char *name = scratch_format("run/%.*s.pid", (int)strcspn(set_up, "-"), set_up);
    return (pid_t)strtol(server_read_file(name), NULL, 10);
}

static void reload_web_server(void)
{
    int how = server_is("nginx") ? SIGHUP : SIGUSR1;
    EXPECT(kill(web_process(), how) == 0, "%s", "the web server has gone");
}

static bool is_among(pid_t process, const pid_t *processes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (processes[i] == process)
            return true;
    return false;
}

/* One after the other, each when the one before is there again. */
static void reload_endpoint(const char *endpoint)
{
    pid_t before[PROCESSES_MAX];
    pid_t now[PROCESSES_MAX];
    size_t count = server_processes(endpoint, before, PROCESSES_MAX);
    EXPECT(count > 0, "%s", "there are no processes");
    for (size_t i = 0; i < count; i++) {
        size_t there = 0;
        EXPECT(kill(before[i], SIGTERM) == 0, "%s", "a process has gone");
        AWAIT((there = server_processes(endpoint, now, PROCESSES_MAX)) == count &&
                  !is_among(before[i], now, there),
              "%s", "it wasn't started again");
    }
}

static bool starts_endpoints_itself(void)
{
    return strchr(server_set_up(), '-') != NULL;
}

static size_t reload_until_the_end(struct child *load)
{
    size_t reloads = 0;
    int64_t next = monotonic_ms() + PAUSE_MS;
    for (; child_runs(load); pause_briefly()) {
        if (monotonic_ms() < next)
            continue;
        reload_web_server();
        if (!starts_endpoints_itself())
            reload_endpoint("notification");
        reloads++;
        next += PAUSE_MS;
    }
    return reloads;
}

static const char *value_of(const char *text, const char *name)
{
    const char *place = strstr(text, scratch_format("%s=", name));
    EXPECT(place != NULL, "wrk says no %s:\n%s", name, text);
    return place + strlen(name) + 1;
}

static int64_t number_of(const char *text, const char *name)
{
    return strtoll(value_of(text, name), NULL, 10);
}

static const char *const *load_environment(void)
{
    const char **variables = scratch_take(6 * sizeof(*variables));
    const char *connection = getenv("RELOAD_CONNECTION");
    variables[0] = scratch_format("LOAD_TOKEN=%s", TOKEN());
    variables[1] = scratch_format("LOAD_KEY=%s", SERVER_KEY);
    variables[2] = scratch_format("LOAD_CONNECTION=%s", connection != NULL ? connection : "close");
    variables[3] = scratch_format("LOAD_BODY=%s", authorisation_created("@", BANK));
    variables[4] = "LOAD_SEED=1";
    return variables;
}

START_TEST(nothing_is_lost_by_a_reload)
{
    EXPECT_STATUS(NOTIFY(), 200); /* the key set is there */
    const char *command = scratch_format(
        "exec wrk -t1 -c16 --timeout 30s -d%lds -s '%s' %s >'%s'", setting("RELOAD_SECONDS", 30),
        source_path("tests/setups/load.lua"), server_url(), server_path("load.out"));
    const char *arguments[] = {"/bin/sh", "-c", command, NULL};
    struct child load;
    child_start(&load, arguments, load_environment(), server_path("log"));
    size_t reloads = reload_until_the_end(&load);
    const char *said = server_read_file("load.out");
    int64_t answers = number_of(said, "answers");
    int64_t good = answers - number_of(said, "status");
    int64_t lost = number_of(said, "status") + number_of(said, "connect") +
                   number_of(said, "read") + number_of(said, "write") + number_of(said, "timeout");
    const char *line = strstr(said, "answers=");
    (void)printf("%lld\t%zu\t%lld\t%.*s\n", (long long)answers, reloads, (long long)lost,
                 (int)strcspn(line, "\n"), line);
    EXPECT(good > 0 && reloads > 0, "%s", "there was no load, or no reload");
    int64_t recorded = ROW_NUMBER("SELECT count(*) FROM sessions") - 1;
    EXPECT(recorded >= good, "%lld of %lld acknowledged are there", (long long)recorded,
           (long long)good);
    bool may_lose = strcmp(server_set_up(), "apache-cgi") == 0; /* doc/install.md says why */
    EXPECT(lost == 0 || may_lose, "%lld were lost:\n%s", (long long)lost, said);
    status = EXIT_SUCCESS;
}
END_TEST

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    /* mod_fcgid gives a process one request at a time */
    const struct server_options options = {
        .processes = strcmp(server_set_up(), "apache-fcgid") == 0 ? 8 : 2, .threads = 8};
    server_share(&options);
    Suite *suite = suite_create("reload");
    ADD_TEST(suite, nothing_is_lost_by_a_reload);
    SRunner *runner = srunner_create(suite);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    int count = srunner_ntests_failed(runner);
    TestResult **failures = srunner_failures(runner);
    for (int i = 0; i < count; i++)
        (void)fprintf(stderr, "%s: %s\n", server_set_up(), tr_msg(failures[i]));
    free(failures);
    srunner_free(runner);
    server_end_shared();
    keys_clear();
    scratch_release_to(NULL);
    curl_global_cleanup();
    return status;
}
