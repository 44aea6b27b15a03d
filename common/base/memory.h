/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_MEMORY_H
#define FEEDGATE_MEMORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/*
 * What stands in a process's memory is nobody else's, and no longer there than it
 * is needed: keys, tokens, codes, and the identifiers that open a session.
 */

/*
 * From now on no other process of the same user may look into this one, and it
 * leaves no core. To be called before the first secret is read, and again after
 * a change of user, which undoes it. False, and errno, when that fails.
 */
bool memory_close(void);

/*
 * Lets the libraries that read what clients send (cJSON, and libjwt's jansson) wipe
 * what they give back. To be called before they are first used.
 */
void memory_wipe_freed(void);

/* Wipes and frees what malloc() gave; NULL is allowed. */
void memory_free(void *bytes);

/* Wipes a text up to its end; NULL is allowed. */
void memory_wipe_text(char *text);

/*
 * A text that is written through a stream and leaves no copy of itself behind as
 * it grows, which open_memstream() does. Zeroed, then memory_text_open(); its
 * bytes, with a NUL behind them, are there once the stream is closed.
 */
struct memory_text {
    char *bytes; /* NULL as long as nothing was written */
    size_t length;
    size_t room;
    char pending[4096]; /* the stream's own buffer */
};

/* The stream, to be closed before the text is used or cleared; NULL when memory is out. */
FILE *memory_text_open(struct memory_text *text);
void memory_text_clear(struct memory_text *text);

/*
 * Wipes what functions that have returned left on this thread's stack, libraries'
 * too: below the caller, as far as any request gets.
 */
void memory_wipe_stack(void);

#endif
