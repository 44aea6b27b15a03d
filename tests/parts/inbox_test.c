/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "records/inbox.h"

#include <stdio.h>
#include <string.h>

enum { NOW = 1000000, LATER = 2 * NOW, TOKEN_EXPIRES = NOW + 5000 };

#define ANNOUNCEMENT(id, extra)                                                                    \
    "{\"type\":\"resourceCreated\",\"resource\":{\"type\":\"authorisation\",\"id\":\"" id          \
    "\"}" extra "}"
#define ID "0f0f0f0f-1111-4222-8333-444444444444"
#define UPPER_ID "0F0F0F0F-1111-4222-8333-444444444444"

struct receipt {
    struct event event;
    int64_t now;
    enum inbox_history history;
};

static bool deliver_piece(struct database *database, void *context)
{
    struct receipt *receipt = context;
    if (!inbox_history(database, &receipt->event, &receipt->history))
        return false;
    return receipt->history == INBOX_SAME_EVENT ||
           inbox_record(database, &receipt->event, EVENT_STORED, receipt->now, TOKEN_EXPIRES);
}

static enum inbox_history deliver_at(const char *body, int64_t now)
{
    struct receipt receipt = {.now = now};
    ck_assert_int_eq((int)event_read(body, strlen(body), &receipt.event), REFUSAL_NONE);
    write_now(deliver_piece, &receipt);
    return receipt.history;
}

static enum inbox_history deliver(const char *body)
{
    return deliver_at(body, NOW);
}

static int64_t events(void)
{
    return number_of("SELECT COUNT(*) FROM event");
}

START_TEST(an_event_is_recorded_once)
{
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_NEW);
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_SAME_EVENT);
    ck_assert_int_eq(events(), 1);
}
END_TEST

START_TEST(another_body_about_the_same_resource_is_told_apart)
{
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_NEW);
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, ",\"more\":1")), INBOX_ANOTHER_BODY);
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(UPPER_ID, "")), INBOX_ANOTHER_BODY);
    ck_assert_int_eq(events(), 3);
}
END_TEST

static const char *const strangers[] = {
    "{\"type\":\"resourceDeleted\",\"resource\":{\"type\":\"authorisation\",\"id\":\"" ID "\"}}",
    "{\"type\":\"resourceCreated\",\"resource\":{\"type\":\"bankAccount\",\"id\":\"" ID "\"}}",
    ANNOUNCEMENT("0f0f0f0f-1111-4222-8333-555555555555", ""),
};

START_TEST(another_type_or_resource_is_new)
{
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_NEW);
    ck_assert_int_eq((int)deliver(strangers[_i]), INBOX_NEW);
}
END_TEST

START_TEST(what_was_received_is_kept_whole)
{
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(UPPER_ID, ", \"x\" : [1]")), INBOX_NEW);
    ck_assert_int_eq(number_of("SELECT body = '" ANNOUNCEMENT(
                         UPPER_ID, ", \"x\" : [1]") "' AND "
                                                    "resource_id = '" ID "' FROM events"),
                     1);
}
END_TEST

START_TEST(every_outcome_has_a_word_of_its_own)
{
    for (int i = EVENT_ARMED; i <= EVENT_REPEATED; i++)
        for (int j = EVENT_ARMED; j < i; j++)
            ck_assert_str_ne(event_outcome_word((enum event_outcome)i),
                             event_outcome_word((enum event_outcome)j));
}
END_TEST

struct purge {
    int64_t received_before;
    int64_t token_expired_before;
    int64_t limit;
    int64_t removed;
};

static bool purge_piece(struct database *database, void *context)
{
    struct purge *purge = context;
    return inbox_purge(database, purge->received_before, purge->token_expired_before, purge->limit,
                       &purge->removed);
}

static int64_t purge_before(int64_t received_before, int64_t token_expired_before, int64_t limit)
{
    struct purge purge = {received_before, token_expired_before, limit, -1};
    write_now(purge_piece, &purge);
    return purge.removed;
}

static const struct {
    const char *what;
    int64_t received_before, token_expired_before;
    int64_t removed;
} purges[] = {
    {"both over", NOW + 1, TOKEN_EXPIRES + 1, 1},
    {"received too late", NOW, TOKEN_EXPIRES + 1, 0},
    {"its token may be replayed", NOW + 1, TOKEN_EXPIRES, 0},
};

