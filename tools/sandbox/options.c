/* SPDX-License-Identifier: MIT */
#include "options.h"

#include "base/cleanup.h"
#include "sandbox/http/connector.h"
#include "sandbox/sage/sage_id.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

/* What the Provider API's x-api-key must be when no file says otherwise. */
#define USUAL_API_KEY "sandbox-api-key-0001"

static const char help[] =
    "Usage: feedgate-sandbox --port PORT --connector URL --key-header NAME --key-file FILE\n"
    "                        [--api-key-file FILE] [--audience AUDIENCE]\n"
    "\n"
    "Plays Sage on http://localhost:PORT/ for a connector on this machine: Sage ID (key set\n"
    "and token endpoint), the Banking Service (posts notifications, opens /auth), the Provider\n"
    "API (takes results) and a product, for a browser. It is for trying things out: it hands\n"
    "tokens to whoever asks, and keeps all in memory.\n"
    "\n"
    "  --port PORT          listen on this port of 127.0.0.1 and [::1]\n"
    "  --connector URL      the connector, http://HOST[:PORT] with a loopback host\n"
    "  --key-header NAME    the header that carries the connector's key\n"
    "  --key-file FILE      the key: one line, not readable by others\n"
    "  --api-key-file FILE  the Provider API's key, likewise (default: the key is\n"
    "                       " USUAL_API_KEY ")\n"
    "  --audience AUDIENCE  of all tokens (default sfdsbanking/sfdsBankingProvider-Pre)\n"
    "  --version            print the version\n"
    "  -h, --help           print this\n"
    "\n"
    "Prints \"ready\" when it listens; SIGTERM and SIGINT end it.\n"
    "\n"
    "  GET  /                             the product: connect, re-authorise, link, disconnect\n"
    "  GET  /.well-known/jwks.json        the key set\n"
    "  POST /oauth/token                  grant_type=client_credentials client_id client_secret\n"
    "                                     audience [scope]\n"
    "  PATCH /v1/authorisations/ID        a result, with the provider's token and x-api-key\n"
    "  POST /sandbox/rotate               new signing key; the one before stays in the set\n"
    "  POST /sandbox/token                kind=good|forged|expired|wrong-audience|wrong-issuer|\n"
    "                                     no-scope [scope]\n"
    "  POST /sandbox/notification         [authorisationId] [bankId] [flow=auth|authrefresh]; or\n"
    "                                     [type] resourceType [resourceId] [bankId] [externalId]\n"
    "  POST /sandbox/open                 authorisationId [bankId] [redirectUri] [state]\n"
    "                                     [flow=auth|authrefresh] [externalId] [bankAccount]\n"
    "  GET  /sandbox/availableaccounts    externalId\n"
    "  POST /sandbox/link                 externalId [startDate] [resourceId]: what the product\n"
    "                                     does after its picker\n"
    "  GET  /sandbox/results              [authorisationId]: what the Provider API was told\n"
    "  POST /sandbox/fault                kind=status|cut|stall|slow|cut-after [target=patch|\n"
    "                                     token] [times] [status] [retryAfter] [milliseconds];\n"
    "                                     kind=none takes all back and lets go what waits\n"
    "  GET  /sandbox/fault                what is set, and how many requests wait\n"
    "\n"
    "A result of an authorisation that was announced or opened with flow=authrefresh lists no\n"
    "accounts, any other success lists one at least. The faults: \"status\" and \"cut\" do\n"
    "nothing, \"stall\" does it all, later; \"slow\" and \"cut-after\" do it all, and answer late\n"
    "or never.\n"
    "\n"
    "Clients of the token endpoint (only the provider's token is good for the Provider API):\n";

static bool print_help(void)
{
    if (fputs(help, stdout) == EOF)
        return false;
    for (const struct sage_client *client = sage_clients; client->id != NULL; client++) {
        const char *scope = client->scope == NULL ? "none" : client->scope;
        if (printf("  %-15s secret %s, scope %s\n", client->id, client->secret, scope) < 0)
            return false;
    }
    return fflush(stdout) == 0;
}

static bool print_version(void)
{
    return printf("feedgate-sandbox %s\n", PACKAGE_VERSION) > 0 && fflush(stdout) == 0;
}

bool options_parse_port(const char *string, uint16_t *port)
{
    size_t size = strlen(string);
    if (size == 0 || size > 5 || strspn(string, "0123456789") != size)
        return false;
    unsigned long number = strtoul(string, NULL, 10); /* five digits can't overflow */
    if (number == 0 || number > UINT16_MAX)
        return false;
    *port = (uint16_t)number;
    return true;
}

