/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PAGE_FILE_H
#define FEEDGATE_PAGE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* The files that pages are made of: built in, or the provider's. */

enum { PAGE_FILE_MAX = 256 * 1024, PAGE_FILE_ERROR_MAX = 512 };

struct page_file {
    char path[PAGE_FILE_ERROR_MAX / 2]; /* as messages name it */
    char *bytes;                        /* owned; text in UTF-8, with a NUL behind its length */
    size_t length;
};

/*
 * Each gets the file of this name, with line ends of LF alone, for
 * page_file_clear() to give back. False, and one line in `error`, when it can't
 * be read, is larger than PAGE_FILE_MAX or no text in UTF-8; the file is to be
 * cleared then, too.
 */

/* The provider's, else the built-in one; `directory` may be NULL. */
bool page_file_find(const char *directory, const char *name, struct page_file *file,
                    char error[PAGE_FILE_ERROR_MAX]);

/* The provider's. */
bool page_file_read(const char *directory, const char *name, struct page_file *file,
                    char error[PAGE_FILE_ERROR_MAX]);

/* The built-in one. */
bool page_file_built_in(const char *name, struct page_file *file, char error[PAGE_FILE_ERROR_MAX]);

void page_file_clear(struct page_file *file);

#endif
