/* test_text.c - strings that grow, and messages with their places and codes. */
#include "base/diag.h"
#include "base/str.h"

#include <criterion/criterion.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

Test(str, adds)
{
    struct str s = {0};
    cr_expect_str_eq(str_text(&s), "");
    str_add(&s, "ab");
    str_addn(&s, "cdef", 2);
    str_addf(&s, "-%d", 5);
    cr_expect_str_eq(str_text(&s), "abcd-5");
    for (int k = 0; k < 1000; k++)
        str_addf(&s, "%040d", k);
    cr_expect_eq(s.len, 6 + 40000);
    cr_expect_eq(strlen(s.text), s.len);
    str_free(&s);
}

/* All sequences of three bytes whose first two are on the edges of RFC 3629's table, against the
 * definition: the code point is decoded, must not be shorter otherwise, no surrogate, at most
 * U+10FFFF. */
Test(str, utf8_by_definition)
{
    for (unsigned first = 0; first < 256; first++)
        for (unsigned second = 0; second < 256; second++) {
            const char text[4] = {(char)first, (char)second, (char)0x80, (char)0xBF};
            unsigned len = first < 0x80   ? 1
                           : first < 0xC0 ? 0
                           : first < 0xE0 ? 2
                           : first < 0xF0 ? 3
                           : first < 0xF8 ? 4
                                          : 0;
            unsigned code = len > 1 ? first & (0x7Fu >> len) : first;
            for (unsigned k = 1; k < len; k++)
                code = code << 6 | ((unsigned char)text[k] & 0x3F);
            static const unsigned least[] = {0, 0, 0x80, 0x800, 0x10000};
            bool good = len && code >= least[len] && code <= 0x10FFFF &&
                        (code < 0xD800 || code > 0xDFFF) && (len < 2 || (second & 0xC0) == 0x80);
            cr_expect_eq(str_utf8(text, 4), good ? len : 0, "%02x %02x", first, second);
            cr_expect_eq(str_utf8(text, 1), good && len == 1 ? 1 : 0);
        }
    cr_expect_eq(str_utf8("a", 0), 0);
    cr_expect_eq(str_utf8("\xF0\x9F\x98\x80", 3), 0, "cut off");
}

static void
double_is(double x, const char *text)
{
    struct str s = {0};
    str_double(&s, x);
    cr_expect_str_eq(str_text(&s), text);
    str_free(&s);
}

Test(str, numbers_read_back)
{
    uint64_t state = 1;
    double_is(1, "1");
    double_is(0.1, "0.1");
    double_is(1e-05, "1e-05");
    double_is(INFINITY, "inf");
    for (int k = 0; k < 20000; k++) {
        struct str s = {0};
        double x;
        float f;
        state = state * 6364136223846793005u + 1442695040888963407u;
        memcpy(&x, &state, sizeof x);
        memcpy(&f, (char *)&state + 4, sizeof f);
        if (!isfinite(x) || !isfinite(f))
            continue;
        str_double(&s, x);
        cr_assert_eq(strtod(str_text(&s), NULL), x, "%s", str_text(&s));
        str_free(&s);
        s = (struct str){0};
        str_float(&s, f);
        cr_assert_eq(strtof(str_text(&s), NULL), f, "%s", str_text(&s));
        str_free(&s);
    }
}

Test(str, json)
{
    struct str s = {0};
    str_json(&s, "a\"b\\c\n\x01 \xc3\xa9 \xff\xc3");
    cr_expect_str_eq(str_text(&s),
                     "\"a\\\"b\\\\c\\u000a\\u0001 \xc3\xa9 \xef\xbf\xbd\xef\xbf\xbd\"");
    str_free(&s);
}

Test(diag, prints_place_code_and_hint)
{
    struct diag *d = diag_new();
    struct str s = {0};
    char name[] = "conv1";
    diag_error(d, E_OPEN, (struct place){.file = "m.onnx", .node = name}, "no %s", "good");
    diag_hint(d, "try %d", 3);
    name[0] = 'X'; /* the message has a copy */
    diag_warning(d, E_READ, (struct place){.file = "m.ola", .line = 2, .col = 3, .source = "ab cd"},
                 "odd");
    cr_expect_eq(diag_errors(d), 1);
    cr_expect_eq(diag_count(d), 2);
    diag_print(d, &s);
    cr_expect_str_eq(str_text(&s), "m.onnx: error[E100]: node 'conv1': no good\n    hint: try 3\n"
                                   "m.ola:2:3: warning[E101]: odd\n    ab cd\n      ^\n");
    str_free(&s);
    s = (struct str){0};
    diag_json(d, &s);
    cr_expect(strstr(str_text(&s), "\"code\":\"E100\""));
    cr_expect(strstr(str_text(&s), "\"hint\":\"try 3\""));
    str_free(&s);
    diag_free(d);
}

Test(diag, keeps_no_more_than_its_limit)
{
    struct diag *d = diag_new();
    struct str s = {0};
    for (int k = 0; k < DIAG_MAX + 5; k++)
        diag_error(d, E_OPEN, PLACE_NONE, "%d", k);
    cr_expect_eq(diag_count(d), DIAG_MAX);
    cr_expect_eq(diag_errors(d), DIAG_MAX + 5);
    diag_print(d, &s);
    cr_expect(strstr(str_text(&s), "5 more messages"));
    str_free(&s);
    diag_free(d);
}

/* Codes are numbers for ever: in order, each once, each with a title and a text. */
Test(diag, codes)
{
    static const int ids[] = {
#define CODE(id, name, title, text) id,
#include "base/codes.def"
#undef CODE
    };
    const char *title, *text;
    for (size_t k = 0; k < sizeof ids / sizeof *ids; k++) {
        cr_expect(k == 0 || ids[k] > ids[k - 1], "%d stands behind %d", ids[k], ids[k - 1]);
        cr_assert(diag_explain(ids[k], &title, &text));
        cr_expect(*title && *text, "%d", ids[k]);
    }
    cr_expect(!diag_explain(99, &title, &text));
}
