/* SPDX-License-Identifier: MIT */
#include "key_fixture.h"

#include "sage/sage_token.h"
#include "scratch.h"

#include <string.h>

/* What a process remembers of tokens; what a token must be is in tests/rules. */

static const struct sage_token_rules rules = {
    .issuer = "https://id.test/", .audience = "banks", .scope = "read", .client = "sage"};

/* Good for these rules until 2001. */
static const char *make_token(void)
{
    static const char header[] = "{\"alg\":\"RS256\",\"kid\":\"first\"}";
    static const char claims[] = "{\"iss\":\"https://id.test/\",\"aud\":\"banks\","
                                 "\"scope\":\"read\",\"azp\":\"sage\",\"exp\":1000000000}";
    unsigned char signature[512];
    size_t length = sizeof(signature);
    const char *text = scratch_format("%s.%s", base64url(header, strlen(header)),
                                      base64url(claims, strlen(claims)));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    ck_assert_int_eq(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, signing_key("first")),
                     1);
    ck_assert_int_eq(
        EVP_DigestSign(context, signature, &length, (const unsigned char *)text, strlen(text)), 1);
    EVP_MD_CTX_free(context);
    return scratch_format("%s.%s", text, base64url(signature, length));
}

static enum refusal verify(struct token_memory *memory, const struct sage_token_rules *its_rules,
                           const char *token)
{
    struct sage_token said;
    return sage_token_verify(its_rules, keys, memory, CALLER_STRANGER, token, strlen(token),
                             clock_now(&test_clock), &said);
}

static const struct {
    struct sage_token_rules rules;
    enum refusal refusal;
} others[] = {
    {{"https://id.test/", "banks", "write", "sage"}, REFUSAL_TOKEN_SCOPE},
    {{"https://id.test/", "banks", "read", "another"}, REFUSAL_TOKEN_CLIENT},
    {{"https://id.test/", "others", "read", "sage"}, REFUSAL_TOKEN_AUDIENCE},
    {{"https://another.test/", "banks", "read", "sage"}, REFUSAL_TOKEN_ISSUER},
    {{"https://id.test/", "banks", "read", NULL}, REFUSAL_NONE},
};

START_TEST(a_token_is_remembered_only_for_the_rules_that_it_met)
{
    struct token_memory *memory = token_memory_new();
    ck_assert_ptr_nonnull(memory);
    const char *token = make_token();
    ck_assert_int_eq((int)verify(memory, &rules, token), REFUSAL_NONE);
    ck_assert_int_eq((int)verify(memory, &others[_i].rules, token), (int)others[_i].refusal);
    ck_assert_int_eq((int)verify(memory, &rules, token), REFUSAL_NONE);
    if (others[_i].refusal == REFUSAL_NONE) /* any client counts for no certain one */
        ck_assert_int_eq((int)verify(memory, &others[1].rules, token), REFUSAL_TOKEN_CLIENT);
    token_memory_free(memory);
}
END_TEST

Suite *sage_token_suite(void)
{
    Suite *suite = suite_create("sage_token");
    ADD_KEY_RULE_FOR_EACH(suite, a_token_is_remembered_only_for_the_rules_that_it_met, others);
    return suite;
}
