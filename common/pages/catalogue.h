/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CATALOGUE_H
#define FEEDGATE_CATALOGUE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The texts of the pages in all languages. A catalogue file is a JSON object
 * of names and texts; `{{name}}` in a text stands for a value of the page.
 * English is the language of last resort: what another one lacks is English.
 */

struct catalogue;
struct language; /* the texts of one language */

enum {
    CATALOGUE_LANGUAGES_MAX = 32,
    CATALOGUE_TEXTS_MAX = 256, /* of a language */
    CATALOGUE_TEXT_MAX = 2048, /* bytes of one */
    CATALOGUE_NAME_SIZE = 48,
    CATALOGUE_TAG_SIZE = 16,
    CATALOGUE_ERROR_MAX = 512,
    WORDING_SIZE = 13,
};

/* NULL when memory is out. catalogue_free() gives it back; NULL is allowed there. */
struct catalogue *catalogue_new(void);
void catalogue_free(struct catalogue *catalogue);

/* Whether a word is a language's tag as far as files are named by it: "fr", "pt-BR". */
bool catalogue_is_tag(const char *tag, size_t length);

/*
 * Adds the texts of a file to those of its language, whose texts of the same
 * names they replace. False and "FILE:LINE: what is wrong" in `error`.
 */
bool catalogue_read(struct catalogue *catalogue, const char *tag, const char *file,
                    const char *bytes, size_t length, char error[CATALOGUE_ERROR_MAX]);

/* Adds an English text unless there is one of this name; false when memory or room is out. */
bool catalogue_add(struct catalogue *catalogue, const char *name, const char *text);

/*
 * Gives every language the English texts that it lacks; to be called once,
 * when all is read. False and an error as above when a language has a text
 * that English hasn't.
 */
bool catalogue_complete(struct catalogue *catalogue, char error[CATALOGUE_ERROR_MAX]);

/* What a text may name: `allowed` says it of a value's name. */
struct catalogue_use {
    bool (*allowed)(const char *name, const void *context);
    const void *context;
    const char *user; /* "code.html", for messages */
};

/*
 * Declares that the text `name` is used, and judges what it names in every
 * language. False and an error as above, or "" when there is no such text.
 */
bool catalogue_use_text(struct catalogue *catalogue, const char *name,
                        const struct catalogue_use *use, char error[CATALOGUE_ERROR_MAX]);

/* Takes the texts read by now for used: who replaces a template needn't mind what it leaves over.
 */
void catalogue_trust(struct catalogue *catalogue);

/* That no file has a text that nothing uses, whose name must be a mistake. Errors as above. */
bool catalogue_all_used(const struct catalogue *catalogue, char error[CATALOGUE_ERROR_MAX]);

/* Signs each language's wording, of which `digest` (of the templates) is a part too. */
bool catalogue_sign(struct catalogue *catalogue, const void *digest, size_t length);

/* The languages one by one, English first; NULL behind the last. */
const struct language *catalogue_language(const struct catalogue *catalogue, size_t index);

/* The texts of a language one by one, in the order of their names; false behind the last. */
bool language_entry(const struct language *language, size_t index, const char **name,
                    const char **text);

/*
 * The best language for an Accept-Language header (RFC 9110 section 12.5.4,
 * matched by RFC 4647's lookup: `fr-CH` finds `fr`; and `pt` finds `pt-BR`);
 * English for NULL, for nonsense and when nothing fits.
 */
const struct language *catalogue_best(const struct catalogue *catalogue,
                                      const char *accept_language);

/* Its tag ("en"). */
const char *language_tag(const struct language *language);

/* A text by its name: English where the language lacks it, NULL when none has it. */
const char *language_text(const struct language *language, const char *name);

/*
 * The version of the wording that a customer confirms in this language: the
 * first 12 hex digits of a SHA-256 over all templates and texts.
 */
const char *language_wording(const struct language *language);

/*
 * Finds the next `{{name}}` from `*text` on: true and its name; `*text` is then
 * behind it, and what stands before it is `length` bytes from where `*text`
 * was. Otherwise `length` is all that is left.
 */
bool text_next_value(const char **text, size_t *length, char name[CATALOGUE_NAME_SIZE]);

/* Whether these bytes are a name of a value or text: letters, digits and '_', not too many. */
bool name_is_valid(const char *bytes, size_t length);

#endif
