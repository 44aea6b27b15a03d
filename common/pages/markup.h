/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_MARKUP_H
#define FEEDGATE_MARKUP_H

#include <stdbool.h>
#include <stddef.h>

/*
 * How a browser would read what is put at a place in a page: enough of HTML's
 * tokenizer (HTML Living Standard, 13.2.5) to judge a template once, so that
 * an escaped value can't be read as anything but text. What the pages'
 * Content-Security-Policy would block is a mistake here too, and so is what
 * browsers read in more than one way: by whether they run scripts, or by
 * whether it stands in an SVG.
 */

enum { MARKUP_NAME_SIZE = 32 };

enum markup_place {
    MARKUP_TEXT,           /* between tags */
    MARKUP_TAG_OPEN,       /* behind '<' */
    MARKUP_END_TAG_OPEN,   /* behind "</" */
    MARKUP_TAG_NAME,       /* in a tag's name */
    MARKUP_TAG,            /* in a tag, between attributes */
    MARKUP_ATTRIBUTE_NAME, /* in an attribute's name */
    MARKUP_EQUALS,         /* behind its '=' */
    MARKUP_QUOTED,         /* in a quoted attribute value */
    MARKUP_UNQUOTED,       /* in one without quotes */
    MARKUP_DECLARATION,    /* behind "<!" */
    MARKUP_DOCTYPE,        /* behind "<!DOCTYPE" */
    MARKUP_COMMENT,        /* behind "<!--" */
    MARKUP_TEXT_ALONE,     /* in an element that holds text alone: title, textarea */
    MARKUP_TEXT_ALONE_END, /* behind a '<' there, which must begin its end tag */
};

/* What was just read of a comment, as far as its end depends on it. */
enum markup_comment {
    MARKUP_COMMENT_BEGIN,      /* "<!--" */
    MARKUP_COMMENT_BEGIN_DASH, /* "<!---" */
    MARKUP_COMMENT_TEXT,
    MARKUP_COMMENT_DASH, /* "-" */
    MARKUP_COMMENT_END,  /* "--" */
    MARKUP_COMMENT_BANG, /* "--!" */
};

/* A place; zeroed it is a page's beginning. */
struct markup {
    enum markup_place place;
    char quote;                  /* of a quoted value */
    bool begun;                  /* that value has a character */
    size_t of_word;              /* characters of "data:" or "refresh" with which it begins */
    char name[MARKUP_NAME_SIZE]; /* of the tag or attribute, in lower case, cut when long */
    size_t name_length;
    const char *text_alone; /* the end of the element, "/title", that begins or began; or NULL */
    enum markup_comment comment;
};

/* Goes on by a character of the template. NULL, or what is wrong with it (static). */
const char *markup_read(struct markup *markup, char character);

enum markup_content { MARKUP_WORDS, MARKUP_URL };

/* Puts a value there. NULL, or why that can't be done (static). */
const char *markup_put(struct markup *markup, enum markup_content content);

/* What follows may be left out: a '=' there can't be the last attribute's. */
void markup_fork(struct markup *markup);

/* Whether what follows would be read alike at both places. */
bool markup_same(const struct markup *left, const struct markup *right);

#endif
