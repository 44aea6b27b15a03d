/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "records/session.h"

#include <string.h>

enum { NOW = 1000000, LATER = 2 * NOW, LIFETIME = 1200, CROWD = 16, ROUNDS = 20 };

#define ID "0F0F0F0F-1111-4222-8333-444444444444"
#define OTHER_ID "0f0f0f0f-1111-4222-8333-555555555555"
#define BANK "aaaaaaaa-1111-4222-8333-444444444444"
#define OTHER_BANK "bbbbbbbb-1111-4222-8333-444444444444"

static struct session_key key_of(const char *id)
{
    struct session_key key;
    ck_assert(session_key_make(id, &key));
    return key;
}

struct arming {
    struct session_announcement announcement;
    enum session_armed armed;
};

static bool arm_piece(struct database *database, void *context)
{
    struct arming *arming = context;
    arming->armed = session_arm(database, &arming->announcement);
    return arming->armed != SESSION_NOT_STORED;
}

static enum session_armed arm_as(const char *id, const char *bank, int64_t now,
                                 int64_t token_expires_at)
{
    struct arming arming = {.announcement = {
                                .key = key_of(id),
                                .authorisation_id = id,
                                .bank_id = bank,
                                .notified_at = now,
                                .expires_at = now + LIFETIME,
                                .token_expires_at = token_expires_at,
                            }};
    write_now(arm_piece, &arming);
    return arming.armed;
}

static enum session_armed arm(const char *id)
{
    return arm_as(id, BANK, NOW, NOW + LIFETIME);
}

static enum refusal open_with(const char *id, const char *bank, enum flow flow, int64_t now)
{
    struct session_key key = key_of(id);
    struct session_opening opening = {
        .flow = flow,
        .bank = bank,
        .redirect_uri = "https://money.sage.com/",
        .state = "11111111-1111-4111-8111-111111111111",
        .bank_account = flow == FLOW_REAUTHORISATION ? "account" : NULL,
        .external_id = flow == FLOW_REAUTHORISATION ? "external" : NULL,
    };
    return session_consume(store, &key, &opening, now);
}

static enum refusal open_at(const char *id, int64_t now)
{
    return open_with(id, BANK, FLOW_AUTHORISATION, now);
}

START_TEST(a_key_is_the_identifier_in_lower_case)
{
    struct session_key key = key_of(ID);
    ck_assert_str_eq(key.key, "0f0f0f0f-1111-4222-8333-444444444444");
    ck_assert_uint_eq(strlen(key.log_id), SESSION_LOG_ID_SIZE - 1);
    ck_assert_ptr_null(strstr(key.key, key.log_id));
}
END_TEST

START_TEST(a_key_that_is_too_long_is_none)
{
    struct session_key key;
    ck_assert(!session_key_make(ID "0", &key));
}
END_TEST

START_TEST(an_armed_session_opens_once)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_NONE);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(it_opens_by_its_identifier_in_either_case)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_at("0f0f0f0f-1111-4222-8333-444444444444", NOW), REFUSAL_NONE);
}
END_TEST

START_TEST(what_was_not_announced_does_not_open)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_at(OTHER_ID, NOW), REFUSAL_SESSION_UNKNOWN);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_NONE);
}
END_TEST

START_TEST(one_identifier_serves_one_endpoint)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_with(ID, NULL, FLOW_REAUTHORISATION, NOW), REFUSAL_NONE);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_SESSION_USED);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM sessions WHERE flow = 're-authorisation' "
                               "AND opened_by = 'authrefresh' AND state = 'opened'"),
                     1);
}
END_TEST

static const struct {
    int64_t at;
    enum refusal refusal;
} times[] = {
    {NOW, REFUSAL_NONE},
    {NOW + LIFETIME - 1, REFUSAL_NONE},
    {NOW + LIFETIME, REFUSAL_SESSION_EXPIRED},
    {NOW + LIFETIME + 1, REFUSAL_SESSION_EXPIRED},
};

START_TEST(it_opens_within_its_lifetime)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_at(ID, times[_i].at), (int)times[_i].refusal);
    ck_assert_int_eq(number_of("SELECT opened_at IS NOT NULL FROM authorisation_session"),
                     times[_i].refusal == REFUSAL_NONE);
}
END_TEST

static const struct {
    const char *announced;
    const char *given;
    enum refusal refusal;
} banks[] = {
    {BANK, BANK, REFUSAL_NONE},
    {BANK, "AAAAAAAA-1111-4222-8333-444444444444", REFUSAL_NONE},
    {BANK, OTHER_BANK, REFUSAL_SESSION_BANK},
    {BANK, NULL, REFUSAL_NONE},
    {NULL, BANK, REFUSAL_NONE},
    {NULL, NULL, REFUSAL_NONE},
};

