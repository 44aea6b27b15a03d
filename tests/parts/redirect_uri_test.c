/* SPDX-License-Identifier: MIT */
#include "parts.h"

#include "base/cleanup.h"
#include "base/url.h"
#include "service/redirect_uri.h"

#include <stdlib.h>
#include <string.h>

static char money[] = "https://money.sage.com";
static char sandbox[] = "https://snd01eu.sagebankdrive.com";
static char with_port[] = "https://gateway.example:8443";
static char loopback[] = "http://localhost:8081";

static const struct config_list origins = {4, {money, sandbox, with_port, loopback}};
static const struct config_list fragment_origins = {1, {money}};

static const char *const allowed[] = {
    "https://money.sage.com",
    "https://money.sage.com/",
    "https://money.sage.com/back",
    "https://money.sage.com/back?a=1&b=2",
    "https://money.sage.com?a=1",
    "https://money.sage.com/#/paynow/1",
    "https://money.sage.com/?a=1#state=1",
    "https://money.sage.com:443/back",
    "https://money.sage.com:443",
    "HTTPS://Money.Sage.COM/Back",
    "https://money.sage.com/@evil.example/",
    "https://money.sage.com/?next=https://evil.example/",
    "https://money.sage.com//evil.example",
    "https://money.sage.com/%2e%2e/",
    "https://money.sage.com/state?statement=1&estate=2&state2=3",
    "https://money.sage.com/?a=state",
    "https://money.sage.com/?state%3D=1",
    "https://money.sage.com/?states[]=1&a[state]=2&[estate]=3&state_=4&state.x=5",
    "https://money.sage.com/?a=state[]&[]=state&%5B&+",
    "https://money.sage.com/?sta%zzte=1",
    "https://snd01eu.sagebankdrive.com/api/v1/indirectredirect/11111111",
    "https://gateway.example:8443/back",
    "http://localhost:8081/back",
};

START_TEST(a_uri_of_an_allowed_origin_may_be_followed)
{
    ck_assert_msg(redirect_uri_allowed(allowed[_i], &origins, &fragment_origins), "%s",
                  allowed[_i]);
}
END_TEST

