/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "sandbox/sandbox.h"

#include <stdlib.h>
#include <string.h>

/* What a test asks: what the Provider API was told, and trouble for its next callers. */

enum { RESULTS_LISTED = 100 };

void show_results(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    const char *id = form_value(&request->fields, "authorisationId");
    if (id == NULL) {
        _cleanup_(cleanup_json) cJSON *document = cJSON_CreateObject();
        cJSON *all = results_tell_newest(sandbox->results, RESULTS_LISTED);
        if (!cJSON_AddItemToObject(document, "results", all)) {
            cJSON_Delete(all);
            return;
        }
        reply_json(reply, 200, document);
        document = NULL;
        return;
    }
    cJSON *told = results_tell(sandbox->results, id);
    if (told == NULL) {
        reply_error(reply, 404, "not_found", "this authorisation was never announced");
        return;
    }
    reply_json(reply, 200, told);
}

static bool add_fault(cJSON *document, const char *name, const struct fault *fault)
{
    cJSON *entry = cJSON_AddObjectToObject(document, name);
    return cJSON_AddStringToObject(entry, "kind", fault_word(fault->kind)) != NULL &&
           cJSON_AddNumberToObject(entry, "times", fault->times) != NULL;
}

void show_faults(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    (void)request;
    const struct fault patch = faults_get(sandbox->faults, FAULT_PATCH);
    const struct fault token = faults_get(sandbox->faults, FAULT_TOKEN);
    _cleanup_(cleanup_json) cJSON *document = cJSON_CreateObject();
    if (!add_fault(document, "patch", &patch) || !add_fault(document, "token", &token) ||
        cJSON_AddNumberToObject(document, "waiting", faults_waiting(sandbox->faults)) == NULL)
        return;
    reply_json(reply, 200, document);
    document = NULL;
}

/* A number from `least` to `most`; a field that is missing is `usual`. */
static bool read_number(const struct form *fields, const char *name, unsigned int usual,
                        unsigned int least, unsigned int most, unsigned int *number)
{
    const char *value = form_value(fields, name);
    *number = usual;
    if (value == NULL)
        return true;
    size_t size = strlen(value);
    if (size > 6 || strspn(value, "0123456789") != size)
        return false;
    *number = (unsigned int)strtoul(value, NULL, 10); /* six digits can't overflow */
    return *number >= least && *number <= most;
}

/* NULL, or what is wrong. */
static const char *read_fault(const struct form *fields, enum fault_target *target,
                              struct fault *fault)
{
    const char *aim = form_value_or(fields, "target", "patch");
    if (strcmp(aim, "patch") != 0 && strcmp(aim, "token") != 0)
        return "target is patch or token";
    *target = strcmp(aim, "token") == 0 ? FAULT_TOKEN : FAULT_PATCH;
    if (!fault_parse(form_value_or(fields, "kind", ""), &fault->kind))
        return "kind is none, status, stall, slow, cut or cut-after";
    if (!read_number(fields, "times", 1, 1, FAULT_TIMES_MAX, &fault->times))
        return "times is a number from 1 to 100000";
    if (!read_number(fields, "status", 500, 200, 599, &fault->status))
        return "status is a number from 200 to 599";
    if (!read_number(fields, "retryAfter", 0, 0, 86400, &fault->retry_after))
        return "retryAfter is a number of seconds, 86400 at most";
    if (!read_number(fields, "milliseconds", FAULT_MILLISECONDS_MAX, 1, FAULT_MILLISECONDS_MAX,
                     &fault->milliseconds))
        return "milliseconds is a number from 1 to 120000";
    return NULL;
}

void set_fault(struct sandbox *sandbox, const struct request *request, struct reply *reply)
{
    enum fault_target target = FAULT_PATCH;
    struct fault fault = {0};
    const char *wrong = read_fault(&request->fields, &target, &fault);
    if (wrong != NULL) {
        reply_error(reply, 400, "invalid_request", wrong);
        return;
    }
    if (fault.kind == FAULT_NONE)
        faults_clear(sandbox->faults);
    else
        faults_set(sandbox->faults, target, &fault);
    show_faults(sandbox, request, reply);
}
