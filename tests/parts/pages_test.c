/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/log.h"
#include "pages/catalogue.h"
#include "pages/page_file.h"
#include "pages/pages.h"
#include "pages/pages_built_in.h"
#include "pages/template.h"
#include "store/store.h"
#include "web/page.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char directory[64];
static char error[PAGES_ERROR_MAX];
static struct pages *pages;

static void set_up(void)
{
    ck_assert_int_gt(snprintf(directory, sizeof(directory), "/tmp/feedgate-parts-XXXXXX"), 0);
    ck_assert_ptr_nonnull(mkdtemp(directory));
}

static const char *path_of(const char *name)
{
    static char path[256];
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s/%s", directory, name), 0);
    return path;
}

static const char *const written[] = {"layout.html", "link.html",    "code.html",  "accounts.html",
                                      "renew.html",  "message.html", "style.css",  "en.json",
                                      "de.json",     "pt-BR.json",   "cod.html",   ".hidden",
                                      "code.html~",  "fr.json",      "french.json"};

static void tear_down(void)
{
    pages_close(pages);
    pages = NULL;
    for (size_t i = 0; i < COUNT(written); i++)
        (void)unlink(path_of(written[i])); /* not every test makes every file */
    ck_assert_int_eq(rmdir(directory), 0);
}

static void write_bytes(const char *name, const char *bytes, size_t length)
{
    int descriptor = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    ck_assert_int_ge(descriptor, 0);
    ck_assert_int_eq(write(descriptor, bytes, length), (ssize_t)length);
    ck_assert_int_eq(close(descriptor), 0);
}

static void write_file(const char *name, const char *text)
{
    write_bytes(name, text, strlen(text));
}

/* The pages with what is in the directory; they belong to the fixture. */
static void reopen(const char *of)
{
    pages_close(pages);
    memset(error, 0, sizeof(error));
    pages = pages_open(of, error);
}

static void open_built_in(void)
{
    reopen(NULL);
    ck_assert_msg(pages != NULL, "%s", error);
}

static void open_with_directory(void)
{
    reopen(directory);
    ck_assert_msg(pages != NULL, "%s", error);
}

/* A page of the values given, in a language; it belongs to the test. */
static char *write_page(const char *language, enum page_kind kind, const struct page_value *values)
{
    static const struct page_value account[] = {
        {"name", "<i>Current</i>"}, {"number", "4200"}, {"branch", NULL}, {NULL, NULL}};
    static const struct page_value *const accounts[] = {account, account};
    const struct page page = {.kind = kind, .values = values, .items = accounts, .item_count = 2};
    char *bytes = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&bytes, &length);
    ck_assert_ptr_nonnull(stream);
    ck_assert(page_write(pages, pages_language(pages, language), &page, stream));
    ck_assert_int_eq(fclose(stream), 0);
    return bytes;
}

static void expect_in(const char *page, const char *part)
{
    ck_assert_msg(strstr(page, part) != NULL, "no <%s> in\n%.2000s", part, page);
}

static void expect_not_in(const char *page, const char *part)
{
    ck_assert_msg(strstr(page, part) == NULL, "<%s> in\n%.2000s", part, page);
}

static const struct page_value code[] = {
    {"provider", "R&D <b>"}, {"authorisation", "yes"}, {"action", "https://a/auth?x&y"},
    {"ticket", "\"t"},       {"wrong", NULL},          {NULL, NULL}};
static const struct page_value wrong_code[] = {{"provider", "R&D <b>"},
                                               {"authorisation", "yes"},
                                               {"action", "https://a/auth"},
                                               {"ticket", "t"},
                                               {"wrong", "yes"},
                                               {"tries_left", "4"},
                                               {NULL, NULL}};

