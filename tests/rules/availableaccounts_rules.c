/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <cjson/cJSON.h>
#include <string.h>

/* GET /availableaccounts: who is shown which accounts. Token rules are in token_rules.c. */

/* One customer of the table that an import takes: accounts NAME-1 ... NAME-count. */
static const char *customer(const char *name, int count, const char *more_of_first)
{
    const char *accounts = "";
    for (int i = 1; i <= count; i++)
        accounts = scratch_format(
            "%s%s{\"externalId\":\"%s-%d\",\"accountType\":\"business\","
            "\"accountName\":\"Current ****%04d\",\"bankIdentifier\":\"000001\","
            "\"accountIdentifier\":\"%s%04d\",\"branchIdentifier\":\"main\"%s}",
            accounts, i > 1 ? "," : "", name, i, i, name, i, i == 1 ? more_of_first : "");
    return scratch_format("{\"id\":\"%s\",\"accounts\":[%s]}", name, accounts);
}

static void import(const char *name, int count)
{
    accounts_import(scratch_format("{\"customers\":[%s]}", customer(name, count, "")));
}

/* That exactly the customer's accounts come, in whatever order, in Sage's words. */
static void expect_accounts(struct response response, const char *name, int count)
{
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(response_header(&response, "Content-Type"), "application/json");
    cJSON *list = cJSON_ParseWithLength(response.body, response.body_length);
    bool is_array = cJSON_IsArray(list);
    int size = cJSON_GetArraySize(list);
    const char *first = "";
    cJSON *item;
    cJSON_ArrayForEach(item, list)
    {
        const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(item, "externalId"));
        char *text = cJSON_PrintUnformatted(item);
        if (id != NULL && text != NULL && strcmp(id, account_of(name, 1)) == 0)
            first = scratch_copy(text, strlen(text));
        cJSON_free(text);
    }
    cJSON_Delete(list);
    EXPECT(is_array, "no array: %s", response.body);
    EXPECT_NUMBER(size, count);
    for (int i = 1; i <= count; i++)
        EXPECT(strstr(response.body,
                      scratch_format("\"externalId\":\"%s\"", account_of(name, i))) != NULL,
               "%s isn't there", account_of(name, i));
    EXPECT_TEXT(first, scratch_format("{\"accountType\":\"business\","
                                      "\"accountName\":\"Current ****0001\","
                                      "\"externalId\":\"%s-1\",\"bankIdentifier\":\"000001\","
                                      "\"accountIdentifier\":\"%s0001\","
                                      "\"branchIdentifier\":\"main\"}",
                                      name, name));
}

static void link_account(const char *bank_account_id, const char *external_id)
{
    EXPECT_RECORDED(NOTIFY(.body = account_created(bank_account_id, external_id)), "linked");
}

START_TEST(all_accounts_of_a_connected_customer_are_listed)
{
    const char *name = new_uuid();
    import(name, 3);
    link_account(new_uuid(), account_of(name, 2));
    for (int i = 1; i <= 3; i++) { /* from any account of theirs */
        struct response response = LIST(.external_id = account_of(name, i));
        expect_accounts(response, name, 3);
        AWAIT(LOG_COUNT(response.log_mark, "event", "accounts_listed", "program",
                        "availableaccounts") == 1,
              "the log:\n%s", log_since(response.log_mark));
    }
}
END_TEST

START_TEST(a_customer_who_never_connected_is_shown_to_nobody)
{
    const char *name = new_uuid();
    import(name, 2);
    struct response unlinked = LIST(.external_id = account_of(name, 1));
    struct response unknown = LIST(.external_id = account_of(name, 3));
    EXPECT_REFUSED(unlinked, REFUSAL_ACCOUNT_NOT_LINKED);
    EXPECT_REFUSED(unknown, REFUSAL_ACCOUNT_UNKNOWN);
    EXPECT_SAME_ANSWER(unlinked, unknown);
}
END_TEST

