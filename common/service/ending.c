/* SPDX-License-Identifier: MIT */
#include "ending.h"

#include "base/cleanup.h"
#include "base/log.h"
#include "records/outbox.h"
#include "records/session.h"
#include "records/session_journey.h"
#include "redirect_uri.h"

bool ending_record(struct database *database, const struct config *config,
                   struct session_journey *session, const struct session_end *end,
                   const struct report *report, int64_t now)
{
    /* It was looked at in this transaction: not to be taken now would be a contradiction. */
    if (session_end(database, end) != STEP_TAKEN)
        return false;
    _cleanup_(cleanup_free) char *body = report_body(report, config, session->flow, end->ending);
    const struct delivery delivery = {
        .key = &session->key,
        .authorisation_id = session->authorisation_id,
        .ending = end->ending,
        .body = body,
        .now = now,
        .session_left_ms = session->expires_at - end->now,
    };
    if (!body || !outbox_put(database, &delivery))
        return false;
    session->ending = end->ending;
    return true;
}

void ending_log(const struct session_journey *session, const char *reason)
{
    log_event(LOG_LEVEL_INFO, "journey_ended", {"session", session->key.log_id},
              {"flow", flow_word(session->flow)}, {"result", ending_word(session->ending)},
              {"reason", reason});
}

void ending_tell_sage(struct service *service, const struct session_key *key)
{
    if (atomic_fetch_add(&service->reporting, 1) < service->reporting_max)
        (void)outbox_deliver_now(service->store, service->provider_api, &service->clock, key);
    (void)atomic_fetch_sub(&service->reporting, 1);
}

char *ending_way_back(const struct session_journey *session)
{
    return redirect_uri_with_state(session->redirect_uri, session->state);
}
