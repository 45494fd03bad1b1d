/* test_report.c - the page is well-formed whatever the names are, fetches nothing, and shows what
 * it is given. */
#include "report/html.h"
#include "report/plot.h"
#include "report/report.h"
#include "xml.h"

#include <math.h>

#define HOSTILE "\"><script>alert('1')</script>&amp;]]>\x01\n\xff\xed\xa0\x80"

static uint32_t
count(const char *text, const char *what)
{
    uint32_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what))
        n++;
    return n;
}

static char *
page_of(const struct report *r)
{
    struct str s = {0};
    report_html(r, &s);
    cr_assert_not_null(s.text);
    cr_assert_eq(strlen(s.text), s.len, "a NUL in the page");
    return s.text;
}

/* ---- a report of everything
 * ------------------------------------------------------------------------- */

enum { ACTS = 3, STEPS = 7, ROWS = 5 };

struct made {
    struct arena *a;
    struct report r;
};

static void
made_activation(struct made *m, uint32_t k, const char *name)
{
    struct report_activation *to = &m->r.activation[k];
    struct poly *p = ARENA_NEW(m->a, struct poly);

    *p = (struct poly){.degree = 3, .rows = k ? ROWS : 1};
    p->coef = ARENA_ARRAY(m->a, double, ROWS * 4);
    p->center = ARENA_ARRAY(m->a, double, ROWS);
    p->radius = ARENA_ARRAY(m->a, double, ROWS);
    for (uint32_t r = 0; r < p->rows; r++) {
        p->radius[r] = 1 + r;
        p->coef[4 * r + 1] = 0.5;
        p->coef[4 * r + 2] = 0.25;
    }
    *to = (struct report_activation){.name = name,
                                     .function = "Relu",
                                     .poly = p,
                                     .typical = k,
                                     .lo = -2,
                                     .hi = 2,
                                     .outside = 0.001,
                                     .levels = 2,
                                     .error = 0.1,
                                     .impact = 0.5,
                                     .cost = 0.25,
                                     .seconds = 0.003,
                                     .n_options = 3,
                                     .chosen = 1};
    to->f = ARENA_ARRAY(m->a, double, REPORT_POINTS);
    for (int i = 0; i < REPORT_POINTS; i++)
        to->f[i] = fmax(0, to->lo + 4.0 * i / (REPORT_POINTS - 1));
    for (int i = 0; i < REPORT_BINS; i++)
        to->bin[i] = 1.0 / REPORT_BINS;
    to->option = ARENA_ARRAY(m->a, struct report_option, 3);
    for (uint32_t i = 0; i < 3; i++)
        to->option[i] = (struct report_option){.degree = (2u << i) - 1,
                                               .levels = i + 1,
                                               .error = 0.1,
                                               .cost = 0.5 / (i + 1),
                                               .seconds = i == 2 ? INFINITY : 0.5};
}

static void
made_program(struct made *m)
{
    struct he_program *p = ARENA_NEW(m->a, struct he_program);
    const uint64_t primes[] = {1099511480321, 1073479681, 1073184769, 4398046150657};

    *p = (struct he_program){.arena = m->a, .name = HOSTILE, .relin_level = 1, .seconds = 0.25};
    p->params = (struct he_params){.log_n = 13,
                                   .slots = 4096,
                                   .digit_limbs = 1,
                                   .scale = 0x1p30,
                                   .log_qp = 142,
                                   .security = 128};
    for (int k = 0; k < 3; k++)
        vec_push(m->a, &p->params.q, primes[k]);
    vec_push(m->a, &p->params.p, primes[3]);
    p->peak_bytes = 300000000;
    p->key_bytes = 120000000;
    p->counts.rotations = 44;
    vec_push(m->a, &p->insts, (struct he_inst){.op = HE_input, .noise = 1e-5});
    vec_push(m->a, &p->outputs, (struct he_port){.name = "y", .value = 0, .range = 8});
    m->r.program = p;
    m->r.weight_bytes = 50000000;
    struct he_scaling *cores = ARENA_NEW(m->a, struct he_scaling);
    *cores = (struct he_scaling){.path = 0.012, .bytes = 4e9, .memory = 32e9};
    for (uint32_t k = 0; k < HE_CORES; k++) {
        cores->at[k].cores = 1u << k;
        cores->at[k].seconds = fmax(0.4 / (1u << k), 0.05);
    }
    m->r.cores = cores;
}

