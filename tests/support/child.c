/* SPDX-License-Identifier: MIT */
#include "child.h"

#include "expect.h"
#include "scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

enum { VARIABLES_MAX = 512 };

/* Our own variables with the further ones in front of (and so instead of) them. */
static char **environment_with(const char *const *further)
{
    char **all = scratch_take((VARIABLES_MAX + 1) * sizeof(*all));
    size_t count = 0;
    for (; further != NULL && *further != NULL && count < VARIABLES_MAX; further++)
        all[count++] = scratch_copy(*further, strlen(*further));
    size_t own = count;
    for (char **variable = environ; *variable != NULL && count < VARIABLES_MAX; variable++) {
        size_t name = strcspn(*variable, "=") + 1;
        bool replaced = false;
        for (size_t i = 0; i < own; i++)
            replaced = replaced || strncmp(all[i], *variable, name) == 0;
        if (!replaced)
            all[count++] = *variable;
    }
    return all;
}

static char **argument_list(const char *const *arguments)
{
    size_t count = 0;
    while (arguments[count] != NULL)
        count++;
    char **list = scratch_take((count + 1) * sizeof(*list));
    for (size_t i = 0; i < count; i++)
        list[i] = scratch_copy(arguments[i], strlen(arguments[i]));
    return list;
}

/* Starts a program with these descriptors as 0, 1 and 2. */
static pid_t spawn(const char *const *arguments, const char *const *environment, int input,
                   int output, int errors)
{
    char **list = argument_list(arguments);
    char **variables = environment_with(environment);
    pid_t id = fork();
    EXPECT(id >= 0, "fork: %s", strerror(errno));
    if (id > 0)
        return id;
    /* only calls that are safe between fork and exec: this program has threads */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    (void)signal(SIGPIPE, SIG_DFL);
    if (dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(errors, 2) < 0)
        _exit(126);
    (void)execve(list[0], list, variables);
    _exit(127);
}

static void make_pipe(int ends[2])
{
    EXPECT(pipe2(ends, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
}

void child_start(struct child *child, const char *const *arguments, const char *const *environment,
                 const char *error_file)
{
    int errors = open(error_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    EXPECT(errors >= 0 && nothing >= 0, "can't open %s", error_file);
    int output[2];
    make_pipe(output);
    child->id = spawn(arguments, environment, nothing, output[1], errors);
    child->output = output[0];
    (void)close(output[1]);
    (void)close(nothing);
    (void)close(errors);
}

int child_start_held(struct child *child, const char *const *arguments,
                     const char *const *environment)
{
    int input[2];
    int output[2];
    make_pipe(input);
    make_pipe(output);
    child->id = spawn(arguments, environment, input[0], output[1], STDERR_FILENO);
    child->output = output[0];
    (void)close(input[0]);
    (void)close(output[1]);
    return input[1];
}

bool child_first_line(struct child *child, char *line, size_t size, int timeout_ms)
{
    int64_t end = monotonic_ms() + timeout_ms;
    for (size_t length = 0; monotonic_ms() < end && length < size;) {
        struct pollfd poll_for = {.fd = child->output, .events = POLLIN};
        if (poll(&poll_for, 1, 100) <= 0)
            continue;
        if (read(child->output, line + length, 1) != 1)
            return false;
        if (line[length] == '\n') {
            line[length] = '\0';
            return true;
        }
        length++;
    }
    return false;
}

bool child_await_line(struct child *child, const char *line, int timeout_ms)
{
    char text[4096] = "\n";
    size_t length = 1;
    const char *wanted = scratch_format("\n%s\n", line);
    int64_t end = monotonic_ms() + timeout_ms;
    while (strstr(text, wanted) == NULL && monotonic_ms() < end && length < sizeof(text) - 1) {
        struct pollfd poll_for = {.fd = child->output, .events = POLLIN};
        if (poll(&poll_for, 1, 100) <= 0)
            continue;
        ssize_t got = read(child->output, text + length, sizeof(text) - 1 - length);
        if (got <= 0)
            return false;
        length += (size_t)got;
        text[length] = '\0';
    }
    return strstr(text, wanted) != NULL;
}

bool child_runs(struct child *child)
{
    if (child->id > 0 && waitpid(child->id, NULL, WNOHANG) != 0) {
        (void)close(child->output);
        child->id = 0;
    }
    return child->id > 0;
}

void child_stop(struct child *child)
{
    if (child->id <= 0)
        return;
    (void)kill(child->id, SIGTERM);
    int64_t end = monotonic_ms() + PATIENCE_MS;
    while (waitpid(child->id, NULL, WNOHANG) == 0) {
        if (monotonic_ms() > end) {
            (void)fprintf(stderr, "process %d doesn't end on SIGTERM\n", (int)child->id);
            (void)kill(child->id, SIGKILL);
            end = INT64_MAX;
        }
        pause_briefly();
    }
    (void)close(child->output);
    child->id = 0;
}

/* ---- a program from start to end ---------------------------------------- */

/* Gives input while it is taken, takes output until it ends. */
static const char *exchange(int input, const char *bytes, size_t left, int output)
{
    char *all = NULL;
    size_t size = 0;
    int64_t end = monotonic_ms() + PATIENCE_MS;
    for (;;) {
        struct pollfd ends[] = {{.fd = output, .events = POLLIN}, {.fd = input, .events = POLLOUT}};
        if (left == 0 && input >= 0) {
            (void)close(input);
            ends[1].fd = input = -1; /* poll leaves it out */
        }
        EXPECT(monotonic_ms() < end, "%s", "the program doesn't end");
        if (poll(ends, 2, 100) <= 0)
            continue;
        if (ends[1].revents != 0) {
            ssize_t sent = write(input, bytes, left);
            left = sent < 0 ? 0 : left - (size_t)sent; /* it needn't read all */
            bytes += sent < 0 ? 0 : sent;
        }
        if (ends[0].revents == 0)
            continue;
        char *grown = realloc(all, size + 65536);
        EXPECT(grown != NULL, "%s", "memory is out");
        all = grown;
        ssize_t got = read(output, all + size, 65536);
        if (got <= 0)
            break;
        size += (size_t)got;
    }
    if (input >= 0)
        (void)close(input);
    const char *text = scratch_copy(all, size);
    free(all);
    return text;
}

int child_run(const char *const *arguments, const char *const *environment, const char *error_file,
              const void *input, size_t input_length, const char **output)
{
    int errors = open(error_file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    EXPECT(errors >= 0, "can't open %s", error_file);
    int in[2];
    int out[2];
    make_pipe(in);
    make_pipe(out);
    pid_t id = spawn(arguments, environment, in[0], out[1], errors);
    (void)close(errors);
    (void)close(in[0]);
    (void)close(out[1]);
    (void)fcntl(in[1], F_SETFL, O_NONBLOCK);
    *output = exchange(in[1], input, input_length, out[0]);
    (void)close(out[0]);
    int status = 0;
    while (waitpid(id, &status, 0) < 0 && errno == EINTR)
        continue;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

const char *faketime_library(void)
{
    glob_t found;
    int result = glob("/usr/lib/*/faketime/libfaketimeMT.so.1", 0, NULL, &found);
    EXPECT(result == 0 && found.gl_pathc > 0, "%s", "libfaketime is missing");
    const char *path = scratch_format("%s", found.gl_pathv[0]);
    globfree(&found);
    return path;
}
