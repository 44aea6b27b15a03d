/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "records/account_import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NOW = 1000000 };

#define SAGE_ID "11111111-2222-4333-8444-555555555555"
#define UPPER_SAGE_ID "AAAAAAAA-2222-4333-8444-555555555555"

/* A file of one customer; an account's members, complete but for what a case adds. */
#define FILE_OF(accounts) "{\"customers\":[{\"id\":\"cust-0042\",\"accounts\":[" accounts "]}]}"
#define ACCOUNT(number, more)                                                                      \
    "{\"accountType\":\"business\",\"accountName\":\"Current ****" number "\","                    \
    "\"bankIdentifier\":\"000001\",\"accountIdentifier\":\"" number                                \
    "\",\"branchIdentifier\":\"main\"" more "}"
#define WITH(member, value) ",\"" member "\":" value

#define TEXT_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define TEXT_256 TEXT_64 TEXT_64 TEXT_64 TEXT_64

static char error[ACCOUNT_ERROR_MAX];

static struct account_import *parse(const char *json)
{
    error[0] = '\0';
    return account_import_parse(json, strlen(json), error);
}

/* Stores a file; on failure the line is in `error`. */
static enum store_result import(const char *json, struct account_import_counts *counts)
{
    struct account_import *file = parse(json);
    ck_assert_msg(file != NULL, "%s", error);
    enum store_result result = account_import_store(store, file, NOW, counts, error);
    account_import_free(file);
    return result;
}

static void must_import(const char *json)
{
    struct account_import_counts counts;
    ck_assert_msg(import(json, &counts) == STORE_DONE, "%s", error);
}

static const char *const good_files[] = {
    "{\"customers\":[]}",
    FILE_OF(""),
    FILE_OF(ACCOUNT("1", "")),
    FILE_OF(ACCOUNT("1", WITH("externalId", "\"" TEXT_256 "\""))),
    FILE_OF(ACCOUNT("1", WITH("externalId", "\" ~!\\\"\""))),
    FILE_OF(ACCOUNT("1", WITH("bankAccountId", "\"" UPPER_SAGE_ID "\""))),
    FILE_OF(ACCOUNT("1", "") "," ACCOUNT("2", "")),
    " {\"customers\" : [ {\"accounts\":[" ACCOUNT("1", "") "] , \"id\":\"\xC3\xA4\"}]}\r\n",
    "{\"customers\":[{\"id\":\"a\",\"accounts\":[" ACCOUNT(
        "1", "") "]},"
                 "{\"id\":\"b\",\"accounts\":[" ACCOUNT("1", "") "]}]}",
};

START_TEST(a_good_file_is_taken)
{
    struct account_import *file = parse(good_files[_i]);
    ck_assert_msg(file != NULL, "%s", error);
    account_import_free(file);
}
END_TEST

#define FIRST "customer \"cust-0042\", account 1 (\"Current ****1\"), "
#define SECOND "customer \"cust-0042\", account 2 (\"Current ****2\"), "
#define TYPES "business, savings, loan, creditCard, corporate, personal"