START_TEST(a_code_is_asked_for_with_a_warning_and_a_cancel)
{
    open_built_in();
    char *page = write_page("en", PAGE_CODE, code);
    expect_in(page, "<html lang=\"en\">");
    expect_in(page, "<title>Enter your one-time code</title>");
    expect_in(page, "R&amp;D &lt;b&gt;");
    expect_in(page, "Whoever opened this window in Sage will see your accounts");
    expect_in(page, "come by email or message");
    expect_in(page, "<form method=\"post\" action=\"https://a/auth?x&amp;y\"");
    expect_in(page, "name=\"ticket\" value=\"&quot;t\"");
    const char *go_on = strstr(page, "name=\"step\" value=\"code\"");
    const char *cancel = strstr(page, "name=\"step\" value=\"cancel\"");
    ck_assert(go_on && cancel && go_on < cancel); /* Enter presses the first */
    expect_not_in(page, "role=\"alert\"");
    expect_not_in(page, "aria-invalid=");
    expect_not_in(page, "<script");
    free(page);
}
END_TEST

START_TEST(a_wrong_code_is_told_where_a_screen_reader_looks)
{
    open_built_in();
    char *page = write_page("fr-CH, en;q=0.5", PAGE_CODE, wrong_code);
    expect_in(page, "<html lang=\"fr\">");
    expect_in(page, "<title>Erreur\xC2\xA0: ");
    expect_in(page, "role=\"alert\" tabindex=\"-1\" autofocus");
    expect_in(page, "<a href=\"#code\">");
    expect_in(page, "aria-describedby=\"code-hint code-error\" aria-invalid=\"true\"");
    expect_in(page, "Essais restants\xC2\xA0: 4");
    free(page);
}
END_TEST

START_TEST(a_confirmation_shows_every_account_and_the_warning)
{
    static const struct page_value values[] = {{"provider", "P"},
                                               {"action", "https://a"},
                                               {"continuation", "c"},
                                               {"count", "2"},
                                               {NULL, NULL}};
    open_built_in();
    for (enum page_kind kind = PAGE_ACCOUNTS; kind <= PAGE_RENEW; kind++) {
        char *page = write_page("en", kind, values);
        expect_in(page, "Your accounts (2)");
        const char *first = strstr(page, "&lt;i&gt;Current&lt;/i&gt;");
        ck_assert(first && strstr(first + 1, "&lt;i&gt;Current&lt;/i&gt;"));
        expect_not_in(page, "Branch");
        expect_in(page, "Whoever opened this window in Sage will see your accounts");
        expect_in(page, "value=\"confirm\"");
        free(page);
    }
}
END_TEST

START_TEST(without_accounts_there_is_nothing_to_confirm)
{
    static const struct page_value values[] = {{"provider", "P"},
                                               {"action", "https://a"},
                                               {"continuation", "c"},
                                               {"no_accounts", "yes"},
                                               {NULL, NULL}};
    open_built_in();
    for (enum page_kind kind = PAGE_ACCOUNTS; kind <= PAGE_RENEW; kind++) {
        char *page = write_page("en", kind, values);
        expect_in(page, "We found no accounts in your name at P");
        expect_not_in(page, "value=\"confirm\"");
        expect_in(page, "value=\"cancel\"");
        free(page);
    }
}
END_TEST

/* Sage may put it into a form of a page of its own. */
START_TEST(the_link_page_has_one_link_and_no_field)
{
    static const struct page_value values[] = {{"provider", "P"},
                                               {"reauthorisation", "yes"},
                                               {"url", "https://a/authrefresh?ticket=t"},
                                               {NULL, NULL}};
    open_built_in();
    char *page = write_page("en", PAGE_LINK, values);
    expect_in(page, "href=\"https://a/authrefresh?ticket=t\" referrerpolicy=\"no-referrer\"");
    const char *link = strstr(page, "<a ");
    ck_assert(link && !strstr(link + 1, "<a "));
    expect_not_in(page, "<form");
    expect_not_in(page, "<input");
    expect_not_in(page, "<button");
    free(page);
}
END_TEST

