/* SPDX-License-Identifier: MIT */
#include "../common/cleanup.h"
#include "sandbox.h"

/*
 * A pretend product of Sage's, for a person with a browser: its one button
 * starts the real flow and hands the browser over to the connector.
 */

static const char page_type[] = "text/html; charset=utf-8";

/*
 * form-action can't be 'self': a browser checks the redirects that answer the
 * form, too, and they lead to the connector.
 */
static const char page_policy[] =
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; "
    "form-action http:";

static const char style[] =
    "body { max-width: 36rem; margin: 2rem auto; padding: 0 1rem; color: #1a1a1a;\n"
    "       background: #fff; font: 1.125rem/1.5 sans-serif; }\n"
    "button { padding: .75rem 1.25rem; border: 0; border-radius: .25rem; color: #fff;\n"
    "         background: #00603a; font: inherit; cursor: pointer; }\n"
    "button:focus-visible, a:focus-visible { outline: .2rem solid #1a1a1a;\n"
    "                                        outline-offset: .2rem; }\n"
    "code { overflow-wrap: anywhere; }\n";

static void begin_page(struct text *page, const char *title)
{
    text_append_string(page,
                       "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                       "<meta name=\"viewport\" content=\"width=device-width\">\n<title>");
    text_append_html(page, title);
    text_append_string(page, "</title>\n<link rel=\"stylesheet\" href=\"/style.css\">\n</head>\n"
                             "<body>\n<main>\n<h1>");
    text_append_html(page, title);
    text_append_string(page, "</h1>\n");
}

static void end_page(struct text *page, unsigned int status, struct reply *reply)
{
    text_append_string(page, "</main>\n</body>\n</html>\n");
    reply_text(reply, status, page_type, page);
    reply->policy = page_policy;
}

void serve_style(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)sandbox;
    (void)request;
    struct text text = {0};
    text_append_string(&text, style);
    reply_text(reply, 200, "text/css; charset=utf-8", &text);
}

void show_product(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)request;
    struct text page = {0};
    begin_page(&page, "Pretend accounting");
    text_append_string(&page, "<p>This page stands in for a Sage product. The button announces a "
                              "new authorisation to the connector at <code>");
    text_append_html(&page, connector_base(sandbox->connector));
    text_append_string(&page, "</code> and sends you on to its page.</p>\n"
                              "<form method=\"post\" action=\"/connect\">\n"
                              "<p><button>Connect a bank account</button></p>\n</form>\n");
    end_page(&page, 200, reply);
}

static void show_failure(struct reply *reply, const struct connector_answer *answer)
{
    struct text page = {0};
    begin_page(&page, "The connector did not take the notification");
    text_append_string(&page, "<p>");
    if (answer->error != NULL) {
        text_append_html(&page, answer->error);
    } else {
        char digits[] = {(char)('0' + answer->status / 100 % 10),
                         (char)('0' + answer->status / 10 % 10), (char)('0' + answer->status % 10),
                         '\0'};
        text_append_string(&page, "It answered with status ");
        text_append_string(&page, digits);
        text_append_string(&page, ".");
    }
    text_append_string(&page, "</p>\n<p><a href=\"/\">Back to the start</a></p>\n");
    end_page(&page, 502, reply);
}

static void redirect_to_connector(struct sandbox *sandbox, const struct opening *opening,
                                  struct reply *reply)
{
    _cleanup_(cleanup_free) char *path = opening_path(sandbox, opening);
    if (path == NULL)
        return;
    _cleanup_(text_clear) struct text url = {0};
    text_append_string(&url, connector_base(sandbox->connector));
    text_append_string(&url, path);
    reply->location = text_take(&url);
    if (reply->location == NULL)
        return;
    struct text page = {0};
    begin_page(&page, "Going to your bank");
    end_page(&page, 303, reply);
}

void connect_bank(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)request;
    char authorisation_id[UUID_SIZE];
    char state[UUID_SIZE];
    if (!uuid_make(authorisation_id) || !uuid_make(state))
        return;
    _cleanup_(cleanup_json) cJSON *notification =
        authorisation_created(authorisation_id, SANDBOX_BANK);
    _cleanup_(cleanup_free) char *body = cJSON_PrintUnformatted(notification);
    if (body == NULL)
        return;
    _cleanup_(connector_clear_answer) struct connector_answer answer;
    post_notification(sandbox, body, &answer);
    if (answer.error != NULL || answer.status < 200 || answer.status > 299) {
        show_failure(reply, &answer);
        return;
    }
    const struct opening opening = {
        .authorisation_id = authorisation_id, .bank_id = SANDBOX_BANK, .state = state};
    redirect_to_connector(sandbox, &opening, reply);
}

void show_return(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)sandbox;
    const char *state = form_value(&request->fields, "state");
    struct text page = {0};
    begin_page(&page, "Back in the product");
    text_append_string(&page, state == NULL ? "<p>No state came along" : "<p>State: <code>");
    text_append_html(&page, state == NULL ? "" : state);
    text_append_string(&page, state == NULL ? ".</p>\n" : "</code></p>\n");
    text_append_string(&page, "<p><a href=\"/\">Connect another bank account</a></p>\n");
    end_page(&page, 200, reply);
}
