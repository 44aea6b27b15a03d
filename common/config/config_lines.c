/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include "base/utf8.h"

#include <ini.h>
#include <stdio.h>
#include <string.h>

#define BLANKS " \t\r"

enum { NAMES_MAX = 256, QUOTED_MAX = 64 };

/*
 * What libinih reads from. It neither tells its handler the line nor that a
 * line was too long for it, and it passes over what stands behind a section's
 * name and over sections without keys; so the lines are looked at on their way.
 */
struct source {
    struct config_reading *reading;
    const char *next;
    const char *end;
    bool continues;                    /* this line goes on with the key above */
    const struct config_key *key;      /* the key above, in this section */
    const struct config_key *unfilled; /* a list that was begun and has no item yet */
};

static void join(char names[NAMES_MAX], const char *before, const char *name, const char *after)
{
    size_t used = strlen(names);
    (void)snprintf(names + used, NAMES_MAX - used, "%s%s%s%s", used == 0 ? "" : ", ", before, name,
                   after); /* cut at worst, in a message */
}

static bool refuse_section(struct config_reading *reading, const char *section)
{
    char names[NAMES_MAX] = "";
    for (size_t i = 0; i < config_key_count; i++)
        if (i == 0 || strcmp(config_keys[i].section, config_keys[i - 1].section) != 0)
            join(names, "[", config_keys[i].section, "]");
    return config_refuse_line(reading, reading->line,
                              "there is no section [%.*s]; the sections are %s", QUOTED_MAX,
                              section, names);
}

static bool refuse_name(struct config_reading *reading, const char *section, const char *name)
{
    char names[NAMES_MAX] = "";
    for (size_t i = 0; i < config_key_count; i++)
        if (strcmp(config_keys[i].section, section) == 0)
            join(names, "", config_keys[i].name, "");
    return config_refuse_line(reading, reading->line, "[%s] has no key \"%.*s\"; its keys are %s",
                              section, QUOTED_MAX, name, names);
}

/* A list that was begun must have got its items when something else begins. */
static bool end_list(struct source *source)
{
    const struct config_key *key = source->unfilled;
    source->unfilled = NULL;
    return key == NULL || config_refuse_line(source->reading, config_key_line(source->reading, key),
                                             "[%s] %s is empty; give it a value or remove the line",
                                             key->section, key->name);
}

/* A line that begins with a bracket. */
static bool begin_section(struct source *source, const char *line)
{
    struct config_reading *reading = source->reading;
    char name[QUOTED_MAX];
    size_t length = strcspn(line + 1, "]");
    if (!end_list(source))
        return false;
    source->key = NULL;
    if (line[1 + length] != ']' || length >= sizeof(name))
        return config_refuse_line(reading, reading->line,
                                  "a section is written [name], on a line of its own");
    memcpy(name, line + 1, length);
    name[length] = '\0';

    const char *behind = line + length + 2;
    behind += strspn(behind, BLANKS);
    if (*behind != '\0' && strchr(";#", *behind) == NULL)
        return config_refuse_line(reading, reading->line,
                                  "nothing may follow [%s]; begin a new line", name);
    int section = config_section_find(name);
    if (section < 0 || section >= CONFIG_SECTIONS_MAX)
        return refuse_section(reading, name);
    if (reading->section_lines[section] == 0)
        reading->section_lines[section] = reading->line;
    return true;
}

/* For libinih, as fgets() would; NULL also ends the reading when something is wrong. */
static char *next_line(char *buffer, int size, void *stream)
{
    struct source *source = stream;
    struct config_reading *reading = source->reading;
    if (reading->error[0] != '\0' || source->next == source->end)
        return NULL;

    size_t left = (size_t)(source->end - source->next);
    const char *newline = memchr(source->next, '\n', left);
    size_t length = newline == NULL ? left : (size_t)(newline - source->next);
    reading->line++;
    if (size < 1 || length >= (size_t)size) {
        (void)config_refuse_line(reading, reading->line,
                                 "the line is longer than %d bytes; a list can go on over "
                                 "indented lines",
                                 size - 1);
        return NULL;
    }
    memcpy(buffer, source->next, length);
    buffer[length] = '\0';
    source->next += newline == NULL ? length : length + 1;

    const char *start = buffer + strspn(buffer, BLANKS);
    source->continues = start > buffer && source->key != NULL;
    if (*start == '[' && !source->continues && !begin_section(source, start))
        return NULL;
    return buffer;
}

static bool continue_list(struct source *source, const char *value)
{
    if ((source->key->rules & CONFIG_LIST) == 0)
        return config_refuse_line(source->reading, source->reading->line,
                                  "an indented line goes on with the list above, but %s takes "
                                  "one value; begin the line at its left edge",
                                  source->key->name);
    source->unfilled = NULL;
    return source->key->read(source->reading, source->key, value);
}

static bool take_key(struct source *source, const struct config_key *key, const char *value)
{
    struct config_reading *reading = source->reading;
    int *line = &reading->config->lines[key - config_keys];
    if (*line != 0)
        return config_refuse(reading, key, "is given twice; the first time in line %d", *line);
    *line = reading->line;
    source->key = key;
    if (*value != '\0')
        return key->read(reading, key, value);
    source->unfilled = key;
    return (key->rules & CONFIG_LIST) != 0 || end_list(source);
}

/* For libinih: a key and its value, or one more line of it. 0 when it isn't taken. */
static int take_line(void *user, const char *section, const char *name, const char *value)
{
    struct source *source = user;
    struct config_reading *reading = source->reading;
    if (reading->error[0] != '\0')
        return 0;
    if (source->continues)
        return continue_list(source, value);
    if (!end_list(source))
        return 0;
    if (section[0] == '\0')
        return config_refuse_line(reading, reading->line,
                                  "a key stands before the first [section]");
    const struct config_key *key = config_key_find(section, name);
    if (key == NULL)
        return refuse_name(reading, section, name);
    return take_key(source, key, value);
}

/* Nothing that an editor hides or that C would take for the end. */
static bool is_text(struct config_reading *reading, const char *text, size_t length)
{
    int line = 1;
    if (length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        return config_refuse_line(reading, line,
                                  "the file begins with a byte order mark; save it without");
    for (size_t i = 0, step = 0; i < length; i += step) {
        step = utf8_character(text + i, length - i);
        if (step == 0)
            return config_refuse_line(reading, line, "the line isn't valid UTF-8");
        if (text[i] == '\n')
            line++;
        bool ends_line = text[i] == '\n' || (text[i] == '\r' && text[i + 1] == '\n');
        if (utf8_is_control(text + i) && !ends_line && text[i] != '\t')
            return config_refuse_line(reading, line, "the line has a control character in it");
    }
    return true;
}

bool config_read_lines(struct config_reading *reading, const char *text, size_t length)
{
    struct source source = {.reading = reading, .next = text, .end = text + length};
    if (!is_text(reading, text, length))
        return false;
    int wrong = ini_parse_stream(next_line, &source, take_line, &source);
    if (wrong < 0)
        return config_refuse_line(reading, reading->line, "memory is out");
    /* libinih goes on behind a line that it can't read, so that one came first. */
    if (wrong > 0 && (reading->error[0] == '\0' || wrong < reading->line)) {
        reading->error[0] = '\0';
        return config_refuse_line(reading, wrong,
                                  "the line is neither \"key = value\" nor \"[section]\"");
    }
    return reading->error[0] == '\0' && end_list(&source);
}
