/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_TEST_WIRE_H
#define FEEDGATE_TEST_WIRE_H

#include "client.h"

#include <stdbool.h>
#include <stddef.h>

/* Connections written byte by byte, for what no HTTP library would send. */

/* Connections end with the test at the latest. */
int wire_connect_http(void);
int wire_connect_port(unsigned port); /* of 127.0.0.1 */
int wire_connect_socket(const char *path);
void wire_close(int wire);

/* Ends our half of the connection, so that the other side sees its end; reading goes on. */
void wire_end_sending(int wire);

/* false when the other side doesn't take it any more. */
bool wire_send(int wire, const void *bytes, size_t length);

/* An HTTP request as bytes, with `Connection: keep-alive`. */
void wire_send_request(int wire, const struct request *request);

/* Reads one HTTP answer with a Content-Length; the status, or 0 when there is none. */
int wire_read_answer(int wire);

/* Reads to the end of the connection. */
const char *wire_read_all(int wire, size_t *length);

/* ---- FastCGI ------------------------------------------------------------- */

enum { FASTCGI_BEGIN = 1, FASTCGI_PARAMS = 4, FASTCGI_STDIN = 5, FASTCGI_STDOUT = 6 };

enum fastcgi_role { FASTCGI_RESPONDER = 1, FASTCGI_AUTHORIZER = 2 };

/* Connects to an endpoint's socket and begins a request in the Responder role. */
int fastcgi_begin(const char *endpoint);

void fastcgi_send(int wire, int type, const void *bytes, size_t length);

/* Name and value of a parameter; both shorter than 128 bytes, or 4-byte lengths are used. */
void fastcgi_send_parameter(int wire, const char *name, const char *value);

/* The variables that a web server makes of the request, without the end of their stream. */
void fastcgi_send_variables(int wire, const struct request *request);

/* Reads to the end and returns what came as STDOUT: a CGI answer. */
const char *fastcgi_read_answer(int wire);

/*
 * Sends the request straight to its endpoint, for what web servers refuse or
 * repair on the way; the answer is judged as any other. Where the endpoint has no
 * lasting socket its program is run as plain CGI.
 */
struct response fastcgi_exchange(const struct request *request);

/* The same in another role, with further variables, "NAME=value", that end with NULL. */
struct response fastcgi_exchange_as(const struct request *request, enum fastcgi_role role,
                                    const char *const *variables);

/*
 * Sends the request through the web server, unless its query is one that
 * lighttpd wouldn't pass on as it is: escaped control characters it refuses
 * itself (without our headers), bad escapes it repairs.
 */
struct response send_unchanged(const struct request *request);

/* The header of a body that doesn't say how long it is. */
#define CHUNKED "Transfer-Encoding: chunked"

/* A web server's variables as "NAME=value", ending with NULL: plain CGI's environment. */
const char *const *cgi_variables(const struct request *request);

/* Runs the endpoint's program as a CGI server would; returns its answer. */
const char *cgi_run(const struct request *request);

/* The status that a CGI answer begins with; 0 if it is no answer. */
int cgi_status(const char *answer);

#endif
