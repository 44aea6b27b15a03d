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
    if (character >= 'A' && character <= 'Z')
        character = (char)(character - 'A' + 'a');
    markup->name[markup->name_length++] = character;
    markup->name[markup->name_length] = '\0';
}

static const char *end_tag_name(struct markup *markup)
{
    static const char *const blocked[] = {"base",   "embed",  "frame", "iframe", "link",
                                          "object", "script", "style", NULL};
    markup->place = MARKUP_TAG;
    return is_one_of(markup->name, blocked) ? blocked_element : NULL;
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

static void read_in_tag(struct markup *markup, char character)
{
    if (character == '>') {
        markup->place = MARKUP_TEXT;
    } else if (character == '=' && markup->name_length > 0) {
        markup->place = MARKUP_EQUALS;
    } else if (!is_space(character) && character != '/') {
        begin_name(markup, MARKUP_ATTRIBUTE_NAME);
        add_to_name(markup, character);
    }
}

static const char *read_tag_open(struct markup *markup, char character)
{
    if (is_letter(character)) {
        begin_name(markup, MARKUP_TAG_NAME);
        add_to_name(markup, character);
    } else if (character == '!') {
        begin_name(markup, MARKUP_DECLARATION);
    } else if (character == '/') {
        begin_name(markup, MARKUP_TAG_NAME);
    } else {
        return "a '<' that begins no tag must be written &lt;";
    }
    return NULL;
}

static const char *read_tag_name(struct markup *markup, char character)
{
    if (!is_space(character) && character != '/' && character != '>') {
        add_to_name(markup, character);
        return NULL;
    }
    const char *problem = end_tag_name(markup);
    markup->name_length = 0; /* a '=' here would begin an attribute, not give it a value */
    read_in_tag(markup, character);
    return problem;
}

static const char *read_attribute_name(struct markup *markup, char character)
{
    if (!is_space(character) && character != '/' && character != '>' && character != '=') {
        add_to_name(markup, character);
        return NULL;
    }
    const char *problem = end_attribute_name(markup);
    if (character == '/')
        markup->name_length = 0;
    read_in_tag(markup, character);
    return problem;
}

/* A browser loads by itself what these name. */
static bool is_loaded(const struct markup *markup)
{
    static const char *const attributes[] = {"src", "srcset", "poster", "background", NULL};
    return is_one_of(markup->name, attributes);
}

/* Reads a character of an attribute's value. */
static const char *read_of_value(struct markup *markup, char character)
{
    markup->begun = true;
    if (!is_loaded(markup) || markup->of_data == sizeof data - 1)
        return NULL;
    bool goes_on = character == data[markup->of_data];
    markup->of_data++;
    return goes_on ? NULL : blocked_source;
}

static const char *read_value_begin(struct markup *markup, char character)
{
    if (is_space(character))
        return NULL;
    markup->begun = false;
    markup->of_data = 0;
    if (character == '"' || character == '\'') {
        markup->place = MARKUP_QUOTED;
        markup->quote = character;
        return NULL;
    }
    markup->place = character == '>' ? MARKUP_TEXT : MARKUP_UNQUOTED;
    return character == '>' ? NULL : read_of_value(markup, character);
}

static void end_value(struct markup *markup, enum markup_place place)
{
    begin_name(markup, place);
    markup->quote = '\0';
    markup->begun = false;
}

static const char *read_value(struct markup *markup, char character)
{
    bool quoted = markup->place == MARKUP_QUOTED;
    if (quoted ? character == markup->quote : is_space(character))
        end_value(markup, MARKUP_TAG);
    else if (!quoted && character == '>')
        end_value(markup, MARKUP_TEXT);
    else
        return read_of_value(markup, character);
    return NULL;
}

/* Up to its '>', but "<!--" begins a comment. */
static void read_declaration(struct markup *markup, char character)
{
    if (character == '>') {
        markup->place = MARKUP_TEXT;
        return;
    }
    add_to_name(markup, character);
    if (strcmp(markup->name, "--") == 0) {
        markup->place = MARKUP_COMMENT;
        markup->dashes = 2; /* "<!-->" is a whole comment */
    }
}

static void read_comment(struct markup *markup, char character)
{
    if (character == '>' && markup->dashes >= 2)
        markup->place = MARKUP_TEXT;
    markup->dashes = character == '-' ? markup->dashes + 1 : 0;
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
    case MARKUP_TAG_NAME:
        return read_tag_name(markup, character);
    case MARKUP_TAG:
        read_in_tag(markup, character);
        return NULL;
    case MARKUP_ATTRIBUTE_NAME:
        return read_attribute_name(markup, character);
    case MARKUP_EQUALS:
        return read_value_begin(markup, character);
    case MARKUP_QUOTED:
    case MARKUP_UNQUOTED:
        return read_value(markup, character);
    case MARKUP_DECLARATION:
        read_declaration(markup, character);
        return NULL;
    case MARKUP_COMMENT:
        read_comment(markup, character);
        return NULL;
    }
    return NULL;
}

static const char *put_into_attribute(struct markup *markup, enum markup_content content)
{
    bool begun = markup->begun;
    markup->begun = true;
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
        return NULL;
    case MARKUP_QUOTED:
        return put_into_attribute(markup, content);
    case MARKUP_EQUALS:
    case MARKUP_UNQUOTED:
        return "a value in an attribute must stand in quotes";
    case MARKUP_DECLARATION:
    case MARKUP_COMMENT:
        return "a value can't stand in a comment";
    case MARKUP_TAG_OPEN:
    case MARKUP_TAG_NAME:
    case MARKUP_TAG:
    case MARKUP_ATTRIBUTE_NAME:
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
    if (left->place != right->place || left->quote != right->quote)
        return false;
    return left->place == MARKUP_TEXT || strcmp(left->name, right->name) == 0;
}
