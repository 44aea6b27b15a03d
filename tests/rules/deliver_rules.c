/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "child.h"
#include "sage_api.h"
#include "stage.h"

#include <signal.h>
#include <string.h>
#include <sys/wait.h>

static struct sage_api *sage;

/* A connector that reports to a Sage of its own. */
static void start_with_sage(void)
{
    sage = new_sage_api();
    SERVER(.sage_api = sage);
}

static const char *put_result(void)
{
    const char *id = new_uuid();
    (void)ROW_TEXT("INSERT INTO delivery (session_key, authorisation_id, log_id, result, body, "
                   "created_at, give_up_at, next_attempt_at) VALUES (?1, ?1, ?2, 'cancelled', "
                   "'{\"data\":{\"status\":\"cancelled\"}}', strftime('%s') * 1000, "
                   "strftime('%s') * 1000 + 600000, strftime('%s') * 1000)",
                   id, log_id_of(id));
    return id;
}

static const char *state_of(const char *id)
{
    return ROW_TEXT("SELECT state FROM deliveries WHERE authorisation_id = ?1", id);
}

static const struct {
    struct sage_reply reply;
    int status;
    const char *output, *event, *state;
} ends[] = {
    {{.status = 200}, 0, "delivered 1, waiting 0, failed 0\n", "result_delivered", "delivered"},
    {{.status = 404}, 0, "delivered 0, waiting 0, failed 1\n", "result_failed", "failed"},
    {{.status = 500}, 1, "delivered 0, waiting 1, failed 0\n", "result_waiting", "waiting"},
    {{.status = 200, .manner = SAGE_CUTS},
     1,
     "delivered 0, waiting 1, failed 0\n",
     "result_waiting",
     "waiting"},
};

START_TEST(deliver_once_ends_with_what_came_of_it)
{
    case_is(ends[_i].state);
    start_with_sage();
    const char *id = put_result();
    sage_api_patches(sage, &ends[_i].reply, 1);
    size_t mark = log_mark();
    struct run run = FEEDGATE("deliver", "--once");
    EXPECT_TEXT(run.output, ends[_i].output);
    EXPECT_NUMBER(run.status, ends[_i].status);
    EXPECT_TEXT(state_of(id), ends[_i].state);
    /* It is a service, so its log goes where theirs goes. */
    EXPECT_NUMBER(
        LOG_COUNT(mark, "program", "deliver", "event", ends[_i].event, "session", log_id_of(id)),
        1);
}
END_TEST

START_TEST(deliver_once_has_nothing_to_do_twice)
{
    start_with_sage();
    (void)put_result();
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    struct run run = FEEDGATE("deliver", "--once");
    EXPECT_NUMBER(run.status, 0);
    EXPECT_TEXT(run.output, "delivered 0, waiting 0, failed 0\n");
    EXPECT_NUMBER(sage_api_patch_count(sage), 1);
}
END_TEST

static void start_deliver(struct child *child)
{
    const char *const arguments[] = {staged_path("bin/feedgate"), "deliver", NULL};
    const char *const environment[] = {
        scratch_format("FEEDGATE_CONF=%s", server_path("feedgate.conf")), NULL};
    child_start(child, arguments, environment, server_path("log"));
}

static int end_by(struct child *child, int signal)
{
    int status = 0;
    EXPECT(kill(child->id, signal) == 0, "%s", "it has ended already");
    EXPECT(waitpid(child->id, &status, 0) == child->id, "%s", "it can't be waited for");
    child->id = 0;
    return status;
}

static const int ending_signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, SIGQUIT};

START_TEST(a_signal_ends_deliver_and_gives_back_what_it_was_sending)
{
    static const struct sage_reply held[] = {{.status = 200, .manner = SAGE_HOLDS},
                                             {.status = 200}};
    struct child child;
    start_with_sage();
    sage_api_patches(sage, held, ROWS(held));
    const char *id = put_result();
    start_deliver(&child);
    EXPECT(sage_api_await_patches(sage, 1), "%s", "it doesn't deliver");
    EXPECT_NUMBER(end_by(&child, ending_signals[_i]), 0);
    EXPECT_TEXT(state_of(id), "waiting");
    /* Nobody has to wait for a lease to run out. */
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    EXPECT_TEXT(state_of(id), "delivered");
}
END_TEST

