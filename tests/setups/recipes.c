/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include "front.h"

#include <stdlib.h>
#include <string.h>

/*
 * How every refusal of common/base/refusal.h is provoked, through the web server or, when
 * a gate is named, at that endpoint of the gate in front of an application; what has
 * to come before happens at the web server in both cases.
 */

#define SECRET_OF_64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

enum { LIFETIME_S = 1200, COOL_DOWN_S = 30, WRONG_CODES_MAX = 5 };

/* ---- the last request ------------------------------------------------------------ */

static bool lists_accounts(const char *gate)
{
    return gate != NULL && strcmp(gate, "availableaccounts") == 0;
}

static struct response send_to(const char *gate, struct request request)
{
    if (gate != NULL)
        request = through_front(request);
    return http_send(&request);
}

/* A customer's, at /auth or at that gate. */
static struct response open_at(const char *gate, struct opening opening)
{
    opening.endpoint = gate;
    return send_to(gate, opening_request(&opening));
}
#define OPEN_AT(gate, ...) open_at(gate, (struct opening){__VA_ARGS__})

/* Sage's, at /availableaccounts or its gate. */
#define LIST_AT(gate, ...) send_to(gate, LISTING(.key = SERVER_KEY, __VA_ARGS__))

/* Sage's, at /notification or at the gate of /availableaccounts. */
static struct response call_at(const char *gate, struct notification call)
{
    if (gate == NULL)
        return notification_send(&call);
    return send_to(gate,
                   LISTING(.key = call.key != NULL ? call.key : SERVER_KEY, .token = call.token,
                           .authorization = call.authorization, .headers = {call.headers[0]}));
}
#define CALL_AT(gate, ...) call_at(gate, (struct notification){__VA_ARGS__})

/* ---- what some of them need ----------------------------------------------------- */

static const char *armed(void)
{
    const char *id = new_uuid();
    arm(id);
    return id;
}

static const char *opened(void)
{
    const char *id = armed();
    EXPECT_STATUS(OPEN(.id = id), 200);
    return id;
}

static const char *passed_on(void)
{
    const char *id = new_uuid();
    pass_on(id, "auth");
    return id;
}

static const char *expired(const char *id)
{
    clock_move(LIFETIME_S + 1);
    return id;
}

/* A ticket at which so many wrong codes were tried. */
static const char *tried(int wrong_codes)
{
    const char *ticket = new_ticket(new_uuid(), "auth");
    for (int i = 0; i < wrong_codes; i++)
        (void)submit("auth", code_form(ticket, "0000-0000"));
    return ticket;
}

static struct response confirm_as_forgotten(void)
{
    const char *customer = new_customer(1);
    const char *continuation = new_confirmation(new_uuid(), customer);
    EXPECT_NUMBER(FEEDGATE("accounts", "forget", "--customer", customer).status, 0);
    return submit("auth", step_form("continuation", continuation, "confirm"));
}

static struct response renew_for_another(void)
{
    const char *ticket = new_renewal(new_uuid(), account_of(new_customer(1), 1));
    return submit("authrefresh", code_form(ticket, new_code(new_customer(1))));
}

static struct response ask_for_code(const char *key, const char *body)
{
    struct request request = {
        .path = "/code",
        .body = body,
        .body_length = strlen(body),
        .headers = {"Content-Type: application/json",
                    key != NULL ? scratch_format("Authorization: Bearer %s", key) : NULL},
    };
    return http_send(&request);
}

static void answer_again(void *unused)
{
    (void)unused;
    issuer_answer(server_issuer(), KEY_SET(JWK("first")));
    clock_move(COOL_DOWN_S + 1);
}

static struct response call_without_keys(const char *gate)
{
    issuer_drop_connections(server_issuer());
    undo_later(answer_again, NULL);
    clock_move(COOL_DOWN_S + 1);
    return CALL_AT(gate, .token = TOKEN(.kid = "\"new\""));
}

/* Final is only what a fetch says that began after the call. */
static struct response call_with_unknown_key(const char *gate)
{
    clock_move(COOL_DOWN_S + 1);
    return CALL_AT(gate, .token = TOKEN(.kid = "\"unknown\""));
}

static struct response open_when_busy(const char *gate)
{
    const char *id = armed();
    store_lock();
    return OPEN_AT(gate, .id = id);
}

static struct response open_without_disk(const char *gate)
{
    const char *id = armed();
    break_disk();
    return OPEN_AT(gate, .id = id);
}

static const char *linked_account(void)
{
    const char *external_id = account_of(new_customer(1), 1);
    EXPECT_RECORDED(NOTIFY(.body = account_created(new_uuid(), external_id)), "linked");
    return external_id;
}

