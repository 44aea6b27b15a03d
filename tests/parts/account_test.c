/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "records/account.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1000000, MANY = 150 };

#define SAGE_ID "11111111-2222-4333-8444-555555555555"
#define OTHER_SAGE_ID "11111111-2222-4333-8444-666666666666"

static struct account account_named(const char *external_id, const char *number)
{
    return (struct account){
        .external_id = external_id,
        .account_type = "business",
        .account_name = "Current",
        .bank_identifier = "000001",
        .account_identifier = number,
        .branch_identifier = "main",
    };
}

struct storing {
    const char *customer;
    struct account account;
    char external_id[EXTERNAL_ID_SIZE];
    enum account_stored stored;
};

static bool store_piece_of(struct database *database, void *context)
{
    struct storing *storing = context;
    storing->stored =
        account_store(database, storing->customer, &storing->account, storing->external_id);
    return storing->stored == ACCOUNT_STORED;
}

static struct storing store_account(const char *customer, struct account account)
{
    struct storing storing = {.customer = customer, .account = account};
    enum store_result result = store_write(store, store_piece_of, &storing);
    ck_assert_int_eq(result == STORE_DONE, storing.stored == ACCOUNT_STORED);
    return storing;
}

static void must_store(const char *customer, const char *external_id, const char *number)
{
    struct storing storing = store_account(customer, account_named(external_id, number));
    ck_assert_int_eq((int)storing.stored, ACCOUNT_STORED);
    ck_assert_str_eq(storing.external_id, external_id);
}

/* What Sage notified. */

struct link {
    const char *id;
    const char *external_id;
    enum account_linked linked;
};

static bool link_piece(struct database *database, void *context)
{
    const struct link *link = context;
    return account_link(database, link->id, link->external_id, NOW);
}

static bool unlink_piece(struct database *database, void *context)
{
    const struct link *link = context;
    return account_unlink(database, link->id, link->external_id, NOW);
}

static bool adopt_piece(struct database *database, void *context)
{
    struct link *link = context;
    link->linked = account_adopt(database, link->id, link->external_id, NOW);
    return link->linked != ACCOUNT_NOT_LINKED;
}

static void link_as(const char *id, const char *external_id)
{
    struct link link = {.id = id, .external_id = external_id};
    write_now(link_piece, &link);
}

static void unlink_as(const char *id, const char *external_id)
{
    struct link link = {.id = id, .external_id = external_id};
    write_now(unlink_piece, &link);
}

static enum account_linked adopt(const char *id, const char *external_id)
{
    struct link link = {.id = id, .external_id = external_id};
    write_now(adopt_piece, &link);
    return link.linked;
}

static void count_account(const struct account *account, void *context)
{
    size_t *count = context;
    ck_assert_str_eq(account->account_type, "business");
    ck_assert_str_eq(account->bank_identifier, "000001");
    (*count)++;
}

/* How many accounts Sage may see by this externalId; negative: minus the refusal. */
static int seen_by(const char *external_id)
{
    size_t count = 0;
    enum refusal refusal = account_list_for(store, external_id, count_account, &count);
    if (refusal == REFUSAL_NONE)
        return (int)count;
    ck_assert_uint_eq(count, 0);
    return -(int)refusal;
}

START_TEST(a_customer_without_a_linked_account_is_not_shown)
{
    must_store("customer", "a", "1");
    ck_assert_int_eq(seen_by("a"), -REFUSAL_ACCOUNT_NOT_LINKED);
    ck_assert_int_eq(seen_by("b"), -REFUSAL_ACCOUNT_UNKNOWN);
}
END_TEST

