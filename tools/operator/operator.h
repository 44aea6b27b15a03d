/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_OPERATOR_OPERATOR_H
#define FEEDGATE_OPERATOR_OPERATOR_H

#include "address_list.h"
#include "service/service.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * The operator's command line. A command is a row of the table in main.c
 * and a function that gets the call and returns the exit status.
 */

enum { EXIT_USAGE = 2 };

enum command_option {
    TAKES_JSON = 1,
    TAKES_LIMIT = 2,
    TAKES_AFTER = 4,
    TAKES_ONCE = 8,
    NEEDS_CUSTOMER = 16,
    TAKES_DRY_RUN = 64,
    TAKES_LISTS = 128,
    NEEDS_TARGET = 256,
    TAKES_URL = 512,
    LOADS_SECRETS = 1024, /* no option: all of them; without it, only what its parts need */
    IS_SERVICE = 32,      /* no option: it may stay, so its log goes where the configuration says */
};

struct command;

/* How a command was called, and what it works on. */
struct call {
    const struct command *command;
    const char *conf;     /* the configuration's path */
    const char *argument; /* the command's own; NULL when it takes none */
    bool json;
    const char *customer; /* the id that --customer gives; NULL without it */
    int64_t limit;
    int64_t after;
    bool once;
    bool dry_run;
    const char *list_urls[ADDRESS_FAMILIES]; /* NULL: Cloudflare's */
    const char *target;                      /* of --for */
    const char *url;                         /* of --url; NULL without it */
    struct service service; /* zeroed until operator_configure() and operator_open() */
};

struct command {
    const char *name;     /* one word or two */
    const char *argument; /* what it is called in the usage; NULL when it takes none */
    unsigned options;     /* of enum command_option, beside --conf and --help */
    unsigned parts;       /* of enum service_part: what it needs beside the store */
    int (*run)(struct call *call);
    const char *summary;
    const char *details; /* lines for --help; may be NULL */
};

int show_check(struct call *call);
int show_sessions(struct call *call);
int show_events(struct call *call);
int show_keys(struct call *call);
int show_accounts(struct call *call);
int import_accounts(struct call *call);
int forget_customer(struct call *call);
int issue_code(struct call *call);
int purge(struct call *call);
int mend_clock(struct call *call);
int show_deliveries(struct call *call);
int deliver(struct call *call);
int refresh_addresses(struct call *call);
int print_addresses(struct call *call);

/* Says on standard error what is wrong, on one line; returns EXIT_FAILURE. */
int fail(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Which of enum config_secrets the command may know. */
unsigned operator_secrets(const struct command *command);

/* Says that the store wouldn't; returns EXIT_FAILURE. */
int fail_store(const struct call *call, enum store_result result);

/*
 * Flushes standard output: the status, or EXIT_FAILURE after having said why, since a full
 * disk must not look like success.
 */
int end_output(int status);

/* Reads the configuration into the call's service; false and one line in `error`. */
bool operator_configure(struct call *call, char error[SERVICE_ERROR_MAX]);

/*
 * Whoever is root becomes the owner of the configured database, or of its
 * directory while there is none, since files made by root would shut the
 * endpoints out. False and one line in `error`; then nothing may be opened.
 */
bool operator_step_down(struct call *call, char error[SERVICE_ERROR_MAX]);

/* Whoever is root becomes the owner of the directory that a file is in; likewise. */
bool operator_become_owner(const char *path, char error[SERVICE_ERROR_MAX]);

/* All of it and the database, which it never makes; false after having said why. */
bool operator_open(struct call *call);

/* The same in another role than STORE_OPERATOR. */
bool operator_open_as(struct call *call, enum store_role role);

#endif
