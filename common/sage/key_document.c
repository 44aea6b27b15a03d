/* SPDX-License-Identifier: MIT */
#include "key_document.h"

#include "base/base64url.h"
#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <stdbool.h>
#include <string.h>

enum {
    MODULUS_BITS_MIN = 2048,
    MODULUS_BITS_MAX = 8192,
    EXPONENT_BYTES_MAX = 8,
    OPERATIONS_MAX = 32, /* eight are defined */
    LOGGED_MAX = KEYS_MAX
};

static void free_number(BIGNUM **number)
{
    BN_free(*number);
}

static void free_builder(OSSL_PARAM_BLD **builder)
{
    OSSL_PARAM_BLD_free(*builder);
}

static void free_parameters(OSSL_PARAM **parameters)
{
    OSSL_PARAM_free(*parameters);
}

static void free_key_context(EVP_PKEY_CTX **context)
{
    EVP_PKEY_CTX_free(*context);
}

/* A number in base64url (RFC 7518 section 2, Base64urlUInt); owned by the caller. */
static BIGNUM *read_number(const cJSON *key, const char *name, size_t bytes_max)
{
    unsigned char bytes[MODULUS_BITS_MAX / 8];
    const char *text = json_text(key, name);
    size_t length = 0;
    if (!text || !base64url_decode(text, strlen(text), bytes, bytes_max, &length))
        return NULL;
    return BN_bin2bn(bytes, (int)length, NULL);
}

static EVP_PKEY *build_key(const BIGNUM *modulus, const BIGNUM *exponent)
{
    _cleanup_(free_builder) OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (!builder || !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) ||
        !OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent))
        return NULL;
    _cleanup_(free_parameters) OSSL_PARAM *parameters = OSSL_PARAM_BLD_to_param(builder);
    _cleanup_(free_key_context) EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
    EVP_PKEY *key = NULL;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1)
        return NULL;
    return key;
}

static EVP_PKEY *read_rsa(const cJSON *key)
{
    _cleanup_(free_number) BIGNUM *modulus = read_number(key, "n", MODULUS_BITS_MAX / 8);
    _cleanup_(free_number) BIGNUM *exponent = read_number(key, "e", EXPONENT_BYTES_MAX);
    if (!modulus || !exponent || BN_num_bits(modulus) < MODULUS_BITS_MIN || !BN_is_odd(modulus) ||
        !BN_is_odd(exponent) || BN_is_one(exponent))
        return NULL;
    return build_key(modulus, exponent);
}

static bool absent_or(const cJSON *key, const char *name, const char *value)
{
    const cJSON *member = json_member(key, name);
    const char *text = json_text(key, name);
    return !member || (text && strcmp(text, value) == 0);
}

/*
 * Whether `key_ops`, if it is there, is an array of different texts with
 * `verify` among them (RFC 7517 section 4.3: duplicates must not be present).
 */
static bool may_verify(const cJSON *key)
{
    const cJSON *operations = json_member(key, "key_ops");
    if (!operations)
        return true;
    if (!cJSON_IsArray(operations) || cJSON_GetArraySize(operations) > OPERATIONS_MAX)
        return false;
    bool found = false;
    const cJSON *operation;
    cJSON_ArrayForEach(operation, operations)
    {
        if (!cJSON_IsString(operation))
            return false;
        for (const cJSON *before = operations->child; before != operation; before = before->next)
            if (strcmp(before->valuestring, operation->valuestring) == 0)
                return false;
        found = found || strcmp(operation->valuestring, "verify") == 0;
    }
    return found;
}

/* Reads one key; NULL, or the reason why it is left out. */
static const char *read_key(const cJSON *member, struct key_list *list)
{
    const char *type = json_text(member, "kty");
    const char *id = json_text(member, "kid");
    if (!type || strcmp(type, "RSA") != 0)
        return "not an RSA key";
    if (!absent_or(member, "use", "sig") || !absent_or(member, "alg", "RS256"))
        return "not for RS256 signatures";
    if (!may_verify(member))
        return "key_ops without verify, or malformed";
    if (!id || id[0] == '\0' || strlen(id) >= KEY_ID_SIZE)
        return "no usable kid";
    if (key_list_find(list, id))
        return "a kid that another key has";
    if (list->count == KEYS_MAX)
        return "too many keys";
    struct verification_key *place = &list->keys[list->count];
    place->key = read_rsa(member);
    if (!place->key)
        return "not a usable RSA public key of 2048 to 8192 bits";
    memcpy(place->id, id, strlen(id) + 1);
    list->count++;
    return NULL;
}

size_t key_document_read(const char *document, size_t length, struct key_list *list)
{
    list->count = 0;
    _cleanup_(cleanup_json) cJSON *set = json_parse(document, length);
    const cJSON *keys = json_member(set, "keys");
    if (!cJSON_IsArray(keys))
        return 0;
    int left_out = 0;
    const cJSON *member;
    cJSON_ArrayForEach(member, keys)
    {
        const char *reason = read_key(member, list);
        if (reason && left_out++ < LOGGED_MAX)
            log_event(LOG_LEVEL_WARNING, "key_left_out", {"kid", json_text(member, "kid")},
                      {"detail", reason});
    }
    return list->count;
}

EVP_PKEY *key_list_find(const struct key_list *list, const char *id)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->keys[i].id, id) == 0)
            return list->keys[i].key;
    return NULL;
}

void key_list_clear(struct key_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        EVP_PKEY_free(list->keys[i].key);
    list->count = 0;
}
