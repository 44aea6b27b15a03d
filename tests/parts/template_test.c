/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "pages/template.h"

#include <stdlib.h>
#include <string.h>

static const char texts[] = "{\n"
                            "\"plain\": \"A & B\",\n"
                            "\"greeting\": \"Dear {{word}}!\",\n"
                            "\"lost\": \"{{nobody}}\",\n"
                            "\"of_item\": \"no. {{number}}\"\n"
                            "}\n";

static const struct template_name values_known[] = {
    {"word", MARKUP_WORDS}, {"url", MARKUP_URL}, {.name = NULL}};
static const struct template_name item_known[] = {{"number", MARKUP_WORDS}, {.name = NULL}};
static const struct template_scope scope = {
    .values = values_known, .list = "list", .item = item_known};
static const struct template_scope layout = {.values = values_known, .layout = true};

static struct catalogue *catalogue;
static char error[TEMPLATE_ERROR_MAX];

static void set_up(void)
{
    catalogue = catalogue_new();
    ck_assert_ptr_nonnull(catalogue);
    ck_assert_msg(catalogue_read(catalogue, "en", "en.json", texts, sizeof(texts) - 1, error) &&
                      catalogue_complete(catalogue, error),
                  "%s", error);
}

static void tear_down(void)
{
    catalogue_free(catalogue);
}

static struct template *parse(const struct template_scope *of, const char *source)
{
    memset(error, 0, sizeof(error));
    /* cppcheck-suppress CastIntegerToAddressAtReturn ; it is a pointer that comes back */
    return template_parse("page.html", source, strlen(source), of, catalogue, error);
}

/* What a template of the layout's or the page's scope becomes; the caller frees it. */
static char *render(const struct template_scope *of, const char *source,
                    const struct page_value *values, size_t items)
{
    static const struct page_value first[] = {{"number", "1<"}, {NULL, NULL}};
    static const struct page_value second[] = {{"number", NULL}, {NULL, NULL}};
    static const struct page_value *const list[] = {first, second};
    struct template *template = parse(of, source);
    ck_assert_msg(template != NULL, "%s: %s", source, error);
    char *bytes = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&bytes, &length);
    ck_assert_ptr_nonnull(stream);
    const struct template_data data = {.values = values,
                                       .items = list,
                                       .item_count = items,
                                       .language = catalogue_language(catalogue, 0),
                                       .content = "<p>",
                                       .style = "a{}"};
    template_render(template, &data, stream);
    ck_assert_int_eq(fclose(stream), 0);
    template_free(template);
    return bytes;
}

static const struct page_value hostile[] = {
    {"word", "&<>\"'{{url}}"}, {"url", "https://a/?b&c"}, {NULL, NULL}};
#define ESCAPED "&amp;&lt;&gt;&quot;&#39;{{url}}"

