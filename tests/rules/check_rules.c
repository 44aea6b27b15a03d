/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdlib.h>

/*
 * Runs in one process, without forks: the shared server and the issuer inside
 * this program live from test to test.
 */
int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* a program under test may end without reading its input */
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    SRunner *runner = srunner_create(notification_rules());
    srunner_add_suite(runner, token_rules());
    srunner_add_suite(runner, auth_rules());
    srunner_add_suite(runner, race_rules());
    srunner_add_suite(runner, availableaccounts_rules());
    srunner_add_suite(runner, key_set_rules());
    srunner_add_suite(runner, time_rules());
    srunner_add_suite(runner, trouble_rules());
    srunner_add_suite(runner, header_rules());
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    server_end_shared();
    keys_clear();
    scratch_release_to(NULL);
    curl_global_cleanup();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
