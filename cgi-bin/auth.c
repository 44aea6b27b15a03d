/* SPDX-License-Identifier: MIT */

/*
 * GET /auth: the customer comes from Sage to connect a bank. Only for an
 * authorisation that a notification announced, once, within its lifetime.
 */
#include "journey.h"
#include "process.h"

static const struct parameter auth_parameters[] = {
    {"authorisation_id", PARAMETER_UUID, REQUIRED},
    {"bank", PARAMETER_UUID, REQUIRED},
    {"redirect_uri", PARAMETER_REDIRECT_URI, REQUIRED},
    {"state", PARAMETER_UUID, REQUIRED},
    {.name = NULL},
};

static enum refusal open_authorisation(struct exchange *exchange)
{
    return journey_open(exchange, FLOW_AUTHORISATION);
}

static const struct endpoint auth = {
    .name = "auth",
    .refusals = REPLY_PAGE,
    .get =
        {
            .guards = {guard_no_prefetch},
            .parameters = auth_parameters,
            .handle = open_authorisation,
        },
    .post = {.handle = journey_continue},
};

int main(int argc, char **argv)
{
    return process_main(&auth, argc, argv);
}