static const struct {
    const char *source;
    const char *expected;
    size_t items;
} renderings[] = {
    {"", "", 0},
    {"a } b }} { c", "a } b }} { c", 0},
    {"{{word}}", ESCAPED, 0},
    {"<b>{{ word }}</b>", "<b>" ESCAPED "</b>", 0},
    {"<b title=\"{{word}}\">", "<b title=\"" ESCAPED "\">", 0},
    {"<b title='a {{word}}'>", "<b title='a " ESCAPED "'>", 0},
    {"<b title = \"{{word}}\" >", "<b title = \"" ESCAPED "\" >", 0},
    {"<title>{{word}}</title>", "<title>" ESCAPED "</title>", 0},
    {"<!-- a < b --><!--->{{word}}", "<!-- a < b --><!--->" ESCAPED, 0},
    {"<!-- a --!>{{word}}", "<!-- a --!>" ESCAPED, 0},
    {"<!----!>{{word}}", "<!----!>" ESCAPED, 0},
    {"<!-->{{word}}<!-- a --->{{word}}", "<!-->" ESCAPED "<!-- a --->" ESCAPED, 0},
    {"<textarea>{{word}}</textarea >", "<textarea>" ESCAPED "</textarea >", 0},
    {"<TITLE>a > b</Title><b title=\"{{word}}\">", "<TITLE>a > b</Title><b title=\"" ESCAPED "\">",
     0},
    {"<svg><title>{{word}}</title></svg>", "<svg><title>" ESCAPED "</title></svg>", 0},
    {"<title>{{#word}}a{{/word}}{{^word}}b{{/word}}</title>", "<title>a</title>", 0},
    {"<meta http-equiv=\"X-UA-Compatible\" content=\"{{word}}\">",
     "<meta http-equiv=\"X-UA-Compatible\" content=\"" ESCAPED "\">", 0},
    {"<meta http-equiv=refreshing>", "<meta http-equiv=refreshing>", 0},
    {"<!DOCTYPE html>{{word}}", "<!DOCTYPE html>" ESCAPED, 0},
    {"<a href=\"{{url}}\">", "<a href=\"https://a/?b&amp;c\">", 0},
    {"<img src=\"data:image/png;base64,AA==\">", "<img src=\"data:image/png;base64,AA==\">", 0},
    {"{{url}}", "https://a/?b&amp;c", 0},
    {"{{text plain}}", "A &amp; B", 0},
    {"<b title=\"{{text greeting}}\">", "<b title=\"Dear " ESCAPED "!\">", 0},
    {"{{#word}}yes{{/word}}{{^word}}no{{/word}}", "yes", 0},
    {"<b {{#word}}title=\"x\"{{/word}}>", "<b title=\"x\">", 0},
    {"<b id=\"i\"{{#word}} title=\"x\"{{/word}}>", "<b id=\"i\" title=\"x\">", 0},
    {"<b class=\"a{{#word}} b{{/word}}\">", "<b class=\"a b\">", 0},
    {"{{#list}}x{{/list}}{{^list}}none{{/list}}", "none", 0},
    {"{{#list}}[{{number}}{{^number}}-{{/number}}]{{/list}}{{^list}}none{{/list}}", "[1&lt;][-]",
     2},
    {"{{#list}}{{#number}}{{text of_item}}{{/number}}{{/list}}", "no. 1&lt;", 2},
    {"{{#list}}{{#word}}+{{/word}}{{/list}}", "++", 2},
};

START_TEST(values_are_escaped_wherever_they_stand)
{
    char *page = render(&scope, renderings[_i].source, hostile, renderings[_i].items);
    ck_assert_msg(strcmp(page, renderings[_i].expected) == 0, "%s: %s", renderings[_i].source,
                  page);
    free(page);
}
END_TEST

START_TEST(a_value_that_is_missing_or_empty_is_not_there)
{
    static const struct page_value none[] = {{"word", ""}, {"url", NULL}, {NULL, NULL}};
    char *page =
        render(&scope, "[{{word}}{{url}}{{#word}}a{{/word}}{{^word}}b{{/word}}{{#url}}c{{/url}}]",
               none, 0);
    ck_assert_str_eq(page, "[b]");
    free(page);
}
END_TEST

START_TEST(the_layout_holds_the_page_and_the_style)
{
    char *page = render(&layout, "<head>{{style}}</head>{{content}}{{word}}", hostile, 0);
    ck_assert_str_eq(page, "<head><style>a{}</style></head><p>" ESCAPED);
    free(page);
}
END_TEST

#define DEEP "{{#word}}{{#word}}{{#word}}"