START_TEST(deliver_stays_and_finds_what_comes)
{
    struct child child;
    start_with_sage();
    start_deliver(&child);
    AWAIT(ROW_NUMBER("SELECT count(*) FROM deliverer") == 1, "%s", "it doesn't begin");
    for (int i = 0; i < 2; i++) {
        const char *id = put_result();
        AWAIT(strcmp(state_of(id), "delivered") == 0, "%s", "it doesn't deliver");
    }
    EXPECT_NUMBER(end_by(&child, SIGTERM), 0);
    EXPECT_NUMBER(sage_api_token_count(sage), 1);
}
END_TEST

START_TEST(results_are_listed_for_people_and_programs)
{
    start_with_sage();
    const char *id = put_result();
    struct run table = FEEDGATE("deliveries");
    EXPECT_NUMBER(table.status, 0);
    EXPECT(strstr(table.output, "waiting") != NULL && strstr(table.output, log_id_of(id)) != NULL,
           "%s", table.output);
    struct run json = FEEDGATE("deliveries", "--json", "--limit", "1");
    EXPECT_NUMBER(json.status, 0);
    EXPECT(strstr(json.output, id) != NULL && strstr(json.output, "\"attempts\": 0") != NULL, "%s",
           json.output);
}
END_TEST

static void expect_item(const char *item)
{
    struct run run = FEEDGATE("check");
    EXPECT(strstr(run.output, item) != NULL, "\"%s\" isn't in:\n%s", item, run.output);
}

START_TEST(check_says_whether_results_reach_sage)
{
    static const struct sage_reply refused[] = {{.status = 401}};
    static const struct sage_reply unknown[] = {{.status = 404}};
    start_with_sage();
    expect_item("ok    provider api: ");
    expect_item("warn  deliverer: never seen");
    expect_item("ok    deliveries: waiting 0, failed within a day 0");
    sage_api_tokens(sage, refused, 1);
    expect_item("no access token: status 401; are client_id and client_secret_file right?");
    sage_api_tokens(sage, NULL, 0);
    expect_item("ok    provider api: ");
    (void)put_result();
    expect_item("ok    deliveries: waiting 1, failed within a day 0");
    sage_api_patches(sage, unknown, 1);
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    expect_item("ok    deliverer: seen ");
    expect_item("warn  deliveries: waiting 0, failed within a day 1: see `feedgate deliveries`");
}
END_TEST

START_TEST(check_warns_when_results_are_not_reported)
{
    SERVER(.settings = {"provider_api.client_id =", "provider_api.client_secret_file =",
                        "provider_api.api_key_file ="});
    expect_item("warn  provider api: results can't be reported to Sage");
}
END_TEST

START_TEST(settled_results_are_purged_with_their_retention)
{
    start_with_sage();
    const char *old = put_result();
    const char *young = put_result();
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    (void)ROW_TEXT("UPDATE delivery SET created_at = created_at - 31 * 86400000 "
                   "WHERE session_key = ?1",
                   old);
    struct run run = FEEDGATE("purge");
    EXPECT_NUMBER(run.status, 0);
    EXPECT(strstr(run.output, "results 1\n") != NULL, "%s", run.output);
    EXPECT_TEXT(state_of(old), NULL);
    EXPECT_TEXT(state_of(young), "delivered");
}
END_TEST

Suite *deliver_rules(void)
{
    Suite *suite = suite_create("deliver");
    ADD_ROWS(suite, deliver_once_ends_with_what_came_of_it, ROWS(ends));
    ADD_TEST(suite, deliver_once_has_nothing_to_do_twice);
    ADD_ROWS(suite, a_signal_ends_deliver_and_gives_back_what_it_was_sending, ROWS(ending_signals));
    ADD_TEST(suite, deliver_stays_and_finds_what_comes);
    ADD_TEST(suite, results_are_listed_for_people_and_programs);
    ADD_TEST(suite, check_says_whether_results_reach_sage);
    ADD_TEST(suite, check_warns_when_results_are_not_reported);
    ADD_TEST(suite, settled_results_are_purged_with_their_retention);
    return suite;
}
