/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "api_description.h"
#include "gated.h"

#include <string.h>

/*
 * doc/openapi.json says what the endpoints answer: each answer that it
 * describes is brought about here and held against it, and what it doesn't
 * describe doesn't come.
 */

/* ---- one request for each answer --------------------------------------------------- */

static struct response post_json(const char *path, const char *key, const char *body)
{
    struct request request = {
        .path = path,
        .headers = {"Content-Type: application/json",
                    scratch_format("Authorization: Bearer %s", key)},
        .body = body,
        .body_length = strlen(body),
    };
    return http_send(&request);
}

static struct response ask_code(const char *customer)
{
    return post_json("/code", SERVER_CODE_KEY, scratch_format("{\"customer\":\"%s\"}", customer));
}

static struct response without_media_type(const char *path)
{
    struct request request = {
        .path = path, .headers = {"Content-Type: text/plain"}, .body = "x", .body_length = 1};
    return http_send(&request);
}

static const char *passed_on(void)
{
    const char *id = new_uuid();
    pass_on(id, "auth");
    return id;
}

static struct response notification(const char *status)
{
    switch (status[0] == '4' ? status[2] : status[0]) {
    case '2':
        return NOTIFY(.id = new_uuid());
    case '0':
        return NOTIFY(.body = "{");
    case '1':
        return NOTIFY(.key = OMIT);
    case '3':
        return strcmp(status, "413") == 0 ? NOTIFY(.body = repeat(" ", 65537))
                                          : NOTIFY(.token = TOKEN(.scope = "\"ProviderAPI\""));
    default:
        break;
    }
    if (strcmp(status, "415") == 0)
        return NOTIFY(.media_type = "text/plain");
    store_lock();
    return NOTIFY(.id = new_uuid());
}

static void expire(const char *id)
{
    (void)ROW_TEXT("UPDATE authorisation_session SET expires_at = notified_at "
                   "WHERE session_key = ?1",
                   id);
}

static const char *ticket_at(const char *endpoint, const char *id)
{
    return strcmp(endpoint, "auth") == 0 ? new_ticket(id, endpoint) : new_renewal(id, "account");
}

static struct response open_at(const char *endpoint, const char *status)
{
    const char *id = new_uuid();
    if (strcmp(status, "410") == 0) {
        const char *ticket = ticket_at(endpoint, id);
        expire(id);
        return visit(endpoint, ticket);
    }
    arm(id);
    if (strcmp(status, "303") == 0)
        return OPEN(.endpoint = endpoint, .id = id, .headers = {"Sec-Fetch-Mode: navigate"});
    if (strcmp(status, "400") == 0)
        return OPEN(.endpoint = endpoint, .id = id, .state = OMIT);
    if (strcmp(status, "403") == 0)
        return OPEN(.endpoint = endpoint, .id = new_uuid());
    if (strcmp(status, "503") == 0)
        return OPEN(.endpoint = endpoint, .id = id, .headers = {"Sec-Purpose: prefetch"});
    return OPEN(.endpoint = endpoint, .id = id);
}

static struct response form_at(const char *endpoint, const char *status)
{
    const char *id = new_uuid();
    const char *customer = new_customer(1);
    const char *ticket = strcmp(endpoint, "auth") == 0 ? new_ticket(id, endpoint)
                                                       : new_renewal(id, account_of(customer, 1));
    if (strcmp(status, "200") == 0)
        return submit(endpoint, code_form(ticket, new_code(customer)));
    if (strcmp(status, "303") == 0)
        return submit(endpoint, step_form("ticket", ticket, "cancel"));
    if (strcmp(status, "400") == 0)
        return submit(endpoint, step_form("ticket", ticket, "dance"));
    if (strcmp(status, "403") == 0)
        return submit(endpoint, step_form("ticket", repeat("0", 64), "cancel"));
    if (strcmp(status, "413") == 0)
        return submit(endpoint, repeat("a", 4097));
    if (strcmp(status, "422") == 0)
        return submit(endpoint, code_form(ticket, "0000-0000"));
    if (strcmp(status, "410") == 0)
        expire(id);
    else
        store_lock();
    return submit(endpoint, step_form("ticket", ticket, "cancel"));
}

static struct response auth_get(const char *status)
{
    return open_at("auth", status);
}

static struct response auth_post(const char *status)
{
    return form_at("auth", status);
}

static struct response authrefresh_get(const char *status)
{
    return open_at("authrefresh", status);
}

static struct response authrefresh_post(const char *status)
{
    return form_at("authrefresh", status);
}

static struct response availableaccounts(const char *status)
{
    const char *account = account_of(new_customer(2), 1);
    if (strcmp(status, "400") == 0)
        return LIST(.query = "other=1");
    if (strcmp(status, "401") == 0)
        return LIST(.authorization = OMIT);
    if (strcmp(status, "403") == 0)
        return LIST(.token = TOKEN(.scope = "\"WebhooksLambda\""));
    if (strcmp(status, "503") == 0)
        SERVER(.settings = {"sage.jwks_url = http://127.0.0.1:1/"});
    if (strcmp(status, "200") == 0)
        EXPECT_RECORDED(NOTIFY(.body = account_created(new_uuid(), account)), "linked");
    return LIST(.external_id = account);
}

static struct response code(const char *status)
{
    const char *customer = new_customer(1);
    if (strcmp(status, "400") == 0)
        return post_json("/code", SERVER_CODE_KEY, "{}");
    if (strcmp(status, "401") == 0)
        return post_json("/code", "x", "{}");
    if (strcmp(status, "404") == 0)
        return ask_code("nobody");
    if (strcmp(status, "413") == 0)
        return post_json("/code", SERVER_CODE_KEY, repeat(" ", 4097));
    if (strcmp(status, "415") == 0)
        return without_media_type("/code");
    if (strcmp(status, "503") == 0)
        store_lock();
    return ask_code(customer);
}

