/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/* The stand-in Sage's product, as a person with a browser meets it, in front of a real connector.
 */

static const char cancelled[] = "{\"data\":{\"status\":\"cancelled\"}}";
static const char failed[] = "{\"data\":{\"status\":\"error\"}}";
static const char confirmed[] = "{\"data\":{\"status\":\"success\"}}";

/* The value of a query's parameter in a URL; the test fails without it. */
static const char *parameter_of(const char *url, const char *name)
{
    const char *begin = strstr(url, scratch_format("%s=", name));
    EXPECT(begin != NULL, "no %s in <%s>", name, url);
    begin += strlen(name) + 1;
    return scratch_copy(begin, strcspn(begin, "&\""));
}

static const char *location_of(struct response response)
{
    EXPECT_STATUS(response, 303);
    const char *location = response_header(&response, "Location");
    EXPECT(location != NULL, "%s", "no Location");
    return location;
}

/* Comes back from the bank with the state that the URL carries; the page that is shown then. */
static struct response come_back(const char *url)
{
    const char *way = scratch_format("/return?state=%s", parameter_of(url, "state"));
    struct response page = sandbox_get(location_of(sandbox_get(way)));
    EXPECT_STATUS(page, 200);
    return page;
}

#define EXPECT_SHOWN(page, text)                                                                   \
    EXPECT(strstr((page).body, text) != NULL, "<%s> isn't in:\n%s", text, (page).body)
#define EXPECT_NOT_SHOWN(page, text)                                                               \
    EXPECT(strstr((page).body, text) == NULL, "<%s> is in:\n%s", text, (page).body)

static void import_customer(const char *name)
{
    accounts_import(scratch_format(
        "{\"customers\":[{\"id\":\"%s\",\"accounts\":["
        "{\"externalId\":\"%s-1\",\"accountType\":\"business\",\"accountName\":\"Current %s-1\","
        "\"bankIdentifier\":\"000001\",\"accountIdentifier\":\"number-of-%s-1\","
        "\"branchIdentifier\":\"main\"},"
        "{\"externalId\":\"%s-2\",\"accountType\":\"savings\",\"accountName\":\"Savings %s-2\","
        "\"bankIdentifier\":\"000001\",\"accountIdentifier\":\"number-of-%s-2\","
        "\"branchIdentifier\":\"main\"}]}]}",
        name, name, name, name, name, name, name));
}

/* Connects and picks the customer's first account; Sage's id of it. */
static const char *connect_first(const char *name)
{
    const char *url = location_of(sandbox_post("/connect", ""));
    EXPECT(strncmp(url, server_url(), strlen(server_url())) == 0, "leads to %s", url);
    const char *id = parameter_of(url, "authorisation_id");
    EXPECT_TEXT(session_state(id), "notified");
    struct response waiting = come_back(url);
    EXPECT_SHOWN(waiting, "Waiting for your bank");
    EXPECT_SHOWN(waiting, "http-equiv=\"refresh\"");
    EXPECT_STATUS(PATCH(.id = id, .body = patch_success(scratch_format("%s-1", name))), 200);
    EXPECT_SHOWN(come_back(url), scratch_format("value=\"%s-1\"", name));
    const char *pick = scratch_format("id=%s&account=%s-1&start=2026-01-31", id, name);
    EXPECT_TEXT(location_of(sandbox_post("/pick", pick)), "/");
    return ROW_TEXT("SELECT id FROM bank_account WHERE external_id = ?1",
                    scratch_format("%s-1", name));
}

