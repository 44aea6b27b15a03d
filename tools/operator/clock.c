/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include "listing.h"
#include "sage/issuer_time.h"
#include "service/mend.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

/* As `addresses refresh` has it. */
enum { EXIT_WOULD_CHANGE = 3 };

void clock_ask(struct call *call, struct clock_finding *finding)
{
    struct service *service = &call->service;
    *finding = (struct clock_finding){.judgement = CLOCK_UNKNOWN};
    if (!issuer_time_ask(service->config, NULL, &finding->issuer_ms, finding->error))
        return;
    finding->boot_ms = clock_boot(&service->clock);
    finding->off_ms = clock_now(&service->clock) - finding->issuer_ms;
    bool right = finding->off_ms <= CLOCK_DOUBT_MS && finding->off_ms >= -CLOCK_DOUBT_MS;
    finding->judgement = right ? CLOCK_RIGHT : CLOCK_WRONG;
}

int fail_clock(const struct call *call, const struct clock_finding *finding, const char *so)
{
    int64_t off_s = finding->off_ms / SECOND_MS;
    if (finding->judgement == CLOCK_UNKNOWN)
        return fail("%s: whether this machine's clock is right, %s couldn't be asked: %s", so,
                    call->service.config->sage.jwks_url, finding->error);
    return fail("%s: this machine's clock is %" PRId64 " s %s the issuer's: set it right", so,
                off_s > 0 ? off_s : -off_s, off_s > 0 ? "ahead of" : "behind");
}

static bool list_counts(const struct call *call, const struct mending *mending, bool *any)
{
    static const struct column columns[] = {
        {.name = "table"},
        {.name = "rows", .kind = COLUMN_NUMBER},
    };
    struct listing listing;
    listing_begin(&listing, columns, sizeof columns / sizeof columns[0], call->json);
    *any = false;
    for (size_t i = 0; i < MEND_TABLES; i++) {
        char number[24];
        (void)snprintf(number, sizeof number, "%" PRId64, mending->changed[i]);
        const char *const values[] = {mend_tables[i].table, number};
        listing_add(&listing, values);
        *any = *any || mending->changed[i] > 0;
    }
    return listing_end(&listing);
}

int mend_clock(struct call *call)
{
    struct clock_finding finding;
    bool any;
    if (!operator_open_as(call, call->dry_run ? STORE_OPERATOR : STORE_ALONE))
        return EXIT_FAILURE;
    clock_ask(call, &finding);
    if (finding.judgement == CLOCK_WRONG)
        return fail_clock(call, &finding, "nothing is mended");
    struct mending mending = {
        .clock = &call->service.clock,
        .confirmed = finding.judgement == CLOCK_RIGHT,
        .dry_run = call->dry_run,
    };
    enum store_result result = store_write(call->service.store, mend_all, &mending);
    if (result != STORE_DONE && !(call->dry_run && mending.counted))
        return fail_store(call, result);
    if (!list_counts(call, &mending, &any))
        return fail("the list can't be printed");
    return any && call->dry_run ? EXIT_WOULD_CHANGE : EXIT_SUCCESS;
}
