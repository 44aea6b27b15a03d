/* SPDX-License-Identifier: MIT */
#include "patch_body.h"

#include "base/cleanup.h"

#include <stdbool.h>
#include <string.h>

enum { MEMBERS_MAX = 5 };

/* The members that an object may have, each once; the list ends with NULL. */
static const char *const document_members[MEMBERS_MAX + 1] = {"data", NULL};
static const char *const data_members[MEMBERS_MAX + 1] = {"status", "bankAccounts", NULL};
static const char *const account_members[MEMBERS_MAX + 1] = {
    "bankAccountExternalId", "accountName",       "bankIdentifier",
    "branchIdentifier",      "accountIdentifier", NULL};

static bool has_only(const cJSON *object, const char *const names[MEMBERS_MAX + 1])
{
    bool seen[MEMBERS_MAX] = {false};
    const cJSON *member = NULL;
    cJSON_ArrayForEach(member, object)
    {
        size_t i = 0;
        while (names[i] != NULL && strcmp(names[i], member->string) != 0)
            i++;
        if (names[i] == NULL || seen[i])
            return false;
        seen[i] = true;
    }
    return cJSON_IsObject(object);
}

/* cJSON takes control characters in strings, and cuts a string at \u0000. */
static bool has_plain_strings(const char *json, size_t size)
{
    bool inside = false;
    for (size_t i = 0; i < size; i++) {
        unsigned char byte = (unsigned char)json[i];
        bool space = byte == '\t' || byte == '\n' || byte == '\r';
        if (byte < ' ' && (inside || !space))
            return false;
        if (byte == '"')
            inside = !inside;
        if (!inside || byte != '\\')
            continue;
        if (size - i > 5 && memcmp(json + i + 1, "u0000", 5) == 0)
            return false;
        i++; /* what is escaped ends no string */
    }
    return true;
}

static cJSON *parse(const char *body, size_t size)
{
    const char *end = NULL;
    if (!text_is_utf8(body, size) || !has_plain_strings(body, size))
        return NULL;
    cJSON *document = cJSON_ParseWithLengthOpts(body, size, &end, false);
    if (document != NULL && end + strspn(end, " \t\r\n") == body + size)
        return document;
    cJSON_Delete(document);
    return NULL;
}

static const char *check_account(const cJSON *account)
{
    if (!has_only(account, account_members))
        return "an account has another member than the five, or one twice";
    for (size_t i = 0; account_members[i] != NULL; i++) {
        const cJSON *member = cJSON_GetObjectItemCaseSensitive(account, account_members[i]);
        if (!cJSON_IsString(member) || member->valuestring[0] == '\0')
            return "an account lacks one of the five members, or it is no text, or an empty one";
    }
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(account, "bankAccountExternalId");
    return strlen(id->valuestring) < EXTERNAL_ID_SIZE
               ? NULL
               : "a bankAccountExternalId is longer than 256 bytes";
}

static bool is_listed_before(const cJSON *accounts, const cJSON *account)
{
    const cJSON *id = cJSON_GetObjectItemCaseSensitive(account, "bankAccountExternalId");
    const cJSON *other = NULL;
    cJSON_ArrayForEach(other, accounts)
    {
        if (other == account)
            return false;
        const cJSON *known = cJSON_GetObjectItemCaseSensitive(other, "bankAccountExternalId");
        if (strcmp(known->valuestring, id->valuestring) == 0)
            return true;
    }
    return false;
}

static const char *check_accounts(const cJSON *accounts)
{
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
    {
        const char *fault = check_account(account);
        if (fault != NULL)
            return fault;
        if (is_listed_before(accounts, account))
            return "a bankAccountExternalId comes twice";
    }
    return NULL;
}

static const char *check_success(const cJSON *accounts, enum flow flow)
{
    int count = cJSON_GetArraySize(accounts);
    if (accounts != NULL && !cJSON_IsArray(accounts))
        return "data.bankAccounts is no array";
    if (flow == FLOW_REFRESH)
        return count == 0 ? NULL : "a re-authorisation lists no accounts";
    return count == 0 ? "an onboarding lists one account at least" : check_accounts(accounts);
}

const char *patch_body_check(const char *body, size_t size, enum flow flow, enum outcome *outcome)
{
    _cleanup_(cleanup_json) cJSON *document = parse(body, size);
    if (document == NULL)
        return "the body is no strict JSON document";
    if (!has_only(document, document_members))
        return "the body is no object with the one member data";
    const cJSON *data = cJSON_GetObjectItemCaseSensitive(document, "data");
    if (!has_only(data, data_members))
        return "data is no object with status and, perhaps, bankAccounts";
    const cJSON *status = cJSON_GetObjectItemCaseSensitive(data, "status");
    const cJSON *accounts = cJSON_GetObjectItemCaseSensitive(data, "bankAccounts");
    if (!cJSON_IsString(status))
        return "data.status is missing or no text";
    if (strcmp(status->valuestring, "success") == 0) {
        *outcome = OUTCOME_SUCCESS;
        return check_success(accounts, flow);
    }
    if (strcmp(status->valuestring, "cancelled") == 0)
        *outcome = OUTCOME_CANCELLED;
    else if (strcmp(status->valuestring, "error") == 0)
        *outcome = OUTCOME_ERROR;
    else
        return "data.status is none of success, cancelled and error";
    return accounts == NULL ? NULL : "only success may have bankAccounts";
}
