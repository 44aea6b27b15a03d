/* SPDX-License-Identifier: MIT */
#include "markup.h"

#include <string.h>

static const char blocked_element[] =
    "the pages' Content-Security-Policy blocks this element; styles belong into style.css";
static const char blocked_attribute[] =
    "the pages' Content-Security-Policy blocks this attribute; styles belong into style.css";

static const char blocked_source[] =
    "the pages' Content-Security-Policy blocks what comes from elsewhere; put the picture into "
    "the page, as SVG or as a data: URL";
static const char data[] = "data:";
static const char refresh[] = "refresh";

static const char ambiguous_element[] =
    "browsers differ in how they read what is in this element; write it without";
static const char goes_elsewhere[] =
    "a page may not go elsewhere by itself; give people a link, and write another http-equiv "
    "without '&' and values";
static const char no_text[] = "only text can stand here; a '<' must be written &lt;";
static const char no_tag[] = "a '<' that begins no tag must be written &lt;";

static bool is_space(char character)
{
    return character == ' ' || character == '\t' || character == '\n' || character == '\r' ||
           character == '\f';
}

static bool is_letter(char character)
{
    return (character >= 'a' && character <= 'z') || (character >= 'A' && character <= 'Z');
}

static bool is_one_of(const char *name, const char *const *names)
{
    for (; *names; names++)
        if (strcmp(name, *names) == 0)
            return true;
    return false;
}

static char lower(char character)
{
    if (character >= 'A' && character <= 'Z')
        return (char)(character - 'A' + 'a');
    return character;
}

static void begin_name(struct markup *markup, enum markup_place place)
{
    markup->place = place;
    markup->name_length = 0;
    markup->name[0] = '\0';
}

static void add_to_name(struct markup *markup, char character)
{
    if (markup->name_length + 1 == sizeof markup->name)
        return;
    markup->name[markup->name_length++] = lower(character);
    markup->name[markup->name_length] = '\0';
}

/*
 * HTML reads a title's or textarea's content as text (RCDATA), an SVG its title's
 * as tags. A '<' that isn't its end tag's is a mistake, so that both are the same.
 */
static void find_text_alone(struct markup *markup)
{
    static const char *const ends[] = {"/title", "/textarea", NULL};
    for (size_t i = 0; ends[i]; i++)
        if (strcmp(markup->name, ends[i] + 1) == 0)
            markup->text_alone = ends[i];
}

/* An end tag's name begins with '/'. */
static const char *end_tag_name(struct markup *markup)
{
    static const char *const blocked[] = {"base",   "embed",  "frame", "iframe", "link",
                                          "object", "script", "style", NULL};
    /* RAWTEXT in all browsers or in those that run scripts, and PLAINTEXT, which has no end. */
    static const char *const ambiguous[] = {"noembed",   "noframes", "noscript",
                                            "plaintext", "xmp",      NULL};
    const char *name = markup->name[0] == '/' ? markup->name + 1 : markup->name;
    find_text_alone(markup);
    markup->place = MARKUP_TAG;
    if (is_one_of(name, ambiguous))
        return ambiguous_element;
    return is_one_of(name, blocked) ? blocked_element : NULL;
}

/* Behind a tag's '>'. */
static void end_tag(struct markup *markup)
{
    markup->place = markup->text_alone ? MARKUP_TEXT_ALONE : MARKUP_TEXT;
}

static const char *end_attribute_name(struct markup *markup)
{
    markup->place = MARKUP_TAG;
    bool event = strncmp(markup->name, "on", 2) == 0;
    return event || strcmp(markup->name, "style") == 0 ? blocked_attribute : NULL;
}

static bool holds_url(const struct markup *markup)
{
    static const char *const attributes[] = {
        "action", "background", "cite", "data",   "formaction", "href", "ping",       "poster",
        "src",    "srcset",     "to",   "values", "from",       "by",   "xlink:href", NULL};
    return is_one_of(markup->name, attributes);
}

static const char *read_in_tag(struct markup *markup, char character)
{
    if (character == '>') {
        end_tag(markup);
    } else if (character == '/') {
        markup->name_length = 0; /* a '=' behind it isn't the attribute's any more */
    } else if (character == '=') {
        if (markup->name_length == 0)
            return "a '=' must stand behind its attribute's name, and in the same section";
        markup->place = MARKUP_EQUALS;
    } else if (!is_space(character)) {
        begin_name(markup, MARKUP_ATTRIBUTE_NAME);
        add_to_name(markup, character);
    }
    return NULL;
}

static const char *read_tag_open(struct markup *markup, char character)
{
    if (is_letter(character)) {
        begin_name(markup, MARKUP_TAG_NAME);
        add_to_name(markup, character);
    } else if (character == '!') {
        begin_name(markup, MARKUP_DECLARATION);
    } else if (character == '/') {
        begin_name(markup, MARKUP_END_TAG_OPEN);
        add_to_name(markup, character);
    } else {
        return no_tag;
    }
    return NULL;
}

