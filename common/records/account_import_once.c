/* SPDX-License-Identifier: MIT */
#include "account_import_private.h"

#include <stdlib.h>
#include <string.h>

/* A text that must be there once only, with the place where it stands. */
struct once {
    const char *text;
    size_t order; /* in the file: of two equal ones the later one is complained about */
    const struct import_customer *customer;
    const struct import_account *account; /* NULL for what the customer itself has */
};

static int compare_once(const void *a, const void *b)
{
    const struct once *first = a;
    const struct once *second = b;
    int order = strcmp(first->text, second->text);
    return order != 0 ? order : (first->order > second->order) - (first->order < second->order);
}

static bool all_differ(struct once *texts, size_t count, const char *member, const char *complaint,
                       char error[ACCOUNT_ERROR_MAX])
{
    qsort(texts, count, sizeof *texts, compare_once);
    for (size_t i = 1; i < count; i++) {
        if (strcmp(texts[i - 1].text, texts[i].text) != 0)
            continue;
        struct import_place place =
            account_import_place(texts[i].customer, texts[i].account, member, error);
        return account_import_refuse(&place, complaint);
    }
    return true;
}

static bool customers_differ(const struct account_import *import, struct once *texts,
                             char error[ACCOUNT_ERROR_MAX])
{
    for (size_t i = 0; i < import->customer_count; i++)
        texts[i] = (struct once){import->customers[i].id, i, &import->customers[i], NULL};
    return all_differ(texts, import->customer_count, "id", "is the id of a customer above, too",
                      error);
}

static const char *external_id_of(const struct import_account *account)
{
    return account->account.external_id;
}

static const char *bank_account_id_of(const struct import_account *account)
{
    return account->bank_account_id[0] ? account->bank_account_id : NULL;
}

/* Whether no two accounts of the file have the same text of this kind. */
static bool accounts_differ(const struct account_import *import, struct once *texts,
                            const char *(*text_of)(const struct import_account *account),
                            const char *member, char error[ACCOUNT_ERROR_MAX])
{
    size_t count = 0;
    for (size_t i = 0; i < import->customer_count; i++) {
        const struct import_customer *customer = &import->customers[i];
        for (size_t j = 0; j < customer->count; j++) {
            const char *text = text_of(&customer->accounts[j]);
            if (!text)
                continue;
            texts[count] = (struct once){text, count, customer, &customer->accounts[j]};
            count++;
        }
    }
    return all_differ(texts, count, member, "is the one of an account above, too", error);
}

static int compare_identifiers(const struct account *left, const struct account *right)
{
    int order = strcmp(left->bank_identifier, right->bank_identifier);
    if (order == 0)
        order = strcmp(left->branch_identifier, right->branch_identifier);
    return order != 0 ? order : strcmp(left->account_identifier, right->account_identifier);
}

static int compare_accounts(const void *a, const void *b)
{
    const struct import_account *const *first = a;
    const struct import_account *const *second = b;
    int order = compare_identifiers(&(*first)->account, &(*second)->account);
    return order != 0 ? order : (*first > *second) - (*first < *second);
}

/* Accounts are known again by their identifiers, so a customer has each set of them once. */
static bool identifiers_differ(const struct import_customer *customer,
                               const struct import_account **sorted, char error[ACCOUNT_ERROR_MAX])
{
    for (size_t i = 0; i < customer->count; i++)
        sorted[i] = &customer->accounts[i];
    qsort(sorted, customer->count, sizeof(const struct import_account *), compare_accounts);
    for (size_t i = 1; i < customer->count; i++) {
        if (compare_identifiers(&sorted[i - 1]->account, &sorted[i]->account) != 0)
            continue;
        struct import_place place =
            account_import_place(customer, sorted[i], "accountIdentifier", error);
        return account_import_refuse(
            &place, "is with this bank and branch the one of an account above, too");
    }
    return true;
}

static bool all_identifiers_differ(const struct account_import *import,
                                   const struct import_account **sorted,
                                   char error[ACCOUNT_ERROR_MAX])
{
    for (size_t i = 0; i < import->customer_count; i++)
        if (!identifiers_differ(&import->customers[i], sorted, error))
            return false;
    return true;
}

bool account_import_nothing_twice(const struct account_import *import,
                                  char error[ACCOUNT_ERROR_MAX])
{
    size_t most = import->account_count + import->customer_count + 1;
    struct once *texts = calloc(most, sizeof *texts);
    const struct import_account **sorted = calloc(most, sizeof(const struct import_account *));
    bool good = false;
    if (!texts || !sorted)
        (void)account_import_refuse(&(struct import_place){.error = error}, "memory is out");
    else
        good = customers_differ(import, texts, error) &&
               accounts_differ(import, texts, external_id_of, "externalId", error) &&
               accounts_differ(import, texts, bank_account_id_of, "bankAccountId", error) &&
               all_identifiers_differ(import, sorted, error);
    free(texts);
    free(sorted);
    return good;
}
