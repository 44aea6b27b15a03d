/* SPDX-License-Identifier: MIT */
#include "issuer_time.h"

#include "base/clock.h"
#include "key_document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { AGE_MAX_S = 24 * 60 * 60 };

static bool read_age(const char *age, int64_t *age_s)
{
    char *end = NULL;
    *age_s = 0;
    if (age[0] == '\0')
        return true;
    errno = 0;
    long long value = strtoll(age, &end, 10);
    *age_s = value;
    return errno == 0 && *end == '\0' && value >= 0 && value <= AGE_MAX_S;
}

bool issuer_time_read(const char *date, const char *age, int64_t *time_ms)
{
    struct tm parts = {0};
    int64_t age_s;
    const char *end = strptime(date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
    if (!end || *end != '\0' || !read_age(age, &age_s))
        return false;
    int64_t seconds = (int64_t)timegm(&parts);
    *time_ms = (seconds + age_s) * SECOND_MS;
    return seconds > 0;
}

bool issuer_time_ask(const struct config *config, const atomic_bool *cancel, int64_t *time_ms,
                     char error[FETCH_ERROR_MAX])
{
    struct fetch_header wanted[] = {{.name = "Date"}, {.name = "Age"}, {.name = NULL}};
    const struct fetch fetch = {
        .url = config->sage.jwks_url,
        .wanted = wanted,
        .ca_file = config->network.ca_file,
        .proxy = config->network.proxy,
        .limit = KEY_DOCUMENT_MAX,
        .cancel = cancel,
    };
    struct fetch_answer answer;
    if (!fetch_call(&fetch, &answer, error))
        return false;
    fetch_answer_clear(&answer);
    if (issuer_time_read(wanted[0].value, wanted[1].value, time_ms))
        return true;
    (void)snprintf(error, FETCH_ERROR_MAX, "the answer has no good Date");
    return false;
}
