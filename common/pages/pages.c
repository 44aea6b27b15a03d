/* SPDX-License-Identifier: MIT */
#include "pages.h"

#include "base/cleanup.h"
#include "base/digest.h"
#include "base/refusal.h"
#include "page_file.h"
#include "pages_built_in.h"

#include <dirent.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

_Static_assert((int)PAGES_ERROR_MAX == (int)CATALOGUE_ERROR_MAX &&
                   (int)PAGES_ERROR_MAX == (int)TEMPLATE_ERROR_MAX &&
                   (int)PAGES_ERROR_MAX == (int)PAGE_FILE_ERROR_MAX &&
                   (int)PAGE_FILE_MAX == (int)TEMPLATE_BYTES_MAX,
               "errors and files are passed on");

enum { HASH_TEXT = 4 * ((DIGEST_BYTES + 2) / 3) };

struct pages {
    struct catalogue *catalogue;
    struct template *layout;
    struct template *templates[PAGE_KINDS];
    char *style;
    char style_hash[sizeof "sha256-" + HASH_TEXT];
};

/* `error`: the page comes back because of what was typed. */
#define ON_EVERY_PAGE                                                                              \
    {"provider", MARKUP_WORDS}, {"title", MARKUP_WORDS}, {"error", MARKUP_WORDS},                  \
        {"language", MARKUP_WORDS}, {"authorisation", MARKUP_WORDS},                               \
    {                                                                                              \
        "reauthorisation", MARKUP_WORDS                                                            \
    }

static const struct template_name layout_values[] = {ON_EVERY_PAGE, {.name = NULL}};
static const struct template_name link_values[] = {
    ON_EVERY_PAGE, {"url", MARKUP_URL}, {.name = NULL}};
static const struct template_name code_values[] = {
    ON_EVERY_PAGE,           {"action", MARKUP_URL},       {"ticket", MARKUP_WORDS},
    {"wrong", MARKUP_WORDS}, {"tries_left", MARKUP_WORDS}, {"empty", MARKUP_WORDS},
    {.name = NULL}};
static const struct template_name accounts_values[] = {
    ON_EVERY_PAGE,           {"action", MARKUP_URL},        {"continuation", MARKUP_WORDS},
    {"count", MARKUP_WORDS}, {"no_accounts", MARKUP_WORDS}, {.name = NULL}};
static const struct template_name account_values[] = {
    {"name", MARKUP_WORDS},   {"type", MARKUP_WORDS},   {"bank", MARKUP_WORDS},
    {"branch", MARKUP_WORDS}, {"number", MARKUP_WORDS}, {.name = NULL}};
static const struct template_name message_values[] = {
    ON_EVERY_PAGE,        {"message", MARKUP_WORDS}, {"advice", MARKUP_WORDS},
    {"back", MARKUP_URL}, {"problem", MARKUP_WORDS}, {.name = NULL}};

/*
 * What a page can't do without, as its file must have it: a customer who finds
 * no field, or no warning of strangers' links, is worse off than an endpoint
 * that doesn't start.
 */
#define WARNINGS "{{text warning_who}}", "{{text warning_stop}}"
enum { NEEDS_MAX = 8 };

static const struct template_scope layout_scope = {.values = layout_values, .layout = true};

static const struct {
    const char *file;
    const char *title; /* the text; NULL: the message's */
    struct template_scope scope;
    const char *needs[NEEDS_MAX]; /* ends with NULL */
} kinds[PAGE_KINDS] = {
    [PAGE_LINK] = {"link.html", "link_title", {.values = link_values}, {"{{url}}"}},
    [PAGE_CODE] = {"code.html",
                   "code_title",
                   {.values = code_values},
                   {"{{action}}", "{{ticket}}", "name=\"ticket\"", "name=\"code\"",
                    "value=\"code\"", WARNINGS}},
    [PAGE_ACCOUNTS] = {"accounts.html",
                       "accounts_title",
                       {.values = accounts_values, .list = "accounts", .item = account_values},
                       {"{{action}}", "{{continuation}}", "name=\"continuation\"",
                        "value=\"confirm\"", "{{#accounts}}", WARNINGS}},
    [PAGE_RENEW] = {"renew.html",
                    "renew_title",
                    {.values = accounts_values, .list = "accounts", .item = account_values},
                    {"{{action}}", "{{continuation}}", "name=\"continuation\"", "value=\"confirm\"",
                     WARNINGS}},
    [PAGE_MESSAGE] = {"message.html", NULL, {.values = message_values}, {NULL}},
};

