/* SPDX-License-Identifier: MIT */
#include "expect.h"

#include "scratch.h"
#include "server.h"

#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { UNDO_MAX = 64 };

static char row[256];
static struct {
    void (*undo)(void *);
    void *argument;
} undos[UNDO_MAX];
static size_t undo_count;

static void undo_all(void)
{
    while (undo_count > 0) {
        undo_count--;
        undos[undo_count].undo(undos[undo_count].argument);
    }
}

void case_is(const char *name)
{
    (void)snprintf(row, sizeof(row), "%s", name); /* cut is good enough to find it */
}

/* check puts "_fn" behind the name of a test. */
void test_skipped(const char *function, const char *reason)
{
    size_t length = strlen(function);
    const char *end = length > 3 ? function + length - 3 : "";
    (void)printf("skipped: %.*s: %s\n", (int)(strcmp(end, "_fn") == 0 ? length - 3 : length),
                 function, reason);
}

int64_t monotonic_ms(void)
{
    struct timespec time;
    if (clock_gettime(CLOCK_MONOTONIC, &time) != 0)
        abort();
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

void pause_briefly(void)
{
    (void)poll(NULL, 0, 5);
}

/* Ends the program at the first failure, for those who only want to know that there is one. */
static _Noreturn void stop_here(const char *message)
{
    (void)printf("The first failure: [%s] %s\n", row, message);
    undo_all();
    server_end_shared();
    exit(EXIT_FAILURE);
}

void expect_failed(const char *file, int line, const char *expression, const char *format, ...)
{
    char message[3000]; /* check refuses longer ones than it likes */
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments);
    va_end(arguments);
    if (getenv("FEEDGATE_TEST_HURRY") != NULL)
        stop_here(message);
    const char *name = strrchr(file, '/') != NULL ? strrchr(file, '/') + 1 : file;
    ck_abort_msg("%s:%d%s%s%s: %s (not true: %s)", name, line, row[0] != '\0' ? " [" : "", row,
                 row[0] != '\0' ? "]" : "", message, expression);
}

void expect_text(const char *file, int line, const char *expression, const char *actual,
                 const char *expected)
{
    bool equal =
        actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;
    if (!equal)
        expect_failed(file, line, expression, "is <%s>, not <%s>", actual != NULL ? actual : "NULL",
                      expected != NULL ? expected : "NULL");
}

void expect_number(const char *file, int line, const char *expression, int64_t actual,
                   int64_t expected)
{
    if (actual != expected)
        expect_failed(file, line, expression, "is %lld, not %lld", (long long)actual,
                      (long long)expected);
}

void undo_later(void (*undo)(void *), void *argument)
{
    if (undo_count == UNDO_MAX)
        abort();
    undos[undo_count].undo = undo;
    undos[undo_count].argument = argument;
    undo_count++;
}

static void begin_test(void)
{
    row[0] = '\0';
    server_use_shared();
}

static void end_test(void)
{
    undo_all();
    scratch_release_to(NULL);
}

void add_rows(Suite *suite, const char *name, const TTest *test, size_t count)
{
    TCase *single = tcase_create(name);
    tcase_add_checked_fixture(single, begin_test, end_test);
    tcase_add_loop_test(single, test, 0, (int)count);
    suite_add_tcase(suite, single);
}
