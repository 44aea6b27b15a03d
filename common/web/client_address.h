/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CLIENT_ADDRESS_H
#define FEEDGATE_CLIENT_ADDRESS_H

#include "base/address.h"
#include "config/config.h"

/*
 * Where a request comes from: the web server's peer, or, when that is one of
 * the operator's trusted proxies, the client that the proxy names. A header is
 * believed because the peer is trusted, never because of its name: anybody
 * can send one of any name.
 */

enum client_address_kind {
    CLIENT_ADDRESS_NONE,        /* the web server named no address of its peer */
    CLIENT_ADDRESS_MALFORMED,   /* a trusted proxy's header can't be understood */
    CLIENT_ADDRESS_OF_PEER,     /* who is connected to the web server */
    CLIENT_ADDRESS_FROM_HEADER, /* as a trusted proxy says */
};

struct client_address {
    enum client_address_kind kind;
    struct address address; /* with the last two kinds */
};

/* As many proxies may stand in a row that all are trusted. */
enum { CLIENT_PROXIES_MAX = 16 };

/* The CGI variable of the header that is looked at. Static. */
const char *client_address_variable(enum client_address_header header);

/*
 * `peer` is REMOTE_ADDR, `value` that of the configured header; NULL when
 * there is none. X-Forwarded-For is read from the right, where each
 * proxy adds whom it was called by: the first address that isn't a trusted proxy's is the
 * client's, and what stands left of it, anybody may have written.
 * CF-Connecting-IP holds one address. `repeated`: the header came in several
 * variables, so it isn't known which one the proxy wrote.
 */
struct client_address client_address_find(const struct address_set *trusted_proxies,
                                          enum client_address_header header, const char *peer,
                                          const char *value, bool repeated);

#endif
