/* SPDX-License-Identifier: MIT */
#include "processes.h"

#include "expect.h"
#include "scratch.h"
#include "server.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROGRAM_SIZE = 16, ALL_MAX = 4096 };

/* A process as all may see it, one that keeps its memory to itself too. */
struct process {
    pid_t id;
    pid_t parent;
    char state;
    char program[PROGRAM_SIZE]; /* cut */
};

static bool read_process(const char *id, struct process *process)
{
    char line[512];
    int descriptor = open(scratch_format("/proc/%s/stat", id), O_RDONLY | O_CLOEXEC);
    ssize_t length = descriptor < 0 ? -1 : read(descriptor, line, sizeof(line) - 1);
    if (descriptor >= 0)
        (void)close(descriptor);
    if (length <= 0) /* it has just ended */
        return false;
    line[length] = '\0';
    char *name = strchr(line, '(');
    char *end = strrchr(line, ')'); /* a name may have one too */
    if (name == NULL || end == NULL || strlen(end) < 5)
        return false;
    *end = '\0';
    process->id = (pid_t)strtol(line, NULL, 10);
    process->state = end[2];
    process->parent = (pid_t)strtol(end + 4, NULL, 10);
    (void)snprintf(process->program, sizeof(process->program), "%.15s", name + 1);
    return true;
}

static size_t read_all(struct process *all)
{
    size_t count = 0;
    DIR *directory = opendir("/proc");
    EXPECT(directory != NULL, "%s", "/proc can't be read");
    for (struct dirent *entry; (entry = readdir(directory)) != NULL && count < ALL_MAX;)
        if (isdigit((unsigned char)entry->d_name[0]) && read_process(entry->d_name, &all[count]))
            count++;
    (void)closedir(directory);
    return count;
}

static bool is_below(const struct process *all, size_t count, const struct process *process,
                     pid_t ancestor)
{
    pid_t id = process->parent;
    for (size_t steps = 0; id > 1 && steps < count; steps++) {
        if (id == ancestor)
            return true;
        size_t i = 0;
        while (i < count && all[i].id != id)
            i++;
        id = i < count ? all[i].parent : 0;
    }
    return false;
}

/* What starts an endpoint or looks after it. */
static bool is_starter(const char *program)
{
    static const char *const starters[] = {"multiwatch", "spawn-fcgi", "dash", "bash",
                                           "sh",         "start",      "env",  "setsid"};
    for (size_t i = 0; i < ROWS(starters); i++)
        if (strcmp(program, starters[i]) == 0)
            return true;
    return false;
}

size_t processes_find(const char *pid_file, const char *program, pid_t *processes, size_t max)
{
    static struct process all[ALL_MAX];
    const void *mark = scratch_mark();
    pid_t ancestor = (pid_t)strtol(file_text(pid_file), NULL, 10);
    EXPECT(ancestor > 1, "%s names no process", pid_file);
    size_t count = read_all(all);
    size_t found = 0;
    for (size_t i = 0; i < count && found < max; i++) {
        bool wanted = program != NULL ? strncmp(all[i].program, program, PROGRAM_SIZE - 1) == 0
                                      : !is_starter(all[i].program);
        if (wanted && all[i].state != 'Z' && is_below(all, count, &all[i], ancestor))
            processes[found++] = all[i].id;
    }
    scratch_release_to(mark);
    return found;
}

bool processes_run(const pid_t *processes, size_t count)
{
    struct process process;
    for (size_t i = 0; i < count; i++)
        if (read_process(scratch_format("%d", (int)processes[i]), &process) && process.state != 'Z')
            return true;
    return false;
}

bool process_owner(pid_t process, uid_t *user, gid_t *group)
{
    char line[256];
    int found = 0;
    *user = (uid_t)-1;
    *group = (gid_t)-1;
    FILE *file = fopen(scratch_format("/proc/%d/status", (int)process), "re");
    while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
        if (strncmp(line, "Uid:", 4) == 0)
            *user = (uid_t)strtoul(line + 4, NULL, 10);
        else if (strncmp(line, "Gid:", 4) == 0)
            *group = (gid_t)strtoul(line + 4, NULL, 10);
        else
            continue;
        found++;
    }
    return file != NULL && fclose(file) == 0 && found == 2;
}

bool process_limit_files(pid_t process, rlim_t bytes)
{
    uid_t user;
    gid_t group;
    struct rlimit limit = {0};
    if (!process_owner(process, &user, &group))
        return false;
    pid_t helper = fork();
    if (helper == 0) { /* becomes the process's user, who may do it without any privilege */
        bool same = geteuid() == user ||
                    (setresgid(group, group, group) == 0 && setresuid(user, user, user) == 0);
        bool read = same && prlimit(process, RLIMIT_FSIZE, NULL, &limit) == 0;
        limit.rlim_cur = bytes < limit.rlim_max ? bytes : limit.rlim_max;
        _exit(read && prlimit(process, RLIMIT_FSIZE, &limit, NULL) == 0 ? 0 : 1);
    }
    int status = 1;
    return helper > 0 && waitpid(helper, &status, 0) == helper && status == 0;
}
