/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_CHILD_H
#define FEEDGATE_TEST_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Programs that tests start. */

struct child {
    pid_t id;   /* 0: not running */
    int output; /* its standard output */
};

/*
 * Starts a program; its standard error is added to the file. `environment`
 * holds further variables; both lists end with NULL.
 */
void child_start(struct child *child, const char *const *arguments, const char *const *environment,
                 const char *error_file);

/*
 * The same with our standard error, and a standard input that ends when the returned
 * descriptor is closed, or we end.
 */
int child_start_held(struct child *child, const char *const *arguments,
                     const char *const *environment);

/* The first line that it prints, without its end; false if it ends before or takes longer. */
bool child_first_line(struct child *child, char *line, size_t size, int timeout_ms);

/* Waits until the program has printed the line; false if it ends or takes longer. */
bool child_await_line(struct child *child, const char *line, int timeout_ms);

bool child_runs(struct child *child);

/* Ends it by SIGTERM and waits; nothing happens when it doesn't run. */
void child_stop(struct child *child);

/*
 * Runs a program to its end with this input; returns its exit status, or -1
 * when a signal ended it. `output` is what it wrote to its standard output;
 * its standard error is added to the file.
 */
int child_run(const char *const *arguments, const char *const *environment, const char *error_file,
              const void *input, size_t input_length, const char **output);

/* Where libfaketime is; the test fails without it. */
const char *faketime_library(void);

#endif
