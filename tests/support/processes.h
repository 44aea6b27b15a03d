/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_PROCESSES_H
#define FEEDGATE_TEST_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Processes that were started by what tests started. */

/* The processes whose program ends with `file` and whose environment has the variable. */
size_t processes_find(const char *file, const char *variable, pid_t *processes, size_t max);

/*
 * Lets every write of the process past so many bytes of a file fail (EFBIG),
 * as on a full disk; false if that isn't allowed. RLIM_INFINITY lifts it.
 */
bool process_limit_files(pid_t process, rlim_t bytes);

#endif
