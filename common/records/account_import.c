/* SPDX-License-Identifier: MIT */
#include "account_import_private.h"

#include "account_text.h"
#include "base/json.h"
#include "base/utf8.h"
#include "base/uuid.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { QUOTED_MAX = 64, QUOTED_SIZE = QUOTED_MAX + 4 };

/* A text of the file as it may stand in a line: cut, and without control characters. */
static const char *quote(const char *text, char quoted[QUOTED_SIZE])
{
    size_t length = strlen(text);
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t step = utf8_character(text + at, length - at);
        if (step == 0 || utf8_is_control(text + at)) {
            step = step == 0 ? 1 : step;
            quoted[used++] = '?';
        } else {
            memcpy(quoted + used, text + at, step);
            used += step;
        }
        at += step;
        if (used > QUOTED_MAX - 4 && at < length) {
            memcpy(quoted + used, "...", 3);
            used += 3;
            break;
        }
    }
    quoted[used] = '\0';
    return quoted;
}

/* Writes behind what stands in the error already; cut at worst. */
static void add(char *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void add(char *error, const char *format, ...)
{
    size_t used = strlen(error);
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(error + used, ACCOUNT_ERROR_MAX - used, format, arguments);
    va_end(arguments);
}

bool account_import_refuse(const struct import_place *place, const char *complaint)
{
    char quoted[QUOTED_SIZE];
    place->error[0] = '\0';
    if (place->customer_id)
        add(place->error, "customer \"%s\", ", quote(place->customer_id, quoted));
    else if (place->customer != 0)
        add(place->error, "customer %zu, ", place->customer);
    if (place->account != 0)
        add(place->error, "account %zu", place->account);
    if (place->account_name)
        add(place->error, " (\"%s\")", quote(place->account_name, quoted));
    if (place->account != 0)
        add(place->error, ", ");
    if (place->member)
        add(place->error, "member \"%s\": ", quote(place->member, quoted));
    add(place->error, "%s", complaint);
    return false;
}

struct import_place account_import_place(const struct import_customer *customer,
                                         const struct import_account *account, const char *member,
                                         char error[ACCOUNT_ERROR_MAX])
{
    return (struct import_place){
        .customer_id = customer->id,
        .account = account ? (size_t)(account - customer->accounts) + 1 : 0,
        .account_name = account ? account->account.account_name : NULL,
        .member = member,
        .error = error,
    };
}

static const char *judge_bank_account_id(const char *text)
{
    return uuid_is_valid(text) ? NULL : "must be a UUID, as Sage gives to a bank account";
}

static const char *judge_account_type(const char *text)
{
    static const char *const types[] = {"business",   "savings",   "loan",
                                        "creditCard", "corporate", "personal"};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
        if (strcmp(types[i], text) == 0)
            return NULL;
    return "must be one of business, savings, loan, creditCard, corporate, personal";
}

enum { ACCOUNT_MEMBERS = 7, ACCOUNT_REQUIRED = 5 };

/* The members of an account; the first ones are required. */
static const struct {
    const char *name;
    const char *(*judge)(const char *text);
} account_members[ACCOUNT_MEMBERS] = {
    {"accountType", judge_account_type},      {"accountName", account_text_judge},
    {"bankIdentifier", account_text_judge},   {"accountIdentifier", account_text_judge},
    {"branchIdentifier", account_text_judge}, {"externalId", account_text_judge_external_id},
    {"bankAccountId", judge_bank_account_id},
};

static int member_index(const char *name)
{
    for (int i = 0; i < ACCOUNT_MEMBERS; i++)
        if (strcmp(account_members[i].name, name) == 0)
            return i;
    return -1;
}

static bool read_member(struct import_place *place, const cJSON *member,
                        const char *texts[ACCOUNT_MEMBERS])
{
    place->member = member->string;
    int index = member_index(member->string);
    if (index < 0)
        return account_import_refuse(
            place, "is unknown; an account has accountType, accountName, "
                   "bankIdentifier, accountIdentifier, branchIdentifier and, optional, "
                   "externalId and bankAccountId");
    texts[index] = cJSON_GetStringValue(member);
    if (!texts[index])
        return account_import_refuse(place, "must be a text");
    const char *complaint = account_members[index].judge(texts[index]);
    return !complaint || account_import_refuse(place, complaint);
}

static void keep_account(struct import_account *kept, const char *texts[ACCOUNT_MEMBERS])
{
    kept->account = (struct account){
        .account_type = texts[0],
        .account_name = texts[1],
        .bank_identifier = texts[2],
        .account_identifier = texts[3],
        .branch_identifier = texts[4],
        .external_id = texts[5],
    };
    for (size_t i = 0; texts[6] && i < IMPORT_UUID_SIZE; i++)
        kept->bank_account_id[i] = (char)tolower((unsigned char)texts[6][i]);
}

static bool read_account(struct import_place *place, const cJSON *item, struct import_account *kept)
{
    const char *texts[ACCOUNT_MEMBERS] = {NULL};
    place->member = NULL;
    place->account_name = json_text(item, "accountName");
    if (!cJSON_IsObject(item))
        return account_import_refuse(place, "must be an object");
    const cJSON *member;
    cJSON_ArrayForEach(member, item)
    {
        if (!read_member(place, member, texts))
            return false;
    }
    for (size_t i = 0; i < ACCOUNT_REQUIRED; i++) {
        place->member = account_members[i].name;
        if (!texts[i])
            return account_import_refuse(place, "is missing");
    }
    keep_account(kept, texts);
    return true;
}

/* Whether an object has exactly the members `first` and `second` (which may be NULL). */
static bool has_members(struct import_place *place, const cJSON *object, const char *first,
                        const char *second)
{
    if (!cJSON_IsObject(object))
        return account_import_refuse(place, "must be an object");
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        if (strcmp(member->string, first) == 0 || (second && strcmp(member->string, second) == 0))
            continue;
        place->member = member->string;
        return account_import_refuse(place, "is unknown");
    }
    const char *const names[] = {first, second};
    for (size_t i = 0; i < 2 && names[i]; i++) {
        place->member = names[i];
        if (!json_member(object, names[i]))
            return account_import_refuse(place, "is missing");
    }
    place->member = NULL;
    return true;
}

