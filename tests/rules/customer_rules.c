/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <cjson/cJSON.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* What the operator's command does for a customer: a code, a list, and the end. */

static void link_account(const char *bank_account, const char *external_id)
{
    EXPECT_RECORDED(NOTIFY(.body = account_created(bank_account, external_id)), "linked");
}

static const char *hash_of(const char *customer)
{
    return ROW_TEXT("SELECT code_hash FROM one_time_code WHERE customer_id = ?1", customer);
}

static void expect_says(const struct run *run, const char *text)
{
    EXPECT(strstr(run->output, text) != NULL, "no \"%s\" in:\n%s", text, run->output);
}

/* What a list command printed; cJSON_Delete() gives it back. */
static cJSON *listed(struct run run)
{
    cJSON *rows = cJSON_Parse(run.output);
    EXPECT(run.status == 0 && cJSON_IsArray(rows), "%d, no list: %s", run.status, run.output);
    return rows;
}

static bool row_has(const cJSON *row, const char *name, const char *value)
{
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, name));
    return text != NULL && strcmp(text, value) == 0;
}

static int rows_with(const cJSON *rows, const char *name, const char *value)
{
    int count = 0;
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        count += row_has(row, name, value) ? 1 : 0;
    }
    return count;
}

/* What stands under `wanted` in the one row whose `name` is `value`; NULL when it isn't a text. */
static const char *beside(const cJSON *rows, const char *name, const char *value,
                          const char *wanted)
{
    EXPECT_NUMBER(rows_with(rows, name, value), 1);
    const cJSON *row;
    cJSON_ArrayForEach(row, rows)
    {
        if (row_has(row, name, value))
            return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, wanted));
    }
    return NULL;
}

/* ---- code issue ------------------------------------------------------------------ */

START_TEST(code_issue_prints_a_code_and_nothing_else)
{
    const char *customer = new_customer(2);
    size_t mark = log_mark();
    struct run run = FEEDGATE("code", "issue", "--customer", customer);
    EXPECT(run.status == 0, "%d %s", run.status, log_since(mark));
    EXPECT(strlen(run.output) == 10 && run.output[4] == '-' && run.output[9] == '\n', "<%s>",
           run.output);
    const char *printed = scratch_copy(run.output, 9);
    EXPECT(strstr(log_since(mark), "feedgate:") == NULL && strstr(log_since(mark), printed) == NULL,
           "it says more:\n%s", log_since(mark));
    const char *first = hash_of(customer);
    EXPECT_NUMBER(strlen(first), 64);
    EXPECT_NUMBER(FEEDGATE("code", "issue", "--customer", customer).status, 0);
    EXPECT(strcmp(hash_of(customer), first) != 0, "%s", "the older code is still there");
}
END_TEST

static const struct {
    const char *name;
    const char *arguments[5];
    int status;
    const char *complaint;
} wrong_calls[] = {
    {"a code for nobody", {"code", "issue", "--customer", "nobody"}, 1, "no customer \"nobody\""},
    {"a code without saying for whom", {"code", "issue"}, 2, "missing: --customer"},
    {"an empty id", {"code", "issue", "--customer", ""}, 1, "no customer \"\""},
    {"an option that needs a value", {"code", "issue", "--customer"}, 2, "requires an argument"},
    {"one word too many", {"code", "issue", "--customer", "x", "y"}, 2, "unexpected argument: y"},
    {"an option of others", {"code", "issue", "--json"}, 2, "isn't one of code issue"},
    {"a customer where none is needed",
     {"accounts", "--customer", "x"},
     2,
     "isn't one of accounts"},
    {"half a command", {"code"}, 2, "code wants `issue` behind it"},
    {"another half", {"code", "make"}, 2, "code wants `issue` behind it, not make"},
    {"no command", {"codes"}, 2, "unknown command: codes"},
    {"to forget nobody", {"accounts", "forget", "--customer", "nobody"}, 1, "no customer"},
    {"to forget without saying whom", {"accounts", "forget"}, 2, "missing: --customer"},
};

START_TEST(a_wrong_call_is_said_and_does_nothing)
{
    case_is(wrong_calls[_i].name);
    const char *const *arguments = wrong_calls[_i].arguments;
    size_t mark = log_mark();
    /* The list ends with its first NULL. */
    struct run run = FEEDGATE(arguments[0], arguments[1], arguments[2], arguments[3], arguments[4]);
    EXPECT_NUMBER(run.status, wrong_calls[_i].status);
    EXPECT_TEXT(run.output, "");
    AWAIT(strstr(log_since(mark), wrong_calls[_i].complaint) != NULL, "it says:\n%s",
          log_since(mark));
}
END_TEST

