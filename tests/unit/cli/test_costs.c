/* test_costs.c - tables of costs: what is read, and that nothing else is. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "cli/costs.h"

#define GOOD                                                                                       \
    "{\"format\": \"olac costs 1\", \"machine\": \"M 1\", \"backend\": \"portable\", "             \
    "\"threads\": 3, \"transform_seconds\": 24e-6, \"multiply_seconds\": 4e-6, "                   \
    "\"inner_seconds\": 5e-6, \"speedup\": 2.5, \"memory_bytes_a_second\": 6e9}"

/* Errors that the text gives; all of them have the code of tables. */
static uint32_t
errors(const char *text, size_t size)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    const struct cost_table before = {.threads = 77};
    struct cost_table t = before;
    bool ok = costs_parse(a, "t.json", text, size, &t, d);
    uint32_t n = diag_errors(d);
    cr_expect_eq(ok, n == 0);
    cr_expect(ok || t.threads == 77, "left alone after an error");
    for (uint32_t k = 0; k < diag_count(d); k++)
        cr_expect_eq(diag_at(d, k)->code, E_COSTS);
    diag_free(d);
    arena_free(a);
    return n;
}

/* The good text with `from` replaced. */
static uint32_t
changed(const char *from, const char *to)
{
    char text[2048];
    const char *at = strstr(GOOD, from);
    cr_assert_not_null(at);
    int n = snprintf(text, sizeof text, "%.*s%s%s", (int)(at - GOOD), GOOD, to, at + strlen(from));
    return errors(text, (size_t)n);
}

Test(costs, a_good_table)
{
    struct arena *a = arena_new();
    struct diag *d = diag_new();
    struct cost_table t;
    cr_assert(costs_parse(a, "t.json", GOOD, strlen(GOOD), &t, d));
    cr_expect_str_eq(t.machine, "M 1");
    cr_expect_str_eq(t.backend, "portable");
    cr_expect_eq(t.threads, 3u);
    cr_expect_eq(t.costs.transform, 24e-6);
    cr_expect_eq(t.costs.multiply, 4e-6);
    cr_expect_eq(t.costs.inner, 5e-6);
    cr_expect_eq(t.costs.speedup, 2.5);
    cr_expect_eq(t.costs.memory, 6e9);
    const char *name = costs_name(a, &t);
    cr_expect_not_null(strstr(name, "M 1, portable, threads 3"));
    cr_expect_not_null(strstr(name, "2.5"), "all numbers are in it: %s", name);
    struct str s = {0};
    costs_print(&t, &s);
    cr_expect_not_null(strstr(str_text(&s), "24.00     12.00 us"), "%s", str_text(&s));
    str_free(&s);
    diag_free(d);
    arena_free(a);
}

Test(costs, each_wrong_value_is_told)
{
    static const char *const wrong[][2] = {{"olac costs 1", "olac costs 2"},
                                           {"\"M 1\"", "\"\""},
                                           {"\"M 1\"", "\"a\\nb\""},
                                           {"\"M 1\"", "7"},
                                           {"3,", "0,"},
                                           {"3,", "2.5,"},
                                           {"3,", "1e300,"},
                                           {"24e-6", "0"},
                                           {"24e-6", "-1"},
                                           {"24e-6", "1e999"},
                                           {"24e-6", "\"24\""},
                                           {"4e-6, \"inner", "2, \"inner"},
                                           {"2.5", "null"},
                                           {"6e9", "1"},
                                           {"6e9", "[]"},
                                           {"\"speedup\"", "\"speed\""},
                                           {"6e9", "6e9, \"x\":1"}};
    for (size_t k = 0; k < sizeof wrong / sizeof *wrong; k++)
        cr_expect_geq(changed(wrong[k][0], wrong[k][1]), 1u, "%s", wrong[k][1]);
    cr_expect_eq(changed("6e9", "6e9, \"threads\": 3"), 1u, "twice");
    cr_expect_eq(changed("\"speedup\": 2.5, ", ""), 1u, "missing");
}

Test(costs, all_problems_at_once)
{
    cr_expect_eq(errors("{}", 2), 9u);
    cr_expect_eq(errors("{\"a\":1,\"b\":2}", 13), 11u);
    cr_expect_eq(errors("[1]", 3), 1u);
    cr_expect_eq(errors("", 0), 1u);
    cr_expect_eq(errors(GOOD " x", strlen(GOOD) + 2), 1u, "something behind it");
    cr_expect_eq(errors(GOOD "\0", strlen(GOOD) + 1), 1u, "a NUL");
}

Test(costs, cut_off_anywhere)
{
    for (size_t n = 0; n < strlen(GOOD); n++)
        cr_expect_geq(errors(GOOD, n), 1u, "%zu bytes", n);
}
