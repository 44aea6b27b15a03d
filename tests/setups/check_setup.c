/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include "front.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Prints a line a row, "NAME<tab>CELL<tab>REASON", and on standard error what
 * is wrong with those that failed.
 */

enum { ROWS_MAX = 240 };

static struct row {
    char name[80];
    char cell[16];
    const char *reason;
} rows[ROWS_MAX];
static size_t row_count;

void row_begin(const char *name)
{
    EXPECT(row_count < ROWS_MAX, "%s", "too many rows");
    struct row *row = &rows[row_count++];
    (void)snprintf(row->name, sizeof(row->name), "%s", name);
    (void)snprintf(row->cell, sizeof(row->cell), "FAILED");
    case_is(name);
    if (getenv("FEEDGATE_TEST_TIMES") != NULL)
        (void)fprintf(stderr, "%lld ms: %s\n", (long long)monotonic_ms(), name);
}

void row_status(int status)
{
    (void)snprintf(rows[row_count - 1].cell, sizeof(rows[0].cell), "%d", status);
}

void row_passed(void)
{
    (void)snprintf(rows[row_count - 1].cell, sizeof(rows[0].cell), "ok");
}

void row_left_to_server(const char *reason)
{
    (void)snprintf(rows[row_count - 1].cell, sizeof(rows[0].cell), "-");
    rows[row_count - 1].reason = reason;
}

/* ---- the server ------------------------------------------------------------------ */

static const struct server_options options = {
    .settings = {"availableaccounts.client = sage-webhooks",
                 "availableaccounts.require_key_header = yes",
                 "network.sage_addresses_file = sage.txt", "network.trusted_proxies = 127.0.0.1"},
    .files = {{"sage.txt", "127.0.0.0/8\n198.51.100.0/24\n"}, {"syncs", ""}},
    .environment = "TEST_SYNCS=@/syncs TEST_FAULT=@/fault TEST_SEEN=@/seen",
    .preload = "tests/support/preload/setups.so",
    .own_clock = true,
    .tls = true,
    .access_log = true,
};

static void mend_disk(void *unused)
{
    (void)unused;
    (void)rename(server_path("no-syncs"), server_path("syncs"));
}

void break_disk(void)
{
    EXPECT(rename(server_path("syncs"), server_path("no-syncs")) == 0, "%s", "it won't break");
    undo_later(mend_disk, NULL);
}

static void recover(void *unused)
{
    (void)unused;
    server_write_file("fault", "");
}

void break_down(const char *what)
{
    server_write_file("fault", what);
    undo_later(recover, NULL);
}

/* ---- the run ---------------------------------------------------------------------- */

static Suite *first_rows(void);

START_TEST(it_starts)
{
    row_begin("it starts");
    server_write_file("seen", "");
    arm(new_uuid());
    stall_from_now_on();
    row_passed();
}
END_TEST

static Suite *first_rows(void)
{
    Suite *suite = suite_create("first");
    ADD_TEST(suite, it_starts);
    return suite;
}

static void print_rows(void)
{
    for (size_t i = 0; i < row_count; i++)
        (void)printf("%s\t%s\t%s\n", rows[i].name, rows[i].cell,
                     rows[i].reason != NULL ? rows[i].reason : "");
}

static void print_failures(SRunner *runner)
{
    int count = srunner_ntests_failed(runner);
    TestResult **failures = srunner_failures(runner);
    for (int i = 0; i < count; i++)
        (void)fprintf(stderr, "%s: %s\n", server_set_up(), tr_msg(failures[i]));
    free(failures);
}

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN);
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    server_share(&options);
    SRunner *runner = srunner_create(first_rows());
    srunner_add_suite(runner, passing_rows());
    srunner_add_suite(runner, refusal_rows());
    srunner_add_suite(runner, gate_rows());
    srunner_add_suite(runner, web_rows());
    srunner_add_suite(runner, https_rows());
    srunner_add_suite(runner, last_rows());
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    print_rows();
    print_failures(runner);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    front_end();
    server_end_shared();
    keys_clear();
    scratch_release_to(NULL);
    curl_global_cleanup();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
