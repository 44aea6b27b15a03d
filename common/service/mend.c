/* SPDX-License-Identifier: MIT */
#include "mend.h"

#include "records/account.h"
#include "records/code.h"
#include "records/consent.h"
#include "records/inbox.h"
#include "records/outbox.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "sage/access_token.h"
#include "sage/key_set.h"
#include "store/migration.h"

#include <stddef.h>

/* A later time that processes went by may be in no session. */
static bool mend_sessions(struct database *database, int64_t now, int64_t *changed)
{
    bool later;
    return session_clock_was_later(database, now, &later) &&
           session_mend(database, now, later, changed);
}

/* The end of a token's life is the issuer's word; and a CLOCK_BOOTTIME is no time of day. */
const struct mend_table mend_tables[] = {
    {"authorisation_session", "notified_at expires_at opened_at verified_at ended_at",
     "token_expires_at", mend_sessions},
    {"event", "received_at", "token_expires_at", inbox_mend},
    {"one_time_code", "issued_at expires_at used_at", NULL, code_mend},
    {"delivery",
     "created_at give_up_at next_attempt_at leased_until attempted_at delivered_at failed_at", NULL,
     outbox_mend},
    {"deliverer", "seen_at", NULL, outbox_mend_deliverer},
    {"access_token", "expires_at fetched_at fetching_till", NULL, access_token_mend},
    {"key_set", "fetched_at attempted_at", NULL, key_set_mend},
    {"key_fetch", "begun_at", NULL, key_set_mend_fetches},
    {"bank_account", "linked_at unlinked_at", NULL, account_mend},
    {"consent", "given_at", NULL, consent_mend},
    {"session_clock", "floor_at newest_at issuer_at", "boot_at ask_at", session_clock_mend},
    {"session_purge", "token_expires_at", NULL, session_mend_purge},
    {"schema_migration", "applied_at", NULL, migration_mend},
    {NULL, NULL, NULL, NULL},
};
_Static_assert(sizeof mend_tables / sizeof mend_tables[0] == MEND_TABLES + 1, "a count each");

bool mend_all(struct database *database, void *context)
{
    struct mending *mending = context;
    /* An earlier look would take for the future what others wrote meanwhile. */
    int64_t now = clock_now(mending->clock) + mending->margin_ms;
    mending->counted = false;
    for (size_t i = 0; i < MEND_TABLES; i++) {
        mending->changed[i] = 0;
        /* By a wrong clock, what was purged could be armed, and opened, once more. */
        if (mend_tables[i].mend == session_mend_purge && !mending->confirmed)
            continue;
        if (!mend_tables[i].mend(database, now, &mending->changed[i]))
            return false;
    }
    mending->counted = true;
    return !mending->dry_run;
}
