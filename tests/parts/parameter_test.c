/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/uuid.h"
#include "web/parameter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ID "11111111-2222-4333-8444-555555555555"
#define OTHER_ID "aaaaaaaa-BBBB-4ccc-8DDD-eeeeeeeeeeee"
#define URI "https%3A%2F%2Fmoney.sage.com%2Fback%3Fa%3D1%26b%3D2"

static const struct parameter declared[] = {
    {"authorisation_id", PARAMETER_UUID, REQUIRED},
    {"redirect_uri", PARAMETER_REDIRECT_URI, REQUIRED},
    {"externalId", PARAMETER_TEXT, OPTIONAL},
    {NULL, PARAMETER_TEXT, OPTIONAL},
};

#define GOOD "authorisation_id=" ID "&redirect_uri=" URI

START_TEST(values_are_decoded_once)
{
    struct parameter_values values;
    const char *culprit;
    ck_assert_int_eq(
        (int)parameter_read(GOOD "&externalId=50%2525+off%2B", declared, &values, &culprit),
        REFUSAL_NONE);
    ck_assert_ptr_null(culprit);
    ck_assert_str_eq(parameter_value(&values, "authorisation_id"), ID);
    ck_assert_str_eq(parameter_value(&values, "redirect_uri"),
                     "https://money.sage.com/back?a=1&b=2");
    ck_assert_str_eq(parameter_value(&values, "externalId"), "50%25 off+");
    ck_assert_ptr_null(parameter_value(&values, "never_declared"));
    parameter_values_clear(&values);
    ck_assert_ptr_null(parameter_value(&values, "authorisation_id"));
    parameter_values_clear(&values);
}
END_TEST

START_TEST(an_optional_parameter_may_be_left_out)
{
    struct parameter_values values;
    const char *culprit;
    ck_assert_int_eq((int)parameter_read(GOOD, declared, &values, &culprit), REFUSAL_NONE);
    ck_assert_ptr_null(parameter_value(&values, "externalId"));
    parameter_values_clear(&values);
}
END_TEST

struct query {
    const char *query;
    enum refusal refusal;
    const char *culprit;
};