/* What is wrong, and the words that must be in the line. */
static const struct {
    const char *json;
    const char *words;
} bad_files[] = {
    /* no strict JSON at all */
    {"", "strict JSON"},
    {"customers", "strict JSON"},
    {"\xEF\xBB\xBF{\"customers\":[]}", "strict JSON"},
    {"{\"customers\":[]} x", "strict JSON"},
    {"{\"customers\":[],\"customers\":[]}", "strict JSON"},
    {FILE_OF(ACCOUNT("1", WITH("accountName", "\"twice\""))), "strict JSON"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "\"a\\u0000b\""))), "strict JSON"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "\"\x1b[2J\""))), "strict JSON"},

    /* the document */
    {"[]", "the document must be an object"},
    {"{}", "member \"customers\": is missing"},
    {"{\"Customers\":[]}", "member \"Customers\": is unknown"},
    {"{\"customers\":[],\"version\":1}", "member \"version\": is unknown"},
    {"{\"customers\":{}}", "member \"customers\": must be an array"},

    /* a customer */
    {"{\"customers\":[1]}", "customer 1, must be an object"},
    {"{\"customers\":[{\"id\":\"a\",\"accounts\":[]},{}]}",
     "customer 2, member \"id\": is missing"},
    {"{\"customers\":[{\"id\":7,\"accounts\":[]}]}", "customer 1, member \"id\": must be a text"},
    {"{\"customers\":[{\"id\":\"\",\"accounts\":[]}]}", "member \"id\": must have 1 to 256 bytes"},
    {"{\"customers\":[{\"id\":\"" TEXT_256 "0\",\"accounts\":[]}]}",
     "...\", member \"id\": must have 1 to 256 bytes"},
    {"{\"customers\":[{\"id\":\"a\\nb\",\"accounts\":[]}]}",
     "customer \"a?b\", member \"id\": must not have control characters"},
    {"{\"customers\":[{\"id\":\"a\\u009bb\",\"accounts\":[]}]}",
     "customer \"a?b\", member \"id\": must not have control characters"},
    {"{\"customers\":[{\"id\":\"a\"}]}", "customer \"a\", member \"accounts\": is missing"},
    {"{\"customers\":[{\"id\":\"a\",\"accounts\":null}]}",
     "customer \"a\", member \"accounts\": must be an array"},
    {"{\"customers\":[{\"id\":\"a\",\"accounts\":[],\"name\":\"b\"}]}",
     "customer \"a\", member \"name\": is unknown"},
    {"{\"customers\":[{\"id\":\"a\",\"accounts\":[]},{\"id\":\"a\",\"accounts\":[]}]}",
     "customer \"a\", member \"id\": is the id of a customer above"},

    /* an account */
    {FILE_OF("[]"), "customer \"cust-0042\", account 1, must be an object"},
    {FILE_OF("{}"), "account 1, member \"accountType\": is missing"},
    {FILE_OF("{\"accountName\":\"x\"}"), "account 1 (\"x\"), member \"accountType\": is missing"},
    {FILE_OF(ACCOUNT("1", "") "," ACCOUNT("2", WITH("currency", "\"GBP\""))),
     SECOND "member \"currency\": is unknown"},
    {FILE_OF(ACCOUNT("1", WITH("accountname", "\"x\""))),
     FIRST "member \"accountname\": is unknown"},
    {FILE_OF(ACCOUNT("1", WITH("a\\u009f\\u0009", "1"))), "member \"a??\": is unknown"},
    {FILE_OF("{\"accountType\":\"Business\"}"), "member \"accountType\": must be one of " TYPES},
    {FILE_OF("{\"accountType\":\"\"}"), "member \"accountType\": must be one of " TYPES},
    {FILE_OF("{\"accountType\":1}"), "member \"accountType\": must be a text"},
    {FILE_OF("{\"accountName\":\"\"}"), "member \"accountName\": must have 1 to 256 bytes"},
    {FILE_OF("{\"accountName\":\"" TEXT_256 "0\"}"), "member \"accountName\": must have 1 to 256"},
    {FILE_OF("{\"accountName\":\"a\\tb\"}"),
     "account 1 (\"a?b\"), member \"accountName\": must not have control characters"},
    {FILE_OF("{\"bankIdentifier\":123}"), "member \"bankIdentifier\": must be a text"},
    {FILE_OF("{\"accountIdentifier\":420007}"), "member \"accountIdentifier\": must be a text"},
    {FILE_OF("{\"branchIdentifier\":null}"), "member \"branchIdentifier\": must be a text"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "null"))),
     FIRST "member \"externalId\": must be a text"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "\"\""))),
     FIRST "member \"externalId\": must have 1 to 256 bytes"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "\"" TEXT_256 "0\""))),
     FIRST "member \"externalId\": must have 1 to 256 bytes"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "\"\xC3\xA4\""))),
     FIRST "member \"externalId\": must be printable ASCII"},
    {FILE_OF(ACCOUNT("1", WITH("externalId", "\"a\\u007f\""))),
     FIRST "member \"externalId\": must be printable ASCII"},
    {FILE_OF(ACCOUNT("1", WITH("bankAccountId", "\"42\""))),
     FIRST "member \"bankAccountId\": must be a UUID"},
    {FILE_OF(ACCOUNT("1", WITH("bankAccountId", "\"" SAGE_ID "0\""))),
     FIRST "member \"bankAccountId\": must be a UUID"},

    /* twice */
    {FILE_OF(
         ACCOUNT("1", WITH("externalId", "\"x\"")) "," ACCOUNT("2", WITH("externalId", "\"x\""))),
     SECOND "member \"externalId\": is the one of an account above"},
    {FILE_OF(ACCOUNT("1", WITH("bankAccountId", "\"" UPPER_SAGE_ID "\"")) "," ACCOUNT(
         "2", WITH("bankAccountId", "\"aaaaaaaa-2222-4333-8444-555555555555\""))),
     SECOND "member \"bankAccountId\": is the one of an account above"},
    {"{\"customers\":[{\"id\":\"a\",\"accounts\":[" ACCOUNT(
         "1", WITH("externalId", "\"x\"")) "]},"
                                           "{\"id\":\"b\",\"accounts\":[" ACCOUNT(
                                               "2", WITH("externalId", "\"x\"")) "]}]}",
     "customer \"b\", account 1 (\"Current ****2\"), member \"externalId\": is the one of"},
    {FILE_OF(ACCOUNT("3", "") "," ACCOUNT("2", "") "," ACCOUNT("3", "")),
     "customer \"cust-0042\", account 3 (\"Current ****3\"), member \"accountIdentifier\": is with "
     "this bank and branch the one of an account above"},
};

