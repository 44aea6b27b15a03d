/* SPDX-License-Identifier: MIT */
#include "sage_id.h"

#include "base/cleanup.h"
#include "sage_id_private.h"
#include "sandbox/http/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RSA_BITS = 2048, RSA_BYTES = RSA_BITS / 8 };

const struct sage_client sage_clients[] = {
    {"sage-webhooks", "sandbox-secret", "WebhooksLambda"},
    {"sage-connector", "sandbox-secret", "ProviderAPI"},
    {"provider", "sandbox-provider-secret", NULL}, /* feedgate takes none below 16 characters */
    {NULL, NULL, NULL},
};

struct sage_id {
    const char *issuer;
    const char *audience;
    EVP_PKEY *forger; /* never in the key set */
    pthread_mutex_t mutex;
    struct signing_key current;  /* behind the mutex */
    struct signing_key previous; /* behind the mutex */
};

static const struct sage_client *client_with_scope(const char *scope)
{
    const struct sage_client *client = sage_clients;
    while (client[1].id != NULL &&
           (client->scope == NULL || scope == NULL || strcmp(client->scope, scope) != 0))
        client++;
    return client; /* the last one if no other has this scope */
}

static bool equals_secret(const char *given, const char *secret)
{
    size_t size = strlen(secret);
    return strlen(given) == size && CRYPTO_memcmp(given, secret, size) == 0;
}

const struct sage_client *sage_client_find(const char *id, const char *secret)
{
    for (const struct sage_client *client = sage_clients; client->id != NULL; client++) {
        if (strcmp(client->id, id) == 0)
            return equals_secret(secret, client->secret) ? client : NULL;
    }
    return NULL;
}

static bool make_signing_key(struct signing_key *made)
{
    unsigned char random[(KID_SIZE - 1) / 2];
    if (RAND_bytes(random, sizeof(random)) != 1)
        return false;
    for (size_t i = 0; i < sizeof(random); i++) {
        if (snprintf(made->kid + 2 * i, 3, "%02x", random[i]) != 2)
            return false;
    }
    made->key = EVP_RSA_gen(RSA_BITS);
    return made->key != NULL;
}

struct sage_id *sage_id_new(const char *issuer, const char *audience)
{
    struct sage_id *sage_id = calloc(1, sizeof(*sage_id));
    if (sage_id == NULL)
        return NULL;
    (void)pthread_mutex_init(&sage_id->mutex, NULL); /* can't fail without attributes on Linux */
    sage_id->issuer = issuer;
    sage_id->audience = audience;
    sage_id->forger = EVP_RSA_gen(RSA_BITS);
    if (sage_id->forger != NULL && make_signing_key(&sage_id->current))
        return sage_id;
    sage_id_free(sage_id);
    return NULL;
}

void sage_id_free(struct sage_id *sage_id)
{
    if (sage_id == NULL)
        return;
    EVP_PKEY_free(sage_id->forger);
    EVP_PKEY_free(sage_id->current.key);
    EVP_PKEY_free(sage_id->previous.key);
    (void)pthread_mutex_destroy(&sage_id->mutex);
    free(sage_id);
}

const char *sage_id_issuer(const struct sage_id *sage_id)
{
    return sage_id->issuer;
}

const char *sage_id_audience(const struct sage_id *sage_id)
{
    return sage_id->audience;
}

bool sage_id_rotate(struct sage_id *sage_id, char kid[KID_SIZE])
{
    struct signing_key made = {0};
    if (!make_signing_key(&made))
        return false;
    memcpy(kid, made.kid, KID_SIZE);
    (void)pthread_mutex_lock(&sage_id->mutex);
    EVP_PKEY *dropped = sage_id->previous.key;
    sage_id->previous = sage_id->current;
    sage_id->current = made;
    (void)pthread_mutex_unlock(&sage_id->mutex);
    EVP_PKEY_free(dropped);
    return true;
}

/* A copy whose key counts as one more reference, so that a rotation doesn't take it away. */
static bool take_key(struct sage_id *sage_id, const struct signing_key *from,
                     struct signing_key *taken)
{
    (void)pthread_mutex_lock(&sage_id->mutex);
    *taken = *from;
    bool held = taken->key != NULL && EVP_PKEY_up_ref(taken->key) == 1;
    (void)pthread_mutex_unlock(&sage_id->mutex);
    if (!held)
        taken->key = NULL;
    return held;
}

void signing_key_release(struct signing_key *taken)
{
    EVP_PKEY_free(taken->key);
}

bool sage_id_take_key(struct sage_id *sage_id, const char *kid, struct signing_key *taken)
{
    const struct signing_key *const keys[] = {&sage_id->current, &sage_id->previous};
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
        if (!take_key(sage_id, keys[i], taken))
            continue;
        if (strcmp(taken->kid, kid) == 0)
            return true;
        signing_key_release(taken);
        taken->key = NULL;
    }
    return false;
}

static bool add_number(cJSON *key, const char *member, const EVP_PKEY *from, const char *parameter)
{
    unsigned char bytes[RSA_BYTES];
    BIGNUM *number = NULL;
    if (EVP_PKEY_get_bn_param(from, parameter, &number) != 1)
        return false;
    int size = BN_num_bytes(number) <= RSA_BYTES ? BN_bn2bin(number, bytes) : -1;
    BN_free(number);
    if (size < 0)
        return false;
    _cleanup_(text_clear) struct text text = {0};
    text_append_base64url(&text, bytes, (size_t)size);
    return !text.failed && cJSON_AddStringToObject(key, member, text.bytes) != NULL;
}

