/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_MEND_H
#define FEEDGATE_MEND_H

#include "base/clock.h"
#include "store/store.h"

/*
 * What a clock that was ahead has left in the database: times that are still to
 * come. `feedgate clock mend` brings them down to now, each module its own, in
 * one transaction. No session, code or token lives longer by it than before.
 */
struct mend_table {
    const char *table;
    const char *mended; /* columns with a time, parted by spaces */
    const char *kept;   /* those that are left as they are; or NULL */
    /* Says in `changed` how many rows it changed; false on failure. */
    bool (*mend)(struct database *database, int64_t now, int64_t *changed);
};

/* All columns of the schema that hold a time; a NULL table ends them. */
extern const struct mend_table mend_tables[];
enum { MEND_TABLES = 13 };

struct mending {
    struct clock *clock; /* the machine's, which mend_all() reads when nobody else can write */
    int64_t margin_ms;   /* what is ahead by no more than this is left */
    bool confirmed;      /* the issuer says so too; else what purge has left stays */
    bool dry_run;        /* count only */
    bool counted;
    int64_t changed[MEND_TABLES];
};

/*
 * A piece for store_write(); `context` is a struct mending. A dry run undoes
 * itself by failing, and `counted` says that it got to its end.
 */
bool mend_all(struct database *database, void *context);

#endif
