/* SPDX-License-Identifier: MIT */
#include "results.h"

#include "base/cleanup.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct results {
    pthread_mutex_t mutex; /* for all below */
    size_t announced;      /* in all: the next one's place is this modulo the maximum */
    struct authorisation kept[AUTHORISATIONS_MAX];
};

void authorisation_clear(struct authorisation *authorisation)
{
    free(authorisation->first_body);
    free(authorisation->result_body);
    *authorisation = (struct authorisation){0};
}

struct results *results_new(void)
{
    struct results *results = calloc(1, sizeof(*results));
    if (results != NULL)
        (void)pthread_mutex_init(&results->mutex, NULL); /* can't fail without attributes */
    return results;
}

void results_free(struct results *results)
{
    if (results == NULL)
        return;
    for (size_t i = 0; i < AUTHORISATIONS_MAX; i++)
        authorisation_clear(&results->kept[i]);
    (void)pthread_mutex_destroy(&results->mutex);
    free(results);
}

static void lock(struct results *results)
{
    (void)pthread_mutex_lock(&results->mutex);
}

static void unlock(struct results *results)
{
    (void)pthread_mutex_unlock(&results->mutex);
}

/* The number-th newest one, or NULL; with the lock. */
static struct authorisation *newest(struct results *results, size_t number)
{
    if (number >= results->announced || number >= AUTHORISATIONS_MAX)
        return NULL;
    return &results->kept[(results->announced - 1 - number) % AUTHORISATIONS_MAX];
}

static struct authorisation *find(struct results *results, const char *id)
{
    struct authorisation *found = NULL;
    for (size_t i = 0; (found = newest(results, i)) != NULL; i++) {
        if (strcmp(found->id, id) == 0)
            break;
    }
    return found;
}

static bool copy(const struct authorisation *from, struct authorisation *to)
{
    *to = *from;
    to->first_body = from->first_body == NULL ? NULL : strdup(from->first_body);
    to->result_body = from->result_body == NULL ? NULL : strdup(from->result_body);
    if ((from->first_body == NULL) == (to->first_body == NULL) &&
        (from->result_body == NULL) == (to->result_body == NULL))
        return true;
    authorisation_clear(to);
    return false;
}

void results_announce(struct results *results, const struct authorisation *authorisation)
{
    lock(results);
    if (find(results, authorisation->id) == NULL) {
        struct authorisation *place = &results->kept[results->announced % AUTHORISATIONS_MAX];
        authorisation_clear(place);
        *place = *authorisation;
        place->identical = true;
        results->announced++;
    }
    unlock(results);
}

void results_open(struct results *results, const char *id, enum flow flow, const char *state)
{
    if (strlen(state) >= AUTHORISATION_ID_SIZE)
        return;
    lock(results);
    struct authorisation *found = find(results, id);
    if (found != NULL) {
        found->flow = flow;
        memcpy(found->state, state, strlen(state) + 1);
    }
    unlock(results);
}

bool results_find(struct results *results, const char *id, struct authorisation *found)
{
    lock(results);
    const struct authorisation *kept = find(results, id);
    bool copied = kept != NULL && copy(kept, found);
    unlock(results);
    return copied;
}

bool results_return(struct results *results, const char *state, struct authorisation *found)
{
    struct authorisation *kept = NULL;
    lock(results);
    for (size_t i = 0; (kept = newest(results, i)) != NULL; i++) {
        if (kept->state[0] != '\0' && strcmp(kept->state, state) == 0)
            break;
    }
    if (kept != NULL)
        kept->returns++;
    bool copied = kept != NULL && copy(kept, found);
    unlock(results);
    return copied;
}

enum settlement results_settle(struct results *results, const char *id, enum outcome outcome,
                               const char *body)
{
    enum settlement settlement = SETTLEMENT_UNKNOWN;
    char *kept_body = strdup(body);
    lock(results);
    struct authorisation *found = kept_body == NULL ? NULL : find(results, id);
    if (found != NULL && found->result_body == NULL) {
        found->result_body = kept_body;
        found->outcome = outcome;
        kept_body = NULL;
        settlement = SETTLED;
    } else if (found != NULL && strcmp(found->result_body, body) == 0) {
        found->repeats++;
        settlement = SETTLED_BEFORE;
    } else if (found != NULL) {
        found->conflicts++;
        settlement = SETTLED_OTHERWISE;
    }
    unlock(results);
    free(kept_body);
    return settlement;
}

