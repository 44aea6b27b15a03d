/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ACCOUNT_ITEMS_H
#define FEEDGATE_ACCOUNT_ITEMS_H

#include "pages/pages.h"
#include "web/page.h"

/* A customer's accounts as the items of a page. */
struct account_items {
    size_t count;
    size_t capacity;
    const struct page_value **items; /* each one allocation, with its texts behind its values */
    const struct language *language;
    bool failed; /* memory is out */
};

/*
 * Reads all accounts of a customer: REFUSAL_NONE, STORE_BUSY, STORE_FAILED or
 * OUT_OF_MEMORY. account_items_clear() is due in any case.
 */
enum refusal account_items_read(struct store *store, const struct language *language,
                                const char *customer_id, struct account_items *accounts);
void account_items_clear(struct account_items *accounts);

#endif
