/* SPDX-License-Identifier: MIT */

/*
 * GET /authrefresh: the customer comes from Sage to renew the authorisation of
 * a bank account that is linked already. The same rules as at /auth, and the
 * same sessions: Sage's notification doesn't say which of the two it is for.
 */
#include "journey/authorizer.h"
#include "journey/journey.h"
#include "service/service.h"
#include "web/process.h"

static const struct parameter authrefresh_parameters[] = {
    {"authorisation_id", PARAMETER_UUID, REQUIRED},     {"bankaccount", PARAMETER_TEXT, REQUIRED},
    {"redirect_uri", PARAMETER_REDIRECT_URI, REQUIRED}, {"state", PARAMETER_UUID, REQUIRED},
    {"externalId", PARAMETER_TEXT, REQUIRED},           {.name = NULL},
};

static const struct endpoint authrefresh = {
    .name = "authrefresh",
    .refusals = REPLY_PAGE,
    .parts = SERVICE_PAGES | SERVICE_CODES | SERVICE_REPORTS,
    .secrets = SECRETS_PROVIDER_API,
    .flow = FLOW_REAUTHORISATION,
    .get =
        {
            .guards = {guard_no_prefetch},
            .parameters = authrefresh_parameters,
            .handle = journey_open,
        },
    .get_ticket =
        {
            .parameters = journey_ticket,
            .handle = journey_resume,
        },
    .post =
        {
            .body = {.limit = JOURNEY_FORM_MAX},
            .form = journey_form,
            .handle = journey_continue,
        },
    .authorize =
        {
            .guards = {guard_no_prefetch},
            .parameters = authrefresh_parameters,
            .handle = authorizer_pass_session,
        },
};

int main(int argc, char **argv)
{
    return process_main(&authrefresh, argc, argv);
}
