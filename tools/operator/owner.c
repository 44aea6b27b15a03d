/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "base/log.h"
#include "base/memory.h"
#include "config/config.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

unsigned operator_secrets(const struct command *command)
{
    if (command->options & LOADS_SECRETS)
        return SECRETS_ALL;
    return command->parts & SERVICE_REPORTS ? SECRETS_PROVIDER_API : SECRETS_NONE;
}

bool operator_configure(struct call *call, char error[SERVICE_ERROR_MAX])
{
    /* The log's place is the endpoints'; here somebody looks at the terminal. */
    log_open("feedgate", LOG_TO_STDERR, LOG_LEVEL_ERROR);
    call->service.config = config_load(call->conf, operator_secrets(call->command), error);
    if (!call->service.config)
        return false;
    if (call->command->options & IS_SERVICE)
        log_open(call->command->name, call->service.config->log.target,
                 call->service.config->log.level);
    return true;
}

/* The owner of the database, or else of its directory. */
static bool find_owner(const char *database, struct stat *owner, char error[SERVICE_ERROR_MAX])
{
    if (lstat(database, owner) == 0) {
        /* Who may write to the directory could let a link lead root anywhere. */
        if (S_ISREG(owner->st_mode))
            return true;
        (void)snprintf(error, SERVICE_ERROR_MAX,
                       "%s: not a regular file; root doesn't open it: run the command as the "
                       "endpoints' user",
                       database);
        return false;
    }
    int reason = errno;
    const char *slash = strrchr(database, '/');
    char *directory = slash ? strndup(database, (size_t)(slash - database) + 1) : strdup(".");
    bool found = reason == ENOENT && directory && stat(directory, owner) == 0;
    if (!found)
        (void)snprintf(error, SERVICE_ERROR_MAX, "%s: %s", database, strerror(reason));
    free(directory);
    return found;
}

/* Root becomes the owner, for good. */
static bool become(const struct stat *owner, const char *path, char error[SERVICE_ERROR_MAX])
{
    if (owner->st_uid == 0)
        return true;
    if (setgroups(1, &owner->st_gid) == 0 && setgid(owner->st_gid) == 0 &&
        setuid(owner->st_uid) == 0 && memory_close() && setuid(0) != 0)
        return true;
    (void)snprintf(error, SERVICE_ERROR_MAX, "%s: can't become its owner (user %ju): %s", path,
                   (uintmax_t)owner->st_uid, strerror(errno));
    return false;
}

bool operator_step_down(struct call *call, char error[SERVICE_ERROR_MAX])
{
    struct stat owner;
    const char *database = call->service.config->store.database;
    if (geteuid() != 0)
        return true;
    return find_owner(database, &owner, error) && become(&owner, database, error);
}

bool operator_become_owner(const char *path, char error[SERVICE_ERROR_MAX])
{
    struct stat owner;
    const char *slash = strrchr(path, '/');
    if (geteuid() != 0)
        return true;
    char *directory = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
    bool became = directory && stat(directory, &owner) == 0;
    if (became)
        became = become(&owner, directory, error);
    else
        (void)snprintf(error, SERVICE_ERROR_MAX, "%s: %s", path, strerror(errno));
    free(directory);
    return became;
}

bool operator_open(struct call *call)
{
    return operator_open_as(call, STORE_OPERATOR);
}

bool operator_open_as(struct call *call, enum store_role role)
{
    char error[SERVICE_ERROR_MAX];
    if (operator_configure(call, error) && operator_step_down(call, error) &&
        service_open_parts(&call->service, role, call->command->parts, 1, error))
        return true;
    (void)fail("%s", error);
    return false;
}