START_TEST(it_opens_for_the_bank_that_was_announced)
{
    ck_assert_int_eq((int)arm_as(ID, banks[_i].announced, NOW, NOW), SESSION_ARMED);
    ck_assert_int_eq((int)open_with(ID, banks[_i].given, FLOW_AUTHORISATION, NOW),
                     (int)banks[_i].refusal);
}
END_TEST

START_TEST(a_refused_bank_burns_no_session)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_with(ID, OTHER_BANK, FLOW_AUTHORISATION, NOW), REFUSAL_SESSION_BANK);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_NONE);
}
END_TEST

START_TEST(a_failing_store_opens_nothing_and_burns_nothing)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    execute("ALTER TABLE authorisation_session RENAME TO elsewhere");
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_STORE_FAILED);
    execute("ALTER TABLE elsewhere RENAME TO authorisation_session");
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_NONE);
}
END_TEST

static enum refusal answers[CROWD];

static void open_in_crowd(size_t number)
{
    answers[number] =
        open_with(ID, NULL, number % 2 == 0 ? FLOW_AUTHORISATION : FLOW_REAUTHORISATION, NOW);
}

START_TEST(of_a_crowd_exactly_one_gets_in)
{
    for (int round = 0; round < ROUNDS; round++) {
        size_t opened = 0;
        execute("DELETE FROM authorisation_session");
        ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
        run_crowd(CROWD, open_in_crowd);
        for (size_t i = 0; i < CROWD; i++) {
            opened += answers[i] == REFUSAL_NONE;
            ck_assert(answers[i] == REFUSAL_NONE || answers[i] == REFUSAL_SESSION_USED);
        }
        ck_assert_uint_eq(opened, 1);
    }
}
END_TEST

START_TEST(a_second_announcement_changes_nothing)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)arm_as(ID, OTHER_BANK, NOW + 100, NOW + 100 + LIFETIME), SESSION_KNOWN);
    ck_assert_int_eq(number_of("SELECT expires_at FROM authorisation_session"), NOW + LIFETIME);
    ck_assert_int_eq((int)open_at(ID, NOW + LIFETIME), REFUSAL_SESSION_EXPIRED);
}
END_TEST

START_TEST(a_used_session_cannot_be_armed_again)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_NONE);
    ck_assert_int_eq((int)arm_as(OTHER_ID, BANK, NOW, NOW), SESSION_ARMED);
    ck_assert_int_eq((int)arm("0f0f0f0f-1111-4222-8333-444444444444"), SESSION_KNOWN);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(an_expired_session_cannot_be_armed_again)
{
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)arm_as(ID, BANK, NOW + 2 * LIFETIME, NOW + 3 * LIFETIME), SESSION_KNOWN);
    ck_assert_int_eq((int)open_at(ID, NOW + 2 * LIFETIME), REFUSAL_SESSION_EXPIRED);
}
END_TEST

/* What is purged: both times must be over. */

struct purge {
    int64_t expired_before;
    int64_t token_expired_before;
    int64_t limit;
    int64_t removed;
};

static bool purge_piece(struct database *database, void *context)
{
    struct purge *purge = context;
    return session_purge(database, purge->expired_before, purge->token_expired_before, purge->limit,
                         &purge->removed);
}

static int64_t purge_before(int64_t expired_before, int64_t token_expired_before, int64_t limit)
{
    struct purge purge = {expired_before, token_expired_before, limit, -1};
    write_now(purge_piece, &purge);
    return purge.removed;
}

static const struct {
    const char *what;
    int64_t expired_before, token_expired_before;
    int64_t removed;
} purges[] = {
    {"both over", NOW + LIFETIME + 1, NOW + 5000 + 1, 1},
    {"not expired long enough", NOW + LIFETIME, NOW + 5000 + 1, 0},
    {"its token may be replayed", NOW + LIFETIME + 1, NOW + 5000, 0},
    {"neither", NOW, NOW, 0},
};

START_TEST(a_tombstone_stays_until_its_token_has_expired)
{
    ck_assert_int_eq((int)arm_as(ID, BANK, NOW, NOW + 5000), SESSION_ARMED);
    ck_assert_msg(purge_before(purges[_i].expired_before, purges[_i].token_expired_before, 10) ==
                      purges[_i].removed,
                  "%s", purges[_i].what);
    ck_assert_int_eq(number_of("SELECT COUNT(*) FROM authorisation_session"),
                     1 - purges[_i].removed);
}
END_TEST

