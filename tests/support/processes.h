/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_PROCESSES_H
#define FEEDGATE_TEST_PROCESSES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

/* Processes that were started by what tests started. */

/*
 * The processes below the one that the file names, and of those the ones that run
 * `program`; NULL: all that don't just start others. Without the file the test fails.
 */
size_t processes_find(const char *pid_file, const char *program, pid_t *processes, size_t max);

/* Whether one of them is still there. */
bool processes_run(const pid_t *processes, size_t count);

/*
 * Its user and group; false when it has gone. (/proc/PID itself is root's where a
 * process keeps its memory to itself.)
 */
bool process_owner(pid_t process, uid_t *user, gid_t *group);

/*
 * Lets every write of the process past so many bytes of a file fail (EFBIG),
 * as on a full disk; false if that isn't allowed. RLIM_INFINITY lifts it.
 */
bool process_limit_files(pid_t process, rlim_t bytes);

#endif
