/* SPDX-License-Identifier: MIT */
#include "completion.h"

#include "base/cleanup.h"
#include "ending.h"
#include "records/session.h"
#include "records/session_journey.h"

#include <string.h>

struct completion {
    const struct config *config;
    const struct session_key *key;
    const struct completion_body *body;
    int64_t now; /* by the machine's clock */
    int64_t session_now;
    char digest[DIGEST_TEXT]; /* of the result */
    struct session_journey *session;
    enum refusal refusal;
    const char *detail;
    bool ended; /* by this very request */
};

static const char reason[] = "application";

/* What Sage is told of a success must name accounts, where the flow's report has them. */
static const char *missing_accounts(const struct completion *completion)
{
    const struct completion_body *body = completion->body;
    if (body->ending != ENDING_SUCCESS || body->account_count > 0)
        return NULL;
    if (completion->session->flow == FLOW_AUTHORISATION)
        return "bankAccounts must have at least one account";
    if (completion->config->provider_api.reauthorisation_accounts == ACCOUNTS_LISTED)
        return "bankAccounts must have at least one account, since reauthorisation_accounts = list";
    return NULL;
}

/* A journey that was told as cancelled since nobody went on may be handed in as cancelled, too. */
static bool is_same(const struct completion *completion)
{
    const struct session_journey *session = completion->session;
    return session->ending == completion->body->ending &&
           (session->ending != ENDING_SUCCESS ||
            strcmp(session->result_hash, completion->digest) == 0);
}

static enum refusal judge_session(struct completion *completion, enum session_found found)
{
    const struct session_journey *session = completion->session;
    if (found == SESSION_NOT_FOUND)
        return REFUSAL_RESULT_UNKNOWN;
    if (!session->opened)
        return REFUSAL_SESSION_NOT_OPEN;
    if (!session->passed_on)
        return REFUSAL_SESSION_NOT_PASSED_ON;
    completion->detail = missing_accounts(completion);
    if (completion->detail)
        return REFUSAL_RESULT_MALFORMED;
    if (session->ending != ENDING_NONE)
        return is_same(completion) ? REFUSAL_NONE : REFUSAL_RESULT_DIFFERS;
    return session_is_over(session, completion->session_now) ? REFUSAL_RESULT_TOO_LATE
                                                             : REFUSAL_NONE;
}

static bool read_session(struct database *database, void *context)
{
    struct completion *completion = context;
    enum session_found found = session_find_by_key(database, completion->key, completion->session);
    completion->refusal = judge_session(completion, found);
    return found != SESSION_NOT_READ;
}

static bool end_session(struct database *database, void *context)
{
    struct completion *completion = context;
    _cleanup_(report_clear) struct report report;
    const struct session_end end = {
        .key = completion->key,
        .ending = completion->body->ending,
        .reason = reason,
        .result_hash = completion->digest,
        .now = completion->session_now,
    };
    report_begin(&report);
    completion->ended = false;
    if (!read_session(database, completion))
        return false;
    if (completion->refusal != REFUSAL_NONE || completion->session->ending != ENDING_NONE)
        return true;
    for (size_t i = 0; i < completion->body->account_count; i++)
        report_add_account(&completion->body->accounts[i], &report);
    completion->ended = true;
    return ending_record(database, completion->config, completion->session, &end, &report,
                         completion->now);
}

enum refusal completion_take(struct service *service, const struct session_key *key,
                             const struct completion_body *body, int64_t now, int64_t session_now,
                             struct session_journey *session, const char **detail)
{
    struct completion completion = {
        .config = service->config,
        .key = key,
        .body = body,
        .now = now,
        .session_now = session_now,
        .session = session,
    };
    memset(session, 0, sizeof *session);
    *detail = NULL;
    if (!completion_body_digest(body, completion.digest))
        return REFUSAL_INTERNAL;
    /* What is refused, and repeats, needn't wait for the lock. */
    enum store_result stored = store_read(service->store, read_session, &completion);
    enum refusal refusal = store_refusal(stored, completion.refusal);
    if (refusal == REFUSAL_NONE && session->ending == ENDING_NONE) {
        stored = store_write(service->store, end_session, &completion);
        refusal = store_refusal(stored, completion.refusal);
    }
    *detail = completion.detail;
    if (refusal == REFUSAL_NONE && completion.ended)
        ending_log(session, reason);
    return refusal;
}
