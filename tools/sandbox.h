/* SPDX-License-Identifier: MIT */
#ifndef SANDBOX_H
#define SANDBOX_H

#include "sandbox_connector.h"
#include "sandbox_http.h"
#include "sandbox_sage_id.h"

/* What all handlers share. Nothing in it changes but the keys of Sage ID. */
struct sandbox {
    char issuer[64]; /* http://localhost:PORT/ */
    struct sage_id *sage_id;
    struct connector *connector;
};

/* The bank that stands in a notification when none was asked for. */
#define SANDBOX_BANK "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"

/* Sage ID: sandbox_identity.c */
route_handler serve_key_set, issue_token, rotate_keys, make_token;

/* Sage Banking Service: sandbox_banking.c */
route_handler send_notification, open_authorisation, list_accounts;

/* A product of Sage's: sandbox_product.c */
route_handler show_product, connect_bank, show_return, serve_style;

/* The body of an authorisation-created notification as a JSON document, or NULL. */
cJSON *authorisation_created(const char *authorisation_id, const char *bank_id);

/* Posts the body to /notification with all that Sage sends. As connector_call. */
void post_notification(struct sandbox *sandbox, const char *body, struct connector_answer *answer);

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

#endif