START_TEST(a_bad_file_is_refused_with_the_place)
{
    struct account_import *file = parse(bad_files[_i].json);
    ck_assert_msg(file == NULL, "taken: %s", bad_files[_i].json);
    ck_assert_msg(strstr(error, bad_files[_i].words) != NULL, "\"%s\" isn't in: %s",
                  bad_files[_i].words, error);
    ck_assert_ptr_null(strpbrk(error, "\n\r\t\x1b"));
    ck_assert_ptr_null(strstr(error, "\xC2\x9b"));
}
END_TEST

START_TEST(a_file_that_is_too_large_is_refused_unread)
{
    ck_assert_ptr_null(account_import_parse("", (size_t)ACCOUNT_IMPORT_BYTES_MAX + 1, error));
    ck_assert_ptr_nonnull(strstr(error, "64 MiB"));
}
END_TEST

START_TEST(a_line_is_cut_between_characters)
{
    char json[2048];
    /* Four bytes a character, so that the cut can't fall between any two bytes by luck. */
    char name[4 * 50 + 1] = "";
    for (size_t i = 0; i + 4 < sizeof(name); i += 4)
        memcpy(name + i, "\xF0\x9F\x8F\xA6", 5);
    ck_assert_int_gt(
        snprintf(json, sizeof(json), FILE_OF("{\"accountName\":\"%s\",\"x\":1}"), name), 0);
    ck_assert_ptr_null(parse(json));
    ck_assert_ptr_nonnull(strstr(error, "\xF0\x9F\x8F\xA6...\"), member \"x\": is unknown"));
}
END_TEST

START_TEST(an_import_says_what_was_stored)
{
    struct account_import_counts counts;
    const char *json = "{\"customers\":[{\"id\":\"a\",\"accounts\":[" ACCOUNT(
        "1", WITH("bankAccountId",
                  "\"" SAGE_ID "\"")) "," ACCOUNT("2", "") "]},"
                                                           "{\"id\":\"none\",\"accounts\":[]},"
                                                           "{\"id\":\"b\",\"accounts\":[" ACCOUNT(
                                                               "1", "") "]}]}";
    must_import(FILE_OF(ACCOUNT("0", "")));
    ck_assert_int_eq((int)import(json, &counts), STORE_DONE);
    ck_assert_uint_eq(counts.customers, 2);
    ck_assert_uint_eq(counts.accounts, 3);
    ck_assert_uint_eq(counts.known, 4);
    ck_assert_uint_eq(counts.linked, 1);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM customer"), 3);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM bank_account JOIN account USING (external_id) "
                               "WHERE id = '" SAGE_ID "' AND account_identifier = '1' "
                               "AND linked_at = 1000000"),
                     1);
}
END_TEST