static const struct {
    const char *source;
    const char *message; /* what it must begin with */
} mistakes[] = {
    {"a\n{{word", "page.html:2: '{{' without '}}'"},
    {"{{wo\nrd}}", "page.html:1: '{{' without '}}'"},
    {"{{}}", "page.html:1: {{}} isn't"},
    {"{{{word}}}", "page.html:1: {{{word}} isn't"},
    {"{{& word}}", "page.html:1: {{& word}} isn't"},
    {"{{> word}}", "page.html:1: {{> word}} isn't"},
    {"{{wo rd}}", "page.html:1: {{wo rd}} isn't"},
    {"\n\n{{other}}", "page.html:3: there is no value {{other}}"},
    {"{{#other}}{{/other}}", "page.html:1: there is no value {{other}}"},
    {"{{content}}", "page.html:1: there is no value {{content}}"},
    {"{{style}}", "page.html:1: there is no value {{style}}"},
    {"{{number}}", "page.html:1: there is no value {{number}}"},
    {"{{^list}}{{number}}{{/list}}", "page.html:1: there is no value {{number}}"},
    {"{{list}}", "page.html:1: there is no value {{list}}"},
    {"\n{{text unknown}}", "page.html:2: en.json has no text unknown"},
    {"{{text lost}}", "en.json:4: the text lost names {{nobody}}"},
    {"{{text of_item}}", "en.json:5: the text of_item names {{number}}"},
    {"\n{{#word}}\n", "page.html:2: the section word doesn't end"},
    {"{{/word}}", "page.html:1: {{/word}} ends nothing"},
    {"{{#word}}\n{{#url}}{{/word}}", "page.html:2: {{/word}} would end the section url of line 2"},
    {"{{#list}}{{#list}}{{/list}}{{/list}}", "page.html:1: {{list}} stands inside itself"},
    {DEEP DEEP DEEP, "page.html:1: sections can be 8 deep"},
    {"{{#word}}<b {{/word}}>", "page.html:1: the section word must hold whole tags"},
    {"<b{{#word}} a=\"\"{{/word}}>", "page.html:1: the section word must hold whole tags"},
    {"<b {{#word}}title=\"{{/word}}\">", "page.html:1: the section word must hold whole tags"},
    {"<b title={{word}}>", "page.html:1: {{word}}: a value in an attribute must stand in quotes"},
    {"<b title=a{{word}}>", "page.html:1: {{word}}: a value in an attribute must stand in quotes"},
    {"<b title={{text plain}}>", "page.html:1: {{text plain}}: a value in an attribute must"},
    {"<b {{word}}=\"\">", "page.html:1: {{word}}: a value can't stand inside a tag"},
    {"<b a{{word}}>", "page.html:1: {{word}}: a value can't stand inside a tag"},
    {"<{{word}}>", "page.html:1: {{word}}: a value can't stand inside a tag"},
    {"<b{{word}}>", "page.html:1: {{word}}: a value can't stand inside a tag"},
    {"<!-- {{word}} -->", "page.html:1: {{word}}: a value can't stand in a comment"},
    {"<!-- -- > {{word}} -->", "page.html:1: {{word}}: a value can't stand in a comment"},
    {"<!--!>{{word}} -->", "page.html:1: {{word}}: a value can't stand in a comment"},
    {"<!---!>{{word}} -->", "page.html:1: {{word}}: a value can't stand in a comment"},
    {"<!-- a --!-> {{word}} -->", "page.html:1: {{word}}: a value can't stand in a comment"},
    {"<!-- a --!><a href=\"{{word}}\"> -->", "page.html:1: {{word}}: only a value that is a URL"},
    {"<!-- a --!><b onclick=\"a\"> -->", "page.html:1: the pages' Content-Security-Policy blocks"},
    {"<!-- -{{#word}}-{{/word}}> -->", "page.html:1: the section word must hold whole tags"},
    {"<!-- --{{#word}}!{{/word}}> -->", "page.html:1: the section word must hold whole tags"},
    {"</ a=\"><a href=\"{{word}}\">", "page.html:1: a '<' that begins no tag"},
    {"</>", "page.html:1: a '<' that begins no tag"},
    {"<![CDATA[><b title=']]><a href=\"{{word}}\">'>", "page.html:1: a '<!' must begin a comment"},
    {"<!a>", "page.html:1: a '<!' must begin a comment"},
    {"<!->", "page.html:1: a '<!' must begin a comment"},
    {"<title><b title=\"</title><a href='{{word}}'>\">", "page.html:1: only text can stand here"},
    {"<textarea><b title=\"</textarea><a href='{{word}}'>\">",
     "page.html:1: only text can stand here"},
    {"<title></titles>", "page.html:1: only text can stand here"},
    {"<title></textarea></title>", "page.html:1: only text can stand here"},
    {"<title><!-- </title> -->", "page.html:1: only text can stand here"},
    {"<title/><b>", "page.html:1: only text can stand here"},
    {"<title a=\"b\"><b>", "page.html:1: only text can stand here"},
    {"<textarea a=b><b>", "page.html:1: only text can stand here"},
    {"<textarea a=><b>", "page.html:1: only text can stand here"},
    {"<title></title{{word}}>", "page.html:1: {{word}}: a value can't stand inside a tag"},
    {"<title>{{#word}}</title><textarea>{{/word}}</textarea>",
     "page.html:1: the section word must hold whole tags"},
    {"<title>\n{{word}}", "page.html:2: the template ends without </title>"},
    {"<noscript>", "page.html:1: browsers differ in how they read"},
    {"<XMP>", "page.html:1: browsers differ in how they read"},
    {"<noembed>", "page.html:1: browsers differ in how they read"},
    {"<noframes>", "page.html:1: browsers differ in how they read"},
    {"<plaintext>", "page.html:1: browsers differ in how they read"},
    {"<meta http-equiv=\"refresh\" content=\"0;url={{word}}\">", "page.html:1: a page may not go"},
    {"<meta content=\"0\"\nHTTP-EQUIV='Refresh'>", "page.html:2: a page may not go"},
    {"<meta http-equiv=refresh content=0>", "page.html:1: a page may not go"},
    {"<meta http-equiv=refresh>", "page.html:1: a page may not go"},
    {"<meta http-equiv=\"re&#102;resh\">", "page.html:1: a page may not go"},
    {"<meta http-equiv=\"{{word}}\">", "page.html:1: {{word}}: a page may not go"},
    {"<meta http-equiv=\"x{{#word}}y{{/word}}\">", "page.html:1: the section word must hold"},
    {"<meta http-equiv=r{{#word}}y{{/word}}efresh>", "page.html:1: the section word must hold"},
    {"<meta http-equiv {{#word}}a {{/word}}=\"refresh\">", "page.html:1: a '=' must stand behind"},
    {"<a href=\"{{word}}\">", "page.html:1: {{word}}: only a value that is a URL"},
    {"<a HREF='{{word}}'>", "page.html:1: {{word}}: only a value that is a URL"},
    {"<a href=\"{{text plain}}\">", "page.html:1: {{text plain}}: only a value that is a URL"},
    {"<a href=\"x:{{url}}\">", "page.html:1: {{url}}: a URL must be all of its attribute"},
    {"<a href=\"{{#word}}x:{{/word}}{{url}}\">", "page.html:1: {{url}}: a URL must be all"},
    {"<a href=\"x:{{#word}}\" href=\"{{/word}}{{url}}\">", "page.html:1: {{url}}: a URL must be"},
    {"<a href {{#url}}title {{/url}}=\"{{word}}\">", "page.html:1: a '=' must stand behind"},
    {"<a title / =\"{{word}}\">", "page.html:1: a '=' must stand behind"},
    {"<a =\"{{word}}\">", "page.html:1: a '=' must stand behind"},
    {"<a title/href=\"{{word}}\">", "page.html:1: {{word}}: only a value that is a URL"},
    {"<button formaction=\"{{word}}\">", "page.html:1: {{word}}: only a value that is a URL"},
    {"\n<script>", "page.html:2: the pages' Content-Security-Policy blocks this element"},
    {"<SCRIPT src='x'>", "page.html:1: the pages' Content-Security-Policy blocks this element"},
    {"<style>", "page.html:1: the pages' Content-Security-Policy blocks this element"},
    {"<b/onclick=\"\">", "page.html:1: the pages' Content-Security-Policy blocks this attribute"},
    {"<b style=\"a\">", "page.html:1: the pages' Content-Security-Policy blocks this attribute"},
    {"<img src=\"https://example.com/logo.png\">",
     "page.html:1: the pages' Content-Security-Policy blocks what comes from elsewhere"},
    {"<img\nSRC=logo.png>",
     "page.html:2: the pages' Content-Security-Policy blocks what comes from elsewhere"},
    {"a < b", "page.html:1: a '<' that begins no tag"},
    {"<b", "page.html:1: the template ends in the middle of a tag"},
};

