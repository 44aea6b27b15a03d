/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include "processes.h"
#include "web/operator_proof.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* What an endpoint's memory holds, and who may look: nothing of others', nothing for longer. */

/* The last request of each is one that is answered with a secret. */
enum { CHUNK = 1 << 20, NEEDLES_MAX = 64, NEEDLE_MAX = 600, REQUESTS = 100 };

/* What nobody sends but these tests: as a key, a token's segment, a secret of ours, a code. */
#define MARK "7a9c2e4f7a9c2e4f7a9c2e4f7a9c2e4f7a9c2e4f7a9c2e4f7a9c2e4f7a9c2e4f"
/* Any piece of it. */
enum { MARK_PIECE = 16 };

static const char *const endpoints[] = {"notification",      "auth", "authrefresh",
                                        "availableaccounts", "code", "complete"};

/* What is looked for. */
struct needle {
    const char *what;
    const void *bytes;
    size_t length;
};

static struct needle needles[NEEDLES_MAX];
static size_t needle_count;

static void look_for(const char *what, const void *bytes, size_t length)
{
    EXPECT(needle_count < NEEDLES_MAX && length > 0 && length <= NEEDLE_MAX, "%s", what);
    needles[needle_count++] =
        (struct needle){.what = what, .bytes = scratch_copy(bytes, length), .length = length};
}

static void look_for_text(const char *what, const char *text)
{
    look_for(what, text, strlen(text));
}

static pid_t process_of(const char *endpoint)
{
    pid_t process;
    EXPECT_NUMBER(server_processes(endpoint, &process, 1), 1);
    return process;
}

/* One mapping of a process, in pieces that overlap. False when it can't be read. */
static bool search_mapping(int memory, off_t from, off_t to, bool *found)
{
    static char bytes[CHUNK];
    for (off_t at = from; at < to; at += CHUNK - NEEDLE_MAX) {
        size_t wanted = to - at < CHUNK ? (size_t)(to - at) : CHUNK;
        ssize_t length = pread(memory, bytes, wanted, at);
        if (length <= 0)
            return at > from;
        for (size_t i = 0; i < needle_count; i++)
            found[i] = found[i] ||
                       memmem(bytes, (size_t)length, needles[i].bytes, needles[i].length) != NULL;
        if ((size_t)length == wanted && at + (off_t)wanted >= to)
            return true;
    }
    return true;
}

/* All that can be read of the process; what was found of the needles is noted in `found`. */
static void search(pid_t process, bool *found)
{
    size_t searched = 0;
    char line[4400];
    memset(found, 0, NEEDLES_MAX * sizeof(*found));
    FILE *maps = fopen(scratch_format("/proc/%d/maps", (int)process), "re");
    int memory = open(scratch_format("/proc/%d/mem", (int)process), O_RDONLY | O_CLOEXEC);
    EXPECT(maps != NULL && memory >= 0, "the memory of %d can't be read", (int)process);
    while (fgets(line, sizeof(line), maps) != NULL) {
        char *end;
        unsigned long from = strtoul(line, &end, 16);
        EXPECT(*end == '-', "%s", line);
        unsigned long to = strtoul(end + 1, &end, 16);
        if (end[0] == ' ' && end[1] == 'r' && search_mapping(memory, (off_t)from, (off_t)to, found))
            searched++;
    }
    (void)fclose(maps);
    (void)close(memory);
    EXPECT(searched > 10, "only %zu mappings of %d could be read", searched, (int)process);
}

static const char *names_of(const bool *found)
{
    const char *names = "";
    for (size_t i = 0; i < needle_count; i++)
        if (found[i])
            names = scratch_format("%s %s", names, needles[i].what);
    return names;
}

/* Nobody but root may look into an endpoint. */
static bool may_not_look(const char *test)
{
    if (geteuid() == 0)
        return false;
    (void)fprintf(stderr, "skipped: %s needs root\n", test);
    return true;
}

/* ---- who may look --------------------------------------------------------------------- */

/* Whether a process of the endpoint's own user gets at the file; what has no user of its own is
 * ours. */
