/* SPDX-License-Identifier: MIT */
#include "sage_token.h"

#include "base/base64url.h"
#include "base/cleanup.h"
#include "base/digest.h"
#include "base/json.h"

#include <jwt.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { MEMORY_SLOTS = 1024, SIGNATURE_MAX = 1024 };

struct memory_slot {
    unsigned char digest[DIGEST_BYTES];
    int64_t generation; /* of the key set that it was verified with; 0: the slot is empty */
    struct sage_token_rules rules; /* that it met */
    struct sage_token verified;
};

struct token_memory {
    pthread_mutex_t mutex;
    struct memory_slot slots[MEMORY_SLOTS];
};

/* A token cut into its parts. */
struct parts {
    const char *header, *payload, *signature;
    size_t header_length, payload_length, signature_length;
};

struct token_memory *token_memory_new(void)
{
    struct token_memory *memory = calloc(1, sizeof *memory);
    if (memory && pthread_mutex_init(&memory->mutex, NULL) != 0) {
        free(memory);
        return NULL;
    }
    return memory;
}

void token_memory_free(struct token_memory *memory)
{
    if (!memory)
        return;
    (void)pthread_mutex_destroy(&memory->mutex);
    free(memory);
}

static struct memory_slot *slot_of(struct token_memory *memory,
                                   const unsigned char digest[DIGEST_BYTES])
{
    return &memory->slots[(digest[0] | digest[1] << 8) % MEMORY_SLOTS];
}

static bool same_rules(const struct sage_token_rules *a, const struct sage_token_rules *b)
{
    bool same_client =
        a->client && b->client ? strcmp(a->client, b->client) == 0 : a->client == b->client;
    return same_client && strcmp(a->issuer, b->issuer) == 0 &&
           strcmp(a->audience, b->audience) == 0 && strcmp(a->scope, b->scope) == 0;
}

static bool recall(struct token_memory *memory, const unsigned char digest[DIGEST_BYTES],
                   int64_t generation, const struct sage_token_rules *rules,
                   struct sage_token *verified)
{
    (void)pthread_mutex_lock(&memory->mutex);
    const struct memory_slot *slot = slot_of(memory, digest);
    bool known = slot->generation == generation &&
                 CRYPTO_memcmp(slot->digest, digest, DIGEST_BYTES) == 0 &&
                 same_rules(&slot->rules, rules);
    if (known)
        *verified = slot->verified;
    (void)pthread_mutex_unlock(&memory->mutex);
    return known;
}

static void remember(struct token_memory *memory, const unsigned char digest[DIGEST_BYTES],
                     int64_t generation, const struct sage_token_rules *rules,
                     const struct sage_token *verified)
{
    (void)pthread_mutex_lock(&memory->mutex);
    struct memory_slot *slot = slot_of(memory, digest);
    memcpy(slot->digest, digest, DIGEST_BYTES);
    slot->generation = generation;
    slot->rules = *rules;
    slot->verified = *verified;
    (void)pthread_mutex_unlock(&memory->mutex);
}

static bool is_expired(const struct sage_token *verified, int64_t now)
{
    return now >= verified->expires_at + SAGE_TOKEN_LEEWAY_MS;
}

/* Whether a segment is strict base64url and not empty. */
static bool is_segment(const char *segment, size_t length)
{
    unsigned char bytes[SAGE_TOKEN_MAX];
    size_t count = 0;
    return length > 0 && base64url_decode(segment, length, bytes, sizeof bytes, &count);
}

/* Exactly three segments, each of which has the one form that it may have. */
static bool cut(const char *token, size_t length, struct parts *parts)
{
    const char *end = token + length;
    const char *first = memchr(token, '.', length);
    if (!first)
        return false;
    const char *second = memchr(first + 1, '.', (size_t)(end - first - 1));
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    *parts = (struct parts){
        .header = token,
        .header_length = (size_t)(first - token),
        .payload = first + 1,
        .payload_length = (size_t)(second - first - 1),
        .signature = second + 1,
        .signature_length = (size_t)(end - second - 1),
    };
    return is_segment(parts->header, parts->header_length) &&
           is_segment(parts->payload, parts->payload_length) &&
           is_segment(parts->signature, parts->signature_length);
}

/* The strict JSON object in a segment; owned by the caller. Its text is left in `text`. */
static cJSON *read_object(const char *segment, size_t length, char text[SAGE_TOKEN_MAX + 1])
{
    size_t count = 0;
    if (!base64url_decode(segment, length, (unsigned char *)text, SAGE_TOKEN_MAX, &count))
        return NULL;
    text[count] = '\0';
    cJSON *document = json_parse(text, count);
    if (cJSON_IsObject(document))
        return document;
    cJSON_Delete(document);
    return NULL;
}

