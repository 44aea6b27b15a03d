/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PARTS_H
#define FEEDGATE_PARTS_H

#include <check.h>
#include <stddef.h>
#include <stdlib.h>

/*
 * Unit tests of the parts in common/. A test is named by the sentence that it
 * proves, and is a case of its own: CK_RUN_CASE=name runs it alone.
 */
#define ADD_RULE(suite, test) parts_add_rule((suite), #test, (test), 1)

/* A rule for each row of a table; the test finds its row by `_i`. */
#define ADD_RULE_FOR_EACH(suite, test, table)                                                      \
    parts_add_rule((suite), #test, (test), (int)COUNT(table))

static inline TCase *parts_add_rule(Suite *suite, const char *name, const TTest *test, int count)
{
    TCase *rule = tcase_create(name);
    tcase_add_loop_test(rule, test, 0, count);
    /* Seconds: Check's four are too few for a busy machine; tests/mutants is in a hurry. */
    tcase_set_timeout(rule, getenv("FEEDGATE_TEST_HURRY") ? 20 : 300);
    suite_add_tcase(suite, rule);
    return rule;
}

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A text of which NULs are part, as {bytes, length}. */
#define BYTES(literal) (literal), sizeof(literal) - 1

/* One for each file NAME_test.c beside this one. */
Suite *account_suite(void);
Suite *account_import_suite(void);
Suite *address_suite(void);
Suite *address_list_suite(void);
Suite *client_address_suite(void);
Suite *clock_suite(void);
Suite *code_suite(void);
Suite *config_suite(void);
Suite *inbox_suite(void);
Suite *json_suite(void);
Suite *key_set_suite(void);
Suite *log_suite(void);
Suite *memory_suite(void);
Suite *mend_suite(void);
Suite *outbox_suite(void);
Suite *pages_suite(void);
Suite *parameter_suite(void);
Suite *provider_api_suite(void);
Suite *redirect_uri_suite(void);
Suite *refusal_suite(void);
Suite *report_suite(void);
Suite *sage_token_suite(void);
Suite *session_suite(void);
Suite *session_clock_suite(void);
Suite *store_suite(void);
Suite *template_suite(void);
Suite *utf8_suite(void);

#endif