static const struct {
    const char *word;
    const char *language;
    const char *title;
} messages[] = {
    {"expired", "en", "<h1>Your time has run out</h1>"},
    {"cancelled", "fr", "<h1>Vous avez annul\xC3\xA9</h1>"},
    {"session_not_usable", "en", "<h1>This link can&#39;t be used</h1>"},
    {"session_not_usable", "fr", "<h1>Ce lien ne peut pas \xC3\xAAtre utilis\xC3\xA9</h1>"},
    {"no_such_word", "en", "<h1>Something went wrong</h1>"},
    {NULL, "en", "<h1>Something went wrong</h1>"},
};

START_TEST(a_message_is_said_in_the_customers_language)
{
    const struct page_value values[] = {{"provider", "P"},
                                        {"message", messages[_i].word},
                                        {"back", "https://s/?a&b"},
                                        {NULL, NULL}};
    open_built_in();
    char *page = write_page(messages[_i].language, PAGE_MESSAGE, values);
    expect_in(page, messages[_i].title);
    expect_in(page, "href=\"https://s/?a&amp;b\"");
    free(page);
}
END_TEST

START_TEST(a_provider_without_a_name_is_translated)
{
    static const struct page_value values[] = {
        {"provider", CONFIG_PROVIDER_UNNAMED}, {"url", "https://a"}, {NULL, NULL}};
    open_built_in();
    char *page = write_page("fr", PAGE_LINK, values);
    expect_in(page, "votre banque");
    expect_not_in(page, CONFIG_PROVIDER_UNNAMED);
    free(page);
}
END_TEST

/* ---- languages ------------------------------------------------------------------- */

static const struct {
    const char *header;
    const char *tag;
} accepted[] = {
    {NULL, "en"},
    {"", "en"},
    {"fr", "fr"},
    {"FR", "fr"},
    {"fr-CH", "fr"},
    {"fr-CH, en;q=0.9", "fr"},
    {"en, fr", "en"},
    {"en;q=0.4, fr;q=0.5", "fr"},
    {"fr;q=0.5, en;q=0.500", "fr"},
    {"de-AT, fr;q=0.8, en;q=0.7", "fr"},
    {"de, *;q=0.5", "en"},
    {"*", "en"},
    {"*, fr;q=0.9", "en"},
    {"fr;q=0", "en"},
    {"fr ; q=0.8 , en ; q=0.1", "fr"},
    {"fr;q=1.5, en;q=0.1", "en"},
    {"fr;q=abc, en;q=0.1", "en"},
    {"fr;q=0.1234, en;q=0.1", "en"},
    {"fr;level=1, en;q=0.1", "en"},
    {"frx", "en"},
    {"fra", "en"},
    {"f", "en"},
    {",,, ,fr", "fr"},
    {"pt", "pt-BR"},
    {"pt-BR", "pt-BR"},
    {"pt-PT", "en"},
    {"\xFF\xFE;;;===", "en"},
    {"-fr", "en"},
};

START_TEST(the_language_is_the_best_that_is_accepted)
{
    write_file("pt-BR.json", "{\"back\": \"Voltar\"}");
    open_with_directory();
    const char *tag = language_tag(pages_language(pages, accepted[_i].header));
    ck_assert_msg(strcmp(tag, accepted[_i].tag) == 0, "%s: %s", accepted[_i].header, tag);
}
END_TEST

START_TEST(a_long_header_is_read_only_at_its_beginning)
{
    static char header[8192];
    static const char fillings[] = ", "; /* many ranges; one that is long */
    open_built_in();
    for (const char *filling = fillings; *filling; filling++) {
        memset(header, *filling, sizeof(header) - 1);
        memcpy(header + sizeof(header) - 3, "fr", 2);
        ck_assert_str_eq(language_tag(pages_language(pages, header)), "en");
    }
}
END_TEST

