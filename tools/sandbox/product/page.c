/* SPDX-License-Identifier: MIT */
#include "page.h"

#include "ledger.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * form-action can't be 'self': a browser checks the redirects that answer the
 * form, too, and they lead to the connector.
 */
static const char usual_policy[] =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'self'; "
    "form-action http:";

void page_begin(struct text *text, const struct page *page)
{
    text_append_string(text,
                       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n");
    if (page->refresh != NULL) {
        text_append_string(text, "<meta http-equiv=\"refresh\" content=\"2; url=");
        text_append_html(text, page->refresh);
        text_append_string(text, "\">\n");
    }
    text_append_string(text, "<title>");
    text_append_html(text, page->title);
    text_append_string(text, " - Pretend Accounting</title>\n"
                             "<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n<body>\n");
    if (!page->in_frame)
        text_append_string(text, "<header class=\"bar\">\n<p><a href=\"/\">Pretend Accounting</a> "
                                 "<span>stands in for a Sage product</span></p>\n</header>\n");
    text_append_string(text, "<main>\n");
    if (page->eyebrow != NULL) {
        text_append_string(text, "<p class=\"eyebrow\">");
        text_append_html(text, page->eyebrow);
        text_append_string(text, "</p>\n");
    }
    text_append_string(text, "<h1>");
    text_append_html(text, page->title);
    text_append_string(text, "</h1>\n");
}

void page_end(struct text *text, const struct page *page, unsigned int status, struct reply *reply)
{
    text_append_string(text, "</main>\n</body>\n</html>\n");
    reply_text(reply, status, "text/html; charset=utf-8", text);
    reply->policy = strdup(page->policy == NULL ? usual_policy : page->policy);
    if (reply->policy == NULL)
        reply->status = 0;
}

void page_message(struct reply *reply, unsigned int status, const char *title,
                  const char *paragraph)
{
    const struct page page = {.title = title};
    struct text text = {0};
    page_begin(&text, &page);
    text_append_string(&text, "<div class=\"card\">\n<p>");
    text_append_html(&text, paragraph);
    text_append_string(&text, "</p>\n<p><a class=\"button\" href=\"/\" target=\"_top\">Back to "
                              "your accounts</a></p>\n</div>\n");
    page_end(&text, &page, status, reply);
}

void page_failure(struct reply *reply, const char *title, const struct connector_answer *answer)
{
    char status[64];
    if (answer->error != NULL) {
        page_message(reply, 502, title, answer->error);
        return;
    }
    (void)snprintf(status, sizeof(status), "The connector answered with status %ld.",
                   answer->status); /* a long fits */
    page_message(reply, 502, title, status);
}

void page_redirect(struct reply *reply, char *location)
{
    reply->location = location;
    reply->body = strdup("");
    reply->content_type = "text/plain";
    reply->status = location == NULL || reply->body == NULL ? 0 : 303;
}

void page_append_hidden(struct text *text, const char *name, const char *value)
{
    text_append_string(text, "<input type=\"hidden\" name=\"");
    text_append_html(text, name);
    text_append_string(text, "\" value=\"");
    text_append_html(text, value);
    text_append_string(text, "\">\n");
}

void page_append_account(struct text *text, const cJSON *account)
{
    const char *name = member_text(account, "accountName");
    const char *bank = member_text(account, "bankIdentifier");
    const char *number = member_text(account, "accountIdentifier");
    const char *start = member_text(account, "startDate");
    text_append_string(text, "<strong>");
    text_append_html(text, name[0] != '\0' ? name : member_text(account, "externalId"));
    text_append_string(text, "</strong>");
    if (number[0] != '\0') {
        text_append_string(text, "<br><span class=\"small\">Bank ");
        text_append_html(text, bank);
        text_append_string(text, ", account ");
        text_append_html(text, number);
        text_append_string(text, "</span>");
    }
    if (start[0] == '\0')
        return;
    text_append_string(text, "<br><span class=\"small\">Transactions from ");
    text_append(text, start, strcspn(start, "T"));
    text_append_string(text, "</span>");
}
