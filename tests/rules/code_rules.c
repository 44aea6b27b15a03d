/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* POST /code: a one-time code for the provider's backend, and for nobody else. */

struct asking {
    char usual;
    const char *customer; /* NULL: one that nobody imported */
    const char *body;     /* in place of {"customer":"..."}; OMIT: none */
    size_t body_length;
    const char *authorization; /* NULL: with the key, OMIT: not sent */
    const char *media_type;
    const char *method;
    const char *path;
    const char *headers[4]; /* further ones */
};

static const char *with_key(const char *key)
{
    return scratch_format("Bearer %s", key);
}

static struct response ask(const struct asking *asking)
{
    const char *body = asking->body;
    if (body == NULL)
        body = scratch_format("{\"customer\":\"%s\"}",
                              asking->customer != NULL ? asking->customer : "nobody");
    const char *authorization =
        asking->authorization != NULL ? asking->authorization : with_key(SERVER_CODE_KEY);
    struct request request = {
        .method = asking->method != NULL ? asking->method : "POST",
        .path = asking->path != NULL ? asking->path : "/code",
        .body = body == OMIT ? NULL : body,
        .body_length = asking->body_length > 0 ? asking->body_length : strlen(body),
    };
    size_t count = 0;
    request.headers[count++] = scratch_format(
        "Content-Type: %s", asking->media_type != NULL ? asking->media_type : "application/json");
    if (authorization != OMIT)
        request.headers[count++] = scratch_format("Authorization: %s", authorization);
    for (size_t i = 0; i < ROWS(asking->headers) && asking->headers[i] != NULL; i++)
        request.headers[count++] = asking->headers[i];
    return http_send(&request);
}
#define ASK(...) ask(&(struct asking){.usual = 0, __VA_ARGS__})

/* A member of the answer, which must be a text. */
static const char *member(struct response response, const char *name)
{
    cJSON *answer = cJSON_ParseWithLength(response.body, response.body_length);
    const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(answer, name));
    EXPECT(text != NULL, "no %s in %s", name, response.body);
    const char *copy = scratch_copy(text, strlen(text));
    cJSON_Delete(answer);
    return copy;
}

static const char *hash_of(const char *customer)
{
    return ROW_TEXT("SELECT code_hash FROM one_time_code WHERE customer_id = ?1", customer);
}

static void expect_code(const char *text)
{
    static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    EXPECT(strlen(text) == 9 && strspn(text, alphabet) == 4 && text[4] == '-' &&
               strspn(text + 5, alphabet) == 4,
           "<%s> is no code", text);
}

START_TEST(the_backend_gets_a_code)
{
    const char *customer = new_customer(1);
    int64_t before = server_time();
    struct response response = ASK(.customer = customer);
    int64_t after = server_time();
    EXPECT_STATUS(response, 200);
    EXPECT_TEXT(response_header(&response, "Content-Type"), "application/json");
    EXPECT_TEXT(response_header(&response, "Cache-Control"), "no-store");
    expect_code(member(response, "code"));
    EXPECT_TEXT(response.body,
                scratch_format("{\"code\":\"%s\",\"expiresAt\":\"%s\"}\n", member(response, "code"),
                               member(response, "expiresAt")));
    struct tm parts = {.tm_isdst = 0};
    const char *end = strptime(member(response, "expiresAt"), "%Y-%m-%dT%H:%M:%SZ", &parts);
    EXPECT(end != NULL && *end == '\0', "%s", response.body);
    int64_t expires = (int64_t)timegm(&parts);
    EXPECT(expires >= before + 900 && expires <= after + 900, "%s", response.body);
    AWAIT(LOG_COUNT(response.log_mark, "event", "code_issued", "program", "code") == 1,
          "the log:\n%s", log_since(response.log_mark));
}
END_TEST

START_TEST(a_second_code_takes_the_place_of_the_first)
{
    const char *customer = new_customer(1);
    EXPECT_STATUS(ASK(.customer = customer), 200);
    const char *first = hash_of(customer);
    EXPECT_STATUS(ASK(.customer = customer), 200);
    EXPECT(strcmp(first, hash_of(customer)) != 0, "%s", first);
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM one_time_code WHERE customer_id = ?1", customer),
                  1);
}
END_TEST

/* ---- where it stands, and where not ------------------------------------------- */

static const char *file_bytes(const char *path, size_t *length)
{
    struct stat status;
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return NULL;
    EXPECT(fstat(fileno(file), &status) == 0, "%s", path);
    char *bytes = scratch_take((size_t)status.st_size + 1);
    *length = fread(bytes, 1, (size_t)status.st_size, file);
    EXPECT(fclose(file) == 0, "%s", path);
    return bytes;
}

