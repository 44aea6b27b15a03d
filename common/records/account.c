/* SPDX-License-Identifier: MIT */
#include "account.h"

#include "base/secret.h"

#include <stdio.h>
#include <string.h>

enum { RANDOM_BYTES = 16 };

struct listing {
    const char *external_id;
    void (*show)(const struct account *account, void *context);
    void *context;
    enum refusal refusal;
};

static struct account read_account(struct statement *row, int column)
{
    return (struct account){
        .external_id = statement_text(row, column),
        .account_type = statement_text(row, column + 1),
        .account_name = statement_text(row, column + 2),
        .bank_identifier = statement_text(row, column + 3),
        .account_identifier = statement_text(row, column + 4),
        .branch_identifier = statement_text(row, column + 5),
    };
}

/* Whether the customer of this account is one whose accounts Sage may see. */
static bool judge_customer(struct database *database, struct listing *listing)
{
    struct statement *select = database_statement(
        database, "SELECT EXISTS (SELECT 1 FROM account AS other JOIN bank_account AS link "
                  "ON link.external_id = other.external_id WHERE link.linked_at IS NOT NULL "
                  "AND link.unlinked_at IS NULL AND other.customer_id = account.customer_id) "
                  "FROM account WHERE external_id = $1");
    statement_bind_text(select, 1, listing->external_id);
    enum statement_row row = statement_step(select);
    if (row == ROW_NONE)
        listing->refusal = REFUSAL_ACCOUNT_UNKNOWN;
    else if (row == ROW_FOUND)
        listing->refusal =
            statement_integer(select, 0) != 0 ? REFUSAL_NONE : REFUSAL_ACCOUNT_NOT_LINKED;
    statement_done(select);
    return row != ROW_FAILED;
}

static bool show_accounts(struct database *database, struct listing *listing)
{
    struct statement *select = database_statement(
        database, "SELECT external_id, account_type, account_name, bank_identifier, "
                  "account_identifier, branch_identifier FROM account WHERE customer_id = "
                  "(SELECT customer_id FROM account WHERE external_id = $1) "
                  "ORDER BY account_name, external_id");
    statement_bind_text(select, 1, listing->external_id);
    enum statement_row row;
    while ((row = statement_step(select)) == ROW_FOUND) {
        struct account account = read_account(select, 0);
        listing->show(&account, listing->context);
    }
    return row == ROW_NONE;
}

/* Both looks see the same moment, so that an unlinking in between can't be missed. */
static bool list_for(struct database *database, void *context)
{
    struct listing *listing = context;
    if (!statement_run(database_statement(database, "BEGIN")))
        return false;
    bool read = judge_customer(database, listing) &&
                (listing->refusal != REFUSAL_NONE || show_accounts(database, listing));
    return statement_run(database_statement(database, "COMMIT")) && read;
}

enum refusal account_list_for(struct store *store, const char *external_id,
                              void (*show)(const struct account *account, void *context),
                              void *context)
{
    struct listing listing = {.external_id = external_id, .show = show, .context = context};
    enum store_result result = store_read(store, list_for, &listing);
    return store_refusal(result, listing.refusal);
}

bool account_list_of(struct database *database, const char *customer_id,
                     void (*show)(const struct account *account, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT external_id, account_type, account_name, bank_identifier, "
                  "account_identifier, branch_identifier FROM account WHERE customer_id = $1 "
                  "ORDER BY account_name, external_id");
    statement_bind_text(select, 1, customer_id);
    enum statement_row row;
    while ((row = statement_step(select)) == ROW_FOUND) {
        struct account account = read_account(select, 0);
        show(&account, context);
    }
    return row == ROW_NONE;
}

bool account_is_of(struct database *database, const char *external_id, const char *customer_id,
                   bool *owned)
{
    struct statement *select = database_statement(
        database, "SELECT 1 FROM account WHERE external_id = $1 AND customer_id = $2");
    statement_bind_text(select, 1, external_id);
    statement_bind_text(select, 2, customer_id);
    return statement_finds(select, owned);
}

bool account_link(struct database *database, const char *id, const char *external_id, int64_t now)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO bank_account (id, external_id, linked_at) VALUES ($1, $2, $3) "
                  "ON CONFLICT (id) DO NOTHING");
    statement_bind_text(insert, 1, id);
    statement_bind_text(insert, 2, external_id);
    statement_bind_integer(insert, 3, now);
    return statement_run(insert);
}

bool account_unlink(struct database *database, const char *id, const char *external_id, int64_t now)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO bank_account (id, external_id, unlinked_at) VALUES ($1, $2, $3) "
                  "ON CONFLICT (id) DO UPDATE SET unlinked_at = "
                  "COALESCE(bank_account.unlinked_at, excluded.unlinked_at)");
    statement_bind_text(insert, 1, id);
    statement_bind_text(insert, 2, external_id);
    statement_bind_integer(insert, 3, now);
    return statement_run(insert);
}

enum account_linked account_adopt(struct database *database, const char *id,
                                  const char *external_id, int64_t now)
{
    if (!account_link(database, id, external_id, now))
        return ACCOUNT_NOT_LINKED;
    struct statement *select = database_statement(
        database, "SELECT external_id FROM bank_account WHERE id = $1 AND external_id = $2");
    statement_bind_text(select, 1, id);
    statement_bind_text(select, 2, external_id);
    bool here;
    if (!statement_finds(select, &here))
        return ACCOUNT_NOT_LINKED;
    return here ? ACCOUNT_LINKED : ACCOUNT_LINKED_ELSEWHERE;
}

