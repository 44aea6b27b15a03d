/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include "base/cleanup.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What every reader of a value uses: complaints with their place, and texts that stay. */

/* Writes "FILE:LINE: about message" into the reading's error, cut at worst. */
static void note_error(struct config_reading *reading, int line, const char *about,
                       const char *format, va_list arguments)
{
    if (reading->error[0] != '\0' || reading->config->file == NULL)
        return;
    int length =
        snprintf(reading->error, CONFIG_ERROR_MAX, "%s:%d: %s", reading->config->file, line, about);
    if (length > 0 && length < CONFIG_ERROR_MAX)
        (void)vsnprintf(reading->error + length, CONFIG_ERROR_MAX - (size_t)length, format,
                        arguments);
}

bool config_refuse_line(struct config_reading *reading, int line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    note_error(reading, line, "", format, arguments);
    va_end(arguments);
    return false;
}

bool config_refuse(struct config_reading *reading, const struct config_key *key, const char *format,
                   ...)
{
    char about[64];
    va_list arguments;
    (void)snprintf(about, sizeof(about), "[%s] %s ", key->section, key->name);
    va_start(arguments, format);
    note_error(reading, reading->line, about, format, arguments);
    va_end(arguments);
    return false;
}

char *config_keep(struct config_reading *reading, const char *bytes, size_t length)
{
    struct config_text *text = malloc(sizeof(*text) + length + 1);
    if (text == NULL) {
        (void)config_refuse_line(reading, reading->line, "memory is out");
        return NULL;
    }
    memcpy(text->bytes, bytes, length);
    text->bytes[length] = '\0';
    text->next = reading->config->texts;
    reading->config->texts = text;
    return text->bytes;
}

char *config_keep_joined(struct config_reading *reading, const char *directory, size_t length,
                         const char *path)
{
    _cleanup_(cleanup_free) char *joined = NULL;
    if (path[0] == '/')
        return config_keep(reading, path, strlen(path));
    if (asprintf(&joined, "%.*s/%s", (int)length, directory, path) < 0) {
        joined = NULL;
        (void)config_refuse_line(reading, reading->line, "memory is out");
        return NULL;
    }
    return config_keep(reading, joined, strlen(joined));
}

char *config_keep_path(struct config_reading *reading, const char *path)
{
    const char *file = reading->config->file;
    return config_keep_joined(reading, file, (size_t)(strrchr(file, '/') - file), path);
}
