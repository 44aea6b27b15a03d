/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_SAGE_SAGE_ID_H
#define FEEDGATE_SANDBOX_SAGE_SAGE_ID_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/*
 * The stand-in for Sage ID: signing keys, and tokens with the claims of
 * Auth0's default profile. All of it may be used by several threads at once.
 */

enum { KID_SIZE = 33, TOKEN_LIFETIME_SECONDS = 28800 };

enum token_kind {
    TOKEN_GOOD,
    TOKEN_FORGED, /* signed by a key outside the key set, with the current kid */
    TOKEN_EXPIRED,
    TOKEN_WRONG_AUDIENCE,
    TOKEN_WRONG_ISSUER,
    TOKEN_NO_SCOPE
};

/* Who may ask the token endpoint for a token, and what scope it gets. */
struct sage_client {
    const char *id;
    const char *secret;
    const char *scope; /* NULL: a token without scope */
};

/* Ends with an entry whose id is NULL. */
extern const struct sage_client sage_clients[];

/* The client with this id and secret, or NULL. */
const struct sage_client *sage_client_find(const char *id, const char *secret);

struct sage_id;

/* Makes the first signing key; NULL if that fails. The strings must outlive it. */
struct sage_id *sage_id_new(const char *issuer, const char *audience);
void sage_id_free(struct sage_id *sage_id);

const char *sage_id_audience(const struct sage_id *sage_id);

/*
 * Makes a new signing key. The one before stays in the key set until the next
 * rotation. Writes the new kid; false if no key could be made.
 */
bool sage_id_rotate(struct sage_id *sage_id, char kid[KID_SIZE]);

/* The key set as a JSON document of the caller's, or NULL. */
cJSON *sage_id_key_set(struct sage_id *sage_id);

/*
 * A token of the caller's, or NULL. scope: NULL for none. The client is the one
 * that has this scope, else "provider".
 */
char *sage_id_make_token(struct sage_id *sage_id, enum token_kind kind, const char *scope);

/*
 * NULL if the token is one of ours, for our audience, not expired, and was issued
 * to this client; else what is wrong with it.
 */
const char *sage_id_check_token(struct sage_id *sage_id, const char *token, const char *client);

#endif
