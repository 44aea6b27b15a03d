/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_ADDRESSES_H
#define FEEDGATE_OPERATOR_ADDRESSES_H

#include "address_list.h"

/*
 * `feedgate addresses`: addresses.c brings the operator's file up to
 * date, addresses_print.c writes its ranges for other programs.
 */

/* The list that comes with feedgate, which operators copy. */
#ifndef FEEDGATE_DATA
#define FEEDGATE_DATA "/usr/share/feedgate"
#endif
#define ADDRESSES_SHIPPED FEEDGATE_DATA "/addresses/cloudflare.txt"

#endif
