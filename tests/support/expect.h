/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_EXPECT_H
#define FEEDGATE_TEST_EXPECT_H

#include <check.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * What tests say: EXPECT(what must be true, what to print otherwise), and
 * AWAIT for what becomes true soon. Nothing here depends on the machine's
 * speed: a wait ends with its condition, and its bound is far away.
 */

/* Names the row of a table that is tested; printed with every failure until the test ends. */
void case_is(const char *name);

#define EXPECT(condition, ...)                                                                     \
    do {                                                                                           \
        if (!(condition))                                                                          \
            expect_failed(__FILE__, __LINE__, #condition, __VA_ARGS__);                            \
    } while (0)

/* Ends a test that only root can run: ./runtests says so, and counts it as skipped. */
#define NEEDS_ROOT()                                                                               \
    do {                                                                                           \
        if (geteuid() != 0) {                                                                      \
            test_skipped(__func__, "only root can run it");                                        \
            return;                                                                                \
        }                                                                                          \
    } while (0)
void test_skipped(const char *function, const char *reason);

#define EXPECT_TEXT(actual, expected) expect_text(__FILE__, __LINE__, #actual, actual, expected)
#define EXPECT_NUMBER(actual, expected)                                                            \
    expect_number(__FILE__, __LINE__, #actual, (int64_t)(actual), (int64_t)(expected))

#define AWAIT(condition, ...)                                                                      \
    do {                                                                                           \
        int64_t await_end = monotonic_ms() + PATIENCE_MS;                                          \
        while (!(condition)) {                                                                     \
            if (monotonic_ms() > await_end)                                                        \
                expect_failed(__FILE__, __LINE__, "in time: " #condition, __VA_ARGS__);            \
            pause_briefly();                                                                       \
        }                                                                                          \
    } while (0)

enum { PATIENCE_MS = 60 * 1000 };

int64_t monotonic_ms(void);
void pause_briefly(void); /* between two looks at something that changes elsewhere */

__attribute__((noreturn, format(printf, 4, 5))) void
expect_failed(const char *file, int line, const char *expression, const char *format, ...);
void expect_text(const char *file, int line, const char *expression, const char *actual,
                 const char *expected); /* NULL equals only NULL */
void expect_number(const char *file, int line, const char *expression, int64_t actual,
                   int64_t expected);

/* What has to be undone when the test ends, failed or not; the latest first. */
void undo_later(void (*undo)(void *), void *argument);

/*
 * Adds a test to the suite, as a test case of its own that carries its name,
 * so that CK_RUN_CASE=name runs it alone; with ADD_ROWS once for each of `count` rows.
 */
#define ADD_TEST(suite, test) add_rows((suite), #test, (test), 1)
#define ADD_ROWS(suite, test, count) add_rows((suite), #test, (test), (count))
#define ROWS(table) (sizeof(table) / sizeof((table)[0]))
void add_rows(Suite *suite, const char *name, const TTest *test, size_t count);

#endif
