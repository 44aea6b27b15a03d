/* SPDX-License-Identifier: MIT */
#include "config_private.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define BLANKS " \t"

enum { QUOTED_MAX = 64, ADDRESSES_FILE_MAX = 64 * 1024 };

/* Adds one range of a list; false after config_refuse(). */
static bool add_range(struct config_reading *reading, const struct config_key *key,
                      const char *word, size_t length)
{
    struct address_range range;
    const char *complaint = NULL;
    if (!address_range_parse(word, length, &range, &complaint))
        return config_refuse(reading, key, "can't have \"%.*s\", which %s",
                             length > QUOTED_MAX ? QUOTED_MAX : (int)length, word, complaint);
    return address_set_add(config_key_field(reading, key), &range) ||
           config_refuse(reading, key, "has more than %d ranges", ADDRESS_SET_MAX);
}

bool config_read_addresses(struct config_reading *reading, const struct config_key *key,
                           const char *value)
{
    for (value += strspn(value, BLANKS); *value != '\0' && *value != ';';
         value += strspn(value, BLANKS)) {
        size_t length = strcspn(value, BLANKS);
        if (!add_range(reading, key, value, length))
            return false;
        value += length;
    }
    return true;
}

/*
 * The file is what keeps strangers out, so one that can't be used ends the
 * start: without ranges everybody would be refused, and what others may write
 * to lets in whom they like.
 */
bool config_read_addresses_file(struct config_reading *reading, const struct config_key *key,
                                const char *value)
{
    char text[ADDRESSES_FILE_MAX];
    const char *complaint = NULL;
    int line = 0;
    struct config_addresses *addresses = config_key_field(reading, key);
    addresses->file = config_keep_path(reading, value);
    if (addresses->file == NULL)
        return false;
    ssize_t length = config_file_read(addresses->file, S_IWOTH, text, sizeof(text), &complaint);
    if (length < 0)
        return config_refuse(reading, key, "names %s: %s", addresses->file, complaint);
    if (!address_set_read(&addresses->set, text, (size_t)length, &line, &complaint))
        return config_refuse(reading, key, "names %s, whose line %d %s", addresses->file, line,
                             complaint);
    return addresses->set.count > 0 ||
           config_refuse(reading, key,
                         "names %s, which has no range; copy the list that comes with feedgate, "
                         "or remove the line to take requests from everywhere",
                         addresses->file);
}
