/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "config/config.h"
#include "listing.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int fail(const char *format, ...)
{
    char text[2 * SERVICE_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut at worst */
    va_end(arguments);
    (void)fputs("feedgate: ", stderr); /* there is no one left to tell if this fails */
    (void)print_visibly(stderr, text);
    (void)fputc('\n', stderr);
    return EXIT_FAILURE;
}

int fail_store(const struct call *call, enum store_result result)
{
    const char *path = call->service.config->store.database;
    if (result == STORE_BUSY)
        return fail("%s: others hold the database; please try again", path);
    return fail("%s: the database failed", path);
}

int end_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return fail("standard output: %s", strerror(errno));
}
