/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <string.h>

/* POST /notification: what is recorded, once, and what is refused. */

START_TEST(a_notification_arms_a_session)
{
    const char *id = new_uuid();
    const char *body = authorisation_created(id, BANK);
    struct response response = NOTIFY(.body = body);
    EXPECT_RECORDED(response, "armed");
    AWAIT(LOG_COUNT(response.log_mark, "event", "notification_recorded", "session",
                    log_id_of(id)) == 1,
          "the log:\n%s", log_since(response.log_mark));
    EXPECT_TEXT(session_state(id), "notified");
    EXPECT_TEXT(session_column("bank_id", id), BANK);
    EXPECT_TEXT(session_column("log_id", id), log_id_of(id));
    EXPECT_TEXT(session_column("flow", id), NULL);
    EXPECT_TEXT(session_column("opened_at", id), NULL);
    EXPECT_TEXT(ROW_TEXT("SELECT body FROM events WHERE resource_id = ?1", id), body);
    EXPECT_TEXT(ROW_TEXT("SELECT type || '/' || resource_type || '/' || outcome FROM events "
                         "WHERE resource_id = ?1",
                         id),
                "resourceCreated/authorisation/armed");
}
END_TEST

START_TEST(a_session_lives_for_twenty_minutes)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_TEXT(session_column("CAST(strftime('%s', expires_at) - strftime('%s', notified_at) "
                               "AS TEXT)",
                               id),
                "1200");
}
END_TEST

START_TEST(the_same_notification_again_changes_nothing)
{
    const char *id = new_uuid();
    arm(id);
    const char *before = session_column("notified_at || ' ' || expires_at", id);
    EXPECT_RECORDED(NOTIFY(.id = id), "repeated");
    EXPECT_TEXT(session_column("notified_at || ' ' || expires_at", id), before);
    EXPECT_NUMBER(events_of(id), 1);
    EXPECT_OPENED(OPEN(.id = id), id);
}
END_TEST

START_TEST(a_second_delivery_does_not_re_arm_a_used_session)
{
    const char *id = new_uuid();
    arm(id);
    EXPECT_OPENED(OPEN(.id = id), id);
    const char *before = session_column("opened_at || ' ' || expires_at", id);
    EXPECT_RECORDED(NOTIFY(.id = id), "repeated");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_USED);
    EXPECT_TEXT(session_column("opened_at || ' ' || expires_at", id), before);
}
END_TEST

static const struct {
    const char *name;
    const char *body; /* `*` is the identifier, `@` another bank */
} conflicts[] = {
    {"another bank", "{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"*\","
                     "\"type\":\"authorisation\"},\"additionalData\":{\"bankId\":\"@\"}}"},
    {"one more member", "{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"*\","
                        "\"type\":\"authorisation\"},\"additionalData\":{},\"new\":1}"},
};

