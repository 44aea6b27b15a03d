/* SPDX-License-Identifier: MIT */

/*
 * GET /auth: the customer comes from Sage to connect a bank. Only for an
 * authorisation that a notification announced, once, within its lifetime. What
 * follows, up to the way back to Sage, is the journey (common/journey/journey.h); or the
 * provider's own application has it, and this endpoint is the gate in front.
 */
#include "journey/authorizer.h"
#include "journey/journey.h"
#include "service/service.h"
#include "web/process.h"

static const struct parameter auth_parameters[] = {
    {"authorisation_id", PARAMETER_UUID, REQUIRED},
    {"bank", PARAMETER_UUID, REQUIRED},
    {"redirect_uri", PARAMETER_REDIRECT_URI, REQUIRED},
    {"state", PARAMETER_UUID, REQUIRED},
    {.name = NULL},
};

static const struct endpoint auth = {
    .name = "auth",
    .refusals = REPLY_PAGE,
    .parts = SERVICE_PAGES | SERVICE_CODES | SERVICE_REPORTS,
    .secrets = SECRETS_PROVIDER_API,
    .flow = FLOW_AUTHORISATION,
    .get =
        {
            .guards = {guard_no_prefetch},
            .parameters = auth_parameters,
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
            .parameters = auth_parameters,
            .handle = authorizer_pass_session,
        },
};

int main(int argc, char **argv)
{
    return process_main(&auth, argc, argv);
}
