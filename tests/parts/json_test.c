/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/cleanup.h"
#include "base/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A copy of exactly its length, so that a look behind its end is seen by valgrind and ASan. */
static cJSON *parse(const char *bytes, size_t length)
{
    char *exact = malloc(length == 0 ? 1 : length);
    if (exact == NULL)
        return NULL;
    memcpy(exact, bytes, length);
    cJSON *document = json_parse(exact, length);
    free(exact);
    return document;
}

static cJSON *parse_text(const char *text)
{
    return parse(text, strlen(text));
}

struct text {
    const char *name;
    const char *bytes;
    size_t length;
};

static const struct text good[] = {
    {"empty object", BYTES("{}")},
    {"empty array", BYTES("[]")},
    {"white space around", BYTES(" \t\r\n{ \"a\" : [ 1 , 2 ] } \n")},
    {"a string alone", BYTES("\"a\"")},
    {"a number alone", BYTES("0")},
    {"literals", BYTES("[true,false,null]")},
    {"numbers", BYTES("[0,-0,1,-1,10,1.5,0.5,1e5,1E5,1e+5,1e-5,-1.25E-2]")},
    {"a number too small for a double", BYTES("[1e-999]")},
    {"the longest number",
     BYTES("[123456789012345678901234567890123456789012345678901234567890123]")},
    {"escapes", BYTES("[\"\\\"\\\\\\/\\n\\r\\t\\u00e9\\u00E9\"]")},
    {"an escaped tab, newline and return", BYTES("[\"\\u0009\\u000a\\u000D\"]")},
    {"a pair of surrogates", BYTES("[\"\\ud83d\\ude00\"]")},
    {"UTF-8 of all lengths", BYTES("[\"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"]")},
    {"an empty name", BYTES("{\"\":1}")},
    {"names that differ in case", BYTES("{\"alg\":1,\"ALG\":2}")},
    {"a name in two objects", BYTES("{\"a\":{\"a\":1},\"b\":{\"a\":1}}")},
    {"DEL, which JSON allows", BYTES("[\"\x7f\"]")},
};

START_TEST(strict_json_is_taken)
{
    _cleanup_(cleanup_json) cJSON *document = parse(good[_i].bytes, good[_i].length);
    ck_assert_msg(document != NULL, "%s", good[_i].name);
}
END_TEST

static const struct text bad[] = {
    {"nothing", BYTES("")},
    {"only white space", BYTES(" \n")},
    {"an escaped NUL in a string", BYTES("{\"a\":\"a\\u0000b\"}")},
    {"an escaped NUL in a name", BYTES("{\"alg\\u0000x\":\"RS256\"}")},
    {"a raw NUL in a string", BYTES("{\"a\":\"a\0b\"}")},
    {"a raw NUL in a name", BYTES("{\"alg\0x\":1}")},
    {"a NUL behind the document", BYTES("{}\0")},
    {"a NUL before the document", BYTES("\0{}")},
    {"a NUL between values", BYTES("[1,\0 2]")},
    {"a member twice", BYTES("{\"alg\":\"none\",\"alg\":\"RS256\"}")},
    {"a member twice, once escaped", BYTES("{\"alg\":1,\"\\u0061lg\":2}")},
    {"a member twice, far apart", BYTES("{\"a\":1,\"b\":2,\"c\":3,\"a\":4}")},
    {"a member twice, deep inside", BYTES("[[{\"x\":{\"a\":1,\"a\":1}}]]")},
    {"an empty name twice", BYTES("{\"\":1,\"\":2}")},
    {"an overlong slash", BYTES("[\"\xC0\xAF\"]")},
    {"an overlong NUL", BYTES("[\"\xC0\x80\"]")},
    {"a surrogate in UTF-8", BYTES("[\"\xED\xA0\x80\"]")},
    {"beyond U+10FFFF", BYTES("[\"\xF4\x90\x80\x80\"]")},
    {"Latin-1", BYTES("[\"\xE9\"]")},
    {"UTF-8 cut off by the quote", BYTES("[\"\xE2\x82\"]")},
    {"UTF-8 cut off by the end", BYTES("\"\xF0\x9F")},
    {"UTF-16", BYTES("\xFF\xFE{\0}\0")},
    {"a raw newline in a string", BYTES("[\"a\nb\"]")},
    {"a raw tab in a string", BYTES("[\"a\tb\"]")},
    {"a raw escape character in a string", BYTES("[\"\x1b\"]")},
    {"a control character between values", BYTES("[1,\x01 2]")},
    {"a form feed between values", BYTES("[1,\f2]")},
    {"a no-break space between values", BYTES("[1,\xC2\xA0 2]")},
    {"text behind the document", BYTES("{} x")},
    {"a second document", BYTES("{}{}")},
    {"a closing bracket too many", BYTES("{}}")},
    {"a leading zero", BYTES("[01]")},
    {"a negative leading zero", BYTES("[-01]")},
    {"no digit behind the point", BYTES("[1.]")},
    {"no digit before the point", BYTES("[.5]")},
    {"a plus sign", BYTES("[+1]")},
    {"a minus alone", BYTES("[-]")},
    {"an exponent without digits", BYTES("[1e]")},
    {"an exponent with only a sign", BYTES("[1e+]")},
    {"an exponent with two signs", BYTES("[1e+-1]")},
    {"hexadecimal", BYTES("[0x10]")},
    {"an infinite number", BYTES("[1e999]")},
    {"a negative infinite number", BYTES("{\"exp\":-1e999}")},
    {"a number longer than cJSON reads",
     BYTES("[1234567890123456789012345678901234567890123456789012345678901234]")},
    {"NaN", BYTES("[NaN]")},
    {"Infinity", BYTES("[Infinity]")},
    {"a BOM", BYTES("\xEF\xBB\xBF{}")},
    {"a lone high surrogate", BYTES("[\"\\ud83d\"]")},
    {"a high surrogate before another escape", BYTES("[\"\\ud83d\\n\"]")},
    {"a high surrogate before a letter's", BYTES("[\"\\ud83d\\u0041\"]")},
    {"two high surrogates", BYTES("[\"\\ud83d\\ud83d\"]")},
    {"a lone low surrogate", BYTES("[\"\\ude00\"]")},
    {"an escape of three digits", BYTES("[\"\\u00e\"]")},
    {"an escape that is none", BYTES("[\"\\x41\"]")},
    {"an escape cut off", BYTES("\"\\")},
    {"a Unicode escape cut off", BYTES("\"\\u00")},
    {"a comment", BYTES("{}/* x */")},
    {"a line comment", BYTES("[1]//x")},
    {"a trailing comma in an array", BYTES("[1,]")},
    {"a trailing comma in an object", BYTES("{\"a\":1,}")},
    {"a leading comma", BYTES("[,1]")},
    {"two commas", BYTES("[1,,2]")},
    {"single quotes", BYTES("{'a':1}")},
    {"a name without quotes", BYTES("{a:1}")},
    {"a number as a name", BYTES("{1:1}")},
    {"a missing colon", BYTES("{\"a\" 1}")},
    {"a missing value", BYTES("{\"a\":}")},
    {"a name alone", BYTES("{\"a\"}")},
    {"an open object", BYTES("{\"a\":1")},
    {"an open array", BYTES("[1")},
    {"an open string", BYTES("[\"a]")},
    {"brackets crossed", BYTES("[{]}")},
    {"a literal in upper case", BYTES("[TRUE]")},
    {"a literal cut off", BYTES("tru")},
    {"a literal with more behind it", BYTES("[nullx]")},
};

START_TEST(anything_else_is_refused)
{
    _cleanup_(cleanup_json) cJSON *document = parse(bad[_i].bytes, bad[_i].length);
    ck_assert_msg(document == NULL, "%s", bad[_i].name);
}
END_TEST

START_TEST(no_bytes_at_all_are_refused)
{
    ck_assert_ptr_null(json_parse(NULL, 0));
}
END_TEST

static cJSON *parse_nested(int depth, const char *opening, const char *closing)
{
    char text[1024] = "";
    FILE *stream = fmemopen(text, sizeof(text), "w");
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < depth; i++)
        ck_assert_int_ge(fputs(opening, stream), 0);
    ck_assert_int_ge(fputs("1", stream), 0);
    for (int i = 0; i < depth; i++)
        ck_assert_int_ge(fputs(closing, stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
    return parse_text(text);
}

START_TEST(nesting_is_taken_to_the_limit_and_no_further)
{
    _cleanup_(cleanup_json) cJSON *arrays = parse_nested(JSON_DEPTH_MAX, "[", "]");
    _cleanup_(cleanup_json) cJSON *objects = parse_nested(JSON_DEPTH_MAX, "{\"a\":", "}");
    ck_assert_ptr_nonnull(arrays);
    ck_assert_ptr_nonnull(objects);
    ck_assert_ptr_null(parse_nested(JSON_DEPTH_MAX + 1, "[", "]"));
    ck_assert_ptr_null(parse_nested(JSON_DEPTH_MAX + 1, "{\"a\":", "}"));
}
END_TEST

START_TEST(neighbours_do_not_count_as_nesting)
{
    char text[4 * 4 * JSON_DEPTH_MAX] = "";
    FILE *stream = fmemopen(text, sizeof(text), "w");
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_ge(fputs("[[]", stream), 0);
    for (int i = 0; i < 3 * JSON_DEPTH_MAX; i++)
        ck_assert_int_ge(fputs(",{}", stream), 0);
    ck_assert_int_ge(fputs("]", stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
    _cleanup_(cleanup_json) cJSON *document = parse_text(text);
    ck_assert_ptr_nonnull(document);
}
END_TEST

START_TEST(a_flood_of_opening_brackets_is_refused)
{
    static char text[1000000];
    memset(text, '[', sizeof(text));
    ck_assert_ptr_null(json_parse(text, sizeof(text)));
}
END_TEST

/* An object of `count` members; the last is named as the first when `twice`. */
static char *many_members(int count, bool twice)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < count; i++)
        ck_assert_int_gt(fprintf(stream, "%c\"member-%d\":%d", i == 0 ? '{' : ',',
                                 twice && i == count - 1 ? 0 : i, i),
                         0);
    ck_assert_int_ge(fputs("}", stream), 0);
    ck_assert_int_eq(fclose(stream), 0);
    return text;
}

START_TEST(ten_thousand_members_are_judged_too)
{
    _cleanup_(cleanup_free) char *all_differ = many_members(10000, false);
    _cleanup_(cleanup_free) char *two_alike = many_members(10000, true);
    _cleanup_(cleanup_json) cJSON *document = parse_text(all_differ);
    ck_assert_ptr_nonnull(document);
    ck_assert_ptr_null(parse_text(two_alike));
}
END_TEST

START_TEST(a_member_is_found_by_its_exact_name_alone)
{
    _cleanup_(cleanup_json) cJSON *document = parse_text("{\"ALG\":\"none\",\"alg\":\"RS256\"}");
    ck_assert_str_eq(json_text(document, "alg"), "RS256");
    ck_assert_str_eq(json_text(document, "ALG"), "none");
    ck_assert_ptr_null(json_member(document, "Alg"));
    ck_assert_ptr_null(json_member(document, "al"));
}
END_TEST

START_TEST(what_is_no_object_has_no_members)
{
    _cleanup_(cleanup_json) cJSON *document = parse_text("[{\"a\":\"b\"}]");
    ck_assert_ptr_null(json_member(document, "a"));
    ck_assert_ptr_null(json_member(NULL, "a"));
    ck_assert_ptr_null(json_text(NULL, "a"));
}
END_TEST

START_TEST(only_a_string_is_text)
{
    _cleanup_(cleanup_json) cJSON *document =
        parse_text("{\"a\":1,\"b\":null,\"c\":[\"x\"],\"d\":\"\"}");
    ck_assert_ptr_null(json_text(document, "a"));
    ck_assert_ptr_null(json_text(document, "b"));
    ck_assert_ptr_null(json_text(document, "c"));
    ck_assert_str_eq(json_text(document, "d"), "");
}
END_TEST

static const struct {
    const char *list;
    bool has_word;
} word_lists[] = {
    {"\"WebhooksLambda\"", true},
    {"\"openid WebhooksLambda\"", true},
    {"\"WebhooksLambda openid\"", true},
    {"[\"openid\",\"WebhooksLambda\"]", true},
    {"\"\"", false},
    {"\"webhookslambda\"", false},
    {"\"WebhooksLambdas\"", false},
    {"\"XWebhooksLambda\"", false},
    {"\"Webhooks Lambda\"", false},
    {"\"openid,WebhooksLambda\"", false},
    {"\"openid\\tWebhooksLambda\"", false},
    {"\"openid  WebhooksLambda\"", false},
    {"\" WebhooksLambda\"", false},
    {"\"WebhooksLambda \"", false},
    {"[\"openid WebhooksLambda\"]", false},
    {"[\"WebhooksLambda\",1]", false},
    {"[[\"WebhooksLambda\"]]", false},
    {"[]", false},
    {"{\"WebhooksLambda\":true}", false},
    {"1", false},
    {"null", false},
};

START_TEST(a_word_stands_in_a_list_only_as_a_whole)
{
    _cleanup_(cleanup_json) cJSON *list = parse_text(word_lists[_i].list);
    ck_assert_ptr_nonnull(list);
    ck_assert_msg(json_has_word(list, "WebhooksLambda") == word_lists[_i].has_word, "%s",
                  word_lists[_i].list);
}
END_TEST

START_TEST(a_missing_list_has_no_word)
{
    ck_assert(!json_has_word(NULL, "WebhooksLambda"));
}
END_TEST

Suite *json_suite(void)
{
    Suite *suite = suite_create("json");
    ADD_RULE_FOR_EACH(suite, strict_json_is_taken, good);
    ADD_RULE_FOR_EACH(suite, anything_else_is_refused, bad);
    ADD_RULE(suite, no_bytes_at_all_are_refused);
    ADD_RULE(suite, nesting_is_taken_to_the_limit_and_no_further);
    ADD_RULE(suite, neighbours_do_not_count_as_nesting);
    ADD_RULE(suite, a_flood_of_opening_brackets_is_refused);
    ADD_RULE(suite, ten_thousand_members_are_judged_too);
    ADD_RULE(suite, a_member_is_found_by_its_exact_name_alone);
    ADD_RULE(suite, what_is_no_object_has_no_members);
    ADD_RULE(suite, only_a_string_is_text);
    ADD_RULE_FOR_EACH(suite, a_word_stands_in_a_list_only_as_a_whole, word_lists);
    ADD_RULE(suite, a_missing_list_has_no_word);
    return suite;
}
