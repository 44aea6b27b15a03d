/* SPDX-License-Identifier: MIT */

/*
 * Loaded into endpoints (LD_PRELOAD) by tests that ask what a web server made of
 * a request: every variable of each request is added to the file that TEST_SEEN
 * names, one a line.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The beginning of libfcgi's FCGX_Request, as far as it is needed. */
struct request {
    int id;
    int role;
    void *in, *out, *err;
    char **variables;
};

int FCGX_Accept_r(struct request *request);

extern char **environ;

static void write_down(char **variables)
{
    const char *path = getenv("TEST_SEEN");
    int file = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    for (; *variables != NULL; variables++)
        if (write(file, *variables, strlen(*variables)) < 0 || write(file, "\n", 1) != 1)
            break;
    (void)close(file);
}

/* Plain CGI has them in its environment. */
__attribute__((constructor)) static void begin(void)
{
    if (getenv("REQUEST_METHOD") != NULL)
        write_down(environ);
}

int FCGX_Accept_r(struct request *request)
{
    int (*call)(struct request *) = NULL;
    *(void **)&call = dlsym(RTLD_NEXT, "FCGX_Accept_r"); /* ISO C has no cast for this */
    if (call == NULL)
        abort();
    int result = call(request);
    if (result == 0)
        write_down(request->variables);
    return result;
}
