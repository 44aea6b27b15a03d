/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include "front.h"
#include "passed_on.h"

#include <string.h>

/*
 * The endpoints as Authorizers, in front of an application, with the web server's
 * authorizer.conf: what passes, and every refusal that can happen there.
 */

/* ---- which refusal happens where ------------------------------------------------- */

enum {
    AUTH = 1 << 0,
    AUTHREFRESH = 1 << 1,
    AVAILABLEACCOUNTS = 1 << 2,
    NOWHERE = 0,
    OPENINGS = AUTH | AUTHREFRESH,
    EVERYWHERE = OPENINGS | AVAILABLEACCOUNTS,
};
_Static_assert(GATES == 3, "a bit for each, in the order of gates[]");

/* Without a default, so that the compiler misses what is missing here. */
static unsigned gates_that_refuse(enum refusal refusal)
{
    switch (refusal) {
    case REFUSAL_METHOD_NOT_ALLOWED:
    case REFUSAL_PARAMETER_MISSING:
    case REFUSAL_PARAMETER_TWICE:
    case REFUSAL_PARAMETER_MALFORMED:
        return EVERYWHERE;
    case REFUSAL_PREFETCH:
    case REFUSAL_REDIRECT_URI_REFUSED:
    case REFUSAL_SESSION_UNKNOWN:
    case REFUSAL_SESSION_EXPIRED:
    case REFUSAL_SESSION_USED:
    case REFUSAL_STORE_BUSY:
    case REFUSAL_STORE_FAILED:
        return OPENINGS;
    case REFUSAL_SESSION_BANK:
        return AUTH;
    case REFUSAL_ADDRESS_REFUSED:
    case REFUSAL_KEY_HEADER_MISSING:
    case REFUSAL_KEY_HEADER_WRONG:
    case REFUSAL_KEY_HEADER_REPEATED:
    case REFUSAL_TOKEN_MISSING:
    case REFUSAL_TOKEN_REPEATED:
    case REFUSAL_TOKEN_MALFORMED:
    case REFUSAL_TOKEN_TOO_LONG:
    case REFUSAL_TOKEN_TYPE:
    case REFUSAL_TOKEN_ALGORITHM:
    case REFUSAL_TOKEN_CRITICAL_EXTENSION:
    case REFUSAL_TOKEN_KEY_UNKNOWN:
    case REFUSAL_TOKEN_SIGNATURE:
    case REFUSAL_TOKEN_CLAIMS:
    case REFUSAL_TOKEN_ISSUER:
    case REFUSAL_TOKEN_AUDIENCE:
    case REFUSAL_TOKEN_EXPIRED:
    case REFUSAL_TOKEN_NOT_YET_VALID:
    case REFUSAL_TOKEN_CLIENT:
    case REFUSAL_TOKEN_SCOPE:
    case REFUSAL_KEYS_UNAVAILABLE:
        return AVAILABLEACCOUNTS;
    case REFUSAL_MEDIA_TYPE: /* no body is read */
    case REFUSAL_BODY_TOO_LARGE:
    case REFUSAL_BODY_INCOMPLETE:
    case REFUSAL_BODY_MALFORMED:
    case REFUSAL_EVENT_MALFORMED:
    case REFUSAL_CONTINUATION_MISSING: /* the journey is the application's */
    case REFUSAL_CONTINUATION_UNKNOWN:
    case REFUSAL_TICKET_UNKNOWN:
    case REFUSAL_STEP_UNKNOWN:
    case REFUSAL_CODE_MISSING:
    case REFUSAL_CODE_WRONG:
    case REFUSAL_CODES_EXHAUSTED:
    case REFUSAL_ACCOUNT_OF_ANOTHER:
    case REFUSAL_CUSTOMER_GONE:
    case REFUSAL_JOURNEY_ENDED:
    case REFUSAL_JOURNEY_EXPIRED:
    case REFUSAL_CODE_KEY_MISSING: /* /code and /complete gate nothing */
    case REFUSAL_CODE_KEY_WRONG:
    case REFUSAL_CUSTOMER_MALFORMED:
    case REFUSAL_CUSTOMER_UNKNOWN:
    case REFUSAL_COMPLETE_KEY_MISSING:
    case REFUSAL_COMPLETE_KEY_WRONG:
    case REFUSAL_RESULT_MALFORMED:
    case REFUSAL_RESULT_UNKNOWN:
    case REFUSAL_SESSION_NOT_OPEN:
    case REFUSAL_SESSION_NOT_PASSED_ON:
    case REFUSAL_RESULT_TOO_LATE:
    case REFUSAL_RESULT_DIFFERS:
    case REFUSAL_ACCOUNT_UNKNOWN: /* so are the accounts */
    case REFUSAL_ACCOUNT_NOT_LINKED:
    case REFUSAL_OUT_OF_MEMORY: /* the faults that we can make aren't met there */
    case REFUSAL_INTERNAL:
    case REFUSAL_NONE:
    case REFUSAL_COUNT:
        break;
    }
    return NOWHERE;
}

