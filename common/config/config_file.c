/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/utf8.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>

static const char *judge_file(const struct stat *status, mode_t forbidden)
{
    if (!S_ISREG(status->st_mode))
        return "not a regular file";
    return (status->st_mode & forbidden) != 0 ? "others may use it; take that away: chmod o= FILE"
                                              : NULL;
}

ssize_t config_file_read(const char *path, mode_t forbidden, char *buffer, size_t size,
                         const char **complaint)
{
    struct stat status;
    /* Links are followed, systemd's credentials are some; what is at their end is judged. */
    _cleanup_(cleanup_close) int descriptor = file_open(path, FILE_LINKS_FOLLOWED, &status);
    if (descriptor < 0) {
        *complaint = strerror(errno);
        return -1;
    }
    *complaint = judge_file(&status, forbidden);
    if (*complaint != NULL)
        return -1;
    ssize_t length = file_read(descriptor, buffer, size);
    if (length < 0) {
        *complaint = strerror(errno);
        return -1;
    }
    if ((size_t)length == size) {
        *complaint = "too large";
        return -1;
    }
    buffer[length] = '\0';
    return length;
}

/* Without the end of its line, of which editors write one. */
static size_t without_newline(const char *text, size_t length)
{
    if (length > 0 && text[length - 1] == '\n')
        length--;
    else
        return length;
    return length > 0 && text[length - 1] == '\r' ? length - 1 : length;
}

/* Takes a secret's bytes, or says what is wrong with them, but never what they are. */
static bool take_secret(struct config_reading *reading, const struct config_key *key,
                        const char *path, const char *bytes, size_t length)
{
    struct config_secret *secret = config_key_field(reading, key);
    length = without_newline(bytes, length);
    if (length < CONFIG_KEY_MIN || length > CONFIG_KEY_MAX)
        return config_refuse(reading, key, "names %s, which has %zu characters; it needs %d to %d",
                             path, length, CONFIG_KEY_MIN, CONFIG_KEY_MAX);
    if (!ascii_is_visible(bytes, length))
        return config_refuse(reading, key,
                             "names %s, which must be one line of visible ASCII characters "
                             "without spaces",
                             path);
    memcpy(secret->bytes, bytes, length);
    secret->length = length;
    return true;
}

/* What Sage gave can't be made here; a key of one's own can. */
static const char *advise(const struct config_key *key)
{
    bool from_sage = strcmp(key->section, "provider_api") == 0;
    return from_sage ? "; write what Sage gave you into it, mode 0640"
                     : "; make one: (umask 027; openssl rand -hex 32 >FILE)";
}

static bool refuse_file(struct config_reading *reading, const struct config_key *key,
                        const char *path, const char *complaint)
{
    bool missing = access(path, F_OK) != 0 && errno == ENOENT;
    return config_refuse(reading, key, "names %s: %s%s", path, complaint,
                         missing ? advise(key) : "");
}

/* Whoever may read it, what it is can be seen; the content is for who asks for the secret. */
bool config_read_secret(struct config_reading *reading, const struct config_key *key,
                        const char *value)
{
    struct config_secret *secret = config_key_field(reading, key);
    struct stat status;
    secret->file = config_keep_path(reading, value);
    if (secret->file == NULL)
        return false;
    if (stat(secret->file, &status) != 0)
        return refuse_file(reading, key, secret->file, strerror(errno));
    const char *complaint = judge_file(&status, S_IRWXO);
    return complaint == NULL || refuse_file(reading, key, secret->file, complaint);
}

bool config_open_secret(struct config_reading *reading, const struct config_key *key)
{
    char bytes[CONFIG_KEY_MAX + 4]; /* with the end of a line, one byte too many and a NUL */
    const char *complaint = NULL;
    const struct config_secret *secret = config_key_field(reading, key);
    ssize_t length = config_file_read(secret->file, S_IRWXO, bytes, sizeof(bytes), &complaint);
    bool taken = length < 0 ? refuse_file(reading, key, secret->file, complaint)
                            : take_secret(reading, key, secret->file, bytes, (size_t)length);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return taken;
}
