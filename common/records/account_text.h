/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_ACCOUNT_TEXT_H
#define FEEDGATE_ACCOUNT_TEXT_H

/*
 * What may stand in an account that a provider hands over, by import or as a
 * result. Each returns the complaint ("must have ..."), NULL when all is good.
 */

/* A name or an identifier: 1 to 256 bytes without control characters. `text` is valid UTF-8. */
const char *account_text_judge(const char *text);

/* An externalId, which Sage sends back in a query: printable ASCII besides. */
const char *account_text_judge_external_id(const char *text);

#endif