static struct made
made(const char *name)
{
    struct made m = {.a = arena_new()};
    static const enum report_kind kinds[STEPS] = {REPORT_MAP,     REPORT_POLY, REPORT_MAP,
                                                  REPORT_REFRESH, REPORT_SUM,  REPORT_PRODUCT,
                                                  REPORT_MAP};

    m.r = (struct report){.network = name,
                          .model = name,
                          .options = name,
                          .version = "1",
                          .hash = "00ff",
                          .images = 100,
                          .agree = 0.99,
                          .judged = 50,
                          .max_drop = 0.005,
                          .max_latency = 0.3,
                          .depth = 6};
    m.r.activation = ARENA_ARRAY(m.a, struct report_activation, ACTS);
    for (uint32_t k = 0; k < ACTS; k++)
        made_activation(&m, m.r.n_activations++, name);
    m.r.plan = ARENA_ARRAY(m.a, struct report_plan, 4);
    for (uint32_t k = 0; k < 4; k++)
        m.r.plan[m.r.n_plans++] = (struct report_plan){.uniform = k < 2 ? 3 + 4 * k : 0,
                                                       .levels = 6 + k,
                                                       .deepest = 6 + k,
                                                       .cost = 1.0 / (k + 1),
                                                       .drop = k == 1 ? NAN : 0.01 / (k + 1),
                                                       .seconds = 0.1 * (k + 1),
                                                       .chosen = k == 3};
    m.r.frontier = m.r.plan;
    m.r.n_frontier = 3;
    m.r.step = ARENA_ARRAY(m.a, struct report_step, STEPS);
    for (uint32_t k = 0; k < STEPS; k++)
        m.r.step[m.r.n_steps++] =
            (struct report_step){.name = name,
                                 .kind = kinds[k],
                                 .before = 6 - k,
                                 .after = kinds[k] == REPORT_REFRESH ? 6 : 5 - k,
                                 .seconds = 0.01,
                                 .rotations = k,
                                 .products = 2};
    made_program(&m);
    static struct report_accuracy accuracy[] = {{"float", 0.9, 100, 0}, {"noisy", 0.89, 97, 2}};
    static struct report_stress stress[] = {{"noise", 10, 3, 1, 4}, {"all", 10, 3, 1, 4}};
    static struct report_layer layer[] = {{"a", {0.1, 1e-5, NAN}, 0.1, 2}, {"b", {0, 0, 0}, 0, 0}};
    m.r.accuracy = accuracy;
    m.r.stress = stress;
    m.r.layer = layer;
    m.r.n_accuracy = m.r.n_stress = m.r.n_layers = 2;
    m.r.simulated = 100;
    static const struct report_run run = {.images = 9,
                                          .agree = 8,
                                          .correct = 7,
                                          .labels = true,
                                          .evaluate = 0.2,
                                          .peak_bytes = 290000000};
    m.r.run = &run;
    m.r.departs = name;
    m.r.departs_by = "polynomial";
    return m;
}

Test(report, a_page_is_well_formed_and_fetches_nothing)
{
    struct made m = made("net");
    char *page = page_of(&m.r);

    cr_expect_gt(xml_check(page), 300);
    static const char *const outside[] = {" src=",  "<link",  "@import", "url(h",
                                          "url(\"", "fetch(", "XMLHttp"};
    for (size_t k = 0; k < sizeof outside / sizeof *outside; k++)
        cr_expect_null(strstr(page, outside[k]), "%s", outside[k]);
    cr_expect_eq(count(page, "http"), 1u, "the name of XHTML alone");
    free(page);
    arena_free(m.a);
}

Test(report, names_are_only_ever_text)
{
    struct made m = made(HOSTILE);
    m.r.why_none = HOSTILE;
    char *page = page_of(&m.r);

    xml_check(page);
    cr_expect_eq(count(page, "<script>"), 1u);
    cr_expect_null(strstr(page, "alert('"));
    cr_expect_gt(count(page, "&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)"), 10u);
    free(page);
    arena_free(m.a);
}

Test(report, everything_is_shown)
{
    struct made m = made("net");
    char *page = page_of(&m.r), *again = page_of(&m.r);

    cr_expect_str_eq(page, again);
    cr_expect_eq(count(page, "<article"), (uint32_t)ACTS);
    cr_expect_eq(count(page, "level 6 to 5"), 1u);
    cr_expect_not_null(strstr(page, "bootstrapping \xc2\xb7 level 3 to 6"));
    cr_expect_eq(count(page, "class=\"q\" "), 3u);
    cr_expect_eq(count(page, "class=\"special\" "), 1u);
    cr_expect_eq(count(page, "<td>chosen</td>"), (uint32_t)ACTS);
    cr_expect_eq(count(page, "too deep"), (uint32_t)ACTS);
    cr_expect_not_null(strstr(page, "+33.3\xc2\xa0%"), "0.5 in place of 0.25 of 0.75");
    cr_expect_not_null(strstr(page, "class=\"chosen\" r=\"6.5\""));
    cr_expect_not_null(strstr(page, "--max-drop"));
    cr_expect_not_null(strstr(page, "<td>250\xc2\xa0ms</td><td>200\xc2\xa0ms</td>"));
    cr_expect_not_null(strstr(page, "<td>300\xc2\xa0MB</td><td>290\xc2\xa0MB</td>"));
    cr_expect_not_null(strstr(page, "89.00\xc2\xa0%"));
    cr_expect_not_null(strstr(page, "<td>16</td><td>50\xc2\xa0ms</td><td>8.0 times</td>"
                                    "<td>80\xc2\xa0GB/s</td>"));
    cr_expect_not_null(strstr(page, "memory at 32 GB/s"), "4 GB take 125 ms: 3.2 times at most");
    cr_expect_not_null(strstr(page, "channel 2 of 0 \xe2\x80\xa6 4"));
    free(page);
    free(again);
    arena_free(m.a);
}