START_TEST(other_customers_stay_apart)
{
    const char *name = new_uuid();
    const char *other = new_uuid();
    import(name, 2);
    import(other, 4);
    link_account(new_uuid(), account_of(name, 1));
    expect_accounts(LIST(.external_id = account_of(name, 1)), name, 2);
    EXPECT_REFUSED(LIST(.external_id = account_of(other, 1)), REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_deleted_bank_account_unlinks)
{
    const char *name = new_uuid();
    const char *first = new_uuid();
    const char *second = new_uuid();
    import(name, 2);
    link_account(first, account_of(name, 1));
    link_account(second, account_of(name, 2));
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(first, account_of(name, 1))), "unlinked");
    expect_accounts(LIST(.external_id = account_of(name, 1)), name, 2);
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(upper_case(second), account_of(name, 2))),
                    "unlinked");
    EXPECT_REFUSED(LIST(.external_id = account_of(name, 1)), REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_replayed_creation_does_not_link_again)
{
    const char *name = new_uuid();
    const char *bank_account = new_uuid();
    const char *created = account_created(bank_account, account_of(name, 1));
    import(name, 1);
    link_account(bank_account, account_of(name, 1));
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(bank_account, account_of(name, 1))), "unlinked");
    EXPECT_RECORDED(NOTIFY(.body = created), "repeated");
    EXPECT_RECORDED(NOTIFY(.body = scratch_format("%s ", created)), "conflict");
    EXPECT_REFUSED(LIST(.external_id = account_of(name, 1)), REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_deletion_that_comes_first_wins)
{
    const char *name = new_uuid();
    const char *bank_account = new_uuid();
    import(name, 1);
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(bank_account, account_of(name, 1))), "unlinked");
    EXPECT_STATUS(NOTIFY(.body = account_created(bank_account, account_of(name, 1))), 200);
    EXPECT_REFUSED(LIST(.external_id = account_of(name, 1)), REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(an_account_may_be_connected_anew)
{
    const char *name = new_uuid();
    const char *old = new_uuid();
    import(name, 1);
    link_account(old, account_of(name, 1));
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(old, account_of(name, 1))), "unlinked");
    link_account(new_uuid(), account_of(name, 1));
    expect_accounts(LIST(.external_id = account_of(name, 1)), name, 1);
}
END_TEST