/* The words for the place where a provider shows the code, against links to a stranger's session.
 */
START_TEST(the_help_has_the_warning_for_customers)
{
    static const char *const words[] = {
        "only into a window that you opened yourself in your Sage product",
        "Whoever opened that window will see your accounts", "Never give the code to",
        "don't type it where a link from a mail or message led you"};
    struct run run = FEEDGATE("code", "issue", "--help");
    EXPECT_NUMBER(run.status, 0);
    for (size_t i = 0; i < ROWS(words); i++)
        expect_says(&run, words[i]);
}
END_TEST

/* ---- accounts --------------------------------------------------------------------- */

START_TEST(accounts_shows_under_which_ids_sage_has_linked_them)
{
    const char *customer = new_customer(2);
    const char *link = new_uuid();
    const char *second_link = new_uuid();
    const char *ended = new_uuid();
    link_account(link, account_of(customer, 1));
    link_account(second_link, account_of(customer, 1));
    link_account(ended, account_of(customer, 2));
    EXPECT_RECORDED(NOTIFY(.body = account_deleted(ended, account_of(customer, 2))), "unlinked");
    struct run table = FEEDGATE("accounts");
    expect_says(&table, link);
    expect_says(&table, second_link);
    EXPECT(strstr(table.output, ended) == NULL, "%s", table.output);
    cJSON *rows = listed(FEEDGATE("accounts", "--json"));
    EXPECT_NUMBER(rows_with(rows, "customer", customer), 3);
    EXPECT_NUMBER(rows_with(rows, "externalId", account_of(customer, 1)), 2);
    EXPECT_TEXT(beside(rows, "bankAccountId", link, "externalId"), account_of(customer, 1));
    EXPECT_TEXT(beside(rows, "bankAccountId", second_link, "externalId"), account_of(customer, 1));
    EXPECT_TEXT(beside(rows, "externalId", account_of(customer, 2), "bankAccountId"), NULL);
    cJSON_Delete(rows);
}
END_TEST

/* ---- accounts forget ----------------------------------------------------------------- */

/* A session in which the customer agreed, with its result; `settled` says what became of it. */
static const char *session_of(const char *customer, const char *settled)
{
    const char *id = new_uuid();
    arm(id);
    (void)ROW_TEXT("UPDATE authorisation_session SET customer_id = ?1 WHERE session_key = ?2",
                   customer, id);
    (void)ROW_TEXT("INSERT INTO consent (session_key, log_id, customer_id, flow, external_ids, "
                   "language, wording, given_at) "
                   "VALUES (?1, 'log', ?2, 'authorisation', '[]', 'en', '1', 1)",
                   id, customer);
    (void)ROW_TEXT(
        scratch_format("INSERT INTO delivery (session_key, authorisation_id, log_id, result, body, "
                       "created_at, give_up_at, next_attempt_at, delivered_at, failed_at) "
                       "VALUES (?1, ?1, 'log', 'success', 'accounts', 1, 9e15, 9e15, %s)",
                       settled),
        id);
    return id;
}

static const char *body_of(const char *session)
{
    return ROW_TEXT("SELECT body FROM delivery WHERE session_key = ?1", session);
}

/* Rows of all tables that name the customer or an account of theirs. */
static int64_t traces_of(const char *customer)
{
    return ROW_NUMBER("SELECT (SELECT count(*) FROM customer WHERE id = ?1) + "
                      "(SELECT count(*) FROM account WHERE customer_id = ?1) + "
                      "(SELECT count(*) FROM bank_account WHERE external_id LIKE ?1 || '-%') + "
                      "(SELECT count(*) FROM one_time_code WHERE customer_id = ?1) + "
                      "(SELECT count(*) FROM consent WHERE customer_id = ?1) + "
                      "(SELECT count(*) FROM authorisation_session WHERE customer_id = ?1)",
                      customer);
}

static struct run forget(const char *customer)
{
    size_t mark = log_mark();
    struct run run = FEEDGATE("accounts", "forget", "--customer", customer);
    EXPECT(run.status == 0, "%d %s", run.status, log_since(mark));
    return run;
}

