/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/cleanup.h"
#include "service/report.h"

#include <stdlib.h>

static const struct account account = {
    .external_id = "a7Qk",
    .account_type = "business",
    .account_name = "Compte \"courant\" n\xC2\xB0 1",
    .bank_identifier = "000001",
    .branch_identifier = "main",
    .account_identifier = "00420007",
};

#define ACCOUNT                                                                                    \
    "{\"bankAccountExternalId\":\"a7Qk\",\"accountName\":\"Compte \\\"courant\\\" n\xC2\xB0 1\","  \
    "\"bankIdentifier\":\"000001\",\"branchIdentifier\":\"main\","                                 \
    "\"accountIdentifier\":\"00420007\"}"
#define SUCCESS(more) "{\"data\":{\"status\":\"success\"" more "}}"

static const struct {
    enum flow flow;
    enum ending ending;
    enum reauthorisation_accounts again; /* as it is configured */
    size_t accounts;
    const char *body;
} bodies[] = {
    {FLOW_AUTHORISATION, ENDING_SUCCESS, ACCOUNTS_OMITTED, 1,
     SUCCESS(",\"bankAccounts\":[" ACCOUNT "]")},
    {FLOW_AUTHORISATION, ENDING_SUCCESS, ACCOUNTS_EMPTY, 2,
     SUCCESS(",\"bankAccounts\":[" ACCOUNT "," ACCOUNT "]")},
    {FLOW_AUTHORISATION, ENDING_SUCCESS, ACCOUNTS_OMITTED, 0, SUCCESS(",\"bankAccounts\":[]")},
    {FLOW_REAUTHORISATION, ENDING_SUCCESS, ACCOUNTS_OMITTED, 1, SUCCESS("")},
    {FLOW_REAUTHORISATION, ENDING_SUCCESS, ACCOUNTS_EMPTY, 1, SUCCESS(",\"bankAccounts\":[]")},
    {FLOW_REAUTHORISATION, ENDING_SUCCESS, ACCOUNTS_LISTED, 1,
     SUCCESS(",\"bankAccounts\":[" ACCOUNT "]")},
    {FLOW_AUTHORISATION, ENDING_CANCELLED, ACCOUNTS_LISTED, 1,
     "{\"data\":{\"status\":\"called-off\"}}"},
    {FLOW_REAUTHORISATION, ENDING_CANCELLED, ACCOUNTS_LISTED, 1,
     "{\"data\":{\"status\":\"called-off\"}}"},
    {FLOW_AUTHORISATION, ENDING_ERROR, ACCOUNTS_LISTED, 1, "{\"data\":{\"status\":\"mishap\"}}"},
    {FLOW_REAUTHORISATION, ENDING_ERROR, ACCOUNTS_EMPTY, 1, "{\"data\":{\"status\":\"mishap\"}}"},
    {FLOW_AUTHORISATION, ENDING_NONE, ACCOUNTS_LISTED, 1, NULL},
};

START_TEST(sage_is_told_in_its_own_words)
{
    char cancelled[] = "called-off";
    char mishap[] = "mishap";
    const struct config config = {.provider_api = {
                                      .reauthorisation_accounts = bodies[_i].again,
                                      .cancelled_status = cancelled,
                                      .error_status = mishap,
                                  }};
    struct report report;
    report_begin(&report);
    for (size_t i = 0; i < bodies[_i].accounts; i++)
        report_add_account(&account, &report);
    /* Twice, since it must not be used up. */
    for (int i = 0; i < 2; i++) {
        _cleanup_(cleanup_free) char *body =
            report_body(&report, &config, bodies[_i].flow, bodies[_i].ending);
        ck_assert_pstr_eq(body, bodies[_i].body);
    }
    report_clear(&report);
}
END_TEST

START_TEST(the_ids_are_those_of_the_accounts)
{
    struct account other = account;
    other.external_id = "b8Rl";
    struct report report;
    report_begin(&report);
    report_add_account(&account, &report);
    report_add_account(&other, &report);
    _cleanup_(cleanup_free) char *ids = report_external_ids(&report);
    ck_assert_str_eq(ids, "[\"a7Qk\",\"b8Rl\"]");
    report_clear(&report);
}
END_TEST

START_TEST(a_report_that_lacks_an_account_is_none)
{
    const struct config config = {0};
    struct report report;
    report_begin(&report);
    report.failed = true; /* as when memory was out for one */
    ck_assert_ptr_null(report_body(&report, &config, FLOW_AUTHORISATION, ENDING_SUCCESS));
    ck_assert_ptr_null(report_external_ids(&report));
    report_clear(&report);
}
END_TEST

Suite *report_suite(void)
{
    Suite *suite = suite_create("report");
    ADD_RULE_FOR_EACH(suite, sage_is_told_in_its_own_words, bodies);
    ADD_RULE(suite, the_ids_are_those_of_the_accounts);
    ADD_RULE(suite, a_report_that_lacks_an_account_is_none);
    return suite;
}
