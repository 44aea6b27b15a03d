/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/cleanup.h"
#include "base/json.h"
#include "base/log.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { CAPTURE_MAX = 4 * LOG_LINE_MAX };

/* Standard error, which goes to a file between begin() and end(). */
static struct {
    FILE *file;
    int original;
    char text[CAPTURE_MAX];
} capture;

static void begin_capture(void)
{
    capture.file = tmpfile();
    ck_assert_ptr_nonnull(capture.file);
    capture.original = dup(STDERR_FILENO);
    ck_assert_int_ge(capture.original, 0);
    ck_assert_int_ge(dup2(fileno(capture.file), STDERR_FILENO), 0);
}

static const char *end_capture(void)
{
    ck_assert_int_ge(dup2(capture.original, STDERR_FILENO), 0);
    ck_assert_int_eq(close(capture.original), 0);
    rewind(capture.file);
    size_t length = fread(capture.text, 1, sizeof(capture.text) - 1, capture.file);
    capture.text[length] = '\0';
    ck_assert_int_eq(fclose(capture.file), 0);
    return capture.text;
}

/* The one line that was written; it must be strict JSON, as all lines are. */
static cJSON *captured_line(void)
{
    const char *text = end_capture();
    size_t length = strlen(text);
    ck_assert_uint_gt(length, 0);
    ck_assert_uint_le(length, LOG_LINE_MAX);
    ck_assert_ptr_eq(strchr(text, '\n'), text + length - 1);
    cJSON *line = cJSON_ParseWithLength(text, length);
    ck_assert_msg(line != NULL, "%s", text);
    return line;
}

static void open_for_test(enum log_level level)
{
    log_open("parts", LOG_TO_STDERR, level);
    begin_capture();
}

START_TEST(a_line_is_one_json_object)
{
    open_for_test(LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_INFO, "session_opened", {"log_id", "abc"}, {"flow", NULL}, {"bank", ""});
    _cleanup_(cleanup_json) cJSON *line = captured_line();
    ck_assert_str_eq(json_text(line, "level"), "info");
    ck_assert_str_eq(json_text(line, "program"), "parts");
    ck_assert_str_eq(json_text(line, "event"), "session_opened");
    ck_assert_str_eq(json_text(line, "log_id"), "abc");
    ck_assert_str_eq(json_text(line, "bank"), "");
    ck_assert_ptr_null(json_member(line, "flow"));
}
END_TEST

START_TEST(a_line_needs_no_fields)
{
    open_for_test(LOG_LEVEL_INFO);
    log_line(LOG_LEVEL_ERROR, "stopped", NULL, 0);
    _cleanup_(cleanup_json) cJSON *line = captured_line();
    ck_assert_str_eq(json_text(line, "level"), "error");
}
END_TEST

START_TEST(the_time_is_utc_with_milliseconds)
{
    static const char form[] = "dddd-dd-ddTdd:dd:dd.dddZ";
    open_for_test(LOG_LEVEL_INFO);
    log_line(LOG_LEVEL_INFO, "started", NULL, 0);
    _cleanup_(cleanup_json) cJSON *line = captured_line();
    const char *time = json_text(line, "time");
    ck_assert_uint_eq(strlen(time), strlen(form));
    for (size_t i = 0; i < strlen(form); i++)
        ck_assert_msg(form[i] == 'd' ? strchr("0123456789", time[i]) != NULL : form[i] == time[i],
                      "%s", time);
}
END_TEST

START_TEST(a_line_above_the_level_is_not_written)
{
    open_for_test(LOG_LEVEL_WARNING);
    log_line(LOG_LEVEL_INFO, "started", NULL, 0);
    log_line(LOG_LEVEL_DEBUG, "detail", NULL, 0);
    ck_assert_str_eq(end_capture(), "");

    open_for_test(LOG_LEVEL_WARNING);
    log_line(LOG_LEVEL_WARNING, "slow", NULL, 0);
    cJSON_Delete(captured_line());
}
END_TEST

START_TEST(every_line_is_written_at_level_debug)
{
    for (int level = LOG_LEVEL_ERROR; level <= LOG_LEVEL_DEBUG; level++) {
        open_for_test(LOG_LEVEL_DEBUG);
        log_line((enum log_level)level, "any", NULL, 0);
        cJSON_Delete(captured_line());
    }
}
END_TEST

START_TEST(before_the_log_is_opened_warnings_go_to_standard_error)
{
    begin_capture();
    log_line(LOG_LEVEL_INFO, "quiet", NULL, 0);
    log_line(LOG_LEVEL_WARNING, "loud", NULL, 0);
    _cleanup_(cleanup_json) cJSON *line = captured_line();
    ck_assert_str_eq(json_text(line, "event"), "loud");
    ck_assert_str_eq(json_text(line, "program"), "feedgate");
}
END_TEST

static const struct {
    const char *text;
    const char *written; /* between the quotes */
} escapes[] = {
    {"plain", "plain"},
    {"\"quoted\"", "\\\"quoted\\\""},
    {"back\\slash", "back\\\\slash"},
    {"two\nlines\r", "two\\u000alines\\u000d"},
    {"\t\x01\x1f", "\\u0009\\u0001\\u001f"},
    {"\x1b[31mred", "\\u001b[31mred"},
    {"\x7f", "\\u007f"},
    {"\xC2\x9B"
     "31m",
     "\\u009b31m"},
    {"\xC2\xA0", "\xC2\xA0"},
    {"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80", "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80"},
    {"\xC3", "\\ufffd"},
    {"\xC3(", "\\ufffd("},
    {"\xED\xA0\x80", "\\ufffd\\ufffd\\ufffd"},
    {"\xFF\xFE", "\\ufffd\\ufffd"},
    {"\"}\n{\"level\":\"error", "\\\"}\\u000a{\\\"level\\\":\\\"error"},
};

