/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SHOWN_ACCOUNTS_H
#define FEEDGATE_SHOWN_ACCOUNTS_H

#include "page.h"
#include "pages.h"

/* A customer's accounts as the items of a page. */
struct shown_accounts {
    size_t count;
    size_t capacity;
    const struct page_value **items; /* each one allocation, with its texts behind its values */
    const struct language *language;
    bool failed; /* memory is out */
};

/*
 * Reads all accounts of a customer: REFUSAL_NONE, STORE_BUSY, STORE_FAILED or
 * OUT_OF_MEMORY. shown_accounts_clear() is due in any case.
 */
enum refusal shown_accounts_read(struct store *store, const struct language *language,
                                 const char *customer_id, struct shown_accounts *accounts);
void shown_accounts_clear(struct shown_accounts *accounts);

#endif
