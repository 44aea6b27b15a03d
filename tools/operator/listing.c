/* SPDX-License-Identifier: MIT */
#include "listing.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <string.h>

enum { ESCAPE_MAX = 7, ROWS_AT_FIRST = 64 };

void listing_begin(struct listing *listing, const struct column *columns, size_t column_count,
                   bool json)
{
    *listing = (struct listing){.columns = columns, .column_count = column_count, .json = json};
}

/* Writes the first character of `text` so that it can be seen; returns how many bytes it took. */
static size_t escape_character(const char *text, size_t length, bool json, char escaped[ESCAPE_MAX])
{
    size_t taken = utf8_character(text, length);
    if (taken == 0) { /* no UTF-8; JSON has nothing else to show it */
        (void)snprintf(escaped, ESCAPE_MAX, json ? "\\ufffd" : "\\x%02x", (unsigned char)*text);
        return 1;
    }
    if (utf8_is_control(text)) /* of two bytes, the second is the code */
        (void)snprintf(escaped, ESCAPE_MAX, "\\u%04x", (unsigned char)text[taken - 1]);
    else if (json && (*text == '"' || *text == '\\'))
        (void)snprintf(escaped, ESCAPE_MAX, "\\%c", *text);
    else
        (void)snprintf(escaped, ESCAPE_MAX, "%.*s", (int)taken, text);
    return taken;
}

/* The text as it may be printed, owned by the caller; NULL when memory is out. */
static char *escape(const char *text, bool json)
{
    size_t length = strlen(text);
    char *escaped = malloc(length * (ESCAPE_MAX - 1) + 1);
    if (!escaped)
        return NULL;
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        char character[ESCAPE_MAX];
        at += escape_character(text + at, length - at, json, character);
        memcpy(escaped + used, character, strlen(character));
        used += strlen(character);
    }
    escaped[used] = '\0';
    char *fitting = realloc(escaped, used + 1); /* bodies of events are many and long */
    return fitting ? fitting : escaped;
}

bool print_visibly(FILE *stream, const char *text)
{
    _cleanup_(cleanup_free) char *escaped = escape(text, false);
    return escaped && fputs(escaped, stream) >= 0;
}

static bool make_room(struct listing *listing)
{
    if (listing->cell_count + listing->column_count <= listing->capacity)
        return true;
    size_t capacity =
        listing->capacity == 0 ? ROWS_AT_FIRST * listing->column_count : 2 * listing->capacity;
    char **grown = realloc(listing->cells, capacity * sizeof *grown);
    if (!grown)
        return false;
    listing->cells = grown;
    listing->capacity = capacity;
    return true;
}

void listing_add(struct listing *listing, const char *const values[])
{
    if (listing->failed || !make_room(listing)) {
        listing->failed = true;
        return;
    }
    for (size_t i = 0; i < listing->column_count; i++) {
        char *cell = NULL;
        if (values[i] && (listing->json || !listing->columns[i].only_json)) {
            cell = escape(values[i], listing->json);
            listing->failed = listing->failed || !cell;
        }
        listing->cells[listing->cell_count++] = cell;
    }
}

static const char *shown(const struct listing *listing, const char *cell, enum column_kind kind)
{
    if (listing->json)
        return cell ? cell : "null";
    if (cell && kind == COLUMN_BOOLEAN)
        return strcmp(cell, "true") == 0 ? "yes" : "no";
    return cell ? cell : "-";
}

static void print_json(const struct listing *listing)
{
    (void)putchar('['); /* whether all was written is asked at the end */
    for (size_t i = 0; i < listing->cell_count; i++) {
        const struct column *column = &listing->columns[i % listing->column_count];
        const char *cell = listing->cells[i];
        const char *quote = cell && column->kind == COLUMN_TEXT ? "\"" : "";
        const char *before = i % listing->column_count != 0 ? ", " : i == 0 ? "\n{" : ",\n{";
        (void)printf("%s\"%s\": %s%s%s", before, column->name, quote,
                     shown(listing, cell, column->kind), quote);
        if ((i + 1) % listing->column_count == 0)
            (void)putchar('}');
    }
    (void)printf(listing->cell_count == 0 ? "]\n" : "\n]\n");
}

/* Characters, not bytes; good enough for alignment. */
static size_t width_of(const char *text)
{
    size_t width = 0;
    for (; *text; text++)
        if ((*text & 0xC0) != 0x80)
            width++;
    return width;
}

static void print_cell(const struct listing *listing, size_t column, const char *text,
                       const size_t widths[COLUMNS_MAX])
{
    bool number = listing->columns[column].kind == COLUMN_NUMBER;
    bool last = column + 1 == listing->column_count || listing->columns[column + 1].only_json;
    size_t padding = widths[column] - width_of(text);
    (void)printf("%s%*s%s%*s", column == 0 ? "" : "  ", number ? (int)padding : 0, "", text,
                 number || last ? 0 : (int)padding, "");
}

/* Columns for JSON alone come last, so the first of them ends the line. */
static void print_row(const struct listing *listing, char *const *cells,
                      const size_t widths[COLUMNS_MAX])
{
    for (size_t i = 0; i < listing->column_count && !listing->columns[i].only_json; i++) {
        const char *text =
            cells ? shown(listing, cells[i], listing->columns[i].kind) : listing->columns[i].name;
        print_cell(listing, i, text, widths);
    }
    (void)putchar('\n');
}

static void print_table(const struct listing *listing)
{
    size_t widths[COLUMNS_MAX];
    for (size_t i = 0; i < listing->column_count; i++) {
        widths[i] = width_of(listing->columns[i].name);
        for (size_t cell = i; cell < listing->cell_count; cell += listing->column_count) {
            size_t width = width_of(shown(listing, listing->cells[cell], listing->columns[i].kind));
            if (width > widths[i])
                widths[i] = width;
        }
    }
    print_row(listing, NULL, widths);
    for (size_t i = 0; i < listing->cell_count; i += listing->column_count)
        print_row(listing, listing->cells + i, widths);
}

bool listing_end(struct listing *listing)
{
    bool whole = !listing->failed;
    if (whole && listing->json)
        print_json(listing);
    else if (whole)
        print_table(listing);
    for (size_t i = 0; i < listing->cell_count; i++)
        free(listing->cells[i]);
    free(listing->cells);
    *listing = (struct listing){0};
    return whole && !ferror(stdout);
}
