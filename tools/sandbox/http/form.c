/* SPDX-License-Identifier: MIT */
#include "form.h"

#include "text.h"

#include <string.h>

static int hexadecimal_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

/* Decodes in place and puts a NUL behind; *size becomes the new size. */
static bool decode(char *bytes, size_t *size)
{
    size_t out = 0;
    for (size_t i = 0; i < *size; i++) {
        char byte = bytes[i];
        if (byte == '+')
            byte = ' ';
        if (byte == '%') {
            if (*size - i < 3)
                return false;
            int high = hexadecimal_value(bytes[i + 1]);
            int low = hexadecimal_value(bytes[i + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high * 16 + low);
            i += 2;
        }
        bytes[out++] = byte;
    }
    bytes[out] = '\0';
    *size = out;
    return true;
}

static bool parse_field(struct form *form, char *field, size_t size)
{
    char *equals = memchr(field, '=', size);
    if (equals == NULL)
        return false;
    size_t name_size = (size_t)(equals - field);
    size_t value_size = size - name_size - 1;
    char *value = equals + 1;
    return decode(field, &name_size) && decode(value, &value_size) &&
           form_add(form, field, name_size, value, value_size);
}

bool form_add(struct form *form, const char *name, size_t name_size, const char *value,
              size_t value_size)
{
    if (form->count == FORM_FIELDS_MAX || !text_is_utf8(name, name_size) ||
        !text_is_utf8(value, value_size))
        return false;
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0)
            return false;
    }
    form->fields[form->count].name = name;
    form->fields[form->count].value = value;
    form->count++;
    return true;
}

bool form_parse(struct form *form, char *body, size_t size)
{
    size_t start = 0;
    while (start < size) {
        char *end = memchr(body + start, '&', size - start);
        size_t length = end == NULL ? size - start : (size_t)(end - body) - start;
        if (length > 0 && !parse_field(form, body + start, length))
            return false;
        start += length + 1;
    }
    return true;
}

const char *form_value(const struct form *form, const char *name)
{
    for (size_t i = 0; i < form->count; i++) {
        if (strcmp(form->fields[i].name, name) == 0 && form->fields[i].value[0] != '\0')
            return form->fields[i].value;
    }
    return NULL;
}

const char *form_value_or(const struct form *form, const char *name, const char *fallback)
{
    const char *value = form_value(form, name);
    return value == NULL ? fallback : value;
}
