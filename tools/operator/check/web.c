/* SPDX-License-Identifier: MIT */
#include "check.h"

#include "base/url.h"
#include "config/config.h"
#include "probe.h"
#include "web/operator_proof.h"

#include <stdio.h>
#include <string.h>

/*
 * Whether requests reach the endpoints through the web server with all that
 * they need. Each request here is refused, as nothing but our asking why
 * (operator_proof.h) makes it special, and none names a session or a customer: what
 * comes with a true key has an empty object as its body.
 */

static const struct probe probes[] = {
    {.endpoint = "notification",
     .method = "POST",
     .sends = PROBE_KEY_HEADER | PROBE_AUTHORIZATION,
     .expected = "token_malformed"},
    {.endpoint = "availableaccounts",
     .method = "GET",
     .sends = PROBE_KEY_HEADER | PROBE_AUTHORIZATION,
     .expected = "token_malformed"},
    {.endpoint = "auth",
     .method = "GET",
     .query = "?authorisation_id=feedgate-check",
     .expected = "parameter_"},
    {.endpoint = "authrefresh",
     .method = "GET",
     .query = "?authorisation_id=feedgate-check",
     .expected = "parameter_"},
    {.endpoint = "code",
     .method = "POST",
     .sends = PROBE_OWN_KEY,
     .internal = true,
     .expected = "customer_malformed"},
    {.endpoint = "complete",
     .method = "POST",
     .sends = PROBE_OWN_KEY,
     .internal = true,
     .expected = "result_malformed"},
};

static bool is_used(const struct config *config, const struct probe *probe)
{
    if (strcmp(probe->endpoint, "code") == 0)
        return config->code.key.length > 0;
    if (strcmp(probe->endpoint, "complete") == 0)
        return config->complete.key.length > 0;
    return true;
}

/* What the endpoint says of the request; the word is the log's. */
static void judge_refusal(struct check *check, const struct probe *probe, const char *word)
{
    const struct config *config = check->call->service.config;
    const char *path = probe->endpoint;
    if (strncmp(word, probe->expected, strlen(probe->expected)) == 0)
        check_report(check, CHECK_OK, "web server", NULL, NULL, "/%s is reached%s%s", path,
                     probe->sends & PROBE_KEY_HEADER ? ", with the key header" : "",
                     probe->sends & (PROBE_AUTHORIZATION | PROBE_OWN_KEY) ? ", with Authorization"
                                                                          : "");
    else if (strcmp(word, "address_refused") == 0 && config->network.sage_addresses.file)
        check_report(check, CHECK_OK, "web server", "network", "sage_addresses_file",
                     "/%s is reached, and refuses this machine's address, as it must; so what else "
                     "arrives can't be seen from here",
                     path);
    else if (strcmp(word, "address_refused") == 0 && strcmp(path, "complete") == 0)
        check_report(check, CHECK_OK, "web server", "complete", "addresses",
                     "/%s is reached, and refuses this machine's address, as it must", path);
    else if (strcmp(word, "token_missing") == 0 || strcmp(word, "code_key_missing") == 0 ||
             strcmp(word, "complete_key_missing") == 0)
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s doesn't get the Authorization header: under Apache write `CGIPassAuth "
                     "On` where the URL is configured; else let the proxy in front pass it on",
                     path);
    else if (strcmp(word, "key_header_missing") == 0)
        check_report(check, CHECK_FAIL, "web server", "notification", "key_header",
                     "/%s doesn't get the header %s: let the web server, or the proxy in front, "
                     "pass it on; if key_header was changed since the endpoints started, restart "
                     "them",
                     path, config->notification.key_header);
    else if (strcmp(word, "key_header_wrong") == 0)
        check_report(check, CHECK_FAIL, "web server", "notification", "key_file",
                     "/%s gets another value in %s than the one in the file: restart the endpoints "
                     "to have them read it, or let the proxy in front leave the header alone",
                     path, config->notification.key_header);
    else if (strcmp(word, "code_key_wrong") == 0 || strcmp(word, "complete_key_wrong") == 0)
        check_report(check, CHECK_FAIL, "web server", path, "key_file",
                     "/%s doesn't take the key in the file: the endpoint runs with an older one; "
                     "restart it, or let the proxy in front leave Authorization alone",
                     path);
    else
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s refuses with %s what should be refused with %s: restart the endpoints, "
                     "which may run with an older configuration; if that doesn't help, the web "
                     "server or a proxy changes the request",
                     path, word, probe->expected);
}

