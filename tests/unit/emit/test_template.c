/* test_template.c - the template language: marks, conditions, renaming, and every way of getting
 * it wrong. */
#include "emit/template.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static bool
mark(void *data, const char *word, struct str *out)
{
    (void)data;
    if (strcmp(word, "body") != 0 && strcmp(word, "tail") != 0)
        return false;
    if (out)
        str_addf(out, "<net %s>\n", word);
    return true;
}

static bool
condition(void *data, const char *word, bool *holds)
{
    (void)data;
    *holds = strcmp(word, "yes") == 0;
    return *holds || strcmp(word, "no") == 0;
}

static bool
fill(const char *text, const char *required, struct str *out, struct diag *d)
{
    const struct template_words words = {NULL, mark, condition, "lenet5", "LENET5"};
    return template_fill(text, "dir/net.h", required, &words, out, d);
}

static void
expect_text(const char *text, const char *want)
{
    struct diag *d = diag_new();
    struct str out = {0};
    cr_expect(fill(text, "", &out, d));
    cr_expect_str_eq(str_text(&out), want);
    str_free(&out);
    diag_free(d);
}

/* Exactly these messages, in order: "CODE line". */
static void
expect_errors(const char *text, const char *required, const char *want)
{
    struct diag *d = diag_new();
    struct str out = {0}, got = {0};
    cr_expect_not(fill(text, required, &out, d));
    for (uint32_t i = 0; i < diag_count(d); i++) {
        const struct message *m = diag_at(d, i);
        cr_expect_str_eq(m->place.file, "dir/net.h");
        str_addf(&got, "%d %d;", (int)m->code, m->place.line);
    }
    cr_expect_str_eq(str_text(&got), want);
    str_free(&got);
    str_free(&out);
    diag_free(d);
}

Test(template, words_are_renamed)
{
    expect_text("net.h net_a NET NET_B <net>\n", "lenet5.h lenet5_a LENET5 LENET5_B <lenet5>\n");
    expect_text("network nets subnet _net net2 Net netw_a planet_a\n",
                "network nets subnet _net net2 Net netw_a planet_a\n");
    expect_text("no newline at the end", "no newline at the end\n");
    expect_text("", "");
}

Test(template, marks_and_conditions)
{
    expect_text("a\n//% body\nb\n  //%tail \n", "a\n<net body>\nb\n<net tail>\n");
    expect_text("#% body\n", "<net body>\n");
    expect_text("//%% a remark, with no_such word\n", "");
    expect_text("//% if yes\n1\n//% else\n2\n//% end\n3\n", "1\n3\n");
    expect_text("//% if no\n1\n//% body\n//% else\n2\n//% end\n3\n", "2\n3\n");
    expect_text("//% if no\n//% if yes\n1\n//% else\n2\n//% end\n3\n//% end\n4\n", "4\n");
    expect_text("//% if yes\n//% if no\n1\n//% else\n2\n//% end\n3\n//% end\n4\n", "2\n3\n4\n");
    expect_text("//% body\r\nx\n", "<net body>\nx\n");
}

Test(template, all_errors_at_once)
{
    expect_errors("a\n//% bodi\n\n//% if maybe\n//% end\n//%\n", "", "551 2;551 4;551 6;");
    expect_errors("//% body too\n//% if\n//% end\n", "", "551 1;551 2;");
    expect_errors("//% end\n//% else\n", "", "553 1;553 2;");
    expect_errors("//% if yes\n//% else\n//% else\n//% end\n", "", "553 3;");
    expect_errors("\n//% if yes\n//% if no\n", "", "553 2;553 3;");
    expect_errors("//% tail\n", "body tail also", "552 0;552 0;");
    /* A mark in a part that is left out is there, and one with a wrong name is found there. */
    expect_errors("//% if no\n//% body\n//% nobody\n//% end\n", "body", "551 3;");
}

Test(template, deep_nesting_is_refused)
{
    struct str text = {0};
    for (int i = 0; i < 100; i++)
        str_add(&text, "//% if yes\n");
    struct diag *d = diag_new();
    struct str out = {0};
    cr_expect_not(fill(text.text, "", &out, d));
    str_free(&text);
    str_free(&out);
    diag_free(d);
}

static void
put(const char *dir, const char *name, const char *data, size_t size)
{
    char path[256];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "wb");
    cr_assert(f);
    fwrite(data, 1, size, f);
    fclose(f);
}

Test(template, folders)
{
    char dir[] = "/tmp/olac-template-XXXXXX";
    cr_assert(mkdtemp(dir));
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    const char *text, *place;

    cr_expect(template_check_folder(dir, d));
    cr_expect(template_text(a, dir, "net.h", &text, &place, d));
    cr_expect(strstr(text, "#ifndef NET_H"), "the built-in one");
    put(dir, "net.h", "mine\n", 5);
    put(dir, "README.md", "", 0);
    cr_expect(template_check_folder(dir, d));
    cr_expect(template_text(a, dir, "net.h", &text, &place, d));
    cr_expect_str_eq(text, "mine\n");
    cr_expect(strstr(place, dir));
    cr_expect(template_text(a, NULL, "net.h", &text, &place, d));
    cr_expect(strstr(text, "#ifndef NET_H"));
    cr_expect_not(template_text(a, NULL, "net.x", &text, &place, d));
    cr_expect_eq(diag_errors(d), 0);

    put(dir, "net_sever.c", "", 0);
    cr_expect_not(template_check_folder(dir, d));
    cr_expect_eq(diag_at(d, 0)->code, E_TEMPLATE_NAME);
    put(dir, "net.h", "a\0b", 3);
    cr_expect_not(template_text(a, dir, "net.h", &text, &place, d));
    cr_expect_eq(diag_at(d, 1)->code, E_TEMPLATE);
    cr_expect_not(template_check_folder("/nowhere/at/all", d));
    cr_expect_eq(diag_at(d, 2)->code, E_TEMPLATE);
    diag_free(d);
    arena_free(a);
    cr_expect_eq(system(arena_printf(a = arena_new(), "rm -r %s", dir)), 0);
    arena_free(a);
}