START_TEST(a_person_connects_links_confirms_and_disconnects)
{
    sandbox_start_with_server();
    import_customer("walk");
    const char *account = connect_first("walk");
    EXPECT(account != NULL, "%s", "the connector doesn't know the account as linked");
    struct response product = sandbox_get("/");
    EXPECT_SHOWN(product, "Current walk-1");
    EXPECT_SHOWN(product, "Transactions from 2026-01-31");

    const char *of_account = scratch_format("account=%s", account);
    struct response list = sandbox_post("/candidates", of_account);
    EXPECT_SHOWN(list, "value=\"walk-1\" checked disabled");
    EXPECT_SHOWN(list, "value=\"walk-2\">");
    const char *pick = scratch_format("%s&pick-0=walk-1&pick-1=walk-2", of_account);
    EXPECT_TEXT(location_of(sandbox_post("/link", pick)), "/");
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM bank_account WHERE unlinked_at IS NULL"), 2);
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM events WHERE resource_type = 'bankAccount'"), 2);

    const char *url = location_of(sandbox_post("/reauthorise", of_account));
    EXPECT_SHOWN(((struct response){.body = url}), "/authrefresh?bankaccount=");
    EXPECT_TEXT(parameter_of(url, "bankaccount"), account);
    EXPECT_TEXT(parameter_of(url, "externalId"), "walk-1");
    const char *id = parameter_of(url, "authorisation_id");
    EXPECT_STATUS(PATCH(.id = id, .body = patch_success("walk-1")), 400);
    EXPECT_STATUS(PATCH(.id = id, .body = confirmed), 200);
    EXPECT_SHOWN(come_back(url), "Your connection is confirmed");

    EXPECT_TEXT(location_of(sandbox_post("/disconnect", of_account)), "/");
    EXPECT_NOT_SHOWN(sandbox_get("/"), scratch_format("value=\"%s\"", account));
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM bank_account WHERE unlinked_at IS NULL"), 1);
    EXPECT_STATUS(sandbox_post("/candidates", of_account), 404);
}
END_TEST

static const struct {
    const char *body;
    const char *shown;
} endings[] = {{cancelled, "You cancelled at your bank"},
               {failed, "Your bank couldn&#39;t connect"}};

START_TEST(a_person_is_told_how_it_ended)
{
    sandbox_start_with_server();
    case_is(endings[_i].shown);
    const char *url = location_of(sandbox_post("/connect", "show=tab"));
    EXPECT_STATUS(PATCH(.id = parameter_of(url, "authorisation_id"), .body = endings[_i].body),
                  200);
    struct response page = come_back(url);
    EXPECT_NOT_SHOWN(page, "http-equiv");
    EXPECT_SHOWN(page, endings[_i].shown);
    EXPECT_STATUS(sandbox_get("/return"), 400);
    EXPECT_STATUS(sandbox_get(scratch_format("/return?state=%s", new_uuid())), 400);
}
END_TEST

static const struct {
    const char *show;
    const char *shown;
} windows[] = {
    {"frame", "<iframe title=\"Your bank\" src=\"http://127.0.0.1"},
    {"body", "<div class=\"card\">"},
    {"form", "<form method=\"post\" action=\"/swallowed\">"},
};

START_TEST(the_banks_page_is_shown_inside_the_products)
{
    sandbox_start_with_server();
    case_is(windows[_i].show);
    const char *start = scratch_format("show=%s", windows[_i].show);
    struct response page = sandbox_get(location_of(sandbox_post("/connect", start)));
    EXPECT_STATUS(page, 200);
    EXPECT_SHOWN(page, windows[_i].shown);
    const char *policy = response_header(&page, "Content-Security-Policy");
    EXPECT(policy != NULL && strstr(policy, "form-action 'self';") != NULL, "<%s>", policy);
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM sessions WHERE state <> 'notified'"),
                  strcmp(windows[_i].show, "frame") == 0 ? 0 : 1); /* a browser opens a frame */
}
END_TEST

START_TEST(an_account_is_linked_without_a_browser)
{
    sandbox_start_with_server();
    import_customer("link");
    struct response response =
        sandbox_post("/sandbox/link", "externalId=link-1&startDate=2026-02-01");
    EXPECT_STATUS(response, 200);
    const char *linked = ROW_TEXT("SELECT id FROM bank_account WHERE external_id = 'link-1'");
    EXPECT(linked != NULL && strstr(response.body, linked) != NULL, "%s", response.body);
    EXPECT_STATUS(sandbox_post("/sandbox/link", ""), 400);
    EXPECT_STATUS(sandbox_post("/sandbox/link", "externalId=link-1&startDate=yesterday"), 400);
}
END_TEST

Suite *product_rules(void)
{
    Suite *suite = suite_create("product");
    ADD_TEST(suite, a_person_connects_links_confirms_and_disconnects);
    ADD_ROWS(suite, a_person_is_told_how_it_ended, ROWS(endings));
    ADD_ROWS(suite, the_banks_page_is_shown_inside_the_products, ROWS(windows));
    ADD_TEST(suite, an_account_is_linked_without_a_browser);
    return suite;
}
