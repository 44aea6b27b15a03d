/* SPDX-License-Identifier: MIT */
#include "rules.h"

/* Many requests at the same moment, taken by several processes of several endpoints: one wins. */

enum { RACERS = 200, RACES = 20 };

/* Exactly one of many requests for the same session is served, whoever takes it. */
static void race(void)
{
    static struct request requests[RACERS];
    static struct response responses[RACERS];
    const void *scratch = scratch_mark();
    const char *id = new_uuid();
    arm(id);
    size_t mark = log_mark();
    for (size_t i = 0; i < RACERS; i++)
        requests[i] = OPENING(.id = i % 3 == 0 ? upper_case(id) : id,
                              .endpoint = i % 2 == 0 ? "auth" : "authrefresh");
    http_send_all(requests, responses, RACERS, RACERS, NULL);
    const struct response *winner = NULL;
    for (size_t i = 0; i < RACERS; i++) {
        if (responses[i].status == 200) {
            EXPECT(winner == NULL, "%s", "two requests opened the same session");
            winner = &responses[i];
        } else {
            EXPECT_STATUS(responses[i], 403);
        }
    }
    EXPECT(winner != NULL, "%s", "nobody opened the session");
    EXPECT_TEXT(session_column("opened_by", id), winner->endpoint);
    AWAIT(LOG_COUNT(mark, "event", "refused", "refusal", "session_used") == RACERS - 1, "%s",
          "not all others were refused as used");
    EXPECT_NUMBER(LOG_COUNT(mark, "event", "session_opened", "session", log_id_of(id)), 1);
    scratch_release_to(scratch);
}

START_TEST(of_200_openings_at_the_same_moment_one_wins)
{
    SERVER(.processes = 4);
    for (int i = 0; i < RACES; i++)
        race();
}
END_TEST

START_TEST(of_many_deliveries_at_the_same_moment_one_arms_the_session)
{
    enum { DELIVERIES = 100 };
    static struct request requests[DELIVERIES];
    static struct response responses[DELIVERIES];
    SERVER(.processes = 4);
    arm(new_uuid()); /* now the key set is there */
    const char *id = new_uuid();
    const char *token = TOKEN();
    size_t mark = log_mark();
    for (size_t i = 0; i < DELIVERIES; i++)
        requests[i] = NOTIFICATION(.id = id, .token = token);
    http_send_all(requests, responses, DELIVERIES, DELIVERIES, NULL);
    for (size_t i = 0; i < DELIVERIES; i++)
        EXPECT_STATUS(responses[i], 200);
    AWAIT(LOG_COUNT(mark, "outcome", "repeated") == DELIVERIES - 1, "%s", "too few repeated");
    EXPECT_NUMBER(LOG_COUNT(mark, "outcome", "armed"), 1);
    EXPECT_NUMBER(events_of(id), 1);
}
END_TEST

Suite *race_rules(void)
{
    Suite *suite = suite_create("race");
    ADD_TEST(suite, of_200_openings_at_the_same_moment_one_wins);
    ADD_TEST(suite, of_many_deliveries_at_the_same_moment_one_arms_the_session);
    return suite;
}
