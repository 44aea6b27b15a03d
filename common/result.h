/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_RESULT_H
#define FEEDGATE_RESULT_H

#include "account.h"
#include "digest.h"
#include "refusal.h"
#include "session.h"

#include <cjson/cJSON.h>

/*
 * What the provider's own application hands in at the end of a journey:
 *
 *     {"authorisationId": "11111111-2222-4333-8444-555555555555",
 *      "status": "success", "bankAccounts": [
 *        {"bankAccountExternalId": "a7Qk...", "accountName": "Current ****0042",
 *         "bankIdentifier": "000001", "branchIdentifier": "main",
 *         "accountIdentifier": "00420007"}]}
 *
 * `status` is success, cancelled or error, and only success has accounts: in
 * the words of Sage's PATCH (Sage, Authorisations), and by the rules of the
 * account import. Other members are errors.
 */

enum { RESULT_ACCOUNTS_MAX = 200, RESULT_DETAIL_SIZE = 200 };

struct result {
    cJSON *document; /* owns all texts */
    const char *authorisation_id;
    enum ending ending;
    size_t account_count;
    struct account accounts[RESULT_ACCOUNTS_MAX]; /* without a type, which the PATCH doesn't have */
};

/*
 * Reads `length` bytes of strict JSON (json.h) and checks all of it, also that
 * no account is there twice. On REFUSAL_NONE the result has to be given back
 * with result_clear(); otherwise it is BODY_MALFORMED, or RESULT_MALFORMED and
 * `detail` names the member and what is wrong, without quotes and backslashes.
 */
enum refusal result_read(const char *bytes, size_t length, struct result *result,
                         char detail[RESULT_DETAIL_SIZE]);

/* Gives it back; a zeroed struct is allowed. */
void result_clear(struct result *result);

/*
 * The digest of what the result says, however its JSON was written: neither
 * white space, nor the order of members, nor that of accounts changes it.
 * False when memory is out or OpenSSL fails.
 */
bool result_digest(const struct result *result, char digest[DIGEST_TEXT]);

#endif
