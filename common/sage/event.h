/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_EVENT_H
#define FEEDGATE_EVENT_H

#include "base/digest.h"
#include "base/refusal.h"

#include <stdint.h>

/*
 * A notification of Sage's, read from its JSON body (Sage, Notification: every
 * one has `type` and a `resource`). Unknown types and fields are no error,
 * since Sage may add some: they are stored whole for the provider's software.
 */

enum event_kind {
    EVENT_OTHER,
    EVENT_AUTHORISATION_CREATED, /* arms a session, for /auth or /authrefresh */
    EVENT_BANK_ACCOUNT_CREATED,
    EVENT_BANK_ACCOUNT_DELETED,
};

enum { EVENT_NAME_SIZE = 129, EVENT_ID_SIZE = 257 };

struct event {
    enum event_kind kind;
    char type[EVENT_NAME_SIZE];
    char resource_type[EVENT_NAME_SIZE];
    char resource_id[EVENT_ID_SIZE];  /* as received */
    char resource_key[EVENT_ID_SIZE]; /* in lower case: how things are told apart */
    char bank_id[EVENT_ID_SIZE];      /* in lower case; "" when none is named */
    char external_id[EVENT_ID_SIZE];  /* "" when none is named */
    char body_sha256[DIGEST_TEXT];
    const char *body;    /* borrowed; ends with NUL, has none inside */
    const char *culprit; /* the member that is missing or wrong; NULL when none is */
};

/*
 * Reads a body (borrowed by the event) of `length` bytes with a NUL behind.
 * BODY_MALFORMED when it is no strict JSON (json.h), EVENT_MALFORMED when it
 * lacks `type`, `resource.type` or `resource.id`, when one is too long, or
 * when what announces an authorisation doesn't name it (or its bank) by UUID;
 * `event->culprit` names the member then.
 */
enum refusal event_read(const char *body, size_t length, struct event *event);

#endif
