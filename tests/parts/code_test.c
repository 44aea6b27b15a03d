/* SPDX-License-Identifier: MIT */
#include "store_fixture.h"

#include "records/code.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { NOW = 1000000, MAKERS = 8, ROUNDS = 8 };

static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static struct local_key *open_key(void)
{
    char error[LOCAL_KEY_ERROR_MAX] = "";
    struct local_key *key = local_key_open(store_path, error);
    ck_assert_msg(key != NULL, "%s", error);
    return key;
}

static void add_customer(const char *id)
{
    char sql[128];
    ck_assert_int_gt(snprintf(sql, sizeof(sql), "INSERT INTO customer VALUES ('%s')", id), 0);
    execute(sql);
}

/* A new code for the customer; it must be made. */
static struct code issue(const char *customer_id, int64_t now)
{
    struct local_key *key = open_key();
    struct code code;
    ck_assert_int_eq((int)code_issue(store, key, customer_id, now, &code), REFUSAL_NONE);
    local_key_close(key);
    return code;
}

struct use {
    const char *hash;
    int64_t now;
    char customer_id[CUSTOMER_ID_SIZE];
};

static bool use_piece(struct database *database, void *context)
{
    struct use *use = context;
    return code_use(database, use->hash, NULL, use->now, use->customer_id);
}

/* Whose the code was; "" when it was refused. Static. */
static const char *use(const char *typed, int64_t now)
{
    static struct use use;
    char hash[DIGEST_TEXT];
    struct local_key *key = open_key();
    ck_assert(code_read(key, typed, hash));
    local_key_close(key);
    use.hash = hash;
    use.now = now;
    write_now(use_piece, &use);
    return use.customer_id;
}

/* ---- what a code looks like ------------------------------------------------ */

START_TEST(a_code_is_two_groups_of_four_letters)
{
    add_customer("a");
    struct code code = issue("a", NOW);
    ck_assert_uint_eq(strlen(code.text), 9);
    ck_assert_uint_eq(strspn(code.text, alphabet), 4);
    ck_assert_int_eq(code.text[4], '-');
    ck_assert_uint_eq(strspn(code.text + 5, alphabet), 4);
    ck_assert_int_eq(code.expires_at, NOW + 15 * 60 * 1000);
}
END_TEST

/* By many threads, since the store commits their codes together. */
enum {
    ISSUERS = 25,
    ISSUED_BY_EACH = 800,
    EXPECTED = ISSUERS * ISSUED_BY_EACH / 32,
    DEVIATION = 25
};

static size_t letter_counts[ISSUERS][CODE_TEXT][128];

static void issue_many(size_t number)
{
    char customer_id[16];
    struct local_key *key = open_key();
    ck_assert_int_gt(snprintf(customer_id, sizeof(customer_id), "%zu", number), 0);
    for (size_t i = 0; i < ISSUED_BY_EACH; i++) {
        struct code code;
        ck_assert_int_eq((int)code_issue(store, key, customer_id, NOW, &code), REFUSAL_NONE);
        for (size_t place = 0; code.text[place] != '\0'; place++)
            letter_counts[number][place][(size_t)code.text[place]]++;
    }
    local_key_close(key);
}

static int letters_seen(size_t place, char letter)
{
    size_t seen = 0;
    for (size_t i = 0; i < ISSUERS; i++)
        seen += letter_counts[i][place][(size_t)letter];
    return (int)seen;
}

START_TEST(every_letter_stands_at_every_place_equally_often)
{
    memset(letter_counts, 0, sizeof(letter_counts));
    for (size_t i = 0; i < ISSUERS; i++) {
        char customer_id[16];
        ck_assert_int_gt(snprintf(customer_id, sizeof(customer_id), "%zu", i), 0);
        add_customer(customer_id);
    }
    run_crowd(ISSUERS, issue_many);
    for (size_t place = 0; place < 9; place += place == 3 ? 2 : 1)
        for (const char *letter = alphabet; *letter != '\0'; letter++) {
            /* Eight standard deviations: chance alone fails once in 10^12 runs. */
            ck_assert_int_gt(letters_seen(place, *letter), EXPECTED - 8 * DEVIATION);
            ck_assert_int_lt(letters_seen(place, *letter), EXPECTED + 8 * DEVIATION);
        }
}
END_TEST

/* ---- what a person types ------------------------------------------------------ */

