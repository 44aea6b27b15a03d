/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_PROOF_H
#define FEEDGATE_OPERATOR_PROOF_H

#include "store/local_key.h"

#include <stdint.h>

/*
 * `feedgate check` looks through the web server: it sends requests that are
 * refused, and asks with a header of its own why. Clients never learn that, so
 * the header is a proof of the key beside the database:
 *
 *     Feedgate-Explain: EXPIRY.MAC
 *
 * EXPIRY in seconds since 1970, at most OPERATOR_PROOF_LIFETIME_S ahead, and MAC the
 * HMAC-SHA-256 of the endpoint's name and EXPIRY, in hexadecimal, by a key that
 * is derived for this alone. The answer to a refused request then says
 * `Feedgate-Refusal: WORD`, as the log does; nothing else is different.
 */

#define OPERATOR_PROOF_REQUEST "Feedgate-Explain"
#define OPERATOR_PROOF_VARIABLE "HTTP_FEEDGATE_EXPLAIN"
#define OPERATOR_PROOF_ANSWER "Feedgate-Refusal"

enum { OPERATOR_PROOF_LIFETIME_S = 120, OPERATOR_PROOF_SIZE = 96 };

/*
 * The header's value for a request to this endpoint, good from now
 * (milliseconds) for half of the lifetime. False and one line in `error` when
 * the key can't be read.
 */
bool operator_proof_make(const char *database, const char *endpoint, int64_t now,
                         char value[OPERATOR_PROOF_SIZE], char error[LOCAL_KEY_ERROR_MAX]);

/* Whether the value (NULL: none) is such a proof, now and for this endpoint. Logs nothing. */
bool operator_proof_verify(const char *database, const char *endpoint, int64_t now,
                           const char *value);

#endif
