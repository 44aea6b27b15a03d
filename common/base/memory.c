/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include "cleanup.h"

#include <cjson/cJSON.h>
#include <dlfcn.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum { STACK_USED_MAX = 64 * 1024, TEXT_ROOM = 16 * 1024 };

bool memory_close(void)
{
    const struct rlimit none = {.rlim_cur = 0, .rlim_max = 0};
    return prctl(PR_SET_DUMPABLE, 0) == 0 && setrlimit(RLIMIT_CORE, &none) == 0;
}

void memory_free(void *bytes)
{
    cleanup_free(&bytes);
}

/*
 * libjwt is made on jansson, whose header isn't needed to build with libjwt, and
 * has no such function of its own before 1.12.
 */
static void wipe_freed_by_jansson(void)
{
    void (*set)(void *(*take)(size_t), void (*give_back)(void *)) = NULL;
    *(void **)&set = dlsym(RTLD_DEFAULT, "json_set_alloc_funcs"); /* as POSIX has it */
    if (set)
        set(malloc, memory_free);
}

void memory_wipe_freed(void)
{
    cJSON_Hooks hooks = {.malloc_fn = malloc, .free_fn = memory_free};
    cJSON_InitHooks(&hooks);
    wipe_freed_by_jansson();
}

void memory_wipe_text(char *text)
{
    if (text)
        OPENSSL_cleanse(text, strlen(text));
}

static bool make_room(struct memory_text *text, size_t size)
{
    size_t wanted = text->room > 0 ? text->room : TEXT_ROOM;
    while (wanted < size)
        wanted *= 2;
    if (wanted == text->room)
        return true;
    char *bytes = malloc(wanted);
    if (!bytes)
        return false;
    if (text->bytes)
        memcpy(bytes, text->bytes, text->length);
    memory_free(text->bytes);
    text->bytes = bytes;
    text->room = wanted;
    return true;
}

static ssize_t add_bytes(void *context, const char *bytes, size_t length)
{
    struct memory_text *text = context;
    if (!make_room(text, text->length + length + 1))
        return 0; /* which makes the stream fail */
    memcpy(text->bytes + text->length, bytes, length);
    text->length += length;
    text->bytes[text->length] = '\0';
    return (ssize_t)length;
}

FILE *memory_text_open(struct memory_text *text)
{
    FILE *stream = fopencookie(text, "w", (cookie_io_functions_t){.write = add_bytes});
    if (!stream)
        return NULL;
    if (setvbuf(stream, text->pending, _IOFBF, sizeof text->pending) == 0)
        return stream;
    (void)fclose(stream); /* nothing was written to it */
    return NULL;
}

void memory_text_clear(struct memory_text *text)
{
    memory_free(text->bytes);
    OPENSSL_cleanse(text, sizeof *text);
}

__attribute__((noinline)) void memory_wipe_stack(void)
{
    char used[STACK_USED_MAX];
    explicit_bzero(used, sizeof used); /* done with each request, and far quicker on so much */
}
