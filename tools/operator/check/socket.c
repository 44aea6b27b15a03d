/* SPDX-License-Identifier: MIT */
#include "check.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Why a web server can't reach an endpoint, as far as its socket tells. */

/* Where the shipped configurations look for sockets; Apache's calls it FEEDGATE_RUN, too. */
static const char *run_directory(void)
{
    const char *directory = getenv("FEEDGATE_RUN");
    return directory && directory[0] ? directory : "/run/feedgate";
}

/* 0, or the errno of a connection that is closed at once. */
static int try_socket(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        return ENAMETOOLONG;
    memcpy(address.sun_path, path, strlen(path) + 1);
    int connection = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connection < 0)
        return errno;
    int reason =
        connect(connection, (const struct sockaddr *)&address, sizeof address) == 0 ? 0 : errno;
    (void)close(connection);
    return reason;
}

/* The web server's user is in the group of the socket, which must be allowed to write. */
static void judge_mode(struct check *check, const char *endpoint, const char *path,
                       const struct stat *status, long answer)
{
    const struct passwd *user = getpwuid(status->st_uid);
    const struct group *group = getgrgid(status->st_gid);
    const char *group_name = group ? group->gr_name : "a group without a name";
    if ((status->st_mode & S_IWGRP) == 0)
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s: the web server answers %ld, and its user may not write to %s (of %s, "
                     "group %s, mode %04o): chgrp www-data %s && chmod 0660 %s",
                     endpoint, answer, path, user ? user->pw_name : "nobody known", group_name,
                     status->st_mode & 07777, path, path);
    else
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s: the web server answers %ld, though an endpoint listens at %s: is its "
                     "user in the group %s of that socket? (chgrp www-data %s); the web server's "
                     "error log says more",
                     endpoint, answer, path, group_name, path);
}

void check_socket(struct check *check, const char *endpoint, long answer)
{
    char path[512];
    struct stat status;
    (void)snprintf(path, sizeof path, "%s/%s.sock", run_directory(), endpoint);
    if (stat(path, &status) != 0 && errno == EACCES)
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s: the web server answers %ld; %s can't be looked at: run this as root",
                     endpoint, answer, path);
    else if (stat(path, &status) != 0)
        /* Restart, since systemd may hold a socket as active whose file is gone. */
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s: the web server answers %ld, and there is no socket %s: start the "
                     "endpoint (systemctl restart feedgate@%s.socket, or spawn-fcgi; FEEDGATE_RUN "
                     "names another directory)",
                     endpoint, answer, path, endpoint);
    else if (!S_ISSOCK(status.st_mode) || try_socket(path) == ECONNREFUSED)
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s: the web server answers %ld, since nobody listens at %s: start the "
                     "endpoint again (systemctl start feedgate.target, or spawn-fcgi); its log "
                     "says why it ended",
                     endpoint, answer, path);
    else
        judge_mode(check, endpoint, path, &status, answer);
}
