/* SPDX-License-Identifier: MIT */
#include "account_text.h"

#include "base/utf8.h"

#include <string.h>

enum { TEXT_MAX = 256 };

const char *account_text_judge(const char *text)
{
    size_t length = strlen(text);
    if (length < 1 || length > TEXT_MAX)
        return "must have 1 to 256 bytes";
    for (size_t at = 0; at < length; at += utf8_character(text + at, length - at))
        if (utf8_is_control(text + at))
            return "must not have control characters";
    return NULL;
}

const char *account_text_judge_external_id(const char *text)
{
    return ascii_is_printable(text, strlen(text)) ? account_text_judge(text)
                                                  : "must be printable ASCII";
}
