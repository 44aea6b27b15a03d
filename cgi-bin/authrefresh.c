/* SPDX-License-Identifier: MIT */

/*
 * GET /authrefresh: the customer comes from Sage to renew the authorisation of
 * a bank account that is linked already. The same rules as at /auth, and the
 * same sessions: Sage's notification doesn't say which of the two it is for.
 */
#include "gate.h"
#include "journey.h"
#include "process.h"

static const struct parameter authrefresh_parameters[] = {
    {"authorisation_id", PARAMETER_UUID, REQUIRED},     {"bankaccount", PARAMETER_TEXT, REQUIRED},
    {"redirect_uri", PARAMETER_REDIRECT_URI, REQUIRED}, {"state", PARAMETER_UUID, REQUIRED},
    {"externalId", PARAMETER_TEXT, REQUIRED},           {.name = NULL},
};

static enum refusal open_reauthorisation(struct exchange *exchange)
{
    return journey_open(exchange, FLOW_REAUTHORISATION);
}

static enum refusal resume_reauthorisation(struct exchange *exchange)
{
    return journey_resume(exchange, FLOW_REAUTHORISATION);
}

static enum refusal continue_reauthorisation(struct exchange *exchange)
{
    return journey_continue(exchange, FLOW_REAUTHORISATION);
}

static enum refusal pass_on_reauthorisation(struct exchange *exchange)
{
    return gate_pass_session(exchange, FLOW_REAUTHORISATION);
}

static const struct endpoint authrefresh = {
    .name = "authrefresh",
    .refusals = REPLY_PAGE,
    .parts = SERVICE_PAGES | SERVICE_CODES | SERVICE_REPORTS,
    .secrets = SECRETS_PROVIDER_API,
    .get =
        {
            .guards = {guard_no_prefetch},
            .parameters = authrefresh_parameters,
            .handle = open_reauthorisation,
        },
    .get_ticket =
        {
            .parameters = journey_ticket,
            .handle = resume_reauthorisation,
        },
    .post =
        {
            .body = {.limit = JOURNEY_FORM_MAX},
            .form = journey_form,
            .handle = continue_reauthorisation,
        },
    .authorize =
        {
            .guards = {guard_no_prefetch},
            .parameters = authrefresh_parameters,
            .handle = pass_on_reauthorisation,
        },
};

int main(int argc, char **argv)
{
    return process_main(&authrefresh, argc, argv);
}