static bool can_be_opened(pid_t process, const char *name)
{
    uid_t user;
    gid_t group;
    EXPECT(process_owner(process, &user, &group), "who runs %d?", (int)process);
    pid_t helper = fork();
    if (helper == 0) {
        bool same = geteuid() == user ||
                    (setresgid(group, group, group) == 0 && setresuid(user, user, user) == 0);
        int file = open(scratch_format("/proc/%d/%s", (int)process, name), O_RDONLY | O_CLOEXEC);
        _exit(!same ? 2 : file >= 0);
    }
    int status = -1;
    EXPECT(helper > 0 && waitpid(helper, &status, 0) == helper && WIFEXITED(status) &&
               WEXITSTATUS(status) < 2,
           "%s", "no helper could look");
    return WEXITSTATUS(status) == 1;
}

/* The line of its core's two limits, of which anybody may read. */
static const char *core_limits(pid_t process)
{
    static const char name[] = "Max core file size";
    char line[256];
    const char *limits = "";
    FILE *file = fopen(scratch_format("/proc/%d/limits", (int)process), "re");
    EXPECT(file != NULL, "no limits of %d", (int)process);
    while (fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, name, strlen(name)) == 0)
            limits = scratch_copy(line, strlen(line));
    (void)fclose(file);
    return limits;
}

START_TEST(no_process_of_the_same_user_looks_into_an_endpoint)
{
    case_is(endpoints[_i]);
    server_use_shared();
    pid_t processes[8];
    size_t count = server_processes(endpoints[_i], processes, ROWS(processes));
    EXPECT(count > 0, "%s", "no process was found");
    for (size_t i = 0; i < count; i++) {
        EXPECT(can_be_opened(processes[i], "status"), "%s", "nothing can be seen of it at all");
        EXPECT(!can_be_opened(processes[i], "mem"), "%s", "its memory lies open");
        EXPECT(!can_be_opened(processes[i], "environ"), "%s", "its environment lies open");
        const char *limits = core_limits(processes[i]);
        EXPECT(strstr(limits, " 0 ") != NULL && strpbrk(limits, "123456789") == NULL &&
                   strstr(limits, "unlimited") == NULL,
               "it may leave a core: %s", limits);
    }
}
END_TEST

/* ---- what it holds -------------------------------------------------------------------- */

static const struct {
    const char *endpoint;
    const char *holds; /* in this order, a space before each */
} holders[] = {
    {"notification", " key-header"},
    {"availableaccounts", ""},
    {"auth", " client-secret api-key"},
    {"authrefresh", " client-secret api-key"},
    {"code", " code-key"},
    {"complete", " complete-key client-secret api-key"},
};

static void look_for_all_secrets(void)
{
    needle_count = 0;
    look_for_text("key-header", SERVER_KEY);
    look_for_text("code-key", SERVER_CODE_KEY);
    look_for_text("complete-key", SERVER_COMPLETE_KEY);
    look_for_text("client-secret", SERVER_CLIENT_SECRET);
    look_for_text("api-key", SERVER_API_KEY);
    /* It is read for each use, and held by nobody. */
    look_for("database-key", server_read_file("feedgate.db.key"), 32);
}

/* One request for each use of a key: the guard's, and the operator's proof. */
static void use_keys(const char *endpoint)
{
    char value[OPERATOR_PROOF_SIZE];
    char error[LOCAL_KEY_ERROR_MAX];
    EXPECT(operator_proof_make(server_path("feedgate.db"), endpoint, server_time() * 1000, value,
                               error),
           "%s", error);
    const char *proof = scratch_format(OPERATOR_PROOF_REQUEST ": %s", value);
    struct request request = {.path = scratch_format("/%s?x=1", endpoint), .headers = {proof}};
    EXPECT(response_header(&(struct response){.headers = http_send(&request).headers},
                           OPERATOR_PROOF_ANSWER) != NULL,
           "%s", "the proof isn't taken");
}

START_TEST(an_endpoint_holds_no_secret_but_its_own)
{
    bool found[NEEDLES_MAX];
    if (may_not_look("an_endpoint_holds_no_secret_but_its_own"))
        return;
    SERVER(.processes = 1);
    (void)new_confirmation(new_uuid(), new_customer(1)); /* which uses keys of several */
    for (size_t i = 0; i < ROWS(holders); i++) {
        case_is(holders[i].endpoint);
        use_keys(holders[i].endpoint);
        look_for_all_secrets();
        search(process_of(holders[i].endpoint), found);
        EXPECT_TEXT(names_of(found), holders[i].holds);
    }
}
END_TEST

