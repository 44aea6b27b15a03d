/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PARTS_H
#define FEEDGATE_PARTS_H

#include <check.h>
#include <stddef.h>

/*
 * Unit tests of the parts in common/. A test is named by the sentence that it
 * proves, and is a case of its own: CK_RUN_CASE=name runs it alone.
 */
#define ADD_RULE(suite, test)                                                                      \
    do {                                                                                           \
        TCase *rule = tcase_create(#test);                                                         \
        tcase_add_test(rule, test);                                                                \
        suite_add_tcase((suite), rule);                                                            \
    } while (0)

/* A rule for each row of a table; the test finds its row by `_i`. */
#define ADD_RULE_FOR_EACH(suite, test, table)                                                      \
    do {                                                                                           \
        TCase *rule = tcase_create(#test);                                                         \
        tcase_add_loop_test(rule, test, 0, (int)COUNT(table));                                     \
        suite_add_tcase((suite), rule);                                                            \
    } while (0)

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A text of which NULs are part, as {bytes, length}. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* One for each file NAME_test.c beside this one. */
Suite *clock_suite(void);
Suite *config_suite(void);
Suite *json_suite(void);
Suite *log_suite(void);
Suite *parameter_suite(void);
Suite *redirect_uri_suite(void);
Suite *refusal_suite(void);
Suite *utf8_suite(void);

#endif
