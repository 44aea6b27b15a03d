/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "listing.h"
#include "records/account.h"
#include "records/inbox.h"
#include "records/outbox.h"
#include "records/session.h"
#include "sage/key_document.h"
#include "sage/key_set.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { NUMBER_SIZE = 24 };

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

/* A look at the database that fills a listing. */
struct list_query {
    struct call *call;
    struct listing listing;
};

static const char *digits(int64_t number, char text[NUMBER_SIZE])
{
    (void)snprintf(text, NUMBER_SIZE, "%" PRId64, number);
    return text;
}

static int list(struct call *call, store_piece *read, const struct column *columns, size_t count)
{
    struct list_query query = {.call = call};
    if (!operator_open(call))
        return EXIT_FAILURE;
    listing_begin(&query.listing, columns, count, call->json);
    enum store_result result = store_read(call->service.store, read, &query);
    if (result != STORE_DONE)
        query.listing.failed = true; /* then nothing is printed */
    if (listing_end(&query.listing))
        return EXIT_SUCCESS;
    return result != STORE_DONE ? fail_store(call, result) : fail("the list can't be printed");
}

static void add_session(const struct session_row *row, void *context)
{
    struct list_query *query = context;
    char wrong_codes[NUMBER_SIZE];
    const char *const values[] = {
        row->log_id,           row->state,      row->flow,
        row->notified_at,      row->expires_at, row->opened_at,
        row->ended_at,         row->end_reason, digits(row->wrong_codes, wrong_codes),
        row->authorisation_id, row->bank_id,    row->customer_id,
        row->shown_by,
    };
    listing_add(&query->listing, values);
}

static bool read_sessions(struct database *database, void *context)
{
    struct list_query *query = context;
    return session_list(database, query->call->limit, add_session, query);
}

int show_sessions(struct call *call)
{
    static const struct column columns[] = {
        {.name = "log_id"},
        {.name = "state"},
        {.name = "flow"},
        {.name = "notified_at"},
        {.name = "expires_at"},
        {.name = "opened_at"},
        {.name = "ended_at"},
        {.name = "end_reason"},
        {.name = "wrong_codes", .kind = COLUMN_NUMBER},
        {.name = "authorisation_id"},
        {.name = "bank_id", .only_json = true},
        {.name = "customer_id", .only_json = true},
        {.name = "shown_by", .only_json = true},
    };
    return list(call, read_sessions, columns, COUNT(columns));
}

static void add_event(const struct event_row *row, void *context)
{
    struct list_query *query = context;
    char number[NUMBER_SIZE];
    const char *const values[] = {
        digits(row->number, number),
        row->received_at,
        row->type,
        row->resource_type,
        row->resource_id,
        row->outcome,
        row->body,
    };
    listing_add(&query->listing, values);
}

static bool read_events(struct database *database, void *context)
{
    struct list_query *query = context;
    return inbox_list(database, query->call->after, query->call->limit, add_event, query);
}

int show_events(struct call *call)
{
    static const struct column columns[] = {
        {.name = "number", .kind = COLUMN_NUMBER},
        {.name = "received_at"},
        {.name = "type"},
        {.name = "resource_type"},
        {.name = "resource_id"},
        {.name = "outcome"},
        {.name = "body", .only_json = true},
    };
    return list(call, read_events, columns, COUNT(columns));
}

/* One row a key; a set without keys has one as well, since why is worth knowing. */
static void add_key_set(const struct key_set_row *row, void *context)
{
    struct list_query *query = context;
    struct key_list keys = {0};
    char bits[NUMBER_SIZE];
    if (row->document)
        (void)key_document_read(row->document, strlen(row->document), &keys);
    size_t i = 0;
    do {
        bool there = i < keys.count;
        const char *const values[] = {
            row->url,
            there ? keys.keys[i].id : NULL,
            there ? digits(EVP_PKEY_get_bits(keys.keys[i].key), bits) : NULL,
            row->fetched_at,
            row->attempted_at,
            row->outcome,
        };
        listing_add(&query->listing, values);
    } while (++i < keys.count);
    key_list_clear(&keys);
}

static bool read_keys(struct database *database, void *context)
{
    return key_set_list(database, add_key_set, context);
}

int show_keys(struct call *call)
{
    static const struct column columns[] = {
        {.name = "url"},        {.name = "kid"},          {.name = "bits", .kind = COLUMN_NUMBER},
        {.name = "fetched_at"}, {.name = "attempted_at"}, {.name = "outcome"},
    };
    return list(call, read_keys, columns, COUNT(columns));
}

static void add_account(const struct account_row *row, void *context)
{
    struct list_query *query = context;
    const char *const values[] = {
        row->customer_id,
        row->account.external_id,
        row->account.account_type,
        row->account.account_name,
        row->linked ? "true" : "false",
        row->bank_account_id,
        row->account.bank_identifier,
        row->account.branch_identifier,
        row->account.account_identifier,
    };
    listing_add(&query->listing, values);
}

static bool read_accounts(struct database *database, void *context)
{
    return account_list_all(database, add_account, context);
}

int show_accounts(struct call *call)
{
    static const struct column columns[] = {
        {.name = "customer"},
        {.name = "externalId"},
        {.name = "accountType"},
        {.name = "accountName"},
        {.name = "linked", .kind = COLUMN_BOOLEAN},
        {.name = "bankAccountId"},
        {.name = "bankIdentifier", .only_json = true},
        {.name = "branchIdentifier", .only_json = true},
        {.name = "accountIdentifier", .only_json = true},
    };
    return list(call, read_accounts, columns, COUNT(columns));
}

static void add_delivery(const struct outbox_row *row, void *context)
{
    struct list_query *query = context;
    char number[NUMBER_SIZE];
    char attempts[NUMBER_SIZE];
    const char *const values[] = {
        digits(row->number, number),
        row->log_id,
        row->result,
        row->state,
        digits(row->attempts, attempts),
        row->created_at,
        row->attempted_at,
        row->next_attempt_at,
        row->answer,
        row->give_up_at,
        row->authorisation_id,
    };
    listing_add(&query->listing, values);
}

static bool read_deliveries(struct database *database, void *context)
{
    struct list_query *query = context;
    return outbox_list(database, query->call->limit, add_delivery, query);
}

int show_deliveries(struct call *call)
{
    static const struct column columns[] = {
        {.name = "number", .kind = COLUMN_NUMBER},
        {.name = "log_id"},
        {.name = "result"},
        {.name = "state"},
        {.name = "attempts", .kind = COLUMN_NUMBER},
        {.name = "created_at"},
        {.name = "attempted_at"},
        {.name = "next_attempt_at"},
        {.name = "answer"},
        {.name = "give_up_at", .only_json = true},
        {.name = "authorisation_id", .only_json = true},
    };
    return list(call, read_deliveries, columns, COUNT(columns));
}