static const struct {
    const char *name;
    const char *typed;
    bool means_it; /* "7K3M-9Q2X" */
} typings[] = {
    {"as shown", "7K3M-9Q2X", true},
    {"without the hyphen", "7K3M9Q2X", true},
    {"in lower case", "7k3m-9q2x", true},
    {"with a space", "7K3M 9Q2X", true},
    {"with fillers everywhere", "  7-K 3M --\t9Q2X -", true},
    {"with a no-break space",
     "7K3M\xC2\xA0"
     "9Q2X",
     true},
    {"with an en dash",
     "7K3M\xE2\x80\x93"
     "9Q2X",
     true},
    {"with a non-breaking hyphen",
     "7K3M\xE2\x80\x91"
     "9Q2X",
     true},
    {"as long as may be", "7K3M-9Q2X                                                       ", true},
    {"another letter", "7K3M-9Q2Y", false},
    {"other order", "K73M-9Q2X", false},
};

/* The hash of what was typed, or "" when it can't be a code. Static for two calls. */
static const char *hash_of(const struct local_key *key, const char *typed)
{
    static char hashes[2][DIGEST_TEXT];
    static size_t next;
    char *hash = hashes[next++ % 2];
    hash[0] = '\0';
    return code_read(key, typed, hash) ? hash : "";
}

START_TEST(what_is_typed_differently_means_the_same_code)
{
    struct local_key *key = open_key();
    const char *hash = hash_of(key, typings[_i].typed);
    bool equal = strcmp(hash, hash_of(key, "7K3M9Q2X")) == 0;
    ck_assert_msg(equal == typings[_i].means_it, "%s", typings[_i].name);
    local_key_close(key);
}
END_TEST

START_TEST(letters_that_look_like_digits_are_these)
{
    static const char *const zeros[] = {"00000000", "oOoO-0OO0"};
    static const char *const ones[] = {"11111111", "iIlL-1Li1"};
    struct local_key *key = open_key();
    ck_assert_str_eq(hash_of(key, zeros[1]), hash_of(key, zeros[0]));
    ck_assert_str_eq(hash_of(key, ones[1]), hash_of(key, ones[0]));
    ck_assert_str_ne(hash_of(key, zeros[0]), hash_of(key, ones[0]));
    ck_assert_str_ne(hash_of(key, zeros[0]), "");
    local_key_close(key);
}
END_TEST

#define SPACES_55 "                                                       "

static const struct {
    const char *name;
    const char *typed;
} no_codes[] = {
    {"nothing", ""},
    {"fillers alone", " - - "},
    {"seven letters", "7K3M-9Q2"},
    {"nine letters", "7K3M-9Q2X7"},
    {"a U", "7K3M-9Q2U"},
    {"a small u", "7K3M-9Q2u"},
    {"a dot", "7K3M.9Q2X"},
    {"a line break", "7K3M\n9Q2X"},
    {"an umlaut", "7K3M-9Q2\xC3\x84"},
    {"half a dash", "7K3M\xE2\x80"},
    {"a byte of no character", "7K3M9Q2\xFF"},
    {"eight letters, then a fullwidth one", "7K3M9Q2X\xEF\xBC\xA1"},
    {"one byte too long", "7K3M-9Q2X" SPACES_55 " "},
    {"far too long", SPACES_55 SPACES_55 SPACES_55 "7K3M9Q2X"},
};

START_TEST(what_cannot_be_a_code_is_none)
{
    char hash[DIGEST_TEXT];
    struct local_key *key = open_key();
    ck_assert(code_read(key, no_codes[_i].typed, hash));
    ck_assert_msg(hash[0] == '\0', "%s", no_codes[_i].name);
    local_key_close(key);
}
END_TEST

/* ---- its life ------------------------------------------------------------------ */

START_TEST(a_code_is_good_once)
{
    add_customer("a");
    add_customer("b");
    struct code first = issue("a", NOW);
    struct code second = issue("b", NOW);
    ck_assert_str_eq(use(first.text, NOW + 1), "a");
    ck_assert_str_eq(use(first.text, NOW + 2), "");
    ck_assert_int_eq(number_of("SELECT used_at FROM one_time_code WHERE customer_id = 'a'"),
                     NOW + 1);
    ck_assert_str_eq(use(second.text, NOW + 3), "b");
}
END_TEST

