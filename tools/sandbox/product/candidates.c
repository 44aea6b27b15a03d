/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "page.h"
#include "sandbox/sandbox.h"

#include <stdio.h>
#include <string.h>

/*
 * Linking more accounts of a customer who has one connected: the product asks
 * the connector for all of them, and the person ticks those that should come, too.
 */

enum { CANDIDATES_SHOWN = 200 }; /* a form has no room for more fields */

/* The connector's list for this connected account; NULL after a page that says why not. */
static cJSON *fetch_list(struct sandbox *sandbox, const struct request *request,
                         struct reply *reply)
{
    const char *id = form_value_or(&request->fields, "account", "");
    _cleanup_(cleanup_json) cJSON *account = ledger_find(sandbox->ledger, id);
    if (account == NULL) {
        page_message(reply, 404, "This account isn't connected",
                     "It may have been disconnected in another window.");
        return NULL;
    }
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    fetch_candidates(sandbox, member_text(account, "externalId"), &answer);
    if (!answer_is_good(&answer)) {
        page_failure(reply, "The connector did not list the accounts", &answer);
        return NULL;
    }
    cJSON *list = cJSON_ParseWithLength(answer.body.bytes, answer.body.size);
    if (cJSON_IsArray(list))
        return list;
    cJSON_Delete(list);
    page_message(reply, 502, "The connector did not list the accounts",
                 "Its answer is not the JSON array that Sage's page describes.");
    return NULL;
}

static void append_candidate(struct text *text, struct sandbox *sandbox, const cJSON *candidate,
                             unsigned int number, bool *any)
{
    char name[24];
    bool connected = ledger_has(sandbox->ledger, candidate);
    (void)snprintf(name, sizeof(name), "pick-%u", number); /* fits */
    text_append_string(text, "<div class=\"choice\"><input type=\"checkbox\" id=\"");
    text_append_string(text, name);
    text_append_string(text, "\" name=\"");
    text_append_string(text, name);
    text_append_string(text, "\" value=\"");
    text_append_html(text, member_text(candidate, "externalId"));
    text_append_string(text, connected ? "\" checked disabled>" : "\">");
    text_append_string(text, "<label for=\"");
    text_append_string(text, name);
    text_append_string(text, "\">");
    page_append_account(text, candidate);
    text_append_string(text,
                       connected ? "<br>Already connected</label></div>\n" : "</label></div>\n");
    *any = *any || !connected;
}

void show_candidates(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    _cleanup_(cleanup_json) cJSON *list = fetch_list(sandbox, request, reply);
    if (list == NULL)
        return;
    const struct page page = {.title = "Link more accounts"};
    struct text text = {0};
    page_begin(&text, &page);
    text_append_string(&text, "<form class=\"card\" method=\"post\" action=\"/link\">\n<fieldset>\n"
                              "<legend>Your bank offers these accounts</legend>\n");
    unsigned int number = 0;
    bool any = false;
    const cJSON *candidate = NULL;
    cJSON_ArrayForEach(candidate, list)
    {
        if (number < CANDIDATES_SHOWN)
            append_candidate(&text, sandbox, candidate, number++, &any);
    }
    text_append_string(&text, "</fieldset>\n");
    page_append_hidden(&text, "account", form_value_or(&request->fields, "account", ""));
    text_append_string(&text, any ? "<p><button>Link the ticked accounts</button></p>\n"
                                  : "<p>All of them are connected already.</p>\n");
    text_append_string(&text, "<p><a href=\"/\">Go to your accounts</a></p>\n</form>\n");
    page_end(&text, &page, 200, reply);
}

static bool is_picked(const struct form *fields, const char *external_id)
{
    for (size_t i = 0; i < fields->count; i++) {
        if (strncmp(fields->fields[i].name, "pick-", 5) == 0 && external_id[0] != '\0' &&
            strcmp(fields->fields[i].value, external_id) == 0)
            return true;
    }
    return false;
}

/* One notification for each, as Sage does it. False after a page that says what failed. */
static bool link_picked(struct sandbox *sandbox, const struct request *request, const cJSON *list,
                        struct reply *reply)
{
    const cJSON *candidate = NULL;
    cJSON_ArrayForEach(candidate, list)
    {
        char id[UUID_SIZE];
        if (!is_picked(&request->fields, member_text(candidate, "externalId")) ||
            ledger_has(sandbox->ledger, candidate))
            continue;
        if (!uuid_make(id))
            return false;
        _cleanup_(connector_clear_answer) struct connector_answer answer;
        if (create_account(sandbox, candidate, id, NULL, &answer))
            continue;
        page_failure(reply, "The connector did not take the news", &answer);
        return false;
    }
    return true;
}

void link_candidates(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    _cleanup_(cleanup_json) cJSON *list = fetch_list(sandbox, request, reply);
    if (list != NULL && link_picked(sandbox, request, list, reply))
        page_redirect(reply, strdup("/"));
}