/* What journeys end with, beside the public answers of refusals. */
static const char *const endings[] = {
    "expired",      "done", "cancelled", "ended", "codes_exhausted", "account_of_another",
    "customer_gone"};

/* Texts that are put into values. */
static const char *const loose_texts[] = {"provider_unnamed",        "account_type_business",
                                          "account_type_savings",    "account_type_loan",
                                          "account_type_creditCard", "account_type_corporate",
                                          "account_type_personal"};

struct loading {
    struct pages *pages;
    const char *directory;
    char *error;
};

__attribute__((format(printf, 2, 3))) static bool refuse(const struct loading *loading,
                                                         const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(loading->error, PAGES_ERROR_MAX, format, arguments); /* cut at worst */
    va_end(arguments);
    return false;
}

/* The length of a catalogue's tag in its name; 0 when it is no catalogue. */
static size_t tag_length(const char *name)
{
    size_t length = strlen(name);
    if (length < sizeof ".json" || strcmp(name + length - 5, ".json") != 0)
        return 0;
    return catalogue_is_tag(name, length - 5) ? length - 5 : 0;
}

static bool read_catalogue(const struct loading *loading, const char *name,
                           const struct page_file *file)
{
    char tag[CATALOGUE_TAG_SIZE];
    (void)snprintf(tag, sizeof tag, "%.*s", (int)tag_length(name), name); /* it fits */
    return catalogue_read(loading->pages->catalogue, tag, file->path, file->bytes, file->length,
                          loading->error);
}

static bool load_built_in_catalogue(const struct loading *loading,
                                    const struct built_in_file *built_in)
{
    struct page_file file = {.bytes = NULL};
    bool loaded = page_file_built_in(built_in->name, &file, loading->error) &&
                  read_catalogue(loading, built_in->name, &file);
    page_file_clear(&file);
    return loaded;
}

static bool load_built_in_catalogues(const struct loading *loading)
{
    for (const struct built_in_file *built_in = built_in_files; built_in->name; built_in++)
        if (tag_length(built_in->name) > 0 && !load_built_in_catalogue(loading, built_in))
            return false;
    return true;
}

static bool is_page_file(const char *name)
{
    for (size_t i = 0; i < PAGE_KINDS; i++)
        if (strcmp(name, kinds[i].file) == 0)
            return true;
    return strcmp(name, "layout.html") == 0 || strcmp(name, "style.css") == 0;
}

/* A catalogue of the provider's is read; any other name must be that of a page. */
static bool take_entry(const struct loading *loading, const char *name)
{
    size_t length = strlen(name);
    if (name[0] == '.' || name[0] == '#' || name[length - 1] == '~' || is_page_file(name))
        return true;
    _cleanup_(page_file_clear) struct page_file file = {.bytes = NULL};
    if (tag_length(name) == 0)
        return refuse(loading,
                      "%s/%s: no page is made of a file of this name; there are layout.html, "
                      "link.html, code.html, accounts.html, renew.html, message.html, style.css, "
                      "and texts as in en.json",
                      loading->directory, name);
    return page_file_read(loading->directory, name, &file, loading->error) &&
           read_catalogue(loading, name, &file);
}

static int every_entry(const struct dirent *entry)
{
    (void)entry;
    return 1;
}

