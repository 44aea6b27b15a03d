/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "web/operator_proof.h"

#include <string.h>
#include <sys/stat.h>

/* Why a request is refused, said only to who holds the key beside the database. */

static const char *explain(const char *endpoint, int64_t shift_s)
{
    char value[OPERATOR_PROOF_SIZE];
    char error[LOCAL_KEY_ERROR_MAX];
    EXPECT(operator_proof_make(server_path("feedgate.db"), endpoint,
                               (server_time() + shift_s) * 1000, value, error),
           "%s", error);
    return scratch_format(OPERATOR_PROOF_REQUEST ": %s", value);
}

static void expect_word(struct response response, const char *word)
{
    EXPECT_TEXT(response_header(&response, OPERATOR_PROOF_ANSWER), word);
}

START_TEST(who_holds_the_key_learns_why)
{
    const char *proof = explain("notification", 0);
    expect_word(NOTIFY(.authorization = "Bearer x", .headers = {proof}), "token_malformed");
    expect_word(NOTIFY(.authorization = OMIT, .headers = {proof}), "token_missing");
    expect_word(NOTIFY(.key = OMIT, .headers = {proof}), "key_header_missing");
    expect_word(NOTIFY(.media_type = "text/plain", .headers = {proof}), "media_type");
    expect_word(LIST(.authorization = OMIT, .headers = {explain("availableaccounts", 0)}),
                "token_missing");
    expect_word(OPEN(.headers = {explain("auth", 0)}), "session_unknown");
    expect_word(OPEN(.endpoint = "authrefresh", .headers = {explain("authrefresh", 0)}),
                "session_unknown");
    expect_word(http_send(&(struct request){
                    .path = "/code",
                    .body = "{}",
                    .body_length = 2,
                    .headers = {"Content-Type: application/json", explain("code", 0)}}),
                "code_key_missing");
}
END_TEST

START_TEST(nothing_but_the_answer_to_a_refusal_is_different)
{
    const char *proof = explain("notification", 0);
    struct response accepted = NOTIFY(.headers = {proof});
    EXPECT_RECORDED(accepted, "armed");
    expect_word(accepted, NULL);
    EXPECT_REFUSED(NOTIFY(.key = OMIT, .headers = {proof}), REFUSAL_KEY_HEADER_MISSING);
    EXPECT_REFUSED(NOTIFY(.authorization = OMIT, .headers = {proof}), REFUSAL_TOKEN_MISSING);
    const char *id = new_uuid();
    EXPECT_REFUSED(OPEN(.id = id, .headers = {explain("auth", 0)}), REFUSAL_SESSION_UNKNOWN);
    arm(id);
    struct response opened = OPEN(.id = id, .headers = {explain("auth", 0)});
    EXPECT_OPENED(opened, id);
    expect_word(opened, NULL);
}
END_TEST

/* The good value with one thing changed; `#` is the expiry, `*` the MAC. */
static const struct {
    const char *name, *value;
} forgeries[] = {
    {"nothing", ""},
    {"a dot", "."},
    {"no MAC", "#."},
    {"no expiry", ".*"},
    {"no dot", "#*"},
    {"another separator", "#:*"},
    {"a leading zero", "0#.*"},
    {"a sign", "+#.*"},
    {"behind the MAC", "#.*0"},
    {"another expiry", "9#.*"},
    {"a part of the MAC", "#.0123456789abcdef"},
    {"another MAC", "#.0000000000000000000000000000000000000000000000000000000000000000"},
    {"twice", "#.*, #.*"},
    {"the scheme", "Bearer #.*"},
};

static void expect_silence(const char *header)
{
    expect_word(NOTIFY(.authorization = OMIT, .headers = {header}), NULL);
}

START_TEST(without_a_good_proof_nobody_learns_why)
{
    expect_word(NOTIFY(.authorization = OMIT), NULL);
    const char *good = explain("notification", 0) + strlen(OPERATOR_PROOF_REQUEST ": ");
    const char *expiry = scratch_copy(good, strcspn(good, "."));
    const char *mac = strchr(good, '.') + 1;
    for (size_t i = 0; i < ROWS(forgeries); i++) {
        case_is(forgeries[i].name);
        const char *value = fill_in(fill_in(forgeries[i].value, '#', expiry), '*', mac);
        expect_silence(scratch_format(OPERATOR_PROOF_REQUEST ": %s", value));
    }
    case_is("upper case");
    expect_silence(scratch_format(OPERATOR_PROOF_REQUEST ": %s.%s", expiry, upper_case(mac)));
    case_is("two lines");
    expect_word(NOTIFY(.authorization = OMIT,
                       .headers = {explain("notification", 0), explain("notification", 0)}),
                NULL);
}
END_TEST

START_TEST(a_proof_is_for_one_endpoint_and_a_short_time)
{
    SERVER(.own_clock = true);
    (void)NOTIFY(); /* the clock has been read */
    expect_word(NOTIFY(.authorization = OMIT, .headers = {explain("notification", 0)}),
                "token_missing");
    case_is("another endpoint's");
    expect_silence(explain("availableaccounts", 0));
    expect_silence(explain("notificatio", 0));
    expect_word(LIST(.authorization = OMIT, .headers = {explain("notification", 0)}), NULL);
    case_is("expired");
    expect_silence(explain("notification", -OPERATOR_PROOF_LIFETIME_S / 2 - 1));
    case_is("in its last second");
    expect_word(NOTIFY(.authorization = OMIT,
                       .headers = {explain("notification", -OPERATOR_PROOF_LIFETIME_S / 2)}),
                "token_missing");
    case_is("too far ahead");
    expect_silence(explain("notification", OPERATOR_PROOF_LIFETIME_S / 2 + 1));
    case_is("as far ahead as may be");
    expect_word(NOTIFY(.authorization = OMIT,
                       .headers = {explain("notification", OPERATOR_PROOF_LIFETIME_S / 2)}),
                "token_missing");
    case_is("kept until it is expired");
    const char *kept = explain("notification", 0);
    clock_move(OPERATOR_PROOF_LIFETIME_S / 2 + 1);
    expect_silence(kept);
}
END_TEST

START_TEST(another_key_proves_nothing)
{
    SERVER(.processes = 1);
    const char *proof = explain("notification", 0);
    expect_word(NOTIFY(.authorization = OMIT, .headers = {proof}), "token_missing");
    server_write_file("feedgate.db.key", "0123456789abcdef0123456789abcdef");
    expect_silence(proof);
    expect_word(NOTIFY(.authorization = OMIT, .headers = {explain("notification", 0)}),
                "token_missing");
    case_is("a key that others may read");
    proof = explain("notification", 0);
    EXPECT_NUMBER(chmod(server_path("feedgate.db.key"), 0664), 0);
    size_t mark = log_mark();
    expect_silence(proof);
    EXPECT(strstr(log_since(mark), "code_key_unusable") == NULL, "%s", log_since(mark));
}
END_TEST

Suite *explain_rules(void)
{
    Suite *suite = suite_create("explain");
    ADD_TEST(suite, who_holds_the_key_learns_why);
    ADD_TEST(suite, nothing_but_the_answer_to_a_refusal_is_different);
    ADD_TEST(suite, without_a_good_proof_nobody_learns_why);
    ADD_TEST(suite, a_proof_is_for_one_endpoint_and_a_short_time);
    ADD_TEST(suite, another_key_proves_nothing);
    return suite;
}
