/* SPDX-License-Identifier: MIT */
#include "processes.h"
#include "rules.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What happens when something around feedgate fails or ends: nothing is lost, nothing is half done.
 */

enum { PROCESSES_MAX = 16 };

/* ---- the store ---------------------------------------------------------------- */

enum { LOCK_PATIENCE_MS = 20 * 1000 }; /* ten times of what an answer may wait for a lock */

START_TEST(a_locked_store_means_try_again)
{
    const char *id = new_uuid();
    const char *other = new_uuid();
    arm(id);
    store_lock();
    int64_t begin = monotonic_ms();
    EXPECT_REFUSED(NOTIFY(.id = other), REFUSAL_STORE_BUSY);
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_STORE_BUSY);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = "authrefresh"), REFUSAL_STORE_BUSY);
    EXPECT(monotonic_ms() - begin < 3 * LOCK_PATIENCE_MS, "%s", "that took too long");
    EXPECT_REFUSED(LIST(), REFUSAL_ACCOUNT_UNKNOWN); /* readers don't mind */
    EXPECT_TEXT(session_state(id), "notified");
    EXPECT_TEXT(session_state(other), "none");
    EXPECT_NUMBER(events_of(other), 0);
    store_unlock();
    arm(other);
    EXPECT_OPENED(OPEN(.id = id), id);
}
END_TEST

START_TEST(a_process_that_hogs_the_queue_means_try_again)
{
    const char *id = new_uuid();
    arm(id);
    int lock = open(server_path("feedgate.db.lock"), O_RDWR | O_CLOEXEC);
    EXPECT(lock >= 0 && flock(lock, LOCK_EX) == 0, "%s", "the queue's lock can't be had");
    struct response busy = OPEN(.id = id);
    (void)close(lock);
    EXPECT_REFUSED(busy, REFUSAL_STORE_BUSY);
    EXPECT_OPENED(OPEN(.id = id), id);
}
END_TEST

/* ---- the disk ----------------------------------------------------------------- */

/* A server whose endpoints' syncs are counted, and fail when a test says so; see disk.c. */
static void start_with_disk(void)
{
    SERVER(.preload = "tests/support/preload/disk.so", .environment = "TEST_SYNCS=@/syncs",
           .files = {{"syncs", ""}});
}

static off_t count_syncs(void)
{
    struct stat status;
    EXPECT(stat(server_path("syncs"), &status) == 0, "%s", "nothing counts");
    return status.st_size;
}

/* Endpoints of the same user as the test's could write it by any mode, so it goes away. */
static void break_disk(void)
{
    EXPECT(rename(server_path("syncs"), server_path("no-syncs")) == 0, "%s", "it won't break");
}

static void mend_disk(void)
{
    EXPECT(rename(server_path("no-syncs"), server_path("syncs")) == 0, "%s", "it won't mend");
}

START_TEST(an_answer_comes_when_its_row_is_on_the_disk)
{
    start_with_disk();
    const char *id = new_uuid();
    arm(new_uuid());
    off_t before = count_syncs();
    EXPECT_STATUS(NOTIFY(.id = id), 200);
    off_t notified = count_syncs();
    EXPECT(notified > before, "%s", "the notification wasn't synced");
    EXPECT_STATUS(OPEN(.id = id), 200);
    EXPECT(count_syncs() > notified, "%s", "the opening wasn't synced");
}
END_TEST

START_TEST(a_disk_that_fails_means_try_again)
{
    start_with_disk();
    const char *armed = new_uuid();
    const char *lost = new_uuid();
    arm(armed);
    break_disk();
    EXPECT_REFUSED(NOTIFY(.id = lost), REFUSAL_STORE_FAILED);
    EXPECT_REFUSED(OPEN(.id = armed), REFUSAL_STORE_FAILED);
    mend_disk();
    arm(lost);
    EXPECT_OPENED(OPEN(.id = lost), lost);
    EXPECT_OPENED(OPEN(.id = armed), armed);
}
END_TEST

/* So that writes past the limit fail, as on a full disk, and don't end the process. */
static const char without_signal[] = "env --ignore-signal=XFSZ";

static void limit_files(rlim_t bytes)
{
    pid_t processes[PROCESSES_MAX];
    size_t count = server_processes(NULL, processes, PROCESSES_MAX);
    EXPECT(count > 0, "%s", "no processes were found");
    for (size_t i = 0; i < count; i++)
        EXPECT(process_limit_files(processes[i], bytes), "no limit for %d", (int)processes[i]);
}

