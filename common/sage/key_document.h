/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_KEY_DOCUMENT_H
#define FEEDGATE_KEY_DOCUMENT_H

#include <openssl/evp.h>
#include <stddef.h>

/*
 * The JSON Web Key Set of an issuer (RFC 7517), read into keys that are ready
 * to verify with.
 */

enum { KEY_ID_SIZE = 129, KEYS_MAX = 32, KEY_DOCUMENT_MAX = 256 * 1024 };

struct verification_key {
    char id[KEY_ID_SIZE]; /* the `kid` */
    EVP_PKEY *key;
};

struct key_list {
    size_t count;
    struct verification_key keys[KEYS_MAX];
};

/*
 * Reads the keys that RS256 may be verified with: RSA (RFC 7518 section 6.3)
 * of 2,048 to 8,192 bits, odd public exponent of at least 3, `use` sig or
 * absent, `alg` RS256 or absent, `key_ops` with verify or absent, a `kid` that
 * no key before it has. Others, and any beyond KEYS_MAX, are left out and logged.
 *
 * Returns how many there are; 0 also when the document isn't a strict JSON key
 * set. `list` must be given back with key_list_clear().
 */
size_t key_document_read(const char *document, size_t length, struct key_list *list);

/* The key of that id; NULL if there is none. Borrowed from the list. */
EVP_PKEY *key_list_find(const struct key_list *list, const char *id);

/* Gives the keys back and leaves an empty list; a zeroed list is allowed. */
void key_list_clear(struct key_list *list);

#endif
