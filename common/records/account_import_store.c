/* SPDX-License-Identifier: MIT */
#include "account_import_private.h"

struct storing {
    const struct account_import *import;
    int64_t now;
    struct account_import_counts *counts;
    char *error;
};

static bool store_account(struct database *database, const struct storing *storing,
                          const struct import_customer *customer,
                          const struct import_account *account)
{
    char external_id[EXTERNAL_ID_SIZE];
    struct import_place place =
        account_import_place(customer, account, "externalId", storing->error);
    switch (account_store(database, customer->id, &account->account, external_id)) {
    case ACCOUNT_STORED:
        break;
    case ACCOUNT_OF_ANOTHER:
        return account_import_refuse(&place, "belongs to another customer already");
    case ACCOUNT_ID_WOULD_CHANGE:
        return account_import_refuse(
            &place, "would change the one that this account has, which Sage may know; "
                    "leave it out or give that one");
    case ACCOUNT_NOT_STORED:
        return false;
    }
    if (!account->bank_account_id[0])
        return true;
    place.member = "bankAccountId";
    switch (account_adopt(database, account->bank_account_id, external_id, storing->now)) {
    case ACCOUNT_LINKED:
        return true;
    case ACCOUNT_LINKED_ELSEWHERE:
        return account_import_refuse(&place, "is Sage's id of another account already");
    case ACCOUNT_NOT_LINKED:
        break;
    }
    return false;
}

static void count_known(const struct account_row *row, void *context)
{
    struct account_import_counts *counts = context;
    counts->known++;
    if (row->linked)
        counts->linked++;
}

static bool store_all(struct database *database, void *context)
{
    const struct storing *storing = context;
    const struct account_import *import = storing->import;
    for (size_t i = 0; i < import->customer_count; i++) {
        const struct import_customer *customer = &import->customers[i];
        if (customer->count > 0)
            storing->counts->customers++;
        for (size_t j = 0; j < customer->count; j++)
            if (!store_account(database, storing, customer, &customer->accounts[j]))
                return false;
    }
    storing->counts->accounts = import->account_count;
    return account_list_all(database, count_known, storing->counts);
}

enum store_result account_import_store(struct store *store, const struct account_import *import,
                                       int64_t now, struct account_import_counts *counts,
                                       char error[ACCOUNT_ERROR_MAX])
{
    *counts = (struct account_import_counts){0};
    error[0] = '\0';
    struct storing storing = {.import = import, .now = now, .counts = counts, .error = error};
    return store_write(store, store_all, &storing);
}
