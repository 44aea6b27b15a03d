/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_REPORT_H
#define FEEDGATE_REPORT_H

#include "config/config.h"
#include "records/account.h"
#include "records/session.h"

#include <cjson/cJSON.h>

/*
 * What Sage is told at a journey's end: the body of PATCH
 * /v1/authorisations/{authorisationId} (Sage, Authorisations).
 */

struct report {
    cJSON *accounts;     /* the array `bankAccounts` */
    cJSON *external_ids; /* of them: an array of strings */
    bool failed;         /* memory is out */
};

/* Begins an empty report; report_clear() gives it back, whatever happened. */
void report_begin(struct report *report);
void report_clear(struct report *report);

/* Adds an account; `context` is the struct report, so that this may be shown a list of accounts. */
void report_add_account(const struct account *account, void *context);

/* Whether there is no account in it. */
bool report_is_empty(const struct report *report);

/*
 * The body, owned by the caller; NULL when memory is out. Success has
 * `bankAccounts` after an authorisation; after a re-authorisation as
 * `[provider_api] reauthorisation_accounts` says, since Sage's pages disagree.
 * The words of the other endings are configured too: Sage documents none.
 */
char *report_body(const struct report *report, const struct config *config, enum flow flow,
                  enum ending ending);

/* The externalIds of the accounts in it as a JSON array, owned by the caller; NULL as above. */
char *report_external_ids(const struct report *report);

#endif
