/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/*
 * The issuer's key set: when it is fetched, what replaces it, and how long it
 * is used. The servers here have a clock that stands still, so a cool-down (30 s)
 * or an age (an hour) is over exactly when a test says so.
 */

enum { COOL_DOWN_S = 30, MAX_AGE_S = 3600, MAX_STALE_S = 24 * 3600 };

/* A server with a clock and an issuer of its own. */
static struct issuer *start(unsigned processes)
{
    struct issuer *issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true, .processes = processes);
    return issuer;
}

static struct response notify_signed_by(const char *key)
{
    return NOTIFY(.token = TOKEN(.key = key));
}

static void expect_good(const char *key)
{
    EXPECT_RECORDED(notify_signed_by(key), "armed");
}

static void expect_unknown(const char *key)
{
    EXPECT_REFUSED(notify_signed_by(key), REFUSAL_TOKEN_KEY_UNKNOWN);
}

/* To whoever has the key header, while its fetch in this cool-down is spent. */
static void expect_try_again(const char *key)
{
    EXPECT_REFUSED(notify_signed_by(key), REFUSAL_KEYS_UNAVAILABLE);
}

/* What strangers get; `key` is what it is signed by. */
static struct response list_signed_by(const char *key)
{
    return LIST(.token = TOKEN(.key = key));
}

/* A fetch that began in the background has left its result in the table. */
static void await_fetches(struct issuer *issuer, unsigned count)
{
    AWAIT(issuer_fetches(issuer) == count, "%u fetches", issuer_fetches(issuer));
    AWAIT(ROW_NUMBER("SELECT count(*) FROM key_sets WHERE outcome = 'fetching'") == 0, "%s",
          "the fetch doesn't end");
}

START_TEST(all_processes_share_one_copy)
{
    enum { REQUESTS = 64 };
    static struct request requests[REQUESTS];
    static struct response responses[REQUESTS];
    struct issuer *issuer = start(4);
    expect_good("first");
    for (size_t i = 0; i < REQUESTS; i += 2) {
        requests[i] = NOTIFICATION();
        requests[i + 1] = listing_request(&(struct listing){.usual = 0});
    }
    http_send_all(requests, responses, REQUESTS, 16, NULL);
    for (size_t i = 0; i < REQUESTS; i++)
        EXPECT_STATUS(responses[i], i % 2 == 0 ? 200 : 404);
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
}
END_TEST

START_TEST(a_new_key_is_found_by_the_first_token_that_names_it)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    clock_move(COOL_DOWN_S);
    expect_good("second");
    expect_good("first");
    EXPECT_NUMBER(issuer_fetches(issuer), 2);
}
END_TEST

START_TEST(an_unknown_key_fetches_nothing_within_the_cool_down)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    clock_move(COOL_DOWN_S - 1);
    expect_try_again("second");
    EXPECT_REFUSED(list_signed_by("second"), REFUSAL_TOKEN_KEY_UNKNOWN);
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
    clock_move(1);
    expect_good("second");
}
END_TEST

START_TEST(a_stranger_spends_no_fetch_of_those_with_the_key_header)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    clock_move(COOL_DOWN_S);
    EXPECT_REFUSED(list_signed_by("forged"), REFUSAL_TOKEN_KEY_UNKNOWN);
    EXPECT_NUMBER(issuer_fetches(issuer), 2);
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    EXPECT_REFUSED(list_signed_by("second"), REFUSAL_TOKEN_KEY_UNKNOWN);
    expect_good("second");
    EXPECT_NUMBER(issuer_fetches(issuer), 3);
}
END_TEST

START_TEST(a_key_is_unknown_to_a_notification_only_by_a_fetch_begun_after_it)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    expect_try_again("second");
    clock_move(COOL_DOWN_S);
    EXPECT_REFUSED(list_signed_by("second"), REFUSAL_TOKEN_KEY_UNKNOWN);
    expect_unknown("second");
    expect_try_again("second");
    EXPECT_NUMBER(issuer_fetches(issuer), 3);
}
END_TEST

