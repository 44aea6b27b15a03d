/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_BANKING_PATCH_BODY_H
#define FEEDGATE_SANDBOX_BANKING_PATCH_BODY_H

#include "sandbox/sage/results.h"

/*
 * Checks the body of PATCH /v1/authorisations/{id}: exactly what Sage's page and
 * samples show, and nothing else (sage-api.md, section 7). Writes the outcome and
 * returns NULL, or returns what is wrong with the body.
 */
const char *patch_body_check(const char *body, size_t size, enum flow flow, enum outcome *outcome);

#endif
