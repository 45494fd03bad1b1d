/* test_text.c - names, literals, wrapped lines, and the diff. */
#include "emit/room.h"

#include <ctype.h>
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

Test(text, identifiers)
{
    static const char *const pairs[][2] = {
        {"lenet5", "lenet5"},      {"LeNet-5 (v2)", "LeNet_5_v2"},
        {"5net", "network_5net"},  {"", "network"},
        {"---", "network"},        {"_x_", "x"},
        {"ola", "network_ola"},    {"ola_sim", "network_ola_sim"},
        {"test", "network_test"},  {"net", "network_net"},
        {"na\xc3\xafve", "na_ve"}, {"a//b", "a_b"},
    };
    struct arena *a = arena_new();
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
        cr_expect_str_eq(emit_identifier(a, pairs[i][0]), pairs[i][1]);
    cr_expect_str_eq(emit_identifier(a, NULL), "network");
    char longest[300];
    memset(longest, 'x', sizeof longest);
    longest[299] = 0;
    cr_expect_leq(strlen(emit_identifier(a, longest)), 48);
    arena_free(a);
}

Test(text, plain_text_fits_in_a_comment)
{
    struct arena *a = arena_new();
    const char *plain = emit_plain(a, "a*/b/*c?"
                                      "?/d\\e\nf\x1bg\xff/*/*/");
    cr_expect_null(strstr(plain, "*/"));
    cr_expect_null(strstr(plain, "/*"));
    cr_expect_null(strstr(plain, "?"
                                 "?"));
    for (const char *s = plain; *s; s++)
        cr_expect(isprint((unsigned char)*s) && *s != '\\');
    struct str s = {0};
    emit_string(&s, "a\"b\\c\n?");
    cr_expect_str_eq(s.text, "\"a\\\"b\\\\c\\012\\077\"");
    str_free(&s);
    arena_free(a);
}

/* Everything but blanks, line ends and the stars that continue a comment. */
static void
essence(const char *text, struct str *out)
{
    for (const char *s = text; *s; s++)
        if (!isspace((unsigned char)*s) && *s != '*')
            str_addn(out, s, 1);
}

static void
expect_wrapped(const char *text, const char *want)
{
    struct str out = {0}, before = {0}, after = {0};
    emit_wrap(text, &out);
    for (const char *s = str_text(&out); *s; s += strcspn(s, "\n") + 1)
        cr_expect_leq(strcspn(s, "\n"), 100, "%s", out.text);
    essence(text, &before);
    essence(str_text(&out), &after);
    cr_expect_str_eq(str_text(&after), str_text(&before));
    cr_expect_str_eq(str_text(&out), want);
    str_free(&out);
    str_free(&before);
    str_free(&after);
}

#define TEN "0123456789"
#define W9  "012345678 "

Test(text, code_is_wrapped_below_its_bracket)
{
    expect_wrapped("short;\n", "short;\n");
    expect_wrapped("    call(" TEN TEN TEN TEN ", " TEN TEN TEN TEN ", " TEN ", " TEN ");\n",
                   "    call(" TEN TEN TEN TEN ", " TEN TEN TEN TEN ",\n         " TEN ", " TEN
                   ");\n");
    /* Not within a string, and not at a bracket in one. */
    expect_wrapped("    f(\"(((" TEN TEN TEN TEN TEN TEN " " TEN "\", 1, " TEN TEN TEN ");\n",
                   "    f(\"(((" TEN TEN TEN TEN TEN TEN " " TEN "\", 1,\n      " TEN TEN TEN
                   ");\n");
}

Test(text, comments_are_filled)
{
    expect_wrapped("/* " W9 W9 W9 W9 W9 W9 W9 W9 W9 W9 "end.\n * More words. */\nx\n",
                   "/* " W9 W9 W9 W9 W9 W9 W9 W9 "012345678\n * " W9 "end. More words. */\nx\n");
    expect_wrapped(" * " W9 W9 W9 W9 W9 W9 W9 W9 W9 W9 "x\n *\n * next\n",
                   " * " W9 W9 W9 W9 W9 W9 W9 W9 "012345678\n * " W9 "x\n *\n * next\n");
}

Test(text, rulers_are_cut)
{
    struct str out = {0};
    emit_wrap("/* ---- " TEN TEN
              " ----------------------------------------------------------------------"
              "--------- */\n",
              &out);
    cr_expect_str_eq(out.text,
                     "/* ---- " TEN TEN " --------------------------------------------------"
                     "------------------ */\n");
    str_free(&out);
}

/* ---- diff ------------------------------------------------------------------------------------ */

/* Applies a unified diff the simple way; the number of changed lines in *changes. NULL when it
 * doesn't fit. */
