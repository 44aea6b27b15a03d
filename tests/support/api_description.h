/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_API_DESCRIPTION_H
#define FEEDGATE_TEST_API_DESCRIPTION_H

#include "client.h"

#include <stdbool.h>
#include <stddef.h>

/* doc/openapi.json, and whether answers are as it says. Texts live as long as the test. */

/* Reads it; the test fails when it isn't JSON. It is given back when the test ends. */
void api_read(void);

/* What it describes, one after the other; false at the end. `status` is as there: "200". */
struct api_answer {
    const char *path, *method, *status;
};
bool api_answer(size_t number, struct api_answer *answer);

/* The paths; NULL at the end. And the methods of one as in Allow: "GET, POST". */
const char *api_path(size_t number);
const char *api_methods(const char *path);

/*
 * The answer is described for this path and method: its status, its media
 * type, the headers that belong to it, and its body by its schema (of which
 * type, required, properties, additionalProperties, items and enum count).
 */
void api_expect(const struct response *response);

#endif