START_TEST(a_language_is_added_by_a_file_and_the_rest_is_english)
{
    write_file("de.json", "{\"back\": \"Zur\xC3\xBC"
                          "ck\"}");
    open_with_directory();
    const struct language *german = pages_language(pages, "de");
    ck_assert_str_eq(language_tag(german), "de");
    ck_assert_str_eq(language_text(german, "back"), "Zur\xC3\xBC"
                                                    "ck");
    ck_assert_str_eq(language_text(german, "code_continue"), "Continue");
    ck_assert_ptr_null(language_text(german, "no_such_text"));
}
END_TEST

START_TEST(built_in_french_has_every_text_with_the_same_values)
{
    open_built_in();
    const struct language *english = pages_language(pages, "en");
    const struct language *french = pages_language(pages, "fr");
    const char *name;
    const char *text;
    for (size_t i = 0; language_entry(english, i, &name, &text); i++) {
        char value[CATALOGUE_NAME_SIZE];
        size_t length;
        const char *translated = language_text(french, name);
        if (strncmp(name, "message_", 8) != 0)
            ck_assert_msg(strcmp(translated, text) != 0, "%s isn't translated", name);
        for (const char *rest = translated; text_next_value(&rest, &length, value);) {
            char tag[CATALOGUE_NAME_SIZE + 4];
            ck_assert_int_gt(snprintf(tag, sizeof(tag), "{{%s}}", value), 0);
            ck_assert_msg(strstr(text, tag) != NULL, "%s: %s is French alone", name, tag);
        }
    }
}
END_TEST

/* ---- the provider's own ------------------------------------------------------------ */

START_TEST(a_file_of_the_providers_takes_the_place_of_a_built_in_one)
{
    static const struct page_value values[] = {
        {"provider", "P"}, {"url", "https://a"}, {NULL, NULL}};
    write_file("link.html", "<p><a href=\"{{url}}\">own {{text own_words}}</a></p>\r\n");
    write_file("en.json", "{\"own_words\": \"Our {{provider}}\", \"link_title\": \"Hello\"}");
    write_file("style.css", ".feedgate{color:red}\r\n");
    write_file(".hidden", "{{");
    write_file("code.html~", "{{");
    open_with_directory();
    char *page = write_page("en", PAGE_LINK, values);
    expect_in(page, ">own Our P</a></p>\n");
    expect_in(page, "<title>Hello</title>");
    expect_in(page, "<style>.feedgate{color:red}\n</style>");
    expect_not_in(page, "\r");
    free(page);
    ck_assert_str_eq(pages_style_hash(pages),
                     "sha256-2t3LxjUqXeBe+pJmGhLqtWRSYtDSAk3spjeT7DdUxSs=");
    ck_assert_str_eq(language_text(pages_language(pages, "en"), "code_continue"), "Continue");
}
END_TEST

