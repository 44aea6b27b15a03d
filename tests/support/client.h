/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_CLIENT_H
#define FEEDGATE_TEST_CLIENT_H

#include "base/refusal.h"

#include <stdbool.h>
#include <stddef.h>

/* Sage's side of every conversation, well and badly behaved. */

enum { HEADERS_MAX = 12 };

/* The bank that notifications name unless a test says otherwise. */
extern const char BANK[];

/* Where customers are sent back to, unless a test says otherwise. */
extern const char REDIRECT_URI[];

struct request {
    const char *method; /* NULL: GET, or POST with a body */
    const char *path;   /* with the query, sent as it is */
    const char *base;   /* NULL: the server in use */
    const char *headers[HEADERS_MAX];
    const char *body; /* NULL: none */
    size_t body_length;
    bool gated; /* it goes to an endpoint that gates an application */
};

struct response {
    const char *endpoint; /* "auth" */
    const char *method;
    int status;          /* 0: no answer came */
    const char *headers; /* the lines as they came */
    const char *body;
    size_t body_length;
    size_t log_mark; /* where the log ended before the request */
    bool gated;
};

struct response http_send(const struct request *request);

/*
 * Sends them all, at most `parallel` at the same moment, each on a connection
 * of its own. After each answer, `answered` is called (NULL: nothing is) with
 * the number of answers so far.
 */
void http_send_all(const struct request *requests, struct response *responses, size_t count,
                   size_t parallel, void (*answered)(size_t so_far));

/* A header's value (of its first line); NULL if it didn't come. */
const char *response_header(const struct response *response, const char *name);

/* ---- POST /notification -------------------------------------------------- */

struct notification {
    char usual;       /* so that an initialiser may be empty otherwise */
    const char *id;   /* of the authorisation; NULL: a new one */
    const char *bank; /* NULL: BANK */
    const char *body; /* in place of an authorisation's announcement */
    size_t body_length;
    const char *token; /* NULL: a good one */
    /* whole values of headers; NULL: as it should be, OMIT: not sent */
    const char *authorization;
    const char *key;
    const char *media_type;
    const char *method;
    const char *headers[4]; /* further ones */
};
struct request notification_request(const struct notification *notification);
struct response notification_send(const struct notification *notification);
#define NOTIFICATION(...) notification_request(&(struct notification){.usual = 0, __VA_ARGS__})
#define NOTIFY(...) notification_send(&(struct notification){.usual = 0, __VA_ARGS__})

/* Announces an authorisation, and makes sure that it is armed. */
void arm(const char *authorisation_id);

/* The announcements of Sage's that aren't an authorisation's. */
const char *account_created(const char *bank_account_id, const char *external_id);
const char *account_deleted(const char *bank_account_id, const char *external_id);
const char *authorisation_created(const char *authorisation_id, const char *bank_id);

/* ---- GET /auth and /authrefresh ------------------------------------------ */

struct opening {
    char usual;
    const char *endpoint; /* NULL: "auth" */
    const char *id;       /* NULL: one that nobody announced */
    /* values of the other parameters; NULL: a good one, OMIT: left out */
    const char *bank; /* /authrefresh calls it bankaccount */
    const char *redirect_uri;
    const char *state;
    const char *external_id; /* only for /authrefresh */
    /* one parameter may be sent as `raw`, in which `*` is "name=its good value" */
    const char *changed;
    const char *raw;
    const char *query;      /* the whole query in place of all that */
    const char *more_query; /* behind it: "&a=b" */
    const char *method;
    const char *headers[4];
};
struct request opening_request(const struct opening *opening);
struct response opening_send(const struct opening *opening);
#define OPENING(...) opening_request(&(struct opening){.usual = 0, __VA_ARGS__})
#define OPEN(...) opening_send(&(struct opening){.usual = 0, __VA_ARGS__})

/* ---- GET /availableaccounts ---------------------------------------------- */

struct listing {
    char usual;
    const char *external_id; /* NULL: one that nobody imported */
    const char *query;       /* in place of externalId=... */
    const char *token;
    const char *key; /* of the header; NULL, OMIT: not sent */
    const char *authorization;
    const char *method;
    const char *headers[4];
};
struct request listing_request(const struct listing *listing);
struct response listing_send(const struct listing *listing);
#define LISTING(...) listing_request(&(struct listing){.usual = 0, __VA_ARGS__})
#define LIST(...) listing_send(&(struct listing){.usual = 0, __VA_ARGS__})

/* ---- judging answers ------------------------------------------------------ */

/*
 * A refusal is right in all its parts: the status, the public answer and
 * nothing else in the body, the headers that belong to it, and the word in the
 * log. EXPECT_REFUSED(response, REFUSAL_SESSION_USED).
 */
#define EXPECT_REFUSED(response, refusal) expect_refused(__FILE__, __LINE__, response, refusal)
void expect_refused(const char *file, int line, struct response response, enum refusal refusal);

/* An accepted notification, and what the log says came of it: "armed". */
#define EXPECT_RECORDED(response, outcome) expect_recorded(__FILE__, __LINE__, response, outcome)
void expect_recorded(const char *file, int line, struct response response, const char *outcome);

/* The customer's page came, and the log says that this session was opened. */
#define EXPECT_OPENED(response, id) expect_opened(__FILE__, __LINE__, response, id)
void expect_opened(const char *file, int line, struct response response, const char *id);

#define EXPECT_STATUS(response, expected) expect_status(__FILE__, __LINE__, response, expected)
void expect_status(const char *file, int line, struct response response, int status);

/* Both answers are the same, body and headers, so that nobody can tell why. */
#define EXPECT_SAME_ANSWER(a, b) expect_same_answer(__FILE__, __LINE__, a, b)
void expect_same_answer(const char *file, int line, struct response a, struct response b);

#endif
