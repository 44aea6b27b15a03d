/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_HTTP_HTTP_PRIVATE_H
#define FEEDGATE_SANDBOX_HTTP_HTTP_PRIVATE_H

#include "http.h"

#include <microhttpd.h>

/* How replies leave, for the server alone. `allow`: the header's value, or NULL. */

enum MHD_Result reply_send(struct MHD_Connection *connection, const struct reply *reply,
                           const char *allow);

/* Sends an error without any handler. */
enum MHD_Result reply_refuse(struct MHD_Connection *connection, unsigned int status,
                             const char *error, const char *description, const char *allow);

/* Gives back what the reply owns. */
void reply_clear(struct reply *reply);

#endif
