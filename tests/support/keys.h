/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_KEYS_H
#define FEEDGATE_TEST_KEYS_H

#include <openssl/evp.h>
#include <stddef.h>

/*
 * The keys that the tests sign with. Each has a name, which is its `kid` too
 * unless a test says otherwise, and is made when it is first asked for:
 * "weak" is RSA of 1,024 bits, "short" of 2,040, "curve" is P-256, any other
 * name is RSA of 2,048 bits. Borrowed; keys_clear() gives all back at the end.
 */
EVP_PKEY *signing_key(const char *name);
void keys_clear(void);

/* The key's public half in PEM. */
const char *public_pem(const char *name);

/* Unpadded base64url. */
const char *base64url(const void *bytes, size_t length);

/*
 * An entry of a key set. All but `key` are raw JSON ("\"sig\""); NULL is the
 * usual value, OMIT leaves the member out.
 */
struct jwk {
    const char *key; /* a name, as above */
    const char *kty, *kid, *use, *alg, *n, *e;
    const char *more; /* further members: "\"x\":1" */
};
const char *jwk_make(const struct jwk *jwk);
#define JWK(...) jwk_make(&(struct jwk){.key = __VA_ARGS__})

/* A key set of one, two, ... entries: KEY_SET(JWK("first"), JWK("second", .use = OMIT)). */
const char *key_set_make(const char *first, ...) __attribute__((sentinel));
#define KEY_SET(...) key_set_make(__VA_ARGS__, NULL)

/* A certificate for the DNS name or address, signed by itself; PEM. */
const char *self_signed_certificate(const char *key, const char *host);
const char *private_pem(const char *name);

#endif