static char crowded_code[CODE_TEXT];
static char crowd_won[CROWD_MAX];

static void use_in_crowd(size_t number)
{
    struct use attempt = {.now = NOW};
    char hash[DIGEST_TEXT];
    struct local_key *key = open_key();
    ck_assert(code_read(key, crowded_code, hash));
    local_key_close(key);
    attempt.hash = hash;
    write_now(use_piece, &attempt);
    crowd_won[number] = attempt.customer_id[0];
}

START_TEST(of_many_who_use_a_code_at_once_one_gets_through)
{
    size_t winners = 0;
    add_customer("a");
    struct code code = issue("a", NOW);
    memcpy(crowded_code, code.text, sizeof(crowded_code));
    run_crowd(CROWD_MAX, use_in_crowd);
    for (size_t i = 0; i < CROWD_MAX; i++)
        winners += crowd_won[i] == 'a' ? 1 : 0;
    ck_assert_uint_eq(winners, 1);
}
END_TEST

START_TEST(a_new_code_voids_the_older)
{
    add_customer("a");
    struct code older = issue("a", NOW);
    struct code newer = issue("a", NOW + 1);
    ck_assert_str_ne(older.text, newer.text);
    ck_assert_str_eq(use(older.text, NOW + 2), "");
    ck_assert_str_eq(use(newer.text, NOW + 2), "a");
}
END_TEST

START_TEST(a_new_code_is_good_after_one_that_was_used)
{
    add_customer("a");
    struct code older = issue("a", NOW);
    ck_assert_str_eq(use(older.text, NOW), "a");
    struct code newer = issue("a", NOW + 1);
    ck_assert_str_eq(use(newer.text, NOW + 1), "a");
    ck_assert_str_eq(use(older.text, NOW + 1), "");
}
END_TEST

START_TEST(a_code_dies_at_its_fifteenth_minute)
{
    add_customer("a");
    struct code code = issue("a", NOW);
    ck_assert_str_eq(use(code.text, NOW + 15 * 60 * 1000), "");
    ck_assert_int_eq(number_of("SELECT count(*) FROM one_time_code WHERE used_at IS NULL"), 1);
    ck_assert_str_eq(use(code.text, NOW + 15 * 60 * 1000 - 1), "a");
}
END_TEST

START_TEST(nobody_unknown_gets_a_code)
{
    struct code code;
    struct local_key *key = open_key();
    ck_assert_int_eq((int)code_issue(store, key, "nobody", NOW, &code), REFUSAL_CUSTOMER_UNKNOWN);
    ck_assert_str_eq(code.text, "");
    ck_assert_int_eq(number_of("SELECT count(*) FROM one_time_code"), 0);
    local_key_close(key);
}
END_TEST

static bool forget_piece(struct database *database, void *context)
{
    return code_forget(database, "a", context);
}

START_TEST(a_forgotten_customers_code_is_void)
{
    int64_t removed = -1;
    add_customer("a");
    add_customer("b");
    struct code code = issue("a", NOW);
    struct code other = issue("b", NOW);
    write_now(forget_piece, &removed);
    ck_assert_int_eq(removed, 1);
    ck_assert_str_eq(use(code.text, NOW), "");
    ck_assert_str_eq(use(other.text, NOW), "b");
    write_now(forget_piece, &removed);
    ck_assert_int_eq(removed, 0);
}
END_TEST

/* ---- the key -------------------------------------------------------------------- */

static mode_t mode_of_key(void)
{
    struct stat status;
    ck_assert_int_eq(lstat(store_path_with(".key"), &status), 0);
    ck_assert_int_eq(status.st_size, 32);
    return status.st_mode;
}

START_TEST(the_key_is_made_once_and_for_no_others)
{
    char hash[DIGEST_TEXT];
    struct local_key *key = open_key();
    ck_assert(code_read(key, "7K3M9Q2X", hash));
    ck_assert_uint_eq(mode_of_key(), S_IFREG | 0640);
    struct local_key *again = open_key();
    ck_assert_str_eq(hash_of(again, "7K3M9Q2X"), hash);
    local_key_close(again);
    local_key_close(key);
}
END_TEST