START_TEST(at_availableaccounts_the_key_header_counts_where_it_is_required)
{
    struct issuer *issuer = issuer_start();
    SERVER(.issuer = issuer, .own_clock = true,
           .settings = {"availableaccounts.require_key_header = yes"});
    const char *token = TOKEN(.key = "second");
    expect_good("first");
    EXPECT_REFUSED(LIST(.key = SERVER_KEY, .token = token), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_REFUSED(LIST(.key = OMIT, .token = token), REFUSAL_KEY_HEADER_MISSING);
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    clock_move(COOL_DOWN_S);
    EXPECT_REFUSED(LIST(.key = SERVER_KEY, .token = token), REFUSAL_ACCOUNT_UNKNOWN);
    EXPECT_NUMBER(issuer_fetches(issuer), 2);
}
END_TEST

START_TEST(a_flood_of_unknown_keys_fetches_twice_in_a_cool_down)
{
    enum { FLOOD = 200 };
    static struct request requests[FLOOD];
    static struct response responses[FLOOD];
    struct issuer *issuer = start(4);
    expect_good("first");
    clock_move(COOL_DOWN_S);
    for (size_t i = 0; i < FLOOD; i++) {
        const char *token = TOKEN(.kid = scratch_format("\"%s\"", new_uuid()));
        requests[i] = i % 2 == 0 ? NOTIFICATION(.token = token)
                                 : listing_request(&(struct listing){.token = token});
    }
    http_send_all(requests, responses, FLOOD, 50, NULL);
    for (size_t i = 0; i < FLOOD; i++) /* 503 for those for whom there was no room to wait */
        EXPECT(responses[i].status == 401 || responses[i].status == 503, "status %d",
               responses[i].status);
    /* Once for strangers, unless the other one came first, and once for those with the key. */
    unsigned fetches = issuer_fetches(issuer);
    EXPECT(fetches == 2 || fetches == 3, "%u fetches", fetches);
    expect_try_again("second");
    EXPECT_REFUSED(list_signed_by("second"), REFUSAL_TOKEN_KEY_UNKNOWN);
    EXPECT_NUMBER(issuer_fetches(issuer), fetches);
}
END_TEST

START_TEST(an_old_set_is_fetched_anew_while_it_is_used)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    clock_move(MAX_AGE_S);
    expect_good("first");
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
    issuer_hold(issuer);
    clock_move(1);
    expect_good("first"); /* answered although the issuer isn't */
    AWAIT(issuer_fetches(issuer) == 2, "%u fetches", issuer_fetches(issuer));
    expect_good("first");
    issuer_release(issuer);
    await_fetches(issuer, 2);
    expect_good("first");
    EXPECT_NUMBER(issuer_fetches(issuer), 2);
}
END_TEST

START_TEST(a_token_of_a_new_key_waits_for_the_fetch)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_hold(issuer);
    clock_move(COOL_DOWN_S);
    int wire = wire_connect_http();
    struct request request = NOTIFICATION(.token = TOKEN(.key = "second"));
    wire_send_request(wire, &request);
    AWAIT(issuer_fetches(issuer) == 2, "%u fetches", issuer_fetches(issuer));
    expect_good("first"); /* doesn't wait */
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    issuer_release(issuer);
    EXPECT_NUMBER(wire_read_answer(wire), 200);
}
END_TEST

START_TEST(waiting_tokens_leave_room_for_the_others)
{
    enum { WAITING = 24 };
    int wires[WAITING];
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_hold(issuer);
    clock_move(COOL_DOWN_S);
    for (size_t i = 0; i < WAITING; i++) {
        struct request request = NOTIFICATION(.token = TOKEN(.key = "second"));
        wires[i] = wire_connect_http();
        wire_send_request(wires[i], &request);
    }
    AWAIT(issuer_fetches(issuer) == 2, "%u fetches", issuer_fetches(issuer));
    expect_good("first");
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second")));
    issuer_release(issuer);
    int accepted = 0;
    for (size_t i = 0; i < WAITING; i++) {
        int status = wire_read_answer(wires[i]);
        EXPECT(status == 200 || status == 503, "status %d", status);
        accepted += status == 200;
    }
    EXPECT(accepted > 0, "%s", "nobody waited");
}
END_TEST