static bool is_known_type(const cJSON *header)
{
    if (!json_member(header, "typ"))
        return true;
    const char *type = json_text(header, "typ");
    return type && (strcmp(type, "JWT") == 0 || strcmp(type, "at+jwt") == 0);
}

static enum refusal judge_header(const cJSON *header, char kid[KEY_ID_SIZE])
{
    const char *algorithm = json_text(header, "alg");
    if (!algorithm || strcmp(algorithm, "RS256") != 0)
        return REFUSAL_TOKEN_ALGORITHM;
    if (!is_known_type(header))
        return REFUSAL_TOKEN_TYPE;
    /* No extension is understood here, so none may be critical (RFC 7515 section 4.1.11). */
    if (json_member(header, "crit"))
        return REFUSAL_TOKEN_CRITICAL_EXTENSION;
    const char *id = json_text(header, "kid");
    if (!id || id[0] == '\0' || strlen(id) >= KEY_ID_SIZE)
        return REFUSAL_TOKEN_MALFORMED;
    memcpy(kid, id, strlen(id) + 1);
    return REFUSAL_NONE;
}

static enum refusal read_header(const struct parts *parts, char kid[KEY_ID_SIZE])
{
    char text[SAGE_TOKEN_MAX + 1];
    _cleanup_(cleanup_json) cJSON *header = read_object(parts->header, parts->header_length, text);
    return header ? judge_header(header, kid) : REFUSAL_TOKEN_MALFORMED;
}

static enum refusal check_signature(const struct parts *parts, EVP_PKEY *key)
{
    unsigned char signature[SIGNATURE_MAX];
    size_t length = 0;
    if (!base64url_decode(parts->signature, parts->signature_length, signature, sizeof signature,
                          &length))
        return REFUSAL_TOKEN_MALFORMED;
    _cleanup_(cleanup_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (!context || EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key) != 1)
        return REFUSAL_INTERNAL;
    size_t signed_length = (size_t)(parts->signature - parts->header - 1);
    bool genuine = EVP_DigestVerify(context, signature, length,
                                    (const unsigned char *)parts->header, signed_length) == 1;
    return genuine ? REFUSAL_NONE : REFUSAL_TOKEN_SIGNATURE;
}

/* `aud` is one string or an array of strings (RFC 7519 section 4.1.3). */
static bool has_audience(const cJSON *payload, const char *audience)
{
    const cJSON *claim = json_member(payload, "aud");
    if (cJSON_IsString(claim))
        return strcmp(claim->valuestring, audience) == 0;
    bool found = false;
    const cJSON *item;
    cJSON_ArrayForEach(item, claim)
    {
        if (!cJSON_IsString(item))
            return false;
        found = found || strcmp(item->valuestring, audience) == 0;
    }
    return found && cJSON_IsArray(claim);
}

/* The claims of a token: as strict JSON, and as libjwt hands them out. */
struct claims {
    const cJSON *payload;
    jwt_t *jwt;
};

enum claim { CLAIM_THERE, CLAIM_ABSENT, CLAIM_WRONG };

/*
 * A NumericDate in whole seconds, as milliseconds. libjwt has whole numbers
 * exactly, cJSON only up to 2^53; but to libjwt a text is the same as nothing.
 */
static enum claim read_time(const struct claims *claims, const char *name, int64_t *time_ms)
{
    const cJSON *member = json_member(claims->payload, name);
    if (!member)
        return CLAIM_ABSENT;
    int64_t seconds = jwt_get_grant_int(claims->jwt, name);
    if (!cJSON_IsNumber(member) || (double)seconds != member->valuedouble || seconds < 0 ||
        seconds > INT64_MAX / SECOND_MS / 2)
        return CLAIM_WRONG;
    *time_ms = seconds * SECOND_MS;
    return CLAIM_THERE;
}

static bool is_ahead(enum claim claim, int64_t time_ms, int64_t now)
{
    return claim == CLAIM_THERE && time_ms > now + SAGE_TOKEN_LEEWAY_MS;
}

static enum refusal judge_times(const struct claims *claims, int64_t now,
                                struct sage_token *verified)
{
    int64_t not_before = 0;
    int64_t issued_at = 0;
    enum claim expiry = read_time(claims, "exp", &verified->expires_at);
    enum claim start = read_time(claims, "nbf", &not_before);
    enum claim issue = read_time(claims, "iat", &issued_at);
    if (expiry != CLAIM_THERE || start == CLAIM_WRONG || issue == CLAIM_WRONG)
        return REFUSAL_TOKEN_CLAIMS;
    if (is_expired(verified, now))
        return REFUSAL_TOKEN_EXPIRED;
    if (is_ahead(start, not_before, now) || is_ahead(issue, issued_at, now))
        return REFUSAL_TOKEN_NOT_YET_VALID;
    return REFUSAL_NONE;
}