static bool is_header_name(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    size_t size = strlen(name);
    return size > 0 && size <= KEY_HEADER_MAX && strspn(name, letters) == size;
}

static enum options_outcome complain(const char *option, const char *reason)
{
    (void)fprintf(stderr, "feedgate-sandbox: %s %s\n", option, reason);
    return OPTIONS_WRONG;
}

/* Reads up to size bytes; the number of bytes, or -1. */
static ssize_t read_all(int descriptor, char *bytes, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(descriptor, bytes + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        if (count == 0)
            break;
        done += (size_t)count;
    }
    return (ssize_t)done;
}

static bool is_key(const char *key, size_t size)
{
    if (size < KEY_MIN || size > KEY_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (key[i] < '!' || key[i] > '~')
            return false;
    }
    return true;
}

/* Writes the key; NULL, or what is wrong with the file. */
static const char *read_key(const char *path, char key[KEY_MAX + 1])
{
    char line[KEY_MAX + 2];
    struct stat status;
    _cleanup_(cleanup_close) int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 || fstat(descriptor, &status) != 0)
        return "can't be opened";
    if (!S_ISREG(status.st_mode))
        return "is not a regular file";
    if ((status.st_mode & S_IRWXO) != 0)
        return "is open to others: chmod 0640 it";
    ssize_t count = read_all(descriptor, line, sizeof(line));
    if (count < 0)
        return "can't be read";
    size_t size = (size_t)count;
    if (size > 0 && line[size - 1] == '\n')
        size--;
    if (!is_key(line, size))
        return "must be one line of 16 to 512 printable characters without spaces";
    memcpy(key, line, size);
    key[size] = '\0';
    return NULL;
}

struct raw_options {
    const char *port;
    const char *connector;
    const char *key_header;
    const char *key_file;
    const char *api_key_file; /* NULL: the usual key */
    const char *audience;
};

static enum options_outcome check(struct options *options, const struct raw_options *raw)
{
    if (raw->port == NULL || !options_parse_port(raw->port, &options->port))
        return complain("--port", "must be given, a number from 1 to 65535");
    if (raw->connector == NULL || !connector_is_loopback(raw->connector))
        return complain("--connector", "must be given, http://HOST[:PORT] with a host in "
                                       "127.0.0.0/8, [::1] or localhost");
    if (raw->key_header == NULL || !is_header_name(raw->key_header))
        return complain("--key-header", "must be given, 1 to 64 letters, digits and '-'");
    if (raw->key_file == NULL)
        return complain("--key-file", "must be given");
    size_t audience_size = strlen(raw->audience);
    if (audience_size == 0 || audience_size > AUDIENCE_MAX ||
        !text_is_utf8(raw->audience, audience_size))
        return complain("--audience", "must be a text of 1 to 256 bytes");
    const char *fault = read_key(raw->key_file, options->key);
    if (fault != NULL)
        return complain(raw->key_file, fault);
    (void)snprintf(options->api_key, sizeof(options->api_key), USUAL_API_KEY); /* fits */
    fault = raw->api_key_file == NULL ? NULL : read_key(raw->api_key_file, options->api_key);
    if (fault != NULL)
        return complain(raw->api_key_file, fault);
    options->connector = raw->connector;
    options->key_header = raw->key_header;
    options->audience = raw->audience;
    return OPTIONS_RUN;
}

enum options_outcome options_read(struct options *options, int argc, char **argv)
{
    static const struct option known[] = {
        {"port", required_argument, NULL, 'p'},
        {"connector", required_argument, NULL, 'c'},
        {"key-header", required_argument, NULL, 'n'},
        {"key-file", required_argument, NULL, 'k'},
        {"api-key-file", required_argument, NULL, 'i'},
        {"audience", required_argument, NULL, 'a'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct raw_options raw = {.audience = "sfdsbanking/sfdsBankingProvider-Pre"};
    int option;
    while ((option = getopt_long(argc, argv, "h", known, NULL)) != -1) {
        switch (option) {
        case 'p':
            raw.port = optarg;
            break;
        case 'c':
            raw.connector = optarg;
            break;
        case 'n':
            raw.key_header = optarg;
            break;
        case 'k':
            raw.key_file = optarg;
            break;
        case 'i':
            raw.api_key_file = optarg;
            break;
        case 'a':
            raw.audience = optarg;
            break;
        case 'v':
            return print_version() ? OPTIONS_DONE : OPTIONS_WRONG;
        case 'h':
            return print_help() ? OPTIONS_DONE : OPTIONS_WRONG;
        default:
            return OPTIONS_WRONG; /* getopt_long has said why */
        }
    }
    if (optind < argc)
        return complain(argv[optind], "is not expected: see --help");
    return check(options, &raw);
}
