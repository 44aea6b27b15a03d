/* SPDX-License-Identifier: MIT */
#include "page_file.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/utf8.h"
#include "pages_built_in.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__attribute__((format(printf, 2, 3))) static bool refuse(char *error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error, PAGE_FILE_ERROR_MAX, format, arguments); /* cut at worst */
    va_end(arguments);
    return false;
}

void page_file_clear(struct page_file *file)
{
    free(file->bytes);
    file->bytes = NULL;
}

/* Only text: UTF-8 without a byte order mark and NUL, which would end up in a page's middle. */
static bool check_text(const struct page_file *file, char *error)
{
    int line = 1;
    if (file->length >= 3 && memcmp(file->bytes, "\xEF\xBB\xBF", 3) == 0)
        return refuse(error, "%s:1: begins with a byte order mark; save it as UTF-8 without",
                      file->path);
    for (size_t at = 0; at < file->length;) {
        size_t size = utf8_character(file->bytes + at, file->length - at);
        if (size == 0 || file->bytes[at] == '\0')
            return refuse(error, "%s:%d: isn't text in UTF-8", file->path, line);
        line += file->bytes[at] == '\n';
        at += size;
    }
    return true;
}

/* Browsers hash a style sheet with line ends of LF alone; so does everything here. */
static void drop_carriage_returns(struct page_file *file)
{
    size_t kept = 0;
    for (size_t i = 0; i < file->length; i++)
        if (file->bytes[i] != '\r')
            file->bytes[kept++] = file->bytes[i];
    file->bytes[kept] = '\0';
    file->length = kept;
}

static bool read_opened(int descriptor, struct page_file *file, char *error)
{
    file->bytes = malloc(PAGE_FILE_MAX + 1);
    if (!file->bytes)
        return refuse(error, "memory is out");
    ssize_t length = file_read(descriptor, file->bytes, PAGE_FILE_MAX + 1);
    if (length < 0)
        return refuse(error, "%s: can't be read: %s", file->path, strerror(errno));
    if (length > PAGE_FILE_MAX)
        return refuse(error, "%s: is larger than %d bytes", file->path, PAGE_FILE_MAX);
    file->length = (size_t)length;
    file->bytes[file->length] = '\0';
    if (!check_text(file, error))
        return false;
    drop_carriage_returns(file);
    return true;
}

static bool read_path(struct page_file *file, char *error)
{
    struct stat status;
    _cleanup_(cleanup_close) int descriptor = file_open(file->path, FILE_LINKS_FOLLOWED, &status);
    if (descriptor < 0)
        return refuse(error, "%s: can't be read: %s", file->path, strerror(errno));
    return S_ISREG(status.st_mode) ? read_opened(descriptor, file, error)
                                   : refuse(error, "%s: isn't a regular file", file->path);
}

static bool name_path(const char *directory, const char *name, struct page_file *file, char *error)
{
    *file = (struct page_file){.bytes = NULL};
    int length = snprintf(file->path, sizeof file->path, "%s/%s", directory, name);
    if (length < 0 || (size_t)length >= sizeof file->path)
        return refuse(error, "%.100s: this path is too long", directory);
    return true;
}

static bool copy(const struct built_in_file *built_in, struct page_file *file, char *error)
{
    *file = (struct page_file){.length = built_in->length, .bytes = malloc(built_in->length + 1)};
    (void)snprintf(file->path, sizeof file->path, "%s", built_in->name);
    if (!file->bytes)
        return refuse(error, "memory is out");
    memcpy(file->bytes, built_in->bytes, built_in->length + 1);
    return true;
}

bool page_file_built_in(const char *name, struct page_file *file, char error[PAGE_FILE_ERROR_MAX])
{
    *file = (struct page_file){.bytes = NULL};
    for (const struct built_in_file *built_in = built_in_files; built_in->name; built_in++)
        if (strcmp(built_in->name, name) == 0)
            return copy(built_in, file, error);
    return refuse(error, "%s: isn't built in", name);
}

bool page_file_read(const char *directory, const char *name, struct page_file *file,
                    char error[PAGE_FILE_ERROR_MAX])
{
    return name_path(directory, name, file, error) && read_path(file, error);
}

bool page_file_find(const char *directory, const char *name, struct page_file *file,
                    char error[PAGE_FILE_ERROR_MAX])
{
    struct stat status;
    if (!directory)
        return page_file_built_in(name, file, error);
    if (!name_path(directory, name, file, error))
        return false;
    if (lstat(file->path, &status) != 0 && errno == ENOENT)
        return page_file_built_in(name, file, error);
    return read_path(file, error);
}
