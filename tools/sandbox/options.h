/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_SANDBOX_OPTIONS_H
#define FEEDGATE_SANDBOX_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

/* The command line of feedgate-sandbox, checked. */

enum { KEY_MIN = 16, KEY_MAX = 512, KEY_HEADER_MAX = 64, AUDIENCE_MAX = 256 };

enum options_outcome { OPTIONS_RUN, OPTIONS_DONE, OPTIONS_WRONG };

struct options {
    uint16_t port;
    const char *connector;
    const char *key_header;
    const char *audience;
    char key[KEY_MAX + 1];
    char api_key[KEY_MAX + 1];
};

/*
 * Reads the command line and the key files. OPTIONS_DONE after --help or
 * --version; OPTIONS_WRONG after one line on standard error.
 */
enum options_outcome options_read(struct options *options, int argc, char **argv);

/* A port from 1 to 65535 in decimal digits. */
bool options_parse_port(const char *string, uint16_t *port);

#endif