START_TEST(a_text_is_escaped)
{
    char expected[256];
    open_for_test(LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_INFO, "seen", {"text", escapes[_i].text});
    cJSON_Delete(captured_line());
    int length = snprintf(expected, sizeof(expected), "\"event\":\"seen\",\"text\":\"%s\"}\n",
                          escapes[_i].written);
    ck_assert_int_gt(length, 0);
    size_t used = strlen(capture.text);
    ck_assert_uint_gt(used, (size_t)length);
    ck_assert_str_eq(capture.text + used - length, expected);
}
END_TEST

START_TEST(a_long_text_is_cut_with_a_mark_and_leaves_room_for_the_next)
{
    char text[2 * LOG_LINE_MAX];
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    open_for_test(LOG_LEVEL_INFO);
    log_event(LOG_LEVEL_INFO, "seen", {"text", text}, {"next", "here"});
    _cleanup_(cleanup_json) cJSON *line = captured_line();
    const char *cut = json_text(line, "text");
    ck_assert_ptr_nonnull(cut);
    ck_assert_str_eq(cut + strlen(cut) - 3, "...");
    ck_assert_str_eq(json_text(line, "next"), "here");
}
END_TEST

START_TEST(a_character_is_never_cut_in_two)
{
    char text[LOG_LINE_MAX];
    for (size_t i = 0; i + 1 < sizeof(text); i++)
        text[i] = "\xE2\x82\xAC"[i % 3];
    text[sizeof(text) - 1] = '\0';
    for (size_t shift = 0; shift < 3; shift++) {
        open_for_test(LOG_LEVEL_INFO);
        log_event(LOG_LEVEL_INFO, &"abc" [shift], { "text", text }, {"text2", text},
                  {"text3", text}, {"text4", text}, {"text5", text});
        const char *written = end_capture();
        cJSON *line = json_parse(written, strlen(written));
        ck_assert_msg(line != NULL, "%s", written);
        ck_assert_ptr_null(strstr(written, "\\ufffd"));
        cJSON_Delete(line);
    }
}
END_TEST

/* Whatever the length of what stands before, a line that is too long ends as JSON. */
START_TEST(a_full_line_is_valid_json_and_within_its_limit)
{
    char filling[1000];
    char escaped[1000];
    memset(filling, 'x', sizeof(filling));
    memset(escaped, '\x01', sizeof(escaped));
    escaped[sizeof(escaped) - 1] = '\0';
    for (size_t length = 0; length < 40; length++) {
        filling[sizeof(filling) - 1] = '\0';
        open_for_test(LOG_LEVEL_INFO);
        log_event(LOG_LEVEL_INFO, "full", {"a", filling}, {"b", filling}, {"c", filling},
                  {"d", filling + length}, {"e", filling + 950}, {"f", escaped}, {"g", "x"},
                  {"h", filling});
        cJSON_Delete(captured_line());
        ck_assert_uint_ge(strlen(capture.text), LOG_LINE_MAX - 64);
    }
}
END_TEST

START_TEST(a_long_program_name_is_cut)
{
    char name[256];
    memset(name, 'x', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    log_open(name, LOG_TO_STDERR, LOG_LEVEL_INFO);
    begin_capture();
    log_line(LOG_LEVEL_INFO, "started", NULL, 0);
    cJSON_Delete(captured_line());
}
END_TEST

START_TEST(a_log_that_cannot_be_written_changes_nothing)
{
    log_open("parts", LOG_TO_STDERR, LOG_LEVEL_INFO);
    int original = dup(STDERR_FILENO);
    ck_assert_int_ge(original, 0);
    ck_assert_int_eq(close(STDERR_FILENO), 0);
    errno = ENOENT;
    log_line(LOG_LEVEL_INFO, "lost", NULL, 0);
    ck_assert_int_eq(errno, ENOENT);
    ck_assert_int_ge(dup2(original, STDERR_FILENO), 0);
    ck_assert_int_eq(close(original), 0);
}
END_TEST

START_TEST(lines_for_syslog_stay_off_standard_error)
{
    log_open("parts", LOG_TO_SYSLOG, LOG_LEVEL_INFO);
    begin_capture();
    log_event(LOG_LEVEL_INFO, "to_syslog", {"text", "%s%n"});
    ck_assert_str_eq(end_capture(), "");
}
END_TEST

Suite *log_suite(void)
{
    Suite *suite = suite_create("log");
    /* The first, since without CK_FORK the others have opened the log. */
    ADD_RULE(suite, before_the_log_is_opened_warnings_go_to_standard_error);
    ADD_RULE(suite, a_line_is_one_json_object);
    ADD_RULE(suite, a_line_needs_no_fields);
    ADD_RULE(suite, the_time_is_utc_with_milliseconds);
    ADD_RULE(suite, a_line_above_the_level_is_not_written);
    ADD_RULE(suite, every_line_is_written_at_level_debug);
    ADD_RULE_FOR_EACH(suite, a_text_is_escaped, escapes);
    ADD_RULE(suite, a_long_text_is_cut_with_a_mark_and_leaves_room_for_the_next);
    ADD_RULE(suite, a_character_is_never_cut_in_two);
    ADD_RULE(suite, a_full_line_is_valid_json_and_within_its_limit);
    ADD_RULE(suite, a_long_program_name_is_cut);
    ADD_RULE(suite, a_log_that_cannot_be_written_changes_nothing);
    ADD_RULE(suite, lines_for_syslog_stay_off_standard_error);
    return suite;
}
