/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_LOG_H
#define FEEDGATE_LOG_H

#include <stddef.h>
#include <stdint.h>

/* LOG_LEVEL_NONE is for log_open() alone: no line at all. */
enum log_level {
    LOG_LEVEL_ERROR,
    LOG_LEVEL_WARNING,
    LOG_LEVEL_INFO,
    LOG_LEVEL_DEBUG,
    LOG_LEVEL_NONE
};
enum log_target { LOG_TO_STDERR, LOG_TO_SYSLOG };

/*
 * The process's log: one JSON object a line, at most LOG_LINE_MAX bytes, each
 * written by one call so that lines of several processes don't mix.
 *
 * What must not be in it: tokens, keys, secrets, one-time codes, and the
 * identifier of a session that isn't opened (log `log_id` in its place).
 */
enum { LOG_LINE_MAX = 4096 };

/* A member of a line. A NULL text leaves the member out. */
struct log_field {
    const char *name;
    const char *text; /* borrowed; cut when too long, escaped as JSON */
};

/*
 * Names the program in every line and says where lines go. To be called once,
 * before threads start; before it, lines of level warning go to stderr.
 */
void log_open(const char *program, enum log_target target, enum log_level level);

/* Writes a line: time, level, program, `event` and the fields. Never fails. */
void log_line(enum log_level level, const char *event, const struct log_field *fields,
              size_t count);

/* log_line() with the fields written out: log_event(level, event, {"a", a}, {"b", b}). */
#define log_event(level, event, ...)                                                               \
    log_line((level), (event), (const struct log_field[]){__VA_ARGS__},                            \
             sizeof((const struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field))

#endif
