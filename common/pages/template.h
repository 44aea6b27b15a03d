/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEMPLATE_H
#define FEEDGATE_TEMPLATE_H

#include "catalogue.h"
#include "markup.h"

#include <stdio.h>

/*
 * Templates of HTML: values, sections, lists, and nothing else.
 *
 *     {{name}}               a value, always escaped
 *     {{text name}}          a text of the customer's language, escaped too
 *     {{#name}} ... {{/name}}   only if the value is there; of a list: once for each item
 *     {{^name}} ... {{/name}}   only if the value isn't there, or the list is empty
 *     {{content}}, {{style}} in the layout alone: the page, and the style sheet's element
 *
 * No tag of a template puts out anything unescaped but these last two. A
 * template is parsed and judged once, with all that it names.
 */

struct template;

enum {
    TEMPLATE_BYTES_MAX = 256 * 1024, /* of a file: a logo may stand in it */
    TEMPLATE_NODES_MAX = 2000,
    TEMPLATE_DEPTH_MAX = 8, /* of sections within each other */
    TEMPLATE_ERROR_MAX = CATALOGUE_ERROR_MAX,
};

/* A value by its name; NULL or an empty text: it isn't there, nor is the section of that name. */
struct page_value {
    const char *name;
    const char *text;
};

/* A value that a template may name. */
struct template_name {
    const char *name;
    enum markup_content content; /* MARKUP_URL: made by us, so it may be all of a link */
};

/* What a template may name; lists end with a NULL name. */
struct template_scope {
    const struct template_name *values;
    const char *list;                 /* NULL: there is none */
    const struct template_name *item; /* the values of an item, inside the list's section */
    bool layout;                      /* it has {{content}} and {{style}}, once each */
};

/*
 * Parses the template in `length` bytes; `file` is for messages. What it takes
 * of them is copied; the catalogue judges the texts that it names. NULL and
 * "FILE:LINE: what is wrong" in `error`.
 */
struct template *template_parse(const char *file, const char *bytes, size_t length,
                                const struct template_scope *scope, struct catalogue *catalogue,
                                char error[TEMPLATE_ERROR_MAX]);
void template_free(struct template *template);

/* What a template is filled with; all is borrowed. */
struct template_data {
    const struct page_value *values; /* ends with a NULL name */
    /* The list: item_count times the values of one, each ending with a NULL name. */
    const struct page_value *const *items;
    size_t item_count;
    const struct language *language;
    const char *content; /* for the layout: HTML that template_render() made */
    const char *style;   /* for the layout */
};

/* Writes the page; the stream keeps an error for its owner. */
void template_render(const struct template *template, const struct template_data *data,
                     FILE *stream);

/*
 * A text with its values, as it is, not escaped: to become a value itself.
 * Owned by the caller; NULL when memory is out.
 */
char *template_fill(const char *text, const struct page_value *values);

#endif