static struct response complete(const char *status)
{
    if (strcmp(status, "403") == 0)
        SERVER(.settings = {"complete.addresses = 192.0.2.1"});
    if (strcmp(status, "400") == 0)
        return COMPLETE(.body = "{}");
    if (strcmp(status, "401") == 0)
        return COMPLETE(.authorization = OMIT);
    if (strcmp(status, "404") == 0)
        return COMPLETE(.id = new_uuid());
    if (strcmp(status, "413") == 0)
        return COMPLETE(.body = repeat(" ", 65537));
    if (strcmp(status, "415") == 0)
        return COMPLETE(.media_type = "text/plain");
    const char *id = passed_on();
    if (strcmp(status, "409") == 0)
        EXPECT_STATUS(COMPLETE(.id = id, .status = "cancelled"), 200);
    if (strcmp(status, "503") == 0)
        store_lock();
    return COMPLETE(.id = id);
}

static const struct {
    const char *path, *method;
    struct response (*bring_about)(const char *status);
} operations[] = {
    {"/notification", "POST", notification},
    {"/auth", "GET", auth_get},
    {"/auth", "POST", auth_post},
    {"/authrefresh", "GET", authrefresh_get},
    {"/authrefresh", "POST", authrefresh_post},
    {"/availableaccounts", "GET", availableaccounts},
    {"/code", "POST", code},
    {"/complete", "POST", complete},
};

/* Nothing brings these about from outside: a defect of ours, or of OpenSSL's. */
static const char only_by_a_defect[] = "500";

enum { ANSWERS_MAX = 80 };

START_TEST(each_answer_comes_as_it_is_described)
{
    struct api_answer answer;
    api_read();
    if (!api_answer((size_t)_i, &answer) || strcmp(answer.status, only_by_a_defect) == 0)
        return;
    case_is(scratch_format("%s %s: %s", answer.method, answer.path, answer.status));
    for (size_t i = 0; i < ROWS(operations); i++) {
        if (strcmp(operations[i].path, answer.path) != 0 ||
            strcmp(operations[i].method, answer.method) != 0)
            continue;
        struct response response = operations[i].bring_about(answer.status);
        EXPECT_TEXT(scratch_format("%d", response.status), answer.status);
        EXPECT_TEXT(response.method, answer.method);
        api_expect(&response);
        return;
    }
    EXPECT(false, "%s %s isn't served", answer.method, answer.path);
}
END_TEST

/* The other way round: what each endpoint may answer by the table of refusals stands there. */
START_TEST(each_endpoint_and_no_other_is_described)
{
    struct api_answer answer;
    size_t count = 0;
    api_read();
    while (api_answer(count, &answer))
        count++;
    EXPECT(count <= ANSWERS_MAX, "%zu answers: more than are tested", count);
    for (size_t i = 0; i < ROWS(operations); i++)
        EXPECT(strstr(api_methods(operations[i].path), operations[i].method) != NULL,
               "%s %s isn't described", operations[i].method, operations[i].path);
    for (size_t i = 0; api_path(i) != NULL; i++) {
        bool served = false;
        for (size_t j = 0; j < ROWS(operations); j++)
            served = served || strcmp(operations[j].path, api_path(i)) == 0;
        EXPECT(served, "%s isn't served", api_path(i));
    }
}
END_TEST

/* Requests of all kinds, good and bad: none is answered with what isn't described. */
START_TEST(no_answer_comes_that_is_not_described)
{
    static const char *const statuses[] = {"200", "303", "400", "401", "403", "404",
                                           "409", "410", "413", "415", "422"};
    api_read();
    for (size_t i = 0; i < ROWS(operations); i++)
        for (size_t j = 0; j < ROWS(statuses); j++) {
            if (strcmp(statuses[j], "403") == 0 && strcmp(operations[i].path, "/complete") == 0)
                continue; /* it starts a server of its own */
            case_is(
                scratch_format("%s %s, %s", operations[i].method, operations[i].path, statuses[j]));
            struct response response;
            if (strcmp(operations[i].path, "/notification") == 0 &&
                strpbrk(statuses[j], "9") != NULL)
                continue;
            response = operations[i].bring_about(statuses[j]);
            store_unlock();
            api_expect(&response);
        }
}
END_TEST

START_TEST(other_methods_are_answered_with_those_that_are_described)
{
    static const char *const methods[] = {"GET",   "POST",   "HEAD",   "PUT",
                                          "PATCH", "DELETE", "OPTIONS"};
    api_read();
    for (size_t i = 0; api_path(i) != NULL; i++)
        for (size_t j = 0; j < ROWS(methods); j++) {
            const char *described = api_methods(api_path(i));
            if (strstr(described, methods[j]) != NULL)
                continue;
            case_is(scratch_format("%s %s", methods[j], api_path(i)));
            struct request request = {.path = api_path(i), .method = methods[j]};
            struct response response = http_send(&request);
            EXPECT_REFUSED(response, REFUSAL_METHOD_NOT_ALLOWED);
            EXPECT_TEXT(response_header(&response, "Allow"), described);
        }
}
END_TEST

Suite *openapi_rules(void)
{
    Suite *suite = suite_create("openapi");
    ADD_TEST(suite, each_endpoint_and_no_other_is_described);
    ADD_ROWS(suite, each_answer_comes_as_it_is_described, ANSWERS_MAX);
    ADD_TEST(suite, no_answer_comes_that_is_not_described);
    ADD_TEST(suite, other_methods_are_answered_with_those_that_are_described);
    return suite;
}
