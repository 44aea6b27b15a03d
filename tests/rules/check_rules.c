/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

/*
 * Runs in one process, without forks: the shared server and the issuer inside
 * this program live from test to test.
 */
/* What a web server could spoil. */
static Suite *(*const of_each_server[])(void) = {
    notification_rules,      token_rules, auth_rules, journey_rules, code_rules,
    availableaccounts_rules, race_rules,  time_rules, trouble_rules, header_rules,
};

/* What happens behind the web server, or without one: once is enough. */
static Suite *(*const behind_any_server[])(void) = {
    key_set_rules, delivery_rules, deliver_rules, customer_rules, sandbox_rules, product_rules,
};

static void add_suites(SRunner *runner, Suite *(*const suites[])(void), size_t count)
{
    for (size_t i = 0; i < count; i++)
        srunner_add_suite(runner, suites[i]());
}

/* check_rules [each|behind]: the one table or the other; both without. */
int main(int argc, char **argv)
{
    const char *table = argc > 1 ? argv[1] : "";
    (void)signal(SIGPIPE, SIG_IGN); /* a program under test may end without reading its input */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    SRunner *runner = srunner_create(NULL);
    if (strcmp(table, "behind") != 0)
        add_suites(runner, of_each_server, ROWS(of_each_server));
    if (strcmp(table, "each") != 0)
        add_suites(runner, behind_any_server, ROWS(behind_any_server));
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    sandbox_end_shared();
    server_end_shared();
    keys_clear();
    scratch_release_to(NULL);
    curl_global_cleanup();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
