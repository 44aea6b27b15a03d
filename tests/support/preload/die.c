/* SPDX-License-Identifier: MIT */

/*
 * Loaded into endpoints (LD_PRELOAD) by tests that kill one at a named point:
 * when the file that TEST_DIE names holds the point's word, the process that
 * comes there takes the file away and dies of SIGKILL. So the points exist in
 * tests only, and the program that ships is the one that is tested.
 *
 *     before_commit    the transaction isn't on the disk yet
 *     before_patch     it is, and Sage hasn't heard of it
 *     after_patch      Sage has answered, and nobody knows it yet
 *     before_redirect  all is done but the customer's way back
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int fdatasync(int descriptor);
int curl_easy_perform(void *handle);
int FCGX_PutStr(const char *bytes, int count, void *stream);

static void reach(const char *point)
{
    char word[32] = "";
    const char *path = getenv("TEST_DIE");
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return;
    ssize_t length = read(file, word, sizeof(word) - 1);
    (void)close(file);
    /* Only the one that takes the file away dies. */
    if (length > 0 && strcmp(word, point) == 0 && unlink(path) == 0)
        (void)kill(getpid(), SIGKILL);
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

int fdatasync(int descriptor)
{
    int (*call)(int) = NULL;
    *(void **)&call = real("fdatasync"); /* ISO C has no cast for this */
    reach("before_commit");
    return call(descriptor);
}

int curl_easy_perform(void *handle)
{
    int (*call)(void *) = NULL;
    *(void **)&call = real("curl_easy_perform");
    reach("before_patch");
    int code = call(handle);
    reach("after_patch");
    return code;
}

int FCGX_PutStr(const char *bytes, int count, void *stream)
{
    int (*call)(const char *, int, void *) = NULL;
    *(void **)&call = real("FCGX_PutStr");
    reach("before_redirect");
    return call(bytes, count, stream);
}
