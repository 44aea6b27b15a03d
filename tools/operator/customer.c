/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "records/account.h"
#include "records/code.h"
#include "records/consent.h"
#include "records/outbox.h"
#include "records/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static int fail_unknown(const struct call *call)
{
    return fail("there is no customer \"%s\"; see feedgate accounts", call->customer);
}

int issue_code(struct call *call)
{
    struct code code;
    if (!operator_open(call))
        return EXIT_FAILURE;
    struct service *service = &call->service;
    enum refusal refusal = code_issue(service->store, service->codes, call->customer,
                                      clock_now(&service->clock), &code);
    switch (refusal) {
    case REFUSAL_NONE:
        (void)printf("%s\n", code.text); /* whether it was written is asked at the end */
        return EXIT_SUCCESS;
    case REFUSAL_CUSTOMER_UNKNOWN:
        return fail_unknown(call);
    case REFUSAL_STORE_BUSY:
        return fail_store(call, STORE_BUSY);
    case REFUSAL_STORE_FAILED:
        return fail_store(call, STORE_FAILED);
    default:
        return fail("no code can be made: OpenSSL failed");
    }
}

/* What a customer's going takes along. */
struct removal {
    const char *customer_id;
    bool known;
    struct outbox_forgotten results;
    int64_t sessions;
    int64_t consents;
    int64_t codes;
    struct account_forgotten accounts;
};

/* In one transaction, so that nobody is forgotten by half. */
static bool forget(struct database *database, void *context)
{
    struct removal *removal = context;
    const char *id = removal->customer_id;
    if (!account_customer_known(database, id, &removal->known))
        return false;
    return !removal->known || (outbox_forget(database, id, &removal->results) &&
                               session_forget_customer(database, id, &removal->sessions) &&
                               consent_forget(database, id, &removal->consents) &&
                               code_forget(database, id, &removal->codes) &&
                               account_forget(database, id, &removal->accounts));
}

static void print_removal(const struct removal *removal)
{
    (void)printf("removed: customers 1, accounts %" PRId64 ", links %" PRId64 ", codes %" PRId64
                 ", consents %" PRId64 "\n"
                 "without the customer now: sessions %" PRId64 ", results %" PRId64 "\n",
                 removal->accounts.accounts, removal->accounts.links, removal->codes,
                 removal->consents, removal->sessions, removal->results.emptied);
    if (removal->results.waiting > 0)
        (void)printf("results still on their way to Sage, emptied once they are settled: %" PRId64
                     "\n",
                     removal->results.waiting);
}

int forget_customer(struct call *call)
{
    if (!operator_open(call))
        return EXIT_FAILURE;
    struct removal removal = {.customer_id = call->customer};
    enum store_result result = store_write(call->service.store, forget, &removal);
    if (result != STORE_DONE)
        return fail_store(call, result);
    if (!removal.known)
        return fail_unknown(call);
    print_removal(&removal);
    return EXIT_SUCCESS;
}
