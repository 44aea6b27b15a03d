/* SPDX-License-Identifier: MIT */
#include "operator.h"

#include "base/memory.h"
#include "config/config.h"
#include "listing.h"
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const struct command commands[] = {
    {"check", NULL, TAKES_JSON | TAKES_URL | LOADS_SECRETS, 0, show_check,
     "check the configuration and what it names",
     "Says for each item `ok`, or what to do after `warn` or `FAIL`. The exit status is 1\n"
     "when an item failed.\n\n"
     "It also asks the web server at public_url for each endpoint, by requests that are\n"
     "refused and change nothing, whether these arrive whole. If this machine can't reach\n"
     "public_url, --url https://127.0.0.1 (or another port; or http://, where the web server\n"
     "has feedgate there) asks the web server directly, in the name of public_url, whose\n"
     "certificate it must have.\n"},
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
    {"deliver", NULL, TAKES_ONCE | IS_SERVICE, SERVICE_REPORTS | SERVICE_ASKS, deliver,
     "tell Sage what it doesn't know yet",
     "Stays, and delivers results that Sage didn't take at once: again and again until ten\n"
     "minutes after the session's end of life. Several may run at once. SIGTERM, SIGINT,\n"
     "SIGHUP, SIGUSR1 and SIGQUIT end it; what it was just sending is sent again by the\n"
     "next. Its log goes where [log] target says.\n\n"
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
    {"addresses refresh", NULL, TAKES_DRY_RUN | TAKES_LISTS, 0, refresh_addresses,
     "fetch Cloudflare's current ranges into [network] sage_addresses_file",
     "Both lists are fetched (from https://www.cloudflare.com/ips-v4 and /ips-v6 unless\n"
     "told otherwise) and replace the file at once and whole, comments and ranges of your\n"
     "own too. A list that can't be right (empty, far shorter than before, with ranges\n"
     "that are too wide or not public) leaves the file as it is. Endpoints read the file\n"
     "when they start: restart them after a change.\n\n"
     "Run as root, it becomes the owner of the file's directory. The exit status is 0 when\n"
     "the file is up to date now, 1 when something failed, and with --dry-run 3 when\n"
     "something would change.\n"},
    {"addresses print", NULL, NEEDS_TARGET, 0, print_addresses,
     "print the ranges as configuration of a web server or firewall",
     "For those who turn strangers away before they reach an endpoint: of\n"
     "[network] sage_addresses_file, or else of the list that came with feedgate. Web\n"
     "servers check /notification and /availableaccounts alone.\n"},
    {"purge", NULL, 0, 0, purge, "remove sessions whose retention is over",
     "Removes sessions that expired longer ago than [session] retention, with their\n"
     "announcements and results, in small steps. Meant to be run once a day.\n\n"
     "It asks the issuer for the time first. While that can't be had, or this machine's clock\n"
     "is more than five minutes off, it removes nothing, says why, and the exit status is 1:\n"
     "what is removed too early could be opened once more.\n"},
    {"clock mend", NULL, TAKES_DRY_RUN | TAKES_JSON, 0, mend_clock,
     "bring down times that are still to come",
     "For a database in which a clock that was ahead has left times that are still to come\n"
     "(`feedgate check` says so). Set the clock right first, and stop the endpoints and\n"
     "`feedgate deliver`: it refuses while anybody uses the database. All is done in one\n"
     "transaction. If it concerns a session, all that could still be opened or gone on with\n"
     "end; results that wait are tried at once. What `purge` keeps against replays is brought\n"
     "down only when the issuer confirms the clock. It says for each table how many rows it\n"
     "changed.\n\n"
     "With --dry-run, which nobody need be stopped for, the exit status is 3 when something\n"
     "would change.\n"},
};

enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

static void print_summary(const struct command *command)
{
    const char *argument = command->argument ? command->argument : "";
    int width = 20 - (int)strlen(command->name);
    (void)printf("  %s %-*s  %s\n", command->name, width, argument, command->summary);
}

static int print_usage(void)
{
    (void)printf("Usage: feedgate COMMAND [OPTIONS]\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        print_summary(&commands[i]);
    (void)printf("\n");
    options_print_help();
    (void)printf(
        "\nRun as root, it becomes the database's owner. Exit status: 0, 1 when something\n"
        "failed, 2 when it was called wrongly, 3 when --dry-run finds something to change.\n");
    return end_output(EXIT_SUCCESS);
}

/* The commands of two words that begin with the name of this one. */
static void print_relatives(const struct command *command)
{
    size_t length = strlen(command->name);
    const char *before = "\nSee also:";
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        if (strncmp(commands[i].name, command->name, length) != 0 ||
            commands[i].name[length] != ' ')
            continue;
        (void)printf("%s feedgate %s", before, commands[i].name);
        before = ",";
    }
    if (before[0] == ',')
        (void)printf("\n");
}

static int print_help(const struct command *command)
{
    (void)printf("Usage: feedgate %s%s%s", command->name, command->argument ? " " : "",
                 command->argument ? command->argument : "");
    options_print_usage(command);
    (void)printf("\n%c%s.\n", command->summary[0] - 'a' + 'A', command->summary + 1);
    if (command->details)
        (void)printf("\n%s", command->details);
    if (!strchr(command->name, ' '))
        print_relatives(command);
    return end_output(EXIT_SUCCESS);
}

/* The commands of two words that begin with this one; false when there are none. */
static bool print_family(FILE *to, const char *word)
{
    bool found = false;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        size_t first = strcspn(commands[i].name, " ");
        if (strlen(word) != first || memcmp(word, commands[i].name, first) != 0)
            continue;
        (void)fprintf(to, "%s feedgate %s%s%s\n", found ? "      " : "Usage:", commands[i].name,
                      commands[i].argument ? " " : "",
                      commands[i].argument ? commands[i].argument : "");
        found = true;
    }
    return found;
}

