/* SPDX-License-Identifier: MIT */
#include "account_items.h"

#include "records/account.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VALUES = 5, AT_FIRST = 16, TEXT_NAME_SIZE = 64 };

struct reading {
    const char *customer_id;
    struct account_items *accounts;
};

/* One account, owned by the caller; NULL when memory is out. */
static struct page_value *make_item(const struct account *account, const char *type)
{
    const struct page_value values[VALUES] = {
        {"name", account->account_name},         {"type", type},
        {"bank", account->bank_identifier},      {"branch", account->branch_identifier},
        {"number", account->account_identifier},
    };
    size_t size = (VALUES + 1) * sizeof(struct page_value);
    size_t used = size;
    for (size_t i = 0; i < VALUES; i++)
        size += strlen(values[i].text) + 1;
    struct page_value *item = malloc(size);
    if (!item)
        return NULL;
    for (size_t i = 0; i < VALUES; i++) {
        char *text = (char *)item + used;
        size_t length = strlen(values[i].text) + 1;
        memcpy(text, values[i].text, length);
        used += length;
        item[i] = (struct page_value){values[i].name, text[0] ? text : NULL};
    }
    item[VALUES] = (struct page_value){NULL, NULL};
    return item;
}

static bool make_room(struct account_items *accounts)
{
    if (accounts->count < accounts->capacity)
        return true;
    size_t capacity = accounts->capacity == 0 ? AT_FIRST : 2 * accounts->capacity;
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what it holds */
    const struct page_value **grown = realloc(accounts->items, capacity * sizeof *grown);
    if (!grown)
        return false;
    accounts->items = grown;
    accounts->capacity = capacity;
    return true;
}

/* Sage's word for the kind of account, in the customer's language. */
static const char *translate_type(const struct language *language, const char *type)
{
    char name[TEXT_NAME_SIZE];
    (void)snprintf(name, sizeof name, "account_type_%s", type);
    const char *text = language_text(language, name);
    return text ? text : type;
}

static void add(const struct account *account, void *context)
{
    struct account_items *accounts = context;
    struct page_value *item =
        accounts->failed || !make_room(accounts)
            ? NULL
            : make_item(account, translate_type(accounts->language, account->account_type));
    if (item)
        accounts->items[accounts->count++] = item;
    else
        accounts->failed = true;
}

static bool read_accounts(struct database *database, void *context)
{
    struct reading *reading = context;
    return account_list_of(database, reading->customer_id, add, reading->accounts);
}

enum refusal account_items_read(struct store *store, const struct language *language,
                                const char *customer_id, struct account_items *accounts)
{
    struct reading reading = {.customer_id = customer_id, .accounts = accounts};
    *accounts = (struct account_items){.language = language};
    enum store_result result = store_read(store, read_accounts, &reading);
    return store_refusal(result, accounts->failed ? REFUSAL_OUT_OF_MEMORY : REFUSAL_NONE);
}

void account_items_clear(struct account_items *accounts)
{
    for (size_t i = 0; i < accounts->count; i++)
        free((void *)accounts->items[i]);
    free(accounts->items);
    *accounts = (struct account_items){.count = 0};
}
