/* SPDX-License-Identifier: MIT */
#include "log_file.h"

#include "expect.h"
#include "scratch.h"
#include "server.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

size_t log_mark(void)
{
    struct stat status;
    EXPECT(stat(server_path("log"), &status) == 0, "%s", "there is no log");
    return (size_t)status.st_size;
}

const char *log_since(size_t mark)
{
    size_t end = log_mark();
    int descriptor = open(server_path("log"), O_RDONLY | O_CLOEXEC);
    EXPECT(descriptor >= 0, "%s", "the log can't be read");
    char *text = scratch_take(end - mark + 1);
    ssize_t length = pread(descriptor, text, end - mark, (off_t)mark);
    (void)close(descriptor);
    text[length > 0 ? length : 0] = '\0';
    return text;
}

/* Whether the line is JSON that has all members of the list. */
static bool line_has(const char *line, size_t length, va_list members)
{
    cJSON *object = cJSON_ParseWithLength(line, length);
    if (object == NULL) /* something else's line: lighttpd, a sanitiser */
        return false;
    bool has = true;
    for (const char *name; has && (name = va_arg(members, const char *)) != NULL;) {
        const char *wanted = va_arg(members, const char *);
        const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(object, name));
        has = text != NULL && strcmp(text, wanted) == 0;
    }
    cJSON_Delete(object);
    return has;
}

size_t log_count(size_t mark, ...)
{
    const void *scratch = scratch_mark();
    size_t count = 0;
    const char *line = log_since(mark);
    for (const char *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        va_list members;
        va_start(members, mark);
        if (line_has(line, (size_t)(end - line), members))
            count++;
        va_end(members);
    }
    scratch_release_to(scratch);
    return count;
}
