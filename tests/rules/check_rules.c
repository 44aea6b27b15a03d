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
    notification_rules,
    token_rules,
    address_rules,
    auth_rules,
    journey_rules,
    code_rules,
    availableaccounts_rules,
    race_rules,
    time_rules,
    trouble_rules,
    header_rules,
    complete_rules,
    explain_rules,
};

/* What we ask of Sage, and tell it, whatever the web server. */
static Suite *(*const of_calls_out[])(void) = {key_set_rules, delivery_rules, deliver_rules,
                                               clock_rules};

/* What has a web server of its own, or none. */
static Suite *(*const of_programs[])(void) = {
    customer_rules,   sandbox_rules, product_rules, addresses_rules, web_check_rules,
    authorizer_rules, openapi_rules, upgrade_rules, memory_rules,
};

/* What the next version begins with; only when it is asked for. */
static Suite *(*const of_fixture[])(void) = {fixture_rules};

static const struct {
    const char *name;
    Suite *(*const *suites)(void);
    size_t count;
    bool asked; /* only by its name */
} tables[] = {
    {"each-server", of_each_server, ROWS(of_each_server), false},
    {"calls-out", of_calls_out, ROWS(of_calls_out), false},
    {"programs", of_programs, ROWS(of_programs), false},
    {"fixture", of_fixture, ROWS(of_fixture), true},
};

static void add_suites(SRunner *runner, const char *table)
{
    for (size_t i = 0; i < ROWS(tables); i++)
        for (size_t j = 0; j < tables[i].count; j++)
            if (table ? strcmp(table, tables[i].name) == 0 : !tables[i].asked)
                srunner_add_suite(runner, tables[i].suites[j]());
}

/* check_rules [TABLE]: one table of suites, or all. */
int main(int argc, char **argv)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a program under test may end without reading its input */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    SRunner *runner = srunner_create(NULL);
    add_suites(runner, argc > 1 ? argv[1] : NULL);
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
