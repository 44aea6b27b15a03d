/* SPDX-License-Identifier: MIT */

/*
 * Loaded into endpoints (LD_PRELOAD) by tests that watch or break the disk:
 * each fdatasync() and fsync() adds a byte to the file that TEST_SYNCS names,
 * and fails while that file isn't writable. Without the variable nothing is broken.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

int fdatasync(int descriptor);
int fsync(int descriptor);

static int call(const char *name, int descriptor)
{
    int (*real)(int) = NULL;
    *(void **)&real = dlsym(RTLD_NEXT, name); /* ISO C has no cast for this */
    const char *path = getenv("TEST_SYNCS");
    if (real != NULL && path == NULL)
        return real(descriptor);
    int count = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (real == NULL || count < 0 || write(count, ".", 1) != 1) {
        if (count >= 0)
            (void)close(count);
        errno = EIO;
        return -1;
    }
    (void)close(count);
    return real(descriptor);
}

int fdatasync(int descriptor)
{
    return call("fdatasync", descriptor);
}

int fsync(int descriptor)
{
    return call("fsync", descriptor);
}
