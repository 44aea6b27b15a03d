/* SPDX-License-Identifier: MIT */
#include "rules.h"

#include <jwt.h>
#include <string.h>

/* Sage ID tokens, at both endpoints that demand one. Every table runs once for each. */

enum { NOTIFICATION_ENDPOINT, AVAILABLEACCOUNTS_ENDPOINT, ENDPOINTS };
static const char *const scopes[ENDPOINTS] = {"WebhooksLambda", "ProviderAPI"};

/* The rows of a table times the endpoints. */
#define AT_BOTH(table) (ROWS(table) * ENDPOINTS)
#define ROW_OF(i) ((i) / ENDPOINTS)
#define ENDPOINT_OF(i) ((i) % ENDPOINTS)

static bool notifies(int i)
{
    return ENDPOINT_OF(i) == NOTIFICATION_ENDPOINT;
}

/* Sends the whole value of the header Authorization to the row's endpoint. */
static struct response send_authorization(int i, const char *id, const char *authorization)
{
    if (notifies(i))
        return NOTIFY(.id = id, .authorization = authorization);
    return LIST(.external_id = id, .authorization = authorization);
}

static struct response send_token(int i, const char *id, const char *token)
{
    return send_authorization(i, id, scratch_format("Bearer %s", token));
}

/* That the guards let the request pass: what is asked for at availableaccounts isn't there. */
static void expect_passed(int i, struct response response)
{
    if (notifies(i))
        EXPECT_RECORDED(response, "armed");
    else
        EXPECT_REFUSED(response, REFUSAL_ACCOUNT_UNKNOWN);
}

/* That the token was refused for this reason, and that nothing came of the request. */
static void expect_token_refused(int i, const char *token, enum refusal refusal)
{
    const char *id = new_uuid();
    struct response response = send_token(i, id, token);
    /* Who has the key header is told so only by a fetch of its own (key_set_rules.c). */
    if (refusal == REFUSAL_TOKEN_KEY_UNKNOWN && notifies(i) && response.status == 503)
        refusal = REFUSAL_KEYS_UNAVAILABLE;
    EXPECT_REFUSED(response, refusal);
    EXPECT_TEXT(session_state(id), "none");
    EXPECT_NUMBER(events_of(id), 0);
}

/* What libjwt says of a token that was accepted: a second opinion on signature and form. */
static bool libjwt_accepts(const char *token)
{
    const char *pem = public_pem("first");
    jwt_t *jwt = NULL;
    int result = jwt_decode(&jwt, token, (const unsigned char *)pem, (int)strlen(pem));
    bool accepted = result == 0 && jwt_get_alg(jwt) == JWT_ALG_RS256;
    jwt_free(jwt);
    return accepted;
}

static const struct {
    const char *name;
    struct token token; /* `*` in scope stands for the endpoint's, in audiences for the right one */
} accepted[] = {
    {"as usual", {.usual = 0}},
    {"no typ", {.typ = OMIT}},
    {"typ of RFC 9068", {.typ = "\"at+jwt\""}},
    {"aud is an array of one", {.aud = "[\"*\"]"}},
    {"aud is one of an array", {.aud = "[\"https://other.test\",\"*\"]"}},
    {"scope is one word", {.scope = "\"*\""}},
    {"scope is the last of many", {.scope = "\"read:a write:b *\""}},
    {"scope is an array", {.scope = "[\"read:a\",\"*\"]"}},
    {"no iat, no nbf", {.iat = OMIT, .nbf = OMIT}},
    {"no azp, no sub", {.azp = OMIT, .sub = OMIT}},
    {"unknown claims", {.more_claims = "\"https://sage.com/x\":{\"y\":[1,null]}"}},
    {"escaped claims", {.more_claims = "\"a\":\"\\u00e9\\n\\ud83c\\udfe6\""}},
    /* keys and hints inside the token count for nothing, neither for it nor against it */
    {"jku", {.more_header = "\"jku\":\"http://127.0.0.1:1/jwks.json\""}},
    {"x5u", {.more_header = "\"x5u\":\"http://127.0.0.1:1/cert\""}},
    {"x5t", {.more_header = "\"x5t\":\"AAAA\""}},
    {"jwk", {.more_header = "\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}"}},
    {"alg once more in capitals", {.more_header = "\"ALG\":\"none\""}},
    {"4,096 bytes", {.length = 4096}},
};