START_TEST(an_announcement_stays_until_its_token_has_expired)
{
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_NEW);
    ck_assert_msg(purge_before(purges[_i].received_before, purges[_i].token_expired_before, 10) ==
                      purges[_i].removed,
                  "%s", purges[_i].what);
    ck_assert_int_eq(events(), 1 - purges[_i].removed);
}
END_TEST

START_TEST(only_announcements_are_purged)
{
    ck_assert_int_eq((int)deliver(strangers[0]), INBOX_NEW);
    ck_assert_int_eq((int)deliver(strangers[1]), INBOX_NEW);
    ck_assert_int_eq(purge_before(LATER, LATER, 10), 0);
    ck_assert_int_eq(events(), 2);
}
END_TEST

START_TEST(announcements_are_purged_in_steps)
{
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_NEW);
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, ",\"a\":1")), INBOX_ANOTHER_BODY);
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, ",\"a\":2")), INBOX_ANOTHER_BODY);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 2);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 1);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 0);
}
END_TEST

struct reading {
    int64_t after, limit;
    size_t count;
    int64_t numbers[4];
};

static void note_row(const struct event_row *row, void *context)
{
    struct reading *reading = context;
    ck_assert_str_eq(row->received_at, "1970-01-01 00:16:40");
    ck_assert_str_eq(row->outcome, "stored");
    if (reading->count < COUNT(reading->numbers))
        reading->numbers[reading->count] = row->number;
    reading->count++;
}

static bool list_piece(struct database *database, void *context)
{
    struct reading *reading = context;
    return inbox_list(database, reading->after, reading->limit, note_row, reading);
}

START_TEST(a_program_reads_on_after_what_it_has_seen)
{
    struct reading first = {.after = 0, .limit = 2};
    for (size_t i = 0; i < COUNT(strangers); i++)
        ck_assert_int_eq((int)deliver(strangers[i]), INBOX_NEW);
    ck_assert_int_eq((int)store_read(store, list_piece, &first), STORE_DONE);
    ck_assert_uint_eq(first.count, 2);
    ck_assert_int_lt(first.numbers[0], first.numbers[1]);

    struct reading second = {.after = first.numbers[1], .limit = 2};
    ck_assert_int_eq((int)store_read(store, list_piece, &second), STORE_DONE);
    ck_assert_uint_eq(second.count, 1);
    ck_assert_int_gt(second.numbers[0], first.numbers[1]);
}
END_TEST

START_TEST(numbers_are_never_given_twice)
{
    struct reading reading = {.after = 0, .limit = 4};
    ck_assert_int_eq((int)deliver(ANNOUNCEMENT(ID, "")), INBOX_NEW);
    ck_assert_int_eq(purge_before(LATER, LATER, 2), 1);
    ck_assert_int_eq((int)deliver(strangers[0]), INBOX_NEW);
    ck_assert_int_eq((int)store_read(store, list_piece, &reading), STORE_DONE);
    ck_assert_uint_eq(reading.count, 1);
    ck_assert_int_eq(reading.numbers[0], 2);
}
END_TEST

Suite *inbox_suite(void)
{
    Suite *suite = suite_create("inbox");
    ADD_STORE_RULE(suite, an_event_is_recorded_once);
    ADD_STORE_RULE(suite, another_body_about_the_same_resource_is_told_apart);
    ADD_STORE_RULE_FOR_EACH(suite, another_type_or_resource_is_new, strangers);
    ADD_STORE_RULE(suite, what_was_received_is_kept_whole);
    ADD_RULE(suite, every_outcome_has_a_word_of_its_own);
    ADD_STORE_RULE_FOR_EACH(suite, an_announcement_stays_until_its_token_has_expired, purges);
    ADD_STORE_RULE(suite, only_announcements_are_purged);
    ADD_STORE_RULE(suite, announcements_are_purged_in_steps);
    ADD_STORE_RULE(suite, a_program_reads_on_after_what_it_has_seen);
    ADD_STORE_RULE(suite, numbers_are_never_given_twice);
    return suite;
}
