/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/refusal.h"

#include <string.h>

START_TEST(every_refusal_has_a_status_of_its_kind)
{
    int status = refusal_status((enum refusal)(_i + 1));
    ck_assert_int_ge(status, 400);
    ck_assert_int_lt(status, 600);
}
END_TEST

START_TEST(every_refusal_has_words_for_the_client)
{
    ck_assert_uint_gt(strlen(refusal_title((enum refusal)(_i + 1))), 0);
    ck_assert_uint_gt(strlen(refusal_advice((enum refusal)(_i + 1))), 0);
}
END_TEST

START_TEST(every_refusal_has_a_log_word_of_its_own)
{
    const char *word = refusal_word((enum refusal)(_i + 1));
    ck_assert_uint_gt(strlen(word), 0);
    ck_assert_uint_eq(strspn(word, "abcdefghijklmnopqrstuvwxyz_"), strlen(word));
    for (int other = REFUSAL_NONE; other < REFUSAL_COUNT; other++)
        if (other != _i + 1)
            ck_assert_str_ne(word, refusal_word((enum refusal)other));
}
END_TEST

START_TEST(a_public_answer_has_one_status)
{
    enum refusal refusal = (enum refusal)(_i + 1);
    for (int other = REFUSAL_NONE + 1; other < REFUSAL_COUNT; other++)
        if (refusal_answer((enum refusal)other) == refusal_answer(refusal))
            ck_assert_int_eq(refusal_status((enum refusal)other), refusal_status(refusal));
}
END_TEST

START_TEST(the_client_cannot_tell_unknown_expired_and_used_sessions_apart)
{
    static const enum refusal alike[] = {REFUSAL_SESSION_UNKNOWN, REFUSAL_SESSION_EXPIRED,
                                         REFUSAL_SESSION_USED, REFUSAL_SESSION_BANK,
                                         REFUSAL_CONTINUATION_MISSING};
    for (size_t i = 0; i < COUNT(alike); i++) {
        ck_assert_int_eq(refusal_status(alike[i]), 403);
        ck_assert_int_eq((int)refusal_answer(alike[i]), ANSWER_SESSION_NOT_USABLE);
    }
}
END_TEST

START_TEST(the_client_cannot_tell_why_credentials_were_refused)
{
    for (int refusal = REFUSAL_KEY_HEADER_MISSING; refusal <= REFUSAL_TOKEN_CLIENT; refusal++) {
        ck_assert_int_eq(refusal_status((enum refusal)refusal), 401);
        ck_assert_int_eq((int)refusal_answer((enum refusal)refusal), ANSWER_UNAUTHENTICATED);
    }
}
END_TEST

START_TEST(the_client_cannot_tell_unknown_from_unlinked_accounts)
{
    ck_assert_int_eq(refusal_status(REFUSAL_ACCOUNT_UNKNOWN), 404);
    ck_assert_int_eq(refusal_status(REFUSAL_ACCOUNT_NOT_LINKED), 404);
    ck_assert_str_eq(refusal_title(REFUSAL_ACCOUNT_UNKNOWN),
                     refusal_title(REFUSAL_ACCOUNT_NOT_LINKED));
    ck_assert_str_eq(refusal_advice(REFUSAL_ACCOUNT_UNKNOWN),
                     refusal_advice(REFUSAL_ACCOUNT_NOT_LINKED));
}
END_TEST

/* All values but REFUSAL_NONE, which is the first. */
#define ADD_RULE_FOR_EACH_REFUSAL(suite, test)                                                     \
    parts_add_rule((suite), #test, (test), REFUSAL_COUNT - 1)

Suite *refusal_suite(void)
{
    Suite *suite = suite_create("refusal");
    ADD_RULE_FOR_EACH_REFUSAL(suite, every_refusal_has_a_status_of_its_kind);
    ADD_RULE_FOR_EACH_REFUSAL(suite, every_refusal_has_words_for_the_client);
    ADD_RULE_FOR_EACH_REFUSAL(suite, every_refusal_has_a_log_word_of_its_own);
    ADD_RULE_FOR_EACH_REFUSAL(suite, a_public_answer_has_one_status);
    ADD_RULE(suite, the_client_cannot_tell_unknown_expired_and_used_sessions_apart);
    ADD_RULE(suite, the_client_cannot_tell_why_credentials_were_refused);
    ADD_RULE(suite, the_client_cannot_tell_unknown_from_unlinked_accounts);
    return suite;
}