START_TEST(a_purge_goes_in_steps)
{
    static const char *const ids[] = {
        "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002",
        "00000000-0000-4000-8000-000000000003", "00000000-0000-4000-8000-000000000004",
        "00000000-0000-4000-8000-000000000005"};
    for (size_t i = 0; i < COUNT(ids); i++)
        ck_assert_int_eq((int)arm_as(ids[i], BANK, NOW, NOW), SESSION_ARMED);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 2);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 2);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 1);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 0);
}
END_TEST

static bool newest_piece(struct database *database, void *context)
{
    return session_newest_time(database, context);
}

static int64_t newest(void)
{
    int64_t time = -1;
    ck_assert_int_eq((int)store_read(store, newest_piece, &time), STORE_DONE);
    return time;
}

START_TEST(the_newest_time_is_of_an_arming_or_an_opening)
{
    ck_assert_int_eq(newest(), 0);
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq(newest(), NOW);
    ck_assert_int_eq((int)arm_as(OTHER_ID, BANK, NOW + 10, NOW), SESSION_ARMED);
    ck_assert_int_eq(newest(), NOW + 10);
    ck_assert_int_eq((int)open_at(ID, NOW + 100), REFUSAL_NONE);
    ck_assert_int_eq(newest(), NOW + 100);
}
END_TEST

static size_t shown;
static char shown_ids[2][SESSION_ID_SIZE];

static void note_row(const struct session_row *row, void *context)
{
    ck_assert_ptr_eq(context, &shown);
    ck_assert_str_eq(row->notified_at, shown == 0 ? "1970-01-01 00:16:50" : "1970-01-01 00:16:40");
    ck_assert_str_eq(row->state, shown == 0 ? "expired" : "opened");
    if (shown < COUNT(shown_ids))
        memcpy(shown_ids[shown], row->authorisation_id, SESSION_ID_SIZE);
    shown++;
}

static bool list_piece(struct database *database, void *context)
{
    return session_list(database, 10, note_row, context);
}

START_TEST(sessions_are_listed_newest_first)
{
    shown = 0;
    ck_assert_int_eq((int)arm(ID), SESSION_ARMED);
    ck_assert_int_eq((int)open_at(ID, NOW), REFUSAL_NONE);
    ck_assert_int_eq((int)arm_as(OTHER_ID, NULL, NOW + 10000, NOW), SESSION_ARMED);
    ck_assert_int_eq((int)store_read(store, list_piece, &shown), STORE_DONE);
    ck_assert_uint_eq(shown, 2);
    ck_assert_str_eq(shown_ids[0], OTHER_ID);
    ck_assert_str_eq(shown_ids[1], ID); /* as it was received */
}
END_TEST

Suite *session_suite(void)
{
    Suite *suite = suite_create("session");
    ADD_RULE(suite, a_key_is_the_identifier_in_lower_case);
    ADD_RULE(suite, a_key_that_is_too_long_is_none);
    ADD_STORE_RULE(suite, an_armed_session_opens_once);
    ADD_STORE_RULE(suite, it_opens_by_its_identifier_in_either_case);
    ADD_STORE_RULE(suite, what_was_not_announced_does_not_open);
    ADD_STORE_RULE(suite, one_identifier_serves_one_endpoint);
    ADD_STORE_RULE_FOR_EACH(suite, it_opens_within_its_lifetime, times);
    ADD_STORE_RULE_FOR_EACH(suite, it_opens_for_the_bank_that_was_announced, banks);
    ADD_STORE_RULE(suite, a_refused_bank_burns_no_session);
    ADD_STORE_RULE(suite, a_failing_store_opens_nothing_and_burns_nothing);
    ADD_STORE_RULE(suite, of_a_crowd_exactly_one_gets_in);
    ADD_STORE_RULE(suite, a_second_announcement_changes_nothing);
    ADD_STORE_RULE(suite, a_used_session_cannot_be_armed_again);
    ADD_STORE_RULE(suite, an_expired_session_cannot_be_armed_again);
    ADD_STORE_RULE_FOR_EACH(suite, a_tombstone_stays_until_its_token_has_expired, purges);
    ADD_STORE_RULE(suite, a_purge_goes_in_steps);
    ADD_STORE_RULE(suite, the_newest_time_is_of_an_arming_or_an_opening);
    ADD_STORE_RULE(suite, sessions_are_listed_newest_first);
    return suite;
}
