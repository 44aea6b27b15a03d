/* SPDX-License-Identifier: MIT */
#include "keys.h"

#include "scratch.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { KEYS_MAX = 64, NAME_MAX_LENGTH = 40 };

static struct {
    char name[NAME_MAX_LENGTH];
    EVP_PKEY *pair;
} keys[KEYS_MAX];
static size_t key_count;

/* OpenSSL doesn't fail in a test unless something is badly wrong with the machine. */
#define MUST(condition)                                                                            \
    do {                                                                                           \
        if (!(condition))                                                                          \
            abort();                                                                               \
    } while (0)

static EVP_PKEY *make_key(const char *name)
{
    if (strcmp(name, "curve") == 0)
        return EVP_EC_gen("P-256");
    size_t bits = strcmp(name, "weak") == 0 ? 1024 : strcmp(name, "short") == 0 ? 2040 : 2048;
    return EVP_RSA_gen(bits);
}

EVP_PKEY *signing_key(const char *name)
{
    for (size_t i = 0; i < key_count; i++)
        if (strcmp(keys[i].name, name) == 0)
            return keys[i].pair;
    MUST(key_count < KEYS_MAX && strlen(name) < NAME_MAX_LENGTH);
    memcpy(keys[key_count].name, name, strlen(name) + 1);
    MUST((keys[key_count].pair = make_key(name)) != NULL);
    return keys[key_count++].pair;
}

void keys_clear(void)
{
    for (size_t i = 0; i < key_count; i++)
        EVP_PKEY_free(keys[i].pair);
    key_count = 0;
}

static const char *text_of(BIO *bio)
{
    char *bytes = NULL;
    long length = BIO_get_mem_data(bio, &bytes);
    MUST(length > 0);
    const char *text = scratch_copy(bytes, (size_t)length);
    BIO_free(bio);
    return text;
}

const char *public_pem(const char *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio != NULL && PEM_write_bio_PUBKEY(bio, signing_key(name)) == 1);
    return text_of(bio);
}

const char *private_pem(const char *name)
{
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio != NULL &&
         PEM_write_bio_PrivateKey(bio, signing_key(name), NULL, NULL, 0, NULL, NULL) == 1);
    return text_of(bio);
}

const char *base64url(const void *bytes, size_t length)
{
    unsigned char *encoded = scratch_take(4 * (length / 3 + 1) + 1);
    int size = EVP_EncodeBlock(encoded, bytes, (int)length);
    MUST(size >= 0);
    char *text = (char *)encoded;
    for (char *byte = text; *byte != '\0'; byte++)
        *byte = *byte == '+' ? '-' : *byte == '/' ? '_' : *byte;
    text[strcspn(text, "=")] = '\0';
    return text;
}

/* A number of an RSA key as the raw JSON of its member. */
static const char *rsa_number(const char *key, const char *parameter)
{
    BIGNUM *number = NULL;
    MUST(EVP_PKEY_get_bn_param(signing_key(key), parameter, &number) == 1);
    unsigned char bytes[1024];
    int length = BN_bn2bin(number, bytes);
    BN_free(number);
    return scratch_format("\"%s\"", base64url(bytes, (size_t)length));
}

static const char *with_member(const char *object, const char *name, const char *given,
                               const char *usual)
{
    const char *value = given != NULL ? given : usual;
    if (value == NULL || value == OMIT)
        return object;
    return scratch_format("%s%s\"%s\":%s", object, object[0] != '\0' ? "," : "", name, value);
}

const char *jwk_make(const struct jwk *jwk)
{
    bool rsa = strcmp(jwk->key, "curve") != 0;
    const char *object = "";
    object = with_member(object, "kty", jwk->kty, rsa ? "\"RSA\"" : "\"EC\"");
    object = with_member(object, "kid", jwk->kid, scratch_format("\"%s\"", jwk->key));
    object = with_member(object, "use", jwk->use, "\"sig\"");
    object = with_member(object, "alg", jwk->alg, rsa ? "\"RS256\"" : "\"ES256\"");
    if (rsa) {
        object = with_member(object, "n", jwk->n, rsa_number(jwk->key, OSSL_PKEY_PARAM_RSA_N));
        object = with_member(object, "e", jwk->e, rsa_number(jwk->key, OSSL_PKEY_PARAM_RSA_E));
    }
    return scratch_format("{%s%s%s}", object, jwk->more != NULL ? "," : "",
                          jwk->more != NULL ? jwk->more : "");
}

const char *key_set_make(const char *first, ...)
{
    const char *entries = first;
    va_list more;
    va_start(more, first);
    for (const char *entry; (entry = va_arg(more, const char *)) != NULL;)
        entries = scratch_format("%s,%s", entries, entry);
    va_end(more);
    return scratch_format("{\"keys\":[%s]}", entries);
}

static void add_extension(X509 *certificate, int name, const char *value)
{
    X509V3_CTX context;
    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, name, value);
    MUST(extension != NULL && X509_add_ext(certificate, extension, -1) == 1);
    X509_EXTENSION_free(extension);
}

const char *self_signed_certificate(const char *key, const char *host)
{
    X509 *certificate = X509_new();
    MUST(certificate != NULL && X509_set_version(certificate, X509_VERSION_3) == 1);
    MUST(ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1) == 1);
    MUST(X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != NULL);
    MUST(X509_gmtime_adj(X509_getm_notAfter(certificate), 24L * 3600) != NULL);
    MUST(X509_set_pubkey(certificate, signing_key(key)) == 1);
    X509_NAME *name = X509_get_subject_name(certificate);
    MUST(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"Test issuer",
                                    -1, -1, 0) == 1);
    MUST(X509_set_issuer_name(certificate, name) == 1);
    add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE");
    bool address = strspn(host, "0123456789.") == strlen(host);
    add_extension(certificate, NID_subject_alt_name,
                  scratch_format("%s:%s", address ? "IP" : "DNS", host));
    MUST(X509_sign(certificate, signing_key(key), EVP_sha256()) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    MUST(bio != NULL && PEM_write_bio_X509(bio, certificate) == 1);
    X509_free(certificate);
    return text_of(bio);
}
