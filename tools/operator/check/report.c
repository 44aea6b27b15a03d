/* SPDX-License-Identifier: MIT */
#include "check.h"
#include "config/config.h"

#include <stdarg.h>
#include <stdio.h>

static const struct config *config_of(const struct check *check)
{
    return check->call->service.config;
}

static void print_item(enum check_result result, const char *item, const char *text,
                       const char *place)
{
    static const char *const words[] = {
        [CHECK_OK] = "ok   ", [CHECK_WARN] = "warn ", [CHECK_FAIL] = "FAIL "};
    (void)printf("%s %s: ", words[result], item); /* whether all was written is asked at the end */
    (void)print_visibly(stdout, text);
    if (place[0]) {
        (void)fputs(" (", stdout);
        (void)print_visibly(stdout, place);
        (void)putchar(')');
    }
    (void)putchar('\n');
    (void)fflush(stdout); /* a key set may take seconds: what is known is shown */
}

static void list_item(struct check *check, enum check_result result, const char *item,
                      const char *text, int line)
{
    static const char *const words[] = {
        [CHECK_OK] = "ok", [CHECK_WARN] = "warn", [CHECK_FAIL] = "fail"};
    char number[16];
    (void)snprintf(number, sizeof number, "%d", line);
    const char *file = config_of(check) ? config_of(check)->file : check->call->conf;
    const char *const values[] = {words[result], item, text, file, line > 0 ? number : NULL};
    listing_add(&check->listing, values);
}

void check_report(struct check *check, enum check_result result, const char *item,
                  const char *section, const char *key, const char *format, ...)
{
    char text[2 * SERVICE_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut at worst */
    va_end(arguments);
    check->failed = check->failed || result == CHECK_FAIL;
    int line = section ? config_line(config_of(check), section, key) : 0;
    if (check->call->json) {
        list_item(check, result, item, text, line);
        return;
    }
    char place[SERVICE_ERROR_MAX] = "";
    if (line > 0)
        (void)snprintf(place, sizeof place, "%s:%d", config_of(check)->file, line);
    else if (section && result != CHECK_OK)
        (void)snprintf(place, sizeof place, "%s, [%s] %s", config_of(check)->file, section, key);
    print_item(result, item, text, place);
}