START_TEST(a_forgotten_customer_leaves_nothing_that_names_them)
{
    const char *customer = new_customer(2);
    const char *neighbour = new_customer(2);
    link_account(new_uuid(), account_of(customer, 1));
    link_account(new_uuid(), account_of(customer, 2));
    link_account(new_uuid(), account_of(neighbour, 1));
    EXPECT_NUMBER(FEEDGATE("code", "issue", "--customer", customer).status, 0);
    EXPECT_NUMBER(FEEDGATE("code", "issue", "--customer", neighbour).status, 0);
    const char *delivered = session_of(customer, "1, NULL");
    const char *failed = session_of(customer, "NULL, 1");
    const char *other = session_of(neighbour, "1, NULL");
    EXPECT_NUMBER(traces_of(customer), 10);
    int64_t of_neighbour = traces_of(neighbour);
    struct run run = forget(customer);
    EXPECT_TEXT(run.output, "removed: customers 1, accounts 2, links 2, codes 1, consents 2\n"
                            "without the customer now: sessions 2, results 2\n");
    EXPECT_NUMBER(traces_of(customer), 0);
    EXPECT_TEXT(body_of(delivered), "{}");
    EXPECT_TEXT(body_of(failed), "{}");
    EXPECT_NUMBER(traces_of(neighbour), of_neighbour);
    EXPECT_TEXT(body_of(other), "accounts");
    EXPECT_REFUSED(LIST(.external_id = account_of(customer, 1)), REFUSAL_ACCOUNT_UNKNOWN);
    EXPECT_NUMBER(FEEDGATE("accounts", "forget", "--customer", customer).status, 1);
    EXPECT_NUMBER(FEEDGATE("code", "issue", "--customer", customer).status, 1);
}
END_TEST

START_TEST(a_result_that_sage_must_still_get_outlives_its_customer)
{
    const char *customer = new_customer(2);
    const char *waiting = session_of(customer, "NULL, NULL");
    struct run run = forget(customer);
    expect_says(&run, "results still on their way to Sage, emptied once they are settled: 1");
    EXPECT_TEXT(body_of(waiting), "accounts");
    EXPECT_NUMBER(traces_of(customer), 0);
}
END_TEST

START_TEST(nobody_is_forgotten_by_half)
{
    const char *customer = new_customer(2);
    const char *session = session_of(customer, "1, NULL");
    int64_t before = traces_of(customer);
    store_lock();
    EXPECT_NUMBER(FEEDGATE("accounts", "forget", "--customer", customer).status, 1);
    store_unlock();
    EXPECT_NUMBER(traces_of(customer), before);
    /* Its last step can't be done. */
    (void)ROW_TEXT("CREATE TRIGGER hold BEFORE DELETE ON customer "
                   "BEGIN SELECT RAISE(ABORT, 'held'); END");
    int status = FEEDGATE("accounts", "forget", "--customer", customer).status;
    (void)ROW_TEXT("DROP TRIGGER hold");
    EXPECT_NUMBER(status, 1);
    EXPECT_NUMBER(traces_of(customer), before);
    EXPECT_TEXT(body_of(session), "accounts");
}
END_TEST

/* ---- check and events -------------------------------------------------------------------- */

START_TEST(check_looks_at_the_key_of_codes)
{
    SERVER(.settings = {"code.key_file =", "complete.key_file ="});
    struct run run = FEEDGATE("check");
    expect_says(&run, "warn  code: without it POST /code takes no request");
    expect_says(&run, "ok    complete: without it POST /complete takes no request");
    expect_says(&run, "feedgate.db.key is the key under which codes are stored");
    EXPECT(chmod(server_path("feedgate.db.key"), 0664) == 0, "%s", "chmod");
    run = FEEDGATE("check");
    EXPECT_NUMBER(run.status, 1);
    expect_says(&run, "FAIL  code: ");
    expect_says(&run, "others may use it");
    EXPECT(unlink(server_path("feedgate.db.key")) == 0, "%s", "unlink");
    run = FEEDGATE("check");
    expect_says(&run, "feedgate.db.key isn't there yet");
    EXPECT(access(server_path("feedgate.db.key"), F_OK) != 0, "%s", "check has made the key");
}
END_TEST