static int64_t now_ms(void)
{
    struct timespec now = {0};
    (void)clock_gettime(CLOCK_REALTIME, &now); /* this clock is always there */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void results_note(struct results *results, const char *id, const char *body, unsigned int status)
{
    char *kept_body = strdup(body);
    lock(results);
    struct authorisation *found = find(results, id);
    if (found != NULL) {
        if (found->requests < ATTEMPTS_MAX)
            found->attempts[found->requests] =
                (struct attempt){.at_ms = now_ms(), .status = status};
        found->requests++;
        if (found->first_body == NULL) {
            found->first_body = kept_body;
            kept_body = NULL;
        } else if (strcmp(found->first_body, body) != 0) {
            found->identical = false;
        }
    }
    unlock(results);
    free(kept_body);
}

cJSON *result_accounts(const char *body)
{
    _cleanup_(cleanup_json) cJSON *document = body == NULL ? NULL : cJSON_Parse(body);
    cJSON *data = cJSON_GetObjectItemCaseSensitive(document, "data");
    return cJSON_DetachItemFromObjectCaseSensitive(data, "bankAccounts");
}

static cJSON *account_in(const char *body, const char *external_id)
{
    _cleanup_(cleanup_json) cJSON *accounts = result_accounts(body);
    cJSON *account = NULL;
    cJSON_ArrayForEach(account, accounts)
    {
        const cJSON *id = cJSON_GetObjectItemCaseSensitive(account, "bankAccountExternalId");
        if (cJSON_IsString(id) && strcmp(id->valuestring, external_id) == 0)
            return cJSON_DetachItemViaPointer(accounts, account);
    }
    return NULL;
}

cJSON *results_find_account(struct results *results, const char *external_id)
{
    cJSON *account = NULL;
    const struct authorisation *kept = NULL;
    lock(results);
    for (size_t i = 0; account == NULL && (kept = newest(results, i)) != NULL; i++)
        account = account_in(kept->result_body, external_id);
    unlock(results);
    return account;
}

static bool add_attempts(cJSON *told, const struct authorisation *authorisation)
{
    cJSON *attempts = cJSON_AddArrayToObject(told, "attempts");
    for (size_t i = 0; i < authorisation->requests && i < ATTEMPTS_MAX; i++) {
        const struct attempt *attempt = &authorisation->attempts[i];
        cJSON *entry = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(attempts, entry)) {
            cJSON_Delete(entry);
            return false;
        }
        if (cJSON_AddNumberToObject(entry, "at", (double)attempt->at_ms) == NULL ||
            cJSON_AddNumberToObject(entry, "status", attempt->status) == NULL)
            return false;
    }
    return attempts != NULL;
}

static bool add_accounts(cJSON *told, const struct authorisation *authorisation)
{
    cJSON *accounts = result_accounts(authorisation->result_body);
    if (accounts == NULL)
        accounts = cJSON_CreateArray();
    if (cJSON_AddItemToObject(told, "accounts", accounts))
        return true;
    cJSON_Delete(accounts);
    return false;
}

static bool add_text(cJSON *told, const char *name, const char *text)
{
    return (text == NULL ? cJSON_AddNullToObject(told, name)
                         : cJSON_AddStringToObject(told, name, text)) != NULL;
}

/* Only what has a bound of its own is copied; the bodies are printed at once. */
static cJSON *tell(const struct authorisation *authorisation)
{
    static const char *const words[] = {
        [OUTCOME_PENDING] = "pending",
        [OUTCOME_SUCCESS] = "success",
        [OUTCOME_CANCELLED] = "cancelled",
        [OUTCOME_ERROR] = "error",
    };
    const char *flow = authorisation->flow == FLOW_REFRESH ? "authrefresh" : "auth";
    _cleanup_(cleanup_json) cJSON *told = cJSON_CreateObject();
    if (!add_text(told, "authorisationId", authorisation->id) || !add_text(told, "flow", flow) ||
        !add_text(told, "status", words[authorisation->outcome]) ||
        !add_accounts(told, authorisation) ||
        cJSON_AddNumberToObject(told, "requests", authorisation->requests) == NULL ||
        cJSON_AddNumberToObject(told, "repeats", authorisation->repeats) == NULL ||
        cJSON_AddNumberToObject(told, "conflicts", authorisation->conflicts) == NULL ||
        cJSON_AddBoolToObject(told, "identical", authorisation->identical) == NULL ||
        cJSON_AddNumberToObject(told, "returns", authorisation->returns) == NULL ||
        !add_text(told, "body", authorisation->first_body) || !add_attempts(told, authorisation))
        return NULL;
    cJSON *done = told;
    told = NULL;
    return done;
}

cJSON *results_tell(struct results *results, const char *id)
{
    _cleanup_(authorisation_clear) struct authorisation found = {0};
    return results_find(results, id, &found) ? tell(&found) : NULL;
}

cJSON *results_tell_newest(struct results *results, size_t limit)
{
    cJSON *all = cJSON_CreateArray();
    const struct authorisation *kept = NULL;
    lock(results);
    for (size_t i = 0; i < limit && (kept = newest(results, i)) != NULL; i++) {
        cJSON *told = tell(kept);
        if (cJSON_AddItemToArray(all, told))
            continue;
        cJSON_Delete(told);
        cJSON_Delete(all);
        all = NULL;
        break;
    }
    unlock(results);
    return all;
}
