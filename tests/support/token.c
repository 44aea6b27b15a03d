/* SPDX-License-Identifier: MIT */
#include "token.h"

#include "expect.h"
#include "issuer.h"
#include "keys.h"
#include "scratch.h"
#include "server.h"

#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

static const char usual_audience[] = "\"sfdsbanking/sfdsBankingProvider-Pre\"";
static const char usual_scope[] = "\"WebhooksLambda ProviderAPI\"";

const char *in_seconds(int64_t seconds)
{
    return scratch_format("%lld", (long long)(server_time() + seconds));
}

static const char *with_member(const char *object, const char *name, const char *given,
                               const char *usual)
{
    const char *value = given != NULL ? given : usual;
    if (value == OMIT)
        return object;
    return scratch_format("%s%s\"%s\":%s", object, object[0] != '\0' ? "," : "", name, value);
}

static const char *key_name(const struct token *token)
{
    if (token->key != NULL)
        return token->key;
    return token->signature == SIGNATURE_ES256 ? "curve" : "first";
}

static const char *usual_algorithm(enum signature signature)
{
    switch (signature) {
    case SIGNATURE_RS384:
        return "\"RS384\"";
    case SIGNATURE_PS256:
        return "\"PS256\"";
    case SIGNATURE_ES256:
        return "\"ES256\"";
    case SIGNATURE_HS256_PUBLIC:
        return "\"HS256\"";
    case SIGNATURE_RS256:
    case SIGNATURE_PADDING_ONLY:
    case SIGNATURE_EMPTY:
        break;
    }
    return "\"RS256\"";
}

static const char *header_of(const struct token *token, size_t filling)
{
    if (token->header != NULL)
        return token->header;
    const char *object = "";
    object = with_member(object, "alg", token->alg, usual_algorithm(token->signature));
    object = with_member(object, "typ", token->typ, "\"JWT\"");
    object = with_member(object, "kid", token->kid, scratch_format("\"%s\"", key_name(token)));
    if (filling > 0)
        object = with_member(object, "f", scratch_format("%zu", filling), OMIT);
    return scratch_format("{%s%s%s}", object, token->more_header != NULL ? "," : "",
                          token->more_header != NULL ? token->more_header : "");
}

static const char *claims_of(const struct token *token)
{
    if (token->claims != NULL)
        return token->claims;
    const char *object = "";
    object = with_member(object, "iss", token->iss,
                         scratch_format("\"%s\"", issuer_url(server_issuer())));
    object = with_member(object, "sub", token->sub, "\"sage-webhooks@clients\"");
    object = with_member(object, "aud", token->aud, usual_audience);
    object = with_member(object, "iat", token->iat, in_seconds(0));
    object = with_member(object, "nbf", token->nbf, OMIT);
    object = with_member(object, "exp", token->exp, in_seconds(8 * 3600));
    object = with_member(object, "azp", token->azp, "\"sage-webhooks\"");
    object = with_member(object, "scope", token->scope, usual_scope);
    object = with_member(object, "gty", NULL, "\"client-credentials\"");
    return scratch_format("{%s%s%s}", object, token->more_claims != NULL ? "," : "",
                          token->more_claims != NULL ? token->more_claims : "");
}

/* Another text that lenient decoders read as the same bytes; needs unused bits. */
static const char *with_stray_bits(const char *segment)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t length = strlen(segment);
    EXPECT(length % 4 != 0, "%s", "a segment without unused bits can't carry stray ones");
    char *stray = scratch_copy(segment, length);
    stray[length - 1] = alphabet[(strchr(alphabet, stray[length - 1]) - alphabet) ^ 1];
    return stray;
}

static const char *sign_digest(const struct token *token, const char *text)
{
    EVP_PKEY *key = signing_key(key_name(token));
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *key_context = NULL;
    const EVP_MD *digest = token->signature == SIGNATURE_RS384 ? EVP_sha384() : EVP_sha256();
    unsigned char signature[1024];
    size_t size = sizeof(signature);
    if (context == NULL || EVP_DigestSignInit(context, &key_context, digest, NULL, key) != 1)
        abort();
    if (token->signature == SIGNATURE_PS256 &&
        EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PSS_PADDING) != 1)
        abort();
    if (EVP_DigestSign(context, signature, &size, (const unsigned char *)text, strlen(text)) != 1)
        abort();
    EVP_MD_CTX_free(context);
    size_t sent = token->damage == DAMAGE_SIGNATURE_SHORT ? size - 1 : size;
    if (token->damage == DAMAGE_SIGNATURE_BYTE)
        signature[size / 2] ^= 1;
    return base64url(signature, sent);
}

static const char *sign_by_secret(const char *secret, const char *text)
{
    unsigned char code[EVP_MAX_MD_SIZE];
    unsigned size = sizeof(code);
    if (HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)text, strlen(text),
             code, &size) == NULL)
        abort();
    return base64url(code, size);
}

