/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_SAGE_RESULTS_H
#define FEEDGATE_SANDBOX_SAGE_RESULTS_H

#include "sandbox/http/text.h"

#include <cjson/cJSON.h>
#include <stdint.h>

/*
 * The authorisations that this Sage has announced, the newest ones, and what
 * the connector told about each. All of it may be used by several threads at
 * once; what is handed out is a copy.
 */

enum {
    AUTHORISATIONS_MAX = 256, /* the oldest makes room for the next */
    AUTHORISATION_ID_SIZE = 65,
    EXTERNAL_ID_SIZE = 257,
    ATTEMPTS_MAX = 16 /* PATCHes that are told one by one; all are counted */
};

enum flow { FLOW_ONBOARDING, FLOW_REFRESH };

/* How the product shows the connector's page. */
enum showing {
    SHOWING_TAB,   /* the browser is sent there */
    SHOWING_FRAME, /* in an iframe of the product's page */
    SHOWING_BODY,  /* fetched by the server, inside the body of the product's page */
    SHOWING_FORM   /* the same, inside a form of the product's */
};

enum outcome { OUTCOME_PENDING, OUTCOME_SUCCESS, OUTCOME_CANCELLED, OUTCOME_ERROR };

struct attempt {
    int64_t at_ms;       /* since 1970 */
    unsigned int status; /* what it was answered with; 0: nothing, the connection was cut */
};

struct authorisation {
    char id[AUTHORISATION_ID_SIZE];
    char state[AUTHORISATION_ID_SIZE];  /* "": not opened through the sandbox */
    char external_id[EXTERNAL_ID_SIZE]; /* of the account to re-authorise, or "" */
    char bank_account[UUID_SIZE];       /* Sage's id of that account, or "" */
    enum flow flow;                     /* which body a success must have */
    enum showing showing;
    enum outcome outcome;
    unsigned int requests;  /* PATCHes that named it, whatever came of them */
    unsigned int repeats;   /* of the accepted body, byte for byte */
    unsigned int conflicts; /* other good bodies after the accepted one */
    unsigned int returns;   /* browsers that came back with its state */
    bool identical;         /* all bodies were the same, those that met a fault included */
    struct attempt attempts[ATTEMPTS_MAX];
    char *first_body;  /* of the first PATCH; NULL: none came */
    char *result_body; /* the accepted one; NULL: pending */
};

/* Gives back the bodies of a copy; made for _cleanup_. */
void authorisation_clear(struct authorisation *authorisation);

struct results;
struct results *results_new(void);
void results_free(struct results *results);

/*
 * Takes an authorisation in, from its id, state, external_id, bank_account, flow
 * and showing. One that is there already stays as it is.
 */
void results_announce(struct results *results, const struct authorisation *authorisation);

/* What became known when it was opened; nothing happens if it is unknown or a text too long. */
void results_open(struct results *results, const char *id, enum flow flow, const char *state);

/* Copies it out, to be cleared; false if it is unknown or there is no memory. */
bool results_find(struct results *results, const char *id, struct authorisation *found);

/* Counts a browser that came back, and copies it out, as results_find. */
bool results_return(struct results *results, const char *state, struct authorisation *found);

enum settlement { SETTLED, SETTLED_BEFORE, SETTLED_OTHERWISE, SETTLEMENT_UNKNOWN };

/* The first result stays; the same body again changes nothing, another one is a conflict. */
enum settlement results_settle(struct results *results, const char *id, enum outcome outcome,
                               const char *body);

/* Notes how a PATCH was answered, 0 for not at all. Nothing happens if the id is unknown. */
void results_note(struct results *results, const char *id, const char *body, unsigned int status);

/* The authorisation as GET /sandbox/results tells it; the caller's, or NULL. */
cJSON *results_tell(struct results *results, const char *id);

/* The newest ones, the newest first; the caller's, or NULL. */
cJSON *results_tell_newest(struct results *results, size_t limit);

/* The account of this externalId as the newest PATCH that names it has it; the caller's, or NULL.
 */
cJSON *results_find_account(struct results *results, const char *external_id);

/* The accounts of an accepted body; the caller's, NULL if there are none. */
cJSON *result_accounts(const char *body);

#endif
