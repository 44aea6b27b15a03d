/* SPDX-License-Identifier: MIT */
#include "report.h"

#include "base/cleanup.h"

#include <string.h>

void report_begin(struct report *report)
{
    report->accounts = cJSON_CreateArray();
    report->external_ids = cJSON_CreateArray();
    report->failed = !report->accounts || !report->external_ids;
}

void report_clear(struct report *report)
{
    cJSON_Delete(report->accounts);
    cJSON_Delete(report->external_ids);
    *report = (struct report){0};
}

/* Adds an item to an array, which then owns it; false, and the item gone, when it can't. */
static bool add(cJSON *array, cJSON *item)
{
    if (item && cJSON_AddItemToArray(array, item))
        return true;
    cJSON_Delete(item);
    return false;
}

/* The account in the words of the PATCH; NULL when memory is out. */
static cJSON *make_account(const struct account *account)
{
    _cleanup_(cleanup_json) cJSON *object = cJSON_CreateObject();
    const struct {
        const char *name, *text;
    } members[] = {
        {"bankAccountExternalId", account->external_id},
        {"accountName", account->account_name},
        {"bankIdentifier", account->bank_identifier},
        {"branchIdentifier", account->branch_identifier},
        {"accountIdentifier", account->account_identifier},
    };
    if (!object)
        return NULL;
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++)
        if (members[i].text && !cJSON_AddStringToObject(object, members[i].name, members[i].text))
            return NULL;
    cJSON *made = object;
    object = NULL;
    return made;
}

void report_add_account(const struct account *account, void *context)
{
    struct report *report = context;
    report->failed = report->failed || !add(report->accounts, make_account(account)) ||
                     !add(report->external_ids, cJSON_CreateString(account->external_id));
}

static const char *status_word(const struct config *config, enum ending ending)
{
    switch (ending) {
    case ENDING_SUCCESS:
        return "success";
    case ENDING_CANCELLED:
        return config->provider_api.cancelled_status;
    case ENDING_ERROR:
        return config->provider_api.error_status;
    case ENDING_NONE:
        break;
    }
    return NULL;
}

static enum reauthorisation_accounts accounts_wanted(const struct config *config, enum flow flow,
                                                     enum ending ending)
{
    if (ending != ENDING_SUCCESS)
        return ACCOUNTS_OMITTED;
    return flow == FLOW_REAUTHORISATION ? config->provider_api.reauthorisation_accounts
                                        : ACCOUNTS_LISTED;
}

static bool add_accounts(const struct report *report, enum reauthorisation_accounts wanted,
                         cJSON *data)
{
    switch (wanted) {
    case ACCOUNTS_OMITTED:
        return true;
    case ACCOUNTS_EMPTY:
        return cJSON_AddArrayToObject(data, "bankAccounts") != NULL;
    case ACCOUNTS_LISTED:
        return cJSON_AddItemReferenceToObject(data, "bankAccounts", report->accounts);
    }
    return false;
}

bool report_is_empty(const struct report *report)
{
    return cJSON_GetArraySize(report->accounts) == 0 && !report->failed;
}

char *report_body(const struct report *report, const struct config *config, enum flow flow,
                  enum ending ending)
{
    const char *word = status_word(config, ending);
    _cleanup_(cleanup_json) cJSON *body = cJSON_CreateObject();
    cJSON *data = body ? cJSON_AddObjectToObject(body, "data") : NULL;
    if (report->failed || !word || !data || !cJSON_AddStringToObject(data, "status", word) ||
        !add_accounts(report, accounts_wanted(config, flow, ending), data))
        return NULL;
    return cJSON_PrintUnformatted(body);
}

char *report_external_ids(const struct report *report)
{
    return report->failed ? NULL : cJSON_PrintUnformatted(report->external_ids);
}
