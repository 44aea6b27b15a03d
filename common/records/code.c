/* SPDX-License-Identifier: MIT */
#include "code.h"

#include "base/clock.h"

#include <ctype.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

/* Crockford's base32: no I, L and O, which look like digits, and no U. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
enum { ALPHABET_SIZE = sizeof alphabet - 1, GROUP = CODE_CHARACTERS / 2 };
_Static_assert(256 % ALPHABET_SIZE == 0, "a byte's remainder must fall on all letters alike");

/* How many bytes are passed over at the beginning of the text: a space, a hyphen or a dash. */
static size_t filler_length(const char *text)
{
    static const char *const fillers[] = {
        " ",
        "\t",
        "-",
        "\xC2\xAD",     /* U+00AD soft hyphen */
        "\xC2\xA0",     /* U+00A0 no-break space */
        "\xE2\x80\x90", /* U+2010 hyphen */
        "\xE2\x80\x91", /* U+2011 non-breaking hyphen */
        "\xE2\x80\x92", /* U+2012 figure dash */
        "\xE2\x80\x93", /* U+2013 en dash */
        "\xE2\x80\x94", /* U+2014 em dash */
        "\xE2\x80\xAF", /* U+202F narrow no-break space */
        "\xE2\x88\x92", /* U+2212 minus sign */
    };
    for (size_t i = 0; i < sizeof fillers / sizeof fillers[0]; i++)
        if (strncmp(text, fillers[i], strlen(fillers[i])) == 0)
            return strlen(fillers[i]);
    return 0;
}

/* The letter of the alphabet that was meant; NUL when there is none. */
static char letter_meant(char typed)
{
    char letter = (char)toupper((unsigned char)typed);
    if (letter == 'O')
        return '0';
    if (letter == 'I' || letter == 'L')
        return '1';
    if (!strchr(alphabet, letter)) /* which finds the NUL too, as itself */
        return '\0';
    return letter;
}

/* The eight characters that were meant; false when it can't be a code. */
static bool read_characters(const char *typed, char characters[CODE_CHARACTERS])
{
    size_t count = 0;
    if (strnlen(typed, CODE_TYPED_MAX + 1) > CODE_TYPED_MAX)
        return false;
    while (*typed != '\0') {
        size_t filler = filler_length(typed);
        typed += filler;
        if (filler > 0)
            continue;
        char letter = letter_meant(*typed++);
        if (letter == '\0' || count == CODE_CHARACTERS)
            return false;
        characters[count++] = letter;
    }
    return count == CODE_CHARACTERS;
}

bool code_read(const struct local_key *key, const char *typed, char hash[DIGEST_TEXT])
{
    char characters[CODE_CHARACTERS];
    hash[0] = '\0';
    return !read_characters(typed, characters) ||
           local_key_hash(key, characters, CODE_CHARACTERS, hash);
}

/* A new code in two groups of four. */
static bool make_text(char text[CODE_TEXT])
{
    unsigned char bytes[CODE_CHARACTERS];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return false;
    for (size_t i = 0; i < CODE_CHARACTERS; i++)
        text[i < GROUP ? i : i + 1] = alphabet[bytes[i] % ALPHABET_SIZE];
    text[GROUP] = '-';
    text[CODE_TEXT - 1] = '\0';
    OPENSSL_cleanse(bytes, sizeof bytes);
    return true;
}

struct issue {
    const char *customer_id;
    const char *hash;
    int64_t now;
    int64_t expires_at;
    bool known;
};

/*
 * A hash that another customer's code has already (once in 2^40) breaks the
 * table's rule and fails: the next request gets another one.
 */
