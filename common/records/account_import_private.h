/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ACCOUNT_IMPORT_PRIVATE_H
#define FEEDGATE_ACCOUNT_IMPORT_PRIVATE_H

#include "account_import.h"

#include <cjson/cJSON.h>

/*
 * What the parts of the import share; nobody else includes it.
 *
 *     account_import.c        the document, member by member, and where in it something is wrong
 *     account_import_once.c   what must not be there twice
 *     account_import_store.c  into the database
 */

enum { IMPORT_UUID_SIZE = 37 };

struct import_account {
    struct account account;                 /* its texts are the document's */
    char bank_account_id[IMPORT_UUID_SIZE]; /* in lower case; "" when none is given */
};

struct import_customer {
    const char *id;
    size_t count;
    struct import_account *accounts; /* its part of all of them */
};

struct account_import {
    cJSON *document;
    size_t customer_count;
    struct import_customer *customers;
    size_t account_count;
    struct import_account *accounts; /* of all customers */
};

/* Where we are in the file, for messages; what isn't known yet is 0 or NULL. */
struct import_place {
    size_t customer; /* from 1; looked at when there is no id yet */
    const char *customer_id;
    size_t account; /* from 1 */
    const char *account_name;
    const char *member;
    char *error; /* ACCOUNT_ERROR_MAX bytes */
};

/* The place of a customer, or of one of its accounts, that was read already. */
struct import_place account_import_place(const struct import_customer *customer,
                                         const struct import_account *account, const char *member,
                                         char error[ACCOUNT_ERROR_MAX]);

/* Says in the place's error what is wrong there. Always false. */
bool account_import_refuse(const struct import_place *place, const char *complaint);

/* Whether each customer, externalId, bankAccountId and account is there once. */
bool account_import_nothing_twice(const struct account_import *import,
                                  char error[ACCOUNT_ERROR_MAX]);

#endif