/* Anything else but a letter makes a comment of it, up to the next '>'. */
static const char *read_end_tag_open(struct markup *markup, char character)
{
    if (!is_letter(character))
        return no_tag;
    markup->place = MARKUP_TAG_NAME;
    add_to_name(markup, character);
    return NULL;
}

static const char *read_tag_name(struct markup *markup, char character)
{
    if (!is_space(character) && character != '/' && character != '>') {
        add_to_name(markup, character);
        return NULL;
    }
    const char *problem = end_tag_name(markup);
    markup->name_length = 0; /* a '=' here would be no attribute's */
    return problem ? problem : read_in_tag(markup, character);
}

static const char *read_attribute_name(struct markup *markup, char character)
{
    if (!is_space(character) && character != '/' && character != '>' && character != '=') {
        add_to_name(markup, character);
        return NULL;
    }
    const char *problem = end_attribute_name(markup);
    return problem ? problem : read_in_tag(markup, character);
}

/* A browser loads by itself what these name. */
static bool is_loaded(const struct markup *markup)
{
    static const char *const attributes[] = {"src", "srcset", "poster", "background", NULL};
    return is_one_of(markup->name, attributes);
}

static bool is_pragma(const struct markup *markup)
{
    return strcmp(markup->name, "http-equiv") == 0;
}

/* A letter may be written as &#114; too, which is nothing to be read here. */
static const char *read_of_pragma(struct markup *markup, char character)
{
    if (character == '&')
        return goes_elsewhere;
    bool goes_on =
        markup->of_word < sizeof refresh - 1 && lower(character) == refresh[markup->of_word];
    markup->of_word = goes_on ? markup->of_word + 1 : sizeof refresh;
    return NULL;
}

/* Reads a character of an attribute's value. */
static const char *read_of_value(struct markup *markup, char character)
{
    markup->begun = true;
    if (is_pragma(markup))
        return read_of_pragma(markup, character);
    if (!is_loaded(markup) || markup->of_word == sizeof data - 1)
        return NULL;
    bool goes_on = character == data[markup->of_word];
    markup->of_word++;
    return goes_on ? NULL : blocked_source;
}

static const char *read_value_begin(struct markup *markup, char character)
{
    if (is_space(character))
        return NULL;
    markup->begun = false;
    markup->of_word = 0;
    if (character == '"' || character == '\'') {
        markup->place = MARKUP_QUOTED;
        markup->quote = character;
        return NULL;
    }
    if (character == '>') {
        end_tag(markup);
        return NULL;
    }
    markup->place = MARKUP_UNQUOTED;
    return read_of_value(markup, character);
}

static const char *end_value(struct markup *markup)
{
    bool goes = is_pragma(markup) && markup->of_word == sizeof refresh - 1;
    begin_name(markup, MARKUP_TAG);
    markup->quote = '\0';
    markup->begun = false;
    return goes ? goes_elsewhere : NULL;
}

static const char *read_value(struct markup *markup, char character)
{
    bool quoted = markup->place == MARKUP_QUOTED;
    bool tag_ends = !quoted && character == '>';
    if (!tag_ends && (quoted ? character != markup->quote : !is_space(character)))
        return read_of_value(markup, character);
    const char *problem = end_value(markup);
    if (tag_ends)
        end_tag(markup);
    return problem;
}

/* Anything else is a comment up to '>', or, as CDATA in an SVG, text up to "]]>". */
static const char *read_declaration(struct markup *markup, char character)
{
    static const char doctype[] = "doctype";
    add_to_name(markup, character);
    if (strcmp(markup->name, "--") == 0) {
        markup->place = MARKUP_COMMENT;
        markup->comment = MARKUP_COMMENT_BEGIN;
    } else if (strcmp(markup->name, doctype) == 0) {
        markup->place = MARKUP_DOCTYPE;
    } else if (strcmp(markup->name, "-") != 0 &&
               strncmp(markup->name, doctype, markup->name_length) != 0) {
        return "a '<!' must begin a comment or be that of <!DOCTYPE html>";
    }
    return NULL;
}

static enum markup_comment behind_dash(enum markup_comment comment)
{
    switch (comment) {
    case MARKUP_COMMENT_BEGIN:
        return MARKUP_COMMENT_BEGIN_DASH;
    case MARKUP_COMMENT_BEGIN_DASH:
    case MARKUP_COMMENT_DASH:
    case MARKUP_COMMENT_END:
        return MARKUP_COMMENT_END;
    case MARKUP_COMMENT_TEXT:
    case MARKUP_COMMENT_BANG:
        break;
    }
    return MARKUP_COMMENT_DASH;
}

