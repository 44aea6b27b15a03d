/* SPDX-License-Identifier: MIT */
#include "steps.h"

#include "base/cleanup.h"
#include "base/refusal.h"
#include "ending.h"
#include "records/code.h"
#include "records/session.h"
#include "records/session_clock.h"
#include "records/session_journey.h"
#include "service.h"
#include "store/store.h"

#include <string.h>

/* What the transaction of a step works on. */
struct step_work {
    struct service *service;
    const struct step_request *request; /* NULL for an abandoned journey */
    struct progress *progress;
    enum refusal refusal;
    const char *ended; /* the reason, when this very step ended the journey */
    bool abandoned;    /* there is a journey that nobody has gone on with */
    char proof_hash[DIGEST_TEXT];
    char code_hash[DIGEST_TEXT]; /* "" when what was typed can't be a code */
    char continuation_hash[DIGEST_TEXT];
    const struct consent_wording *wording;
};

/* Finds the session; its refusal says why the step can't be taken, or that it needn't be. */
static bool find(struct database *database, struct step_work *work)
{
    const struct step_request *request = work->request;
    struct session_journey *session = &work->progress->session;
    enum session_found found = session_find(database, request->proof, work->proof_hash, session);
    if (found == SESSION_NOT_READ)
        return false;
    if (found == SESSION_NOT_FOUND || session->flow != request->flow) {
        *session = (struct session_journey){.expires_at = 0};
        work->refusal =
            request->proof == PROOF_TICKET ? REFUSAL_TICKET_UNKNOWN : REFUSAL_CONTINUATION_UNKNOWN;
    } else if (session->ending == ENDING_NONE && session_is_over(session, request->session_now)) {
        work->refusal = REFUSAL_JOURNEY_EXPIRED;
    }
    return true;
}

/* Whether there is a step to be taken at all. */
static bool goes_on(const struct step_work *work)
{
    return work->refusal == REFUSAL_NONE && work->progress->session.ending == ENDING_NONE;
}

/* Ends the journey, and puts what Sage is told into the outbox. */
static bool end(struct database *database, struct step_work *work, enum ending ending,
                const char *reason, const struct report *report)
{
    struct session_journey *session = &work->progress->session;
    const struct session_end step = {
        .key = &session->key,
        .proof_hash = work->proof_hash,
        .ending = ending,
        .reason = reason,
        .now = work->request->session_now,
    };
    if (!ending_record(database, work->service->config, session, &step, report, work->request->now))
        return false;
    work->ended = reason;
    return true;
}

static bool end_without_accounts(struct database *database, struct step_work *work,
                                 enum ending ending, const char *reason)
{
    _cleanup_(report_clear) struct report report;
    report_begin(&report);
    return end(database, work, ending, reason, &report);
}

/* Sage hears of an error; the customer hears why. */
static bool fail(struct database *database, struct step_work *work, enum refusal refusal)
{
    work->refusal = refusal;
    return end_without_accounts(database, work, ENDING_ERROR, refusal_word(refusal));
}

static bool read_session(struct database *database, void *context)
{
    return find(database, context);
}

static bool count_wrong_code(struct database *database, struct step_work *work)
{
    int64_t count = 0;
    work->refusal = REFUSAL_CODE_WRONG;
    if (session_count_wrong_code(database, work->proof_hash, work->request->session_now, &count) !=
        STEP_TAKEN)
        return false;
    work->progress->tries_left = CODE_WRONG_MAX - count;
    return count < CODE_WRONG_MAX || fail(database, work, REFUSAL_CODES_EXHAUSTED);
}

/* "Bind externalId to the customer who logs in": nobody may renew another's connection. */
static bool check_owner(struct database *database, struct step_work *work, bool *owned)
{
    const struct session_journey *session = &work->progress->session;
    *owned = true;
    return session->flow == FLOW_AUTHORISATION ||
           account_is_of(database, session->external_id, session->customer_id, owned);
}

