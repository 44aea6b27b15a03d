/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "base/cleanup.h"
#include "records/account_import.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { READ_AT_FIRST = 64 * 1024, READ_MOST = ACCOUNT_IMPORT_BYTES_MAX + 1 };

static void close_unless_standard(const int *descriptor)
{
    if (*descriptor != STDIN_FILENO)
        cleanup_close(descriptor);
}

/* Makes room behind `length` bytes, for one byte more than may be read at most. */
static bool make_room(char **bytes, size_t *capacity, size_t length)
{
    if (length < *capacity)
        return true;
    size_t larger = 2 * *capacity < READ_MOST ? 2 * *capacity : READ_MOST;
    char *grown = realloc(*bytes, larger);
    if (!grown)
        return false;
    *bytes = grown;
    *capacity = larger;
    return true;
}

/* All that can be read, or one byte more than the limit; NULL with errno on failure. */
static char *read_all(int descriptor, size_t *length)
{
    size_t capacity = READ_AT_FIRST;
    char *bytes = malloc(capacity);
    *length = 0;
    while (bytes && *length < READ_MOST && make_room(&bytes, &capacity, *length)) {
        ssize_t count = read(descriptor, bytes + *length, capacity - *length);
        if (count == 0)
            return bytes;
        if (count < 0 && errno != EINTR)
            break;
        *length += count > 0 ? (size_t)count : 0;
    }
    if (bytes && *length == READ_MOST)
        return bytes;
    free(bytes);
    return NULL;
}

static char *read_file(const char *path, size_t *length)
{
    bool standard = strcmp(path, "-") == 0;
    _cleanup_(close_unless_standard) int descriptor =
        standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    return descriptor < 0 ? NULL : read_all(descriptor, length);
}

static int import_file(struct call *call, const char *bytes, size_t length, const char *name)
{
    char error[ACCOUNT_ERROR_MAX];
    struct account_import *file = account_import_parse(bytes, length, error);
    if (!file)
        return fail("%s: %s", name, error);
    struct account_import_counts counts;
    enum store_result result = account_import_store(
        call->service.store, file, clock_now(&call->service.clock), &counts, error);
    account_import_free(file);
    if (error[0] != '\0')
        return fail("%s: %s", name, error);
    if (result != STORE_DONE)
        return fail_store(call, result);
    (void)printf("stored: customers %zu, accounts %zu; in the database now: accounts %zu, linked "
                 "%zu\n",
                 counts.customers, counts.accounts, counts.known, counts.linked);
    return EXIT_SUCCESS;
}

int import_accounts(struct call *call)
{
    const char *name = strcmp(call->argument, "-") == 0 ? "standard input" : call->argument;
    size_t length = 0;
    /* Before the database is opened, since its owner may not be allowed to read the file. */
    _cleanup_(cleanup_free) char *bytes = read_file(call->argument, &length);
    if (!bytes)
        return fail("%s: %s", name, strerror(errno));
    if (!operator_open(call))
        return EXIT_FAILURE;
    return import_file(call, bytes, length, name);
}
