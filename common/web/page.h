/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PAGE_H
#define FEEDGATE_PAGE_H

#include "exchange.h"
#include "pages/pages.h"

/*
 * Pages for the bank's customer, in the customer's language: whole HTML
 * documents without scripts and cookies. What they say stands in pages/ (and
 * in the provider's own templates), what they are about comes from here.
 */

/* The language of the answer: the best for the request's Accept-Language. */
const struct language *page_language(const struct exchange *exchange);

enum { PAGE_VALUES_MAX = 16 };

/*
 * A page. Beside its values a template has `title`, `language`, `error` (when
 * it has `wrong` or `empty`), and of a message `advice`.
 */
struct page {
    enum page_kind kind;
    const struct page_value *values; /* at most PAGE_VALUES_MAX, ends with a NULL name */
    /* The accounts: item_count times the values of one, each ending with a NULL name. */
    const struct page_value *const *items;
    size_t item_count;
};

/* Writes the page in a language; false when memory was out. */
bool page_write(const struct pages *pages, const struct language *language, const struct page *page,
                FILE *stream);

/*
 * Replies a page, with a Content-Security-Policy that allows nothing but our
 * style, images within the page, forms to ourselves and to the redirect
 * origins, and the configured ancestors. INTERNAL when memory was out or nobody
 * took the reply.
 */
enum refusal page_reply(struct exchange *exchange, int status, const struct page *page);

#endif