START_TEST(a_mistake_is_told_with_file_and_line)
{
    struct template *template = parse(&scope, mistakes[_i].source);
    ck_assert_msg(template == NULL, "%s was taken", mistakes[_i].source);
    ck_assert_msg(strncmp(error, mistakes[_i].message, strlen(mistakes[_i].message)) == 0, "%s: %s",
                  mistakes[_i].source, error);
}
END_TEST

static const struct {
    const char *source;
    const char *message;
} layout_mistakes[] = {
    {"{{content}}", "page.html:1: {{style}} is missing"},
    {"{{style}}\n", "page.html:2: {{content}} is missing"},
    {"{{content}}\n{{content}}", "page.html:2: {{content}} is there twice"},
    {"{{style}}{{#word}}{{content}}{{/word}}", "page.html:1: {{content}} must stand between tags"},
    {"<b title=\"{{content}}\">", "page.html:1: {{content}} must stand between tags"},
};

START_TEST(a_layout_has_content_and_style_once)
{
    ck_assert_ptr_null(parse(&layout, layout_mistakes[_i].source));
    ck_assert_msg(
        strncmp(error, layout_mistakes[_i].message, strlen(layout_mistakes[_i].message)) == 0,
        "%s: %s", layout_mistakes[_i].source, error);
}
END_TEST

