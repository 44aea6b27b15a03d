/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_SANDBOX_H
#define FEEDGATE_SANDBOX_SANDBOX_H

#include "sandbox/http/connector.h"
#include "sandbox/http/http.h"
#include "sandbox/product/ledger.h"
#include "sandbox/sage/faults.h"
#include "sandbox/sage/results.h"
#include "sandbox/sage/sage_id.h"

/* What all handlers share; each part guards itself against several threads. */
struct sandbox {
    char issuer[64];     /* http://localhost:PORT/ */
    const char *api_key; /* what x-api-key must be */
    struct sage_id *sage_id;
    struct connector *connector;
    struct results *results;
    struct faults *faults;
    struct ledger *ledger;
};

/* The bank that stands in a notification when none was asked for. */
#define SANDBOX_BANK "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* Sage ID: sage/identity.c */
route_handler serve_key_set, issue_token, rotate_keys, make_token;

/* Sage Banking Service: banking/banking.c */
route_handler send_notification, open_authorisation, list_accounts, link_account;

/* The Provider API: banking/provider_api.c; what it saw, and trouble: sage/control.c */
route_handler receive_result, show_results, show_faults, set_fault;

/* A product of Sage's: the start, the way to the bank and back, more accounts. */
route_handler show_product, serve_style, connect_bank, reauthorise,
    disconnect;                                           /* product/product.c */
route_handler show_window;                                /* product/window.c */
route_handler take_return, show_connection, pick_account; /* product/return.c */
route_handler show_candidates, link_candidates;           /* product/candidates.c */

/* ---- what Sage tells the connector: banking/events.c --------------------------- */

/* The body of an authorisation-created notification as a JSON document, or NULL. */
cJSON *authorisation_created(const char *authorisation_id, const char *bank_id);

/* Any other event, in the form of bankAccount created or deleted. */
struct resource_event {
    const char *type;          /* "resourceCreated" */
    const char *resource_type; /* "bankAccount" */
    const char *id;
    const char *external_id; /* NULL: without */
    const char *start_date;  /* NULL: without */
    const char *bank_id;
};
cJSON *resource_event(const struct resource_event *event); /* the caller's, or NULL */

/* Posts the body to /notification with all that Sage sends. As connector_call. */
void post_notification(struct sandbox *sandbox, const char *body, struct connector_answer *answer);

bool answer_is_good(const struct connector_answer *answer); /* 2xx */

/*
 * Remembers the authorisation, and announces it. True if the connector took it;
 * the answer is to be cleared in any case.
 */
bool announce(struct sandbox *sandbox, const struct authorisation *authorisation,
              struct connector_answer *answer);

/*
 * Makes a bank account of Sage's out of one that the connector named (with all
 * of a PATCH's or a candidate's members, or its externalId alone), and tells the
 * connector. True, and the account is in the ledger, if it took that; the answer
 * is to be cleared in any case. start_date: "2026-01-31", or NULL for today.
 */
bool create_account(struct sandbox *sandbox, const cJSON *named, const char *id,
                    const char *start_date, struct connector_answer *answer);

/* "2026-01-31" */
bool is_date(const char *text);

/* Takes the account out of the ledger if the connector took the news. As above. */
bool delete_account(struct sandbox *sandbox, const cJSON *account, struct connector_answer *answer);

/* GETs /availableaccounts as Sage does; the answer is to be cleared. */
void fetch_candidates(struct sandbox *sandbox, const char *external_id,
                      struct connector_answer *answer);

/* One opening of /auth or /authrefresh, as Sage asks for it. */
struct opening {
    bool is_refresh;
    const char *authorisation_id;
    const char *bank_id;      /* /auth */
    const char *bank_account; /* /authrefresh */
    const char *external_id;  /* /authrefresh */
    const char *redirect_uri; /* NULL: the product's own /return */
    const char *state;
};

/* The path with its query, owned by the caller; NULL if there is no memory. */
char *opening_path(const struct sandbox *sandbox, const struct opening *opening);

/* The same for an authorisation that the product opens. */
char *authorisation_path(const struct sandbox *sandbox, const struct authorisation *authorisation);

#endif
