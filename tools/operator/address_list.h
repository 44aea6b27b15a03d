/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_ADDRESS_LIST_H
#define FEEDGATE_OPERATOR_ADDRESS_LIST_H

#include "base/address.h"

/*
 * Whether a list that came over the network can be Cloudflare's. Their two
 * lists have 15 ranges of IPv4 (the widest a /13) and 7 of IPv6 (a /29); what
 * is far from that is an error of theirs or somebody's trick, and would shut
 * Sage out or let everybody in.
 */

enum address_family { ADDRESS_IPV4, ADDRESS_IPV6, ADDRESS_FAMILIES };
enum { ADDRESS_LIST_MAX = 64 * 1024, ADDRESS_LIST_RANGES_MAX = 100, ADDRESS_LIST_ERROR_MAX = 256 };

/*
 * Reads the list of one family and judges it. `present`: the ranges in use, of both families, of
 * which a good list doesn't lose more than half. Adds its ranges to `set`; false, and
 * one line in `error`, when it is nonsense.
 */
bool address_list_take(enum address_family family, const char *text, size_t length,
                       const struct address_set *present, struct address_set *set,
                       char error[ADDRESS_LIST_ERROR_MAX]);

#endif
