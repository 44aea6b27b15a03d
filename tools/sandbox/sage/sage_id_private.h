/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_SAGE_SAGE_ID_PRIVATE_H
#define FEEDGATE_SANDBOX_SAGE_SAGE_ID_PRIVATE_H

#include "sage_id.h"

#include <openssl/evp.h>

/* What making and checking tokens share. */

struct signing_key {
    EVP_PKEY *key; /* NULL: there is none */
    char kid[KID_SIZE];
};

const char *sage_id_issuer(const struct sage_id *sage_id);

/* The key with this kid out of the key set, to be released; false if there is none. */
bool sage_id_take_key(struct sage_id *sage_id, const char *kid, struct signing_key *taken);
void signing_key_release(struct signing_key *taken);

#endif
