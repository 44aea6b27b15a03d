/* SPDX-License-Identifier: MIT */
#include "config.h"

#include "base/cleanup.h"
#include "config_private.h"

#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef FEEDGATE_DEFAULT_CONF
#define FEEDGATE_DEFAULT_CONF "/etc/feedgate/feedgate.conf"
#endif

enum { FILE_BYTES_MAX = 64 * 1024 };

const char *config_path(void)
{
    const char *path = getenv("FEEDGATE_CONF");
    return path != NULL && path[0] != '\0' ? path : FEEDGATE_DEFAULT_CONF;
}

static bool keep_file(struct config_reading *reading, const char *path)
{
    _cleanup_(cleanup_free) char *here = path[0] == '/' ? NULL : getcwd(NULL, 0);
    if (path[0] != '/' && here == NULL)
        return false;
    reading->config->file =
        config_keep_joined(reading, here, here == NULL ? 0 : strlen(here), path);
    return reading->config->file != NULL;
}

/* Last, since [availableaccounts] has a say in it. Errors are of the key's own line. */
static bool open_secrets(struct config_reading *reading)
{
    const int line = reading->line;
    unsigned wanted = reading->secrets;
    if ((wanted & SECRETS_NOTIFICATION_IF_REQUIRED) != 0 &&
        reading->config->availableaccounts.require_key_header)
        wanted |= SECRETS_NOTIFICATION;
    for (size_t i = 0; i < config_key_count; i++) {
        const struct config_key *key = &config_keys[i];
        reading->line = config_key_line(reading, key);
        if ((key->secrets & wanted) != 0 && reading->line != 0 && !config_open_secret(reading, key))
            return false;
    }
    reading->line = line;
    return true;
}

static bool load(struct config *config, const char *path, unsigned secrets,
                 char error[CONFIG_ERROR_MAX])
{
    char text[FILE_BYTES_MAX + 1];
    const char *complaint = NULL;
    struct config_reading reading = {.config = config, .secrets = secrets, .error = error};
    if (!keep_file(&reading, path))
        return false;
    ssize_t length = config_file_read(config->file, 0, text, sizeof(text), &complaint);
    if (length < 0) {
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: can't be read: %s", config->file, complaint);
        return false;
    }
    return config_read_lines(&reading, text, (size_t)length) && open_secrets(&reading) &&
           config_settle(&reading);
}

struct config *config_load(const char *path, unsigned secrets, char error[CONFIG_ERROR_MAX])
{
    struct config *config = calloc(1, sizeof(*config));
    error[0] = '\0';
    if (config != NULL && load(config, path, secrets, error))
        return config;
    config_free(config);
    if (error[0] == '\0')
        (void)snprintf(error, CONFIG_ERROR_MAX, "%s: can't be read: memory is out", path);
    return NULL;
}

void config_free(struct config *config)
{
    if (config == NULL)
        return;
    while (config->texts != NULL) {
        struct config_text *text = config->texts;
        config->texts = text->next;
        free(text);
    }
    OPENSSL_cleanse(config, sizeof(*config));
    free(config);
}

int config_line(const struct config *config, const char *section, const char *key)
{
    const struct config_key *found = config_key_find(section, key);
    return found == NULL ? 0 : config->lines[found - config_keys];
}
