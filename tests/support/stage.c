/* SPDX-License-Identifier: MIT */
#include "stage.h"

#include "child.h"
#include "expect.h"
#include "scratch.h"
#include "server.h"

#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* It may have to build first, on a machine that is busy. */
enum { STAGE_MS = 900 * 1000 };

static struct child keeper;
static int hold = -1; /* the stage is kept until this is closed, as at our end */

static void make_stage(void)
{
    const char *arguments[] = {source_path("tools/stage"), NULL};
    const char *environment[] = {scratch_format("FEEDGATE_BUILD=%s", built_path("")), NULL};
    char path[256];
    hold = child_start_held(&keeper, arguments, environment);
    bool made = child_first_line(&keeper, path, sizeof(path), STAGE_MS);
    if (!made)
        stage_end();
    EXPECT(made, "%s", "tools/stage makes no stage");
    EXPECT(setenv("FEEDGATE_STAGE", path, 1) == 0, "%s", "setenv");
}

const char *staged_path(const char *name)
{
    if (getenv("FEEDGATE_STAGE") == NULL)
        make_stage();
    return scratch_format("%s/%s", getenv("FEEDGATE_STAGE"), name);
}

void stage_end(void)
{
    if (hold < 0)
        return;
    (void)close(hold);
    hold = -1;
    (void)waitpid(keeper.id, NULL, 0);
    (void)close(keeper.output);
    (void)unsetenv("FEEDGATE_STAGE");
}