/* ---- the web server in front ------------------------------------------------------- */

/* The row begins; false where there is no gate to ask. */
static bool row_begins_at_gate(const char *name)
{
    row_begin(name);
    for (size_t i = 0; i < FRONTS; i++)
        if (strcmp(fronts[i], server_set_up()) == 0)
            return true;
    row_left_to_server(
        "authorizer.conf asks endpoints that listen on sockets of their own; here the "
        "web server starts them");
    return false;
}

START_TEST(the_gate_starts)
{
    if (!row_begins_at_gate("gate: starts"))
        return;
    front_keep(server_set_up());
    row_passed();
}
END_TEST

/* No row of its own; what is behind it looks at a machine without it. */
START_TEST(the_gate_ends)
{
    front_end();
}
END_TEST

/* ---- the rows ---------------------------------------------------------------------- */

static const struct {
    const char *name;
    void (*holds)(void);
} passes[] = {
    {"gate /auth: passed on", authorisation_is_passed_on},
    {"gate /authrefresh: passed on", renewal_is_passed_on},
    {"gate /availableaccounts: passed on", sage_is_passed_on},
    {"gate: a second ask refused", second_ask_is_refused},
    {"gate: of 10 asks at once one passes", one_of_ten_asks_passes},
};

START_TEST(who_may_pass_reaches_the_application)
{
    if (!row_begins_at_gate(passes[_i].name))
        return;
    EXPECT(front_runs(), "%s", "the gate hasn't started");
    passes[_i].holds();
    row_passed();
}
END_TEST

static struct refused {
    const char *gate;
    enum refusal refusal;
} refused[GATES * REFUSAL_COUNT];

static size_t find_refused(void)
{
    size_t count = 0;
    for (size_t i = 0; i < GATES; i++)
        for (int refusal = REFUSAL_NONE + 1; refusal < REFUSAL_COUNT; refusal++)
            if ((gates_that_refuse((enum refusal)refusal) & 1U << i) != 0)
                refused[count++] =
                    (struct refused){.gate = gates[i], .refusal = (enum refusal)refusal};
    return count;
}

START_TEST(who_is_refused_never_reaches_the_application)
{
    const char *gate = refused[_i].gate;
    enum refusal refusal = refused[_i].refusal;
    if (!row_begins_at_gate(scratch_format("gate /%s: %s", gate, refusal_word(refusal))))
        return;
    EXPECT(front_runs(), "%s", "the gate hasn't started");
    size_t before = application_requests();
    struct response response = provoke(refusal, gate);
    row_status(response.status);
    EXPECT_NUMBER(application_requests() - before, 0);
    if (not_from_outside(refusal) != NULL) {
        row_left_to_server(not_from_outside(refusal));
        return;
    }
    EXPECT_REFUSED(response, refusal);
    expect_public_answer(&response, refusal);
    EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "refused"), 1);
    EXPECT_NUMBER(application_requests() - before, 0);
    row_passed();
}
END_TEST

Suite *gate_rows(void)
{
    Suite *suite = suite_create("gate");
    ADD_TEST(suite, the_gate_starts);
    ADD_ROWS(suite, who_may_pass_reaches_the_application, ROWS(passes));
    ADD_ROWS(suite, who_is_refused_never_reaches_the_application, find_refused());
    ADD_TEST(suite, the_gate_ends);
    return suite;
}