START_TEST(what_is_stored_is_what_the_file_says)
{
    must_import(FILE_OF(ACCOUNT("1", WITH("externalId", "\"x\""))));
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM account WHERE external_id = 'x' AND "
                               "customer_id = 'cust-0042' AND account_type = 'business' AND "
                               "account_name = 'Current ****1' AND bank_identifier = '000001' AND "
                               "account_identifier = '1' AND branch_identifier = 'main'"),
                     1);
}
END_TEST

START_TEST(the_id_of_sage_is_kept_in_lower_case)
{
    must_import(FILE_OF(ACCOUNT("1", WITH("bankAccountId", "\"" UPPER_SAGE_ID "\""))));
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM bank_account WHERE id = "
                               "'aaaaaaaa-2222-4333-8444-555555555555'"),
                     1);
}
END_TEST

START_TEST(an_import_again_changes_no_external_id)
{
    must_import(FILE_OF(ACCOUNT("1", "") "," ACCOUNT("2", WITH("externalId", "\"x\""))));
    execute("CREATE TABLE before AS SELECT * FROM account");
    must_import(FILE_OF(ACCOUNT("1", "") "," ACCOUNT("2", "")));
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM (SELECT * FROM account INTERSECT "
                               "SELECT * FROM before)"),
                     2);
}
END_TEST

/* Files that are good by themselves, after FILE_OF(ACCOUNT("1", externalId x, bankAccountId)). */
static const struct {
    const char *json;
    const char *words;
} conflicts[] = {
    {FILE_OF(
         ACCOUNT("2", WITH("externalId", "\"y\"")) "," ACCOUNT("1", WITH("externalId", "\"z\""))),
     "customer \"cust-0042\", account 2 (\"Current ****1\"), member \"externalId\": would change"},
    {FILE_OF(ACCOUNT("2", "") "," ACCOUNT("3", WITH("bankAccountId", "\"" SAGE_ID "\""))),
     "account 2 (\"Current ****3\"), member \"bankAccountId\": is Sage's id of another account"},
    {"{\"customers\":[{\"id\":\"a\",\"accounts\":[" ACCOUNT("2", "") "," ACCOUNT(
         "3", WITH("externalId", "\"x\"")) "]}]}",
     "customer \"a\", account 2 (\"Current ****3\"), member \"externalId\": belongs to another"},
};

START_TEST(of_a_file_that_does_not_agree_nothing_is_stored)
{
    struct account_import_counts counts;
    must_import(FILE_OF(
        ACCOUNT("1", WITH("externalId", "\"x\"") WITH("bankAccountId", "\"" SAGE_ID "\""))));
    ck_assert_int_eq((int)import(conflicts[_i].json, &counts), STORE_FAILED);
    ck_assert_msg(strstr(error, conflicts[_i].words) != NULL, "\"%s\" isn't in: %s",
                  conflicts[_i].words, error);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM account"), 1);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM customer"), 1);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM bank_account"), 1);
}
END_TEST

START_TEST(when_the_database_fails_there_is_no_line_about_the_file)
{
    struct account_import_counts counts;
    execute("CREATE TRIGGER no_more BEFORE INSERT ON account "
            "BEGIN SELECT RAISE(ABORT, 'no'); END");
    ck_assert_int_eq((int)import(FILE_OF(ACCOUNT("1", "")), &counts), STORE_FAILED);
    ck_assert_str_eq(error, "");
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM customer"), 0);
}
END_TEST

Suite *account_import_suite(void)
{
    Suite *suite = suite_create("account_import");
    ADD_RULE_FOR_EACH(suite, a_good_file_is_taken, good_files);
    ADD_RULE_FOR_EACH(suite, a_bad_file_is_refused_with_the_place, bad_files);
    ADD_RULE(suite, a_file_that_is_too_large_is_refused_unread);
    ADD_RULE(suite, a_line_is_cut_between_characters);
    ADD_STORE_RULE(suite, an_import_says_what_was_stored);
    ADD_STORE_RULE(suite, what_is_stored_is_what_the_file_says);
    ADD_STORE_RULE(suite, the_id_of_sage_is_kept_in_lower_case);
    ADD_STORE_RULE(suite, an_import_again_changes_no_external_id);
    ADD_STORE_RULE_FOR_EACH(suite, of_a_file_that_does_not_agree_nothing_is_stored, conflicts);
    ADD_STORE_RULE(suite, when_the_database_fails_there_is_no_line_about_the_file);
    return suite;
}