/* The code has told who the customer is. */
static bool accept_code(struct database *database, struct step_work *work)
{
    struct session_journey *session = &work->progress->session;
    const struct session_verification verification = {
        .ticket_hash = work->proof_hash,
        .customer_id = session->customer_id,
        .code_hash = work->code_hash,
        .continuation_hash = work->continuation_hash,
        .now = work->request->session_now,
    };
    bool owned;
    if (!check_owner(database, work, &owned))
        return false;
    if (!owned)
        return fail(database, work, REFUSAL_ACCOUNT_OF_ANOTHER);
    return session_verify(database, &verification) == STEP_TAKEN;
}

/* A repeat gets the same. */
static bool make_continuation(struct step_work *work)
{
    struct progress *progress = work->progress;
    return code_continuation(work->service->codes, progress->session.key.key,
                             progress->continuation) &&
           digest_text(progress->continuation, strlen(progress->continuation),
                       work->continuation_hash);
}

/*
 * A code after the accepted one, from a customer who went Back: only another
 * of the same customer leads on, and a stranger's isn't used up.
 */
static bool try_further_code(struct database *database, struct step_work *work)
{
    const struct session_journey *session = &work->progress->session;
    char customer_id[CUSTOMER_ID_SIZE];
    if (strcmp(session->code_hash, work->code_hash) == 0) /* the step was taken already */
        return true;
    if (!code_use(database, work->code_hash, session->customer_id, work->request->now, customer_id))
        return false;
    if (customer_id[0] == '\0')
        return count_wrong_code(database, work);
    return session_replace_code(database, work->proof_hash, work->code_hash,
                                work->request->session_now) == STEP_TAKEN;
}

static bool try_code(struct database *database, void *context)
{
    struct step_work *work = context;
    struct session_journey *session = &work->progress->session;
    if (!find(database, work))
        return false;
    if (!goes_on(work))
        return true;
    if (work->code_hash[0] == '\0')
        return count_wrong_code(database, work);
    if (!make_continuation(work))
        return false;
    if (session->code_hash[0] != '\0')
        return try_further_code(database, work);
    if (!code_use(database, work->code_hash, NULL, work->request->now, session->customer_id))
        return false;
    return session->customer_id[0] != '\0' ? accept_code(database, work)
                                           : count_wrong_code(database, work);
}

static bool record_consent(struct database *database, const struct step_work *work,
                           const struct report *report)
{
    _cleanup_(cleanup_free) char *external_ids = report_external_ids(report);
    return external_ids && consent_record(database, &work->progress->session, external_ids,
                                          work->wording, work->request->now);
}

static bool succeed(struct database *database, struct step_work *work)
{
    _cleanup_(report_clear) struct report report;
    report_begin(&report);
    if (!account_list_of(database, work->progress->session.customer_id, report_add_account,
                         &report))
        return false;
    if (report_is_empty(&report))
        return fail(database, work, REFUSAL_CUSTOMER_GONE);
    return record_consent(database, work, &report) &&
           end(database, work, ENDING_SUCCESS, "confirmed", &report);
}

static bool confirm(struct database *database, void *context)
{
    struct step_work *work = context;
    bool owned;
    if (!find(database, work))
        return false;
    if (!goes_on(work))
        return true;
    if (work->progress->session.customer_id[0] == '\0') /* forgotten meanwhile */
        return fail(database, work, REFUSAL_CUSTOMER_GONE);
    if (!check_owner(database, work, &owned))
        return false;
    return owned ? succeed(database, work) : fail(database, work, REFUSAL_ACCOUNT_OF_ANOTHER);
}

static bool cancel(struct database *database, void *context)
{
    struct step_work *work = context;
    if (!find(database, work))
        return false;
    return !goes_on(work) ||
           end_without_accounts(database, work, ENDING_CANCELLED, "customer_cancelled");
}

