/* SPDX-License-Identifier: MIT */
#include "local_key.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>

enum { KEY_BYTES = 32, KEY_MODE = 0640 };

struct local_key {
    char *path;
};

enum found { KEY_FOUND, KEY_MISSING, KEY_UNUSABLE };

static enum found refuse_file(const char *path, const char *complaint,
                              char error[LOCAL_KEY_ERROR_MAX])
{
    (void)snprintf(error, LOCAL_KEY_ERROR_MAX, "%s: %s", path, complaint); /* cut at worst */
    return KEY_UNUSABLE;
}

/* What is wrong with the file that was opened; NULL when it can be the key. */
static const char *judge_file(const struct stat *status)
{
    if (!S_ISREG(status->st_mode))
        return "not a regular file";
    if ((status->st_mode & S_IRWXO) != 0)
        return "others may use it, so its codes are no secret: remove it, and a new key is made";
    if (status->st_size != KEY_BYTES)
        return "not a key of 32 bytes: remove it, and a new one is made";
    return NULL;
}

static void wipe(unsigned char (*key)[KEY_BYTES])
{
    OPENSSL_cleanse(*key, sizeof *key);
}

/* Its group may only read it, since nobody ever writes it again; older versions let it write. */
static void narrow(int file, const struct stat *status)
{
    if (status->st_uid == geteuid() && (status->st_mode & (S_IWGRP | S_IXGRP)) != 0)
        (void)fchmod(file, status->st_mode & KEY_MODE); /* where it can't be, check tells */
}

static enum found read_key(const char *path, unsigned char key[KEY_BYTES],
                           char error[LOCAL_KEY_ERROR_MAX])
{
    struct stat status;
    /* A link could lead to a file that somebody else knows. */
    _cleanup_(cleanup_close) int file = file_open(path, FILE_LINKS_REFUSED, &status);
    if (file < 0 && errno == ENOENT)
        return KEY_MISSING;
    if (file < 0 && errno == ELOOP)
        return refuse_file(path, "is a link; the key must be a file", error);
    if (file < 0)
        return refuse_file(path, strerror(errno), error);
    const char *complaint = judge_file(&status);
    if (complaint)
        return refuse_file(path, complaint, error);
    ssize_t length = file_read(file, key, KEY_BYTES);
    if (length != KEY_BYTES)
        return refuse_file(path, length < 0 ? strerror(errno) : "can't be read whole", error);
    narrow(file, &status);
    return KEY_FOUND;
}

/* Makes the file's content and mode, for good; 0 or the errno. */
static int fill(int file)
{
    unsigned char bytes[KEY_BYTES];
    if (RAND_bytes(bytes, sizeof bytes) != 1)
        return EIO;
    errno = ENOSPC; /* what a short write means */
    bool written = write(file, bytes, sizeof bytes) == KEY_BYTES && fchmod(file, KEY_MODE) == 0 &&
                   fsync(file) == 0;
    int reason = errno;
    OPENSSL_cleanse(bytes, sizeof bytes);
    return written ? 0 : reason;
}

/*
 * The file gets its name only once it is whole, and link() never takes a name
 * from another file: whoever comes second throws its own away. 0 or the errno.
 */
static int make_key(const char *path)
{
    _cleanup_(cleanup_free) char *temporary = NULL;
    if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
        temporary = NULL; /* its value is undefined then */
        return ENOMEM;
    }
    _cleanup_(cleanup_close) int file = mkostemp(temporary, O_CLOEXEC);
    if (file < 0)
        return errno;
    int reason = fill(file);
    if (reason == 0 && link(temporary, path) != 0 && errno != EEXIST)
        reason = errno;
    (void)unlink(temporary); /* one that stays is in nobody's way */
    return reason != 0 ? reason : file_sync_name(path);
}

static enum found read_or_make(const char *path, char error[LOCAL_KEY_ERROR_MAX])
{
    _cleanup_(wipe) unsigned char key[KEY_BYTES];
    enum found found = read_key(path, key, error);
    if (found != KEY_MISSING)
        return found;
    int reason = make_key(path);
    if (reason != 0)
        return refuse_file(path, strerror(reason), error);
    found = read_key(path, key, error);
    return found == KEY_MISSING ? refuse_file(path, strerror(ENOENT), error) : found;
}

struct local_key *local_key_open(const char *database, char error[LOCAL_KEY_ERROR_MAX])
{
    struct local_key *key = calloc(1, sizeof *key);
    if (!key || asprintf(&key->path, "%s.key", database) < 0) {
        free(key);
        (void)snprintf(error, LOCAL_KEY_ERROR_MAX, "out of memory");
        return NULL;
    }
    if (read_or_make(key->path, error) == KEY_FOUND)
        return key;
    local_key_close(key);
    return NULL;
}

void local_key_close(struct local_key *key)
{
    if (key)
        free(key->path);
    free(key);
}

bool local_key_hash(const struct local_key *key, const void *bytes, size_t length,
                    char hash[DIGEST_TEXT])
{
    _cleanup_(wipe) unsigned char secret[KEY_BYTES];
    char error[LOCAL_KEY_ERROR_MAX] = "it is gone";
    unsigned char digest[DIGEST_BYTES];
    if (read_key(key->path, secret, error) != KEY_FOUND) {
        log_event(LOG_LEVEL_ERROR, "code_key_unusable", {"file", key->path}, {"detail", error});
        return false;
    }
    if (!digest_hmac(secret, KEY_BYTES, bytes, length, digest))
        return false;
    digest_write(digest, hash);
    return true;
}

bool local_key_derive(const char *database, const char *label, unsigned char derived[DIGEST_BYTES],
                      char error[LOCAL_KEY_ERROR_MAX])
{
    _cleanup_(wipe) unsigned char secret[KEY_BYTES];
    _cleanup_(cleanup_free) char *path = NULL;
    if (asprintf(&path, "%s.key", database) < 0) {
        path = NULL; /* its value is undefined then */
        return refuse_file("key", strerror(ENOMEM), error) == KEY_FOUND;
    }
    enum found found = read_key(path, secret, error);
    if (found == KEY_MISSING)
        (void)refuse_file(path, strerror(ENOENT), error);
    if (found != KEY_FOUND)
        return false;
    if (digest_hmac(secret, KEY_BYTES, label, strlen(label), derived))
        return true;
    return refuse_file(path, "OpenSSL fails", error) == KEY_FOUND;
}