static const char *large_event(const char *id)
{
    return scratch_format(
        "{\"type\":\"t\",\"resource\":{\"id\":\"%s\",\"type\":\"r\"},\"f\":\"%s\"}", id,
        repeat("x", 60000));
}

START_TEST(a_full_disk_means_try_again)
{
    enum { EVENTS_MAX = 100 };
    const char *ids[EVENTS_MAX];
    int statuses[EVENTS_MAX];
    SERVER(.wrapper = without_signal);
    const char *id = new_uuid();
    arm(id);
    limit_files(1024 * 1024);
    size_t count = 0;
    do {
        ids[count] = new_uuid();
        struct response response = NOTIFY(.body = large_event(ids[count]));
        statuses[count] = response.status;
        if (response.status != 200)
            EXPECT_REFUSED(response, REFUSAL_STORE_FAILED);
    } while (statuses[count++] == 200 && count < EVENTS_MAX);
    EXPECT_NUMBER(statuses[count - 1], 503);
    struct response opening = OPEN(.id = id); /* a small write may find room or not */
    EXPECT(opening.status == 200 || opening.status == 503, "status %d", opening.status);
    EXPECT_TEXT(session_state(id), opening.status == 200 ? "opened" : "notified");
    limit_files(RLIM_INFINITY);
    for (size_t i = 0; i < count; i++)
        EXPECT_NUMBER(events_of(ids[i]), statuses[i] == 200);
    EXPECT_TEXT(ROW_TEXT("PRAGMA integrity_check"), "ok");
    EXPECT_RECORDED(NOTIFY(.body = large_event(ids[count - 1])), "stored");
    if (opening.status == 503)
        EXPECT_OPENED(OPEN(.id = id), id);
}
END_TEST

/* ---- processes that end -------------------------------------------------------- */

START_TEST(a_restart_loses_nothing)
{
    SERVER();
    const char *armed = new_uuid();
    const char *used = new_uuid();
    arm(armed);
    arm(used);
    EXPECT_OPENED(OPEN(.id = used), used);
    server_restart();
    EXPECT_REFUSED(OPEN(.id = used), REFUSAL_SESSION_USED);
    EXPECT_OPENED(OPEN(.id = armed), armed);
    EXPECT_RECORDED(NOTIFY(.id = used), "repeated");
}
END_TEST

START_TEST(the_end_of_the_server_is_a_graceful_one_for_all_processes)
{
    pid_t processes[PROCESSES_MAX];
    SERVER();
    EXPECT_NUMBER(server_processes(NULL, processes, PROCESSES_MAX), 12);
    size_t mark = log_mark();
    server_stop();
    AWAIT(!processes_run(processes, 12), "%s", "some are still there");
    EXPECT_NUMBER(log_count(mark, "event", "ended", NULL), 12);
}
END_TEST

enum { LOAD = 600, LOAD_PARALLEL = 16 };

static struct request load[LOAD];
static struct response answers[LOAD];
static const char *load_ids[LOAD];
static int load_signal;
static const char *load_endpoint;

/* From time to time under load, ends one process of the endpoint. */
static void end_one_process(size_t so_far)
{
    pid_t processes[PROCESSES_MAX];
    if (so_far % 100 != 50)
        return;
    size_t count = server_processes(load_endpoint, processes, PROCESSES_MAX);
    if (count > 0) /* one may just have ended, or both */
        (void)kill(processes[so_far / 100 % count], load_signal);
}

static void run_load(const char *endpoint, int signal_number)
{
    load_endpoint = endpoint;
    load_signal = signal_number;
    const char *token = TOKEN();
    for (size_t i = 0; i < LOAD; i++) {
        bool notifies = strcmp(endpoint, "notification") == 0;
        load_ids[i] = new_uuid();
        load[i] = notifies ? NOTIFICATION(.id = load_ids[i], .token = token)
                           : OPENING(.id = load_ids[i], .endpoint = endpoint);
    }
    http_send_all(load, answers, LOAD, LOAD_PARALLEL, end_one_process);
}