START_TEST(a_template_is_bounded)
{
    enum { TAGS = TEMPLATE_NODES_MAX };
    char *source = malloc(TAGS * strlen("{{word}}") + 1);
    ck_assert_ptr_nonnull(source);
    source[0] = '\0';
    char *end = source;
    for (int i = 0; i < TAGS; i++)
        end = stpcpy(end, "{{word}}");
    struct template *whole = parse(&scope, source);
    ck_assert_msg(whole != NULL, "%s", error);
    template_free(whole);
    source[0] = ' '; /* one node more: a literal, and its tag is gone */
    source[1] = '}';
    memcpy(end - strlen("{{word}}"), " {{url}}", strlen(" {{url}}"));
    ck_assert_ptr_null(parse(&scope, source));
    ck_assert_ptr_nonnull(strstr(error, "a template has at most"));
    free(source);
}
END_TEST

START_TEST(a_text_becomes_a_value_unescaped)
{
    char *filled = template_fill("{{word}} and {{url}}{{none}}.", hostile);
    ck_assert_str_eq(filled, "&<>\"'{{url}} and https://a/?b&c.");
    free(filled);
}
END_TEST

Suite *template_suite(void)
{
    Suite *suite = suite_create("template");
    TCase *rules[] = {
        ADD_RULE_FOR_EACH(suite, values_are_escaped_wherever_they_stand, renderings),
        ADD_RULE(suite, a_value_that_is_missing_or_empty_is_not_there),
        ADD_RULE(suite, the_layout_holds_the_page_and_the_style),
        ADD_RULE_FOR_EACH(suite, a_mistake_is_told_with_file_and_line, mistakes),
        ADD_RULE_FOR_EACH(suite, a_layout_has_content_and_style_once, layout_mistakes),
        ADD_RULE(suite, a_template_is_bounded),
        ADD_RULE(suite, a_text_becomes_a_value_unescaped),
    };
    for (size_t i = 0; i < COUNT(rules); i++)
        tcase_add_checked_fixture(rules[i], set_up, tear_down);
    return suite;
}
