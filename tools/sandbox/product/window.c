/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "page.h"
#include "sandbox/sandbox.h"

#include <string.h>
#include <strings.h>

/*
 * The connector's page inside a page of the product's: in an iframe, or fetched
 * by the server and put into the body, as one of Sage's pages describes it. Both
 * have the policy that is hardest for the connector: form-action 'self'.
 */

static void append_policy(struct text *policy, const struct sandbox *sandbox)
{
    text_append_string(policy, "default-src 'none'; style-src 'self'; base-uri 'none'; "
                               "frame-ancestors 'none'; form-action 'self'; frame-src 'self' ");
    text_append_string(policy, connector_base(sandbox->connector));
}

static void append_frame(struct text *text, const struct sandbox *sandbox, const char *path)
{
    text_append_string(text, "<iframe title=\"Your bank\" src=\"");
    text_append_html(text, connector_base(sandbox->connector));
    text_append_html(text, path);
    text_append_string(text, "\"></iframe>\n");
}

/* What stands between <body…> and </body>, or the whole document if it has none. */
static void append_body(struct text *text, const char *document)
{
    const char *begin = strcasestr(document, "<body");
    begin = begin == NULL ? NULL : strchr(begin, '>');
    begin = begin == NULL ? document : begin + 1;
    const char *end = strcasestr(begin, "</body");
    text_append(text, begin, end == NULL ? strlen(begin) : (size_t)(end - begin));
}

/* As Sage's server fetches it: no browser, so none of a browser's Sec-Fetch headers. */
static bool append_fetched(struct text *text, struct sandbox *sandbox,
                           const struct authorisation *authorisation, const char *path,
                           struct reply *reply)
{
    const struct connector_call call = {.path = path, .wants_page = true};
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    connector_call(sandbox->connector, &call, &answer);
    if (answer.error != NULL || answer.status != 200) {
        page_failure(reply, "The connector did not give its page", &answer);
        return false;
    }
    bool in_form = authorisation->showing == SHOWING_FORM;
    _cleanup_(text_clear) struct text document = {0};
    text_append_utf8(&document, answer.body.bytes == NULL ? "" : answer.body.bytes,
                     answer.body.size);
    text_append_string(&document, "");
    if (document.failed)
        return false;
    text_append_string(text, in_form ? "<form method=\"post\" action=\"/swallowed\">\n" : "");
    text_append_string(text, "<div class=\"card\">\n");
    append_body(text, document.bytes);
    text_append_string(text, "\n</div>\n");
    text_append_string(text, in_form ? "</form>\n" : "");
    return true;
}

static void show(struct sandbox *sandbox, const struct authorisation *authorisation,
                 struct reply *reply)
{
    _cleanup_(text_clear) struct text policy = {0};
    append_policy(&policy, sandbox);
    _cleanup_(cleanup_free) char *path = authorisation_path(sandbox, authorisation);
    if (policy.failed || path == NULL)
        return;
    const struct page page = {.title = "Your bank", .policy = policy.bytes};
    _cleanup_(text_clear) struct text text = {0};
    page_begin(&text, &page);
    if (authorisation->showing == SHOWING_FRAME)
        append_frame(&text, sandbox, path);
    else if (!append_fetched(&text, sandbox, authorisation, path, reply))
        return;
    text_append_string(&text, "<p><a href=\"/\">Leave without connecting</a></p>\n");
    page_end(&text, &page, 200, reply);
}

void show_window(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const char *id = form_value_or(&request->fields, "id", "");
    _cleanup_(authorisation_clear) struct authorisation authorisation = {0};
    if (results_find(sandbox->results, id, &authorisation) && authorisation.state[0] != '\0')
        show(sandbox, &authorisation, reply);
    else
        page_message(reply, 404, "This connection isn't known",
                     "It was started too long ago. Start again from your accounts.");
}
