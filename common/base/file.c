/* SPDX-License-Identifier: MIT */
#include "file.h"

#include "cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

int file_open(const char *path, enum file_links links, struct stat *status)
{
    int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
    int descriptor = open(path, links == FILE_LINKS_REFUSED ? flags | O_NOFOLLOW : flags);
    if (descriptor < 0 || fstat(descriptor, status) == 0)
        return descriptor;
    int reason = errno;
    (void)close(descriptor); /* nothing was written */
    errno = reason;
    return -1;
}

ssize_t file_read(int descriptor, void *bytes, size_t size)
{
    size_t used = 0;
    while (used < size) {
        ssize_t count = read(descriptor, (char *)bytes + used, size - used);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        used += (size_t)count;
    }
    return (ssize_t)used;
}

int file_sync_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    int length = slash ? (int)(slash - path) + 1 : 1;
    _cleanup_(cleanup_free) char *name = NULL;
    if (asprintf(&name, "%.*s", length, slash ? path : ".") < 0) {
        name = NULL; /* its value is undefined then */
        return ENOMEM;
    }
    _cleanup_(cleanup_close) int directory = open(name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return directory >= 0 && fsync(directory) == 0 ? 0 : errno;
}