/* The row's token, with its stars filled in. */
static const char *token_for(int i, struct token token)
{
    if (token.scope != NULL && token.scope != OMIT)
        token.scope = fill_in(token.scope, '*', scopes[ENDPOINT_OF(i)]);
    if (token.aud != NULL && token.aud != OMIT)
        token.aud = fill_in(token.aud, '*', "sfdsbanking/sfdsBankingProvider-Pre");
    return token_make(&token);
}

START_TEST(a_good_token_is_accepted)
{
    case_is(accepted[ROW_OF(_i)].name);
    const char *token = token_for(_i, accepted[ROW_OF(_i)].token);
    expect_passed(_i, send_token(_i, new_uuid(), token));
    expect_passed(_i, send_token(_i, new_uuid(), token)); /* remembered now */
    if (accepted[ROW_OF(_i)].token.typ == NULL)           /* libjwt 1 knows no other than JWT */
        EXPECT(libjwt_accepts(token), "%s", "libjwt thinks otherwise");
}
END_TEST

static const struct {
    const char *name;
    enum refusal refusal;
    struct token token;
} refused[] = {
    /* algorithms */
    {"alg none", REFUSAL_TOKEN_MALFORMED, {.alg = "\"none\"", .signature = SIGNATURE_EMPTY}},
    {"alg none, yet signed", REFUSAL_TOKEN_ALGORITHM, {.alg = "\"none\""}},
    {"alg None", REFUSAL_TOKEN_ALGORITHM, {.alg = "\"None\""}},
    {"alg rs256", REFUSAL_TOKEN_ALGORITHM, {.alg = "\"rs256\""}},
    {"HS256 by the public key", REFUSAL_TOKEN_ALGORITHM, {.signature = SIGNATURE_HS256_PUBLIC}},
    {"HS256 by the public key, called RS256",
     REFUSAL_TOKEN_SIGNATURE,
     {.signature = SIGNATURE_HS256_PUBLIC, .alg = "\"RS256\""}},
    {"RS384", REFUSAL_TOKEN_ALGORITHM, {.signature = SIGNATURE_RS384}},
    {"RS384, called RS256",
     REFUSAL_TOKEN_SIGNATURE,
     {.signature = SIGNATURE_RS384, .alg = "\"RS256\""}},
    {"PS256", REFUSAL_TOKEN_ALGORITHM, {.signature = SIGNATURE_PS256}},
    {"PS256, called RS256",
     REFUSAL_TOKEN_SIGNATURE,
     {.signature = SIGNATURE_PS256, .alg = "\"RS256\""}},
    {"ES256", REFUSAL_TOKEN_ALGORITHM, {.signature = SIGNATURE_ES256}},
    {"no alg", REFUSAL_TOKEN_ALGORITHM, {.alg = OMIT}},
    {"alg is a number", REFUSAL_TOKEN_ALGORITHM, {.alg = "256"}},
    {"alg is an array", REFUSAL_TOKEN_ALGORITHM, {.alg = "[\"RS256\"]"}},
    {"alg is only in capitals",
     REFUSAL_TOKEN_ALGORITHM,
     {.alg = OMIT, .more_header = "\"ALG\":\"RS256\""}},
    /* the rest of the header */
    {"typ jwt", REFUSAL_TOKEN_TYPE, {.typ = "\"jwt\""}},
    {"typ JWE", REFUSAL_TOKEN_TYPE, {.typ = "\"JWE\""}},
    {"an ID token's typ", REFUSAL_TOKEN_TYPE, {.typ = "\"id+jwt\""}},
    {"typ with media type", REFUSAL_TOKEN_TYPE, {.typ = "\"application/at+jwt\""}},
    {"typ is empty", REFUSAL_TOKEN_TYPE, {.typ = "\"\""}},
    {"typ is null", REFUSAL_TOKEN_TYPE, {.typ = "null"}},
    {"crit", REFUSAL_TOKEN_CRITICAL_EXTENSION, {.more_header = "\"crit\":[\"exp\"],\"exp\":1"}},
    {"crit is empty", REFUSAL_TOKEN_CRITICAL_EXTENSION, {.more_header = "\"crit\":[]"}},
    {"no kid", REFUSAL_TOKEN_MALFORMED, {.kid = OMIT}},
    {"kid is empty", REFUSAL_TOKEN_MALFORMED, {.kid = "\"\""}},
    {"kid is a number", REFUSAL_TOKEN_MALFORMED, {.kid = "1"}},
    {"kid of no key", REFUSAL_TOKEN_KEY_UNKNOWN, {.kid = "\"nobody's\""}},
    {"kid in another case", REFUSAL_TOKEN_KEY_UNKNOWN, {.kid = "\"FIRST\""}},
    {"kid is a path", REFUSAL_TOKEN_KEY_UNKNOWN, {.kid = "\"../../../dev/null\""}},
    {"kid is SQL", REFUSAL_TOKEN_KEY_UNKNOWN, {.kid = "\"' OR 1=1 --\""}},
    {"alg twice", REFUSAL_TOKEN_MALFORMED, {.more_header = "\"alg\":\"RS256\""}},
    {"kid twice", REFUSAL_TOKEN_MALFORMED, {.more_header = "\"kid\":\"second\""}},
    {"unknown header member twice", REFUSAL_TOKEN_MALFORMED, {.more_header = "\"a\":1,\"a\":1"}},
    {"NUL in alg", REFUSAL_TOKEN_MALFORMED, {.alg = "\"RS256\\u0000x\""}},
    {"NUL in a header's name", REFUSAL_TOKEN_MALFORMED, {.more_header = "\"crit\\u0000\":[]"}},
    {"header is no JSON", REFUSAL_TOKEN_MALFORMED, {.header = "alg=RS256"}},
    {"header is an array", REFUSAL_TOKEN_MALFORMED, {.header = "[\"alg\",\"RS256\"]"}},
    {"text behind the header",
     REFUSAL_TOKEN_MALFORMED,
     {.header = "{\"alg\":\"RS256\",\"kid\":\"first\"}x"}},
    {"header with BOM",
     REFUSAL_TOKEN_MALFORMED,
     {.header = "\xEF\xBB\xBF{\"alg\":\"RS256\",\"kid\":\"first\"}"}},
    /* signatures */
    {"signed by another key", REFUSAL_TOKEN_SIGNATURE, {.key = "second", .kid = "\"first\""}},
    {"another key's kid", REFUSAL_TOKEN_KEY_UNKNOWN, {.key = "second"}},
    {"one byte changed", REFUSAL_TOKEN_SIGNATURE, {.damage = DAMAGE_SIGNATURE_BYTE}},
    {"one byte short", REFUSAL_TOKEN_SIGNATURE, {.damage = DAMAGE_SIGNATURE_SHORT}},
    {"claims exchanged", REFUSAL_TOKEN_SIGNATURE, {.damage = DAMAGE_CLAIMS_EXCHANGED}},
    {"padding in place of a signature",
     REFUSAL_TOKEN_SIGNATURE,
     {.signature = SIGNATURE_PADDING_ONLY}},
    {"empty signature", REFUSAL_TOKEN_MALFORMED, {.signature = SIGNATURE_EMPTY}},
    {"two segments", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_SIGNATURE_MISSING}},
    {"four segments", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_EXTRA_SEGMENT}},
    /* base64url */
    {"padded signature", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_SIGNATURE_PADDED}},
    {"stray bits in the signature",
     REFUSAL_TOKEN_MALFORMED,
     {.damage = DAMAGE_SIGNATURE_STRAY_BITS}},
    {"the other alphabet", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_SIGNATURE_ALPHABET}},
    {"padded header", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_HEADER_PADDED}},
    {"padded claims", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_CLAIMS_PADDED}},
    {"stray bits in the claims", REFUSAL_TOKEN_MALFORMED, {.damage = DAMAGE_CLAIMS_STRAY_BITS}},
    /* claims */
    {"claims are no JSON", REFUSAL_TOKEN_MALFORMED, {.claims = "iss=x"}},
    {"claims are an array", REFUSAL_TOKEN_MALFORMED, {.claims = "[]"}},
    {"claims are empty", REFUSAL_TOKEN_MALFORMED, {.claims = ""}},
    {"no claims", REFUSAL_TOKEN_ISSUER, {.claims = "{}"}},
    {"iss twice", REFUSAL_TOKEN_MALFORMED, {.more_claims = "\"iss\":\"https://evil.test/\""}},
    {"exp twice", REFUSAL_TOKEN_MALFORMED, {.more_claims = "\"exp\":9999999999"}},
    {"unknown claim twice", REFUSAL_TOKEN_MALFORMED, {.more_claims = "\"a\":1,\"\\u0061\":1"}},
    {"NUL in a claim", REFUSAL_TOKEN_MALFORMED, {.more_claims = "\"a\":\"\\u0000\""}},
    {"control character in a claim", REFUSAL_TOKEN_MALFORMED, {.more_claims = "\"a\":\"\x01\""}},
    {"claims are no UTF-8", REFUSAL_TOKEN_MALFORMED, {.more_claims = "\"a\":\"\xFF\""}},
    {"claims nested too deep",
     REFUSAL_TOKEN_MALFORMED,
     {.more_claims =
          "\"a\":[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"}},
    {"4,097 bytes", REFUSAL_TOKEN_TOO_LONG, {.length = 4097}},
    /* issuer and audience */
    {"no iss", REFUSAL_TOKEN_ISSUER, {.iss = OMIT}},
    {"Sage's iss, but not the configured one",
     REFUSAL_TOKEN_ISSUER,
     {.iss = "\"https://id.sage.com/\""}},
    {"iss is an array", REFUSAL_TOKEN_ISSUER, {.iss = "[\"https://id.sage.com/\"]"}},
    {"iss is empty", REFUSAL_TOKEN_ISSUER, {.iss = "\"\""}},
    {"no aud", REFUSAL_TOKEN_AUDIENCE, {.aud = OMIT}},
    {"another aud", REFUSAL_TOKEN_AUDIENCE, {.aud = "\"https://other.test\""}},
    {"production's aud", REFUSAL_TOKEN_AUDIENCE, {.aud = "\"sfdsbanking/sfdsBankingProvider\""}},
    {"aud goes on", REFUSAL_TOKEN_AUDIENCE, {.aud = "\"*d\""}},
    {"aud in another case",
     REFUSAL_TOKEN_AUDIENCE,
     {.aud = "\"sfdsbanking/sfdsbankingprovider-pre\""}},
    {"aud among others in one text", REFUSAL_TOKEN_AUDIENCE, {.aud = "\"x *\""}},
    {"aud is an empty array", REFUSAL_TOKEN_AUDIENCE, {.aud = "[]"}},
    {"aud is an array of others", REFUSAL_TOKEN_AUDIENCE, {.aud = "[\"x\",\"y\"]"}},
    {"aud is an array in an array", REFUSAL_TOKEN_AUDIENCE, {.aud = "[[\"*\"]]"}},
    {"aud is an object", REFUSAL_TOKEN_AUDIENCE, {.aud = "{\"*\":\"*\"}"}},
    {"aud in another case's name",
     REFUSAL_TOKEN_AUDIENCE,
     {.aud = OMIT, .more_claims = "\"AUD\":\"sfdsbanking/sfdsBankingProvider-Pre\""}},
    /* times that no clock accepts; the others are in time_rules.c */
    {"no exp", REFUSAL_TOKEN_CLAIMS, {.exp = OMIT}},
    {"exp is a text", REFUSAL_TOKEN_CLAIMS, {.exp = "\"9999999999\""}},
    {"exp is null", REFUSAL_TOKEN_CLAIMS, {.exp = "null"}},
    {"exp is true", REFUSAL_TOKEN_CLAIMS, {.exp = "true"}},
    {"exp is zero", REFUSAL_TOKEN_EXPIRED, {.exp = "0"}},
    {"exp long ago", REFUSAL_TOKEN_EXPIRED, {.exp = "1000000000"}},
    {"exp before all time", REFUSAL_TOKEN_CLAIMS, {.exp = "-1"}},
    {"exp beyond all time", REFUSAL_TOKEN_CLAIMS, {.exp = "9223372036854775807"}},
    {"nbf far ahead", REFUSAL_TOKEN_NOT_YET_VALID, {.nbf = "99999999999"}},
    {"nbf is a text", REFUSAL_TOKEN_CLAIMS, {.nbf = "\"1\""}},
    {"iat far ahead", REFUSAL_TOKEN_NOT_YET_VALID, {.iat = "99999999999"}},
    {"iat is a text", REFUSAL_TOKEN_CLAIMS, {.iat = "\"1\""}},
    /* scope */
    {"no scope", REFUSAL_TOKEN_SCOPE, {.scope = OMIT}},
    {"scope is empty", REFUSAL_TOKEN_SCOPE, {.scope = "\"\""}},
    {"another scope", REFUSAL_TOKEN_SCOPE, {.scope = "\"read:a\""}},
    {"scope goes on", REFUSAL_TOKEN_SCOPE, {.scope = "\"*s\""}},
    {"scope begins earlier", REFUSAL_TOKEN_SCOPE, {.scope = "\"x*\""}},
    {"scope of two words together",
     REFUSAL_TOKEN_SCOPE,
     {.scope = "\"WebhooksLambdaProviderAPI\""}},
    {"scopes with commas", REFUSAL_TOKEN_SCOPE, {.scope = "\"a,*,b\""}},
    {"scopes with tabs", REFUSAL_TOKEN_SCOPE, {.scope = "\"a\\t*\""}},
    {"scope in another case", REFUSAL_TOKEN_SCOPE, {.scope = "\"webhookslambda providerapi\""}},
    {"scope is an array of many in one", REFUSAL_TOKEN_SCOPE, {.scope = "[\"a *\"]"}},
    {"scope is an object", REFUSAL_TOKEN_SCOPE, {.scope = "{\"*\":true}"}},
    {"scope in the claim scp",
     REFUSAL_TOKEN_SCOPE,
     {.scope = OMIT, .more_claims = "\"scp\":\"WebhooksLambda ProviderAPI\""}},
};