static const char *const refused[] = {
    "",
    "/",
    "//money.sage.com/",
    "money.sage.com",
    "https:money.sage.com/",
    "https:/money.sage.com/",
    "https:///money.sage.com/",
    "http://money.sage.com/",
    "ftp://money.sage.com/",
    "javascript:alert(1)//https://money.sage.com/",
    "data:text/html,https://money.sage.com/",
    "https://evil.example/",
    "https://evil.example/https://money.sage.com/",
    "https://evil.example?https://money.sage.com/",
    "https://evil.example#https://money.sage.com/",
    /* suffixes and prefixes of the host */
    "https://money.sage.com.evil.example/",
    "https://money.sage.comevil.example/",
    "https://money.sage.com-evil.example/",
    "https://money.sage.co",
    "https://evil.money.sage.com/",
    "https://evilmoney.sage.com/",
    "https://money.sage.com./",
    "https://.money.sage.com/",
    "https://sage.com/",
    /* user information */
    "https://money.sage.com@evil.example/",
    "https://money.sage.com:443@evil.example/",
    "https://money.sage.com:pass@evil.example/",
    "https://user@money.sage.com/",
    "https://user:pass@money.sage.com/",
    "https://@money.sage.com/",
    /* what programs read differently */
    "https://evil.example\\@money.sage.com/",
    "https://money.sage.com\\@evil.example/",
    "https://money.sage.com\\.evil.example/",
    "https:\\\\money.sage.com\\",
    "https://money.sage.com/\\evil.example",
    "https://money.sage.com%2eevil.example/",
    "https://money.sage.com%00.evil.example/",
    "https://money.sage.com%2f.evil.example/",
    "https://money%2esage.com/",
    "https://money.sage.com;.evil.example/",
    "https://money.sage.com,evil.example/",
    "https://money.sage.com&.evil.example/",
    "https://money.sage.com#@evil.example/",
    "https://money.sage.com#",
    /* bytes */
    " https://money.sage.com/",
    "https://money.sage.com/ ",
    "https://money.sage.com/a b",
    "\thttps://money.sage.com/",
    "https://money.sage\t.com/",
    "https://money.sage.com/\t",
    "https://money.sage.com/\r\nSet-Cookie:a=b",
    "https://money.sage.com/\x01",
    "https://money.sage.com/\x7f",
    "https://money.sage.com/\xC3\xA9",
    "https://money\xE3\x80\x82sage.com/",
    "https://m\xD0\xBEney.sage.com/",
    "https://money.sage.com/\"onload=",
    "https://money.sage.com/<script>",
    "https://money.sage.com/>",
    /* ports */
    "https://money.sage.com:444/",
    "https://money.sage.com:80/",
    "https://money.sage.com:4430/",
    "https://money.sage.com:443:443/",
    "https://money.sage.com:443.evil.example/",
    "https://money.sage.com:0443/",
    "https://money.sage.com:/",
    "https://money.sage.com:443#",
    "https://gateway.example/",
    "https://gateway.example:443/",
    "https://gateway.example:8443:443/",
    "https://gateway.example:84430/",
    "http://localhost/",
    "http://localhost:80811/",
    "https://localhost:8081/",
    /* fragments */
    "https://snd01eu.sagebankdrive.com/#/back",
    "https://snd01eu.sagebankdrive.com/#",
    "http://localhost:8081/back?a=1#",
    /* a state of its own */
    "https://money.sage.com/?state=1",
    "https://money.sage.com?state=1",
    "https://money.sage.com/?state",
    "https://money.sage.com/?state=",
    "https://money.sage.com/?state#a",
    "https://money.sage.com/?a=1&state=2",
    "https://money.sage.com/?a=1&state",
    "https://money.sage.com/?a=1;state=2",
    "https://money.sage.com/?&&state=2",
    "https://money.sage.com/?State=1",
    "https://money.sage.com/?STATE=1",
    "https://money.sage.com/?st%61te=1",
    "https://money.sage.com/?%73%74%61%74%65=1",
    "https://money.sage.com/?st%41te=1",
    "https://money.sage.com/?a=1&%73tate",
    "https://money.sage.com/?a=1&state=2#state",
    /* a state that is a list, or that only some servers call so */
    "https://money.sage.com/?state[]=1",
    "https://money.sage.com/?state[",
    "https://money.sage.com/?a=1&state[x]=2",
    "https://money.sage.com/?state%5B%5D=1",
    "https://money.sage.com/?state%5bx%5d=1",
    "https://money.sage.com/?%73tate%5B]=1",
    "https://money.sage.com/?STATE[0]=1",
    "https://money.sage.com/?[state]=1",
    "https://money.sage.com/?%5Bstate%5D=1",
    "https://money.sage.com/?state]=1",
    "https://money.sage.com/?%20state=1",
    "https://money.sage.com/?a=1&+%20state=1",
    "https://money.sage.com/?state+=1",
    "https://money.sage.com/?state%20=1",
    "https://money.sage.com/?state%00x=1",
    "https://money.sage.com/?%u0073tate=1",
    "https://money.sage.com/?stat%U0065=1",
};

START_TEST(any_other_uri_is_refused)
{
    ck_assert_msg(!redirect_uri_allowed(refused[_i], &origins, &fragment_origins), "%s",
                  refused[_i]);
}
END_TEST

START_TEST(without_allowed_origins_nothing_may_be_followed)
{
    struct config_list none = {.count = 0};
    ck_assert(!redirect_uri_allowed("https://money.sage.com/", &none, &fragment_origins));
    ck_assert(!redirect_uri_allowed("https://money.sage.com/#a", &origins, &none));
}
END_TEST

START_TEST(a_uri_has_a_longest_length)
{
    char uri[REDIRECT_URI_MAX + 2];
    memset(uri, 'x', sizeof(uri));
    memcpy(uri, "https://money.sage.com/", strlen("https://money.sage.com/"));
    uri[REDIRECT_URI_MAX] = '\0';
    ck_assert(redirect_uri_allowed(uri, &origins, &fragment_origins));
    uri[REDIRECT_URI_MAX] = 'x';
    uri[REDIRECT_URI_MAX + 1] = '\0';
    ck_assert(!redirect_uri_allowed(uri, &origins, &fragment_origins));
}
END_TEST

