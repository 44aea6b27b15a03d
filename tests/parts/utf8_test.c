/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/utf8.h"

static const struct {
    const char *name;
    const char *bytes;
    size_t length;
    size_t character;
} characters[] = {
    {"ASCII", BYTES("a"), 1},
    {"NUL", BYTES("\0"), 1},
    {"two bytes", BYTES("\xC3\xA9"), 2},
    {"three bytes", BYTES("\xE2\x82\xAC"), 3},
    {"four bytes", BYTES("\xF0\x9F\x98\x80"), 4},
    {"the last before the surrogates", BYTES("\xED\x9F\xBF"), 3},
    {"the first behind the surrogates", BYTES("\xEE\x80\x80"), 3},
    {"U+10FFFF", BYTES("\xF4\x8F\xBF\xBF"), 4},
    {"nothing", BYTES(""), 0},
    {"a continuation alone", BYTES("\x80"), 0},
    {"an overlong slash in two bytes", BYTES("\xC0\xAF"), 0},
    {"an overlong NUL", BYTES("\xC0\x80"), 0},
    {"overlong in two bytes, C1", BYTES("\xC1\xBF"), 0},
    {"overlong in three bytes", BYTES("\xE0\x9F\xBF"), 0},
    {"overlong in four bytes", BYTES("\xF0\x8F\xBF\xBF"), 0},
    {"a high surrogate", BYTES("\xED\xA0\x80"), 0},
    {"a low surrogate", BYTES("\xED\xBF\xBF"), 0},
    {"beyond U+10FFFF", BYTES("\xF4\x90\x80\x80"), 0},
    {"F5", BYTES("\xF5\x80\x80\x80"), 0},
    {"FF", BYTES("\xFF"), 0},
    {"two bytes cut off", BYTES("\xC3"), 0},
    {"three bytes cut off", BYTES("\xE2\x82"), 0},
    {"four bytes cut off", BYTES("\xF0\x9F\x98"), 0},
    {"a third byte that isn't one", BYTES("\xE2\x82x"), 0},
    {"a fourth byte that isn't one", BYTES("\xF0\x9F\x98x"), 0},
};

START_TEST(a_character_is_measured_only_when_it_is_well_formed)
{
    size_t length = utf8_character(characters[_i].bytes, characters[_i].length);
    ck_assert_msg(length == characters[_i].character, "%s: %zu", characters[_i].name, length);
}
END_TEST

static const struct {
    const char *name;
    const char *character;
    bool control;
} controls[] = {
    {"NUL", "\0", true},
    {"escape", "\x1b", true},
    {"unit separator", "\x1f", true},
    {"space", " ", false},
    {"DEL", "\x7f", true},
    {"U+0080", "\xC2\x80", true},
    {"CSI", "\xC2\x9B", true},
    {"no-break space", "\xC2\xA0", false},
    {"é", "\xC3\xA9", false},
};

START_TEST(control_characters_are_told_from_others)
{
    ck_assert_msg(utf8_is_control(controls[_i].character) == controls[_i].control, "%s",
                  controls[_i].name);
}
END_TEST

Suite *utf8_suite(void)
{
    Suite *suite = suite_create("utf8");
    ADD_RULE_FOR_EACH(suite, a_character_is_measured_only_when_it_is_well_formed, characters);
    ADD_RULE_FOR_EACH(suite, control_characters_are_told_from_others, controls);
    return suite;
}