static char *
apply(struct arena *a, const char *old, const char *diff, uint32_t *changes)
{
    struct str out = {0};
    long at = 1;
    const char *s = diff;
    *changes = 0;
    s += strcspn(s, "\n") + 1;
    s += strcspn(s, "\n") + 1;
    while (*s) {
        long first, count;
        size_t n = strcspn(s, "\n");
        if (sscanf(s, "@@ -%ld,%ld ", &first, &count) == 2) {
            for (first += count == 0; at < first; at++, old += strcspn(old, "\n") + 1)
                str_addn(&out, old, strcspn(old, "\n") + 1);
        } else if (*s == '+') {
            str_addn(&out, s + 1, n);
            ++*changes;
        } else {
            if (strncmp(old, s + 1, n) != 0)
                return NULL;
            if (*s == ' ')
                str_addn(&out, s + 1, n);
            else
                ++*changes;
            at++;
            old += n;
        }
        s += n + 1;
    }
    str_add(&out, old);
    char *copy = arena_strdup(a, str_text(&out));
    str_free(&out);
    return copy;
}

/* Lines that a shortest script changes, by the table of longest common subsequences. */
static uint32_t
distance(const char *a, uint32_t n, const char *b, uint32_t m)
{
    uint32_t t[64][64] = {{0}};
    for (uint32_t i = 0; i <= n; i++)
        for (uint32_t j = 0; j <= m; j++) {
            if (!i || !j)
                t[i][j] = i + j;
            else if (a[i - 1] == b[j - 1])
                t[i][j] = t[i - 1][j - 1];
            else
                t[i][j] = 1 + (t[i - 1][j] < t[i][j - 1] ? t[i - 1][j] : t[i][j - 1]);
        }
    return t[n][m];
}

static uint32_t
next(uint32_t *seed)
{
    return *seed = *seed * 1664525u + 1013904223u, *seed >> 8;
}

Test(diff, is_right_and_shortest)
{
    uint32_t seed = 7;
    for (int round = 0; round < 3000; round++) {
        struct arena *a = arena_new();
        char x[64], y[64];
        uint32_t n = next(&seed) % 40, m = next(&seed) % 40, letters = 1 + next(&seed) % 6, changes;
        struct str old = {0}, new = {0}, diff = {0};
        for (uint32_t i = 0; i < n; i++)
            str_addf(&old, "%c\n", x[i] = (char)('a' + next(&seed) % letters));
        for (uint32_t i = 0; i < m; i++)
            str_addf(&new, "%c\n", y[i] = (char)('a' + next(&seed) % letters));
        emit_diff(a, "file", str_text(&old), str_text(&new), &diff);
        if (strcmp(str_text(&old), str_text(&new)) == 0) {
            cr_expect_eq(diff.len, 0);
        } else {
            const char *got = apply(a, str_text(&old), str_text(&diff), &changes);
            cr_assert(got);
            cr_assert_str_eq(got, str_text(&new));
            cr_assert_eq(changes, distance(x, n, y, m), "%u of %u:\n%s", changes,
                         distance(x, n, y, m), diff.text);
        }
        str_free(&old);
        str_free(&new);
        str_free(&diff);
        arena_free(a);
    }
}

Test(diff, hunks)
{
    struct arena *a = arena_new();
    struct str out = {0};
    emit_diff(a, "f.c", "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16\n",
              "1\n2\n3\n4\nfive\n6\n7\n8\n9\n10\n11\n12\n13\n14\n15\n16", &out);
    cr_expect_str_eq(out.text,
                     "--- a/f.c\n+++ b/f.c\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+five\n 6\n 7\n 8\n"
                     "@@ -13,4 +13,4 @@\n 13\n 14\n 15\n-16\n+16\n\\ No newline at end of file\n");
    str_free(&out);
    emit_diff(a, "f.c", "", "1\n", &out);
    cr_expect_str_eq(out.text, "--- a/f.c\n+++ b/f.c\n@@ -0,0 +1,1 @@\n+1\n");
    str_free(&out);
    arena_free(a);
}

Test(diff, large_texts_that_share_nothing)
{
    struct arena *a = arena_new();
    struct str old = {0}, new = {0}, out = {0};
    for (int i = 0; i < 3000; i++) {
        str_addf(&old, "old %d\n", i);
        str_addf(&new, "new %d\n", i);
    }
    emit_diff(a, "f", old.text, new.text, &out);
    cr_expect(strncmp(out.text, "--- a/f\n+++ b/f\n@@ -1,3000 +1,3000 @@\n-old 0\n", 45) == 0);
    str_free(&old);
    str_free(&new);
    str_free(&out);
    arena_free(a);
}
