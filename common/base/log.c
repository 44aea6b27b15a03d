/* SPDX-License-Identifier: MIT */
#include "log.h"

#include "utf8.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

enum {
    PROGRAM_MAX = 64,
    TEXT_MAX = 1024, /* of one member, so that a long one doesn't push the others out */
    ESCAPE_MAX = 8,
    CHARACTER_MAX = 4,
    WRITES_MAX = 8,
};

static const char cut_mark[] = "...";
static const char closing[] = "}\n";

/* A member may begin, and its text go on, up to here: the mark, its quote and the end still fit. */
enum { LINE_LIMIT = LOG_LINE_MAX - (sizeof(cut_mark) - 1) - 1 - (sizeof(closing) - 1) };

static const struct {
    const char *word;
    int priority;
} levels[] = {
    [LOG_LEVEL_ERROR] = {"error", LOG_ERR},
    [LOG_LEVEL_WARNING] = {"warning", LOG_WARNING},
    [LOG_LEVEL_INFO] = {"info", LOG_INFO},
    [LOG_LEVEL_DEBUG] = {"debug", LOG_DEBUG},
};

static struct {
    char program[PROGRAM_MAX]; /* syslog keeps a pointer to it */
    enum log_target target;
    enum log_level level;
} process_log = {"feedgate", LOG_TO_STDERR, LOG_LEVEL_WARNING};

struct line {
    size_t used;
    char bytes[LOG_LINE_MAX];
};

static void append(struct line *line, const char *bytes, size_t length)
{
    memcpy(line->bytes + line->used, bytes, length);
    line->used += length;
}

static void append_text(struct line *line, const char *text)
{
    append(line, text, strlen(text));
}

/* Writes the first character of `text` as JSON wants it; returns how many bytes it took. */
static size_t escape(const char *text, size_t length, char escaped[ESCAPE_MAX])
{
    size_t taken = utf8_character(text, length);
    unsigned code = (unsigned char)text[taken == 2 ? 1 : 0];
    if (taken == 0) {
        (void)snprintf(escaped, ESCAPE_MAX, "\\ufffd");
        return 1;
    }
    if (utf8_is_control(text)) /* of two bytes, the second is the code */
        (void)snprintf(escaped, ESCAPE_MAX, "\\u%04x", code);
    else if (*text == '"' || *text == '\\')
        (void)snprintf(escaped, ESCAPE_MAX, "\\%c", *text);
    else
        (void)snprintf(escaped, ESCAPE_MAX, "%.*s", (int)taken, text);
    return taken;
}

static void append_escaped(struct line *line, const char *text)
{
    size_t length = strnlen(text, TEXT_MAX + CHARACTER_MAX); /* the last one whole */
    size_t taken = 0;
    while (taken < length) {
        char escaped[ESCAPE_MAX];
        size_t step = escape(text + taken, length - taken, escaped);
        if (taken + step > TEXT_MAX || line->used + strlen(escaped) > LINE_LIMIT) {
            append_text(line, cut_mark);
            return;
        }
        append_text(line, escaped);
        taken += step;
    }
}

/* Names are ours and need no escapes. A member whose beginning doesn't fit is left out. */
static void append_member(struct line *line, const char *name, const char *text)
{
    char beginning[ESCAPE_MAX + PROGRAM_MAX];
    int length =
        snprintf(beginning, sizeof(beginning), "%c\"%s\":\"", line->used == 0 ? '{' : ',', name);
    if (text == NULL || length < 0 || (size_t)length >= sizeof(beginning) ||
        line->used + (size_t)length > LINE_LIMIT)
        return;
    append(line, beginning, (size_t)length);
    append_escaped(line, text);
    append_text(line, "\"");
}

/* RFC 3339 with milliseconds. The line tells the machine's own time, come what may. */
static void append_time(struct line *line)
{
    char text[64] = "";
    char seconds[32] = "";
    struct timespec now;
    struct tm parts;
    if (clock_gettime(CLOCK_REALTIME, &now) == 0 && gmtime_r(&now.tv_sec, &parts) != NULL &&
        strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &parts) > 0)
        (void)snprintf(text, sizeof(text), "%s.%03ldZ", seconds, now.tv_nsec / 1000000);
    append_member(line, "time", text);
}

/* One call writes it all unless a signal or a full pipe comes between. */
static void write_line(const struct line *line)
{
    size_t written = 0;
    for (int tries = 0; tries < WRITES_MAX && written < line->used; tries++) {
        ssize_t result = write(STDERR_FILENO, line->bytes + written, line->used - written);
        if (result > 0)
            written += (size_t)result;
        else if (errno != EINTR)
            return; /* there is no one left to tell */
    }
}

void log_open(const char *program, enum log_target target, enum log_level level)
{
    (void)snprintf(process_log.program, sizeof(process_log.program), "%s", program);
    process_log.target = target;
    process_log.level = level;
    if (target == LOG_TO_SYSLOG)
        openlog(process_log.program, LOG_PID, LOG_DAEMON);
}

void log_line(enum log_level level, const char *event, const struct log_field *fields, size_t count)
{
    if (process_log.level == LOG_LEVEL_NONE || level > process_log.level)
        return;
    int error = errno; /* callers may log before they look at it */
    struct line line;
    line.used = 0;
    append_time(&line);
    append_member(&line, "level", levels[level].word);
    append_member(&line, "program", process_log.program);
    append_member(&line, "event", event);
    for (size_t i = 0; i < count; i++)
        append_member(&line, fields[i].name, fields[i].text);
    append_text(&line, closing);

    if (process_log.target == LOG_TO_SYSLOG)
        syslog(levels[level].priority, "%.*s", (int)line.used - 1, line.bytes);
    else
        write_line(&line);
    errno = error;
}
