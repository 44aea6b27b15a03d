/* SPDX-License-Identifier: MIT */

/*
 * A provider's own application, as small as it can be: what the gate lets
 * through gets a form, and the form's post hands the result to /complete and
 * sends the customer on. It shows all variables that it got, and adds a line
 * for each request to the file APPLICATION_REQUESTS. COMPLETE_URL and
 * COMPLETE_KEY say where the result goes, and with which key.
 */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <fcgiapp.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_SIZE = 4096, FORM_SIZE = 256, ANSWER_SIZE = 8192, ID_SIZE = 37 };

static const char *variable(const FCGX_Request *request, const char *name)
{
    const char *value = FCGX_GetParam(name, request->envp);
    return value != NULL ? value : "";
}

static void note_request(const FCGX_Request *request)
{
    char line[LINE_SIZE];
    int length = snprintf(line, sizeof(line), "%s %.3000s\n", variable(request, "REQUEST_METHOD"),
                          variable(request, "REQUEST_URI"));
    const char *path = getenv("APPLICATION_REQUESTS");
    int file = path != NULL ? open(path, O_WRONLY | O_APPEND | O_CLOEXEC) : -1;
    if (file < 0 || write(file, line, (size_t)length) != length)
        abort(); /* the tests rest on it */
    (void)close(file);
}

static void write_escaped(FCGX_Stream *out, const char *text)
{
    for (; *text != '\0'; text++)
        if (strchr("&<>\"", *text) != NULL)
            (void)FCGX_FPrintF(out, "&#%d;", (int)*text);
        else
            (void)FCGX_PutChar(*text, out);
}

/* The identifier is no secret any more; a real application would use one of its own. */
static void show(const FCGX_Request *request, int status)
{
    FCGX_Stream *out = request->out;
    (void)FCGX_FPrintF(out, "Status: %d\r\nContent-Type: text/html; charset=utf-8\r\n\r\n", status);
    (void)FCGX_FPrintF(out, "<!DOCTYPE html><title>Application</title>\n<pre>\n");
    for (char **pair = request->envp; *pair != NULL; pair++) {
        write_escaped(out, *pair);
        (void)FCGX_PutChar('\n', out);
    }
    (void)FCGX_FPrintF(out, "</pre>\n<form method=\"post\" action=\"/connect\">"
                            "<input type=\"hidden\" name=\"journey\" value=\"");
    write_escaped(out, variable(request, "AUTHORISATION_ID"));
    (void)FCGX_FPrintF(out, "\"><button name=\"status\" value=\"success\">Connect</button>"
                            "<button name=\"status\" value=\"cancelled\">Cancel</button></form>\n");
}

struct answer {
    size_t length;
    char text[ANSWER_SIZE];
};

static size_t take(char *bytes, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    if (size * count >= sizeof(answer->text) - answer->length)
        return 0;
    memcpy(answer->text + answer->length, bytes, size * count);
    answer->length += size * count;
    answer->text[answer->length] = '\0';
    return size * count;
}

static bool post_result(const char *body, struct answer *answer)
{
    char authorization[FORM_SIZE];
    (void)snprintf(authorization, sizeof(authorization), "Authorization: Bearer %s",
                   getenv("COMPLETE_KEY"));
    CURL *handle = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    headers = curl_slist_append(headers, authorization);
    long status = 0;
    bool posted = handle != NULL &&
                  curl_easy_setopt(handle, CURLOPT_URL, getenv("COMPLETE_URL")) == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_PROXY, "") == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_TIMEOUT, 60L) == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_HTTPHEADER, headers) == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_POSTFIELDS, body) == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_WRITEFUNCTION, take) == CURLE_OK &&
                  curl_easy_setopt(handle, CURLOPT_WRITEDATA, answer) == CURLE_OK &&
                  curl_easy_perform(handle) == CURLE_OK &&
                  curl_easy_getinfo(handle, CURLINFO_RESPONSE_CODE, &status) == CURLE_OK;
    curl_slist_free_all(headers);
    curl_easy_cleanup(handle);
    return posted && status == 200;
}

/* "journey=ID&status=WORD", as the form above sends it. */
static void connect_customer(FCGX_Request *request)
{
    static const char account[] = ",\"bankAccounts\":[{\"bankAccountExternalId\":\"application-1\","
                                  "\"accountName\":\"Current\",\"bankIdentifier\":\"000001\","
                                  "\"branchIdentifier\":\"main\",\"accountIdentifier\":\"0042\"}]";
    char form[FORM_SIZE] = "";
    char id[ID_SIZE];
    char status[16];
    char body[1024];
    struct answer answer = {.length = 0};
    int length = FCGX_GetStr(form, sizeof(form) - 1, request->in);
    form[length > 0 ? length : 0] = '\0';
    if (sscanf(form, "journey=%36[0-9A-Za-z-]&status=%15[a-z]", id, status) != 2) {
        (void)FCGX_FPrintF(request->out, "Status: 400\r\nContent-Type: text/plain\r\n\r\n%s", form);
        return;
    }
    (void)snprintf(body, sizeof(body), "{\"authorisationId\":\"%s\",\"status\":\"%s\"%s}", id,
                   status, strcmp(status, "success") == 0 ? account : "");
    bool posted = post_result(body, &answer);
    cJSON *json = posted ? cJSON_Parse(answer.text) : NULL;
    const char *url = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, "redirectUrl"));
    if (url != NULL)
        (void)FCGX_FPrintF(request->out, "Status: 303\r\nLocation: %s\r\n\r\n", url);
    else
        (void)FCGX_FPrintF(request->out, "Status: 502\r\nContent-Type: text/plain\r\n\r\n%s",
                           answer.text);
    cJSON_Delete(json);
}

/* What wasn't asked about has none, whatever the web server's configuration says. */
static bool is_gated(const FCGX_Request *request)
{
    return variable(request, "FLOW")[0] != '\0';
}

int main(void)
{
    FCGX_Request request;
    if (FCGX_Init() != 0 || FCGX_InitRequest(&request, 0, 0) != 0 ||
        curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
        return EXIT_FAILURE;
    while (FCGX_Accept_r(&request) >= 0) {
        bool own = strncmp(variable(&request, "REQUEST_URI"), "/connect", 8) == 0;
        note_request(&request);
        if (own && strcmp(variable(&request, "REQUEST_METHOD"), "POST") == 0)
            connect_customer(&request);
        else
            show(&request, own || is_gated(&request) ? 200 : 500);
        FCGX_Finish_r(&request);
    }
    return EXIT_SUCCESS;
}