START_TEST(another_body_for_a_known_session_is_stored_and_changes_nothing)
{
    case_is(conflicts[_i].name);
    const char *id = new_uuid();
    const char *body = fill_in(fill_in(conflicts[_i].body, '*', id), '@', new_uuid());
    arm(id);
    const char *before = session_column("bank_id || ' ' || expires_at", id);
    EXPECT_RECORDED(NOTIFY(.body = body), "conflict");
    EXPECT_NUMBER(events_of(id), 2);
    EXPECT_TEXT(session_column("bank_id || ' ' || expires_at", id), before);
    EXPECT_OPENED(OPEN(.id = id), id);
    EXPECT_RECORDED(NOTIFY(.body = body), "repeated");
    EXPECT_REFUSED(OPEN(.id = id), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(an_identifier_in_the_other_case_is_the_same)
{
    const char *id = new_uuid();
    EXPECT_RECORDED(NOTIFY(.id = upper_case(id)), "armed");
    EXPECT_TEXT(session_column("authorisation_id", id), upper_case(id));
    EXPECT_TEXT(session_column("log_id", id), log_id_of(id));
    EXPECT_RECORDED(NOTIFY(.id = id), "conflict");
    EXPECT_OPENED(OPEN(.id = id, .bank = upper_case(BANK)), id);
    EXPECT_REFUSED(OPEN(.id = upper_case(id)), REFUSAL_SESSION_USED);
    EXPECT_REFUSED(OPEN(.id = id, .endpoint = "authrefresh"), REFUSAL_SESSION_USED);
}
END_TEST

START_TEST(a_notification_may_leave_out_the_bank)
{
    const char *id = new_uuid();
    EXPECT_RECORDED(NOTIFY(.body = fill_in("{\"type\":\"resourceCreated\",\"resource\":"
                                           "{\"id\":\"*\",\"type\":\"authorisation\"}}",
                                           '*', id)),
                    "armed");
    EXPECT_TEXT(session_column("bank_id", id), NULL);
    EXPECT_OPENED(OPEN(.id = id, .bank = new_uuid()), id);
}
END_TEST

static const struct {
    const char *name;
    const char *body; /* `*` is the resource's identifier */
} stored[] = {
    {"unknown type", "{\"type\":\"resourceUpdated\",\"resource\":{\"id\":\"*\",\"type\":\"x\"}}"},
    {"unknown resource",
     "{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"*\",\"type\":\"y\"}}"},
    {"authorisation updated",
     "{\"type\":\"resourceUpdated\",\"resource\":{\"id\":\"*\",\"type\":\"authorisation\"}}"},
    {"another case", "{\"type\":\"ResourceCreated\",\"resource\":{\"id\":\"*\","
                     "\"type\":\"Authorisation\"}}"},
    {"no UUID where none is due",
     "{\"type\":\"transactionsRequested\",\"resource\":{\"id\":\"a-*\",\"type\":\"account\"}}"},
    {"unknown members everywhere",
     "{\"a\":[1,{\"b\":null}],\"type\":\"t\",\"resource\":{\"id\":\"*\",\"type\":\"r\",\"x\":{}},"
     "\"additionalData\":{\"deep\":[[[]]]}}"},
    {"letters of all kinds", "{\"type\":\"t\",\"resource\":{\"id\":\"*\",\"type\":\"r\"},"
                             "\"n\":\"\\u00e9\xC3\xA9\xF0\x9F\x8F\xA6\\ud83c\\udfe6\\n\"}"},
    {"white space around", " \r\n\t{ \"type\" : \"t\" , \"resource\" : { \"id\" : \"*\" , "
                           "\"type\" : \"r\" } } \n"},
    {"a member of the same name in another case",
     "{\"TYPE\":\"resourceCreated\",\"type\":\"t\",\"resource\":{\"id\":\"*\",\"type\":\"r\"}}"},
    {"resource.url is anything",
     "{\"type\":\"t\",\"resource\":{\"id\":\"*\",\"type\":\"r\",\"url\":17}}"},
    {"additionalData is null",
     "{\"type\":\"t\",\"resource\":{\"id\":\"*\",\"type\":\"r\"},\"additionalData\":null}"},
};

START_TEST(what_is_unknown_is_stored_whole)
{
    case_is(stored[_i].name);
    const char *id = new_uuid();
    const char *body = fill_in(stored[_i].body, '*', id);
    EXPECT_RECORDED(NOTIFY(.body = body), "stored");
    EXPECT_TEXT(ROW_TEXT("SELECT body FROM events WHERE resource_id LIKE '%' || ?1", id), body);
    EXPECT_TEXT(session_state(id), "none");
    EXPECT_RECORDED(NOTIFY(.body = body), "repeated");
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM events WHERE resource_id LIKE '%' || ?1", id),
                  1);
}
END_TEST

/* ---- bodies that are refused --------------------------------------------- */

#define GOOD_RESOURCE "\"resource\":{\"id\":\"r\",\"type\":\"t\"}"
#define GOOD_MEMBERS "\"type\":\"t\"," GOOD_RESOURCE
#define ANNOUNCED(id)                                                                              \
    "{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"" id "\",\"type\":\"authorisation\"}}"
#define WITH_NUL(text) text, sizeof(text) - 1

static const struct {
    const char *name;
    enum refusal refusal;
    const char *body;
    size_t length; /* only where a NUL is in it */
} malformed[] = {
    {"empty", REFUSAL_BODY_MALFORMED, "", 0},
    {"white space", REFUSAL_BODY_MALFORMED, "  ", 0},
    {"no JSON", REFUSAL_BODY_MALFORMED, "type=resourceCreated", 0},
    {"cut", REFUSAL_BODY_MALFORMED, "{" GOOD_MEMBERS, 0},
    {"text behind it", REFUSAL_BODY_MALFORMED, "{" GOOD_MEMBERS "}x", 0},
    {"a second document", REFUSAL_BODY_MALFORMED, "{" GOOD_MEMBERS "}{}", 0},
    {"NUL behind it", REFUSAL_BODY_MALFORMED, WITH_NUL("{" GOOD_MEMBERS "}\0")},
    {"BOM", REFUSAL_BODY_MALFORMED, "\xEF\xBB\xBF{" GOOD_MEMBERS "}", 0},
    {"UTF-16", REFUSAL_BODY_MALFORMED, WITH_NUL("{\0}\0")},
    {"member twice", REFUSAL_BODY_MALFORMED, "{\"type\":\"a\"," GOOD_MEMBERS "}", 0},
    {"unknown member twice", REFUSAL_BODY_MALFORMED, "{\"x\":1,\"x\":1," GOOD_MEMBERS "}", 0},
    {"member twice within", REFUSAL_BODY_MALFORMED,
     "{\"type\":\"t\",\"resource\":{\"id\":\"r\",\"type\":\"t\",\"id\":\"s\"}}", 0},
    {"member twice once unescaped", REFUSAL_BODY_MALFORMED,
     "{\"\\u0074ype\":\"a\"," GOOD_MEMBERS "}", 0},
    {"NUL in a string", REFUSAL_BODY_MALFORMED, WITH_NUL("{\"a\":\"b\0c\"," GOOD_MEMBERS "}")},
    {"escaped NUL in a string", REFUSAL_BODY_MALFORMED, "{\"a\":\"b\\u0000c\"," GOOD_MEMBERS "}",
     0},
    {"escaped NUL in a name", REFUSAL_BODY_MALFORMED, "{\"type\\u0000\":\"x\"," GOOD_MEMBERS "}",
     0},
    {"control character", REFUSAL_BODY_MALFORMED,
     "{\"a\":\"b\x01"
     "c\"," GOOD_MEMBERS "}",
     0},
    {"line feed in a string", REFUSAL_BODY_MALFORMED, "{\"a\":\"b\nc\"," GOOD_MEMBERS "}", 0},
    {"control character between", REFUSAL_BODY_MALFORMED, "{\x0B" GOOD_MEMBERS "}", 0},
    {"no UTF-8", REFUSAL_BODY_MALFORMED, "{\"a\":\"\xE9\"," GOOD_MEMBERS "}", 0},
    {"overlong UTF-8", REFUSAL_BODY_MALFORMED, "{\"a\":\"\xC0\xAF\"," GOOD_MEMBERS "}", 0},
    {"surrogate in UTF-8", REFUSAL_BODY_MALFORMED, "{\"a\":\"\xED\xA0\x80\"," GOOD_MEMBERS "}", 0},
    {"lone surrogate", REFUSAL_BODY_MALFORMED, "{\"a\":\"\\ud83c\"," GOOD_MEMBERS "}", 0},
    {"number with a zero in front", REFUSAL_BODY_MALFORMED, "{\"a\":01," GOOD_MEMBERS "}", 0},
    {"number that ends with a point", REFUSAL_BODY_MALFORMED, "{\"a\":1.," GOOD_MEMBERS "}", 0},
    {"infinite number", REFUSAL_BODY_MALFORMED, "{\"a\":1e999," GOOD_MEMBERS "}", 0},
    {"NaN", REFUSAL_BODY_MALFORMED, "{\"a\":NaN," GOOD_MEMBERS "}", 0},
    {"comment", REFUSAL_BODY_MALFORMED, "{/* */" GOOD_MEMBERS "}", 0},
    {"trailing comma", REFUSAL_BODY_MALFORMED, "{" GOOD_MEMBERS ",}", 0},
    {"single quotes", REFUSAL_BODY_MALFORMED, "{'a':1," GOOD_MEMBERS "}", 0},
    {"an array", REFUSAL_EVENT_MALFORMED, "[{" GOOD_MEMBERS "}]", 0},
    {"a text", REFUSAL_EVENT_MALFORMED, "\"type\"", 0},
    {"null", REFUSAL_EVENT_MALFORMED, "null", 0},
    {"no type", REFUSAL_EVENT_MALFORMED, "{" GOOD_RESOURCE "}", 0},
    {"type only in another case", REFUSAL_EVENT_MALFORMED, "{\"Type\":\"t\"," GOOD_RESOURCE "}", 0},
    {"type is a number", REFUSAL_EVENT_MALFORMED, "{\"type\":1," GOOD_RESOURCE "}", 0},
    {"type is empty", REFUSAL_EVENT_MALFORMED, "{\"type\":\"\"," GOOD_RESOURCE "}", 0},
    {"no resource", REFUSAL_EVENT_MALFORMED, "{\"type\":\"t\"}", 0},
    {"resource is a text", REFUSAL_EVENT_MALFORMED, "{\"type\":\"t\",\"resource\":\"r\"}", 0},
    {"resource is an array", REFUSAL_EVENT_MALFORMED,
     "{\"type\":\"t\",\"resource\":[{\"id\":\"r\",\"type\":\"t\"}]}", 0},
    {"no resource.id", REFUSAL_EVENT_MALFORMED, "{\"type\":\"t\",\"resource\":{\"type\":\"t\"}}",
     0},
    {"resource.id is a number", REFUSAL_EVENT_MALFORMED,
     "{\"type\":\"t\",\"resource\":{\"id\":1,\"type\":\"t\"}}", 0},
    {"resource.id is null", REFUSAL_EVENT_MALFORMED,
     "{\"type\":\"t\",\"resource\":{\"id\":null,\"type\":\"t\"}}", 0},
    {"no resource.type", REFUSAL_EVENT_MALFORMED, "{\"type\":\"t\",\"resource\":{\"id\":\"r\"}}",
     0},
    {"authorisation without UUID", REFUSAL_EVENT_MALFORMED, ANNOUNCED("42"), 0},
    {"authorisation in braces", REFUSAL_EVENT_MALFORMED,
     ANNOUNCED("{11111111-2222-4333-8444-555555555555}"), 0},
    {"authorisation without hyphens", REFUSAL_EVENT_MALFORMED,
     ANNOUNCED("11111111222243338444555555555555"), 0},
    {"authorisation with a letter too many", REFUSAL_EVENT_MALFORMED,
     ANNOUNCED("11111111-2222-4333-8444-5555555555555"), 0},
    {"authorisation with a wrong letter", REFUSAL_EVENT_MALFORMED,
     ANNOUNCED("1111111g-2222-4333-8444-555555555555"), 0},
    {"bank of an authorisation without UUID", REFUSAL_EVENT_MALFORMED,
     "{\"type\":\"resourceCreated\",\"resource\":{\"id\":\"11111111-2222-4333-8444-555555555555\","
     "\"type\":\"authorisation\"},\"additionalData\":{\"bankId\":\"my bank\"}}",
     0},
};

START_TEST(a_malformed_body_is_refused_and_leaves_nothing)
{
    case_is(malformed[_i].name);
    int64_t before = events_in_all();
    EXPECT_REFUSED(NOTIFY(.body = malformed[_i].body, .body_length = malformed[_i].length),
                   malformed[_i].refusal);
    EXPECT_NUMBER(events_in_all(), before);
}
END_TEST

static const char *nested(size_t depth)
{
    return scratch_format("{\"type\":\"t\",\"resource\":{\"id\":\"%s\",\"type\":\"r\"},\"a\":%s%s}",
                          new_uuid(), repeat("[", depth - 1), repeat("]", depth - 1));
}

START_TEST(nesting_is_bounded)
{
    EXPECT_RECORDED(NOTIFY(.body = nested(32)), "stored");
    EXPECT_REFUSED(NOTIFY(.body = nested(33)), REFUSAL_BODY_MALFORMED);
    EXPECT_REFUSED(NOTIFY(.body = nested(20000)), REFUSAL_BODY_MALFORMED);
}
END_TEST

/* An event of so many bytes. */
static const char *event_of_size(const char *id, size_t size)
{
    const char *empty = scratch_format(
        "{\"type\":\"t\",\"resource\":{\"id\":\"%s\",\"type\":\"r\"},\"filling\":\"\"}", id);
    return scratch_format("%.*s%s\"}", (int)strlen(empty) - 2, empty,
                          repeat("x", size - strlen(empty)));
}

/* Web servers may count a body without a length themselves, so the endpoint gets one as well. */
static const struct {
    const char *name;
    const char *header; /* how the body is sent; NULL: with its length */
    struct response (*send)(const struct request *request);
} transfers[] = {
    {"with its length", NULL, http_send},
    {"in chunks", CHUNKED, http_send},
    {"to the endpoint without a length", CHUNKED, fastcgi_exchange},
};

static struct response notify_with_size(const char *id, size_t size, int row)
{
    struct request *request = scratch_take(sizeof(*request));
    *request = NOTIFICATION(.body = event_of_size(id, size), .headers = {transfers[row].header});
    return transfers[row].send(request);
}

START_TEST(a_body_of_64_KiB_is_the_largest)
{
    case_is(transfers[_i].name);
    const char *id = new_uuid();
    EXPECT_REFUSED(notify_with_size(id, 64 * 1024 + 1, _i), REFUSAL_BODY_TOO_LARGE);
    EXPECT_NUMBER(events_of(id), 0);
    EXPECT_RECORDED(notify_with_size(id, 64 * 1024, _i), "stored");
    EXPECT_NUMBER(events_of(id), 1);
}
END_TEST

START_TEST(a_connection_stays_usable_after_too_large_a_body)
{
    if (server_is("apache")) /* it closes the connection; the answer is the same */
        return;
    int wire = wire_connect_http();
    struct request large = NOTIFICATION(.body = event_of_size(new_uuid(), 100 * 1024));
    struct request good = NOTIFICATION();
    wire_send_request(wire, &large);
    EXPECT_NUMBER(wire_read_answer(wire), 413);
    wire_send_request(wire, &good);
    EXPECT_NUMBER(wire_read_answer(wire), 200);
}
END_TEST

static const struct {
    const char *name;
    const char *media_type;
    bool accepted;
} media_types[] = {
    {"as Sage sends it", "application/json; charset=utf-8", true},
    {"without parameter", "application/json", true},
    {"in capitals", "Application/JSON", true},
    {"no space", "application/json;charset=utf-8", true},
    {"none", OMIT, false},
    {"text", "text/plain", false},
    {"a form", "application/x-www-form-urlencoded", false},
    {"a longer name", "application/jsonx", false},
    {"JSON of another kind", "application/problem+json", false},
    {"any JSON", "*/json", false},
    {"two", "text/plain, application/json", false},
};

START_TEST(only_json_is_taken)
{
    case_is(media_types[_i].name);
    const char *id = new_uuid();
    struct response response = NOTIFY(.id = id, .media_type = media_types[_i].media_type);
    if (media_types[_i].accepted) {
        EXPECT_RECORDED(response, "armed");
        return;
    }
    EXPECT_REFUSED(response, REFUSAL_MEDIA_TYPE);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

static const char *const other_methods[] = {"GET", "HEAD", "PUT", "DELETE", "PATCH", "OPTIONS"};

START_TEST(only_post_is_taken)
{
    case_is(other_methods[_i]);
    const char *id = new_uuid();
    bool has_body = strcmp(other_methods[_i], "GET") != 0 && strcmp(other_methods[_i], "HEAD") != 0;
    EXPECT_REFUSED(NOTIFY(.id = id, .body = has_body ? NULL : OMIT, .method = other_methods[_i]),
                   REFUSAL_METHOD_NOT_ALLOWED);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

/* ---- the key that only Sage knows ----------------------------------------- */

static const struct {
    const char *name;
    enum refusal refusal;
    const char *key;    /* `*` is the right one */
    const char *header; /* a further header */
} keys[] = {
    {"missing", REFUSAL_KEY_HEADER_MISSING, OMIT, NULL},
    {"empty", REFUSAL_KEY_HEADER_MISSING, "", NULL},
    {"wrong", REFUSAL_KEY_HEADER_WRONG, "another-key-0123456789-0123456789", NULL},
    {"too short", REFUSAL_KEY_HEADER_WRONG, "the-key-that-only-Sage-knows-081", NULL},
    {"too long", REFUSAL_KEY_HEADER_WRONG, "*5", NULL},
    {"in the other case", REFUSAL_KEY_HEADER_WRONG, "the-key-that-only-sage-knows-0815", NULL},
    {"as a scheme's credentials", REFUSAL_KEY_HEADER_WRONG, "Bearer *", NULL},
    {"joined without a space", REFUSAL_KEY_HEADER_WRONG, "*,*", NULL},
    {"twice in one", REFUSAL_KEY_HEADER_REPEATED, "*, *", NULL},
    {"twice", REFUSAL_KEY_HEADER_REPEATED, "*", "X-Feedgate-Key: *"},
    {"right, then wrong", REFUSAL_KEY_HEADER_REPEATED, "*", "X-Feedgate-Key: wrong-key-0123456789"},
    {"wrong, then right", REFUSAL_KEY_HEADER_REPEATED, "wrong-key-0123456789", "X-Feedgate-Key: *"},
    {"in another header", REFUSAL_KEY_HEADER_MISSING, OMIT, "X-Api-Key: *"},
};

START_TEST(without_the_right_key_nothing_is_recorded)
{
    case_is(keys[_i].name);
    const char *id = new_uuid();
    const char *key = keys[_i].key == OMIT ? OMIT : fill_in(keys[_i].key, '*', SERVER_KEY);
    const char *header = keys[_i].header != NULL ? fill_in(keys[_i].header, '*', SERVER_KEY) : NULL;
    EXPECT_REFUSED(NOTIFY(.id = id, .key = key, .headers = {header}), keys[_i].refusal);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

START_TEST(the_next_key_is_good_during_a_rotation)
{
    static const char next[] = "the-key-of-next-month-4711";
    SERVER(.settings = {"notification.next_key_file = next.key"}, .files = {{"next.key", next}});
    EXPECT_RECORDED(NOTIFY(.id = new_uuid()), "armed");
    EXPECT_RECORDED(NOTIFY(.id = new_uuid(), .key = next), "armed");
    EXPECT_REFUSED(NOTIFY(.key = scratch_format("%s, %s", SERVER_KEY, next)),
                   REFUSAL_KEY_HEADER_REPEATED);
}
END_TEST

/* ---- the order of the checks ---------------------------------------------- */

START_TEST(the_cheapest_check_comes_first)
{
    const char *large = event_of_size(new_uuid(), 70 * 1024);
    EXPECT_REFUSED(NOTIFY(.method = "PUT", .media_type = OMIT, .key = OMIT),
                   REFUSAL_METHOD_NOT_ALLOWED);
    EXPECT_REFUSED(NOTIFY(.media_type = "text/plain", .key = OMIT, .body = large),
                   REFUSAL_MEDIA_TYPE);
    EXPECT_REFUSED(NOTIFY(.key = OMIT, .authorization = OMIT, .body = large),
                   REFUSAL_BODY_TOO_LARGE);
    EXPECT_REFUSED(NOTIFY(.key = OMIT, .authorization = OMIT, .body = "{"),
                   REFUSAL_KEY_HEADER_MISSING);
    EXPECT_REFUSED(NOTIFY(.authorization = OMIT, .body = "{"), REFUSAL_TOKEN_MISSING);
}
END_TEST

Suite *notification_rules(void)
{
    Suite *suite = suite_create("notification");
    ADD_TEST(suite, a_notification_arms_a_session);
    ADD_TEST(suite, a_session_lives_for_twenty_minutes);
    ADD_TEST(suite, the_same_notification_again_changes_nothing);
    ADD_TEST(suite, a_second_delivery_does_not_re_arm_a_used_session);
    ADD_ROWS(suite, another_body_for_a_known_session_is_stored_and_changes_nothing,
             ROWS(conflicts));
    ADD_TEST(suite, an_identifier_in_the_other_case_is_the_same);
    ADD_TEST(suite, a_notification_may_leave_out_the_bank);
    ADD_ROWS(suite, what_is_unknown_is_stored_whole, ROWS(stored));
    ADD_ROWS(suite, a_malformed_body_is_refused_and_leaves_nothing, ROWS(malformed));
    ADD_TEST(suite, nesting_is_bounded);
    ADD_ROWS(suite, a_body_of_64_KiB_is_the_largest, ROWS(transfers));
    ADD_TEST(suite, a_connection_stays_usable_after_too_large_a_body);
    ADD_ROWS(suite, only_json_is_taken, ROWS(media_types));
    ADD_ROWS(suite, only_post_is_taken, ROWS(other_methods));
    ADD_ROWS(suite, without_the_right_key_nothing_is_recorded, ROWS(keys));
    ADD_TEST(suite, the_next_key_is_good_during_a_rotation);
    ADD_TEST(suite, the_cheapest_check_comes_first);
    return suite;
}
