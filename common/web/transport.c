/* SPDX-License-Identifier: MIT */
#include "transport.h"

#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { DRAINED_MAX = 4 * 1024 * 1024 };

bool transport_is_cgi(void)
{
    return FCGX_IsCGI() != 0;
}

bool transport_start(void)
{
    return FCGX_Init() == 0;
}

void transport_init(FCGX_Request *request)
{
    /* No listener: connections are accepted by us, so FCGX_Accept_r() never waits for one. */
    (void)FCGX_InitRequest(request, -1, 0); /* always succeeds */
}

static const char *fastcgi_variable(void *source, const char *name)
{
    const FCGX_Request *request = source;
    return FCGX_GetParam(name, request->envp);
}

/*
 * nginx hands over a header that came twice as two variables, and lighttpd one
 * that came as X-Name and as X_Name; the others are joined to one.
 */
static bool is_there_twice(char *const *variables, const char *name)
{
    size_t length = strlen(name);
    size_t count = 0;
    for (; *variables; variables++)
        if (strncmp(*variables, name, length) == 0 && (*variables)[length] == '=')
            count++;
    return count > 1;
}

static bool fastcgi_repeated(void *source, const char *name)
{
    const FCGX_Request *request = source;
    return is_there_twice(request->envp, name);
}

static long fastcgi_read(void *source, char *bytes, size_t size)
{
    const FCGX_Request *request = source;
    int wanted = size > INT_MAX ? INT_MAX : (int)size;
    int count = FCGX_GetStr(bytes, wanted, request->in);
    return count < wanted && FCGX_GetError(request->in) != 0 ? -1 : count;
}

static bool fastcgi_write(void *source, const char *bytes, size_t length)
{
    const FCGX_Request *request = source;
    while (length > 0) {
        int wanted = length > INT_MAX ? INT_MAX : (int)length;
        int count = FCGX_PutStr(bytes, wanted, request->out);
        if (count <= 0)
            return false;
        bytes += count;
        length -= (size_t)count;
    }
    return true;
}

/* How libfcgi's own record of a stream begins, in all of 2.4; its header doesn't show it. */
struct stream_buffer {
    unsigned char *bytes;
    int size;
};

static void wipe_stream(const FCGX_Stream *stream)
{
    const struct stream_buffer *buffer = stream->data;
    const unsigned char *place = stream->isReader ? stream->rdNext : stream->wrNext;
    /* Where it isn't so, nothing is touched. */
    if (buffer->size > 0 && place >= buffer->bytes && place - buffer->bytes <= buffer->size)
        OPENSSL_cleanse(buffer->bytes, (size_t)buffer->size);
}

/* Before libfcgi frees it: any variable may repeat what only the client should know. */
static void wipe_request(const FCGX_Request *request)
{
    wipe_stream(request->in);
    wipe_stream(request->out);
    for (char **variable = request->envp; *variable; variable++)
        memory_wipe_text(strchr(*variable, '='));
}

bool transport_accept(struct transport *transport, FCGX_Request *request, int connection)
{
    request->ipcFd = connection;
    request->keepConnection = 1; /* else FCGX_Accept_r() would close it before it reads */
    if (FCGX_Accept_r(request) != 0)
        return false;
    *transport = (struct transport){
        .source = request,
        .variable = fastcgi_variable,
        .repeated = fastcgi_repeated,
        .read = fastcgi_read,
        .write = fastcgi_write,
    };
    if (FCGX_GetError(request->in) == 0 && fastcgi_variable(request, "REQUEST_METHOD"))
        return true;
    wipe_request(request);
    FCGX_Free(request, 1); /* closed without a word: there is nothing to answer */
    return false;
}

void transport_finish(FCGX_Request *request, struct lingering *lingering)
{
    /* libfcgi would wait in this thread until the peer has closed, or close a kept one never. */
    request->keepConnection = 1;
    request->detached = 1;
    if (request->in) {
        /* As FCGX_Finish_r() does; what they return it finds again. */
        (void)FCGX_FClose(request->err);
        (void)FCGX_FClose(request->out);
        wipe_request(request);
    }
    FCGX_Finish_r(request);
    request->detached = 0;
    if (request->ipcFd >= 0)
        linger_take(lingering, request->ipcFd);
    request->ipcFd = -1;
}

static const char *cgi_variable(void *source, const char *name)
{
    (void)source;
    return getenv(name); /* nothing in this process changes the environment */
}

static bool cgi_repeated(void *source, const char *name)
{
    (void)source;
    return is_there_twice(environ, name);
}

static long cgi_read(void *source, char *bytes, size_t size)
{
    struct cgi_source *cgi = source;
    if (cgi->unread >= 0 && (long long)size > cgi->unread)
        size = (size_t)cgi->unread;
    if (size == 0)
        return 0;
    ssize_t count;
    do
        count = read(STDIN_FILENO, bytes, size);
    while (count < 0 && errno == EINTR);
    if (count > 0 && cgi->unread >= 0)
        cgi->unread -= count;
    return count;
}

static bool cgi_write(void *source, const char *bytes, size_t length)
{
    (void)source;
    return fwrite(bytes, 1, length, stdout) == length && fflush(stdout) == 0;
}

void transport_drain(const struct transport *transport)
{
    char dropped[8192];
    for (size_t count = 0; count < DRAINED_MAX; count += sizeof dropped)
        if (transport->read(transport->source, dropped, sizeof dropped) <= 0)
            return;
}

void transport_from_environment(struct transport *transport, struct cgi_source *source)
{
    /* RFC 3875 section 4.2: no more may be read than is declared. */
    const char *declared = getenv("CONTENT_LENGTH");
    bool number = declared && declared[0] && strspn(declared, "0123456789") == strlen(declared);
    source->unread = number ? strtoll(declared, NULL, 10) : -1;
    *transport = (struct transport){
        .source = source,
        .variable = cgi_variable,
        .repeated = cgi_repeated,
        .read = cgi_read,
        .write = cgi_write,
    };
}

/* What the web server made of the request (RFC 3875 section 4.1); all else is the process's own. */
void transport_wipe_environment(void)
{
    static const char *const beginnings[] = {"HTTP_", "QUERY_STRING=", "REQUEST_URI=", "REDIRECT_",
                                             "PATH_INFO="};
    for (char **variable = environ; *variable; variable++)
        for (size_t i = 0; i < sizeof beginnings / sizeof beginnings[0]; i++)
            if (strncmp(*variable, beginnings[i], strlen(beginnings[i])) == 0)
                memory_wipe_text(strchr(*variable, '='));
}
