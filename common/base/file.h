/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_FILE_H
#define FEEDGATE_FILE_H

#include <sys/stat.h>
#include <sys/types.h>

/* Files whose names others may have given away: what was opened is judged, never the name. */

enum file_links { FILE_LINKS_FOLLOWED, FILE_LINKS_REFUSED };

/*
 * Opens a file to be read, and tells what it is: the caller judges whether that is
 * a regular file. A FIFO without its other end holds nobody, and a terminal takes over nothing.
 * Returns a descriptor that the caller closes; -1 and errno on failure, ELOOP for
 * a link that is refused.
 */
int file_open(const char *path, enum file_links links, struct stat *status);

/* Reads until the end or until `size` bytes are there; how many, -1 and errno on failure. */
ssize_t file_read(int descriptor, void *bytes, size_t size);

/*
 * Makes the name of `path`, new or another's before, survive a power cut. 0, or the
 * errno.
 */
int file_sync_name(const char *path);

#endif