/* Whether a file of the server's has the text; false when there is no such file. */
static bool file_has(const char *name, const char *text)
{
    size_t length = 0;
    const char *bytes = file_bytes(server_path(name), &length);
    return bytes != NULL && memmem(bytes, length, text, strlen(text)) != NULL;
}

START_TEST(a_code_stands_nowhere_but_in_the_answer)
{
    const char *customer = new_customer(1);
    struct response response = ASK(.customer = customer);
    const char *shown = member(response, "code");
    const char *plain = scratch_format("%.4s%s", shown, shown + 5);
    EXPECT_NUMBER(strlen(hash_of(customer)), 64);
    static const char *const files[] = {"feedgate.db", "feedgate.db-wal", "log"};
    for (size_t i = 0; i < ROWS(files); i++) {
        EXPECT(!file_has(files[i], shown), "%s has %s", files[i], shown);
        EXPECT(!file_has(files[i], plain), "%s has %s", files[i], plain);
    }
    /* What the search would find, if it was there. */
    EXPECT(file_has("feedgate.db", hash_of(customer)) ||
               file_has("feedgate.db-wal", hash_of(customer)),
           "%s", "the hash isn't found either");
    AWAIT(LOG_COUNT(response.log_mark, "event", "code_issued") == 1, "the log:\n%s",
          log_since(response.log_mark));
    EXPECT(!file_has("log", customer), "%s", "the log names the customer");
    EXPECT(!file_has("log", SERVER_CODE_KEY), "%s", "the log has the key");
}
END_TEST

START_TEST(the_hash_is_made_with_the_key_beside_the_database)
{
    struct stat status;
    EXPECT_STATUS(ASK(.customer = new_customer(1)), 200);
    EXPECT(lstat(server_path("feedgate.db.key"), &status) == 0, "%s", "there is no key");
    EXPECT_NUMBER(status.st_mode, S_IFREG | 0640);
    EXPECT_NUMBER(status.st_size, 32);
}
END_TEST

/* ---- who may ask ----------------------------------------------------------------- */

static const struct {
    const char *name;
    enum refusal refusal;
    const char *authorization; /* `*` is the key */
    const char *further;       /* one more header */
} keys[] = {
    {"missing", REFUSAL_CODE_KEY_MISSING, OMIT, NULL},
    {"without a scheme", REFUSAL_CODE_KEY_MISSING, "*", NULL},
    {"of another scheme", REFUSAL_CODE_KEY_MISSING, "Basic *", NULL},
    {"scheme alone", REFUSAL_CODE_KEY_MISSING, "Bearer", NULL},
    {"in another header", REFUSAL_CODE_KEY_MISSING, OMIT, "X-Feedgate-Key: *"},
    {"wrong", REFUSAL_CODE_KEY_WRONG, "Bearer a-key-of-somebody-else-0123456789", NULL},
    {"cut", REFUSAL_CODE_KEY_WRONG, "Bearer the-key-of-the-backend-4711-081", NULL},
    {"longer", REFUSAL_CODE_KEY_WRONG, "Bearer *5", NULL},
    {"in upper case", REFUSAL_CODE_KEY_WRONG, "Bearer THE-KEY-OF-THE-BACKEND-4711-0815", NULL},
    {"twice in one", REFUSAL_TOKEN_REPEATED, "Bearer *, Bearer *", NULL},
    {"Sage's key", REFUSAL_CODE_KEY_WRONG, "Bearer the-key-that-only-Sage-knows-0815",
     "X-Feedgate-Key: the-key-that-only-Sage-knows-0815"},
};

START_TEST(only_the_backends_key_opens)
{
    case_is(keys[_i].name);
    const char *customer = new_customer(1);
    const char *authorization = keys[_i].authorization;
    if (authorization != OMIT)
        authorization = fill_in(authorization, '*', SERVER_CODE_KEY);
    const char *further =
        keys[_i].further != NULL ? fill_in(keys[_i].further, '*', SERVER_CODE_KEY) : NULL;
    struct response refused =
        ASK(.customer = customer, .authorization = authorization, .headers = {further});
    EXPECT_REFUSED(refused, keys[_i].refusal);
    EXPECT_SAME_ANSWER(refused, ASK(.customer = customer, .authorization = OMIT));
    EXPECT_TEXT(hash_of(customer), NULL);
}
END_TEST

START_TEST(a_token_of_sages_is_no_key)
{
    EXPECT_REFUSED(ASK(.authorization = with_key(TOKEN())), REFUSAL_CODE_KEY_WRONG);
}
END_TEST

