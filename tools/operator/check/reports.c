/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/fetch.h"
#include "records/outbox.h"

#include <inttypes.h>
#include <stdio.h>

enum { SEEN_WITHIN_MS = 5 * 60 * 1000 };

/* A token is fetched now, and kept for all: that shows whether Sage knows us. */
static void probe(struct check *check)
{
    struct service *service = &check->call->service;
    struct api_answer answer = {.text = "out of memory"};
    struct provider_api *api = provider_api_open(service->store, &service->clock, service->config);
    char advice[CHECK_ADVICE_MAX];
    /* What goes wrong is said once, as an item. */
    log_open("feedgate", LOG_TO_STDERR, LOG_LEVEL_NONE);
    bool had = api && fetch_init() && provider_api_probe(api, &answer);
    log_open("feedgate", LOG_TO_STDERR, LOG_LEVEL_ERROR);
    provider_api_close(api);
    if (had)
        check_report(check, CHECK_OK, "provider api", "provider_api", "client_id",
                     "%s gives %s a token, for %s", service->config->sage.token_url,
                     service->config->provider_api.client_id,
                     service->config->sage.provider_api_url);
    else
        check_report(
            check, CHECK_FAIL, "provider api", "provider_api", "client_id",
            "%s: %s; %swithout a token no result reaches Sage", service->config->sage.token_url,
            answer.text,
            check_advise_reach(check, service->config->sage.token_url, answer.text, advice));
}

void check_provider_api(struct check *check)
{
    if (!check->call->service.config->provider_api.client_id)
        check_report(check, CHECK_WARN, "provider api", "provider_api", "client_id",
                     "results can't be reported to Sage: give client_id, client_secret_file and "
                     "api_key_file");
    else if (!check->opened)
        check_report(check, CHECK_WARN, "provider api", "provider_api", "client_id",
                     "not tried, since there is no database to keep the token in");
    else
        probe(check);
}

struct outbox_summary {
    int64_t now;
    int64_t seen_at;
    struct outbox_counts counts;
};

static bool read_outbox(struct database *database, void *context)
{
    struct outbox_summary *summary = context;
    return outbox_deliverer_seen(database, &summary->seen_at) &&
           outbox_count(database, summary->now - DAY_MS, &summary->counts);
}

static void check_seen(struct check *check, const struct outbox_summary *summary)
{
    static const char advice[] = "run `feedgate deliver` as a service, or `feedgate deliver "
                                 "--once` by a timer each minute";
    if (summary->seen_at == 0)
        check_report(check, CHECK_WARN, "deliverer", NULL, NULL,
                     "never seen, so a result that Sage doesn't take at once is lost: %s", advice);
    else if (summary->seen_at > summary->now + CLOCK_DOUBT_MS)
        check_report(check, CHECK_WARN, "deliverer", NULL, NULL,
                     "last seen by a clock that was ahead, so nobody knows when: %s", advice);
    else if (summary->now - summary->seen_at > SEEN_WITHIN_MS)
        check_report(check, CHECK_WARN, "deliverer", NULL, NULL,
                     "last seen %" PRId64 " minutes ago: %s",
                     (summary->now - summary->seen_at) / MINUTE_MS, advice);
    else
        check_report(check, CHECK_OK, "deliverer", NULL, NULL, "seen %" PRId64 " s ago",
                     (summary->now - summary->seen_at) / SECOND_MS);
}

static void check_counts(struct check *check, const struct outbox_counts *counts)
{
    check_report(check, counts->failed > 0 ? CHECK_WARN : CHECK_OK, "deliveries", NULL, NULL,
                 "waiting %" PRId64 ", failed within a day %" PRId64 "%s", counts->waiting,
                 counts->failed, counts->failed > 0 ? ": see `feedgate deliveries`" : "");
}

void check_deliverer(struct check *check)
{
    if (!check->opened)
        return;
    struct outbox_summary summary = {.now = clock_now(&check->call->service.clock)};
    if (store_read(check->call->service.store, read_outbox, &summary) != STORE_DONE) {
        check_report(check, CHECK_FAIL, "deliverer", NULL, NULL, "the database can't be read");
        return;
    }
    check_seen(check, &summary);
    check_counts(check, &summary.counts);
}
