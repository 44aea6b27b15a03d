/* SPDX-License-Identifier: MIT */
#ifndef FEEDGATE_CONFIG_PRIVATE_H
#define FEEDGATE_CONFIG_PRIVATE_H

#include "config.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What the parts of the configuration share; nobody else includes it.
 *
 *     config.c         load and free
 *     config_table.c   every key: how it is read, its range, its default
 *     config_lines.c   the file's lines, one by one, to the keys
 *     config_reading.c complaints with their place, and texts that stay
 *     config_value.c   one reader for each type of value
 *     config_address.c addresses, in a list or in a file of their own
 *     config_file.c    files with bounds, and the secrets in them
 *     config_rules.c   what must hold among the keys
 */

enum { CONFIG_ENVIRONMENTS = 3, CONFIG_SECTIONS_MAX = 16 };

/* A text that the configuration owns, on the chain of all of them. */
struct config_text {
    struct config_text *next;
    char bytes[];
};

/* A file that is being read. */
struct config_reading {
    struct config *config;                  /* what was understood so far */
    int line;                               /* where we are */
    int section_lines[CONFIG_SECTIONS_MAX]; /* where each section begins; 0: nowhere */
    unsigned secrets;                       /* of enum config_secrets: what is asked for */
    char *error;                            /* empty until something is wrong */
};

struct config_key;

/* Reads a value into the key's field. False after config_refuse(). */
typedef bool config_reader(struct config_reading *reading, const struct config_key *key,
                           const char *value);

enum config_rule {
    CONFIG_REQUIRED = 1,    /* must be given where it has no default */
    CONFIG_LIST = 2,        /* may go on over indented lines; read line by line */
    CONFIG_CUSTOM_ONLY = 4, /* built in for the other environments */
};

struct config_key {
    const char *section;
    const char *name;
    config_reader *read;
    size_t field; /* offset in struct config */
    unsigned rules;
    unsigned secrets;                          /* of enum config_secrets: to which it belongs */
    const char *defaults[CONFIG_ENVIRONMENTS]; /* by enum environment, as the file would say */
    const char *const *choices;                /* in the order of the field's enumeration */
    int64_t least_ms, most_ms;
};

extern const struct config_key config_keys[];
extern const size_t config_key_count;

/* The key of exactly this name; NULL when there is none. */
const struct config_key *config_key_find(const char *section, const char *name);

/* The index of a section among section_lines; -1 when there is none of this name. */
int config_section_find(const char *section);

/* The line at which the file gives the key; 0 when it doesn't. */
int config_key_line(const struct config_reading *reading, const struct config_key *key);

/* Where a key's value is kept. */
void *config_key_field(const struct config_reading *reading, const struct config_key *key);

/* Goes through the file's bytes, which end with a NUL of their own. False after config_refuse(). */
bool config_read_lines(struct config_reading *reading, const char *text, size_t length);

/* Notes "FILE:LINE: message" unless something was wrong before. Always false. */
__attribute__((format(printf, 3, 4))) bool config_refuse_line(struct config_reading *reading,
                                                              int line, const char *format, ...);

/* The same about a key's value, at the line where we are: "FILE:LINE: [section] key message". */
__attribute__((format(printf, 3, 4))) bool config_refuse(struct config_reading *reading,
                                                         const struct config_key *key,
                                                         const char *format, ...);

/* A copy that the configuration owns; NULL after config_refuse(). */
char *config_keep(struct config_reading *reading, const char *bytes, size_t length);

/* `path` as seen from a directory of `length` bytes, unless it begins at the root; likewise. */
char *config_keep_joined(struct config_reading *reading, const char *directory, size_t length,
                         const char *path);

/* A path as it is seen from the directory of the file; owned by the configuration. */
char *config_keep_path(struct config_reading *reading, const char *path);

/*
 * Reads a regular file of at most `size` - 1 bytes, whose mode has none of the
 * `forbidden` bits, and puts a NUL behind. Returns its length, or -1 and in
 * `*complaint` why not (static, or from strerror()).
 */
ssize_t config_file_read(const char *path, mode_t forbidden, char *buffer, size_t size,
                         const char **complaint);

/* Judges what must hold among the keys once each has its value; false after config_refuse(). */
bool config_settle(struct config_reading *reading);

/* Reads the file of a key whose reader is config_read_secret(); false after config_refuse(). */
bool config_open_secret(struct config_reading *reading, const struct config_key *key);

/* One reader for each type of value. */
config_reader config_read_choice;          /* enumeration */
config_reader config_read_word;            /* visible ASCII without spaces */
config_reader config_read_one_of;          /* a word out of `choices` */
config_reader config_read_client;          /* a word, or `any` for NULL */
config_reader config_read_yes_no;          /* bool */
config_reader config_read_duration;        /* int64_t, milliseconds */
config_reader config_read_url;             /* https, or http to loopback */
config_reader config_read_base_url;        /* the same to put a path behind */
config_reader config_read_proxy;           /* http or https, to anywhere */
config_reader config_read_path;            /* made absolute */
config_reader config_read_secret;          /* struct config_secret; looks at the file named */
config_reader config_read_key_header;      /* the name of a header of our own */
config_reader config_read_addresses;       /* struct address_set */
config_reader config_read_addresses_file;  /* struct config_addresses, from the file named */
config_reader config_read_origins;         /* struct config_list */
config_reader config_read_frame_ancestors; /* items of a CSP source list */
config_reader config_read_title;           /* text for people */

#endif
