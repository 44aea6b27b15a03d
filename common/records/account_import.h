/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ACCOUNT_IMPORT_H
#define FEEDGATE_ACCOUNT_IMPORT_H

#include "account.h"

#include <stddef.h>
#include <stdint.h>

/*
 * The file in which a provider hands over its customers and their accounts:
 *
 *     {"customers": [{"id": "cust-0042", "accounts": [
 *       {"accountType": "business", "accountName": "Current ****0042",
 *        "bankIdentifier": "000001", "accountIdentifier": "00420007",
 *        "branchIdentifier": "main", "externalId": "a7Qk...",
 *        "bankAccountId": "11111111-2222-4333-8444-555555555555"}]}]}
 *
 * All members are required but `externalId` (without it one is made that can't
 * be guessed) and `bankAccountId` (Sage's id of an account that it has linked
 * already, a UUID). Others are errors. Texts have 1 to 256 bytes and no
 * control characters, an externalId only what a query of Sage's may carry.
 */

enum { ACCOUNT_IMPORT_BYTES_MAX = 64 * 1024 * 1024 };

/* A file that was read and found good; owns its texts. */
struct account_import;

/*
 * Reads `length` bytes of strict JSON (json.h) and checks all of it, also that
 * no customer, externalId, bankAccountId or account is there twice. Returns
 * NULL and in `error` one line that names the customer, the account and the
 * member, and what is wrong.
 */
struct account_import *account_import_parse(const char *bytes, size_t length,
                                            char error[ACCOUNT_ERROR_MAX]);

/* Gives it back; NULL is allowed. */
void account_import_free(struct account_import *import);

struct account_import_counts {
    size_t customers; /* of the file, without those that have no account */
    size_t accounts;  /* of the file */
    size_t known;     /* accounts in the store, after the import */
    size_t linked;    /* of these, linked by Sage */
};

/*
 * Stores all of it in one transaction, or nothing: STORE_FAILED with the line
 * in `error` when an account doesn't agree with what is there already, or with
 * an empty one when the database failed. What is stored already is brought up
 * to date; an account that the file lacks stays.
 */
enum store_result account_import_store(struct store *store, const struct account_import *import,
                                       int64_t now, struct account_import_counts *counts,
                                       char error[ACCOUNT_ERROR_MAX]);

#endif
