/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CLEANUP_H
#define FEEDGATE_CLEANUP_H

#include <cjson/cJSON.h>
#include <malloc.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <unistd.h>

/*
 * Attributes that give what a function owns back when it leaves, so that
 * every way out is the same: `_cleanup_(cleanup_free) char *name = NULL;`.
 */
#define _cleanup_(function) __attribute__((cleanup(function)))

/* Wiped too: what a function made may be what only its client should know. */
static inline void cleanup_free(void *pointer)
{
    void *bytes = *(void **)pointer;
    if (bytes)
        OPENSSL_cleanse(bytes, malloc_usable_size(bytes));
    free(bytes);
}

static inline void cleanup_close(const int *descriptor)
{
    if (*descriptor >= 0)
        (void)close(*descriptor); /* nothing was written that close could lose */
}

static inline void cleanup_json(cJSON **document)
{
    cJSON_Delete(*document);
}

static inline void cleanup_public_key(EVP_PKEY **key)
{
    EVP_PKEY_free(*key);
}

static inline void cleanup_digest_context(EVP_MD_CTX **context)
{
    EVP_MD_CTX_free(*context);
}

#endif