/* The web server sends us elsewhere before an endpoint is asked. */
static void judge_redirect(struct check *check, const struct probe *probe,
                           const struct probe_answer *answer)
{
    check_report(check, CHECK_FAIL, "web server", "journey", "public_url",
                 "/%s is sent on to %s (status %ld): if that is the right place, it is the "
                 "public_url and what Sage must have; else take the redirect away for this URL",
                 probe->endpoint, answer->location, answer->status);
}

/* `paths` are one or more endpoints' names, joined by ", /". */
static void report_unmapped(struct check *check, const char *paths, const char *verb,
                            const struct probe_answer *answer)
{
    check_report(check, CHECK_FAIL, "web server", "journey", "public_url",
                 "/%s %s handed to feedgate (status %ld, %s): include feedgate's configuration in "
                 "the server or virtual host that answers for %s, or mend public_url; if it is "
                 "included there, a ProxyPass or a rewrite rule of the site takes this URL first "
                 "(doc/first-hour.md, step 8)",
                 paths, verb, answer->status,
                 answer->media_type[0] ? answer->media_type : "no media type",
                 check->call->service.config->journey.public_url);
}

/* The web server has answered by itself, as for any URL that it doesn't know. */
static bool is_unmapped(const struct probe_answer *answer)
{
    static const long others[] = {401, 403, 500, 502, 503, 504};
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (answer->status == others[i])
            return false;
    return answer->word[0] == '\0' && !answer->of_endpoint &&
           (answer->status < 300 || answer->status >= 400);
}

/* An answer without the word: somebody else's, or of an endpoint that doesn't know our key. */
static void judge_silence(struct check *check, const struct probe *probe,
                          const struct probe_answer *answer)
{
    const char *path = probe->endpoint;
    long status = answer->status;
    if (answer->of_endpoint)
        check_report(
            check, CHECK_FAIL, "web server", "store", "database",
            "/%s answers (status %ld), but not with this database: give the endpoints this "
            "configuration (FEEDGATE_CONF) and restart them; else let the proxy in front "
            "pass on %s and %s",
            path, status, OPERATOR_PROOF_REQUEST, OPERATOR_PROOF_ANSWER);
    else if (status >= 300 && status < 400)
        judge_redirect(check, probe, answer);
    else if (status == 500 || status == 502 || status == 503 || status == 504)
        check_socket(check, path, status);
    else if (probe->internal && status == 403)
        check_report(check, CHECK_OK, "web server", NULL, NULL,
                     "/%s is kept from this machine's address by the web server", path);
    else if (status == 401 || status == 403)
        check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                     "/%s is refused by the web server itself (status %ld): take away its own "
                     "password or address rule for this URL (under Apache `Require all granted`)",
                     path, status);
    else
        report_unmapped(check, path, "isn't", answer);
}

/* What is for the provider's own software answers the world; of loopback nobody can tell. */
static void warn_of_the_world(struct check *check, const struct probe *probe)
{
    const char *url = check->call->service.config->journey.public_url;
    if (!probe->internal || check->call->url || probe_url_is_loopback(url))
        return;
    check_report(check, CHECK_WARN, "web server", NULL, NULL,
                 "/%s answers at %s: only its key protects it, unless the web server knows this "
                 "machine; let it in from your backend's addresses alone, as the comment in "
                 "feedgate's configuration of the web server shows",
                 probe->endpoint, url);
}

static void judge_answer(struct check *check, const struct probe *probe,
                         const struct probe_answer *answer)
{
    if (answer->word[0] == '\0') {
        judge_silence(check, probe, answer);
        return;
    }
    judge_refusal(check, probe, answer->word);
    warn_of_the_world(check, probe);
}