START_TEST(check_tells_of_another_users_key_that_its_group_may_write)
{
    SERVER();
    EXPECT(chmod(server_path("feedgate.db.key"), 0660) == 0, "%s", "chmod");
    struct run run = FEEDGATE("check");
    expect_says(&run,
                "feedgate.db.key is the key under which codes are stored"); /* and lowers it */
    if (geteuid() != 0)
        return; /* only root can give it to somebody else */
    EXPECT(chmod(server_path("feedgate.db.key"), 0660) == 0, "%s", "chmod");
    EXPECT(chown(server_path("feedgate.db.key"), 0, (gid_t)-1) == 0, "%s", "chown");
    run = FEEDGATE("check");
    expect_says(&run, "warn  code: ");
    expect_says(&run, "feedgate.db.key can be written by its group (mode 0660), and needn't be");
}
END_TEST

static void set_wrong_codes(const char *id, const char *count)
{
    (void)ROW_TEXT("UPDATE authorisation_session SET wrong_codes = ?2 WHERE session_key = ?1", id,
                   count);
}

START_TEST(check_warns_of_many_wrong_codes_in_a_day)
{
    SERVER(.own_clock = true);
    const char *ids[] = {new_uuid(), new_uuid()};
    for (size_t i = 0; i < ROWS(ids); i++) {
        arm(ids[i]);
        (void)ROW_TEXT("UPDATE authorisation_session SET opened_at = notified_at, "
                       "flow = 'authorisation' WHERE session_key = ?1",
                       ids[i]);
    }
    set_wrong_codes(ids[0], "96");
    set_wrong_codes(ids[1], "4");
    struct run run = FEEDGATE("check");
    expect_says(&run, "ok    wrong codes: 100 in the last 24 hours");
    set_wrong_codes(ids[1], "5");
    run = FEEDGATE("check");
    expect_says(&run, "warn  wrong codes: 101 in the last 24 hours, in 2 sessions");
    clock_move(24 * 3600 + 1);
    run = FEEDGATE("check");
    expect_says(&run, "ok    wrong codes: 0 in the last 24 hours");
}
END_TEST

/* How the provider's software learns Sage's ids: each event has a number above those before it. */
START_TEST(events_go_on_after_a_number_with_their_bodies)
{
    const char *customer = new_customer(2);
    EXPECT_RECORDED(NOTIFY(), "armed");
    int64_t last = ROW_NUMBER("SELECT max(number) FROM events");
    const char *bodies[] = {account_created(new_uuid(), account_of(customer, 1)),
                            account_created(new_uuid(), account_of(customer, 2))};
    for (size_t i = 0; i < ROWS(bodies); i++)
        EXPECT_RECORDED(NOTIFY(.body = bodies[i]), "linked");
    const char *after = scratch_format("%lld", (long long)last);
    cJSON *rows = listed(FEEDGATE("events", "--json", "--after", after));
    EXPECT_NUMBER(cJSON_GetArraySize(rows), 2);
    for (int i = 0; i < 2; i++) {
        const cJSON *row = cJSON_GetArrayItem(rows, i);
        EXPECT_NUMBER(cJSON_GetNumberValue(cJSON_GetObjectItemCaseSensitive(row, "number")),
                      last + i + 1);
        EXPECT_TEXT(cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(row, "body")), bodies[i]);
    }
    cJSON_Delete(rows);
    rows = listed(FEEDGATE("events", "--json", "--limit", "1", "--after", after));
    EXPECT_NUMBER(cJSON_GetArraySize(rows), 1);
    EXPECT_TEXT(beside(rows, "body", bodies[0], "outcome"), "linked");
    cJSON_Delete(rows);
}
END_TEST

Suite *customer_rules(void)
{
    Suite *suite = suite_create("customer");
    ADD_TEST(suite, code_issue_prints_a_code_and_nothing_else);
    ADD_ROWS(suite, a_wrong_call_is_said_and_does_nothing, ROWS(wrong_calls));
    ADD_TEST(suite, the_help_has_the_warning_for_customers);
    ADD_TEST(suite, accounts_shows_under_which_ids_sage_has_linked_them);
    ADD_TEST(suite, a_forgotten_customer_leaves_nothing_that_names_them);
    ADD_TEST(suite, a_result_that_sage_must_still_get_outlives_its_customer);
    ADD_TEST(suite, nobody_is_forgotten_by_half);
    ADD_TEST(suite, check_looks_at_the_key_of_codes);
    ADD_TEST(suite, check_tells_of_another_users_key_that_its_group_may_write);
    ADD_TEST(suite, check_warns_of_many_wrong_codes_in_a_day);
    ADD_TEST(suite, events_go_on_after_a_number_with_their_bodies);
    return suite;
}
