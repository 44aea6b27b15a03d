/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_RULES_H
#define FEEDGATE_RULES_H

#include "client.h"
#include "customer.h"
#include "expect.h"
#include "issuer.h"
#include "keys.h"
#include "log_file.h"
#include "rows.h"
#include "sandbox.h"
#include "scratch.h"
#include "server.h"
#include "token.h"
#include "wire.h"

#include <check.h>

/*
 * What feedgate promises, each promise a test through a real web server. One
 * suite a subject; a test case carries its test's name, so that
 * `CK_RUN_CASE=name check_rules` runs it alone.
 */
Suite *notification_rules(void);
Suite *token_rules(void);
Suite *address_rules(void);
Suite *addresses_rules(void);
Suite *auth_rules(void);
Suite *authorizer_rules(void);
Suite *openapi_rules(void);
Suite *race_rules(void);
Suite *availableaccounts_rules(void);
Suite *key_set_rules(void);
Suite *time_rules(void);
Suite *clock_rules(void);
Suite *trouble_rules(void);
Suite *explain_rules(void);
Suite *header_rules(void);
Suite *web_check_rules(void);
Suite *journey_rules(void);
Suite *delivery_rules(void);
Suite *code_rules(void);
Suite *complete_rules(void);
Suite *customer_rules(void);
Suite *sandbox_rules(void);
Suite *deliver_rules(void);
Suite *product_rules(void);
Suite *upgrade_rules(void);
Suite *fixture_rules(void);
Suite *memory_rules(void);

#endif
