/* SPDX-License-Identifier: MIT */
#ifndef SANDBOX_PATCH_BODY_H
#define SANDBOX_PATCH_BODY_H

#include "sandbox_results.h"

/*
 * Checks the body of PATCH /v1/authorisations/{id}: exactly what Sage's page and
 * samples show, and nothing else (sage-api.md, section 7). Writes the outcome and
 * returns NULL, or returns what is wrong with the body.
 */
const char *patch_body_check(const char *body, size_t size, enum flow flow, enum outcome *outcome);

#endif