static const char *const client_claims[] = {"azp", "client_id", "sub"};
enum { CLIENT_CLAIMS = sizeof client_claims / sizeof client_claims[0] };

static enum refusal judge_client(const cJSON *payload, const char *pin, struct sage_token *verified)
{
    bool pinned = !pin;
    for (size_t i = 0; i < CLIENT_CLAIMS; i++) {
        const char *client = json_text(payload, client_claims[i]);
        if (!client || strlen(client) >= SAGE_CLIENT_SIZE)
            continue;
        if (verified->client[0] == '\0')
            memcpy(verified->client, client, strlen(client) + 1);
        pinned = pinned || strcmp(client, pin) == 0;
    }
    return pinned ? REFUSAL_NONE : REFUSAL_TOKEN_CLIENT;
}

static enum refusal judge_claims(const struct sage_token_rules *rules, const struct claims *claims,
                                 int64_t now, struct sage_token *verified)
{
    const char *issuer = jwt_get_grant(claims->jwt, "iss");
    if (!issuer || strcmp(issuer, rules->issuer) != 0)
        return REFUSAL_TOKEN_ISSUER;
    if (!has_audience(claims->payload, rules->audience))
        return REFUSAL_TOKEN_AUDIENCE;
    enum refusal refusal = judge_times(claims, now, verified);
    if (refusal == REFUSAL_NONE)
        refusal = judge_client(claims->payload, rules->client, verified);
    if (refusal == REFUSAL_NONE &&
        !json_has_word(json_member(claims->payload, "scope"), rules->scope))
        refusal = REFUSAL_TOKEN_SCOPE;
    return refusal;
}

/*
 * libjwt gets the payload alone, after its form was judged by json_parse():
 * jwt_decode() would refuse the type `at+jwt`, and without a key it accepts
 * any signature.
 */
static enum refusal read_claims(const struct sage_token_rules *rules, const struct parts *parts,
                                int64_t now, struct sage_token *verified)
{
    char text[SAGE_TOKEN_MAX + 1];
    _cleanup_(cleanup_json) cJSON *payload =
        read_object(parts->payload, parts->payload_length, text);
    struct claims claims = {.payload = payload};
    if (!payload)
        return REFUSAL_TOKEN_MALFORMED;
    if (jwt_new(&claims.jwt) != 0)
        return REFUSAL_OUT_OF_MEMORY;
    enum refusal refusal = REFUSAL_TOKEN_MALFORMED;
    if (jwt_add_grants_json(claims.jwt, text) == 0)
        refusal = judge_claims(rules, &claims, now, verified);
    jwt_free(claims.jwt);
    return refusal;
}

static enum refusal verify(const struct sage_token_rules *rules, struct key_set *keys,
                           enum caller caller, const char *token, size_t length, int64_t now,
                           struct sage_token *verified, int64_t *generation)
{
    struct parts parts;
    char kid[KEY_ID_SIZE];
    if (!cut(token, length, &parts))
        return REFUSAL_TOKEN_MALFORMED;
    enum refusal refusal = read_header(&parts, kid);
    if (refusal != REFUSAL_NONE)
        return refusal;
    _cleanup_(cleanup_public_key) EVP_PKEY *key = NULL;
    refusal = key_set_find(keys, caller, kid, &key, generation);
    if (refusal == REFUSAL_NONE)
        refusal = check_signature(&parts, key);
    if (refusal == REFUSAL_NONE)
        refusal = read_claims(rules, &parts, now, verified);
    return refusal;
}

enum refusal sage_token_verify(const struct sage_token_rules *rules, struct key_set *keys,
                               struct token_memory *memory, enum caller caller, const char *token,
                               size_t length, int64_t now, struct sage_token *verified)
{
    memset(verified, 0, sizeof *verified);
    if (length > SAGE_TOKEN_MAX)
        return REFUSAL_TOKEN_TOO_LONG;
    unsigned char digest[DIGEST_BYTES];
    if (!digest_bytes(token, length, digest))
        return REFUSAL_INTERNAL;
    int64_t generation = key_set_generation(keys);
    if (generation > 0 && recall(memory, digest, generation, rules, verified))
        return is_expired(verified, now) ? REFUSAL_TOKEN_EXPIRED : REFUSAL_NONE;
    enum refusal refusal = verify(rules, keys, caller, token, length, now, verified, &generation);
    if (refusal == REFUSAL_NONE)
        remember(memory, digest, generation, rules, verified);
    return refusal;
}