static const struct {
    const char *uri;
    const char *joined;
} joins[] = {
    {"https://money.sage.com", "https://money.sage.com?state=S"},
    {"https://money.sage.com/back", "https://money.sage.com/back?state=S"},
    {"https://money.sage.com/back?a=1", "https://money.sage.com/back?a=1&state=S"},
    {"https://money.sage.com/back?", "https://money.sage.com/back?state=S"},
    {"https://money.sage.com/back?a=1&", "https://money.sage.com/back?a=1&state=S"},
    {"https://money.sage.com/#/paynow?x=1", "https://money.sage.com/?state=S#/paynow?x=1"},
    {"https://money.sage.com/?a=1#/paynow", "https://money.sage.com/?a=1&state=S#/paynow"},
    {"https://money.sage.com/%25s%n", "https://money.sage.com/%25s%n?state=S"},
};

START_TEST(the_state_goes_into_the_query_before_any_fragment)
{
    _cleanup_(cleanup_free) char *joined = redirect_uri_with_state(joins[_i].uri, "S");
    ck_assert_pstr_eq(joined, joins[_i].joined);
}
END_TEST

static const struct {
    const char *uri;
    const char *origin;
} logged[] = {
    {"https://Evil.Example:8443/path?a=1#b", "https://evil.example:8443"},
    {"https://evil.example?a=1", "https://evil.example"},
    {"https://evil.example#a", "https://evil.example"},
    {"https://evil.example\\@money.sage.com/", "https://evil.example\\@money.sage.com"},
    {"//evil.example/x", "//evil.example"},
    {"javascript:alert(1)", "javascript:alert(1)"},
    {"/path", ""},
    {"https:/evil.example?next=https://money.sage.com", "https:"},
    {"", ""},
    {"https://e\nv\x1bl\x7f.\xC3\xA9 x/", "https://e?v?l?.???x"},
};

START_TEST(a_refused_origin_is_logged_in_printable_form)
{
    char origin[URL_ORIGIN_MAX];
    url_origin(logged[_i].uri, origin);
    ck_assert_str_eq(origin, logged[_i].origin);
}
END_TEST

START_TEST(a_refused_origin_is_logged_only_so_far)
{
    char uri[2 * URL_ORIGIN_MAX];
    char origin[URL_ORIGIN_MAX];
    memset(uri, 'x', sizeof(uri));
    uri[sizeof(uri) - 1] = '\0';
    url_origin(uri, origin);
    ck_assert_uint_eq(strlen(origin), URL_ORIGIN_MAX - 1);
}
END_TEST

