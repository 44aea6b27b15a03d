/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PAGE_H
#define FEEDGATE_PAGE_H

#include "exchange.h"

#include <stdio.h>

/*
 * Pages for the bank's customer: whole HTML documents without scripts and
 * cookies, which also work when Sage puts them into the body of a page of its
 * own, so every URL in them is absolute and every style rule is for our own
 * elements only.
 */

struct page {
    FILE *html; /* where the body's content is written to */
    char *bytes;
    size_t length;
};

/* Begins a page with its title as heading; false when memory is out. */
bool page_begin(struct page *page, const char *title);

/* A paragraph of text, escaped. */
void page_paragraph(struct page *page, const char *text);

/* A link; both texts are escaped. */
void page_link(struct page *page, const char *url, const char *text);

/*
 * Ends the page and replies it, with a Content-Security-Policy that allows
 * nothing but our style, forms to ourselves and to the redirect origins, and
 * the configured ancestors. Gives the page back. False when memory was out or
 * nobody took the reply.
 */
bool page_reply(struct page *page, struct exchange *exchange, int status);

#endif
