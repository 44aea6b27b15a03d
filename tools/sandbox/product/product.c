/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "page.h"
#include "sandbox/sandbox.h"

#include <string.h>

/*
 * A pretend product of Sage's, for a person with a browser: its accounts, and the
 * buttons that start the real flows. One form holds all, so that the choice of
 * how the bank's page is shown counts for each of its buttons.
 */

static const struct {
    const char *word;
    enum showing showing;
    const char *label;
} showings[] = {
    {"tab", SHOWING_TAB, "in this tab"},
    {"frame", SHOWING_FRAME, "in a frame on a page of this product"},
    {"body", SHOWING_BODY, "fetched, and put into a page of this product"},
    {"form", SHOWING_FORM, "fetched, and put into a form of this product"},
};

enum { SHOWINGS = sizeof(showings) / sizeof(showings[0]) };

void serve_style(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)sandbox;
    (void)request;
    struct text text = {0};
    text_append_string(&text, sandbox_style);
    reply_text(reply, 200, "text/css; charset=utf-8", &text);
}

static void append_connect(struct text *text, const struct sandbox *sandbox)
{
    text_append_string(text, "<section class=\"card\">\n<h2>Connect a bank account</h2>\n"
                             "<p>You go to your bank at <code>");
    text_append_html(text, connector_base(sandbox->connector));
    text_append_string(text, "</code>, say yes there, and come back.</p>\n"
                             "<fieldset>\n<legend>Show the bank's page</legend>\n");
    for (size_t i = 0; i < SHOWINGS; i++) {
        text_append_string(text, "<div class=\"choice\"><input type=\"radio\" name=\"show\" id=\"");
        text_append_string(text, showings[i].word);
        text_append_string(text, "\" value=\"");
        text_append_string(text, showings[i].word);
        text_append_string(text, i == 0 ? "\" checked>" : "\">");
        text_append_string(text, "<label for=\"");
        text_append_string(text, showings[i].word);
        text_append_string(text, "\">");
        text_append_string(text, showings[i].label);
        text_append_string(text, "</label></div>\n");
    }
    text_append_string(text, "</fieldset>\n<p><button>Connect a bank account</button></p>\n"
                             "<p class=\"small\">Re-authorise shows it in the same way.</p>\n"
                             "</section>\n");
}

/* A button for one account; its name is for those who don't see where it stands. */
static void append_button(struct text *text, const cJSON *account, const char *action,
                          const char *label)
{
    text_append_string(text, "<button class=\"second\" name=\"account\" formaction=\"");
    text_append_string(text, action);
    text_append_string(text, "\" value=\"");
    text_append_html(text, member_text(account, "id"));
    text_append_string(text, "\">");
    text_append_string(text, label);
    text_append_string(text, "<span class=\"unseen\"> ");
    text_append_html(text, member_text(account, "accountName"));
    text_append_string(text, "</span></button>\n");
}

static void append_accounts(struct text *text, const cJSON *accounts)
{
    text_append_string(text, "<section class=\"card\">\n<h2>Connected accounts</h2>\n");
    if (cJSON_GetArraySize(accounts) == 0) {
        text_append_string(text, "<p>No bank account is connected yet.</p>\n</section>\n");
        return;
    }
    text_append_string(text, "<ul class=\"accounts\">\n");
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
    {
        text_append_string(text, "<li>\n<p>");
        page_append_account(text, account);
        text_append_string(text, "</p>\n<div class=\"buttons\">\n");
        append_button(text, account, "/candidates", "Link more accounts");
        append_button(text, account, "/reauthorise", "Re-authorise");
        append_button(text, account, "/disconnect", "Disconnect");
        text_append_string(text, "</div>\n</li>\n");
    }
    text_append_string(text, "</ul>\n</section>\n");
}

