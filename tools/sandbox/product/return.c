/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "page.h"
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The way back from the bank: what came of it, as the product shows it, and the
 * picker. In a frame too, so each link and form leads to the whole window.
 */

enum { LOOKS_MAX = 30 }; /* that a waiting page takes by itself, two seconds apart */

static const char eyebrow[] = "Back in Sage";

/* Where the outcome of an authorisation is shown; the caller's, or NULL. */
static char *connection_path(const char *id, unsigned int looks)
{
    char number[16];
    struct text path = {0};
    text_append_string(&path, "/connection");
    text_append_query(&path, "id", id);
    if (looks > 0 && snprintf(number, sizeof(number), "%u", looks) > 0)
        text_append_query(&path, "looks", number);
    return text_take(&path);
}

void take_return(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const char *state = form_value(&request->fields, "state");
    _cleanup_(authorisation_clear) struct authorisation authorisation = {0};
    if (state == NULL || !results_return(sandbox->results, state, &authorisation)) {
        page_message(reply, 400, "Back in Sage, but from where?",
                     state == NULL ? "The connector sent no state along."
                                   : "This state belongs to no connection that was started here.");
        return;
    }
    page_redirect(reply, connection_path(authorisation.id, 0));
}

/* Where the bank's page was shown in a frame, this one takes its place there. */
static bool is_in_frame(const struct authorisation *authorisation)
{
    return authorisation->showing == SHOWING_FRAME;
}

static void show_outcome(const struct authorisation *authorisation, const char *title,
                         const char *paragraph, struct reply *reply)
{
    const struct page page = {
        .title = title, .eyebrow = eyebrow, .in_frame = is_in_frame(authorisation)};
    struct text text = {0};
    page_begin(&text, &page);
    text_append_string(&text, "<div class=\"card\">\n<p>");
    text_append_string(&text, paragraph);
    text_append_string(&text, "</p>\n<p><a class=\"button\" href=\"/\" target=\"_top\">Go to your "
                              "accounts</a></p>\n</div>\n");
    page_end(&text, &page, 200, reply);
}

static void show_waiting(const struct authorisation *authorisation, const char *looks_so_far,
                         struct reply *reply)
{
    /* strtoul takes anything: what is no number is 0, what is too large ends the looking */
    unsigned long looks = strtoul(looks_so_far, NULL, 10);
    bool looks_again = looks < LOOKS_MAX;
    unsigned int next = looks_again ? (unsigned int)looks + 1 : LOOKS_MAX;
    _cleanup_(cleanup_free) char *path = connection_path(authorisation->id, next);
    if (path == NULL)
        return;
    const struct page page = {.title = "Waiting for your bank",
                              .eyebrow = eyebrow,
                              .in_frame = is_in_frame(authorisation),
                              .refresh = looks_again ? path : NULL};
    struct text text = {0};
    page_begin(&text, &page);
    text_append_string(&text, "<div class=\"card\">\n<p>Your bank hasn't told us yet how it went.");
    text_append_string(&text, looks_again ? " This page looks again by itself.</p>\n" : "</p>\n");
    text_append_string(&text, "<p><a class=\"button\" href=\"");
    text_append_html(&text, path);
    text_append_string(&text, "\">Check again</a></p>\n<p><a href=\"/\" target=\"_top\">Go to your "
                              "accounts</a></p>\n</div>\n");
    page_end(&text, &page, 200, reply);
}

/* One account to choose; not those that are connected already. */
static void append_choice(struct text *text, struct sandbox *sandbox, const cJSON *account,
                          unsigned int number, bool *chosen)
{
    char id[24];
    bool connected = ledger_has(sandbox->ledger, account);
    (void)snprintf(id, sizeof(id), "account-%u", number); /* fits */
    text_append_string(text, "<div class=\"choice\"><input type=\"radio\" name=\"account\" id=\"");
    text_append_string(text, id);
    text_append_string(text, "\" value=\"");
    text_append_html(text, member_text(account, "bankAccountExternalId"));
    text_append_string(text, connected ? "\" disabled>" : *chosen ? "\">" : "\" checked>");
    text_append_string(text, "<label for=\"");
    text_append_string(text, id);
    text_append_string(text, "\">");
    page_append_account(text, account);
    text_append_string(text,
                       connected ? "<br>Already connected</label></div>\n" : "</label></div>\n");
    *chosen = *chosen || !connected;
}

