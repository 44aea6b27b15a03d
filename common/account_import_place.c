/* SPDX-License-Identifier: MIT */
#include "account_import_private.h"

#include "utf8.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { QUOTED_MAX = 64, QUOTED_SIZE = QUOTED_MAX + 4 };

/* A text of the file as it may stand in a line: cut, and without control characters. */
static const char *quote(const char *text, char quoted[QUOTED_SIZE])
{
    size_t length = strlen(text);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t step = utf8_character(text + at, length - at);
        if (step == 0 || utf8_is_control(text + at)) {
            step = step == 0 ? 1 : step;
            quoted[used++] = '?';
        } else {
            memcpy(quoted + used, text + at, step);
            used += step;
        }
        at += step;
        if (used > QUOTED_MAX - 4 && at < length) {
            memcpy(quoted + used, "...", 3);
            used += 3;
            break;
        }
    }
    quoted[used] = '\0';
    return quoted;
}

/* Writes behind what stands in the error already; cut at worst. */
static void add(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char *error, const char *format, ...)
{
    size_t used = strlen(error);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error + used, ACCOUNT_ERROR_MAX - used, format, arguments);
    va_end(arguments);
}

bool account_import_refuse(const struct import_place *place, const char *complaint)
{
    char quoted[QUOTED_SIZE];
    place->error[0] = '\0';
    if (place->customer_id)
        add(place->error, "customer \"%s\", ", quote(place->customer_id, quoted));
    else if (place->customer != 0)
        add(place->error, "customer %zu, ", place->customer);
    if (place->account != 0)
        add(place->error, "account %zu", place->account);
    if (place->account_name)
        add(place->error, " (\"%s\")", quote(place->account_name, quoted));
    if (place->account != 0)
        add(place->error, ", ");
    if (place->member)
        add(place->error, "member \"%s\": ", quote(place->member, quoted));
    add(place->error, "%s", complaint);
    return false;
}

struct import_place account_import_place(const struct import_customer *customer,
                                         const struct import_account *account, const char *member,
                                         char error[ACCOUNT_ERROR_MAX])
{
    return (struct import_place){
        .customer_id = customer->id,
        .account = account ? (size_t)(account - customer->accounts) + 1 : 0,
        .account_name = account ? account->account.account_name : NULL,
        .member = member,
        .error = error,
    };
}