START_TEST(a_bad_token_is_refused)
{
    case_is(refused[ROW_OF(_i)].name);
    expect_token_refused(_i, token_for(_i, refused[ROW_OF(_i)].token), refused[ROW_OF(_i)].refusal);
}
END_TEST

/* Those that need the issuer's URL, in which `*` stands for it without its last slash. */
static const char *const near_issuers[] = {"\"*\"", "\"*//\"", "\"*/x\"", "\" */\"", "[\"*/\"]"};

START_TEST(the_issuer_is_compared_byte_by_byte)
{
    const char *url = issuer_url(server_issuer());
    const char *near = near_issuers[ROW_OF(_i)];
    case_is(near);
    const char *without_slash = scratch_copy(url, strlen(url) - 1);
    expect_token_refused(_i, TOKEN(.iss = fill_in(near, '*', without_slash)), REFUSAL_TOKEN_ISSUER);
    expect_token_refused(_i, TOKEN(.iss = scratch_format("\"%s\"", upper_case(url))),
                         REFUSAL_TOKEN_ISSUER);
}
END_TEST

START_TEST(each_endpoint_wants_its_own_scope)
{
    const char *others = scopes[1 - ENDPOINT_OF(_i)];
    const char *token = TOKEN(.scope = scratch_format("\"%s\"", others));
    expect_token_refused(_i, token, REFUSAL_TOKEN_SCOPE);
    int other = 1 - _i;
    expect_passed(other, send_token(other, new_uuid(), token));
    expect_token_refused(_i, token, REFUSAL_TOKEN_SCOPE); /* whatever is remembered elsewhere */
}
END_TEST