static const struct query queries[] = {
    {GOOD, REFUSAL_NONE, NULL},
    {"redirect_uri=" URI "&authorisation_id=" OTHER_ID, REFUSAL_NONE, NULL},
    {"&&" GOOD "&&", REFUSAL_NONE, NULL},
    {GOOD "&new=1&newer&=", REFUSAL_NONE, NULL},
    {"authorisation%5Fid=" ID "&redirect_uri=" URI, REFUSAL_NONE, NULL},
    {GOOD "&externalId=a=b", REFUSAL_NONE, NULL},
    {GOOD "&new=%c3%a9", REFUSAL_NONE, NULL},

    {NULL, REFUSAL_PARAMETER_MISSING, "authorisation_id"},
    {"", REFUSAL_PARAMETER_MISSING, "authorisation_id"},
    {"authorisation_id=" ID, REFUSAL_PARAMETER_MISSING, "redirect_uri"},
    {"Authorisation_Id=" ID "&redirect_uri=" URI, REFUSAL_PARAMETER_MISSING, "authorisation_id"},
    {"redirect_uri=" URI ";authorisation_id=" ID, REFUSAL_PARAMETER_MISSING, "authorisation_id"},
    {"authorisation_id%3D=" ID "&redirect_uri=" URI, REFUSAL_PARAMETER_MISSING, "authorisation_id"},

    {GOOD "&authorisation_id=" ID, REFUSAL_PARAMETER_TWICE, "authorisation_id"},
    {GOOD "&authorisation%5fid=" OTHER_ID, REFUSAL_PARAMETER_TWICE, "authorisation_id"},
    {GOOD "&authorisation_id", REFUSAL_PARAMETER_TWICE, "authorisation_id"},
    {GOOD "&authorisation_id=%zz", REFUSAL_PARAMETER_TWICE, "authorisation_id"},
    {GOOD "&new=1&n%65w=2", REFUSAL_PARAMETER_TWICE, NULL},
    {GOOD "&=1&=2", REFUSAL_PARAMETER_TWICE, NULL},
    {"authorisation_id=x&authorisation_id=y", REFUSAL_PARAMETER_TWICE, "authorisation_id"},

    {"authorisation_id=&redirect_uri=" URI, REFUSAL_PARAMETER_MALFORMED, "authorisation_id"},
    {"authorisation_id&redirect_uri=" URI, REFUSAL_PARAMETER_MALFORMED, "authorisation_id"},
    {"authorisation_id=" ID "%00&redirect_uri=" URI, REFUSAL_PARAMETER_MALFORMED,
     "authorisation_id"},
    {"authorisation_id=" ID "+&redirect_uri=" URI, REFUSAL_PARAMETER_MALFORMED, "authorisation_id"},
    {"authorisation_id=%zz&redirect_uri=" URI, REFUSAL_PARAMETER_MALFORMED, "authorisation_id"},
    {"authorisation_id=" ID "&redirect_uri=", REFUSAL_PARAMETER_MALFORMED, "redirect_uri"},
    {"authorisation_id=" ID "&redirect_uri=%2", REFUSAL_PARAMETER_MALFORMED, "redirect_uri"},
    {"authorisation_id=" ID "&redirect_uri=%", REFUSAL_PARAMETER_MALFORMED, "redirect_uri"},
    {"authorisation_id=" ID "&redirect_uri=%%32%35", REFUSAL_PARAMETER_MALFORMED, "redirect_uri"},
    {"authorisation_id=" ID "&redirect_uri=%+1", REFUSAL_PARAMETER_MALFORMED, "redirect_uri"},
    {"authorisation_id=" ID "&redirect_uri=%u0041", REFUSAL_PARAMETER_MALFORMED, "redirect_uri"},
    {GOOD "&externalId=", REFUSAL_PARAMETER_MALFORMED, "externalId"},
    {GOOD "&externalId=a%0Ab", REFUSAL_PARAMETER_MALFORMED, "externalId"},
    {GOOD "&externalId=%7F", REFUSAL_PARAMETER_MALFORMED, "externalId"},
    {GOOD "&externalId=%C3%A9", REFUSAL_PARAMETER_MALFORMED, "externalId"},
    {GOOD "&externalId=\xC3\xA9", REFUSAL_PARAMETER_MALFORMED, "externalId"},
    {GOOD "&new=%00", REFUSAL_PARAMETER_MALFORMED, NULL},
    {GOOD "&new=%zz", REFUSAL_PARAMETER_MALFORMED, NULL},
    {GOOD "&n%00ew=1", REFUSAL_PARAMETER_MALFORMED, NULL},
    {GOOD "&n%gw=1", REFUSAL_PARAMETER_MALFORMED, NULL},
    {"authorisation_id%00=" ID "&redirect_uri=" URI, REFUSAL_PARAMETER_MALFORMED, NULL},
};

/* What a query comes to; the values, if any, are given back. */
static enum refusal outcome(const char *query, const char **culprit)
{
    struct parameter_values values;
    enum refusal refusal = parameter_read(query, declared, &values, culprit);
    if (refusal == REFUSAL_NONE)
        parameter_values_clear(&values);
    return refusal;
}

START_TEST(a_query_passes_only_when_all_of_it_does)
{
    const struct query *row = &queries[_i];
    const char *culprit = "unset";
    enum refusal refusal = outcome(row->query, &culprit);
    const char *query = row->query == NULL ? "(none)" : row->query;
    ck_assert_msg(refusal == row->refusal, "%s: %s", query, refusal_word(refusal));
    ck_assert_pstr_eq(culprit, row->culprit);
}
END_TEST

/* GOOD and one more parameter whose value is `length` times `letter`. */
static enum refusal outcome_of_length(const char *name, size_t length, const char **culprit)
{
    char query[QUERY_BYTES_MAX + 64];
    int used = snprintf(query, sizeof(query), "authorisation_id=%s&%s=", ID, name);
    ck_assert_int_gt(used, 0);
    ck_assert_uint_lt((size_t)used + length, sizeof(query));
    memset(query + used, 'x', length);
    query[(size_t)used + length] = '\0';
    return outcome(query, culprit);
}