START_TEST(availableaccounts_holds_the_key_header_while_it_wants_it)
{
    bool found[NEEDLES_MAX];
    if (may_not_look("availableaccounts_holds_the_key_header_while_it_wants_it"))
        return;
    SERVER(.processes = 1, .settings = {"availableaccounts.require_key_header = yes"});
    look_for_all_secrets();
    search(process_of("availableaccounts"), found);
    EXPECT_TEXT(names_of(found), " key-header");
}
END_TEST

/* Whatever is wrong with the content of other files is for check to tell. */
START_TEST(a_command_reads_no_secret_but_its_own)
{
    SERVER(.processes = 1);
    static const char *const of_others[] = {"notification.key", "code.key", "complete.key"};
    for (size_t i = 0; i < ROWS(of_others); i++)
        server_write_file(of_others[i], "short\n");
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 0);
    EXPECT_NUMBER(FEEDGATE("purge").status, 0);
    EXPECT_NUMBER(FEEDGATE("sessions").status, 0);
    EXPECT_NUMBER(FEEDGATE("check").status, 1);
    server_write_file("api.key", "short\n");
    EXPECT_NUMBER(FEEDGATE("purge").status, 0);
    EXPECT_NUMBER(FEEDGATE("deliver", "--once").status, 1);
}
END_TEST

/* ---- what is left of requests --------------------------------------------------------- */

static const char bearer_mark[] = "Authorization: Bearer " MARK "." MARK "." MARK;
static const char other_mark[] = "X-Other: " MARK;

static void send_to(const char *endpoint, const char *body, const char *type, const char *header)
{
    struct request request = {
        .path = scratch_format("/%s?other=" MARK, endpoint),
        .body = body,
        .body_length = body != NULL ? strlen(body) : 0,
        .headers = {scratch_format("Content-Type: %s", type), header, other_mark},
    };
    EXPECT(http_send(&request).status >= 200, "%s", "no answer came");
}

static void show_notification(size_t number)
{
    static const char *const bodies[] = {"{\"type\":5,\"other\":\"" MARK "\"}", "\"" MARK "\"}",
                                         "{\"" MARK "\":{\"" MARK "\":[\"" MARK "\"]}}"};
    const char *claims = "\"other\":\"" MARK "\"";
    switch (number % 5) {
    case 0:
        send_to("notification", "{}", "application/json", bearer_mark);
        break;
    case 1:
        EXPECT_STATUS(NOTIFY(.key = MARK, .headers = {other_mark}), 401);
        break;
    case 2:
        EXPECT_STATUS(NOTIFY(.authorization = "Bearer " MARK "." MARK "." MARK), 401);
        break;
    case 3:
        EXPECT_STATUS(NOTIFY(.token = TOKEN(.more_claims = claims), .headers = {other_mark}), 200);
        break;
    default:
        EXPECT_STATUS(NOTIFY(.token = TOKEN(.more_claims = claims),
                             .body = bodies[number / 5 % ROWS(bodies)]),
                      400);
    }
}

static void show_availableaccounts(size_t number)
{
    const char *query = "externalId=" MARK "&other=" MARK;
    if (number % 3 == 0)
        EXPECT_STATUS(LIST(.query = query, .authorization = bearer_mark + 15), 401);
    else if (number % 3 == 1)
        EXPECT_STATUS(LIST(.query = query, .token = TOKEN(.more_claims = "\"other\":\"" MARK "\"")),
                      404);
    else
        send_to("availableaccounts", NULL, "text/plain", bearer_mark);
}

/* Of a journey's steps, each but the last. */
static void show_journey(size_t number)
{
    static const char form[] = "application/x-www-form-urlencoded";
    const char *endpoint = needles[0].what;
    const char *ticket;
    struct response page;
    switch (number % 5) {
    case 0:
        EXPECT_STATUS(OPEN(.endpoint = endpoint, .more_query = "&other=" MARK), 403);
        break;
    case 1:
        send_to(endpoint, "ticket=" MARK "&step=code&code=" MARK "&other=" MARK, form, bearer_mark);
        break;
    case 2:
        send_to(endpoint, "continuation=" MARK "&step=confirm&other=" MARK, form, other_mark);
        break;
    case 3:
        EXPECT(visit(endpoint, MARK).status >= 400, "%s", "who is let in?");
        break;
    default:
        if (strcmp(endpoint, "auth") != 0 || number % 10 != 9)
            break;
        ticket = new_ticket(new_uuid(), "auth");
        look_for_text("ticket", ticket);
        EXPECT_STATUS(visit("auth", ticket), 200);
        const char *code = new_code(new_customer(1));
        look_for_text("code", code);
        page = submit("auth", code_form(ticket, code));
        EXPECT_STATUS(page, 200);
        look_for_text("continuation", hidden_field(&page, "continuation"));
    }
}