/* Without data, program, choice and simulation little is left, and that is a page too. */
Test(report, little_is_enough)
{
    struct made m = made("net");
    struct report bare = {.network = "n", .model = "m", .options = "", .version = "", .hash = ""};
    bare.agree = NAN;
    char *page = page_of(&bare);
    xml_check(page);
    cr_expect_null(strstr(page, "href=\"#choice\""));
    free(page);

    m.r.program = NULL;
    m.r.cores = NULL;
    m.r.why_none = "too deep";
    m.r.n_plans = 1;
    m.r.n_accuracy = m.r.n_stress = m.r.n_layers = 0;
    for (uint32_t k = 0; k < ACTS; k++) {
        struct report_activation *a = &m.r.activation[k];
        a->n_options = 0;
        a->chosen = UINT32_MAX;
        a->cost = a->impact = a->seconds = NAN;
        for (int i = 0; i < REPORT_POINTS; i++)
            a->f[i] = k == 2 ? NAN : 1; /* flat, or nowhere */
    }
    page = page_of(&m.r);
    xml_check(page);
    cr_expect_null(strstr(page, "nan"));
    cr_expect_null(strstr(page, "inf\""));
    free(page);
    arena_free(m.a);
}

/* ---- the parts
 * ------------------------------------------------------------------------------------- */

static void
expect_text(struct str *s, const char *want)
{
    cr_expect_str_eq(str_text(s), want);
    str_free(s);
}

Test(report, text_is_escaped)
{
    struct str s = {0};
    html_text(&s, "a<b>&\"c'");
    expect_text(&s, "a&lt;b&gt;&amp;&quot;c&#39;");
    html_text(&s, "\xc3\xa4\xff\xc3\x01\t\xef\xbf\xbf");
    expect_text(&s, "\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\t\xef\xbf\xbd");
}

Test(report, numbers_are_short)
{
    struct str s = {0};
    html_number(&s, 0.012345);
    expect_text(&s, "0.0123");
    html_number(&s, -1.5e-7);
    expect_text(&s, "-1.5\xc2\xa0\xc3\x97\xc2\xa0"
                    "10<sup>-7</sup>");
    html_number(&s, NAN);
    expect_text(&s, "\xe2\x80\x93");
    html_seconds(&s, 0.0312);
    expect_text(&s, "31.2\xc2\xa0ms");
    html_seconds(&s, 2.25);
    expect_text(&s, "2.25\xc2\xa0s");
    html_seconds(&s, 0.9999);
    expect_text(&s, "1\xc2\xa0s");
    html_seconds(&s, 0.99995e-3);
    expect_text(&s, "1\xc2\xa0ms");
    html_seconds(&s, INFINITY);
    expect_text(&s, "too deep");
    html_bytes(&s, 999);
    expect_text(&s, "999\xc2\xa0"
                    "B");
    html_bytes(&s, 297600000);
    expect_text(&s, "298\xc2\xa0MB");
    html_percent(&s, 0.915);
    expect_text(&s, "91.50\xc2\xa0%");
}

Test(report, plots_map_values_to_places)
{
    struct str s = {0};
    struct plot p = {.out = &s,
                     .left = 10,
                     .top = 20,
                     .width = 100,
                     .height = 50,
                     .x0 = -1,
                     .x1 = 1,
                     .y0 = 0,
                     .y1 = 10};
    cr_expect_float_eq(plot_x(&p, 0), 60, 1e-12);
    cr_expect_float_eq(plot_y(&p, 10), 20, 1e-12);
    cr_expect_float_eq(plot_y(&p, 0), 70, 1e-12);
    const double y[] = {0, 5, NAN, 10, 1e9};
    plot_curve(&p, "c", -1, 1, y, 5);
    expect_text(&s, "<path class=\"c\" d=\"M10 70L35 45M85 20L110 -30\"/>\n");
    plot_axis_x(&p, 4, NULL, NULL);
    cr_expect_eq(count(str_text(&s), "<line"), 5u, "-1 -0.5 0 0.5 1");
    cr_expect_not_null(strstr(str_text(&s), ">-0.5</text>"));
    str_free(&s);
    p.log_y = true;
    p.y0 = 1e-3;
    p.y1 = 10;
    cr_expect_float_eq(plot_y(&p, 0.1), 45, 1e-9);
    plot_axis_y(&p, 5, NULL, NULL);
    cr_expect_eq(count(str_text(&s), "<line"), 5u);
    str_free(&s);
}
