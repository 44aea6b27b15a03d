/* SPDX-License-Identifier: MIT */
#include "base/cleanup.h"
#include "options.h"
#include "sandbox.h"

#include <curl/curl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * The stand-in Sage: Sage ID and the Banking Service in one small server, for
 * trying a connector out on one machine. It shares no code with the
 * connector's library, so that a fault in there can't hide in here.
 */

static const struct route routes[] = {
    /* a product of Sage's, for a person with a browser */
    {"GET", "/", show_product},
    {"GET", "/style.css", serve_style},
    {"POST", "/connect", connect_bank},
    {"POST", "/reauthorise", reauthorise},
    {"POST", "/disconnect", disconnect},
    {"GET", "/window", show_window},
    {"GET", "/return", take_return},
    {"GET", "/connection", show_connection},
    {"POST", "/pick", pick_account},
    {"POST", "/candidates", show_candidates},
    {"POST", "/link", link_candidates},

    /* Sage ID */
    {"GET", "/.well-known/jwks.json", serve_key_set},
    {"POST", "/oauth/token", issue_token},

    /* the Provider API */
    {"PATCH", "/v1/authorisations/", receive_result},

    /* what a test asks for: the Banking Service on demand, what it was told, and trouble */
    {"POST", "/sandbox/rotate", rotate_keys},
    {"POST", "/sandbox/token", make_token},
    {"POST", "/sandbox/notification", send_notification},
    {"POST", "/sandbox/open", open_authorisation},
    {"GET", "/sandbox/availableaccounts", list_accounts},
    {"POST", "/sandbox/link", link_account},
    {"GET", "/sandbox/results", show_results},
    {"GET", "/sandbox/fault", show_faults},
    {"POST", "/sandbox/fault", set_fault},

    {NULL, NULL, NULL},
};

/* Blocks the signals that end the program, before any thread is there to take them. */
static bool block_signals(sigset_t *ending)
{
    return sigemptyset(ending) == 0 && sigaddset(ending, SIGTERM) == 0 &&
           sigaddset(ending, SIGINT) == 0 && pthread_sigmask(SIG_BLOCK, ending, NULL) == 0 &&
           signal(SIGPIPE, SIG_IGN) != SIG_ERR;
}

static bool open_sandbox(struct sandbox *sandbox, const struct options *options)
{
    int length = snprintf(sandbox->issuer, sizeof(sandbox->issuer), "http://localhost:%u/",
                          (unsigned int)options->port);
    if (length < 0 || (size_t)length >= sizeof(sandbox->issuer))
        return false;
    sandbox->sage_id = sage_id_new(sandbox->issuer, options->audience);
    sandbox->connector = connector_new(options->connector, options->key_header, options->key);
    sandbox->api_key = options->api_key;
    sandbox->results = results_new();
    sandbox->faults = faults_new();
    sandbox->ledger = ledger_new();
    return sandbox->sage_id != NULL && sandbox->connector != NULL && sandbox->results != NULL &&
           sandbox->faults != NULL && sandbox->ledger != NULL;
}

static void close_sandbox(struct sandbox *sandbox)
{
    sage_id_free(sandbox->sage_id);
    connector_free(sandbox->connector);
    results_free(sandbox->results);
    faults_free(sandbox->faults);
    ledger_free(sandbox->ledger);
}

static bool serve(const struct options *options, const sigset_t *ending)
{
    _cleanup_(close_sandbox) struct sandbox sandbox = {0};
    if (!open_sandbox(&sandbox, options)) {
        (void)fprintf(stderr, "feedgate-sandbox: out of memory\n");
        return false;
    }
    struct server *server = server_start(options->port, routes, &sandbox);
    if (server == NULL)
        return false;
    int received = 0;
    bool ended = puts("ready") != EOF && fflush(stdout) == 0 && sigwait(ending, &received) == 0;
    faults_clear(sandbox.faults); /* those that wait may go */
    server_stop(server);
    return ended;
}

int main(int argc, char **argv)
{
    struct options options = {0};
    switch (options_read(&options, argc, argv)) {
    case OPTIONS_RUN:
        break;
    case OPTIONS_DONE:
        return EXIT_SUCCESS;
    case OPTIONS_WRONG:
        return 2;
    }
    sigset_t ending;
    if (!block_signals(&ending) || curl_global_init(CURL_GLOBAL_DEFAULT) != 0) {
        (void)fprintf(stderr, "feedgate-sandbox: can't start\n");
        return EXIT_FAILURE;
    }
    bool ended = serve(&options, &ending);
    curl_global_cleanup();
    return ended ? EXIT_SUCCESS : EXIT_FAILURE;
}