/* ---- the header Authorization --------------------------------------------- */

static const struct {
    const char *name;
    const char *authorization; /* `*` stands for a good token */
    enum refusal refusal;
} authorizations[] = {
    {"scheme in lower case", "bearer *", REFUSAL_NONE},
    {"scheme in capitals", "BEARER *", REFUSAL_NONE},
    {"none", OMIT, REFUSAL_TOKEN_MISSING},
    {"another scheme", "Basic *", REFUSAL_TOKEN_MISSING},
    {"no scheme", "*", REFUSAL_TOKEN_MISSING},
    {"the scheme alone", "Bearer", REFUSAL_TOKEN_MISSING},
    {"a scheme that goes on", "BearerX *", REFUSAL_TOKEN_MISSING},
    {"text behind the token", "Bearer * x", REFUSAL_TOKEN_MALFORMED},
    {"two tokens", "Bearer *, Bearer *", REFUSAL_TOKEN_REPEATED},
    {"two of two schemes", "Basic x, Bearer *", REFUSAL_TOKEN_REPEATED},
    {"two of two schemes, the token first", "Bearer *, Basic x", REFUSAL_TOKEN_REPEATED},
    {"a list that another scheme has", "Digest a=\"b\", c=\"d\"", REFUSAL_TOKEN_MISSING},
    {"in quotes", "Bearer \"*\"", REFUSAL_TOKEN_MALFORMED},
    {"no token", "Bearer x", REFUSAL_TOKEN_MALFORMED},
    {"only dots", "Bearer ..", REFUSAL_TOKEN_MALFORMED},
    {"a space within", "Bearer a.b .c", REFUSAL_TOKEN_MALFORMED},
};