START_TEST(the_key_is_good_nowhere_else)
{
    EXPECT_REFUSED(NOTIFY(.key = SERVER_CODE_KEY), REFUSAL_KEY_HEADER_WRONG);
    EXPECT_REFUSED(NOTIFY(.authorization = with_key(SERVER_CODE_KEY)), REFUSAL_TOKEN_MALFORMED);
    EXPECT_REFUSED(LIST(.authorization = with_key(SERVER_CODE_KEY)), REFUSAL_TOKEN_MALFORMED);
}
END_TEST

START_TEST(the_header_twice_opens_nothing)
{
    const char *customer = new_customer(1);
    const char *line = scratch_format("Authorization: %s", with_key(SERVER_CODE_KEY));
    struct response response = ASK(.customer = customer, .headers = {line});
    EXPECT(response.status == 400 || response.status == 401, "answered with %d", response.status);
    EXPECT_TEXT(hash_of(customer), NULL);
}
END_TEST

START_TEST(the_scheme_is_good_in_either_case)
{
    const char *customer = new_customer(1);
    EXPECT_STATUS(
        ASK(.customer = customer, .authorization = scratch_format("bEARER %s", SERVER_CODE_KEY)),
        200);
}
END_TEST

START_TEST(both_keys_open_during_a_rotation)
{
    static const char next[] = "the-next-key-of-the-backend-4712";
    SERVER(.settings = {"code.next_key_file = next-code.key"},
           .files = {{"next-code.key", "the-next-key-of-the-backend-4712\n"}});
    const char *customer = new_customer(1);
    EXPECT_STATUS(ASK(.customer = customer), 200);
    EXPECT_STATUS(ASK(.customer = customer, .authorization = with_key(next)), 200);
    EXPECT_REFUSED(
        ASK(.customer = customer, .authorization = with_key("the-next-key-of-the-backe")),
        REFUSAL_CODE_KEY_WRONG);
}
END_TEST

START_TEST(without_a_configured_key_nobody_gets_a_code)
{
    SERVER(.settings = {"code.key_file ="});
    const char *customer = new_customer(1);
    struct response refused = ASK(.customer = customer);
    EXPECT_REFUSED(refused, REFUSAL_CODE_KEY_WRONG);
    EXPECT_NUMBER(LOG_COUNT(refused.log_mark, "detail", "no [code] key_file is configured"), 1);
    EXPECT_SAME_ANSWER(refused, ASK(.customer = customer, .authorization = OMIT));
    EXPECT_SAME_ANSWER(refused, ASK(.customer = customer, .authorization = "Bearer "));
    EXPECT_TEXT(hash_of(customer), NULL);
}
END_TEST

/* ---- what it takes ------------------------------------------------------------------ */