/* An externalId that can't be guessed; of the letters that survive every query string. */
static bool make_external_id(char external_id[EXTERNAL_ID_SIZE])
{
    return secret_make_short(external_id, RANDOM_BYTES);
}

static bool store_customer(struct database *database, const char *id)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO customer (id) VALUES ($1) ON CONFLICT (id) DO NOTHING");
    statement_bind_text(insert, 1, id);
    return statement_run(insert);
}

/* The externalId under which the customer's account is known; "" when it isn't. */
static bool find_known_id(struct database *database, const char *customer_id,
                          const struct account *account, char known[EXTERNAL_ID_SIZE])
{
    struct statement *select = database_statement(
        database, "SELECT external_id FROM account WHERE customer_id = $1 AND "
                  "bank_identifier = $2 AND branch_identifier = $3 AND account_identifier = $4");
    statement_bind_text(select, 1, customer_id);
    statement_bind_text(select, 2, account->bank_identifier);
    statement_bind_text(select, 3, account->branch_identifier);
    statement_bind_text(select, 4, account->account_identifier);
    enum statement_row row = statement_step(select);
    known[0] = '\0';
    if (row == ROW_FOUND)
        (void)snprintf(known, EXTERNAL_ID_SIZE, "%s", statement_text(select, 0));
    statement_done(select);
    return row != ROW_FAILED;
}

static enum account_stored upsert(struct database *database, const char *customer_id,
                                  const struct account *account, const char *external_id)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO account (external_id, customer_id, account_type, account_name, "
                  "bank_identifier, account_identifier, branch_identifier) "
                  "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (external_id) DO UPDATE SET "
                  "account_type = excluded.account_type, account_name = excluded.account_name, "
                  "bank_identifier = excluded.bank_identifier, "
                  "account_identifier = excluded.account_identifier, "
                  "branch_identifier = excluded.branch_identifier "
                  "WHERE account.customer_id = excluded.customer_id");
    statement_bind_text(insert, 1, external_id);
    statement_bind_text(insert, 2, customer_id);
    statement_bind_text(insert, 3, account->account_type);
    statement_bind_text(insert, 4, account->account_name);
    statement_bind_text(insert, 5, account->bank_identifier);
    statement_bind_text(insert, 6, account->account_identifier);
    statement_bind_text(insert, 7, account->branch_identifier);
    int64_t changed;
    if (!statement_changes(insert, &changed))
        return ACCOUNT_NOT_STORED;
    return changed == 1 ? ACCOUNT_STORED : ACCOUNT_OF_ANOTHER;
}

enum account_stored account_store(struct database *database, const char *customer_id,
                                  const struct account *account, char external_id[EXTERNAL_ID_SIZE])
{
    if (!store_customer(database, customer_id) ||
        !find_known_id(database, customer_id, account, external_id))
        return ACCOUNT_NOT_STORED;
    bool known = external_id[0] != '\0';
    if (known && account->external_id && strcmp(external_id, account->external_id) != 0)
        return ACCOUNT_ID_WOULD_CHANGE;
    if (account->external_id)
        (void)snprintf(external_id, EXTERNAL_ID_SIZE, "%s", account->external_id);
    else if (!known && !make_external_id(external_id))
        return ACCOUNT_NOT_STORED;
    return upsert(database, customer_id, account, external_id);
}

bool account_customer_known(struct database *database, const char *customer_id, bool *known)
{
    struct statement *select = database_statement(database, "SELECT 1 FROM customer WHERE id = $1");
    statement_bind_text(select, 1, customer_id);
    return statement_finds(select, known);
}

bool account_forget(struct database *database, const char *customer_id,
                    struct account_forgotten *forgotten)
{
    struct statement *links =
        database_statement(database, "DELETE FROM bank_account WHERE external_id IN "
                                     "(SELECT external_id FROM account WHERE customer_id = $1)");
    statement_bind_text(links, 1, customer_id);
    if (!statement_changes(links, &forgotten->links))
        return false;
    struct statement *accounts =
        database_statement(database, "DELETE FROM account WHERE customer_id = $1");
    statement_bind_text(accounts, 1, customer_id);
    if (!statement_changes(accounts, &forgotten->accounts))
        return false;
    struct statement *customer = database_statement(database, "DELETE FROM customer WHERE id = $1");
    statement_bind_text(customer, 1, customer_id);
    return statement_run(customer);
}

bool account_list_all(struct database *database,
                      void (*show)(const struct account_row *row, void *context), void *context)
{
    struct statement *select = database_statement(
        database, "SELECT customer_id, account.external_id, account_type, account_name, "
                  "bank_identifier, account_identifier, branch_identifier, link.id FROM account "
                  "LEFT JOIN bank_account AS link ON link.external_id = account.external_id "
                  "AND link.linked_at IS NOT NULL AND link.unlinked_at IS NULL "
                  "ORDER BY customer_id, account_name, account.external_id, link.id");
    enum statement_row found;
    while ((found = statement_step(select)) == ROW_FOUND) {
        struct account_row row = {
            .customer_id = statement_text(select, 0),
            .account = read_account(select, 1),
            .linked = !statement_is_null(select, 7),
            .bank_account_id = statement_text(select, 7),
        };
        show(&row, context);
    }
    return found == ROW_NONE;
}

bool account_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE bank_account SET "
                  "linked_at = CASE WHEN linked_at > $1 THEN $1 ELSE linked_at END, "
                  "unlinked_at = CASE WHEN unlinked_at > $1 THEN $1 ELSE unlinked_at END "
                  "WHERE linked_at > $1 OR unlinked_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