/* The first answer shows it for all. */
static void check_transport(struct check *check, const char *base,
                            const struct probe_answer *answer)
{
    if (strncmp(base, "https:", 6) == 0 && !answer->has_hsts)
        check_report(check, CHECK_WARN, "web server", "journey", "public_url",
                     "no Strict-Transport-Security: have the web server add `Strict-Transport-"
                     "Security: max-age=31536000`, so that browsers never try http first");
}

/* Where the requests go; NULL after a report. */
static const char *find_base(struct check *check)
{
    const char *public_url = check->call->service.config->journey.public_url;
    const char *url = check->call->url;
    if (!url)
        return public_url;
    if (url_is_safe(url) && !strchr(url, '?') &&
        (probe_url_is_loopback(url) || probe_same_host(url, public_url)))
        return url;
    check_report(check, CHECK_FAIL, "web server", NULL, NULL,
                 "--url %s: the key header is only sent to public_url's host by https, or to this "
                 "machine, such as %s://127.0.0.1",
                 url, strncmp(public_url, "https:", 6) == 0 ? "https" : "http");
    return NULL;
}

/* Nobody answers at the base, or not so that keys may be sent there. */
static void report_no_answer(struct check *check, const char *base, const char *error)
{
    const struct config *config = check->call->service.config;
    const char *public_url = config->journey.public_url;
    const char *proxy = probe_url_is_loopback(base) ? NULL : config->network.proxy;
    const char *through = proxy ? " through [network] proxy " : "";
    if (strstr(error, "certificate"))
        check_report(check, CHECK_FAIL, "web server", "network", "ca_file",
                     "%s doesn't answer%s%s: %s; let it show a certificate for %s, with those "
                     "between it and its authority; an authority of your own goes into [network] "
                     "ca_file, or the system's CA store",
                     base, through, proxy ? proxy : "", error, public_url);
    else
        check_report(check, CHECK_FAIL, "web server", "journey", "public_url",
                     "%s doesn't answer%s%s: %s; start the web server, or mend public_url%s (if "
                     "only this machine can't reach it: feedgate check --url %s://127.0.0.1)",
                     base, through, proxy ? proxy : "", error, proxy ? " or the proxy" : "",
                     strncmp(public_url, "https:", 6) == 0 ? "https" : "http");
}

/* Sends it; false after a report, since no other would be answered. */
static bool ask(struct check *check, const char *base, const struct probe *probe,
                struct probe_answer *answer)
{
    char error[PROBE_ERROR_MAX];
    switch (probe_send(check->call, base, probe, answer, error)) {
    case PROBE_ANSWERED:
        return true;
    case PROBE_NO_KEY:
        check_report(check, CHECK_WARN, "web server", "store", "database",
                     "can't be looked through: %s; start the endpoints, and run this as root "
                     "or as their user",
                     error);
        return false;
    case PROBE_NO_ANSWER:
        break;
    }
    report_no_answer(check, base, error);
    return false;
}

/* One line for all when the web server knows none of the URLs. */
static bool judge_together(struct check *check, const struct probe *const *asked,
                           const struct probe_answer *answers, size_t count)
{
    char paths[128] = "";
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof paths; i++) {
        if (!is_unmapped(&answers[i]) || answers[i].status != answers[0].status)
            return false;
        int length = snprintf(paths + used, sizeof paths - used, "%s%s", i == 0 ? "" : ", /",
                              asked[i]->endpoint);
        used += length > 0 ? (size_t)length : 0;
    }
    if (count > 1)
        report_unmapped(check, paths, "aren't", &answers[0]);
    return count > 1;
}

void check_web_server(struct check *check)
{
    enum { COUNT = sizeof probes / sizeof probes[0] };
    struct probe_answer answers[COUNT];
    const struct probe *asked[COUNT];
    size_t count = 0;
    bool all = true;
    const char *base = find_base(check);
    for (size_t i = 0; base && all && i < COUNT; i++) {
        if (!is_used(check->call->service.config, &probes[i]))
            continue;
        all = ask(check, base, &probes[i], &answers[count]);
        asked[count] = &probes[i];
        count += all ? 1 : 0;
    }
    if (count > 0)
        check_transport(check, base, &answers[0]);
    if (judge_together(check, asked, answers, count))
        return;
    for (size_t i = 0; i < count; i++)
        judge_answer(check, asked[i], &answers[i]);
}
