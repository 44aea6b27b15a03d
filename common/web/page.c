/* SPDX-License-Identifier: MIT */
#include "page.h"

#include "base/cleanup.h"
#include "base/memory.h"
#include "pages/catalogue.h"
#include "pages/pages.h"
#include "pages/template.h"
#include "service/service.h"

#include <stdlib.h>
#include <string.h>

enum { ADDED_VALUES = 4 };

const struct language *page_language(const struct exchange *exchange)
{
    return pages_language(exchange->service->pages,
                          exchange_variable(exchange, "HTTP_ACCEPT_LANGUAGE"));
}

static const char *value_of(const struct page *page, const char *name)
{
    for (const struct page_value *value = page->values; value->name; value++)
        if (strcmp(value->name, name) == 0)
            return value->text;
    return NULL;
}

/* A provider without a name is "your bank", in every language. */
static const char *provider_name(const struct page_value *value, const struct language *language)
{
    if (strcmp(value->name, "provider") != 0 || !value->text ||
        strcmp(value->text, CONFIG_PROVIDER_UNNAMED) != 0)
        return value->text;
    return language_text(language, "provider_unnamed");
}

/* A text of a message; a word that no catalogue has can only say that something is wrong. */
static const char *message_text(const struct language *language, const char *word, const char *part)
{
    char name[CATALOGUE_NAME_SIZE];
    int length = snprintf(name, sizeof name, "message_%s_%s", word ? word : "failed", part);
    const char *text =
        length > 0 && (size_t)length < sizeof name ? language_text(language, name) : NULL;
    return text || (word && strcmp(word, "failed") == 0) ? text
                                                         : message_text(language, "failed", part);
}

static const char *title_text(const struct page *page, const struct language *language)
{
    const char *title = pages_title(page->kind);
    return title ? language_text(language, title)
                 : message_text(language, value_of(page, "message"), "title");
}

/* The page's own values; their number, or -1 when they are too many. */
static int copy_values(const struct page *page, const struct language *language,
                       struct page_value values[PAGE_VALUES_MAX])
{
    int count = 0;
    for (const struct page_value *value = page->values; value->name; value++) {
        if (count == PAGE_VALUES_MAX)
            return -1;
        values[count++] = (struct page_value){value->name, provider_name(value, language)};
    }
    return count;
}

bool page_write(const struct pages *pages, const struct language *language, const struct page *page,
                FILE *stream)
{
    struct page_value values[PAGE_VALUES_MAX + ADDED_VALUES + 1] = {{NULL, NULL}};
    int count = copy_values(page, language, values);
    const char *title_of = title_text(page, language);
    const char *advice_of =
        page->kind == PAGE_MESSAGE ? message_text(language, value_of(page, "message"), "text") : "";
    if (count < 0 || !title_of || !advice_of)
        return false;
    _cleanup_(cleanup_free) char *title = template_fill(title_of, values);
    _cleanup_(cleanup_free) char *advice = template_fill(advice_of, values);
    if (!title || !advice)
        return false;
    bool error = value_of(page, "wrong") || value_of(page, "empty");
    values[count++] = (struct page_value){"title", title};
    values[count++] = (struct page_value){"advice", advice};
    values[count++] = (struct page_value){"language", language_tag(language)};
    values[count] = (struct page_value){"error", error ? "yes" : NULL};
    const struct template_data data = {.values = values,
                                       .items = page->items,
                                       .item_count = page->item_count,
                                       .language = language};
    return pages_render(pages, page->kind, &data, stream);
}

/* Chromium checks the redirect that answers a form too, so its origins are named. */
static bool add_policy(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    const struct config_list *origins = &config->journey.redirect_origins;
    char actions[CONFIG_POLICY_MAX + sizeof "'self'"] = "'self'";
    size_t length = strlen(actions);
    for (size_t i = 0; i < origins->count; i++) {
        int added = snprintf(actions + length, sizeof actions - length, " %s", origins->items[i]);
        if (added < 0 || (size_t)added >= sizeof actions - length)
            return false;
        length += (size_t)added;
    }
    return exchange_add_header(exchange,
                               "Content-Security-Policy: default-src 'none'; base-uri 'none'; "
                               "img-src data:; style-src '%s'; form-action %s; frame-ancestors %s",
                               pages_style_hash(exchange->service->pages), actions,
                               config->journey.frame_ancestors);
}

enum refusal page_reply(struct exchange *exchange, int status, const struct page *page)
{
    const struct language *language = page_language(exchange);
    _cleanup_(memory_text_clear) struct memory_text text = {.bytes = NULL};
    FILE *html = memory_text_open(&text);
    if (!html)
        return REFUSAL_INTERNAL;
    bool complete = page_write(exchange->service->pages, language, page, html);
    complete = complete && ferror(html) == 0;
    complete =
        fclose(html) == 0 && complete && text.bytes && add_policy(exchange) &&
        exchange_add_header(exchange, "Content-Language: %s", language_tag(language)) &&
        exchange_reply(exchange, status, "text/html; charset=utf-8", text.bytes, text.length);
    return complete ? REFUSAL_NONE : REFUSAL_INTERNAL;
}