/* "-->" and "--!>" end one, and so does a '>' at its beginning ("<!-->", "<!--->"). */
static void read_comment(struct markup *markup, char character)
{
    enum markup_comment comment = markup->comment;
    if (character == '>' && comment != MARKUP_COMMENT_TEXT && comment != MARKUP_COMMENT_DASH)
        markup->place = MARKUP_TEXT;
    else if (character == '-')
        markup->comment = behind_dash(comment);
    else if (character == '!' && comment == MARKUP_COMMENT_END)
        markup->comment = MARKUP_COMMENT_BANG;
    else
        markup->comment = MARKUP_COMMENT_TEXT;
}

static const char *read_text_alone_end(struct markup *markup, char character)
{
    const char *end = markup->text_alone;
    char expected = end[markup->name_length];
    if (expected != '\0') {
        add_to_name(markup, character);
        return lower(character) == expected ? NULL : no_text;
    }
    if (!is_space(character) && character != '/' && character != '>')
        return no_text;
    markup->text_alone = NULL;
    markup->name_length = 0;
    markup->place = MARKUP_TAG;
    return read_in_tag(markup, character);
}

const char *markup_read(struct markup *markup, char character)
{
    switch (markup->place) {
    case MARKUP_TEXT:
        if (character == '<')
            markup->place = MARKUP_TAG_OPEN;
        return NULL;
    case MARKUP_TAG_OPEN:
        return read_tag_open(markup, character);
    case MARKUP_END_TAG_OPEN:
        return read_end_tag_open(markup, character);
    case MARKUP_TAG_NAME:
        return read_tag_name(markup, character);
    case MARKUP_TAG:
        return read_in_tag(markup, character);
    case MARKUP_ATTRIBUTE_NAME:
        return read_attribute_name(markup, character);
    case MARKUP_EQUALS:
        return read_value_begin(markup, character);
    case MARKUP_QUOTED:
    case MARKUP_UNQUOTED:
        return read_value(markup, character);
    case MARKUP_DECLARATION:
        return read_declaration(markup, character);
    case MARKUP_DOCTYPE:
        if (character == '>')
            markup->place = MARKUP_TEXT;
        return NULL;
    case MARKUP_COMMENT:
        read_comment(markup, character);
        return NULL;
    case MARKUP_TEXT_ALONE:
        if (character == '<')
            begin_name(markup, MARKUP_TEXT_ALONE_END);
        return NULL;
    case MARKUP_TEXT_ALONE_END:
        return read_text_alone_end(markup, character);
    }
    return NULL;
}

static const char *put_into_attribute(struct markup *markup, enum markup_content content)
{
    bool begun = markup->begun;
    markup->begun = true;
    if (is_pragma(markup))
        return goes_elsewhere;
    if (!holds_url(markup))
        return NULL;
    if (content != MARKUP_URL)
        return "only a value that is a URL can stand in this attribute";
    return begun ? "a URL must be all of its attribute" : NULL;
}

const char *markup_put(struct markup *markup, enum markup_content content)
{
    switch (markup->place) {
    case MARKUP_TEXT:
    case MARKUP_TEXT_ALONE:
        return NULL;
    case MARKUP_QUOTED:
        return put_into_attribute(markup, content);
    case MARKUP_EQUALS:
    case MARKUP_UNQUOTED:
        return "a value in an attribute must stand in quotes";
    case MARKUP_DECLARATION:
    case MARKUP_DOCTYPE:
    case MARKUP_COMMENT:
        return "a value can't stand in a comment";
    case MARKUP_TAG_OPEN:
    case MARKUP_END_TAG_OPEN:
    case MARKUP_TAG_NAME:
    case MARKUP_TAG:
    case MARKUP_ATTRIBUTE_NAME:
    case MARKUP_TEXT_ALONE_END:
        break;
    }
    return "a value can't stand inside a tag, but in a quoted attribute";
}

void markup_fork(struct markup *markup)
{
    if (markup->place == MARKUP_TAG)
        begin_name(markup, MARKUP_TAG);
}

bool markup_same(const struct markup *left, const struct markup *right)
{
    if (left->place != right->place || left->quote != right->quote ||
        left->text_alone != right->text_alone)
        return false;
    if (left->place == MARKUP_TEXT || left->place == MARKUP_TEXT_ALONE)
        return true;
    if (left->place == MARKUP_COMMENT)
        return left->comment == right->comment;
    /* What is left out of a pragma may have been what kept it from being "refresh". */
    if ((left->place == MARKUP_QUOTED || left->place == MARKUP_UNQUOTED) && is_pragma(left))
        return false;
    return strcmp(left->name, right->name) == 0;
}
