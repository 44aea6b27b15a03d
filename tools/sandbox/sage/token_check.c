/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "sage_id.h"
#include "sage_id_private.h"
#include "sandbox/http/text.h"

#include <string.h>
#include <time.h>

/* Sage's look at a token that came back to it: its own signature first, then the claims. */

struct token_parts {
    cJSON *header;
    cJSON *claims;
    struct text signature;
    size_t signed_size; /* of the token's beginning, which the signature is for */
};

static void clear_parts(struct token_parts *parts)
{
    cJSON_Delete(parts->header);
    cJSON_Delete(parts->claims);
    text_clear(&parts->signature);
}

static cJSON *parse_segment(const char *segment, size_t size)
{
    _cleanup_(text_clear) struct text text = {0};
    text_append_string(&text, "");
    if (!text_append_decoded(&text, segment, size))
        return NULL;
    return cJSON_ParseWithLength(text.bytes, text.size);
}

static bool split(const char *token, struct token_parts *parts)
{
    const char *first = strchr(token, '.');
    const char *second = first == NULL ? NULL : strchr(first + 1, '.');
    if (second == NULL)
        return false;
    parts->signed_size = (size_t)(second - token);
    parts->header = parse_segment(token, (size_t)(first - token));
    parts->claims = parse_segment(first + 1, (size_t)(second - first) - 1);
    return parts->header != NULL && parts->claims != NULL &&
           text_append_decoded(&parts->signature, second + 1, strlen(second + 1));
}

static bool has_text(const cJSON *object, const char *name, const char *wanted)
{
    const cJSON *member = cJSON_GetObjectItemCaseSensitive(object, name);
    return cJSON_IsString(member) && strcmp(member->valuestring, wanted) == 0;
}

static bool is_signed_by(const struct token_parts *parts, const char *token,
                         const struct signing_key *key)
{
    _cleanup_(cleanup_digest_context) EVP_MD_CTX *context = EVP_MD_CTX_new();
    return context != NULL && parts->signature.size > 0 &&
           EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->key) == 1 &&
           EVP_DigestVerify(context, (const unsigned char *)parts->signature.bytes,
                            parts->signature.size, (const unsigned char *)token,
                            parts->signed_size) == 1;
}

static bool is_ours(struct sage_id *sage_id, const struct token_parts *parts, const char *token)
{
    const cJSON *kid = cJSON_GetObjectItemCaseSensitive(parts->header, "kid");
    if (!cJSON_IsString(kid) || !has_text(parts->header, "alg", "RS256"))
        return false;
    _cleanup_(signing_key_release) struct signing_key key = {0};
    return sage_id_take_key(sage_id, kid->valuestring, &key) && is_signed_by(parts, token, &key);
}

const char *sage_id_check_token(struct sage_id *sage_id, const char *token, const char *client)
{
    _cleanup_(clear_parts) struct token_parts parts = {0};
    if (!split(token, &parts))
        return "the token is no JWT";
    if (!is_ours(sage_id, &parts, token))
        return "the token is not signed with a key of this Sage ID";
    if (!has_text(parts.claims, "iss", sage_id_issuer(sage_id)))
        return "the token has another issuer";
    if (!has_text(parts.claims, "aud", sage_id_audience(sage_id)))
        return "the token is for another audience";
    const cJSON *expiry = cJSON_GetObjectItemCaseSensitive(parts.claims, "exp");
    if (!cJSON_IsNumber(expiry) || expiry->valuedouble <= (double)time(NULL))
        return "the token has expired";
    if (!has_text(parts.claims, "azp", client))
        return "the token was issued to another client than the provider";
    return NULL;
}
