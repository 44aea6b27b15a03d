/* SPDX-License-Identifier: MIT */
#include "passed_on.h"

#include "customer.h"
#include "expect.h"
#include "front.h"
#include "log_file.h"
#include "rows.h"
#include "scratch.h"
#include "server.h"

#include <string.h>

/* How often a line stands in what the application shows. */
static size_t lines_of(const struct response *page, const char *line)
{
    const char *whole = scratch_format("\n%s\n", line);
    size_t count = 0;
    for (const char *at = page->body; (at = strstr(at, whole)) != NULL; at++)
        count++;
    return count;
}

void expect_variable(const struct response *page, const char *name, const char *value)
{
    size_t named = 0;
    const char *start = scratch_format("\n%s=", name);
    for (const char *at = page->body; (at = strstr(at, start)) != NULL; at++)
        named++;
    EXPECT(named == (value != NULL ? 1 : 0), "%s is there %zu times:\n%s", name, named, page->body);
    if (value != NULL)
        EXPECT(lines_of(page, scratch_format("%s=%s", name, value)) == 1, "%s isn't %s:\n%s", name,
               value, page->body);
}

struct response ask_and_pass(struct request request, const char *event)
{
    size_t before = application_requests();
    struct response response = http_send(&request);
    EXPECT(response.status == 200, "answered with %d:\n%s\nlog:\n%s", response.status,
           response.body, log_since(response.log_mark));
    AWAIT(LOG_COUNT(response.log_mark, "event", event) == 1, "the log:\n%s",
          log_since(response.log_mark));
    EXPECT_NUMBER(LOG_COUNT(response.log_mark, "event", "refused"), 0);
    EXPECT_NUMBER(application_requests() - before, 1);
    EXPECT(strstr(response.headers, "ariable-") == NULL, "the client is told:\n%s",
           response.headers);
    return response;
}

void authorisation_is_passed_on(void)
{
    const char *id = upper_case(new_uuid());
    arm(id);
    struct request request = through_front(OPENING(.id = id, .state = CUSTOMER_STATE));
    struct response page = ask_and_pass(request, "session_passed_on");
    expect_variable(&page, "AUTHORISATION_ID", id);
    expect_variable(&page, "BANK_ID", BANK);
    expect_variable(&page, "REDIRECT_URI", REDIRECT_URI);
    expect_variable(&page, "STATE", CUSTOMER_STATE);
    expect_variable(&page, "FLOW", "authorisation");
    expect_variable(&page, "EXTERNAL_ID", NULL);
    expect_variable(&page, "BANK_ACCOUNT", NULL);
    EXPECT_TEXT(session_column("shown_by", id), "application");
}

void renewal_is_passed_on(void)
{
    const char *id = new_uuid();
    arm(id);
    struct request request =
        through_front(OPENING(.endpoint = "authrefresh", .id = id, .state = CUSTOMER_STATE,
                              .bank = "any text of ours", .external_id = "an account:7 of=ours"));
    struct response page = ask_and_pass(request, "session_passed_on");
    expect_variable(&page, "AUTHORISATION_ID", id);
    expect_variable(&page, "BANK_ACCOUNT", "any text of ours");
    expect_variable(&page, "EXTERNAL_ID", "an account:7 of=ours");
    expect_variable(&page, "REDIRECT_URI", REDIRECT_URI);
    expect_variable(&page, "STATE", CUSTOMER_STATE);
    expect_variable(&page, "FLOW", "reauthorisation");
    expect_variable(&page, "BANK_ID", NULL);
}

void sage_is_passed_on(void)
{
    static const char account[] = "account-that-only-the-application-knows";
    struct request request = through_front(LISTING(.external_id = account, .key = SERVER_KEY));
    for (int i = 0; i < 2; i++) {
        struct response page = ask_and_pass(request, "accounts_passed_on");
        expect_variable(&page, "EXTERNAL_ID", account);
        expect_variable(&page, "FLOW", "availableaccounts");
        expect_variable(&page, "AUTHORISATION_ID", NULL);
    }
}

void second_ask_is_refused(void)
{
    const char *id = new_uuid();
    arm(id);
    (void)ask_and_pass(through_front(OPENING(.id = id)), "session_passed_on");
    size_t before = application_requests();
    EXPECT_REFUSED(ASK_FRONT(.id = id), REFUSAL_SESSION_USED);
    EXPECT_REFUSED(ASK_FRONT(.id = upper_case(id), .endpoint = "authrefresh"),
                   REFUSAL_SESSION_USED);
    EXPECT_NUMBER(application_requests() - before, 0);
}

void one_of_ten_asks_passes(void)
{
    enum { ASKS = 10 };
    static struct request requests[ASKS];
    static struct response responses[ASKS];
    const char *id = new_uuid();
    arm(id);
    for (size_t i = 0; i < ASKS; i++)
        requests[i] =
            through_front(OPENING(.id = id, .endpoint = i % 2 == 0 ? "auth" : "authrefresh"));
    size_t mark = log_mark();
    size_t before = application_requests();
    http_send_all(requests, responses, ASKS, ASKS, NULL);
    int passed = 0;
    for (size_t i = 0; i < ASKS; i++)
        passed += responses[i].status == 200 ? 1 : 0;
    EXPECT_NUMBER(passed, 1);
    EXPECT_NUMBER(application_requests() - before, 1);
    AWAIT(LOG_COUNT(mark, "event", "refused", "refusal", "session_used") == ASKS - 1,
          "the log:\n%s", log_since(mark));
    EXPECT_NUMBER(LOG_COUNT(mark, "event", "session_passed_on"), 1);
}