static void append_notes(struct text *text, const cJSON *notes)
{
    text_append_string(text, "<section class=\"card\">\n<h2>What happened lately</h2>\n");
    if (cJSON_GetArraySize(notes) == 0)
        text_append_string(text, "<p>Nothing yet.</p>\n");
    else
        text_append_string(text, "<ul class=\"lately\">\n");
    const cJSON *note = NULL;
    cJSON_ArrayForEach(note, notes)
    {
        text_append_string(text, "<li><time>");
        text_append_html(text, member_text(note, "at"));
        text_append_string(text, "</time> <span>");
        text_append_html(text, member_text(note, "what"));
        text_append_string(text, "</span></li>\n");
    }
    if (cJSON_GetArraySize(notes) > 0)
        text_append_string(text, "</ul>\n<p class=\"small\">Times are UTC.</p>\n");
    text_append_string(text, "</section>\n");
}

void show_product(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)request;
    const struct page page = {.title = "Banking"};
    _cleanup_(cleanup_json) cJSON *accounts = ledger_accounts(sandbox->ledger);
    _cleanup_(cleanup_json) cJSON *notes = ledger_notes(sandbox->ledger);
    struct text text = {0};
    page_begin(&text, &page);
    text_append_string(&text, "<form method=\"post\" action=\"/connect\">\n");
    append_connect(&text, sandbox);
    append_accounts(&text, accounts);
    text_append_string(&text, "</form>\n");
    append_notes(&text, notes);
    page_end(&text, &page, 200, reply);
}

static enum showing requested_showing(const struct request *request)
{
    const char *word = form_value_or(&request->fields, "show", "tab");
    for (size_t i = 0; i < SHOWINGS; i++) {
        if (strcmp(showings[i].word, word) == 0)
            return showings[i].showing;
    }
    return SHOWING_TAB;
}

/* Announces the authorisation, and leads the browser to the bank's page in the way that it says. */
static void start(struct sandbox *sandbox, struct authorisation *authorisation, struct reply *reply)
{
    if (!uuid_make(authorisation->id) || !uuid_make(authorisation->state))
        return;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    if (!announce(sandbox, authorisation, &answer)) {
        page_failure(reply, "The connector did not take the notification", &answer);
        return;
    }
    ledger_note(sandbox->ledger,
                authorisation->flow == FLOW_REFRESH ? "Asked the bank to confirm a connection again"
                                                    : "Asked the bank for a new connection",
                NULL);
    struct text location = {0};
    if (authorisation->showing != SHOWING_TAB) {
        text_append_string(&location, "/window");
        text_append_query(&location, "id", authorisation->id);
        page_redirect(reply, text_take(&location));
        return;
    }
    _cleanup_(cleanup_free) char *path = authorisation_path(sandbox, authorisation);
    text_append_string(&location, connector_base(sandbox->connector));
    text_append_string(&location, path == NULL ? "" : path);
    page_redirect(reply, text_take(&location));
}

void connect_bank(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    struct authorisation authorisation = {.flow = FLOW_ONBOARDING,
                                          .showing = requested_showing(request)};
    start(sandbox, &authorisation, reply);
}

/* The account that the form names; NULL after a page that says that there is none. */
static cJSON *requested_account(struct sandbox *sandbox, const struct request *request,
                                struct reply *reply)
{
    const char *id = form_value_or(&request->fields, "account", "");
    cJSON *account = ledger_find(sandbox->ledger, id);
    if (account == NULL)
        page_message(reply, 404, "This account isn't connected",
                     "It may have been disconnected in another window.");
    return account;
}

void reauthorise(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    struct authorisation authorisation = {.flow = FLOW_REFRESH,
                                          .showing = requested_showing(request)};
    _cleanup_(cleanup_json) cJSON *account = requested_account(sandbox, request, reply);
    if (account == NULL)
        return;
    const char *id = member_text(account, "id");
    const char *external_id = member_text(account, "externalId");
    if (strlen(id) >= sizeof(authorisation.bank_account) ||
        strlen(external_id) >= sizeof(authorisation.external_id))
        return; /* neither is that long when it comes into the ledger */
    memcpy(authorisation.bank_account, id, strlen(id) + 1);
    memcpy(authorisation.external_id, external_id, strlen(external_id) + 1);
    start(sandbox, &authorisation, reply);
}

void disconnect(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    _cleanup_(cleanup_json) cJSON *account = requested_account(sandbox, request, reply);
    if (account == NULL)
        return;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    if (delete_account(sandbox, account, &answer))
        page_redirect(reply, strdup("/"));
    else
        page_failure(reply, "The connector did not take the news", &answer);
}