/* In the order of names, so that the same mistake is told first on every machine. */
static bool load_directory(const struct loading *loading)
{
    if (!loading->directory)
        return true;
    catalogue_trust(loading->pages->catalogue);
    struct dirent **entries = NULL;
    int count = scandir(loading->directory, &entries, every_entry, alphasort);
    if (count < 0)
        return refuse(loading, "%s: can't be read: %s", loading->directory, strerror(errno));
    bool taken = true;
    for (int i = 0; i < count; i++) {
        taken = taken && take_entry(loading, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    return taken;
}

/* The English words of refusals stand in their own table. */
static bool add_answers(const struct loading *loading)
{
    for (size_t i = 0; i < ANSWER_COUNT; i++) {
        enum public_answer answer = (enum public_answer)i;
        char title[CATALOGUE_NAME_SIZE];
        char text[CATALOGUE_NAME_SIZE];
        (void)snprintf(title, sizeof title, "message_%s_title", answer_word(answer)); /* it fits */
        (void)snprintf(text, sizeof text, "message_%s_text", answer_word(answer));
        if (!catalogue_add(loading->pages->catalogue, title, answer_title(answer)) ||
            !catalogue_add(loading->pages->catalogue, text, answer_advice(answer)))
            return refuse(loading, "memory is out");
    }
    return true;
}

static bool is_among(const char *name, const void *names)
{
    for (const struct template_name *known = names; known && known->name; known++)
        if (strcmp(known->name, name) == 0)
            return true;
    return false;
}

static bool use_text(const struct loading *loading, const char *name,
                     const struct template_name *values, const char *user)
{
    const struct catalogue_use use = {.allowed = is_among, .context = values, .user = user};
    if (catalogue_use_text(loading->pages->catalogue, name, &use, loading->error))
        return true;
    return loading->error[0] ? false : refuse(loading, "en.json has no text %s", name);
}

static bool use_message(const struct loading *loading, const char *word)
{
    char title[CATALOGUE_NAME_SIZE];
    char text[CATALOGUE_NAME_SIZE];
    (void)snprintf(title, sizeof title, "message_%s_title", word); /* the words are short */
    (void)snprintf(text, sizeof text, "message_%s_text", word);
    return use_text(loading, title, layout_values, kinds[PAGE_MESSAGE].file) &&
           use_text(loading, text, layout_values, kinds[PAGE_MESSAGE].file);
}

/* The texts that no template names, since the program chooses them. */
static bool use_chosen_texts(const struct loading *loading)
{
    for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++)
        if (!use_message(loading, endings[i]))
            return false;
    for (size_t i = 0; i < ANSWER_COUNT; i++)
        if (!use_message(loading, answer_word((enum public_answer)i)))
            return false;
    for (size_t i = 0; i < PAGE_KINDS; i++)
        if (kinds[i].title && !use_text(loading, kinds[i].title, layout_values, kinds[i].file))
            return false;
    for (size_t i = 0; i < sizeof loose_texts / sizeof loose_texts[0]; i++)
        if (!use_text(loading, loose_texts[i], NULL, "this text"))
            return false;
    return true;
}

/* A template's bytes go into the wording's version. */
static bool parse_file(const struct loading *loading, const struct page_file *file,
                       const struct template_scope *scope, struct template **template,
                       EVP_MD_CTX *wording)
{
    *template = template_parse(file->path, file->bytes, file->length, scope,
                               loading->pages->catalogue, loading->error);
    if (!*template)
        return false;
    return EVP_DigestUpdate(wording, file->bytes, file->length + 1) == 1 ||
           refuse(loading, "OpenSSL fails");
}

static bool has_needs(const struct loading *loading, const struct page_file *file,
                      const char *const *needs)
{
    for (; needs && *needs; needs++)
        if (!strstr(file->bytes, *needs))
            return refuse(loading, "%s: %s is missing, which the page can't do without", file->path,
                          *needs);
    return true;
}

static bool load_template(const struct loading *loading, const char *name,
                          const struct template_scope *scope, const char *const *needs,
                          struct template **template, EVP_MD_CTX *wording)
{
    struct page_file file = {.bytes = NULL};
    bool loaded = page_file_find(loading->directory, name, &file, loading->error) &&
                  parse_file(loading, &file, scope, template, wording) &&
                  has_needs(loading, &file, needs);
    page_file_clear(&file);
    return loaded;
}

static bool load_templates(const struct loading *loading)
{
    struct pages *pages = loading->pages;
    unsigned char digest[DIGEST_BYTES];
    _cleanup_(cleanup_digest_context) EVP_MD_CTX *wording = EVP_MD_CTX_new();
    if (!wording || EVP_DigestInit_ex(wording, EVP_sha256(), NULL) != 1)
        return refuse(loading, "OpenSSL fails");
    if (!load_template(loading, "layout.html", &layout_scope, NULL, &pages->layout, wording))
        return false;
    for (size_t i = 0; i < PAGE_KINDS; i++)
        if (!load_template(loading, kinds[i].file, &kinds[i].scope, kinds[i].needs,
                           &pages->templates[i], wording))
            return false;
    if (!use_chosen_texts(loading) || !catalogue_all_used(pages->catalogue, loading->error))
        return false;
    return (EVP_DigestFinal_ex(wording, digest, NULL) == 1 &&
            catalogue_sign(pages->catalogue, digest, sizeof digest)) ||
           refuse(loading, "OpenSSL fails");
}

/* What would end the style's element in a page's middle. */
static bool check_style(const struct loading *loading, const struct page_file *file)
{
    const char *end = strstr(file->bytes, "</");
    if (!end)
        return true;
    int line = 1;
    for (const char *at = file->bytes; at < end; at++)
        line += *at == '\n';
    return refuse(loading, "%s:%d: a style sheet can't have '</'", file->path, line);
}

static bool take_style(const struct loading *loading, const struct page_file *file)
{
    struct pages *pages = loading->pages;
    unsigned char digest[DIGEST_BYTES];
    if (!check_style(loading, file))
        return false;
    memcpy(pages->style_hash, "sha256-", sizeof "sha256-");
    if (!digest_bytes(file->bytes, file->length, digest) ||
        EVP_EncodeBlock((unsigned char *)pages->style_hash + strlen("sha256-"), digest,
                        DIGEST_BYTES) < 0)
        return refuse(loading, "OpenSSL fails");
    pages->style = strdup(file->bytes);
    return pages->style || refuse(loading, "memory is out");
}

static bool load_style(const struct loading *loading)
{
    struct page_file file = {.bytes = NULL};
    bool loaded = page_file_find(loading->directory, "style.css", &file, loading->error) &&
                  take_style(loading, &file);
    page_file_clear(&file);
    return loaded;
}

struct pages *pages_open(const char *directory, char error[PAGES_ERROR_MAX])
{
    const struct loading loading = {
        .pages = calloc(1, sizeof *loading.pages), .directory = directory, .error = error};
    if (loading.pages)
        loading.pages->catalogue = catalogue_new();
    if (!loading.pages || !loading.pages->catalogue) {
        (void)refuse(&loading, "memory is out");
    } else if (load_built_in_catalogues(&loading) && load_directory(&loading) &&
               add_answers(&loading) && catalogue_complete(loading.pages->catalogue, error) &&
               load_templates(&loading) && load_style(&loading)) {
        return loading.pages;
    }
    pages_close(loading.pages);
    return NULL;
}

void pages_close(struct pages *pages)
{
    if (!pages)
        return;
    for (size_t i = 0; i < PAGE_KINDS; i++)
        template_free(pages->templates[i]);
    template_free(pages->layout);
    catalogue_free(pages->catalogue);
    free(pages->style);
    free(pages);
}

const struct language *pages_language(const struct pages *pages, const char *accept_language)
{
    return catalogue_best(pages->catalogue, accept_language);
}

const struct catalogue *pages_catalogue(const struct pages *pages)
{
    return pages->catalogue;
}

const char *pages_title(enum page_kind kind)
{
    return kinds[kind].title;
}

const char *pages_style_hash(const struct pages *pages)
{
    return pages->style_hash;
}

bool pages_render(const struct pages *pages, enum page_kind kind, const struct template_data *data,
                  FILE *stream)
{
    _cleanup_(cleanup_free) char *content = NULL;
    size_t length = 0;
    FILE *page = open_memstream(&content, &length);
    if (!page)
        return false;
    template_render(pages->templates[kind], data, page);
    bool written = ferror(page) == 0;
    if (fclose(page) != 0 || !written)
        return false;
    struct template_data framed = *data;
    framed.content = content;
    framed.style = pages->style;
    template_render(pages->layout, &framed, stream);
    return true;
}