static struct response list_without_memory(void)
{
    const char *external_id = linked_account();
    break_down("memory");
    return LIST(.key = SERVER_KEY, .external_id = external_id);
}

static struct response ask_without_chance(void)
{
    const char *customer = new_customer(1);
    break_down("random");
    return ask_for_code(SERVER_CODE_KEY, scratch_format("{\"customer\":\"%s\"}", customer));
}

static struct response differ(void)
{
    const char *id = passed_on();
    EXPECT_STATUS(COMPLETE(.id = id), 200);
    return COMPLETE(.id = id, .status = "error");
}

static struct response use_other_method(const char *gate)
{
    if (gate == NULL)
        return NOTIFY(.method = "PUT");
    return lists_accounts(gate) ? LIST_AT(gate, .method = "POST") : OPEN_AT(gate, .method = "POST");
}

/* ---- the recipes -------------------------------------------------------------------- */

/* Without a default, so that the compiler misses what is missing here. */
struct response provoke(enum refusal refusal, const char *gate)
{
    switch (refusal) {
    case REFUSAL_METHOD_NOT_ALLOWED:
        return use_other_method(gate);
    case REFUSAL_PREFETCH:
        return OPEN_AT(gate, .headers = {"Sec-Purpose: prefetch"});
    case REFUSAL_MEDIA_TYPE:
        return NOTIFY(.media_type = "text/plain");
    case REFUSAL_BODY_TOO_LARGE:
        return NOTIFY(.body = repeat("x", 64 * 1024 + 1));
    case REFUSAL_BODY_INCOMPLETE:
        break;
    case REFUSAL_ADDRESS_REFUSED:
        return CALL_AT(gate, .headers = {"X-Forwarded-For: 192.0.2.1"});
    case REFUSAL_KEY_HEADER_MISSING:
        return CALL_AT(gate, .key = OMIT);
    case REFUSAL_KEY_HEADER_WRONG:
        return CALL_AT(gate, .key = "another-key-0123456789-0123456789");
    case REFUSAL_KEY_HEADER_REPEATED:
        return CALL_AT(gate, .headers = {scratch_format("X-Feedgate-Key: %s", SERVER_KEY)});
    case REFUSAL_TOKEN_MISSING:
        return CALL_AT(gate, .authorization = OMIT);
    case REFUSAL_TOKEN_REPEATED:
        return CALL_AT(gate, .headers = {scratch_format("Authorization: Bearer %s", TOKEN())});
    case REFUSAL_TOKEN_MALFORMED:
        return CALL_AT(gate, .token = "no.token");
    case REFUSAL_TOKEN_TOO_LONG:
        return CALL_AT(gate, .token = TOKEN(.length = 4097));
    case REFUSAL_TOKEN_TYPE:
        return CALL_AT(gate, .token = TOKEN(.typ = "\"secevent+jwt\""));
    case REFUSAL_TOKEN_ALGORITHM:
        return CALL_AT(gate, .token = TOKEN(.signature = SIGNATURE_HS256_PUBLIC));
    case REFUSAL_TOKEN_CRITICAL_EXTENSION:
        return CALL_AT(gate, .token = TOKEN(.more_header = "\"crit\":[\"exp\"]"));
    case REFUSAL_TOKEN_KEY_UNKNOWN:
        return call_with_unknown_key(gate);
    case REFUSAL_TOKEN_SIGNATURE:
        return CALL_AT(gate, .token = TOKEN(.key = "second", .kid = "\"first\""));
    case REFUSAL_TOKEN_CLAIMS:
        return CALL_AT(gate, .token = TOKEN(.exp = OMIT));
    case REFUSAL_TOKEN_ISSUER:
        return CALL_AT(gate, .token = TOKEN(.iss = "\"https://issuer.test/\""));
    case REFUSAL_TOKEN_AUDIENCE:
        return CALL_AT(gate, .token = TOKEN(.aud = "\"other\""));
    case REFUSAL_TOKEN_EXPIRED:
        return CALL_AT(gate, .token = TOKEN(.exp = in_seconds(-60)));
    case REFUSAL_TOKEN_NOT_YET_VALID:
        return CALL_AT(gate, .token = TOKEN(.nbf = in_seconds(60)));
    case REFUSAL_TOKEN_CLIENT:
        return LIST_AT(gate, .token = TOKEN(.azp = "\"another\""));
    case REFUSAL_TOKEN_SCOPE:
        return CALL_AT(gate, .token = TOKEN(.scope = "\"other\""));
    case REFUSAL_KEYS_UNAVAILABLE:
        return call_without_keys(gate);
    case REFUSAL_BODY_MALFORMED:
        return NOTIFY(.body = "{");
    case REFUSAL_EVENT_MALFORMED:
        return NOTIFY(.body = "{}");
    case REFUSAL_PARAMETER_MISSING:
        return lists_accounts(gate) ? LIST_AT(gate, .query = "other=1")
                                    : OPEN_AT(gate, .state = OMIT);
    case REFUSAL_PARAMETER_TWICE:
        return lists_accounts(gate) ? LIST_AT(gate, .query = "externalId=a&externalId=b")
                                    : OPEN_AT(gate, .changed = "state", .raw = "*&*");
    case REFUSAL_PARAMETER_MALFORMED:
        return lists_accounts(gate) ? LIST_AT(gate, .query = "externalId=a%20")
                                    : OPEN_AT(gate, .state = "x");
    case REFUSAL_REDIRECT_URI_REFUSED:
        return OPEN_AT(gate, .redirect_uri = "https://evil.test/");
    case REFUSAL_SESSION_UNKNOWN:
        return OPEN_AT(gate, .usual = 0);
    case REFUSAL_SESSION_EXPIRED:
        return OPEN_AT(gate, .id = expired(armed()));
    case REFUSAL_SESSION_USED:
        return OPEN_AT(gate, .id = opened());
    case REFUSAL_SESSION_BANK:
        return OPEN_AT(gate, .id = armed(), .bank = new_uuid());
    case REFUSAL_CONTINUATION_MISSING:
        return submit("auth", "step=confirm");
    case REFUSAL_CONTINUATION_UNKNOWN:
        return submit("auth", step_form("continuation", SECRET_OF_64, "confirm"));
    case REFUSAL_TICKET_UNKNOWN:
        return visit("auth", SECRET_OF_64);
    case REFUSAL_STEP_UNKNOWN:
        return submit("auth", step_form("ticket", SECRET_OF_64, "jump"));
    case REFUSAL_CODE_MISSING:
        return submit("auth", code_form(tried(0), ""));
    case REFUSAL_CODE_WRONG:
        return submit("auth", code_form(tried(0), "0000-0000"));
    case REFUSAL_CODES_EXHAUSTED:
        return submit("auth", code_form(tried(WRONG_CODES_MAX - 1), "0000-0000"));
    case REFUSAL_ACCOUNT_OF_ANOTHER:
        return renew_for_another();
    case REFUSAL_CUSTOMER_GONE:
        return confirm_as_forgotten();
    case REFUSAL_JOURNEY_ENDED:
        return visit("auth", tried(WRONG_CODES_MAX));
    case REFUSAL_JOURNEY_EXPIRED:
        return visit("auth", expired(tried(0)));
    case REFUSAL_CODE_KEY_MISSING:
        return ask_for_code(NULL, "{\"customer\":\"x\"}");
    case REFUSAL_CODE_KEY_WRONG:
        return ask_for_code("another-key-0123456789", "{\"customer\":\"x\"}");
    case REFUSAL_CUSTOMER_MALFORMED:
        return ask_for_code(SERVER_CODE_KEY, "{\"customer\":\"\"}");
    case REFUSAL_CUSTOMER_UNKNOWN:
        return ask_for_code(SERVER_CODE_KEY, "{\"customer\":\"nobody\"}");
    case REFUSAL_ACCOUNT_UNKNOWN:
        return LIST(.key = SERVER_KEY);
    case REFUSAL_ACCOUNT_NOT_LINKED:
        return LIST(.key = SERVER_KEY, .external_id = account_of(new_customer(1), 1));
    case REFUSAL_COMPLETE_KEY_MISSING:
        return COMPLETE(.authorization = OMIT);
    case REFUSAL_COMPLETE_KEY_WRONG:
        return COMPLETE(.authorization = "Bearer another-key-0123456789");
    case REFUSAL_RESULT_MALFORMED:
        return COMPLETE(.body = "{}");
    case REFUSAL_RESULT_UNKNOWN:
        return COMPLETE();
    case REFUSAL_SESSION_NOT_OPEN:
        return COMPLETE(.id = armed());
    case REFUSAL_SESSION_NOT_PASSED_ON:
        return COMPLETE(.id = opened());
    case REFUSAL_RESULT_TOO_LATE:
        return COMPLETE(.id = expired(passed_on()));
    case REFUSAL_RESULT_DIFFERS:
        return differ();
    case REFUSAL_STORE_BUSY:
        return open_when_busy(gate);
    case REFUSAL_STORE_FAILED:
        return open_without_disk(gate);
    case REFUSAL_OUT_OF_MEMORY:
        return list_without_memory();
    case REFUSAL_INTERNAL:
        return ask_without_chance();
    case REFUSAL_NONE:
    case REFUSAL_COUNT:
        break;
    }
    expect_failed(__FILE__, __LINE__, "a recipe", "there is none for %s", refusal_word(refusal));
}