static bool store_code(struct database *database, const struct issue *issue)
{
    struct statement *insert = database_statement(
        database, "INSERT INTO one_time_code (customer_id, code_hash, issued_at, expires_at) "
                  "VALUES ($1, $2, $3, $4) ON CONFLICT (customer_id) DO UPDATE SET "
                  "code_hash = excluded.code_hash, issued_at = excluded.issued_at, "
                  "expires_at = excluded.expires_at, used_at = NULL");
    statement_bind_text(insert, 1, issue->customer_id);
    statement_bind_text(insert, 2, issue->hash);
    statement_bind_integer(insert, 3, issue->now);
    statement_bind_integer(insert, 4, issue->expires_at);
    return statement_run(insert);
}

static bool issue_piece(struct database *database, void *context)
{
    struct issue *issue = context;
    return account_customer_known(database, issue->customer_id, &issue->known) &&
           (!issue->known || store_code(database, issue));
}

static enum refusal issue_text(struct store *store, const struct local_key *key,
                               const char *customer_id, int64_t now, const struct code *code)
{
    char hash[DIGEST_TEXT];
    if (!code_read(key, code->text, hash))
        return REFUSAL_INTERNAL;
    struct issue issue = {
        .customer_id = customer_id, .hash = hash, .now = now, .expires_at = code->expires_at};
    enum store_result result = store_write(store, issue_piece, &issue);
    return store_refusal(result, issue.known ? REFUSAL_NONE : REFUSAL_CUSTOMER_UNKNOWN);
}

enum refusal code_issue(struct store *store, const struct local_key *key, const char *customer_id,
                        int64_t now, struct code *code)
{
    code->expires_at = now + CODE_LIFETIME_MS;
    enum refusal refusal =
        make_text(code->text) ? issue_text(store, key, customer_id, now, code) : REFUSAL_INTERNAL;
    if (refusal != REFUSAL_NONE) /* a text that nobody stored must not be shown */
        OPENSSL_cleanse(code, sizeof *code);
    return refusal;
}

bool code_use(struct database *database, const char *hash, const char *only_of, int64_t now,
              char customer_id[CUSTOMER_ID_SIZE])
{
    struct statement *update = database_statement(
        database, "UPDATE one_time_code SET used_at = $1 WHERE code_hash = $2 "
                  "AND used_at IS NULL AND expires_at > $1 "
                  "AND issued_at <= $3 "
                  "AND customer_id = COALESCE($4, customer_id) RETURNING customer_id");
    statement_bind_integer(update, 1, now);
    statement_bind_text(update, 2, hash);
    statement_bind_integer(update, 3, now + CLOCK_DOUBT_MS); /* else the clock was set back */
    statement_bind_text(update, 4, only_of);
    enum statement_row row = statement_step(update);
    customer_id[0] = '\0';
    if (row == ROW_FOUND) {
        (void)snprintf(customer_id, CUSTOMER_ID_SIZE, "%s", statement_text(update, 0));
        row = statement_step(update);
    }
    return row == ROW_NONE;
}

bool code_forget(struct database *database, const char *customer_id, int64_t *removed)
{
    struct statement *delete =
        database_statement(database, "DELETE FROM one_time_code WHERE customer_id = $1");
    statement_bind_text(delete, 1, customer_id);
    return statement_changes(delete, removed);
}

bool code_continuation(const struct local_key *key, const char *session_key,
                       char continuation[DIGEST_TEXT])
{
    char named[128]; /* longer than any code, so that no hash is both */
    int length = snprintf(named, sizeof named, "continuation of %s", session_key);
    return length > 0 && (size_t)length < sizeof named &&
           local_key_hash(key, named, (size_t)length, continuation);
}

/* A code of which nobody knows how old it is has expired: a new one is made in a moment. */
bool code_mend(struct database *database, int64_t now, int64_t *changed)
{
    struct statement *update = database_statement(
        database, "UPDATE one_time_code SET expires_at = $1, "
                  "issued_at = CASE WHEN issued_at > $1 THEN $1 ELSE issued_at END, "
                  "used_at = CASE WHEN used_at > $1 THEN $1 ELSE used_at END "
                  "WHERE issued_at > $1 OR used_at > $1");
    statement_bind_integer(update, 1, now);
    return statement_changes(update, changed);
}
