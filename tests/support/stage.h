/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_STAGE_H
#define FEEDGATE_TEST_STAGE_H

/*
 * What is tested is what users get: the programs and files of a stage, made by
 * `make install` (tools/stage).
 */

/*
 * An absolute path in the stage: "bin/feedgate", "share/feedgate/pages/en.json". The
 * stage is that of FEEDGATE_STAGE in the environment, or one of FEEDGATE_BUILD that is
 * made when it is first needed, and named there for all that is started from then on.
 */
const char *staged_path(const char *name);

/* Removes the stage that this process made, if it did. */
void stage_end(void);

#endif