static const struct {
    const char *name;
    const char *endpoint;
    int signal;
    int status; /* of every answer */
} graceful_ends[] = {
    {"notification, SIGTERM", "notification", SIGTERM, 200},
    {"notification, SIGHUP", "notification", SIGHUP, 200},
    {"notification, SIGUSR1", "notification", SIGUSR1, 200},
    {"notification, SIGQUIT", "notification", SIGQUIT, 200},
    {"auth, SIGTERM", "auth", SIGTERM, 403},
};

START_TEST(a_process_that_is_told_to_end_loses_no_request)
{
    pid_t before[PROCESSES_MAX];
    pid_t after[PROCESSES_MAX];
    const char *endpoint = graceful_ends[_i].endpoint;
    case_is(graceful_ends[_i].name);
    SERVER();
    arm(new_uuid());
    EXPECT_NUMBER(server_processes(endpoint, before, PROCESSES_MAX), 2);
    run_load(endpoint, graceful_ends[_i].signal);
    for (size_t i = 0; i < LOAD; i++)
        EXPECT_STATUS(answers[i], graceful_ends[_i].status);
    if (graceful_ends[_i].status == 200)
        EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM sessions"), LOAD + 1);
    AWAIT(server_processes(endpoint, after, PROCESSES_MAX) == 2, "%s", "nobody started it again");
    EXPECT(after[0] != before[0] || after[1] != before[1], "%s", "no process ended");
}
END_TEST

START_TEST(a_killed_process_loses_nothing_that_was_acknowledged)
{
    pid_t processes[PROCESSES_MAX];
    SERVER();
    arm(new_uuid());
    run_load("notification", SIGKILL);
    size_t acknowledged = 0;
    for (size_t i = 0; i < LOAD; i++) {
        if (answers[i].status != 200)
            continue;
        acknowledged++;
        EXPECT_TEXT(session_state(load_ids[i]), "notified");
    }
    EXPECT(acknowledged > 0, "%s", "nothing was acknowledged");
    EXPECT_TEXT(ROW_TEXT("PRAGMA integrity_check"), "ok");
    AWAIT(server_processes("notification", processes, PROCESSES_MAX) == 2, "%s",
          "nobody started it again");
    arm(new_uuid());
}
END_TEST

/* ---- requests that are cut off --------------------------------------------------- */

/* A prefetch whose last variable, the one that says so, never arrives. */
static void kill_all(const char *endpoint)
{
    pid_t processes[PROCESSES_MAX];
    size_t count = server_processes(endpoint, processes, PROCESSES_MAX);
    EXPECT(count > 0, "%s", "no process was found");
    for (size_t i = 0; i < count; i++)
        EXPECT(kill(processes[i], SIGKILL) == 0, "%s", "it can't be killed");
}

START_TEST(a_log_that_is_removed_takes_nothing_acknowledged_along)
{
    enum { DELIVERIES = 12 };
    const char *ids[DELIVERIES];
    int statuses[DELIVERIES];
    SERVER();
    const char *before = new_uuid();
    arm(before);
    EXPECT(unlink(server_path("feedgate.db-wal")) == 0, "%s", "there is no log");
    for (size_t i = 0; i < DELIVERIES; i++) {
        ids[i] = new_uuid();
        statuses[i] = NOTIFY(.id = ids[i]).status;
        EXPECT(statuses[i] == 200 || statuses[i] == 503, "status %d", statuses[i]);
    }
    EXPECT_NUMBER(statuses[DELIVERIES - 1], 200);
    kill_all("notification");
    EXPECT_TEXT(session_state(before), "notified");
    for (size_t i = 0; i < DELIVERIES; i++)
        if (statuses[i] == 200)
            EXPECT_TEXT(session_state(ids[i]), "notified");
    EXPECT_TEXT(ROW_TEXT("PRAGMA integrity_check"), "ok");
}
END_TEST

START_TEST(a_request_cut_off_between_its_variables_opens_nothing)
{
    const char *id = new_uuid();
    arm(id);
    struct request request = OPENING(.id = id);
    int wire = fastcgi_begin("auth");
    fastcgi_send_variables(wire, &request);
    wire_end_sending(wire);
    EXPECT_NUMBER(cgi_status(fastcgi_read_answer(wire)), 0);
    EXPECT_TEXT(session_state(id), "notified");
    wire = fastcgi_begin("auth");
    fastcgi_send_variables(wire, &request);
    fastcgi_send(wire, FASTCGI_PARAMS, "", 0); /* the same, whole */
    fastcgi_send(wire, FASTCGI_STDIN, "", 0);
    EXPECT_NUMBER(cgi_status(fastcgi_read_answer(wire)), 200);
    EXPECT_TEXT(session_state(id), "opened");
}
END_TEST