static const struct {
    const char *file;
    const char *bytes;
    size_t length;
    const char *message; /* behind the directory */
} mistakes[] = {
    {"code.html", BYTES("\n{{other}}"), "code.html:2: there is no value {{other}}"},
    {"link.html", BYTES("{{ticket}}"), "link.html:1: there is no value {{ticket}}"},
    {"layout.html", BYTES("{{style}}"), "layout.html:1: {{content}} is missing"},
    {"message.html", BYTES("{{text nothing}}"), "message.html:1: en.json has no text nothing"},
    {"cod.html", BYTES(""), "cod.html: no page is made of a file of this name"},
    {"french.json", BYTES("{}"), "french.json: no page is made of a file of this name"},
    {"style.css", BYTES("a\n</style>"), "style.css:2: a style sheet can't have '</'"},
    {"link.html", BYTES("<p>no link</p>"), "link.html: {{url}} is missing"},
    {"code.html", BYTES("<form action=\"{{action}}\">{{ticket}}</form>"),
     "code.html: name=\"ticket\" is missing"},
    {"code.html",
     BYTES("<form action=\"{{action}}\"><input name=\"ticket\" value=\"{{ticket}}\">"
           "<input name=\"code\"><button value=\"code\"></button></form>"),
     "code.html: {{text warning_who}} is missing"},
    {"message.html", BYTES("<!-- a --!>\n<meta http-equiv=refresh content=0>"),
     "message.html:2: a page may not go elsewhere by itself"},
    {"layout.html", BYTES("<title>\n{{style}}</title>{{content}}"),
     "layout.html:2: {{style}} must stand between tags"},
    {"code.html", BYTES("a\n\xFF"), "code.html:2: isn't text in UTF-8"},
    {"code.html", BYTES("a\0{{other}}"), "code.html:1: isn't text in UTF-8"},
    {"code.html", BYTES("\xEF\xBB\xBF"), "code.html:1: begins with a byte order mark"},
    {"en.json", BYTES("{\n\"back\": \"a\",\n}"), "en.json:3: this is no JSON"},
    {"en.json", BYTES("[]"), "en.json:1: this must be a JSON object"},
    {"en.json", BYTES("{\n\"back\": \"a\",\n\"back\" : \"b\"}"), "en.json:3: the text back is"},
    {"en.json", BYTES("{\n\"back\": 1}"), "en.json:2: back: a text must be a JSON string"},
    {"en.json", BYTES("{\n\"back\": \"\"}"), "en.json:2: back: a text has 1 to 2048 bytes"},
    {"en.json", BYTES("{\"a b\": \"x\"}"), "en.json:1: a b: a text's name has"},
    {"en.json", BYTES("{\n\"back\": \"{{provider}\"}"), "en.json:2: back: '{{' in a text must"},
    {"en.json", BYTES("{\n\"back\": \"{{ticket}}\"}"), "en.json:2: the text back names {{ticket}}"},
    {"en.json", BYTES("{\n\n\"bak\": \"Back\"}"), "en.json:3: no page uses a text bak"},
    {"de.json", BYTES("{\n\"bak\": \"Back\"}"), "de.json:2: en.json has no text bak"},
    {"de.json", BYTES("{\n\n\"code_tries\": \"{{tries}}\"}"), "de.json:3: the text code_tries "},
};

START_TEST(a_mistake_of_the_providers_is_told_with_file_and_line)
{
    write_bytes(mistakes[_i].file, mistakes[_i].bytes, mistakes[_i].length);
    reopen(directory);
    ck_assert_msg(pages == NULL, "%s was taken", mistakes[_i].message);
    ck_assert_msg(strncmp(error, directory, strlen(directory)) == 0, "%s", error);
    ck_assert_msg(strncmp(error + strlen(directory) + 1, mistakes[_i].message,
                          strlen(mistakes[_i].message)) == 0,
                  "%s, not %s", error, mistakes[_i].message);
}
END_TEST

START_TEST(a_file_that_is_too_large_or_no_file_is_refused)
{
    write_file("code.html", "");
    ck_assert_int_eq(truncate(path_of("code.html"), PAGE_FILE_MAX + 1), 0);
    reopen(directory);
    ck_assert_ptr_null(pages);
    ck_assert_ptr_nonnull(strstr(error, "code.html: is larger than 262144 bytes"));
    ck_assert_int_eq(unlink(path_of("code.html")), 0);
    ck_assert_int_eq(mkfifo(path_of("code.html"), 0600), 0);
    reopen(directory);
    ck_assert_ptr_null(pages);
    ck_assert_ptr_nonnull(strstr(error, "code.html: isn't a regular file"));
}
END_TEST

START_TEST(a_directory_that_is_not_there_is_refused)
{
    reopen("/nonexistent/pages");
    ck_assert_ptr_null(pages);
    ck_assert_str_eq(error, "/nonexistent/pages: can't be read: No such file or directory");
}
END_TEST