START_TEST(without_any_key_set_the_answer_is_try_again)
{
    unsigned port = refusing_port();
    SERVER(.own_clock = true,
           .settings = {scratch_format("sage.jwks_url = http://127.0.0.1:%u/", port)});
    const char *id = new_uuid();
    EXPECT_REFUSED(NOTIFY(.id = id), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_REFUSED(LIST(), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_TEXT(session_state(id), "none");
    EXPECT_NUMBER(events_of(id), 0);
}
END_TEST

START_TEST(an_issuer_that_comes_back_is_used_after_the_cool_down)
{
    struct issuer *issuer = start(2);
    issuer_drop_connections(issuer);
    EXPECT_REFUSED(NOTIFY(), REFUSAL_KEYS_UNAVAILABLE);
    issuer_answer(issuer, KEY_SET(JWK("first")));
    EXPECT_REFUSED(NOTIFY(), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
    clock_move(COOL_DOWN_S);
    expect_good("first");
}
END_TEST

START_TEST(an_issuer_that_never_answers_is_given_up)
{
    struct issuer *issuer = start(2);
    issuer_hold(issuer); /* until the test is over */
    EXPECT_REFUSED(NOTIFY(), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
}
END_TEST

START_TEST(the_last_good_set_is_used_through_an_outage)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_drop_connections(issuer);
    clock_move(MAX_AGE_S + 1);
    expect_good("first");
    await_fetches(issuer, 2);
    expect_good("first");
    EXPECT_REFUSED(notify_signed_by("second"), REFUSAL_KEYS_UNAVAILABLE);
    await_fetches(issuer, 3); /* the other turn of this cool-down */
    clock_move(MAX_STALE_S - MAX_AGE_S - 1);
    expect_good("first");
    await_fetches(issuer, 4);
    clock_move(COOL_DOWN_S); /* older than may be */
    EXPECT_REFUSED(notify_signed_by("first"), REFUSAL_KEYS_UNAVAILABLE);
    issuer_answer(issuer, KEY_SET(JWK("first")));
    clock_move(COOL_DOWN_S);
    expect_good("first");
}
END_TEST

START_TEST(a_restart_needs_no_issuer)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_drop_connections(issuer);
    server_restart();
    expect_good("first");
    EXPECT_NUMBER(issuer_fetches(issuer), 1);
}
END_TEST

/* ---- what doesn't replace a good set --------------------------------------- */

static const struct {
    const char *name;
    unsigned status;
    const char *document; /* `*` is a set with the key "second" */
} bad_documents[] = {
    {"empty", 200, ""},
    {"no JSON", 200, "<html>Sage ID is being maintained</html>"},
    {"cut", 200, "{\"keys\":["},
    {"text behind", 200, "* x"},
    {"an empty object", 200, "{}"},
    {"null", 200, "null"},
    {"an array", 200, "[*]"},
    {"no keys", 200, "{\"keys\":[]}"},
    {"keys is an object", 200, "{\"keys\":*}"},
    {"in another case", 200, "{\"Keys\":[]}"},
    {"a member twice", 200, "{\"keys\":[],\"keys\":[]}"},
    {"only numbers", 200, "{\"keys\":[1,2,3]}"},
    {"500", 500, "*"},
    {"404", 404, "*"},
    {"204", 204, ""},
    {"a redirect that isn't followed", 302, ""},
    {"no answer", 0, ""},
};

START_TEST(a_bad_answer_replaces_nothing)
{
    struct issuer *issuer = start(2);
    struct issuer *elsewhere = issuer_start();
    issuer_answer(elsewhere, KEY_SET(JWK("second")));
    expect_good("first");
    for (unsigned i = 0; i < ROWS(bad_documents); i++) {
        const char *document = fill_in(bad_documents[i].document, '*', KEY_SET(JWK("second")));
        case_is(bad_documents[i].name);
        if (bad_documents[i].status == 0)
            issuer_drop_connections(issuer);
        else if (bad_documents[i].status == 302)
            issuer_redirect(issuer,
                            scratch_format("%s.well-known/jwks.json", issuer_url(elsewhere)));
        else
            issuer_answer_status(issuer, bad_documents[i].status, document);
        clock_move(COOL_DOWN_S);
        EXPECT_REFUSED(notify_signed_by("second"), REFUSAL_KEYS_UNAVAILABLE);
        await_fetches(issuer, i + 2);
        expect_good("first");
    }
    EXPECT_NUMBER(issuer_fetches(elsewhere), 0);
}
END_TEST

/* A set with the key, made longer to so many bytes. */
static const char *set_of_size(const char *key, size_t size)
{
    const char *set = KEY_SET(JWK(key));
    return scratch_format("%s%s", set, repeat(" ", size - strlen(set)));
}

START_TEST(a_set_of_256_kib_is_taken_and_one_more_byte_is_not)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    issuer_answer(issuer, set_of_size("second", 256 * 1024 + 1));
    clock_move(COOL_DOWN_S);
    EXPECT_REFUSED(notify_signed_by("second"), REFUSAL_KEYS_UNAVAILABLE);
    expect_good("first");
    issuer_answer(issuer, set_of_size("second", 256 * 1024));
    clock_move(COOL_DOWN_S);
    expect_good("second");
}
END_TEST

/* ---- which keys are used --------------------------------------------------- */

static const struct {
    const char *name;
    bool used;
    struct jwk jwk;
    enum signature signature;
} entries[] = {
    {"without use and alg", true, {.key = "second", .use = OMIT, .alg = OMIT}, SIGNATURE_RS256},
    {"with members of all kinds",
     true,
     {.key = "third", .more = "\"x5c\":[\"AAAA\"],\"x5t\":\"AA\",\"x\":{}"},
     SIGNATURE_RS256},
    {"1,024 bits", false, {.key = "weak"}, SIGNATURE_RS256},
    {"2,040 bits", false, {.key = "short"}, SIGNATURE_RS256},
    {"for encryption", false, {.key = "enc", .use = "\"enc\""}, SIGNATURE_RS256},
    {"use is null", false, {.key = "null-use", .use = "null"}, SIGNATURE_RS256},
    {"for RS512", false, {.key = "rs512", .alg = "\"RS512\""}, SIGNATURE_RS256},
    {"for PS256", false, {.key = "ps256", .alg = "\"PS256\""}, SIGNATURE_RS256},
    {"of an elliptic curve", false, {.key = "curve"}, SIGNATURE_RS256},
    {"kty oct", false, {.key = "oct", .kty = "\"oct\""}, SIGNATURE_RS256},
    {"no kty", false, {.key = "no-kty", .kty = OMIT}, SIGNATURE_RS256},
    {"no n", false, {.key = "no-n", .n = OMIT}, SIGNATURE_RS256},
    {"no e", false, {.key = "no-e", .e = OMIT}, SIGNATURE_RS256},
    {"exponent 1", false, {.key = "e1", .e = "\"AQ\""}, SIGNATURE_PADDING_ONLY},
    {"exponent 2", false, {.key = "e2", .e = "\"Ag\""}, SIGNATURE_RS256},
    {"n with padding", false, {.key = "padded", .n = "\"AQAB==\""}, SIGNATURE_RS256},
    {"kid is a number", false, {.key = "7", .kid = "7"}, SIGNATURE_RS256},
    {"key_ops verify",
     true,
     {.key = "verify", .more = "\"key_ops\":[\"verify\"]"},
     SIGNATURE_RS256},
    {"key_ops sign and verify",
     true,
     {.key = "both", .more = "\"key_ops\":[\"sign\",\"verify\"]"},
     SIGNATURE_RS256},
    {"key_ops sign", false, {.key = "sign", .more = "\"key_ops\":[\"sign\"]"}, SIGNATURE_RS256},
    {"key_ops encrypt",
     false,
     {.key = "encrypt", .use = OMIT, .more = "\"key_ops\":[\"encrypt\",\"wrapKey\"]"},
     SIGNATURE_RS256},
    {"key_ops in another case",
     false,
     {.key = "capitals", .more = "\"key_ops\":[\"Verify\"]"},
     SIGNATURE_RS256},
    {"key_ops verify twice",
     false,
     {.key = "twice", .more = "\"key_ops\":[\"verify\",\"verify\"]"},
     SIGNATURE_RS256},
    {"key_ops with another twice",
     false,
     {.key = "other twice", .more = "\"key_ops\":[\"verify\",\"sign\",\"sign\"]"},
     SIGNATURE_RS256},
    {"key_ops empty", false, {.key = "empty", .more = "\"key_ops\":[]"}, SIGNATURE_RS256},
    {"key_ops a text", false, {.key = "text", .more = "\"key_ops\":\"verify\""}, SIGNATURE_RS256},
    {"key_ops null", false, {.key = "null", .more = "\"key_ops\":null"}, SIGNATURE_RS256},
    {"key_ops an object",
     false,
     {.key = "object", .more = "\"key_ops\":{\"verify\":\"verify\"}"},
     SIGNATURE_RS256},
    {"key_ops with a number",
     false,
     {.key = "number", .more = "\"key_ops\":[\"verify\",1]"},
     SIGNATURE_RS256},
};

START_TEST(only_keys_for_rs256_are_used)
{
    struct issuer *issuer = start(2);
    expect_good("first");
    for (size_t i = 0; i < ROWS(entries); i++) {
        const char *key = entries[i].jwk.key;
        case_is(entries[i].name);
        issuer_answer(issuer, KEY_SET(jwk_make(&entries[i].jwk), JWK("first")));
        clock_move(COOL_DOWN_S);
        const char *token =
            TOKEN(.key = key, .signature = entries[i].signature, .alg = "\"RS256\"");
        if (entries[i].used)
            EXPECT_RECORDED(NOTIFY(.token = token), "armed");
        else
            EXPECT_REFUSED(NOTIFY(.token = token), REFUSAL_TOKEN_KEY_UNKNOWN);
        expect_good("first");
    }
}
END_TEST

START_TEST(of_two_keys_with_the_same_kid_the_first_is_used)
{
    struct issuer *issuer = start(2);
    issuer_answer(issuer, KEY_SET(JWK("first"), JWK("second", .kid = "\"first\"")));
    expect_good("first");
    EXPECT_REFUSED(NOTIFY(.token = TOKEN(.key = "second", .kid = "\"first\"")),
                   REFUSAL_TOKEN_SIGNATURE);
}
END_TEST

START_TEST(at_most_32_keys_are_used)
{
    struct issuer *issuer = start(2);
    const char *all = "";
    for (int i = 1; i <= 32; i++)
        all = scratch_format("%s%s,", all, JWK("first", .kid = scratch_format("\"key %d\"", i)));
    issuer_answer(issuer, scratch_format("{\"keys\":[%s%s]}", all, JWK("second")));
    EXPECT_RECORDED(NOTIFY(.token = TOKEN(.kid = "\"key 32\"")), "armed");
    clock_move(COOL_DOWN_S);
    expect_unknown("second");
}
END_TEST

/* ---- a key that left the set ------------------------------------------------ */

/* Sends the same token so often that every process of both endpoints had it. */
static void expect_everywhere(const char *token, int notification_status, int listing_status)
{
    enum { REQUESTS = 80 };
    static struct request requests[REQUESTS];
    static struct response responses[REQUESTS];
    for (size_t i = 0; i < REQUESTS; i++)
        requests[i] = i % 2 == 0 ? NOTIFICATION(.token = token)
                                 : listing_request(&(struct listing){.token = token});
    http_send_all(requests, responses, REQUESTS, 20, NULL);
    for (size_t i = 0; i < REQUESTS; i++)
        EXPECT_STATUS(responses[i], i % 2 == 0 ? notification_status : listing_status);
}

static void wait_for_a_second(void)
{
    int64_t end = monotonic_ms() + 1000;
    AWAIT(monotonic_ms() >= end, "%s", "the second isn't over");
}

START_TEST(a_key_that_left_the_set_is_dead_everywhere_within_a_second)
{
    struct issuer *issuer = start(4);
    const char *token = TOKEN();
    expect_good("first");
    expect_everywhere(token, 200, 404);
    issuer_answer(issuer, KEY_SET(JWK("second")));
    clock_move(COOL_DOWN_S);
    expect_good("second");
    wait_for_a_second();
    expect_everywhere(token, 503, 401); /* a notification may come by a key newer than the set */
    clock_move(COOL_DOWN_S);
    expect_unknown("first");
}
END_TEST

START_TEST(a_key_that_was_exchanged_under_its_kid_is_dead_too)
{
    struct issuer *issuer = start(2);
    const char *token = TOKEN();
    expect_good("first");
    expect_everywhere(token, 200, 404);
    issuer_answer(issuer, KEY_SET(JWK("third", .kid = "\"first\""), JWK("second")));
    clock_move(COOL_DOWN_S);
    expect_good("second");
    wait_for_a_second();
    expect_everywhere(token, 401, 401);
}
END_TEST

/* ---- the way to the issuer --------------------------------------------------- */

START_TEST(a_certificate_nobody_vouches_for_is_refused)
{
    struct issuer *issuer = issuer_start_tls("127.0.0.1");
    SERVER(.issuer = issuer);
    struct response response = NOTIFY();
    EXPECT_REFUSED(response, REFUSAL_KEYS_UNAVAILABLE);
    AWAIT(LOG_COUNT(response.log_mark, "event", "key_set_not_fetched") == 1, "the log:\n%s",
          log_since(response.log_mark));
    EXPECT_NUMBER(issuer_fetches(issuer), 0);
}
END_TEST

START_TEST(a_certificate_of_a_configured_authority_is_accepted)
{
    struct issuer *issuer = issuer_start_tls("127.0.0.1");
    SERVER(.issuer = issuer, .settings = {"network.ca_file = issuer.pem"},
           .files = {{"issuer.pem", issuer_certificate(issuer)}});
    expect_good("first");
}
END_TEST

START_TEST(a_certificate_for_another_host_is_refused)
{
    struct issuer *issuer = issuer_start_tls("id.sage.test");
    SERVER(.issuer = issuer, .settings = {"network.ca_file = issuer.pem"},
           .files = {{"issuer.pem", issuer_certificate(issuer)}});
    EXPECT_REFUSED(NOTIFY(), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_NUMBER(issuer_fetches(issuer), 0);
}
END_TEST

START_TEST(the_proxies_of_the_environment_are_ignored)
{
    struct issuer *proxy = issuer_start();
    const char *url = issuer_url(proxy);
    SERVER(.issuer = issuer_start(),
           .environment = scratch_format("http_proxy=%s https_proxy=%s all_proxy=%s ALL_PROXY=%s",
                                         url, url, url, url));
    expect_good("first");
    EXPECT_NUMBER(issuer_fetches(proxy) + issuer_strays(proxy), 0);
}
END_TEST

START_TEST(the_environment_does_not_go_past_the_configured_proxy)
{
    struct issuer *issuer = issuer_start_tls("127.0.0.1");
    unsigned proxy = refusing_port();
    SERVER(.issuer = issuer,
           .settings = {"network.ca_file = issuer.pem",
                        scratch_format("network.proxy = http://127.0.0.1:%u", proxy)},
           .files = {{"issuer.pem", issuer_certificate(issuer)}},
           .environment = "no_proxy=127.0.0.1 NO_PROXY=*");
    EXPECT_REFUSED(NOTIFY(), REFUSAL_KEYS_UNAVAILABLE);
    EXPECT_NUMBER(issuer_fetches(issuer), 0);
}
END_TEST

START_TEST(plain_http_to_localhost_is_allowed)
{
    struct issuer *issuer = issuer_start();
    SERVER(.issuer = issuer,
           .settings = {scratch_format("sage.jwks_url = http://localhost:%u/.well-known/jwks.json",
                                       issuer_port(issuer))});
    expect_good("first");
}
END_TEST

Suite *key_set_rules(void)
{
    Suite *suite = suite_create("key_set");
    ADD_TEST(suite, all_processes_share_one_copy);
    ADD_TEST(suite, a_new_key_is_found_by_the_first_token_that_names_it);
    ADD_TEST(suite, an_unknown_key_fetches_nothing_within_the_cool_down);
    ADD_TEST(suite, a_stranger_spends_no_fetch_of_those_with_the_key_header);
    ADD_TEST(suite, a_key_is_unknown_to_a_notification_only_by_a_fetch_begun_after_it);
    ADD_TEST(suite, at_availableaccounts_the_key_header_counts_where_it_is_required);
    ADD_TEST(suite, a_flood_of_unknown_keys_fetches_twice_in_a_cool_down);
    ADD_TEST(suite, an_old_set_is_fetched_anew_while_it_is_used);
    ADD_TEST(suite, a_token_of_a_new_key_waits_for_the_fetch);
    ADD_TEST(suite, waiting_tokens_leave_room_for_the_others);
    ADD_TEST(suite, without_any_key_set_the_answer_is_try_again);
    ADD_TEST(suite, an_issuer_that_comes_back_is_used_after_the_cool_down);
    ADD_TEST(suite, an_issuer_that_never_answers_is_given_up);
    ADD_TEST(suite, the_last_good_set_is_used_through_an_outage);
    ADD_TEST(suite, a_restart_needs_no_issuer);
    ADD_TEST(suite, a_bad_answer_replaces_nothing);
    ADD_TEST(suite, a_set_of_256_kib_is_taken_and_one_more_byte_is_not);
    ADD_TEST(suite, only_keys_for_rs256_are_used);
    ADD_TEST(suite, of_two_keys_with_the_same_kid_the_first_is_used);
    ADD_TEST(suite, at_most_32_keys_are_used);
    ADD_TEST(suite, a_key_that_left_the_set_is_dead_everywhere_within_a_second);
    ADD_TEST(suite, a_key_that_was_exchanged_under_its_kid_is_dead_too);
    ADD_TEST(suite, a_certificate_nobody_vouches_for_is_refused);
    ADD_TEST(suite, a_certificate_of_a_configured_authority_is_accepted);
    ADD_TEST(suite, a_certificate_for_another_host_is_refused);
    ADD_TEST(suite, the_proxies_of_the_environment_are_ignored);
    ADD_TEST(suite, the_environment_does_not_go_past_the_configured_proxy);
    ADD_TEST(suite, plain_http_to_localhost_is_allowed);
    return suite;
}