START_TEST(a_redirect_uri_has_a_longest_length)
{
    const char *culprit;
    ck_assert_int_eq((int)outcome_of_length("redirect_uri", 2048, &culprit), REFUSAL_NONE);
    ck_assert_int_eq((int)outcome_of_length("redirect_uri", 2049, &culprit),
                     REFUSAL_PARAMETER_MALFORMED);
    ck_assert_str_eq(culprit, "redirect_uri");
}
END_TEST

START_TEST(a_text_has_a_longest_length)
{
    const char *culprit;
    ck_assert_int_eq((int)outcome_of_length("redirect_uri=x&externalId", 256, &culprit),
                     REFUSAL_NONE);
    ck_assert_int_eq((int)outcome_of_length("redirect_uri=x&externalId", 257, &culprit),
                     REFUSAL_PARAMETER_MALFORMED);
    ck_assert_str_eq(culprit, "externalId");
}
END_TEST

START_TEST(a_query_has_a_longest_length)
{
    const char *culprit;
    size_t frame = strlen("authorisation_id=" ID "&redirect_uri=x&new=");
    ck_assert_int_eq(
        (int)outcome_of_length("redirect_uri=x&new", QUERY_BYTES_MAX - frame, &culprit),
        REFUSAL_NONE);
    ck_assert_int_eq(
        (int)outcome_of_length("redirect_uri=x&new", QUERY_BYTES_MAX - frame + 1, &culprit),
        REFUSAL_PARAMETER_MALFORMED);
    ck_assert_ptr_null(culprit);
}
END_TEST

static enum refusal outcome_of_pairs(int pairs)
{
    const char *culprit;
    char query[QUERY_BYTES_MAX];
    int used = snprintf(query, sizeof(query), "%s", GOOD);
    for (int i = 2; i < pairs; i++)
        used += snprintf(query + used, sizeof(query) - (size_t)used, "&p%d=1", i);
    return outcome(query, &culprit);
}

START_TEST(a_query_has_a_largest_number_of_pairs)
{
    ck_assert_int_eq((int)outcome_of_pairs(QUERY_PAIRS_MAX), REFUSAL_NONE);
    ck_assert_int_eq((int)outcome_of_pairs(QUERY_PAIRS_MAX + 1), REFUSAL_PARAMETER_MALFORMED);
}
END_TEST

static const struct {
    const char *text;
    bool is_uuid;
} uuids[] = {
    {ID, true},
    {OTHER_ID, true},
    {"00000000-0000-0000-0000-000000000000", true},
    {"", false},
    {"11111111-2222-4333-8444-55555555555", false},
    {"11111111-2222-4333-8444-5555555555555", false},
    {"11111111222243338444555555555555", false},
    {"{11111111-2222-4333-8444-555555555555}", false},
    {"urn:uuid:11111111-2222-4333-8444-555555555555", false},
    {"1111111-12222-4333-8444-555555555555", false},
    {"11111111-2222-4333-8444-55555555555g", false},
    {"11111111_2222_4333_8444_555555555555", false},
    {" 1111111-2222-4333-8444-555555555555", false},
    {"11111111-2222-4333-8444-555555555555\n", false},
    {"11111111-2222-4333-8444-55555555555\xC3", false},
};

START_TEST(a_uuid_has_one_form)
{
    ck_assert_msg(uuid_is_valid(uuids[_i].text) == uuids[_i].is_uuid, "%s", uuids[_i].text);
}
END_TEST

Suite *parameter_suite(void)
{
    Suite *suite = suite_create("parameter");
    ADD_RULE(suite, values_are_decoded_once);
    ADD_RULE(suite, an_optional_parameter_may_be_left_out);
    ADD_RULE_FOR_EACH(suite, a_query_passes_only_when_all_of_it_does, queries);
    ADD_RULE(suite, a_redirect_uri_has_a_longest_length);
    ADD_RULE(suite, a_text_has_a_longest_length);
    ADD_RULE(suite, a_query_has_a_longest_length);
    ADD_RULE(suite, a_query_has_a_largest_number_of_pairs);
    ADD_RULE_FOR_EACH(suite, a_uuid_has_one_form, uuids);
    return suite;
}