START_TEST(only_post_is_taken)
{
    static const char *const methods[] = {"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
    for (size_t i = 0; i < ROWS(methods); i++) {
        case_is(methods[i]);
        EXPECT_REFUSED(ASK(.body = OMIT, .method = methods[i]), REFUSAL_METHOD_NOT_ALLOWED);
    }
}
END_TEST

START_TEST(only_json_is_taken)
{
    static const char *const types[] = {"text/plain", "application/x-www-form-urlencoded",
                                        "application/json-patch"};
    for (size_t i = 0; i < ROWS(types); i++) {
        case_is(types[i]);
        EXPECT_REFUSED(ASK(.media_type = types[i]), REFUSAL_MEDIA_TYPE);
    }
    EXPECT_STATUS(ASK(.customer = new_customer(1), .media_type = "Application/JSON; charset=utf-8"),
                  200);
}
END_TEST

START_TEST(a_body_has_at_most_4_kib)
{
    const char *customer = new_customer(1);
    const char *body = scratch_format("{\"customer\":\"%s\"}", customer);
    const char *fits = scratch_format("%s%s", body, repeat(" ", 4096 - strlen(body)));
    EXPECT_STATUS(ASK(.body = fits), 200);
    EXPECT_REFUSED(ASK(.body = scratch_format("%s ", fits)), REFUSAL_BODY_TOO_LARGE);
}
END_TEST

static const struct {
    const char *name;
    enum refusal refusal;
    const char *body; /* `*` is a customer's id */
    size_t length;    /* 0: to its NUL */
} bodies[] = {
    {"no JSON", REFUSAL_BODY_MALFORMED, "customer=*", 0},
    {"blank", REFUSAL_BODY_MALFORMED, " ", 0},
    {"text behind it", REFUSAL_BODY_MALFORMED, "{\"customer\":\"*\"}x", 0},
    {"the member twice", REFUSAL_BODY_MALFORMED, "{\"customer\":\"*\",\"customer\":\"*\"}", 0},
    {"a NUL in the id", REFUSAL_BODY_MALFORMED, "{\"customer\":\"*\\u0000\"}", 0},
    {"invalid UTF-8", REFUSAL_BODY_MALFORMED, "{\"customer\":\"*\xFF\"}", 0},
    {"a NUL behind it", REFUSAL_BODY_MALFORMED, "{\"customer\":\"nobody\"}\0",
     sizeof "{\"customer\":\"nobody\"}"},
    {"no object", REFUSAL_CUSTOMER_MALFORMED, "[\"*\"]", 0},
    {"a text", REFUSAL_CUSTOMER_MALFORMED, "\"*\"", 0},
    {"no member", REFUSAL_CUSTOMER_MALFORMED, "{}", 0},
    {"a number", REFUSAL_CUSTOMER_MALFORMED, "{\"customer\":42}", 0},
    {"null", REFUSAL_CUSTOMER_MALFORMED, "{\"customer\":null}", 0},
    {"another name", REFUSAL_CUSTOMER_MALFORMED, "{\"Customer\":\"*\"}", 0},
    {"one more member", REFUSAL_CUSTOMER_MALFORMED, "{\"customer\":\"*\",\"lifetime\":60}", 0},
    {"empty", REFUSAL_CUSTOMER_MALFORMED, "{\"customer\":\"\"}", 0},
    {"unknown", REFUSAL_CUSTOMER_UNKNOWN, "{\"customer\":\"nobody\"}", 0},
    {"with a space behind", REFUSAL_CUSTOMER_UNKNOWN, "{\"customer\":\"* \"}", 0},
    {"SQL", REFUSAL_CUSTOMER_UNKNOWN, "{\"customer\":\"' OR '1'='1\"}", 0},
};

START_TEST(a_bad_body_gets_no_code)
{
    case_is(bodies[_i].name);
    const char *customer = new_customer(1);
    bool whole = bodies[_i].length > 0;
    const char *body = whole ? bodies[_i].body : fill_in(bodies[_i].body, '*', customer);
    int64_t codes = ROW_NUMBER("SELECT count(*) FROM one_time_code");
    EXPECT_REFUSED(ASK(.body = body, .body_length = bodies[_i].length), bodies[_i].refusal);
    EXPECT_NUMBER(ROW_NUMBER("SELECT count(*) FROM one_time_code"), codes);
}
END_TEST

START_TEST(a_customers_id_has_at_most_256_bytes)
{
    EXPECT_REFUSED(ASK(.customer = repeat("x", 256)), REFUSAL_CUSTOMER_UNKNOWN);
    EXPECT_REFUSED(ASK(.customer = repeat("x", 257)), REFUSAL_CUSTOMER_MALFORMED);
}
END_TEST

START_TEST(only_this_very_url_is_served)
{
    static const char *const paths[] = {"/code/",  "/codes",     "/Code",
                                        "/code/x", "/code.fcgi", "/auth/code"};
    const char *customer = new_customer(1);
    for (size_t i = 0; i < ROWS(paths); i++) {
        case_is(paths[i]);
        EXPECT_NUMBER(ASK(.customer = customer, .path = paths[i]).status, 404);
    }
    EXPECT_TEXT(hash_of(customer), NULL);
}
END_TEST

START_TEST(a_locked_database_is_said)
{
    const char *customer = new_customer(1);
    store_lock();
    EXPECT_REFUSED(ASK(.customer = customer), REFUSAL_STORE_BUSY);
    store_unlock();
    EXPECT_TEXT(hash_of(customer), NULL);
    EXPECT_STATUS(ASK(.customer = customer), 200);
}
END_TEST

Suite *code_rules(void)
{
    Suite *suite = suite_create("code");
    ADD_TEST(suite, the_backend_gets_a_code);
    ADD_TEST(suite, a_second_code_takes_the_place_of_the_first);
    ADD_TEST(suite, a_code_stands_nowhere_but_in_the_answer);
    ADD_TEST(suite, the_hash_is_made_with_the_key_beside_the_database);
    ADD_ROWS(suite, only_the_backends_key_opens, ROWS(keys));
    ADD_TEST(suite, a_token_of_sages_is_no_key);
    ADD_TEST(suite, the_key_is_good_nowhere_else);
    ADD_TEST(suite, the_header_twice_opens_nothing);
    ADD_TEST(suite, the_scheme_is_good_in_either_case);
    ADD_TEST(suite, both_keys_open_during_a_rotation);
    ADD_TEST(suite, without_a_configured_key_nobody_gets_a_code);
    ADD_TEST(suite, only_post_is_taken);
    ADD_TEST(suite, only_json_is_taken);
    ADD_TEST(suite, a_body_has_at_most_4_kib);
    ADD_ROWS(suite, a_bad_body_gets_no_code, ROWS(bodies));
    ADD_TEST(suite, a_customers_id_has_at_most_256_bytes);
    ADD_TEST(suite, only_this_very_url_is_served);
    ADD_TEST(suite, a_locked_database_is_said);
    return suite;
}
