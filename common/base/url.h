/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_URL_H
#define FEEDGATE_URL_H

#include <stdbool.h>

/*
 * URLs and origins, judged by their bytes and by no URL library: these differ
 * among themselves about what `https://evil.example\@money.sage.com/` means.
 */

enum { URL_ORIGIN_MAX = 300 };

/*
 * Whether the text is an origin as the configuration takes it: `https://` and
 * a host in lower case with an optional port other than 443, nothing behind;
 * `http://` only for 127.0.0.0/8, [::1] and localhost.
 */
bool url_is_origin(const char *text);

/*
 * Whether an http: or https: URL may be called or be ours: https, or http to a
 * loopback host (literal 127.0.0.0/8, [::1], or the name localhost), scheme and
 * host in lower case, without user information, fragment, bytes outside 0x21
 * to 0x7E and \ " < >. For configured URLs.
 */
bool url_is_safe(const char *url);

/*
 * An ASCII letter in lower case, any other byte as it is. Locale is nothing that a security check
 * should ask.
 */
char url_lower(char letter);

/* Visible ASCII, without what some program takes for something else than it is. */
bool url_is_plain(const char *text);

/*
 * Whether `origin`, which is in lower case, is that of the URI. Upper case and
 * a `:443` that is the scheme's own port anyway make no other origin.
 */
bool url_has_origin(const char *uri, const char *origin);

/*
 * The origin of a URI for the operator's log, printable and cut: everything
 * up to the first of / ? # behind `//`, in lower case.
 */
void url_origin(const char *uri, char origin[URL_ORIGIN_MAX]);

#endif