START_TEST(an_import_links_what_sage_linked_before)
{
    const char *name = new_uuid();
    const char *bank_account = new_uuid();
    const char *linked = scratch_format(",\"bankAccountId\":\"%s\"", bank_account);
    accounts_import(scratch_format("{\"customers\":[%s]}", customer(name, 2, linked)));
    expect_accounts(LIST(.external_id = account_of(name, 2)), name, 2);
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(bank_account, account_of(name, 1))), "unlinked");
    EXPECT_REFUSED(LIST(.external_id = account_of(name, 2)), REFUSAL_ACCOUNT_NOT_LINKED);
    accounts_import(scratch_format("{\"customers\":[%s]}", customer(name, 2, linked)));
    EXPECT_REFUSED(LIST(.external_id = account_of(name, 2)), REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(accounts_that_open_later_are_listed_too)
{
    const char *name = new_uuid();
    import(name, 1);
    link_account(new_uuid(), account_of(name, 1));
    import(name, 3);
    expect_accounts(LIST(.external_id = account_of(name, 1)), name, 3);
}
END_TEST

START_TEST(more_than_100_accounts_are_listed)
{
    const char *name = new_uuid();
    import(name, 150);
    link_account(new_uuid(), account_of(name, 150));
    expect_accounts(LIST(.external_id = account_of(name, 77)), name, 150);
}
END_TEST

START_TEST(an_external_id_is_decoded_once)
{
    const char *name = scratch_format("%s:a=b+c%%2Bd", new_uuid());
    import(name, 1);
    link_account(new_uuid(), account_of(name, 1));
    expect_accounts(LIST(.external_id = account_of(name, 1)), name, 1);
    EXPECT_REFUSED(LIST(.query = scratch_format("externalId=%s", percent_encoded(percent_encoded(
                                                                     account_of(name, 1))))),
                   REFUSAL_ACCOUNT_UNKNOWN);
}
END_TEST

START_TEST(names_are_escaped_as_json)
{
    const char *name = new_uuid();
    accounts_import(scratch_format(
        "{\"customers\":[{\"id\":\"%s\",\"accounts\":[{\"externalId\":\"%s-1\",\"accountType\":"
        "\"savings\",\"accountName\":\"Spar\\\"\\\\ \xC3\xBC\",\"bankIdentifier\":\"1\","
        "\"accountIdentifier\":\"%s\",\"branchIdentifier\":\"m\"}]}]}",
        name, name, name));
    link_account(new_uuid(), account_of(name, 1));
    struct response response = LIST(.external_id = account_of(name, 1));
    EXPECT_STATUS(response, 200);
    EXPECT(strstr(response.body, "\"accountName\":\"Spar\\\"\\\\ \xC3\xBC\"") != NULL, "it is %s",
           response.body);
}
END_TEST

static const struct {
    const char *name;
    const char *query;
    enum refusal refusal;
} queries[] = {
    {"none", "", REFUSAL_PARAMETER_MISSING},
    {"another name", "externalid=a", REFUSAL_PARAMETER_MISSING},
    {"twice", "externalId=a&externalId=a", REFUSAL_PARAMETER_TWICE},
    {"twice, once escaped", "externalId=a&external%49d=b", REFUSAL_PARAMETER_TWICE},
    {"empty", "externalId=", REFUSAL_PARAMETER_MALFORMED},
    {"NUL", "externalId=a%00", REFUSAL_PARAMETER_MALFORMED},
    {"a line feed", "externalId=a%0A", REFUSAL_PARAMETER_MALFORMED},
    {"other letters", "externalId=%C3%A9", REFUSAL_PARAMETER_MALFORMED},
    {"a bad escape", "externalId=%", REFUSAL_PARAMETER_MALFORMED},
    {"SQL", "externalId=%27%20OR%201%3D1%20--", REFUSAL_ACCOUNT_UNKNOWN},
    {"a wildcard", "externalId=%25", REFUSAL_ACCOUNT_UNKNOWN},
    {"a space", "externalId=a+b", REFUSAL_ACCOUNT_UNKNOWN},
};

START_TEST(a_bad_query_lists_nothing)
{
    case_is(queries[_i].name);
    struct request request = listing_request(&(struct listing){.query = queries[_i].query});
    EXPECT_REFUSED(send_unchanged(&request), queries[_i].refusal);
}
END_TEST

START_TEST(an_external_id_is_bounded)
{
    EXPECT_REFUSED(LIST(.external_id = repeat("x", 257)), REFUSAL_PARAMETER_MALFORMED);
    EXPECT_REFUSED(LIST(.external_id = repeat("x", 256)), REFUSAL_ACCOUNT_UNKNOWN);
}
END_TEST

static const char *const other_methods[] = {"POST", "HEAD", "PUT", "DELETE", "OPTIONS"};

START_TEST(only_get_is_taken)
{
    case_is(other_methods[_i]);
    EXPECT_REFUSED(LIST(.method = other_methods[_i]), REFUSAL_METHOD_NOT_ALLOWED);
}
END_TEST

START_TEST(the_token_is_judged_before_the_query)
{
    EXPECT_REFUSED(LIST(.query = "externalId=", .authorization = OMIT), REFUSAL_TOKEN_MISSING);
    EXPECT_REFUSED(LIST(.query = "", .token = TOKEN(.scope = "\"x\"")), REFUSAL_TOKEN_SCOPE);
}
END_TEST

Suite *availableaccounts_rules(void)
{
    Suite *suite = suite_create("availableaccounts");
    ADD_TEST(suite, all_accounts_of_a_connected_customer_are_listed);
    ADD_TEST(suite, a_customer_who_never_connected_is_shown_to_nobody);
    ADD_TEST(suite, other_customers_stay_apart);
    ADD_TEST(suite, a_deleted_bank_account_unlinks);
    ADD_TEST(suite, a_replayed_creation_does_not_link_again);
    ADD_TEST(suite, a_deletion_that_comes_first_wins);
    ADD_TEST(suite, an_account_may_be_connected_anew);
    ADD_TEST(suite, an_import_links_what_sage_linked_before);
    ADD_TEST(suite, accounts_that_open_later_are_listed_too);
    ADD_TEST(suite, more_than_100_accounts_are_listed);
    ADD_TEST(suite, an_external_id_is_decoded_once);
    ADD_TEST(suite, names_are_escaped_as_json);
    ADD_ROWS(suite, a_bad_query_lists_nothing, ROWS(queries));
    ADD_TEST(suite, an_external_id_is_bounded);
    ADD_ROWS(suite, only_get_is_taken, ROWS(other_methods));
    ADD_TEST(suite, the_token_is_judged_before_the_query);
    return suite;
}
