/* SPDX-License-Identifier: MIT */
#include "page.h"

#include "digest.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

static const char style[] =
    ".feedgate{max-width:36rem;margin:0 auto;padding:1.5rem 1rem;"
    "font:1rem/1.5 system-ui,sans-serif;color:#1a1a1a;background:#fff}"
    ".feedgate h1{font-size:1.5rem;line-height:1.25;margin:0 0 1rem}"
    ".feedgate p{margin:0 0 1rem;overflow-wrap:anywhere}"
    ".feedgate a{color:#00498a;text-decoration:underline}"
    ".feedgate a:focus-visible{outline:3px solid #00498a;outline-offset:2px}";

enum { HASH_TEXT = 4 * ((DIGEST_BYTES + 2) / 3) + 1 };

static void write_text(struct page *page, const char *text)
{
    for (; *text; text++) {
        const char *escaped = *text == '&'    ? "&amp;"
                              : *text == '<'  ? "&lt;"
                              : *text == '>'  ? "&gt;"
                              : *text == '"'  ? "&quot;"
                              : *text == '\'' ? "&#39;"
                                              : NULL;
        /* The stream keeps an error until page_reply() looks at it. */
        if (escaped)
            (void)fputs(escaped, page->html);
        else
            (void)fputc(*text, page->html);
    }
}

static void write_html(struct page *page, const char *html)
{
    (void)fputs(html, page->html); /* the stream keeps an error */
}

bool page_begin(struct page *page, const char *title)
{
    memset(page, 0, sizeof *page);
    page->html = open_memstream(&page->bytes, &page->length);
    if (!page->html)
        return false;
    write_html(page, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
                     "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
                     "<title>");
    write_text(page, title);
    write_html(page, "</title>\n<style>");
    write_html(page, style);
    write_html(page, "</style>\n</head>\n<body>\n<main class=\"feedgate\">\n<h1>");
    write_text(page, title);
    write_html(page, "</h1>\n");
    return true;
}

void page_paragraph(struct page *page, const char *text)
{
    write_html(page, "<p>");
    write_text(page, text);
    write_html(page, "</p>\n");
}

void page_link(struct page *page, const char *url, const char *text)
{
    write_html(page, "<p><a href=\"");
    write_text(page, url);
    write_html(page, "\">");
    write_text(page, text);
    write_html(page, "</a></p>\n");
}

static bool hash_style(char text[HASH_TEXT])
{
    unsigned char digest[DIGEST_BYTES];
    return digest_bytes(style, sizeof style - 1, digest) &&
           EVP_EncodeBlock((unsigned char *)text, digest, DIGEST_BYTES) == HASH_TEXT - 1;
}

/* Chromium checks the redirect that answers a form too, so its origins are named. */
static bool add_policy(struct exchange *exchange)
{
    const struct config *config = exchange->service->config;
    const struct config_list *origins = &config->journey.redirect_origins;
    char hash[HASH_TEXT];
    char actions[CONFIG_POLICY_MAX + sizeof "'self'"] = "'self'";
    size_t length = strlen(actions);
    for (size_t i = 0; i < origins->count; i++) {
        int added = snprintf(actions + length, sizeof actions - length, " %s", origins->items[i]);
        if (added < 0 || (size_t)added >= sizeof actions - length)
            return false;
        length += (size_t)added;
    }
    return hash_style(hash) &&
           exchange_add_header(exchange,
                               "Content-Security-Policy: default-src 'none'; base-uri 'none'; "
                               "style-src 'sha256-%s'; form-action %s; frame-ancestors %s",
                               hash, actions, config->journey.frame_ancestors);
}

bool page_reply(struct page *page, struct exchange *exchange, int status)
{
    write_html(page, "</main>\n</body>\n</html>\n");
    bool complete = ferror(page->html) == 0;
    complete = fclose(page->html) == 0 && complete;
    bool replied =
        complete && add_policy(exchange) &&
        exchange_reply(exchange, status, "text/html; charset=utf-8", page->bytes, page->length);
    free(page->bytes);
    return replied;
}
