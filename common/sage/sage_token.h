/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SAGE_TOKEN_H
#define FEEDGATE_SAGE_TOKEN_H

#include "base/refusal.h"
#include "key_document.h"
#include "key_set.h"

#include <stddef.h>
#include <stdint.h>

/*
 * Sage ID tokens: JSON Web Tokens signed with RS256 (RFC 7515, RFC 7519;
 * Sage, Securing connector API: verify issuer, audience, key set and scope).
 */

enum { SAGE_TOKEN_MAX = 4096, SAGE_CLIENT_SIZE = 257, SAGE_TOKEN_LEEWAY_MS = 30000 };

/* What a token must say. Texts are borrowed, for the life of the memory that is used with them. */
struct sage_token_rules {
    const char *issuer;   /* equal, byte by byte, with its trailing slash */
    const char *audience; /* equal, or one of the array */
    const char *scope;    /* one of the words */
    const char *client;   /* `azp`, `client_id` or `sub` must equal it; NULL: any client */
};

/* What a token said. */
struct sage_token {
    char client[SAGE_CLIENT_SIZE]; /* `azp`, else `client_id`, else `sub`; may be "" */
    int64_t expires_at;            /* milliseconds since 1970, without the leeway */
};

/*
 * The tokens that this process has verified, by SHA-256, each with the rules
 * that it met, so that it costs its signature once.
 */
struct token_memory;

/* Makes an empty memory of fixed size; NULL when memory is out. */
struct token_memory *token_memory_new(void);
void token_memory_free(struct token_memory *memory);

/*
 * Whether the token is good now (`now` in milliseconds since 1970): in this
 * order its strict form and header, its signature by a key of the set, and its
 * claims: issuer, audience, `exp` (required), `nbf` and `iat` within
 * SAGE_TOKEN_LEEWAY_MS, client, and last its scope (TOKEN_SCOPE is the only
 * refusal with 403: who calls is known then).
 *
 * `jku`, `x5u`, `jwk` and the like are ignored: keys come from the set alone.
 * `caller` decides what becomes of an unknown key (key_set.h). `verified` is
 * filled on REFUSAL_NONE and, as far as it was read, on TOKEN_CLIENT and
 * TOKEN_SCOPE.
 */
enum refusal sage_token_verify(const struct sage_token_rules *rules, struct key_set *keys,
                               struct token_memory *memory, enum caller caller, const char *token,
                               size_t length, int64_t now, struct sage_token *verified);

#endif