START_TEST(a_customer_with_a_linked_account_is_shown_whole_by_any_of_them)
{
    must_store("customer", "a", "1");
    must_store("customer", "b", "2");
    must_store("neighbour", "c", "3");
    link_as(SAGE_ID, "a");
    ck_assert_int_eq(seen_by("a"), 2);
    ck_assert_int_eq(seen_by("b"), 2);
    ck_assert_int_eq(seen_by("c"), -REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_customer_of_many_accounts_is_shown_whole)
{
    for (int i = 0; i < MANY; i++) {
        char text[16];
        ck_assert_int_gt(snprintf(text, sizeof(text), "account-%d", i), 0);
        must_store("customer", text, text);
    }
    link_as(SAGE_ID, "account-7");
    ck_assert_int_eq(seen_by("account-149"), MANY);
}
END_TEST

START_TEST(what_was_linked_before_it_was_imported_is_linked)
{
    link_as(SAGE_ID, "a");
    must_store("customer", "a", "1");
    ck_assert_int_eq(seen_by("a"), 1);
}
END_TEST

START_TEST(a_deleted_bank_account_is_not_linked_any_more)
{
    must_store("customer", "a", "1");
    link_as(SAGE_ID, "a");
    unlink_as(SAGE_ID, NULL);
    ck_assert_int_eq(seen_by("a"), -REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_deleted_bank_account_never_comes_back)
{
    must_store("customer", "a", "1");
    link_as(SAGE_ID, "a");
    unlink_as(SAGE_ID, "a");
    link_as(SAGE_ID, "a");
    ck_assert_int_eq((int)adopt(SAGE_ID, "a"), ACCOUNT_LINKED);
    ck_assert_int_eq(seen_by("a"), -REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_deletion_that_comes_first_wins)
{
    must_store("customer", "a", "1");
    unlink_as(SAGE_ID, "a");
    link_as(SAGE_ID, "a");
    ck_assert_int_eq(seen_by("a"), -REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(a_reconnected_account_has_a_new_id_and_is_linked)
{
    must_store("customer", "a", "1");
    link_as(SAGE_ID, "a");
    unlink_as(SAGE_ID, "a");
    link_as(OTHER_SAGE_ID, "a");
    ck_assert_int_eq(seen_by("a"), 1);
}
END_TEST

START_TEST(one_of_two_links_is_enough)
{
    must_store("customer", "a", "1");
    link_as(SAGE_ID, "a");
    link_as(OTHER_SAGE_ID, "a");
    unlink_as(SAGE_ID, "a");
    ck_assert_int_eq(seen_by("a"), 1);
}
END_TEST

START_TEST(an_id_of_sage_stands_for_one_account)
{
    must_store("customer", "a", "1");
    must_store("neighbour", "b", "2");
    ck_assert_int_eq((int)adopt(SAGE_ID, "a"), ACCOUNT_LINKED);
    ck_assert_int_eq((int)adopt(SAGE_ID, "a"), ACCOUNT_LINKED);
    ck_assert_int_eq((int)adopt(SAGE_ID, "b"), ACCOUNT_LINKED_ELSEWHERE);
    link_as(SAGE_ID, "b");
    ck_assert_int_eq(seen_by("a"), 1);
    ck_assert_int_eq(seen_by("b"), -REFUSAL_ACCOUNT_NOT_LINKED);
}
END_TEST

START_TEST(storing_again_brings_up_to_date)
{
    must_store("customer", "a", "1");
    struct account renamed = account_named("a", "2");
    renamed.account_name = "Renamed";
    ck_assert_int_eq((int)store_account("customer", renamed).stored, ACCOUNT_STORED);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM account"), 1);
    ck_assert_int_eq(number_of("SELECT account_name = 'Renamed' AND account_identifier = '2' "
                               "FROM account"),
                     1);
}
END_TEST

START_TEST(an_external_id_is_made_once_and_kept)
{
    struct storing first = store_account("customer", account_named(NULL, "1"));
    ck_assert_int_eq((int)first.stored, ACCOUNT_STORED);
    ck_assert_uint_eq(strlen(first.external_id), 32);
    struct storing again = store_account("customer", account_named(NULL, "1"));
    ck_assert_str_eq(again.external_id, first.external_id);
    struct storing other = store_account("neighbour", account_named(NULL, "1"));
    ck_assert_str_ne(other.external_id, first.external_id);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM account"), 2);
}
END_TEST

START_TEST(an_external_id_that_sage_may_know_never_changes)
{
    must_store("customer", "a", "1");
    ck_assert_int_eq((int)store_account("customer", account_named("b", "1")).stored,
                     ACCOUNT_ID_WOULD_CHANGE);
    struct storing kept = store_account("customer", account_named(NULL, "1"));
    ck_assert_int_eq((int)kept.stored, ACCOUNT_STORED);
    ck_assert_str_eq(kept.external_id, "a");
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM account WHERE external_id = 'a'"), 1);
}
END_TEST

START_TEST(an_external_id_cannot_move_to_an_account_that_has_one)
{
    must_store("customer", "a", "1");
    must_store("customer", "b", "2");
    ck_assert_int_eq((int)store_account("customer", account_named("a", "2")).stored,
                     ACCOUNT_ID_WOULD_CHANGE);
}
END_TEST

START_TEST(an_external_id_belongs_to_one_customer)
{
    must_store("customer", "a", "1");
    ck_assert_int_eq((int)store_account("neighbour", account_named("a", "2")).stored,
                     ACCOUNT_OF_ANOTHER);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM customer"), 1);
}
END_TEST

static void note_row(const struct account_row *row, void *context)
{
    size_t *count = context;
    ck_assert_str_eq(row->customer_id, *count == 0 ? "customer" : "neighbour");
    ck_assert_str_eq(row->account.external_id, *count == 0 ? "a" : "b");
    ck_assert_int_eq(row->linked, *count == 0);
    if (row->linked)
        ck_assert_str_eq(row->bank_account_id, SAGE_ID);
    else
        ck_assert_ptr_null(row->bank_account_id);
    (*count)++;
}

static bool list_piece(struct database *database, void *context)
{
    return account_list_all(database, note_row, context);
}

START_TEST(all_accounts_are_listed_and_whether_they_are_linked)
{
    size_t count = 0;
    must_store("neighbour", "b", "2");
    must_store("customer", "a", "1");
    link_as(SAGE_ID, "a");
    unlink_as(OTHER_SAGE_ID, "b");
    ck_assert_int_eq((int)store_read(store, list_piece, &count), STORE_DONE);
    ck_assert_uint_eq(count, 2);
}
END_TEST

Suite *account_suite(void)
{
    Suite *suite = suite_create("account");
    ADD_STORE_RULE(suite, a_customer_without_a_linked_account_is_not_shown);
    ADD_STORE_RULE(suite, a_customer_with_a_linked_account_is_shown_whole_by_any_of_them);
    ADD_STORE_RULE(suite, a_customer_of_many_accounts_is_shown_whole);
    ADD_STORE_RULE(suite, what_was_linked_before_it_was_imported_is_linked);
    ADD_STORE_RULE(suite, a_deleted_bank_account_is_not_linked_any_more);
    ADD_STORE_RULE(suite, a_deleted_bank_account_never_comes_back);
    ADD_STORE_RULE(suite, a_deletion_that_comes_first_wins);
    ADD_STORE_RULE(suite, a_reconnected_account_has_a_new_id_and_is_linked);
    ADD_STORE_RULE(suite, one_of_two_links_is_enough);
    ADD_STORE_RULE(suite, an_id_of_sage_stands_for_one_account);
    ADD_STORE_RULE(suite, storing_again_brings_up_to_date);
    ADD_STORE_RULE(suite, an_external_id_is_made_once_and_kept);
    ADD_STORE_RULE(suite, an_external_id_that_sage_may_know_never_changes);
    ADD_STORE_RULE(suite, an_external_id_cannot_move_to_an_account_that_has_one);
    ADD_STORE_RULE(suite, an_external_id_belongs_to_one_customer);
    ADD_STORE_RULE(suite, all_accounts_are_listed_and_whether_they_are_linked);
    return suite;
}
