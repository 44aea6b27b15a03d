/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "addresses.h"
#include "config/config.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Those that a command may take; each has a bit in enum command_option. */
static const struct {
    const char *name;
    const char *value; /* what it is called in the usage; NULL when it takes none */
    const char *help;
    unsigned bit;
    bool needed; /* by every command that takes it */
} options[] = {
    {"json", NULL, "a JSON array, for commands that list", TAKES_JSON, false},
    {"limit", "N", "at most N rows, 1 to 10000 (default 100)", TAKES_LIMIT, false},
    {"after", "N", "events with a number above N", TAKES_AFTER, false},
    {"once", NULL, "deliver what is due now, and end", TAKES_ONCE, false},
    {"customer", "ID", "the customer, as in the file of accounts", NEEDS_CUSTOMER, true},
    {"dry-run", NULL, "say what would change, and change nothing", TAKES_DRY_RUN, false},
    {"ipv4-url", "URL", "where the list of IPv4 ranges is", TAKES_LISTS, false},
    {"ipv6-url", "URL", "where the list of IPv6 ranges is", TAKES_LISTS, false},
    {"for", "PROGRAM", "apache, lighttpd, nginx or nft", NEEDS_TARGET, true},
    {"url", "URL", "ask the web server there, in the name of public_url", TAKES_URL, false},
};

enum { OPTION_COUNT = sizeof options / sizeof options[0], OPTION_FIRST = 256 };
enum { OPTION_CONF = 'c', OPTION_HELP = 'h', OPTION_VERSION = 'v' };

int fail_usage(const char *what, const char *which)
{
    (void)fail("%s%s; see feedgate --help", what, which);
    return EXIT_USAGE;
}

static bool read_number(const char *text, int64_t least, int64_t most, int64_t *number)
{
    char *end = NULL;
    errno = 0;
    long long value = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || value < least || value > most)
        return false;
    *number = value;
    return true;
}

static int take_option(const char *name, const char *value, struct call *call)
{
    if (strcmp(name, "json") == 0)
        call->json = true;
    else if (strcmp(name, "once") == 0)
        call->once = true;
    else if (strcmp(name, "dry-run") == 0)
        call->dry_run = true;
    else if (strcmp(name, "customer") == 0)
        call->customer = value;
    else if (strcmp(name, "ipv4-url") == 0)
        call->list_urls[ADDRESS_IPV4] = value;
    else if (strcmp(name, "ipv6-url") == 0)
        call->list_urls[ADDRESS_IPV6] = value;
    else if (strcmp(name, "for") == 0)
        call->target = value;
    else if (strcmp(name, "url") == 0)
        call->url = value;
    else if (strcmp(name, "limit") == 0 && !read_number(value, 1, LIMIT_MAX, &call->limit))
        return fail_usage("--limit takes a number from 1 to 10000, not ", value);
    else if (strcmp(name, "after") == 0 && !read_number(value, 0, INT64_MAX, &call->after))
        return fail_usage("--after takes the number of an event, not ", value);
    return EXIT_SUCCESS;
}

int options_read(int argc, char **argv, struct call *call, struct found *found)
{
    struct option all[OPTION_COUNT + 4] = {
        {"conf", required_argument, NULL, OPTION_CONF},
        {"help", no_argument, NULL, OPTION_HELP},
        {"version", no_argument, NULL, OPTION_VERSION},
    };
    for (int i = 0; i < OPTION_COUNT; i++)
        all[3 + i] =
            (struct option){options[i].name, options[i].value ? required_argument : no_argument,
                            NULL, OPTION_FIRST + i};
    int option;
    int status = EXIT_SUCCESS;
    while (status == EXIT_SUCCESS && (option = getopt_long(argc, argv, "h", all, NULL)) != -1) {
        if (option == OPTION_CONF) {
            call->conf = optarg;
        } else if (option == OPTION_HELP) {
            found->help = true;
        } else if (option == OPTION_VERSION) {
            found->version = true;
        } else if (option >= OPTION_FIRST) {
            found->options |= options[option - OPTION_FIRST].bit;
            status = take_option(options[option - OPTION_FIRST].name, optarg, call);
        } else {
            return EXIT_USAGE; /* getopt has said what is wrong */
        }
    }
    return status;
}

int options_judge(const struct command *command, const struct found *found)
{
    if ((found->options & ~command->options) != 0)
        return fail_usage("an option was given that isn't one of ", command->name);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char missing[64];
        if (!options[i].needed || !(command->options & ~found->options & options[i].bit))
            continue;
        (void)snprintf(missing, sizeof missing, "--%s %s", options[i].name, options[i].value);
        return fail_usage("missing: ", missing);
    }
    return EXIT_SUCCESS;
}

void options_print_usage(const struct command *command)
{
    (void)printf(" [--conf FILE]");
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        if (!(command->options & options[i].bit))
            continue;
        (void)printf(" %s--%s%s%s%s", options[i].needed ? "" : "[", options[i].name,
                     options[i].value ? " " : "", options[i].value ? options[i].value : "",
                     options[i].needed ? "" : "]");
    }
}

void options_print_help(void)
{
    (void)printf("  --conf FILE     the configuration (else the environment's FEEDGATE_CONF, else "
                 "the\n"
                 "                  built-in path; now %s)\n",
                 config_path());
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "%s%s%s", options[i].name, options[i].value ? " " : "",
                       options[i].value ? options[i].value : "");
        (void)printf("  --%-13s %s\n", name, options[i].help);
    }
    (void)printf("  --version       print the version\n"
                 "  -h, --help      print this, or more about a COMMAND\n");
}
