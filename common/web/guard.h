/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_GUARD_H
#define FEEDGATE_GUARD_H

#include "base/refusal.h"

struct exchange;

/*
 * The checks that endpoints declare. Each can only pass (REFUSAL_NONE) or
 * refuse; none changes anything that outlives the request.
 */
typedef enum refusal guard(struct exchange *exchange);

/*
 * While `[network] sage_addresses_file` is set, only who calls from one of its
 * ranges passes; a client whose address can't be told doesn't. No
 * authentication: all customers of Cloudflare leave from Sage's addresses.
 */
enum refusal guard_sage_address(struct exchange *exchange);

/*
 * The custom header that only Sage and we know (Sage, Securing connector API;
 * Get set up: providers must validate both it and the token). Every provider
 * gets tokens of the same audience, so this is what tells Sage from them. One
 * that came twice is refused, even with the same value: web servers differ in
 * which of two counts. So is an `Authorization`, by each guard that reads it.
 */
enum refusal guard_key_header(struct exchange *exchange);

/* The same, if `[availableaccounts] require_key_header` says so. */
enum refusal guard_key_header_if_required(struct exchange *exchange);

/* A Sage ID token for notifications (scope `WebhooksLambda`, client as pinned). */
enum refusal guard_notification_token(struct exchange *exchange);

/* A Sage ID token for available accounts (scope `ProviderAPI`, client as pinned). */
enum refusal guard_availableaccounts_token(struct exchange *exchange);

/*
 * The key of the provider's backend, `Authorization: Bearer KEY`: whoever has
 * it can get a code for any customer. While none is configured, nobody passes.
 */
enum refusal guard_code_key(struct exchange *exchange);

/* The same with the key of the application behind the gate, which may end its journeys. */
enum refusal guard_complete_key(struct exchange *exchange);

/* While `[complete] addresses` is set, only who calls from one of them passes. */
enum refusal guard_complete_address(struct exchange *exchange);

/* Refuses what a browser fetches only in case somebody follows a link: that must not use it up. */
enum refusal guard_no_prefetch(struct exchange *exchange);

#endif