START_TEST(another_key_makes_other_hashes)
{
    char hash[DIGEST_TEXT];
    struct local_key *key = open_key();
    ck_assert(code_read(key, "7K3M9Q2X", hash));
    local_key_close(key);
    ck_assert_int_eq(unlink(store_path_with(".key")), 0);
    key = open_key();
    ck_assert_str_ne(hash_of(key, "7K3M9Q2X"), hash);
    local_key_close(key);
}
END_TEST

/* One of several processes that need the key at once; what it got goes into the pipe. */
static void make_in_process(int start, int result)
{
    char error[LOCAL_KEY_ERROR_MAX];
    char hash[DIGEST_TEXT] = "";
    char signal;
    if (read(start, &signal, 1) < 0)
        _exit(1);
    struct local_key *key = local_key_open(store_path, error);
    bool told = key && code_read(key, "7K3M9Q2X", hash) &&
                write(result, hash, sizeof(hash)) == (ssize_t)sizeof(hash);
    local_key_close(key);
    _exit(told ? 0 : 1);
}

static pid_t start_maker(const int start[2], int result)
{
    pid_t maker = fork();
    ck_assert_int_ge(maker, 0);
    if (maker != 0)
        return maker;
    (void)close(start[1]); /* the end of the pipe is the signal */
    make_in_process(start[0], result);
    _exit(1);
}

/* All of them told the same hash. */
static void expect_one_key(const pid_t makers[MAKERS], int results)
{
    char hashes[MAKERS][DIGEST_TEXT];
    for (size_t i = 0; i < MAKERS; i++) {
        int status = -1;
        ck_assert_int_eq(waitpid(makers[i], &status, 0), makers[i]);
        ck_assert_int_eq(status, 0);
        ck_assert_int_eq(read(results, hashes[i], DIGEST_TEXT), DIGEST_TEXT);
        ck_assert_str_eq(hashes[i], hashes[0]);
    }
}

START_TEST(processes_that_make_the_key_at_once_get_the_same)
{
    for (size_t round = 0; round < ROUNDS; round++) {
        int start[2];
        int result[2];
        pid_t makers[MAKERS];
        ck_assert_int_eq(pipe(start), 0);
        ck_assert_int_eq(pipe(result), 0);
        for (size_t i = 0; i < MAKERS; i++)
            makers[i] = start_maker(start, result[1]);
        ck_assert_int_eq(close(start[1]), 0);
        expect_one_key(makers, result[0]);
        (void)close(start[0]), (void)close(result[0]), (void)close(result[1]);
        ck_assert_uint_eq(mode_of_key(), S_IFREG | 0640);
        ck_assert_int_eq(unlink(store_path_with(".key")), 0);
    }
}
END_TEST

#define BYTES_32 "0123456789abcdef0123456789abcdef"

static const struct {
    const char *name;
    const char *bytes; /* NULL: no file */
    mode_t mode;
    const char *complaint;
    const char *link_to; /* made under the key's name; behind the database's path */
} bad_keys[] = {
    {"others may read", BYTES_32, 0664, "others may use it", NULL},
    {"others may write", BYTES_32, 0662, "others may use it", NULL},
    {"too short", "0123456789abcdef0123456789abcde", 0660, "not a key of 32 bytes", NULL},
    {"too long", BYTES_32 "0", 0660, "not a key of 32 bytes", NULL},
    {"empty", "", 0660, "not a key of 32 bytes", NULL},
    {"a link to a good one", BYTES_32, 0660, "is a link", ".other"},
    {"a link to nowhere", NULL, 0, "is a link", ".other"},
};

static void write_bytes(const char *path, const char *bytes, mode_t mode)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(write(file, bytes, strlen(bytes)), (ssize_t)strlen(bytes));
    ck_assert_int_eq(fchmod(file, mode), 0);
    ck_assert_int_eq(close(file), 0);
}

/* So that codes outlive a change of ours; the answer is of `openssl dgst -hmac`. */
START_TEST(the_hash_is_hmac_sha256_of_the_eight_characters)
{
    write_bytes(store_path_with(".key"), BYTES_32, 0660);
    struct local_key *key = open_key();
    ck_assert_str_eq(hash_of(key, "7k3m-9q2x"),
                     "37af7751e4044f82599c8091e1e59d0820e54ac349a0e416c6e8dff67bfaed25");
    local_key_close(key);
}
END_TEST

static const struct {
    mode_t before;
    mode_t after;
} kept_keys[] = {{0660, 0640}, {0640, 0640}, {0600, 0600}, {0440, 0440}, {0620, 0600}};