/* What the words would be the beginning of. */
static int help_family(const char *word)
{
    if (!print_family(stdout, word))
        return fail_usage("unknown command: ", word);
    (void)printf("\n`--help` behind one of them says more.\n");
    return end_output(EXIT_SUCCESS);
}

/* Half a command's name is no command: which words it wants; cut at worst. */
static void say_what_is_wanted(const char *word, const char *instead)
{
    char text[256] = "";
    size_t used = 0;
    for (size_t i = 0; i < COMMAND_COUNT && used < sizeof text; i++) {
        size_t first = strcspn(commands[i].name, " ");
        if (strlen(word) != first || memcmp(word, commands[i].name, first) != 0)
            continue;
        int length = snprintf(text + used, sizeof text - used, "%s`%s`", used > 0 ? " or " : "",
                              commands[i].name + first + 1);
        used += length > 0 ? (size_t)length : 0;
    }
    if (used == 0)
        (void)fail_usage("unknown command: ", word);
    else
        (void)fail("%s wants %s behind it%s%s; see feedgate --help", word, text,
                   instead ? ", not " : "", instead ? instead : "");
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

static int run(struct call *call, char **words, int count, const struct found *found)
{
    int taken = 0;
    const struct command *command = find_command(words, count, &taken);
    if (!command && count == 0)
        return fail_usage("a command is missing", "");
    if (!command && found->help)
        return help_family(words[0]);
    if (!command) {
        say_what_is_wanted(words[0], count > 1 ? words[1] : NULL);
        (void)print_family(stderr, words[0]);
        return EXIT_USAGE;
    }
    if (found->help)
        return print_help(command);
    int judged = options_judge(command, found);
    if (judged != EXIT_SUCCESS)
        return judged;
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
    if (!memory_close())
        return fail("can't keep others out of the memory: %s", strerror(errno));
    (void)umask(0007); /* what SQLite makes is for the owner and the group feedgate alone */
    int status = options_read(argc, argv, &call, &found);
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
