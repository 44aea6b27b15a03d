/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_PRODUCT_PAGE_H
#define FEEDGATE_SANDBOX_PRODUCT_PAGE_H

#include "sandbox/http/connector.h"
#include "sandbox/http/http.h"

/* The frame of the product's pages: plain HTML, one stylesheet, no scripts. */

extern const char sandbox_style[];

struct page {
    const char *title;
    const char *eyebrow; /* a few words above the title, or NULL */
    bool in_frame;       /* inside a page of the product's, which has the bar already */
    const char *refresh; /* the path that the browser asks for in two seconds, or NULL */
    const char *policy;  /* NULL: a page with forms that may lead to the connector */
};

void page_begin(struct text *text, const struct page *page);

/* Makes the reply of it; takes the text over. */
void page_end(struct text *text, const struct page *page, unsigned int status, struct reply *reply);

/* A whole page of a title and one paragraph, with a link to the start. */
void page_message(struct reply *reply, unsigned int status, const char *title,
                  const char *paragraph);

/* 502: what the connector didn't do, and why. */
void page_failure(struct reply *reply, const char *title, const struct connector_answer *answer);

/* 303 to the location, which it takes over; NULL stands for "no memory". */
void page_redirect(struct reply *reply, char *location);

/* `<input type="hidden">` */
void page_append_hidden(struct text *text, const char *name, const char *value);

/* An account's name, and its numbers below: "Bank 000001, account 00420007". */
void page_append_account(struct text *text, const cJSON *account);

#endif
