/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_PAGES_BUILT_IN_H
#define FEEDGATE_PAGES_BUILT_IN_H

#include <stddef.h>

/* A file of pages/, built in; the table ends with a NULL name. */
struct built_in_file {
    const char *name;
    const char *bytes; /* with a NUL behind its length */
    size_t length;
};
extern const struct built_in_file built_in_files[];

#endif
