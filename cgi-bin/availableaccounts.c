/* SPDX-License-Identifier: MIT */

/*
 * GET /availableaccounts: all accounts of the customer who has this
 * externalId, for a customer who has a linked account. All providers share the
 * audience of Sage's tokens, so those who never connected aren't shown to
 * anybody. In front of an application of the provider's own, only Sage is let
 * through: whose accounts are shown is the application's to say then.
 */
#include "base/cleanup.h"
#include "journey/authorizer.h"
#include "records/account.h"
#include "service/service.h"
#include "web/process.h"

static const struct parameter availableaccounts_parameters[] = {
    {"externalId", PARAMETER_TEXT, REQUIRED},
    {.name = NULL},
};

struct answer {
    cJSON *accounts;
    bool failed;
};

static void add_account(const struct account *account, void *context)
{
    struct answer *answer = context;
    cJSON *item = cJSON_CreateObject();
    if (!cJSON_AddStringToObject(item, "accountType", account->account_type) ||
        !cJSON_AddStringToObject(item, "accountName", account->account_name) ||
        !cJSON_AddStringToObject(item, "externalId", account->external_id) ||
        !cJSON_AddStringToObject(item, "bankIdentifier", account->bank_identifier) ||
        !cJSON_AddStringToObject(item, "accountIdentifier", account->account_identifier) ||
        !cJSON_AddStringToObject(item, "branchIdentifier", account->branch_identifier) ||
        !cJSON_AddItemToArray(answer->accounts, item)) {
        cJSON_Delete(item);
        answer->failed = true;
    }
}

static enum refusal list_accounts(struct exchange *exchange)
{
    _cleanup_(cleanup_json) cJSON *accounts = cJSON_CreateArray();
    struct answer answer = {.accounts = accounts, .failed = !accounts};
    if (answer.failed)
        return REFUSAL_OUT_OF_MEMORY;
    const char *external_id = parameter_value(&exchange->parameters, "externalId");
    enum refusal refusal =
        account_list_for(exchange->service->store, external_id, add_account, &answer);
    if (refusal != REFUSAL_NONE)
        return refusal;
    if (answer.failed)
        return REFUSAL_OUT_OF_MEMORY;
    exchange_log(exchange, LOG_LEVEL_INFO, "accounts_listed", {"client", exchange->token.client});
    return reply_document(exchange, accounts);
}

static const struct endpoint availableaccounts = {
    .name = "availableaccounts",
    .refusals = REPLY_PROBLEM,
    .secrets = SECRETS_NOTIFICATION_IF_REQUIRED,
    .get =
        {
            .guards = {guard_sage_address, guard_key_header_if_required,
                       guard_availableaccounts_token},
            .parameters = availableaccounts_parameters,
            .handle = list_accounts,
        },
    .authorize =
        {
            .guards = {guard_sage_address, guard_key_header_if_required,
                       guard_availableaccounts_token},
            .parameters = availableaccounts_parameters,
            .handle = authorizer_pass_external_id,
        },
};

int main(int argc, char **argv)
{
    return process_main(&availableaccounts, argc, argv);
}
