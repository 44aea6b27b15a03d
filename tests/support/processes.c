/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include "expect.h"
#include "scratch.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file of /proc, whole enough for what is looked for; NUL bytes become newlines. */
static const char *process_file(const char *process, const char *name)
{
    char path[300];
    (void)snprintf(path, sizeof(path), "/proc/%s/%s", process, name);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return "";
    static char bytes[65536];
    ssize_t length = read(descriptor, bytes, sizeof(bytes));
    (void)close(descriptor);
    for (ssize_t i = 0; i < length; i++)
        bytes[i] = bytes[i] == '\0' ? '\n' : bytes[i];
    return scratch_format("\n%.*s\n", length > 0 ? (int)length : 0, bytes);
}

/* Whether it is the program itself, and not what started or looks after it. */
static bool runs_program(const char *process, const char *file)
{
    static const char *const starters[] = {"/multiwatch", "/spawn-fcgi", "/dash", "/bash", "/env"};
    char link[300];
    char target[4096];
    (void)snprintf(link, sizeof(link), "/proc/%s/exe", process);
    ssize_t length = readlink(link, target, sizeof(target) - 1);
    if (length <= 0)
        return false;
    target[length] = '\0';
    for (size_t i = 0; i < ROWS(starters); i++) {
        size_t name = strlen(starters[i]);
        if ((size_t)length >= name && strcmp(target + (size_t)length - name, starters[i]) == 0)
            return false;
    }
    return strstr(process_file(process, "cmdline"), scratch_format("%s\n", file)) != NULL;
}

size_t processes_find(const char *file, const char *variable, pid_t *processes, size_t max)
{
    const void *mark = scratch_mark();
    size_t count = 0;
    DIR *directory = opendir("/proc");
    EXPECT(directory != NULL, "%s", "/proc can't be read");
    const char *wanted = scratch_format("\n%s\n", variable);
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < max;) {
        if (!isdigit((unsigned char)entry->d_name[0]) || !runs_program(entry->d_name, file))
            continue;
        if (strstr(process_file(entry->d_name, "environ"), wanted) != NULL)
            processes[count++] = (pid_t)strtol(entry->d_name, NULL, 10);
    }
    (void)closedir(directory);
    scratch_release_to(mark);
    return count;
}

bool process_limit_files(pid_t process, rlim_t bytes)
{
    struct stat owner;
    struct rlimit limit = {0};
    if (stat(scratch_format("/proc/%d", (int)process), &owner) != 0)
        return false;
    pid_t helper = fork();
    if (helper == 0) { /* becomes the process's user, who may do it without any privilege */
        bool same = geteuid() == owner.st_uid ||
                    (setresgid(owner.st_gid, owner.st_gid, owner.st_gid) == 0 &&
                     setresuid(owner.st_uid, owner.st_uid, owner.st_uid) == 0);
        bool read = same && prlimit(process, RLIMIT_FSIZE, NULL, &limit) == 0;
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        _exit(read && prlimit(process, RLIMIT_FSIZE, &limit, NULL) == 0 ? 0 : 1);
    }
    int status = 1;
    return helper > 0 && waitpid(helper, &status, 0) == helper && status == 0;
}