START_TEST(a_token_comes_in_the_header_authorization)
{
    const char *authorization = authorizations[ROW_OF(_i)].authorization;
    case_is(authorizations[ROW_OF(_i)].name);
    const char *id = new_uuid();
    const char *value =
        authorization == OMIT ? OMIT : fill_in(authorization, '*', TOKEN(.sub = OMIT));
    struct response response = send_authorization(_i, id, value);
    if (authorizations[ROW_OF(_i)].refusal == REFUSAL_NONE) {
        expect_passed(_i, response);
        return;
    }
    EXPECT_REFUSED(response, authorizations[ROW_OF(_i)].refusal);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

START_TEST(a_token_elsewhere_counts_for_nothing)
{
    const char *token = TOKEN();
    EXPECT_REFUSED(
        LIST(.authorization = OMIT, .query = scratch_format("externalId=a&access_token=%s", token)),
        REFUSAL_TOKEN_MISSING);
    EXPECT_REFUSED(NOTIFY(.authorization = OMIT, .headers = {scratch_format("X-Token: %s", token)}),
                   REFUSAL_TOKEN_MISSING);
    EXPECT_REFUSED(NOTIFY(.authorization = OMIT,
                          .headers = {scratch_format("Cookie: access_token=%s", token)}),
                   REFUSAL_TOKEN_MISSING);
}
END_TEST

START_TEST(the_header_twice_is_refused)
{
    const char *line = scratch_format("Authorization: Bearer %s", TOKEN());
    const char *id = new_uuid();
    struct response response = NOTIFY(.id = id, .headers = {line});
    if (server_is("nginx"))
        EXPECT_NUMBER(response.status, 400); /* it refuses that itself */
    else
        EXPECT_REFUSED(response, REFUSAL_TOKEN_REPEATED);
    EXPECT_TEXT(session_state(id), "none");
}
END_TEST

START_TEST(hints_in_a_token_fetch_nothing)
{
    struct issuer *attacker = issuer_start();
    issuer_answer(attacker, KEY_SET(JWK("second")));
    const char *url = scratch_format("%s.well-known/jwks.json", issuer_url(attacker));
    const char *hints =
        scratch_format("\"jku\":\"%s\",\"x5u\":\"%s\",\"jwk\":%s", url, url, JWK("second"));
    expect_token_refused(0, TOKEN(.key = "second", .more_header = hints),
                         REFUSAL_TOKEN_KEY_UNKNOWN);
    expect_token_refused(0, TOKEN(.key = "second", .kid = "\"first\"", .more_header = hints),
                         REFUSAL_TOKEN_SIGNATURE);
    expect_token_refused(0, TOKEN(.key = "second", .kid = OMIT, .more_header = hints),
                         REFUSAL_TOKEN_MALFORMED);
    EXPECT_NUMBER(issuer_fetches(attacker) + issuer_strays(attacker), 0);
}
END_TEST

START_TEST(all_refused_tokens_get_the_same_bytes)
{
    const char *first = NULL;
    for (size_t i = 0; i < ROWS(refused); i++) {
        case_is(refused[i].name);
        if (refusal_status(refused[i].refusal) != 401)
            continue;
        /* Not /notification, where an unknown key may mean "try again". */
        const char *token = token_for(AVAILABLEACCOUNTS_ENDPOINT, refused[i].token);
        struct response response = send_token(AVAILABLEACCOUNTS_ENDPOINT, new_uuid(), token);
        EXPECT_STATUS(response, 401);
        first = first != NULL ? first : response.body;
        EXPECT_TEXT(response.body, first);
        EXPECT_TEXT(response_header(&response, "WWW-Authenticate"),
                    "Bearer realm=\"feedgate\", error=\"invalid_token\"");
    }
    EXPECT_TEXT(NOTIFY(.key = OMIT).body, first);
    EXPECT_TEXT(NOTIFY(.authorization = OMIT).body, first);
}
END_TEST

/* ---- pins ----------------------------------------------------------------- */

static const struct {
    const char *name;
    bool accepted;
    struct token token;
} pinned[] = {
    {"azp", true, {.azp = "\"the-client\"", .sub = OMIT}},
    {"client_id", true, {.azp = OMIT, .sub = OMIT, .more_claims = "\"client_id\":\"the-client\""}},
    {"sub", true, {.azp = OMIT, .sub = "\"the-client\""}},
    {"none", false, {.azp = OMIT, .sub = OMIT}},
    {"another", false, {.azp = "\"another-client\"", .sub = "\"another-client@clients\""}},
    {"another case", false, {.azp = "\"The-Client\"", .sub = OMIT}},
    {"it goes on", false, {.azp = "\"the-client2\"", .sub = OMIT}},
    {"an array", false, {.azp = "[\"the-client\"]", .sub = OMIT}},
    {"another claim", false, {.azp = OMIT, .sub = OMIT, .more_claims = "\"cid\":\"the-client\""}},
};

/* One server for the whole table, since all rows are asked of the same configuration. */
START_TEST(a_pinned_client_is_the_only_one)
{
    SERVER(.settings = {"notification.client = the-client",
                        "availableaccounts.client = the-client"});
    for (int i = 0; i < (int)AT_BOTH(pinned); i++) {
        case_is(pinned[ROW_OF(i)].name);
        const char *token = token_make(&pinned[ROW_OF(i)].token);
        if (pinned[ROW_OF(i)].accepted)
            expect_passed(i, send_token(i, new_uuid(), token));
        else
            expect_token_refused(i, token, REFUSAL_TOKEN_CLIENT);
    }
}
END_TEST

START_TEST(a_refused_client_stands_in_the_log)
{
    SERVER(.settings = {"notification.client = the-client"});
    struct response response = NOTIFY(.token = TOKEN(.azp = "\"a-new-client\""));
    EXPECT_REFUSED(response, REFUSAL_TOKEN_CLIENT);
    AWAIT(LOG_COUNT(response.log_mark, "refusal", "token_client", "detail", "a-new-client") == 1,
          "the log:\n%s", log_since(response.log_mark));
}
END_TEST

START_TEST(the_key_header_may_be_required_for_available_accounts)
{
    SERVER(.settings = {"availableaccounts.require_key_header = yes"});
    EXPECT_REFUSED(LIST(), REFUSAL_KEY_HEADER_MISSING);
    EXPECT_REFUSED(LIST(.headers = {"X-Feedgate-Key: wrong-key-0123456789"}),
                   REFUSAL_KEY_HEADER_WRONG);
    EXPECT_REFUSED(LIST(.headers = {scratch_format("X-Feedgate-Key: %s", SERVER_KEY)}),
                   REFUSAL_ACCOUNT_UNKNOWN);
}
END_TEST

Suite *token_rules(void)
{
    Suite *suite = suite_create("token");
    ADD_ROWS(suite, a_good_token_is_accepted, AT_BOTH(accepted));
    ADD_ROWS(suite, a_bad_token_is_refused, AT_BOTH(refused));
    ADD_ROWS(suite, the_issuer_is_compared_byte_by_byte, AT_BOTH(near_issuers));
    ADD_ROWS(suite, each_endpoint_wants_its_own_scope, ENDPOINTS);
    ADD_ROWS(suite, a_token_comes_in_the_header_authorization, AT_BOTH(authorizations));
    ADD_TEST(suite, a_token_elsewhere_counts_for_nothing);
    ADD_TEST(suite, the_header_twice_is_refused);
    ADD_TEST(suite, hints_in_a_token_fetch_nothing);
    ADD_TEST(suite, all_refused_tokens_get_the_same_bytes);
    ADD_TEST(suite, a_pinned_client_is_the_only_one);
    ADD_TEST(suite, a_refused_client_stands_in_the_log);
    ADD_TEST(suite, the_key_header_may_be_required_for_available_accounts);
    return suite;
}