/* PKCS #1's padded digest itself: its own signature when the exponent is 1. */
static const char *sign_by_padding(const char *text)
{
    static const unsigned char prefix[] = {0x00, 0x30, 0x31, 0x30, 0x0d, 0x06, 0x09,
                                           0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04,
                                           0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    unsigned char signature[256] = {0x00, 0x01};
    unsigned char *digest = signature + sizeof(signature) - 32;
    memset(signature + 2, 0xFF, sizeof(signature) - 2);
    memcpy(digest - sizeof(prefix), prefix, sizeof(prefix));
    if (EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL) != 1)
        abort();
    return base64url(signature, sizeof(signature));
}

static const char *signature_of(const struct token *token, const char *text)
{
    switch (token->signature) {
    case SIGNATURE_EMPTY:
        return "";
    case SIGNATURE_HS256_PUBLIC:
        return sign_by_secret(public_pem(key_name(token)), text);
    case SIGNATURE_PADDING_ONLY:
        return sign_by_padding(text);
    case SIGNATURE_RS256:
    case SIGNATURE_RS384:
    case SIGNATURE_PS256:
    case SIGNATURE_ES256:
        break;
    }
    return sign_digest(token, text);
}

/* + and / in place of - and _; a random signature of 256 bytes has some of them, nearly surely. */
static const char *in_other_alphabet(const char *segment)
{
    char *other = scratch_copy(segment, strlen(segment));
    for (char *byte = other; *byte != '\0'; byte++)
        *byte = *byte == '-' ? '+' : *byte == '_' ? '/' : *byte;
    return other;
}

static const char *assemble(const struct token *token, const char *header, const char *claims)
{
    const char *text = scratch_format("%s.%s", header, claims);
    const char *signature = signature_of(token, text);
    switch (token->damage) {
    case DAMAGE_SIGNATURE_MISSING:
        return text;
    case DAMAGE_SIGNATURE_PADDED:
        return scratch_format("%s.%s==", text, signature);
    case DAMAGE_SIGNATURE_STRAY_BITS:
        return scratch_format("%s.%s", text, with_stray_bits(signature));
    case DAMAGE_SIGNATURE_ALPHABET:
        return scratch_format("%s.%s", text, in_other_alphabet(signature));
    case DAMAGE_EXTRA_SEGMENT:
        return scratch_format("%s.%s.%s", text, signature, signature);
    case DAMAGE_CLAIMS_EXCHANGED: {
        const char *others = claims_of(&(struct token){.sub = "\"somebody-else@clients\""});
        return scratch_format("%s.%s.%s", header, base64url(others, strlen(others)), signature);
    }
    default:
        return scratch_format("%s.%s", text, signature);
    }
}

/* Claims made longer to so many bytes. */
static const char *filled_claims(const char *claims, size_t size)
{
    const char *frame = ",\"filling\":\"\"}";
    size_t kept = strlen(claims) - 1; /* without the last brace */
    EXPECT(size >= kept + strlen(frame), "claims of %zu bytes don't fit into %zu", kept, size);
    const char *filling = repeat("x", size - kept - strlen(frame));
    return scratch_format("%.*s,\"filling\":\"%s\"}", (int)kept, claims, filling);
}

/*
 * Base64url has no text of 4n + 1 letters, so the header is made a little
 * longer until what is left for the claims is a length that exists.
 */
static const char *token_of_length(const struct token *token)
{
    size_t signature_length = 342; /* of 256 bytes */
    size_t wanted = 1;
    const char *header = NULL;
    for (size_t number = 1; wanted % 4 == 1; number *= 10) {
        const char *plain = header_of(token, number);
        header = base64url(plain, strlen(plain));
        wanted = token->length - signature_length - 2 - strlen(header);
    }
    size_t size = wanted / 4 * 3 + (wanted % 4 == 0 ? 0 : wanted % 4 - 1);
    const char *claims = filled_claims(claims_of(token), size);
    return assemble(token, header, base64url(claims, size));
}

const char *token_make(const struct token *token)
{
    if (token->length > 0)
        return token_of_length(token);
    const char *plain = header_of(token, 0);
    const char *header = base64url(plain, strlen(plain));
    if (token->damage == DAMAGE_HEADER_PADDED)
        header = scratch_format("%s=", header);
    plain = claims_of(token);
    const char *claims =
        base64url(plain, token->claims_length > 0 ? token->claims_length : strlen(plain));
    if (token->damage == DAMAGE_CLAIMS_PADDED)
        claims = scratch_format("%s=", claims);
    if (token->damage == DAMAGE_CLAIMS_STRAY_BITS) {
        while (strlen(claims) % 4 == 0) { /* no unused bits yet */
            plain = scratch_format("%s ", plain);
            claims = base64url(plain, strlen(plain));
        }
        claims = with_stray_bits(claims);
    }
    return assemble(token, header, claims);
}
