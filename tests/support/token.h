/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_TOKEN_H
#define FEEDGATE_TEST_TOKEN_H

#include <stddef.h>
#include <stdint.h>

/*
 * Access tokens, good ones and all kinds of bad ones. TOKEN() is one that the
 * server in use accepts at both endpoints; every member can be told to be
 * something else: TOKEN(.aud = "\"other\""). Members are raw JSON; NULL is
 * the usual value, OMIT leaves the member out.
 */
enum signature {
    SIGNATURE_RS256,
    SIGNATURE_RS384,
    SIGNATURE_PS256,
    SIGNATURE_ES256,        /* by the key "curve" */
    SIGNATURE_HS256_PUBLIC, /* the public key's PEM as the secret */
    SIGNATURE_PADDING_ONLY, /* what a key with the exponent 1 verifies */
    SIGNATURE_EMPTY,
};

enum damage {
    DAMAGE_NONE,
    DAMAGE_SIGNATURE_BYTE,       /* one byte is another */
    DAMAGE_SIGNATURE_SHORT,      /* the last byte is missing */
    DAMAGE_SIGNATURE_PADDED,     /* `=` behind it */
    DAMAGE_SIGNATURE_STRAY_BITS, /* decodes to the same bytes by lenient decoders */
    DAMAGE_SIGNATURE_ALPHABET,   /* + and / in place of - and _ */
    DAMAGE_SIGNATURE_MISSING,    /* two segments */
    DAMAGE_EXTRA_SEGMENT,
    DAMAGE_CLAIMS_EXCHANGED, /* other claims than those that were signed */
    DAMAGE_HEADER_PADDED,    /* these three are signed as they are */
    DAMAGE_CLAIMS_PADDED,
    DAMAGE_CLAIMS_STRAY_BITS,
};

struct token {
    char usual;      /* so that an initialiser may be empty otherwise */
    const char *key; /* the name of the signing key; NULL: "first" */
    enum signature signature;
    enum damage damage;

    const char *header; /* the whole header, in place of the members below */
    const char *alg, *typ, *kid;
    const char *more_header; /* further members: "\"crit\":[]" */

    const char *claims;   /* all claims, in place of the members below */
    size_t claims_length; /* 0: up to the NUL */
    const char *iss, *aud, *sub, *azp, *iat, *nbf, *exp, *scope;
    const char *more_claims;

    size_t length; /* filled up to this length in all; 0: as it comes */
};
const char *token_make(const struct token *token);

#define TOKEN(...) token_make(&(struct token){.usual = 0, __VA_ARGS__})

/* A time as raw JSON: the server's now and so many seconds. */
const char *in_seconds(int64_t seconds);

#endif
