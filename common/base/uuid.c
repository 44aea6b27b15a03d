/* SPDX-License-Identifier: MIT */
#include "uuid.h"

#include <stddef.h>

static bool is_hexadecimal(char digit)
{
    return (digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f') ||
           (digit >= 'A' && digit <= 'F');
}

bool uuid_is_valid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    for (size_t i = 0; i < sizeof(form) - 1; i++) /* the end of a short text is no digit */
        if (form[i] == 'x' ? !is_hexadecimal(text[i]) : text[i] != '-')
            return false;
    return text[sizeof(form) - 1] == '\0';
}