static const struct {
    const char *text;
    bool is_origin;
    bool is_safe_url;
} urls[] = {
    {"https://money.sage.com", true, true},
    {"https://money.sage.com:8443", true, true},
    {"https://192.0.2.1", true, true},
    {"https://[2001:db8::1]", true, true},
    {"https://[2001:db8::1]:8443", true, true},
    {"https://localhost", true, true},
    {"http://localhost", true, true},
    {"http://localhost:8081", true, true},
    {"http://127.0.0.1:8081", true, true},
    {"http://127.255.255.254", true, true},
    {"http://[::1]", true, true},
    {"http://[::1]:8081", true, true},
    {"https://money.sage.com:65535", true, true},

    {"https://money.sage.com:443", false, true},
    {"http://localhost:80", false, true},
    {"https://money.sage.com/", false, true},
    {"https://money.sage.com/path?a=1@b:c", false, true},
    {"https://money.sage.com?a=1", false, true},
    {"http://localhost:8081/.well-known/jwks.json", false, true},

    {"", false, false},
    {"https://", false, false},
    {"https:///", false, false},
    {"https://?", false, false},
    {"https:money.sage.com", false, false},
    {"money.sage.com", false, false},
    {"null", false, false},
    {"*", false, false},
    {"https://*", false, false},
    {"https://*.sage.com", false, false},
    {"ftp://money.sage.com", false, false},
    {"file:///etc/passwd", false, false},
    {"HTTPS://money.sage.com", false, false},
    {"https://Money.sage.com", false, false},
    {"https://money.sage.com#", false, false},
    {"https://money.sage.com/#a", false, false},
    {"https://money.sage.com:", false, false},
    {"https://money.sage.com:0", false, false},
    {"https://money.sage.com:08443", false, false},
    {"https://money.sage.com:65536", false, false},
    {"https://money.sage.com:999999", false, false},
    {"https://money.sage.com:8443x", false, false},
    {"https://money.sage.com:-1", false, false},
    {"https://user@money.sage.com", false, false},
    {"https://user:pass@money.sage.com/", false, false},
    {"https://money.sage.com\\", false, false},
    {"https://money.sage.com/a\\b", false, false},
    {"https://money.sage.com/a b", false, false},
    {"https://money.sage.com ", false, false},
    {"https://money.sage.com\t", false, false},
    {"https://money.sage.com/\x7f", false, false},
    {"https://money.sage.com/\xC3\xA9", false, false},
    {"https://money..sage.com", false, false},
    {"https://.sage.com", false, false},
    {"https://money.sage.com.", false, false},
    {"https://-money.sage.com", false, false},
    {"https://money_.sage.com", false, false},
    {"https://m%6fney.sage.com", false, false},
    {"https://[::1", false, false},
    {"https://[::1/", false, false},
    {"https://[]", false, false},
    {"https://[", false, false},
    {"https://[::g]", false, false},
    {"https://[::1%25lo]", false, false},
    {"https://[::1]x", false, false},
    {"https://[2001:DB8::1]", false, false},
    {"http://money.sage.com", false, false},
    {"http://localhost.evil.example", false, false},
    {"http://localhost.", false, false},
    {"http://127.0.0.1.evil.example", false, false},
    {"http://127.evil.example", false, false},
    {"http://127.1", false, false},
    {"http://127.0.0.256", false, false},
    {"http://127.0.0.01", false, false},
    {"http://2130706433", false, false},
    {"http://0x7f.0.0.1", false, false},
    {"http://128.0.0.1", false, false},
    {"http://0.0.0.0", false, false},
    {"http://[::]", false, false},
    {"http://[::2]", false, false},
    {"http://[::ffff:127.0.0.1]", false, false},
    {"http://localhost@evil.example", false, false},
    {"http://evil.example/localhost", false, false},
};

START_TEST(an_origin_is_scheme_host_and_port_alone)
{
    ck_assert_msg(url_is_origin(urls[_i].text) == urls[_i].is_origin, "%s", urls[_i].text);
}
END_TEST

START_TEST(a_url_is_safe_over_tls_or_on_this_machine)
{
    ck_assert_msg(url_is_safe(urls[_i].text) == urls[_i].is_safe_url, "%s", urls[_i].text);
}
END_TEST

START_TEST(a_host_has_a_longest_length)
{
    char url[512] = "https://";
    size_t start = strlen(url);
    memset(url + start, 'x', 253);
    ck_assert(url_is_origin(url));
    memset(url + start, 'x', 254);
    ck_assert(!url_is_origin(url));
}
END_TEST

Suite *redirect_uri_suite(void)
{
    Suite *suite = suite_create("redirect_uri");
    ADD_RULE_FOR_EACH(suite, a_uri_of_an_allowed_origin_may_be_followed, allowed);
    ADD_RULE_FOR_EACH(suite, any_other_uri_is_refused, refused);
    ADD_RULE(suite, without_allowed_origins_nothing_may_be_followed);
    ADD_RULE(suite, a_uri_has_a_longest_length);
    ADD_RULE_FOR_EACH(suite, the_state_goes_into_the_query_before_any_fragment, joins);
    ADD_RULE_FOR_EACH(suite, a_refused_origin_is_logged_in_printable_form, logged);
    ADD_RULE(suite, a_refused_origin_is_logged_only_so_far);
    ADD_RULE_FOR_EACH(suite, an_origin_is_scheme_host_and_port_alone, urls);
    ADD_RULE_FOR_EACH(suite, a_url_is_safe_over_tls_or_on_this_machine, urls);
    ADD_RULE(suite, a_host_has_a_longest_length);
    return suite;
}
