/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ACCOUNT_H
#define FEEDGATE_ACCOUNT_H

#include "base/refusal.h"
#include "store/store.h"

#include <stddef.h>

/*
 * The provider's customers, their accounts, and which of these Sage has
 * linked. Owns the tables customer, account and bank_account. An account is
 * linked while one of Sage's bank accounts stands for its `externalId`; a
 * bank account that was deleted never comes back (Sage, Offboarding), a
 * reconnected one has a new id.
 */

/* The provider's id of a customer and Sage's of an account have at most 256 bytes. */
enum { CUSTOMER_ID_SIZE = 257, EXTERNAL_ID_SIZE = 257 };

/* An account in Sage's words (Sage, Available accounts). All texts are borrowed. */
struct account {
    const char *external_id;
    const char *account_type;
    const char *account_name;
    const char *bank_identifier;
    const char *account_identifier;
    const char *branch_identifier;
};

/*
 * Shows all accounts of the customer who has the account `external_id`, in the
 * order of their names. REFUSAL_NONE when at least one of them is linked;
 * otherwise nothing is shown and ACCOUNT_UNKNOWN, ACCOUNT_NOT_LINKED,
 * STORE_BUSY or STORE_FAILED says why. When the database fails midway,
 * STORE_FAILED is returned after some were shown.
 */
enum refusal account_list_for(struct store *store, const char *external_id,
                              void (*show)(const struct account *account, void *context),
                              void *context);

/* Shows all accounts of a customer, in the order of their names; false on failure. */
bool account_list_of(struct database *database, const char *customer_id,
                     void (*show)(const struct account *account, void *context), void *context);

/* Whether the account is this customer's; false on failure. */
bool account_is_of(struct database *database, const char *external_id, const char *customer_id,
                   bool *owned);

/*
 * Sage linked a bank account of its own (`id`, in lower case) to an
 * externalId, or deleted it; parts of the caller's transaction. A deleted one
 * stays deleted, also when its creation is heard of later. `external_id` may
 * be NULL in account_unlink(). False on failure.
 */
bool account_link(struct database *database, const char *id, const char *external_id, int64_t now);
bool account_unlink(struct database *database, const char *id, const char *external_id,
                    int64_t now);

enum { ACCOUNT_ERROR_MAX = 512 };

/* What account_store() makes of an account. */
enum account_stored {
    ACCOUNT_STORED,
    ACCOUNT_OF_ANOTHER,      /* that externalId belongs to another customer */
    ACCOUNT_ID_WOULD_CHANGE, /* the same account has another externalId, which Sage may know */
    ACCOUNT_NOT_STORED,      /* the database failed */
};

/*
 * Adds a customer's account or brings it up to date; a part of the caller's
 * transaction. An account is known again by its externalId, or by its bank,
 * branch and account identifiers. When `account->external_id` is NULL the
 * account keeps the one it has, or gets a new unguessable one; `external_id`
 * receives the one in force.
 */
enum account_stored account_store(struct database *database, const char *customer_id,
                                  const struct account *account,
                                  char external_id[EXTERNAL_ID_SIZE]);

enum account_linked { ACCOUNT_LINKED, ACCOUNT_LINKED_ELSEWHERE, ACCOUNT_NOT_LINKED };

/*
 * Links an account of an import to Sage's `id` (in lower case), a part of the
 * caller's transaction; ACCOUNT_LINKED_ELSEWHERE when Sage has that id for
 * another account.
 */
enum account_linked account_adopt(struct database *database, const char *id,
                                  const char *external_id, int64_t now);

/* Whether there is a customer of this id; false on failure. A part of the caller's transaction. */
bool account_customer_known(struct database *database, const char *customer_id, bool *known);

struct account_forgotten {
    int64_t accounts, links; /* removed */
};

/*
 * Removes a customer (of whom nothing else may be left that names them by a
 * foreign key), their accounts and Sage's links to these, as a part of the
 * caller's transaction. False on failure.
 */
bool account_forget(struct database *database, const char *customer_id,
                    struct account_forgotten *forgotten);

/*
 * A row of all accounts, for people; texts are borrowed for the call. An
 * account that Sage has linked several times, for several of its users, has a
 * row for each.
 */
struct account_row {
    const char *customer_id;
    struct account account;
    bool linked;
    const char *bank_account_id; /* Sage's; NULL when it isn't linked */
};
bool account_list_all(struct database *database,
                      void (*show)(const struct account_row *row, void *context), void *context);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool account_mend(struct database *database, int64_t now, int64_t *changed);

#endif
