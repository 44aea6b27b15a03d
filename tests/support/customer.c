/* SPDX-License-Identifier: MIT */
#include "customer.h"

#include "expect.h"
#include "log_file.h"
#include "rows.h"
#include "scratch.h"
#include "server.h"

#include <string.h>

const char CUSTOMER_STATE[] = "0f0e0d0c-0b0a-4908-8706-050403020100";

const char *way_back(void)
{
    return scratch_format("%s&state=%s", REDIRECT_URI, CUSTOMER_STATE); /* it has a query */
}

const char *account_of(const char *customer, int number)
{
    return scratch_format("%s-%d", customer, number);
}

const char *new_customer(int accounts)
{
    const char *name = new_uuid();
    const char *list = "";
    for (int i = 1; i <= accounts; i++)
        list = scratch_format("%s%s{\"externalId\":\"%s\",\"accountType\":\"business\","
                              "\"accountName\":\"Current ****%04d\",\"bankIdentifier\":\"000001\","
                              "\"accountIdentifier\":\"%s%04d\",\"branchIdentifier\":\"main\"}",
                              list, i > 1 ? "," : "", account_of(name, i), i, name, i);
    accounts_import(
        scratch_format("{\"customers\":[{\"id\":\"%s\",\"accounts\":[%s]}]}", name, list));
    return name;
}

const char *new_code(const char *customer)
{
    struct run run = FEEDGATE("code", "issue", "--customer", customer);
    EXPECT_NUMBER(run.status, 0);
    return scratch_copy(run.output, strcspn(run.output, "\n"));
}

/* The ticket in the redirect's query. */
static const char *ticket_of(const struct response *response, const char *endpoint)
{
    const char *location = response_header(response, "Location");
    const char *expected = scratch_format("%s/%s?ticket=", server_url(), endpoint);
    EXPECT_NUMBER(response->status, 303);
    EXPECT(location != NULL && strncmp(location, expected, strlen(expected)) == 0,
           "it leads to <%s>", location != NULL ? location : "nowhere");
    return location + strlen(expected);
}

const char *new_ticket(const char *id, const char *endpoint)
{
    arm(id);
    struct response response = OPEN(.id = id, .endpoint = endpoint, .state = CUSTOMER_STATE,
                                    .headers = {"Sec-Fetch-Mode: navigate"});
    return ticket_of(&response, endpoint);
}

const char *new_renewal(const char *id, const char *external_id)
{
    arm(id);
    struct response response =
        OPEN(.id = id, .endpoint = "authrefresh", .state = CUSTOMER_STATE,
             .external_id = external_id, .headers = {"Sec-Fetch-Mode: navigate"});
    return ticket_of(&response, "authrefresh");
}

struct response visit(const char *endpoint, const char *ticket)
{
    struct request request = {.path = scratch_format("/%s?ticket=%s", endpoint, ticket)};
    return http_send(&request);
}

struct request form_request(const char *endpoint, const char *fields)
{
    return (struct request){
        .path = scratch_format("/%s", endpoint),
        .headers = {"Content-Type: application/x-www-form-urlencoded"},
        .body = fields,
        .body_length = strlen(fields),
    };
}

struct response submit(const char *endpoint, const char *fields)
{
    struct request request = form_request(endpoint, fields);
    return http_send(&request);
}

const char *code_form(const char *ticket, const char *code)
{
    return scratch_format("ticket=%s&step=code&code=%s", ticket, percent_encoded(code));
}

const char *step_form(const char *field, const char *secret, const char *step)
{
    return scratch_format("%s=%s&step=%s", field, secret, step);
}

const char *hidden_field(const struct response *page, const char *name)
{
    const char *field = strstr(page->body, scratch_format("name=\"%s\"", name));
    const char *value = field != NULL ? strstr(field, "value=\"") : NULL;
    if (value == NULL)
        return NULL;
    value += strlen("value=\"");
    return scratch_copy(value, strcspn(value, "\""));
}

const char *new_confirmation(const char *id, const char *customer)
{
    struct response page = submit("auth", code_form(new_ticket(id, "auth"), new_code(customer)));
    EXPECT_STATUS(page, 200);
    const char *continuation = hidden_field(&page, "continuation");
    EXPECT(continuation != NULL, "no continuation in %s", page.body);
    return continuation;
}

void expect_step_refused(const char *file, int line, struct response response, enum refusal refusal)
{
    expect_number(file, line, "status", response.status, refusal_status(refusal));
    AWAIT(LOG_COUNT(response.log_mark, "event", "refused", "refusal", refusal_word(refusal)) >= 1,
          "%s:%d: %s isn't in the log:\n%s", file, line, refusal_word(refusal),
          log_since(response.log_mark));
    if (response_header(&response, "Location") != NULL)
        expect_failed(file, line, "no redirect", "it leads to %s",
                      response_header(&response, "Location"));
}

void expect_redirect(const char *file, int line, struct response response, const char *url)
{
    expect_number(file, line, "status", response.status, 303);
    expect_text(file, line, "Location", response_header(&response, "Location"), url);
}
