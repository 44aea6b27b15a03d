/* SPDX-License-Identifier: MIT */

/*
 * Loaded into endpoints (LD_PRELOAD) by tests of what hardly ever fails: while
 * the file that TEST_FAULT names holds the word "memory", no JSON can be printed
 * for want of memory, while it holds "page" no page can be made, while it holds
 * "random" there are no random numbers.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

char *cJSON_PrintUnformatted(const void *item);
int RAND_bytes(unsigned char *bytes, int count);

static bool fails(const char *what)
{
    char word[32] = "";
    const char *path = getenv("TEST_FAULT");
    int file = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0)
        return false;
    ssize_t length = read(file, word, sizeof(word) - 1);
    (void)close(file);
    return length > 0 && strcmp(word, what) == 0;
}

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);
    if (function == NULL)
        abort();
    return function;
}

char *cJSON_PrintUnformatted(const void *item)
{
    char *(*call)(const void *) = NULL;
    *(void **)&call = real("cJSON_PrintUnformatted"); /* ISO C has no cast for this */
    return fails("memory") ? NULL : call(item);
}

FILE *open_memstream(char **bytes, size_t *length)
{
    FILE *(*call)(char **, size_t *) = NULL;
    *(void **)&call = real("open_memstream");
    return fails("page") ? NULL : call(bytes, length);
}

int RAND_bytes(unsigned char *bytes, int count)
{
    int (*call)(unsigned char *, int) = NULL;
    *(void **)&call = real("RAND_bytes");
    return fails("random") ? 0 : call(bytes, count);
}
