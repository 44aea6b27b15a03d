/* SPDX-License-Identifier: MIT */
#include "completion_body.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/uuid.h"
#include "records/account_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A document that is being read. */
struct reading {
    struct completion_body *body;
    char *detail; /* COMPLETION_BODY_DETAIL_SIZE bytes */
    char place[sizeof "bankAccounts[4294967295]"];
};

/* The members of an account, all required, and where each is kept. */
static const struct {
    const char *name;
    size_t field;
    const char *(*judge)(const char *text);
} account_members[] = {
    {"bankAccountExternalId", offsetof(struct account, external_id),
     account_text_judge_external_id},
    {"accountName", offsetof(struct account, account_name), account_text_judge},
    {"bankIdentifier", offsetof(struct account, bank_identifier), account_text_judge},
    {"branchIdentifier", offsetof(struct account, branch_identifier), account_text_judge},
    {"accountIdentifier", offsetof(struct account, account_identifier), account_text_judge},
};
enum { ACCOUNT_MEMBERS = sizeof account_members / sizeof account_members[0] };

static const char **text_of(struct account *account, size_t member)
{
    return (const char **)((char *)account + account_members[member].field);
}

/* Says what is wrong with a member (NULL: with the place itself). Always false. */
static bool refuse_member(const struct reading *reading, const char *member, const char *complaint)
{
    const char *place = reading->place[0] || member ? reading->place : "the body";
    (void)snprintf(reading->detail, COMPLETION_BODY_DETAIL_SIZE, "%s%s%s %s", place,
                   place[0] && member ? "." : "", member ? member : "",
                   complaint); /* cut at worst */
    return false;
}

/* A name of the caller's goes into the detail only if it looks like one. */
static bool refuse_unknown(const struct reading *reading, const char *name)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    size_t length = strlen(name);
    bool plain = length > 0 && length <= 40 && strspn(name, letters) == length;
    return refuse_member(reading, plain ? name : NULL,
                         plain ? "is not a member that is known here"
                               : "has a member that is not known here");
}

static int find_member(const char *name)
{
    for (int i = 0; i < ACCOUNT_MEMBERS; i++)
        if (strcmp(account_members[i].name, name) == 0)
            return i;
    return -1;
}

static bool read_account(const struct reading *reading, const cJSON *item, struct account *account)
{
    if (!cJSON_IsObject(item))
        return refuse_member(reading, NULL, "must be an object");
    const cJSON *member;
    cJSON_ArrayForEach(member, item)
    {
        int index = find_member(member->string);
        if (index < 0)
            return refuse_unknown(reading, member->string);
        const char *text = cJSON_GetStringValue(member);
        const char *complaint = text ? account_members[index].judge(text) : "must be a text";
        if (complaint)
            return refuse_member(reading, account_members[index].name, complaint);
        *text_of(account, (size_t)index) = text;
    }
    for (size_t i = 0; i < ACCOUNT_MEMBERS; i++)
        if (!*text_of(account, i))
            return refuse_member(reading, account_members[i].name, "is missing");
    return true;
}

static bool have_same_identifiers(const struct account *one, const struct account *other)
{
    return strcmp(one->bank_identifier, other->bank_identifier) == 0 &&
           strcmp(one->branch_identifier, other->branch_identifier) == 0 &&
           strcmp(one->account_identifier, other->account_identifier) == 0;
}

/* Sage would take one of two for the other: it knows accounts by these. */
static bool is_new(const struct reading *reading, size_t count)
{
    const struct account *accounts = reading->body->accounts;
    for (size_t i = 0; i < count; i++) {
        if (strcmp(accounts[i].external_id, accounts[count].external_id) == 0)
            return refuse_member(reading, "bankAccountExternalId",
                                 "is the one of an account above, too");
        if (have_same_identifiers(&accounts[i], &accounts[count]))
            return refuse_member(reading, "accountIdentifier",
                                 "is with this bank and branch the one of an account above, too");
    }
    return true;
}

