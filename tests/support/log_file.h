/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_LOG_FILE_H
#define FEEDGATE_TEST_LOG_FILE_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The endpoints' log. A line may be written after its answer was sent, so
 * whoever looks for one waits: AWAIT(LOG_COUNT(mark, ...) == 1, ...).
 */

/* Where the log ends now. */
size_t log_mark(void);

/* What was written since then. */
const char *log_since(size_t mark);

/*
 * How many lines since then have all of these members:
 * LOG_COUNT(mark, "event", "refused", "refusal", "session_used").
 */
size_t log_count(size_t mark, ...) __attribute__((sentinel));
#define LOG_COUNT(...) log_count(__VA_ARGS__, NULL)

#endif
