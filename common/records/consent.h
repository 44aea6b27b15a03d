/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CONSENT_H
#define FEEDGATE_CONSENT_H

#include "session_journey.h"

/*
 * What customers agreed to, when, and in which words, for the day when
 * somebody asks. Owns the table consent; rows stay until their customer is
 * forgotten.
 */

/* What the customer read: the version of the texts, and their language. */
struct consent_wording {
    const char *version;
    const char *language;
};

/*
 * Records that the session's customer agreed to the accounts of `external_ids`
 * (a JSON array), as a part of the caller's transaction; false on failure.
 */
bool consent_record(struct database *database, const struct session_journey *session,
                    const char *external_ids, const struct consent_wording *wording, int64_t now);

/* Removes what a customer agreed to, as a part of the caller's transaction; false on failure. */
bool consent_forget(struct database *database, const char *customer_id, int64_t *removed);

/* Brings down what is later than `now`, for `feedgate clock mend` (mend.h). */
bool consent_mend(struct database *database, int64_t now, int64_t *changed);

#endif
