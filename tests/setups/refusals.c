/* SPDX-License-Identifier: MIT */
#include "setups.h"

#include <stdlib.h>
#include <string.h>

/*
 * Every refusal of common/base/refusal.h, provoked through the web server, and judged:
 * status, media type, title and advice, headers, the word in the log, and the
 * same bytes for all reasons of one public answer.
 */

const char *not_from_outside(enum refusal refusal)
{
    if (refusal == REFUSAL_BODY_INCOMPLETE)
        return "a body that breaks off is dropped by the web server, or its sender has gone and "
               "gets no answer (tests/rules: a_short_body_records_nothing)";
    if (refusal == REFUSAL_TOKEN_REPEATED && server_is("nginx"))
        return "nginx itself refuses an Authorization that comes twice, with 400";
    return NULL;
}

/* The first body of each public answer, as a page and as a problem. */
static struct answer {
    enum refusal refusal;
    char *body;
} answers[ANSWER_COUNT][2];

/* These say on purpose what is wrong, or lead on from where the customer is. */
static bool is_individual(enum refusal refusal)
{
    switch (refusal_answer(refusal)) {
    case ANSWER_CODE_NOT_ACCEPTED:
    case ANSWER_JOURNEY_OVER:
    case ANSWER_JOURNEY_ENDED:
        return true;
    default:
        return refusal == REFUSAL_RESULT_MALFORMED || refusal == REFUSAL_CUSTOMER_MALFORMED;
    }
}

void expect_public_answer(const struct response *response, enum refusal refusal)
{
    bool page = strncmp(response->endpoint, "auth", 4) == 0;
    struct answer *first = &answers[refusal_answer(refusal)][page];
    if (is_individual(refusal))
        return;
    if (first->body == NULL) {
        first->refusal = refusal;
        first->body = strdup(response->body); /* lives to the end of the program */
        return;
    }
    EXPECT(strcmp(first->body, response->body) == 0,
           "not the bytes of %s, which are:\n%s\nbut:\n%s", refusal_word(first->refusal),
           first->body, response->body);
}

/* White space is missing at the end, so what arrives is a good event, only not all of it. */
static void break_off(void)
{
    const char *id = new_uuid();
    const char *body = scratch_format("%s   ", authorisation_created(id, BANK));
    struct request request = NOTIFICATION(.body = body);
    int wire = wire_connect_http();
    const char *head = scratch_format("POST /notification HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                                      "Content-Length: %zu\r\n",
                                      strlen(body));
    for (size_t i = 0; i < HEADERS_MAX && request.headers[i] != NULL; i++)
        head = scratch_format("%s%s\r\n", head, request.headers[i]);
    head = scratch_format("%s\r\n%.*s", head, (int)strlen(body) - 1, body);
    EXPECT(wire_send(wire, head, strlen(head)), "%s", "it isn't taken");
    wire_end_sending(wire);
    size_t length;
    const char *answer = wire_read_all(wire, &length);
    EXPECT(strstr(answer, " 200 ") == NULL, "it is taken:\n%s", answer);
    EXPECT_NUMBER(events_of(id), 0);
}

START_TEST(each_refusal_is_answered_as_its_table_says)
{
    enum refusal refusal = (enum refusal)(REFUSAL_NONE + 1 + _i);
    row_begin(refusal_word(refusal));
    if (refusal == REFUSAL_BODY_INCOMPLETE)
        break_off();
    if (not_from_outside(refusal) != NULL) {
        row_left_to_server(not_from_outside(refusal));
        return;
    }
    struct response response = provoke(refusal, NULL);
    row_status(response.status);
    if (refusal == REFUSAL_STORE_FAILED && strcmp(server_set_up(), "apache-cgi") == 0) {
        EXPECT_NUMBER(response.status, 503);
        AWAIT(LOG_COUNT(response.log_mark, "event", "not_started") == 1, "%s", "no word why");
        row_left_to_server("a process that can't open the store answers 503 and logs not_started");
        return;
    }
    if (is_individual(refusal) && strncmp(response.endpoint, "auth", 4) == 0)
        EXPECT_STEP_REFUSED(response, refusal);
    else
        EXPECT_REFUSED(response, refusal);
    expect_public_answer(&response, refusal);
    row_passed();
}
END_TEST

Suite *refusal_rows(void)
{
    Suite *suite = suite_create("refusals");
    ADD_ROWS(suite, each_refusal_is_answered_as_its_table_says, REFUSAL_COUNT - REFUSAL_NONE - 1);
    return suite;
}