static void show_code(size_t number)
{
    struct request request = {
        .path = "/code",
        .headers = {"Content-Type: application/json",
                    scratch_format("Authorization: Bearer %s", SERVER_CODE_KEY)},
    };
    if (number % 4 == 0) {
        send_to("code", "{}", "application/json", bearer_mark);
        return;
    }
    request.body = number % 4 == 1   ? "{\"customer\":\"" MARK "\"}"
                   : number % 4 == 2 ? "{\"other\":\"" MARK "\"}"
                                     : scratch_format("{\"customer\":\"%s\"}", new_customer(1));
    request.body_length = strlen(request.body);
    struct response response = http_send(&request);
    if (number % 8 != 3)
        return;
    EXPECT_STATUS(response, 200);
    const char *code = strstr(response.body, "\"code\":\"");
    EXPECT(code != NULL, "%s", response.body);
    look_for("code", code + strlen("\"code\":\""), 9);
}

static void show_complete(size_t number)
{
    static const char *const bodies[] = {
        "{\"authorisationId\":\"" MARK "\"}",
        "{\"authorisationId\":\"11111111-2222-4333-8444-555555555555\",\"status\":\"success\","
        "\"bankAccounts\":[{\"externalId\":\"" MARK "\",\"accountName\":\"" MARK "\"}]}",
        "{\"authorisationId\":\"11111111-2222-4333-8444-555555555555\",\"status\":\"cancelled\"}",
    };
    const char *key = scratch_format("Authorization: Bearer %s", SERVER_COMPLETE_KEY);
    send_to("complete", bodies[number % ROWS(bodies)], "application/json",
            number % 4 == 0 ? bearer_mark : key);
}

static const struct {
    const char *endpoint;
    void (*show)(size_t number);
} shown[] = {
    {"notification", show_notification},
    {"availableaccounts", show_availableaccounts},
    {"auth", show_journey},
    {"authrefresh", show_journey},
    {"code", show_code},
    {"complete", show_complete},
};

static bool nothing_is_found(pid_t process, bool *found)
{
    search(process, found);
    return names_of(found)[0] == '\0';
}

START_TEST(after_a_hundred_requests_nothing_is_left_of_what_they_showed)
{
    bool found[NEEDLES_MAX];
    const char *endpoint = shown[_i].endpoint;
    case_is(endpoint);
    if (may_not_look("after_a_hundred_requests_nothing_is_left_of_what_they_showed"))
        return;
    SERVER(.processes = 1, .threads = 2);
    arm(new_uuid()); /* the key set is there */
    needle_count = 0;
    look_for(endpoint, MARK, MARK_PIECE);
    for (size_t i = 0; i < REQUESTS; i++)
        shown[_i].show(i);
    /* An answer arrives before its thread has done with the request. */
    int64_t end = monotonic_ms() + 10 * 1000;
    pid_t process = process_of(endpoint);
    while (!nothing_is_found(process, found) && monotonic_ms() < end)
        pause_briefly();
    EXPECT_TEXT(names_of(found), "");
}
END_TEST

Suite *memory_rules(void)
{
    Suite *suite = suite_create("memory");
    ADD_ROWS(suite, no_process_of_the_same_user_looks_into_an_endpoint, ROWS(endpoints));
    ADD_TEST(suite, an_endpoint_holds_no_secret_but_its_own);
    ADD_TEST(suite, availableaccounts_holds_the_key_header_while_it_wants_it);
    ADD_TEST(suite, a_command_reads_no_secret_but_its_own);
    ADD_ROWS(suite, after_a_hundred_requests_nothing_is_left_of_what_they_showed, ROWS(shown));
    return suite;
}
