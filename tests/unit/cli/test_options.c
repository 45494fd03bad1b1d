/* test_options.c - the command line as it is read, and the texts made from the same table. */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"

struct parsed {
    struct arena *a;
    struct diag *d;
    struct options o;
    bool ok;
};

static struct parsed
parse(unsigned bit, char **argv)
{
    struct parsed p = {arena_new(), diag_new(), {0}, false};
    int argc = 0;
    while (argv[argc])
        argc++;
    p.ok = options_parse(p.a, argc, argv, bit, &p.o, p.d);
    return p;
}

static void
parsed_free(struct parsed *p)
{
    diag_free(p->d);
    arena_free(p->a);
}

#define ARGV(...) ((char *[]){"olac", "command", __VA_ARGS__, NULL})

Test(options, every_kind)
{
    struct parsed p = parse(R, ARGV("m.onnx", "--calib", "c.npy", "--input=i.npy", "--count", "7",
                                    "--agree=0.25", "--mean", "0.5,-1e-2,3", "--set",
                                    "a:b:degree=9", "--sim", "-o", "out", "--set=c:degree=1"));
    cr_assert(p.ok);
    cr_expect_str_eq(p.o.operand, "m.onnx");
    cr_expect_str_eq(p.o.calib, "c.npy");
    cr_expect_str_eq(p.o.input, "i.npy");
    cr_expect_str_eq(p.o.output, "out");
    cr_expect_eq(p.o.count, 7u);
    cr_expect_float_eq(p.o.agree, 0.25, 0);
    cr_assert_eq(p.o.mean.n, 3u);
    cr_expect_float_eq(p.o.mean.v[1], -0.01, 1e-15);
    cr_expect(p.o.sim && !p.o.json);
    cr_assert_eq(p.o.pins.len, 2u);
    cr_expect_str_eq(p.o.pins.at[0].node, "a:b");
    cr_expect_str_eq(p.o.pins.at[0].key, "degree");
    cr_expect_str_eq(p.o.pins.at[0].value, "9");
    struct compile_options co = options_compile(p.a, &p.o);
    cr_expect_str_eq(co.model, "m.onnx");
    cr_expect_eq(co.n_pins, 2u);
    cr_expect_eq(co.n_mean, 3u);
    parsed_free(&p);
}

Test(options, all_mistakes_at_once)
{
    struct parsed p = parse(C, ARGV("m", "n", "--count", "3", "--degree", "1e3",
                                    "--log-n=", "--std", "1,,2", "--precision", "nan", "--calib"));
    cr_expect_not(p.ok);
    /* one too many, no option of compile (its value is taken for an argument), degree, log-n, std,
     * precision, calib */
    cr_expect_geq(diag_errors(p.d), 7u);
    for (uint32_t k = 0; k < diag_count(p.d); k++)
        cr_expect_eq(diag_at(p.d, k)->code, E_USAGE);
    parsed_free(&p);
}

Test(options, edges)
{
    static const struct {
        char *option, *value;
        bool ok;
    } cases[] = {
        {"--degree", "63", true},        {"--degree", "64", false},
        {"--degree", "0", false},        {"--degree", "-3", false},
        {"--degree", "+3", false},       {"--degree", "3 ", false},
        {"--agree", "1", true},          {"--agree", "1.01", false},
        {"--agree", "inf", false},       {"--security", "192", true},
        {"--security", "129", false},    {"--fit", "layer", true},
        {"--fit", "pixel", false},       {"--log-n", "99999999999999999999", false},
        {"--set", "x", false},           {"--set", ":degree=3", false},
        {"--calib", "", false},          {"--max-latency", "2", true},
        {"--max-latency", "2s", true},   {"--max-latency", "500ms", true},
        {"--max-latency", "2m", false},  {"--max-latency", "s", false},
        {"--max-latency", "-1s", false},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct parsed p = parse(C, ARGV("m", cases[k].option, cases[k].value));
        cr_expect_eq(p.ok, cases[k].ok, "%s %s", cases[k].option, cases[k].value);
        parsed_free(&p);
    }
    struct parsed twice = parse(C, ARGV("m", "--degree", "3", "--degree", "5"));
    cr_expect_not(twice.ok);
    parsed_free(&twice);
    struct parsed no_data = parse(S, ARGV("m"));
    cr_expect_not(no_data.ok);
    parsed_free(&no_data);
}

Test(options, a_number_that_may_be_left_out)
{
    struct {
        char **argv;
        uint32_t stress;
    } cases[] = {
        {ARGV("m", "--data", "d"), 0},
        {ARGV("m", "--data", "d", "--stress"), 1000},
        {ARGV("--stress", "m", "--data", "d"), 1000},
        {ARGV("--stress", "20", "m", "--data", "d"), 20},
        {ARGV("--stress=20", "m", "--data", "d"), 20},
    };
    for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
        struct parsed p = parse(S, cases[k].argv);
        cr_expect(p.ok, "case %zu", k);
        cr_expect_eq(p.o.stress, cases[k].stress, "case %zu", k);
        cr_expect_str_eq(p.o.operand, "m");
        parsed_free(&p);
    }
    struct parsed none = parse(S, ARGV("m", "--data", "d", "--stress", "0"));
    cr_expect_not(none.ok);
    parsed_free(&none);
}

/* The value of a word on a line of a bash completion is all that the parser takes, and nothing
 * else. */
Test(options, completions_offer_what_the_parser_takes)
{
    struct str s = {0};
    options_completion("bash", &s);
    for (const struct command *c = cli_commands; c->name; c++) {
        char *label = NULL;
        cr_assert(asprintf(&label, "    %s) options=\"", c->name) > 0);
        const char *at = strstr(str_text(&s), label);
        cr_assert_not_null(at, "%s", c->name);
        at += strlen(label);
        while (*at != '"') {
            char word[64];
            size_t n = strcspn(at, " \"");
            snprintf(word, sizeof word, "%.*s=", (int)n, at);
            struct parsed p = parse(c->bit, ARGV("m", word));
            for (uint32_t k = 0; k < diag_count(p.d); k++)
                cr_expect_null(strstr(diag_at(p.d, k)->text, "is no option"), "%s %s", c->name,
                               word);
            parsed_free(&p);
            at += n + (at[n] == ' ');
        }
        free(label);
    }
    str_free(&s);
}

Test(options, help_and_man_name_every_command)
{
    struct str help = {0}, man = {0};
    options_help(NULL, &help);
    options_man(&man);
    for (const struct command *c = cli_commands; c->name; c++) {
        cr_expect_not_null(strstr(str_text(&help), c->summary));
        cr_expect_not_null(strstr(str_text(&man), c->summary));
    }
    cr_expect_not_null(
        strstr(str_text(&man),
               ".B \\-\\-calib\\-count \\fIK\\fR\n(compile, check, calibrate, simulate, run)"));
    str_free(&help);
    str_free(&man);
}