/* Long enough before the end that Sage still takes the result. */
static bool find_abandoned(struct database *database, struct step_work *work, bool *found)
{
    const struct config *config = work->service->config;
    int64_t before = config->journey.cancel_abandoned_ms;
    if (before > config->session.lifetime_ms / 2)
        before = config->session.lifetime_ms / 2;
    enum session_found result = session_find_abandoned(database, work->request->session_now, before,
                                                       &work->progress->session);
    *found = result == SESSION_FOUND;
    return result != SESSION_NOT_READ;
}

static bool look_for_abandoned(struct database *database, void *context)
{
    struct step_work *work = context;
    return find_abandoned(database, work, &work->abandoned);
}

/* Looks once more: another process may have been quicker, or the customer. */
static bool cancel_abandoned(struct database *database, void *context)
{
    struct step_work *work = context;
    if (!find_abandoned(database, work, &work->abandoned))
        return false;
    if (!work->abandoned)
        return true;
    memcpy(work->proof_hash, work->progress->session.ticket_hash, sizeof work->proof_hash);
    return end_without_accounts(database, work, ENDING_CANCELLED, "abandoned");
}

/* Looks at the session, without the lock; the refusal says why there is no step to take. */
static enum refusal look_at_session(struct step_work *work)
{
    const char *secret = work->request->secret;
    memset(work->progress, 0, sizeof *work->progress);
    if (!digest_text(secret, strlen(secret), work->proof_hash))
        return REFUSAL_INTERNAL;
    enum store_result result = store_read(work->service->store, read_session, work);
    return store_refusal(result, work->refusal);
}

static enum refusal write_step(struct step_work *work, store_piece *piece)
{
    enum store_result result = store_write(work->service->store, piece, work);
    if (result == STORE_DONE && work->ended)
        ending_log(&work->progress->session, work->ended);
    return store_refusal(result, work->refusal);
}

/* Strangers with invented secrets, and repeats, needn't wait for the lock. */
static enum refusal take_step(struct step_work *work, store_piece *piece)
{
    enum refusal refusal = look_at_session(work);
    return refusal == REFUSAL_NONE && goes_on(work) ? write_step(work, piece) : refusal;
}

enum refusal step_read(struct service *service, const struct step_request *request,
                       struct progress *progress)
{
    struct step_work work = {.service = service, .request = request, .progress = progress};
    return look_at_session(&work);
}

enum refusal step_try_code(struct service *service, const struct step_request *request,
                           const char *typed, struct progress *progress)
{
    struct step_work work = {.service = service, .request = request, .progress = progress};
    if (!code_read(service->codes, typed, work.code_hash)) {
        memset(progress, 0, sizeof *progress);
        return REFUSAL_INTERNAL;
    }
    return take_step(&work, try_code);
}

enum refusal step_confirm(struct service *service, const struct step_request *request,
                          const struct consent_wording *wording, struct progress *progress)
{
    struct step_work work = {
        .service = service, .request = request, .progress = progress, .wording = wording};
    return take_step(&work, confirm);
}

enum refusal step_cancel(struct service *service, const struct step_request *request,
                         struct progress *progress)
{
    struct step_work work = {.service = service, .request = request, .progress = progress};
    return take_step(&work, cancel);
}

enum refusal step_cancel_abandoned(struct service *service, bool *found)
{
    struct session_instant instant;
    enum store_result result = session_clock_now(service->session_clock, &instant);
    enum refusal refusal = store_refusal(result, REFUSAL_NONE);
    const struct step_request request = {
        .proof = PROOF_TICKET, .now = clock_now(&service->clock), .session_now = instant.now};
    struct progress progress = {.tries_left = 0};
    struct step_work work = {.service = service, .request = &request, .progress = &progress};
    *found = false;
    if (refusal != REFUSAL_NONE || service->config->journey.cancel_abandoned_ms == 0)
        return refusal;
    /* Mostly there is none, and then nobody need wait for the lock. */
    result = store_read(service->store, look_for_abandoned, &work);
    refusal = store_refusal(result, REFUSAL_NONE);
    if (refusal == REFUSAL_NONE && work.abandoned)
        refusal = write_step(&work, cancel_abandoned);
    *found = work.abandoned;
    return refusal;
}