START_TEST(who_may_not_send_a_body_is_not_waited_for)
{
    enum { MORE_THAN_THREADS = 40 };
    struct request request = NOTIFICATION(.key = OMIT);
    for (int i = 0; i < MORE_THAN_THREADS; i++) {
        int wire = fastcgi_begin("notification");
        fastcgi_send_variables(wire, &request);
        fastcgi_send(wire, FASTCGI_PARAMS, "", 0);
        EXPECT_NUMBER(cgi_status(fastcgi_read_answer(wire)), 401);
    } /* all stay open to the end of the test, as those of clients that drip do */
    arm(new_uuid());
}
END_TEST

START_TEST(an_endpoint_outlives_nonsense_on_its_socket)
{
    static const char nonsense[] = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
    for (int i = 0; i < 20; i++) {
        int wire = wire_connect_socket(server_socket("notification"));
        (void)wire_send(wire, nonsense, i == 0 ? 0 : sizeof(nonsense) - 1);
        wire_close(wire);
    }
    arm(new_uuid());
}
END_TEST

static const struct {
    const char *name;
    size_t missing; /* bytes of the body that never come */
    bool ends;      /* whether the body ends properly all the same */
    int status;     /* 0: nobody is there any more to be answered */
} short_bodies[] = {
    {"whole", 0, true, 200},
    {"one byte short", 1, true, 400},
    {"empty", 1000000, true, 400},
    {"broken off", 1, false, 0},
};

START_TEST(a_short_body_records_nothing)
{
    const char *id = new_uuid();
    case_is(short_bodies[_i].name);
    /* white space at the end: what arrives is a good event, just not all that was announced */
    const char *body = scratch_format("%s   ", authorisation_created(id, BANK));
    size_t sent =
        short_bodies[_i].missing < strlen(body) ? strlen(body) - short_bodies[_i].missing : 0;
    struct request request = NOTIFICATION(.body = body);
    int wire = fastcgi_begin("notification");
    fastcgi_send_variables(wire, &request);
    fastcgi_send(wire, FASTCGI_PARAMS, "", 0);
    fastcgi_send(wire, FASTCGI_STDIN, body, sent);
    if (short_bodies[_i].ends)
        fastcgi_send(wire, FASTCGI_STDIN, "", 0);
    else
        wire_end_sending(wire);
    int status = cgi_status(fastcgi_read_answer(wire));
    EXPECT(status == short_bodies[_i].status || (status == 400 && !short_bodies[_i].ends),
           "status %d", status);
    EXPECT_TEXT(session_state(id), short_bodies[_i].status == 200 ? "notified" : "none");
}
END_TEST

/* ---- plain CGI ---------------------------------------------------------------------- */

START_TEST(the_same_programs_run_as_plain_cgi)
{
    const char *id = new_uuid();
    struct request good = NOTIFICATION(.id = id);
    struct request forged = NOTIFICATION(.id = new_uuid(), .token = TOKEN(.key = "second"));
    struct request large = NOTIFICATION(.body = scratch_format("\"%s\"", repeat("x", 65536)));
    struct request opening = OPENING(.id = id);
    struct request head = OPENING(.id = id, .method = "HEAD");
    struct request listing = listing_request(&(struct listing){.usual = 0});
    arm(new_uuid()); /* the key set is there */
    EXPECT_NUMBER(cgi_status(cgi_run(&forged)), 401);
    EXPECT_NUMBER(cgi_status(cgi_run(&large)), 413);
    EXPECT_NUMBER(cgi_status(cgi_run(&good)), 200);
    EXPECT_TEXT(session_state(id), "notified");
    EXPECT_NUMBER(cgi_status(cgi_run(&head)), 405);
    const char *answer = cgi_run(&opening);
    EXPECT_NUMBER(cgi_status(answer), 200);
    EXPECT(strstr(answer, "\r\nCache-Control: no-store\r\n") != NULL, "the answer:\n%s", answer);
    EXPECT_TEXT(session_state(id), "opened");
    EXPECT_NUMBER(cgi_status(cgi_run(&opening)), 403);
    EXPECT_NUMBER(cgi_status(cgi_run(&listing)), 404);
}
END_TEST

