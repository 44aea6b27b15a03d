/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_COMPLETION_BODY_H
#define FEEDGATE_COMPLETION_BODY_H

#include "base/digest.h"
#include "base/refusal.h"
#include "records/account.h"
#include "records/session.h"

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

enum { COMPLETION_BODY_ACCOUNTS_MAX = 200, COMPLETION_BODY_DETAIL_SIZE = 200 };

struct completion_body {
    cJSON *document; /* owns all texts */
    const char *authorisation_id;
    enum ending ending;
    size_t account_count;
    struct account
        accounts[COMPLETION_BODY_ACCOUNTS_MAX]; /* without a type, which the PATCH doesn't have */
};

/*
 * Reads `length` bytes of strict JSON (json.h) and checks all of it, also that
 * no account is there twice. On REFUSAL_NONE the result has to be given back
 * with completion_body_clear(); otherwise it is BODY_MALFORMED, or RESULT_MALFORMED and
 * `detail` names the member and what is wrong, without quotes and backslashes.
 */
enum refusal completion_body_read(const char *bytes, size_t length, struct completion_body *body,
                                  char detail[COMPLETION_BODY_DETAIL_SIZE]);

/* Gives it back; a zeroed struct is allowed. */
void completion_body_clear(struct completion_body *body);

/*
 * The digest of what the result says, however its JSON was written: neither
 * white space, nor the order of members, nor that of accounts changes it.
 * False when memory is out or OpenSSL fails.
 */
bool completion_body_digest(const struct completion_body *body, char digest[DIGEST_TEXT]);

#endif
