/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include "base/cleanup.h"
#include "sandbox/http/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct ledger {
    pthread_mutex_t mutex; /* for all below */
    cJSON *accounts;       /* an array, the oldest first */
    cJSON *notes;          /* an array, the newest first */
};

struct ledger *ledger_new(void)
{
    struct ledger *ledger = calloc(1, sizeof(*ledger));
    if (ledger == NULL)
        return NULL;
    (void)pthread_mutex_init(&ledger->mutex, NULL); /* can't fail without attributes on Linux */
    ledger->accounts = cJSON_CreateArray();
    ledger->notes = cJSON_CreateArray();
    if (ledger->accounts != NULL && ledger->notes != NULL)
        return ledger;
    ledger_free(ledger);
    return NULL;
}

void ledger_free(struct ledger *ledger)
{
    if (ledger == NULL)
        return;
    cJSON_Delete(ledger->accounts);
    cJSON_Delete(ledger->notes);
    (void)pthread_mutex_destroy(&ledger->mutex);
    free(ledger);
}

static void lock(struct ledger *ledger)
{
    (void)pthread_mutex_lock(&ledger->mutex);
}

static void unlock(struct ledger *ledger)
{
    (void)pthread_mutex_unlock(&ledger->mutex);
}

const char *member_text(const cJSON *object, const char *name)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) ? member->valuestring : "";
}

static cJSON *find(const cJSON *accounts, const char *id)
{
    cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
    {
        if (strcmp(member_text(account, "id"), id) == 0)
            return account;
    }
    return NULL;
}

void ledger_add(struct ledger *ledger, cJSON *account)
{
    lock(ledger);
    if (!cJSON_AddItemToArray(ledger->accounts, account))
        cJSON_Delete(account);
    if (cJSON_GetArraySize(ledger->accounts) > LEDGER_ACCOUNTS_MAX)
        cJSON_DeleteItemFromArray(ledger->accounts, 0);
    unlock(ledger);
}

cJSON *ledger_accounts(struct ledger *ledger)
{
    lock(ledger);
    cJSON *copy = cJSON_Duplicate(ledger->accounts, true);
    unlock(ledger);
    return copy;
}

cJSON *ledger_find(struct ledger *ledger, const char *id)
{
    lock(ledger);
    cJSON *copy = cJSON_Duplicate(find(ledger->accounts, id), true);
    unlock(ledger);
    return copy;
}

bool ledger_remove(struct ledger *ledger, const char *id)
{
    lock(ledger);
    cJSON *found = cJSON_DetachItemViaPointer(ledger->accounts, find(ledger->accounts, id));
    unlock(ledger);
    cJSON_Delete(found);
    return found != NULL;
}

bool ledger_has(struct ledger *ledger, const cJSON *candidate)
{
    const char *bank = member_text(candidate, "bankIdentifier");
    const char *number = member_text(candidate, "accountIdentifier");
    bool has = false;
    lock(ledger);
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, ledger->accounts)
    {
        if (strcmp(member_text(account, "bankIdentifier"), bank) == 0 &&
            strcmp(member_text(account, "accountIdentifier"), number) == 0)
            has = true;
    }
    unlock(ledger);
    return has;
}

static cJSON *make_note(const char *what, const char *whom)
{
    char at[16] = "";
    time_t now = time(NULL);
    struct tm utc;
    if (gmtime_r(&now, &utc) != NULL && strftime(at, sizeof(at), "%H:%M:%S", &utc) == 0)
        at[0] = '\0';
    _cleanup_(text_clear) struct text text = {0};
    text_append_string(&text, what);
    text_append_string(&text, whom == NULL ? "" : ": ");
    text_append_string(&text, whom == NULL ? "" : whom);
    _cleanup_(cleanup_json) cJSON *note = cJSON_CreateObject();
    if (text.failed || cJSON_AddStringToObject(note, "at", at) == NULL ||
        cJSON_AddStringToObject(note, "what", text.bytes) == NULL)
        return NULL;
    cJSON *done = note;
    note = NULL;
    return done;
}

void ledger_note(struct ledger *ledger, const char *what, const char *whom)
{
    cJSON *note = make_note(what, whom);
    if (note == NULL)
        return;
    lock(ledger);
    if (!cJSON_InsertItemInArray(ledger->notes, 0, note))
        cJSON_Delete(note);
    if (cJSON_GetArraySize(ledger->notes) > LEDGER_NOTES_MAX)
        cJSON_DeleteItemFromArray(ledger->notes, LEDGER_NOTES_MAX);
    unlock(ledger);
}

cJSON *ledger_notes(struct ledger *ledger)
{
    lock(ledger);
    cJSON *copy = cJSON_Duplicate(ledger->notes, true);
    unlock(ledger);
    return copy;
}