static void show_picker(struct sandbox *sandbox, const struct authorisation *authorisation,
                        struct reply *reply)
{
    const struct page page = {
        .title = "Choose an account", .eyebrow = eyebrow, .in_frame = is_in_frame(authorisation)};
    _cleanup_(cleanup_json) cJSON *accounts = result_accounts(authorisation->result_body);
    struct text text = {0};
    page_begin(&text, &page);
    text_append_string(&text, "<form class=\"card\" method=\"post\" action=\"/pick\" "
                              "target=\"_top\">\n"
                              "<fieldset>\n<legend>Which one is for this ledger?</legend>\n");
    unsigned int number = 0;
    bool chosen = false;
    const cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
    {
        append_choice(&text, sandbox, account, number++, &chosen);
    }
    text_append_string(&text, "</fieldset>\n");
    page_append_hidden(&text, "id", authorisation->id);
    if (chosen)
        text_append_string(&text,
                           "<p class=\"field\"><label for=\"start\">Transactions from "
                           "(optional)</label><input type=\"date\" id=\"start\" name=\"start\">"
                           "</p>\n<p><button>Connect this account</button></p>\n");
    else
        text_append_string(&text, "<p>All of them are connected already.</p>\n");
    text_append_string(&text,
                       "<p><a href=\"/\" target=\"_top\">Go to your accounts</a></p>\n</form>\n");
    page_end(&text, &page, 200, reply);
}

/* The authorisation that a field names; false after a page that says that there is none. */
static bool requested(struct sandbox *sandbox, const struct request *request,
                      struct authorisation *authorisation, struct reply *reply)
{
    const char *id = form_value_or(&request->fields, "id", "");
    if (results_find(sandbox->results, id, authorisation))
        return true;
    page_message(reply, 404, "This connection isn't known",
                 "It was started too long ago. Start again from your accounts.");
    return false;
}

void show_connection(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    _cleanup_(authorisation_clear) struct authorisation authorisation = {0};
    if (!requested(sandbox, request, &authorisation, reply))
        return;
    switch (authorisation.outcome) {
    case OUTCOME_PENDING:
        show_waiting(&authorisation, form_value_or(&request->fields, "looks", "0"), reply);
        break;
    case OUTCOME_CANCELLED:
        show_outcome(&authorisation, "You cancelled at your bank", "Nothing has changed.", reply);
        break;
    case OUTCOME_ERROR:
        show_outcome(&authorisation, "Your bank couldn't connect",
                     "Nothing has changed. You can start again from your accounts.", reply);
        break;
    case OUTCOME_SUCCESS:
        if (authorisation.flow == FLOW_REFRESH)
            show_outcome(&authorisation, "Your connection is confirmed",
                         "Your bank goes on sending transactions.", reply);
        else
            show_picker(sandbox, &authorisation, reply);
        break;
    }
}

static cJSON *find_listed(const char *body, const char *external_id)
{
    _cleanup_(cleanup_json) cJSON *accounts = result_accounts(body);
    cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
    {
        if (strcmp(member_text(account, "bankAccountExternalId"), external_id) == 0)
            return cJSON_DetachItemViaPointer(accounts, account);
    }
    return NULL;
}

void pick_account(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const char *start = form_value(&request->fields, "start");
    const char *chosen = form_value_or(&request->fields, "account", "");
    _cleanup_(authorisation_clear) struct authorisation authorisation = {0};
    if (!requested(sandbox, request, &authorisation, reply))
        return;
    _cleanup_(cleanup_json) cJSON *account = find_listed(authorisation.result_body, chosen);
    if (account == NULL || (start != NULL && !is_date(start))) {
        page_message(reply, 400, "Choose an account",
                     "Go back, choose one of the accounts and, if you like, a date.");
        return;
    }
    char id[UUID_SIZE];
    if (ledger_has(sandbox->ledger, account)) { /* a double click */
        page_redirect(reply, strdup("/"));
        return;
    }
    if (!uuid_make(id))
        return;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    if (create_account(sandbox, account, id, start, &answer))
        page_redirect(reply, strdup("/"));
    else
        page_failure(reply, "The connector did not take the news", &answer);
}
