/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_OPTIONS_H
#define FEEDGATE_OPERATOR_OPTIONS_H

#include "operator.h"

/* The options of all commands: which there are, what they are called, what their values may be. */

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 10000 };

/* What was found among the arguments beside the command's own words. */
struct found {
    unsigned options; /* of enum command_option */
    bool help;
    bool version;
};

/* Reads them into `call`; EXIT_SUCCESS, or EXIT_USAGE after saying what is wrong. */
int options_read(int argc, char **argv, struct call *call, struct found *found);

/* Checks them against what the command takes and needs; likewise. */
int options_judge(const struct command *command, const struct found *found);

/* The options of a command for its usage, each behind a space. */
void options_print_usage(const struct command *command);

/* A line or two about each option. */
void options_print_help(void);

/* Says what was called wrongly; returns EXIT_USAGE. */
int fail_usage(const char *what, const char *which);

#endif
