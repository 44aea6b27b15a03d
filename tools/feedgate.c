/* SPDX-License-Identifier: MIT */
#include "feedgate.h"

#include "feedgate_listing.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { LIMIT_DEFAULT = 100, LIMIT_MAX = 10000 };

static const struct command commands[] = {
    {"check", NULL, TAKES_JSON, 0, show_check, "check the configuration and what it names",
     "Goes through the configuration, the database, the issuer's key set and our own\n"
     "token for Sage, both fetched now, and says for each item `ok`, or what to do after `warn` or "
     "`FAIL`.\n"
     "The exit status is 1 when an item failed.\n"},
    {"sessions", NULL, TAKES_JSON | TAKES_LIMIT, 0, show_sessions,
     "list the newest authorisation sessions", NULL},
    {"events", NULL, TAKES_JSON | TAKES_LIMIT | TAKES_AFTER, 0, show_events,
     "list what Sage notified, oldest first",
     "A program reads all events in turn with `--json --after N`, where N is the number\n"
     "of the last one that it has seen. The bodies are shown with --json only.\n"},
    {"keys", NULL, TAKES_JSON, 0, show_keys, "list the issuer's keys in the database", NULL},
    {"accounts", NULL, TAKES_JSON, 0, show_accounts, "list customers' accounts",
     "An account that Sage has linked shows Sage's bankAccountId, under which its\n"
     "transactions go to Sage. One that several users of Sage have linked has a row for\n"
     "each. Bank, branch and number of an account are shown with --json only.\n"},
    {"accounts import", "FILE", 0, 0, import_accounts, "add or update customers and their accounts",
     "FILE is JSON (`-` reads standard input), at most 64 MiB:\n\n"
     "  {\"customers\": [{\"id\": \"cust-0042\", \"accounts\": [\n"
     "    {\"accountType\": \"business\", \"accountName\": \"Current ****0042\",\n"
     "     \"bankIdentifier\": \"000001\", \"accountIdentifier\": \"00420007\",\n"
     "     \"branchIdentifier\": \"main\"}]}]}\n\n"
     "An account may also have an \"externalId\" (one is made where it is left out) and\n"
     "the \"bankAccountId\" under which Sage has linked it already. All of the file is\n"
     "stored, or nothing. Accounts that the file lacks stay as they are.\n\n"
     "While a file is stored, endpoints can't write, and answer 503 after 2 seconds: give\n"
     "more than some 20,000 accounts in several files.\n"},
    {"deliveries", NULL, TAKES_JSON | TAKES_LIMIT, 0, show_deliveries,
     "list the newest results and whether Sage has them", NULL},
    {"deliver", NULL, TAKES_ONCE | IS_SERVICE, SERVICE_REPORTS, deliver,
     "tell Sage what it doesn't know yet",
     "Stays, and delivers results that Sage didn't take at once: again and again until ten\n"
     "minutes after the session's end. Several may run at once. SIGTERM, SIGINT, SIGHUP,\n"
     "SIGUSR1 and SIGQUIT end it; what it was just sending is sent again by the next. Its\n"
     "log goes where [log] target says.\n\n"
     "With --once it delivers what is due now and ends, for a timer that runs each minute.\n"
     "The exit status is 1 when a result still waits because Sage couldn't be reached or\n"
     "had trouble, or when the database failed; one that Sage refused for good is counted,\n"
     "and the exit status is 0.\n"},
    {"accounts forget", NULL, NEEDS_CUSTOMER, 0, forget_customer,
     "remove a customer and what is known of them",
     "Asks nothing, and says what was removed: the customer, with accounts, Sage's links\n"
     "to these, one-time codes and consents. Sessions and the results that were told to\n"
     "Sage stay for their retention without the customer; a result that Sage must still\n"
     "get is emptied once it is settled. Sage itself is told nothing, and goes on asking for "
     "accounts\n"
     "that it has linked. What Sage notified (`events`) stays too: it names accounts by\n"
     "their externalId alone.\n"},
    {"code issue", NULL, NEEDS_CUSTOMER, SERVICE_CODES, issue_code,
     "make a one-time code for a customer",
     "Prints the code alone. It lives for 15 minutes and works once; an older one of the\n"
     "same customer is void from now on. Give it only to the customer it is for, logged\n"
     "in to your own product, and show these words with it:\n\n"
     "  Type this code only into a window that you opened yourself in your Sage product.\n"
     "  Whoever opened that window will see your accounts. Never give the code to\n"
     "  anybody, and don't type it where a link from a mail or message led you.\n\n"
     "A backend gets codes by POST /code.\n"},
    {"purge", NULL, 0, 0, purge, "remove sessions whose retention is over",
     "Removes sessions that expired longer ago than [session] retention, with their\n"
     "announcements and results, in small steps. Meant to be run once a day.\n"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

int fail(const char *format, ...)
{
    char text[2 * SERVICE_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments); /* cut at worst */
    va_end(arguments);
    (void)fputs("feedgate: ", stderr); /* there is no one left to tell if this fails */
    (void)print_visibly(stderr, text);
    (void)fputc('\n', stderr);
    return EXIT_FAILURE;
}

int fail_store(const struct call *call, enum store_result result)
{
    const char *path = call->service.config->store.database;
    if (result == STORE_BUSY)
        return fail("%s: others hold the database; please try again", path);
    return fail("%s: the database failed", path);
}

static int fail_usage(const char *what, const char *which)
{
    (void)fail("%s%s; see feedgate --help", what, which);
    return EXIT_USAGE;
}

/* Prints what was printed, as far as that is known; a full disk must not look like success. */
static int end_output(int status)
{
    if (fflush(stdout) == 0 && !ferror(stdout))
        return status;
    return fail("standard output: %s", strerror(errno));
}

static int print_usage(void)
{
    (void)printf("Usage: feedgate COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const char *argument = commands[i].argument ? commands[i].argument : "";
        int width = 20 - (int)strlen(commands[i].name);
        (void)printf("  %s %-*s  %s\n", commands[i].name, width, argument, commands[i].summary);
    }
    (void)printf(
        "\n"
        "  --conf FILE  the configuration (else the environment's FEEDGATE_CONF, else the\n"
        "               built-in path; now %s)\n"
        "  --json       a JSON array, for commands that list\n"
        "  --limit N    at most N rows, 1 to %d (default %d)\n"
        "  --after N    events with a number above N\n"
        "  --once       deliver what is due now, and end\n"
        "  --customer ID\n"
        "               the customer, as in the file of accounts\n"
        "  --version    print the version\n"
        "  --help       print this, or more about a COMMAND\n\n"
        "Run as root, it becomes the database's owner. Exit status: 0, 1 when something\n"
        "failed, 2 when it was called wrongly.\n",
        config_path(), LIMIT_MAX, LIMIT_DEFAULT);
    return end_output(EXIT_SUCCESS);
}

static int print_help(const struct command *command)
{
    (void)printf("Usage: feedgate %s%s%s%s [--conf FILE]%s%s%s%s\n%c%s.\n", command->name,
                 command->argument ? " " : "", command->argument ? command->argument : "",
                 command->options & NEEDS_CUSTOMER ? " --customer ID" : "",
                 command->options & TAKES_JSON ? " [--json]" : "",
                 command->options & TAKES_LIMIT ? " [--limit N]" : "",
                 command->options & TAKES_AFTER ? " [--after N]" : "",
                 command->options & TAKES_ONCE ? " [--once]" : "", command->summary[0] - 'a' + 'A',
                 command->summary + 1);
    if (command->details)
        (void)printf("\n%s", command->details);
    return end_output(EXIT_SUCCESS);
}

/* How many of the words are the command's name; 0 when they are another one's. */
static int match(const struct command *command, char **words, int count)
{
    size_t first = strcspn(command->name, " ");
    if (count < 1 || strlen(words[0]) != first || memcmp(words[0], command->name, first) != 0)
        return 0;
    if (command->name[first] == '\0')
        return 1;
    return count >= 2 && strcmp(words[1], command->name + first + 1) == 0 ? 2 : 0;
}

/* The command with the longest name that the words begin with; NULL when there is none. */
static const struct command *find_command(char **words, int count, int *taken)
{
    const struct command *found = NULL;
    *taken = 0;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        int length = match(&commands[i], words, count);
        if (length <= *taken)
            continue;
        *taken = length;
        found = &commands[i];
    }
    return found;
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

/* What was found among the arguments beside the command's own words. */
struct found {
    unsigned options;
    bool help;
    bool version;
};

static int read_options(int argc, char **argv, struct call *call, struct found *found)
{
    static const struct option options[] = {
        {"conf", required_argument, NULL, 'c'},
        {"json", no_argument, NULL, 'j'},
        {"limit", required_argument, NULL, 'l'},
        {"after", required_argument, NULL, 'a'},
        {"once", no_argument, NULL, 'o'},
        {"customer", required_argument, NULL, 'u'},
        {"help", no_argument, NULL, 'h'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    int option;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (option) {
        case 'c':
            call->conf = optarg;
            break;
        case 'j':
            call->json = true;
            found->options |= TAKES_JSON;
            break;
        case 'l':
            found->options |= TAKES_LIMIT;
            if (!read_number(optarg, 1, LIMIT_MAX, &call->limit))
                return fail_usage("--limit takes a number from 1 to 10000, not ", optarg);
            break;
        case 'a':
            found->options |= TAKES_AFTER;
            if (!read_number(optarg, 0, INT64_MAX, &call->after))
                return fail_usage("--after takes the number of an event, not ", optarg);
            break;
        case 'o':
            call->once = true;
            found->options |= TAKES_ONCE;
            break;
        case 'u':
            call->customer = optarg;
            found->options |= NEEDS_CUSTOMER;
            break;
        case 'h':
            found->help = true;
            break;
        case 'v':
            found->version = true;
            break;
        default:
            return EXIT_USAGE; /* getopt has said what is wrong */
        }
    }
    return EXIT_SUCCESS;
}

static int run(struct call *call, char **words, int count, const struct found *found)
{
    int taken = 0;
    const struct command *command = find_command(words, count, &taken);
    if (!command)
        return count == 0 ? fail_usage("a command is missing", "")
                          : fail_usage("unknown command: ", words[0]);
    if (found->help)
        return print_help(command);
    if ((found->options & ~command->options) != 0)
        return fail_usage("an option was given that isn't one of ", command->name);
    if (command->options & ~found->options & NEEDS_CUSTOMER)
        return fail_usage("missing: ", "--customer ID");
    int wanted = taken + (command->argument ? 1 : 0);
    if (count < wanted)
        return fail_usage("missing: ", command->argument);
    if (count > wanted)
        return fail_usage("unexpected argument: ", words[wanted]);
    call->command = command;
    call->argument = command->argument ? words[taken] : NULL;
    int status = command->run(call);
    service_close(&call->service);
    return end_output(status);
}

int main(int argc, char **argv)
{
    struct call call = {.conf = config_path(), .limit = LIMIT_DEFAULT};
    struct found found = {0};
    (void)umask(0007); /* what SQLite makes is for the owner and the group feedgate alone */
    int status = read_options(argc, argv, &call, &found);
    if (status != EXIT_SUCCESS)
        return status;
    if (found.version) {
        (void)printf("feedgate %s\n", PACKAGE_VERSION);
        return end_output(EXIT_SUCCESS);
    }
    if (found.help && optind == argc)
        return print_usage();
    return run(&call, argv + optind, argc - optind, &found);
}
