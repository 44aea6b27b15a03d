/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include <stdlib.h>

/* The log comes first: without forks it is open for all that come behind. */
static Suite *(*const suites[])(void) = {
    log_suite,           account_suite,        account_import_suite, address_suite,
    address_list_suite,  client_address_suite, clock_suite,          code_suite,
    config_suite,        inbox_suite,          json_suite,           mend_suite,
    outbox_suite,        pages_suite,          parameter_suite,      provider_api_suite,
    redirect_uri_suite,  refusal_suite,        report_suite,         session_suite,
    session_clock_suite, store_suite,          template_suite,       utf8_suite,
    key_set_suite,       sage_token_suite,     memory_suite,
};

int main(void)
{
    SRunner *runner = srunner_create(NULL);
    for (size_t i = 0; i < COUNT(suites); i++)
        srunner_add_suite(runner, suites[i]());
    srunner_run_all(runner, CK_ENV);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
