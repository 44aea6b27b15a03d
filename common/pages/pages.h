/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PAGES_H
#define FEEDGATE_PAGES_H

#include "catalogue.h"
#include "template.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * The templates and texts of all pages, read and judged once at the start, so
 * that a customer never finds a mistake in one. Built in are those of the
 * directory pages/; a template or style.css of the same name in the provider's
 * directory takes the place of a built-in one, the texts in a catalogue there
 * (`en.json`) that of built-in texts, and a further `xx.json` adds a language.
 */

enum page_kind {
    PAGE_LINK,     /* link.html: the one link that leads to our own origin */
    PAGE_CODE,     /* code.html: the one-time code */
    PAGE_ACCOUNTS, /* accounts.html: what Sage will see, to be confirmed */
    PAGE_RENEW,    /* renew.html: the same for a re-authorisation */
    PAGE_MESSAGE,  /* message.html: something is over, or went wrong */
};

enum { PAGE_KINDS = PAGE_MESSAGE + 1, PAGES_ERROR_MAX = 512 };

struct pages;

/*
 * Reads them; `directory` may be NULL. NULL and one line in `error`,
 * "FILE:LINE: what is wrong", when one doesn't parse, names a value that its
 * page doesn't have, lacks what its page can't do without (a field, a warning),
 * or names a text that the English catalogue lacks; also for a
 * file that is none of these, since its name must be a mistake (names that
 * begin with '.' or '#' or end with '~' are an editor's).
 */
struct pages *pages_open(const char *directory, char error[PAGES_ERROR_MAX]);
void pages_close(struct pages *pages);

/* The best language for an Accept-Language header (or NULL): English when nothing fits. */
const struct language *pages_language(const struct pages *pages, const char *accept_language);

/* All languages that there are. */
const struct catalogue *pages_catalogue(const struct pages *pages);

/* The name of the text that is a page's title; NULL for a message, which has its own. */
const char *pages_title(enum page_kind kind);

/* The style sheet's hash for a Content-Security-Policy: "sha256-...". */
const char *pages_style_hash(const struct pages *pages);

/*
 * Writes the page in its layout; `data` says all but content and style. False
 * when memory is out; the stream keeps an error for its owner.
 */
bool pages_render(const struct pages *pages, enum page_kind kind, const struct template_data *data,
                  FILE *stream);

#endif