static bool add_key(cJSON *keys, const struct signing_key *from)
{
    cJSON *key = cJSON_CreateObject();
    if (!cJSON_AddItemToArray(keys, key)) {
        cJSON_Delete(key);
        return false;
    }
    return cJSON_AddStringToObject(key, "kty", "RSA") != NULL &&
           cJSON_AddStringToObject(key, "use", "sig") != NULL &&
           cJSON_AddStringToObject(key, "alg", "RS256") != NULL &&
           cJSON_AddStringToObject(key, "kid", from->kid) != NULL &&
           add_number(key, "n", from->key, OSSL_PKEY_PARAM_RSA_N) &&
           add_number(key, "e", from->key, OSSL_PKEY_PARAM_RSA_E);
}

cJSON *sage_id_key_set(struct sage_id *sage_id)
{
    _cleanup_(cleanup_json) cJSON *set = cJSON_CreateObject();
    cJSON *keys = cJSON_AddArrayToObject(set, "keys");
    if (keys == NULL)
        return NULL;
    _cleanup_(signing_key_release) struct signing_key current = {0};
    _cleanup_(signing_key_release) struct signing_key previous = {0};
    if (!take_key(sage_id, &sage_id->current, &current) || !add_key(keys, &current))
        return NULL;
    if (take_key(sage_id, &sage_id->previous, &previous) && !add_key(keys, &previous))
        return NULL;
    cJSON *done = set;
    set = NULL;
    return done;
}

static char *print_header(const char *kid)
{
    _cleanup_(cleanup_json) cJSON *header = cJSON_CreateObject();
    if (cJSON_AddStringToObject(header, "alg", "RS256") == NULL ||
        cJSON_AddStringToObject(header, "typ", "JWT") == NULL ||
        cJSON_AddStringToObject(header, "kid", kid) == NULL)
        return NULL;
    return cJSON_PrintUnformatted(header);
}

/* The claims of Auth0's default profile for client credentials, in its order. */
static char *print_claims(const struct sage_id *sage_id, enum token_kind kind, const char *scope)
{
    const char *client = client_with_scope(scope)->id;
    double now = (double)time(NULL);
    double issued = kind == TOKEN_EXPIRED ? now - TOKEN_LIFETIME_SECONDS - 3600 : now;
    bool wrong_issuer = kind == TOKEN_WRONG_ISSUER;
    const char *issuer = wrong_issuer ? "https://issuer.example.invalid/" : sage_id->issuer;
    bool wrong_audience = kind == TOKEN_WRONG_AUDIENCE;
    const char *audience = wrong_audience ? "another/audience" : sage_id->audience;
    char subject[64];
    int length = snprintf(subject, sizeof(subject), "%s@clients", client);
    if (length < 0 || (size_t)length >= sizeof(subject))
        return NULL;

    _cleanup_(cleanup_json) cJSON *claims = cJSON_CreateObject();
    if (cJSON_AddStringToObject(claims, "iss", issuer) == NULL ||
        cJSON_AddStringToObject(claims, "sub", subject) == NULL ||
        cJSON_AddStringToObject(claims, "aud", audience) == NULL ||
        cJSON_AddNumberToObject(claims, "iat", issued) == NULL ||
        cJSON_AddNumberToObject(claims, "exp", issued + TOKEN_LIFETIME_SECONDS) == NULL)
        return NULL;
    if (kind != TOKEN_NO_SCOPE && scope != NULL &&
        cJSON_AddStringToObject(claims, "scope", scope) == NULL)
        return NULL;
    if (cJSON_AddStringToObject(claims, "gty", "client-credentials") == NULL ||
        cJSON_AddStringToObject(claims, "azp", client) == NULL)
        return NULL;
    return cJSON_PrintUnformatted(claims);
}

static bool append_signature(struct text *token, EVP_PKEY *key)
{
    unsigned char signature[RSA_BYTES];
    size_t size = sizeof(signature);
    _cleanup_(cleanup_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    if (token->failed || context == NULL ||
        EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key) != 1 ||
        EVP_DigestSign(context, signature, &size, (const unsigned char *)token->bytes,
                       token->size) != 1)
        return false;
    text_append_string(token, ".");
    text_append_base64url(token, signature, size);
    return true;
}

char *sage_id_make_token(struct sage_id *sage_id, enum token_kind kind, const char *scope)
{
    _cleanup_(signing_key_release) struct signing_key current = {0};
    if (!take_key(sage_id, &sage_id->current, &current))
        return NULL;
    _cleanup_(cleanup_free) char *header = print_header(current.kid);
    _cleanup_(cleanup_free) char *claims = print_claims(sage_id, kind, scope);
    if (header == NULL || claims == NULL)
        return NULL;
    _cleanup_(text_clear) struct text token = {0};
    text_append_base64url(&token, header, strlen(header));
    text_append_string(&token, ".");
    text_append_base64url(&token, claims, strlen(claims));
    if (!append_signature(&token, kind == TOKEN_FORGED ? sage_id->forger : current.key))
        return NULL;
    return text_take(&token);
}
