/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/memory.h"
#include "web/transport.h"

#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>

START_TEST(a_text_is_written_whole_however_long_it_grows)
{
    enum { LINES = 5000 };
    struct memory_text text = {.bytes = NULL};
    FILE *stream = memory_text_open(&text);
    ck_assert_ptr_nonnull(stream);
    for (int i = 0; i < LINES; i++)
        ck_assert_int_eq(fprintf(stream, "line %05d\n", i), 11);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_uint_eq(text.length, 11 * LINES);
    ck_assert_uint_eq(strlen(text.bytes), text.length);
    ck_assert_int_eq(memcmp(text.bytes + 11 * 1234, "line 01234\n", 11), 0);
    ck_assert_str_eq(text.bytes + 11 * (LINES - 1), "line 04999\n");
    memory_text_clear(&text);
    ck_assert_ptr_null(text.bytes);
}
END_TEST

START_TEST(a_text_that_nobody_wrote_is_none)
{
    struct memory_text text = {.bytes = NULL};
    FILE *stream = memory_text_open(&text);
    ck_assert_ptr_nonnull(stream);
    ck_assert_int_eq(fclose(stream), 0);
    ck_assert_ptr_null(text.bytes);
    memory_text_clear(&text);
}
END_TEST

static const struct {
    const char *name;
    bool wiped;
} variables[] = {
    {"HTTP_AUTHORIZATION", true}, {"HTTP_X_FEEDGATE_KEY", true}, {"QUERY_STRING", true},
    {"REQUEST_URI", true},        {"REDIRECT_URL", true},        {"PATH_INFO", true},
    {"FEEDGATE_CONF", false},     {"SQLITE_TMPDIR", false},      {"HTTPS", false},
};

START_TEST(the_request_of_plain_cgi_is_wiped_and_nothing_else)
{
    const char *name = variables[_i].name;
    ck_assert_int_eq(setenv(name, "a-value", 1), 0);
    const char *value = getenv(name);
    transport_wipe_environment();
    ck_assert_str_eq(value, variables[_i].wiped ? "" : "a-value");
    for (size_t i = 1; variables[_i].wiped && i < sizeof "a-value"; i++)
        ck_assert_int_eq(value[i], '\0');
    ck_assert_int_eq(unsetenv(name), 0);
}
END_TEST

START_TEST(a_closed_memory_is_not_dumped_and_stays_so)
{
    struct rlimit core = {.rlim_cur = 1, .rlim_max = 1};
    int before = prctl(PR_GET_DUMPABLE);
    ck_assert(memory_close());
    ck_assert_int_eq(prctl(PR_GET_DUMPABLE), 0);
    ck_assert_int_eq(getrlimit(RLIMIT_CORE, &core), 0);
    ck_assert_uint_eq(core.rlim_cur, 0);
    ck_assert_uint_eq(core.rlim_max, 0);
    ck_assert_int_eq(prctl(PR_SET_DUMPABLE, before == 1 ? 1 : 0), 0); /* for who debugs tests */
}
END_TEST

Suite *memory_suite(void)
{
    Suite *suite = suite_create("memory");
    ADD_RULE(suite, a_text_is_written_whole_however_long_it_grows);
    ADD_RULE(suite, a_text_that_nobody_wrote_is_none);
    ADD_RULE_FOR_EACH(suite, the_request_of_plain_cgi_is_wiped_and_nothing_else, variables);
    ADD_RULE(suite, a_closed_memory_is_not_dumped_and_stays_so);
    return suite;
}