START_TEST(the_wording_has_a_version_for_each_language)
{
    char english[WORDING_SIZE];
    char french[WORDING_SIZE];
    open_with_directory();
    (void)snprintf(english, sizeof(english), "%s",
                   language_wording(pages_language(pages, "en"))); /* they fit */
    (void)snprintf(french, sizeof(french), "%s", language_wording(pages_language(pages, "fr")));
    ck_assert_uint_eq(strlen(english), WORDING_SIZE - 1);
    ck_assert_str_ne(english, french);
    open_with_directory();
    ck_assert_str_eq(english, language_wording(pages_language(pages, "en")));

    write_file("fr.json", "{\"back\": \"Retour\"}");
    open_with_directory();
    ck_assert_str_eq(english, language_wording(pages_language(pages, "en")));
    ck_assert_str_ne(french, language_wording(pages_language(pages, "fr")));

    write_file("message.html", "<h1>{{title}}</h1>");
    open_with_directory();
    ck_assert_str_ne(english, language_wording(pages_language(pages, "en")));
}
END_TEST

/* Sage may put our page into the body of its own. */
START_TEST(the_built_in_style_touches_nothing_but_our_own_page)
{
    const struct built_in_file *style = built_in_files;
    while (strcmp(style->name, "style.css") != 0)
        style++;
    const char *at = style->bytes;
    for (const char *open; (open = strchr(at, '{')) != NULL;) {
        at += strspn(at, " \n}");
        if (*at == '@') { /* its rules come behind */
            at = open + 1;
            continue;
        }
        while (at < open) {
            at += strspn(at, " \n");
            ck_assert_msg(strncmp(at, ".feedgate", 9) == 0 && strchr(" ,{.:", at[9]),
                          "a rule for others: %.60s", at);
            at += strcspn(at, ",{") + 1;
        }
        at = strchr(open, '}');
        ck_assert_ptr_nonnull(at);
    }
    ck_assert_ptr_null(strstr(style->bytes, "url("));
    ck_assert_ptr_null(strstr(style->bytes, "@import"));
}
END_TEST

Suite *pages_suite(void)
{
    Suite *suite = suite_create("pages");
    TCase *rules[] = {
        ADD_RULE(suite, a_code_is_asked_for_with_a_warning_and_a_cancel),
        ADD_RULE(suite, a_wrong_code_is_told_where_a_screen_reader_looks),
        ADD_RULE(suite, a_confirmation_shows_every_account_and_the_warning),
        ADD_RULE(suite, without_accounts_there_is_nothing_to_confirm),
        ADD_RULE(suite, the_link_page_has_one_link_and_no_field),
        ADD_RULE_FOR_EACH(suite, a_message_is_said_in_the_customers_language, messages),
        ADD_RULE(suite, a_provider_without_a_name_is_translated),
        ADD_RULE_FOR_EACH(suite, the_language_is_the_best_that_is_accepted, accepted),
        ADD_RULE(suite, a_long_header_is_read_only_at_its_beginning),
        ADD_RULE(suite, a_language_is_added_by_a_file_and_the_rest_is_english),
        ADD_RULE(suite, built_in_french_has_every_text_with_the_same_values),
        ADD_RULE(suite, a_file_of_the_providers_takes_the_place_of_a_built_in_one),
        ADD_RULE_FOR_EACH(suite, a_mistake_of_the_providers_is_told_with_file_and_line, mistakes),
        ADD_RULE(suite, a_file_that_is_too_large_or_no_file_is_refused),
        ADD_RULE(suite, a_directory_that_is_not_there_is_refused),
        ADD_RULE(suite, the_wording_has_a_version_for_each_language),
        ADD_RULE(suite, the_built_in_style_touches_nothing_but_our_own_page),
    };
    for (size_t i = 0; i < COUNT(rules); i++)
        tcase_add_checked_fixture(rules[i], set_up, tear_down);
    return suite;
}