/* Version 0.1.0 made it so that the group could write at first. */
START_TEST(an_older_key_is_lowered_by_its_owner)
{
    write_bytes(store_path_with(".key"), BYTES_32, kept_keys[_i].before);
    struct local_key *key = open_key();
    ck_assert_uint_eq(mode_of_key(), S_IFREG | kept_keys[_i].after);
    ck_assert_str_eq(hash_of(key, "7k3m-9q2x"),
                     "37af7751e4044f82599c8091e1e59d0820e54ac349a0e416c6e8dff67bfaed25");
    local_key_close(key);
}
END_TEST

static void expect_no_key(const char *name, const char *complaint)
{
    char error[LOCAL_KEY_ERROR_MAX] = "";
    ck_assert_msg(local_key_open(store_path, error) == NULL, "%s", name);
    ck_assert_msg(strstr(error, complaint) != NULL, "%s: %s", name, error);
    ck_assert_msg(strstr(error, store_path_with(".key: ")) == error, "%s: %s", name, error);
}

START_TEST(a_key_that_others_may_know_is_refused)
{
    char path[128];
    const char *ending = bad_keys[_i].link_to ? bad_keys[_i].link_to : ".key";
    ck_assert_int_gt(snprintf(path, sizeof(path), "%s", store_path_with(ending)), 0);
    if (bad_keys[_i].bytes != NULL)
        write_bytes(path, bad_keys[_i].bytes, bad_keys[_i].mode);
    if (bad_keys[_i].link_to != NULL)
        ck_assert_int_eq(symlink(path, store_path_with(".key")), 0);
    expect_no_key(bad_keys[_i].name, bad_keys[_i].complaint);
}
END_TEST

START_TEST(a_fifo_is_no_key_and_holds_nobody)
{
    ck_assert_int_eq(mkfifo(store_path_with(".key"), 0660), 0);
    expect_no_key("a FIFO", "not a regular file");
}
END_TEST

START_TEST(a_key_that_cannot_be_made_is_said)
{
    char error[LOCAL_KEY_ERROR_MAX] = "";
    ck_assert_ptr_null(local_key_open("/nonexistent/feedgate.db", error));
    ck_assert_str_eq(error, "/nonexistent/feedgate.db.key: No such file or directory");
}
END_TEST

Suite *code_suite(void)
{
    Suite *suite = suite_create("code");
    ADD_STORE_RULE(suite, a_code_is_two_groups_of_four_letters);
    ADD_STORE_RULE(suite, every_letter_stands_at_every_place_equally_often);
    ADD_STORE_RULE_FOR_EACH(suite, what_is_typed_differently_means_the_same_code, typings);
    ADD_STORE_RULE(suite, letters_that_look_like_digits_are_these);
    ADD_STORE_RULE_FOR_EACH(suite, what_cannot_be_a_code_is_none, no_codes);
    ADD_STORE_RULE(suite, a_code_is_good_once);
    ADD_STORE_RULE(suite, of_many_who_use_a_code_at_once_one_gets_through);
    ADD_STORE_RULE(suite, a_new_code_voids_the_older);
    ADD_STORE_RULE(suite, a_new_code_is_good_after_one_that_was_used);
    ADD_STORE_RULE(suite, a_code_dies_at_its_fifteenth_minute);
    ADD_STORE_RULE(suite, nobody_unknown_gets_a_code);
    ADD_STORE_RULE(suite, a_forgotten_customers_code_is_void);
    ADD_STORE_RULE(suite, the_key_is_made_once_and_for_no_others);
    ADD_STORE_RULE(suite, another_key_makes_other_hashes);
    ADD_STORE_RULE_FOR_EACH(suite, an_older_key_is_lowered_by_its_owner, kept_keys);
    ADD_STORE_RULE(suite, the_hash_is_hmac_sha256_of_the_eight_characters);
    ADD_STORE_RULE(suite, processes_that_make_the_key_at_once_get_the_same);
    ADD_STORE_RULE_FOR_EACH(suite, a_key_that_others_may_know_is_refused, bad_keys);
    ADD_STORE_RULE(suite, a_fifo_is_no_key_and_holds_nobody);
    ADD_STORE_RULE(suite, a_key_that_cannot_be_made_is_said);
    return suite;
}
