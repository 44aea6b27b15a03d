/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_PRODUCT_LEDGER_H
#define FEEDGATE_SANDBOX_PRODUCT_LEDGER_H

#include <cjson/cJSON.h>
#include <stdbool.h>

/*
 * What the product remembers for a person: the bank accounts that are connected,
 * and what happened lately. May be used by several threads at once.
 *
 * A bank account is {"id","externalId","accountName","bankIdentifier",
 * "branchIdentifier","accountIdentifier","startDate"}, all texts; those that
 * nobody told are left out.
 */

enum { LEDGER_ACCOUNTS_MAX = 500, LEDGER_NOTES_MAX = 20 };

struct ledger;
struct ledger *ledger_new(void);
void ledger_free(struct ledger *ledger);

/* Takes the account over, and drops the oldest one if there are too many. */
void ledger_add(struct ledger *ledger, cJSON *account);

/* All accounts, the account with this id of Sage's: the caller's, or NULL. */
cJSON *ledger_accounts(struct ledger *ledger);
cJSON *ledger_find(struct ledger *ledger, const char *id);

/* False if it isn't there. */
bool ledger_remove(struct ledger *ledger, const char *id);

/* True if an account with the same bankIdentifier and accountIdentifier is connected. */
bool ledger_has(struct ledger *ledger, const cJSON *candidate);

/* Notes "what", or "what: whom", at the current time. */
void ledger_note(struct ledger *ledger, const char *what, const char *whom);

/* The notes as {"at","what"}, the newest first; the caller's, or NULL. */
cJSON *ledger_notes(struct ledger *ledger);

/* A text member; "" if there is none. Borrowed from the object. */
const char *member_text(const cJSON *object, const char *name);

#endif
