/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_LOCAL_KEY_H
#define FEEDGATE_LOCAL_KEY_H

#include "base/digest.h"

/*
 * The key under which one-time codes are hashed, in the file `DATABASE.key`
 * beside the database. A code has 40 bits, so a plain hash of one could be
 * found by trying all; without this key a copy of the database tells none.
 * Nothing is lost with the file but the codes of the last minutes.
 */
struct local_key;

enum { LOCAL_KEY_ERROR_MAX = 512 };

/*
 * Looks at the key of the database at this path, or makes it, 32 random bytes in
 * a file of mode 0640, when there is none yet (one of mode 0660, as version 0.1.0
 * made at first, is lowered by its owner); of processes that make it at
 * the same moment all get the same one. NULL and one line in `error` when that
 * fails, and when the file is a link, is open to others, or isn't a key.
 */
struct local_key *local_key_open(const char *database, char error[LOCAL_KEY_ERROR_MAX]);

/* Gives it back; NULL is allowed. */
void local_key_close(struct local_key *key);

/*
 * The keyed hash (HMAC-SHA256) in hexadecimal. The file is read each time, so
 * that all processes use one key also when somebody replaced it; false, and a
 * line in the log, when it can't be used, or when OpenSSL fails.
 */
bool local_key_hash(const struct local_key *key, const void *bytes, size_t length,
                    char hash[DIGEST_TEXT]);

/*
 * A key for another purpose, which `label` names: HMAC-SHA-256 of the label,
 * good for nothing else. The file beside the database is only read, never
 * made. False and one line in `error` when it can't be; logs nothing.
 */
bool local_key_derive(const char *database, const char *label, unsigned char derived[DIGEST_BYTES],
                      char error[LOCAL_KEY_ERROR_MAX]);

#endif