/* ---- memory --------------------------------------------------------------------------- */

/* Kilobytes of memory of its own that the endpoint's only process holds. */
static long memory_of(const char *endpoint)
{
    pid_t process;
    EXPECT_NUMBER(server_processes(endpoint, &process, 1), 1);
    FILE *file = fopen(scratch_format("/proc/%d/status", (int)process), "re");
    EXPECT(file != NULL, "no /proc/%d/status", (int)process);
    long kilobytes = -1;
    char line[256];
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "RssAnon:", 8) == 0)
            kilobytes = strtol(line + 8, NULL, 10);
    (void)fclose(file);
    return kilobytes;
}

enum { BATCH = 500 };

/* Half of them are good; the others are refused for the usual reasons. */
static void send_batch(const char *const tokens[3])
{
    static struct request requests[BATCH];
    static struct response responses[BATCH];
    const void *scratch = scratch_mark();
    for (size_t i = 0; i < BATCH; i++) {
        const char *token = tokens[i % 3];
        if (i % 4 < 2)
            requests[i] = NOTIFICATION(.token = token);
        else if (i % 4 == 2)
            requests[i] = OPENING(.redirect_uri = i % 8 == 2 ? "https://evil.test" : NULL);
        else
            requests[i] = listing_request(&(struct listing){.token = token});
    }
    http_send_all(requests, responses, BATCH, 16, NULL);
    for (size_t i = 0; i < BATCH; i++)
        EXPECT(responses[i].status > 0 && responses[i].status < 500, "status %d",
               responses[i].status);
    scratch_release_to(scratch);
}

START_TEST(memory_does_not_grow_with_requests)
{
    static const char *const names[] = {"notification", "auth", "availableaccounts"};
    long before[ROWS(names)];
    if (getenv("FEEDGATE_TEST_LONG") == NULL) /* 100,000 requests take a while */
        return;
    SERVER(.processes = 1);
    arm(new_uuid()); /* now the key set is there */
    const char *tokens[3] = {TOKEN(), TOKEN(.key = "second", .kid = "\"first\""),
                             TOKEN(.sub = OMIT)};
    for (int i = 0; i < 4000 / BATCH; i++) /* 1,000 and more for each endpoint */
        send_batch(tokens);
    for (size_t i = 0; i < ROWS(names); i++)
        before[i] = memory_of(names[i]);
    for (int i = 0; i < 100000 / BATCH; i++)
        send_batch(tokens);
    for (size_t i = 0; i < ROWS(names); i++) {
        case_is(names[i]);
        long grown = memory_of(names[i]) - before[i];
        EXPECT(grown <= 512, "%ld KiB became %ld more", before[i], grown);
    }
}
END_TEST

Suite *trouble_rules(void)
{
    Suite *suite = suite_create("trouble");
    ADD_TEST(suite, a_locked_store_means_try_again);
    ADD_TEST(suite, a_process_that_hogs_the_queue_means_try_again);
    ADD_TEST(suite, an_answer_comes_when_its_row_is_on_the_disk);
    ADD_TEST(suite, a_disk_that_fails_means_try_again);
    ADD_TEST(suite, a_full_disk_means_try_again);
    ADD_TEST(suite, a_restart_loses_nothing);
    ADD_TEST(suite, the_end_of_the_server_is_a_graceful_one_for_all_processes);
    ADD_ROWS(suite, a_process_that_is_told_to_end_loses_no_request, ROWS(graceful_ends));
    ADD_TEST(suite, a_killed_process_loses_nothing_that_was_acknowledged);
    ADD_TEST(suite, a_log_that_is_removed_takes_nothing_acknowledged_along);
    ADD_TEST(suite, a_request_cut_off_between_its_variables_opens_nothing);
    ADD_TEST(suite, who_may_not_send_a_body_is_not_waited_for);
    ADD_TEST(suite, an_endpoint_outlives_nonsense_on_its_socket);
    ADD_ROWS(suite, a_short_body_records_nothing, ROWS(short_bodies));
    ADD_TEST(suite, the_same_programs_run_as_plain_cgi);
    ADD_TEST(suite, memory_does_not_grow_with_requests);
    return suite;
}