static bool read_accounts(struct reading *reading, const cJSON *accounts)
{
    struct completion_body *body = reading->body;
    if (!accounts)
        return true;
    if (body->ending != ENDING_SUCCESS)
        return refuse_member(reading, "bankAccounts", "belongs to the status success alone");
    if (!cJSON_IsArray(accounts))
        return refuse_member(reading, "bankAccounts", "must be an array");
    const cJSON *item;
    cJSON_ArrayForEach(item, accounts)
    {
        if (body->account_count == COMPLETION_BODY_ACCOUNTS_MAX) {
            reading->place[0] = '\0'; /* it isn't about an account */
            return refuse_member(reading, "bankAccounts", "must not have more than 200 accounts");
        }
        (void)snprintf(reading->place, sizeof reading->place, "bankAccounts[%zu]",
                       body->account_count);
        if (!read_account(reading, item, &body->accounts[body->account_count]) ||
            !is_new(reading, body->account_count))
            return false;
        body->account_count++;
    }
    return true;
}
_Static_assert((int)COMPLETION_BODY_ACCOUNTS_MAX == 200, "the complaint above says so");

static bool read_status(const struct reading *reading, const char *status)
{
    for (enum ending ending = ENDING_SUCCESS; status && ending <= ENDING_ERROR; ending++)
        if (strcmp(ending_word(ending), status) == 0) {
            reading->body->ending = ending;
            return true;
        }
    return refuse_member(reading, "status", "must be one of success, cancelled, error");
}

static bool read_document(struct reading *reading)
{
    struct completion_body *body = reading->body;
    const cJSON *document = body->document;
    if (!cJSON_IsObject(document))
        return refuse_member(reading, NULL, "must be an object");
    const cJSON *member;
    cJSON_ArrayForEach(member, document)
    {
        if (strcmp(member->string, "authorisationId") != 0 &&
            strcmp(member->string, "status") != 0 && strcmp(member->string, "bankAccounts") != 0)
            return refuse_unknown(reading, member->string);
    }
    body->authorisation_id = json_text(document, "authorisationId");
    if (!body->authorisation_id || !uuid_is_valid(body->authorisation_id))
        return refuse_member(reading, "authorisationId", "must be a UUID");
    return read_status(reading, json_text(document, "status")) &&
           read_accounts(reading, json_member(document, "bankAccounts"));
}

enum refusal completion_body_read(const char *bytes, size_t length, struct completion_body *body,
                                  char detail[COMPLETION_BODY_DETAIL_SIZE])
{
    struct reading reading = {.body = body, .detail = detail};
    memset(body, 0, sizeof *body);
    body->document = json_parse(bytes, length);
    if (!body->document)
        return REFUSAL_BODY_MALFORMED;
    if (read_document(&reading))
        return REFUSAL_NONE;
    completion_body_clear(body);
    return REFUSAL_RESULT_MALFORMED;
}

void completion_body_clear(struct completion_body *body)
{
    cJSON_Delete(body->document);
    body->document = NULL;
    body->account_count = 0;
}

static int compare_accounts(const void *a, const void *b)
{
    const struct account *one = a;
    const struct account *other = b;
    return strcmp(one->external_id, other->external_id);
}

/* An array of status and members, so that no two different results have the same text. */
static cJSON *make_canonical(const struct completion_body *body)
{
    struct account sorted[COMPLETION_BODY_ACCOUNTS_MAX];
    memcpy(sorted, body->accounts, sizeof sorted);
    qsort(sorted, body->account_count, sizeof sorted[0], compare_accounts);
    cJSON *canonical = cJSON_CreateArray();
    bool made =
        canonical && cJSON_AddItemToArray(canonical, cJSON_CreateString(ending_word(body->ending)));
    for (size_t i = 0; made && i < body->account_count; i++)
        for (size_t j = 0; made && j < ACCOUNT_MEMBERS; j++)
            made = cJSON_AddItemToArray(canonical, cJSON_CreateString(*text_of(&sorted[i], j)));
    if (made)
        return canonical;
    cJSON_Delete(canonical);
    return NULL;
}

bool completion_body_digest(const struct completion_body *body, char digest[DIGEST_TEXT])
{
    _cleanup_(cleanup_json) cJSON *canonical = make_canonical(body);
    _cleanup_(cleanup_free) char *text = canonical ? cJSON_PrintUnformatted(canonical) : NULL;
    return text && digest_text(text, strlen(text), digest);
}
