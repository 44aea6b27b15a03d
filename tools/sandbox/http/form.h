/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_HTTP_FORM_H
#define FEEDGATE_SANDBOX_HTTP_FORM_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The fields of a form or a query. The form owns nothing: names and values
 * stay where they were given.
 */

enum { FORM_FIELDS_MAX = 256 };

struct form {
    size_t count;
    struct {
        const char *name;
        const char *value;
    } fields[FORM_FIELDS_MAX];
};

/* False if the name is there already, the form is full or the text is no UTF-8. */
bool form_add(struct form *form, const char *name, size_t name_size, const char *value,
              size_t value_size);

/*
 * Reads application/x-www-form-urlencoded. The body is decoded in place and
 * must have room for size + 1 bytes. False if it is malformed, or as form_add.
 */
bool form_parse(struct form *form, char *body, size_t size);

/* The value; NULL if the field is missing or empty. */
const char *form_value(const struct form *form, const char *name);

/* The value, or the default if the field is missing or empty. */
const char *form_value_or(const struct form *form, const char *name, const char *fallback);

#endif
