/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_REDIRECT_URI_H
#define FEEDGATE_REDIRECT_URI_H

#include "config/config.h"

#include <stdbool.h>
#include <stddef.h>

/*
 * Where the customer is sent back to. It comes unsigned in a query, so it is
 * judged by bytes against configured origins, by no URL library: these differ
 * among themselves about what `https://evil.example\@money.sage.com/` means.
 */

enum { REDIRECT_URI_MAX = 2048 };

/*
 * Whether customers may be sent to `uri`: bytes 0x21 to 0x7E without \ " < >;
 * once scheme and authority are put in lower case and the `:443` that https
 * has anyway is dropped, one of `origins` must stand in front of it, followed
 * by `/`, `?` or the end. A fragment is allowed only for `fragment_origins`
 * (which must be allowed origins too). A query parameter `state` of its own
 * (escaped, in upper case or as `state[]` too) is not allowed: ours would be
 * the second.
 */
bool redirect_uri_allowed(const char *uri, const struct config_list *origins,
                          const struct config_list *fragment_origins);

/*
 * The URI with `state=STATE` added to its query, before any fragment: joined
 * with `?`, or `&` when there is a query already. Owned by the caller; NULL
 * when memory is out. Both must have passed their checks.
 */
char *redirect_uri_with_state(const char *uri, const char *state);

#endif