static bool read_customer(struct import_place *place, const cJSON *item,
                          struct account_import *import)
{
    struct import_customer *kept = &import->customers[import->customer_count];
    kept->id = json_text(item, "id");
    place->customer_id = kept->id;
    if (!has_members(place, item, "id", "accounts"))
        return false;
    place->member = "id";
    const char *complaint = kept->id ? account_text_judge(kept->id) : "must be a text";
    if (complaint)
        return account_import_refuse(place, complaint);
    place->member = "accounts";
    const cJSON *accounts = json_member(item, "accounts");
    if (!cJSON_IsArray(accounts))
        return account_import_refuse(place, "must be an array");

    kept->accounts = import->accounts + import->account_count;
    const cJSON *account;
    cJSON_ArrayForEach(account, accounts)
    {
        place->account = kept->count + 1;
        if (!read_account(place, account, &kept->accounts[kept->count]))
            return false;
        kept->count++;
    }
    import->account_count += kept->count;
    import->customer_count++;
    return true;
}

/* Room for all that the document may hold; what isn't as it should be is found later. */
static bool make_room(struct account_import *import, const cJSON *customers)
{
    size_t customer_count = 0;
    size_t account_count = 0;
    const cJSON *customer;
    cJSON_ArrayForEach(customer, customers)
    {
        customer_count++;
        account_count += (size_t)cJSON_GetArraySize(json_member(customer, "accounts"));
    }
    import->customers = calloc(customer_count + 1, sizeof *import->customers);
    import->accounts = calloc(account_count + 1, sizeof *import->accounts);
    return import->customers && import->accounts;
}

static bool read_document(struct account_import *import, char error[ACCOUNT_ERROR_MAX])
{
    struct import_place top = {.error = error};
    if (!cJSON_IsObject(import->document))
        return account_import_refuse(&top, "the document must be an object");
    if (!has_members(&top, import->document, "customers", NULL))
        return false;
    const cJSON *customers = json_member(import->document, "customers");
    top.member = "customers";
    if (!cJSON_IsArray(customers))
        return account_import_refuse(&top, "must be an array");
    top.member = NULL;
    if (!make_room(import, customers))
        return account_import_refuse(&top, "memory is out");
    const cJSON *customer;
    cJSON_ArrayForEach(customer, customers)
    {
        struct import_place place = {.error = error, .customer = import->customer_count + 1};
        if (!read_customer(&place, customer, import))
            return false;
    }
    return true;
}

struct account_import *account_import_parse(const char *bytes, size_t length,
                                            char error[ACCOUNT_ERROR_MAX])
{
    struct import_place top = {.error = error};
    if (length > ACCOUNT_IMPORT_BYTES_MAX) {
        (void)account_import_refuse(&top, "the file must not have more than 64 MiB");
        return NULL;
    }
    struct account_import *import = calloc(1, sizeof *import);
    if (!import) {
        (void)account_import_refuse(&top, "memory is out");
        return NULL;
    }
    import->document = json_parse(bytes, length);
    if (!import->document)
        (void)account_import_refuse(
            &top, "the file must be one strict JSON document: valid UTF-8 without a byte order "
                  "mark, no control characters in texts, no member twice, nothing behind its end");
    else if (read_document(import, error) && account_import_nothing_twice(import, error))
        return import;
    account_import_free(import);
    return NULL;
}

void account_import_free(struct account_import *import)
{
    if (!import)
        return;
    cJSON_Delete(import->document);
    free(import->customers);
    free(import->accounts);
    free(import);
}
