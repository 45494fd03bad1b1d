/* bench_ola.c - bench_ola MODEL TRAIN TEST FIT JUDGE TESTED M,M,M S,S,S PLAN ...: what plans
 * of degrees do to a network. Polynomials are fitted on the first FIT images of TRAIN and judged
 * on the JUDGE images after them; then, for the record alone, the first TESTED images of TEST and
 * 1,000 stress images are run. A PLAN is a degree for all activations (7), a budget of levels for
 * OLA to allot (L50; L50:7 with degrees up to 7; M50 by measured losses in place of impacts), or
 * degrees one by one (3,7,7 ...), any of these with steps of polishing (7+200); or `minimax`: the
 * composition {15, 15, 27} for every ReLU, on 1.2 times what calibration shows (minimax:2:
 * twice). */
#include "choose/choose.h"
#include "pipeline/pipeline.h"
#include "simplify/simplify.h"
#include "simulate/stress.h"
#include "tune/polish.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STRESS   1000
#define GUARDS   100
#define AUGMENT  0.5 /* as pipeline.c says */
#define MEASURED 105 /* images: 8,000 evaluations of ResNet-20 */

struct images {
    float *x;
    const int64_t *labels;
    uint32_t n;
};

struct bench {
    struct arena *a;
    struct diag *d;
    struct graph *g;
    struct approximate_options ao;
    struct images fit, judge, test;
    struct choice choice;
    bool measured; /* once */
    struct polish_report polished;
    struct approximated bare; /* the network without polynomials */
};

static double
now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static uint32_t
numbers(char *text, double *v, uint32_t most)
{
    uint32_t n = 0;
    while (n < most && text) {
        v[n++] = strtod(text, &text);
        text = *text == ',' ? text + 1 : NULL;
    }
    return n;
}

struct score {
    double lost, changed; /* per cent: of accuracy, of the answers */
    uint32_t diverged;    /* as simulate.h says */
};

static struct score
score(const struct bench *b, const struct images *s, double *largest)
{
    struct arena *a = arena_new();
    struct simulate_options o = {.approximated = b->g};
    struct simulate_report r;
    struct score out = {NAN, NAN, 0};

    if (simulate(a, s->x, s->labels, s->n, &o, &r, b->d)) {
        const struct simulate_run *clean = &r.run[SIMULATE_FLOAT];
        const struct simulate_run *ours = &r.run[SIMULATE_APPROXIMATED];
        out.lost = 100 * (clean->accuracy - ours->accuracy);
        out.changed = 100 - 100.0 * ours->agree / s->n;
        out.diverged = ours->diverged;
        *largest = r.largest;
    }
    arena_free(a);
    return out;
}

static struct stress_options
stress_of(const struct bench *b, double largest)
{
    return (struct stress_options){.images = STRESS,
                                   .seed = 20,
                                   .range = stress_range_of(b->a, b->g, b->fit.x, b->fit.n),
                                   .data = b->judge.x,
                                   .n_data = b->judge.n,
                                   .largest = largest};
}

static struct stress_kind
odd(const struct bench *b, double largest)
{
    struct arena *a = arena_new();
    struct simulate_options so = {.approximated = b->g};
    struct stress_options o = stress_of(b, largest);
    struct stress_report r = {0};

    simulate_stress(&so, &o, &r, b->d);
    arena_free(a);
    return r.all;
}

static bool
load(struct bench *b, char **argv)
{
    double mean[3], std[3];
    struct compile_options o = {.model = argv[1], .calib = argv[2], .mean = mean, .std = std};
    struct compiled train = {0}, test = {0};
    uint32_t fit = (uint32_t)atoi(argv[4]), judge = (uint32_t)atoi(argv[5]);

    o.n_mean = numbers(argv[7], mean, 3);
    o.n_std = numbers(argv[8], std, 3);
    o.calib_count = fit + judge;
    if (!pipeline_float(b->a, &o, &train, b->d))
        return false;
    o.calib = argv[3];
    o.calib_count = (uint32_t)atoi(argv[6]);
    if (!pipeline_float(b->a, &o, &test, b->d))
        return false;
    b->g = train.graph;
    int64_t in = shape_size(&graph_value(b->g, b->g->inputs.at[0].value)->shape);
    b->fit = (struct images){train.calib_images, train.calib.labels, fit};
    b->judge = (struct images){train.calib_images + fit * in,
                               train.calib.labels ? train.calib.labels + fit : NULL, judge};
    b->test = (struct images){test.calib_images, test.calib.labels, test.n_calib};
    if (!simplify(b->g, b->d))
        return false;
    uint32_t n = fit < 256 ? fit : 256;
    b->ao.n_guard = GUARDS;
    struct stress_options so = {.images = b->ao.n_guard,
                                .seed = 1,
                                .range = stress_range_of(b->a, b->g, b->fit.x, b->fit.n),
                                .data = b->fit.x,
                                .n_data = b->fit.n};
    float *guard = ARENA_ARRAY(b->a, float, b->ao.n_guard *in + 1);
    for (uint32_t k = 0; k < b->ao.n_guard; k++)
        stress_image(b->g, &so, k, guard + k * in);
    b->ao.guard = guard;
    approximate_take(b->a, b->g, &b->bare);
    return approximate_errors(b->g, b->fit.x, n, &b->ao, &b->choice, b->d) &&
           choose(b->g, b->fit.x, n, b->fit.labels, &b->choice, b->d);
}

/* The candidates of at most so high a degree. */
static struct choice
up_to(const struct bench *b, uint32_t degree)
{
    struct choice c = {b->choice.n, ARENA_ARRAY(b->a, struct choice_layer, b->choice.n + 1)};

    for (uint32_t k = 0; k < c.n; k++) {
        c.layers[k] = b->choice.layers[k];
        while (c.layers[k].n > 1 && c.layers[k].option[c.layers[k].n - 1].degree > degree)
            c.layers[k].n--;
    }
    return c;
}

/* As pipeline/ola.c does, once. */
static bool
measure(struct bench *b)
{
    uint32_t n = b->fit.n < MEASURED ? b->fit.n : MEASURED;
    bool first = !b->measured;

    b->measured = true;
    approximate_put(b->g, &b->bare);
    return !first || choose_measure(b->g, b->fit.x, n, &b->choice, NULL, NULL, b->d);
}

static bool
plan_of(struct bench *b, char *text, struct choose_plan *p)
{
    double each[256];

    if (text[0] == 'M' && !measure(b))
        return false;
    for (uint32_t k = 0; k < b->choice.n; k++)
        b->choice.layers[k].measured = text[0] == 'M';
    if (text[0] == 'L' || text[0] == 'M') {
        const char *most = strchr(text, ':');
        struct choice c = up_to(b, most ? (uint32_t)atoi(most + 1) : UINT32_MAX);
        return choose_within(b->a, b->g, &c, (uint32_t)atoi(text + 1), p);
    }
    choose_uniform(b->a, b->g, &b->choice, (uint32_t)atoi(text), p);
    if (!strchr(text, ','))
        return true;
    uint32_t n = numbers(text, each, 256);
    for (uint32_t k = 0; k < n && k < b->choice.n; k++)
        p->degree[b->choice.layers[k].node] = (uint32_t)each[k];
    return true;
}

static bool
polished(struct bench *b, const char *text)
{
    const char *plus = strchr(text, '+');
    struct polish_options o = {.steps = plus ? (uint32_t)atoi(plus + 1) : 0,
                               .augment = AUGMENT,
                               .guard = b->ao.guard,
                               .n_guard = b->ao.n_guard};

    b->polished = (struct polish_report){0};
    return !o.steps || polish(b->g, b->fit.x, b->fit.n, &o, &b->polished, b->d);
}

/* One line: the graph with the polynomials that it has. */
static void
print(const struct bench *b, const char *text, double start)
{
    double largest = 0, fitted = now() - start;
    uint32_t levels = 0;
    struct score test = score(b, &b->test, &largest), judge = score(b, &b->judge, &largest);
    struct stress_kind strange = odd(b, largest);

    for (uint32_t k = 0; k < b->g->nodes.len; k++)
        if (b->g->nodes.at[k].poly)
            levels += (uint32_t)ceil(log2(b->g->nodes.at[k].poly->degree + 1.0));
    if (strncmp(text, "minimax", 7) == 0)
        levels += b->choice.n; /* the products */
    printf("%-8s %3u | %6.2f %6.2f %4u | %6.2f %6.2f %4u | %5u %5u | %5.1f |", text, levels,
           judge.lost, judge.changed, judge.diverged, test.lost, test.changed, test.diverged,
           strange.diverged, strange.ran_away, fitted);
    for (uint32_t k = 0; k < b->g->nodes.len && strncmp(text, "minimax", 7) != 0; k++)
        if (b->g->nodes.at[k].poly)
            printf(" %u", b->g->nodes.at[k].poly->degree);
    if (b->polished.before > 0)
        printf(" | %.3f to %.3f", b->polished.before, b->polished.after);
    printf("\n");
    fflush(stdout);
}

static void
run_minimax(struct bench *b, const char *text)
{
    const char *widen = strchr(text, ':');
    struct approximate_options o = {.widen = widen ? atof(widen + 1) : 0};
    struct approximate_report r;
    struct graph *own = b->g;
    double start = now();

    approximate_put(own, &b->bare);
    b->g = graph_copy(b->a, own);
    if (approximate_minimax(b->g, b->fit.x, b->fit.n, &o, &r, b->d))
        print(b, text, start);
    b->g = own;
}

static void
run(struct bench *b, char *text)
{
    struct approximate_report r;
    struct choose_plan p;
    double start = now();

    if (strncmp(text, "minimax", 7) == 0) {
        run_minimax(b, text);
        return;
    }
    if (!plan_of(b, text, &p)) {
        printf("%-8s no plan\n", text);
        return;
    }
    b->ao.plan = p.degree;
    if (!approximate(b->g, b->fit.x, b->fit.n, &b->ao, &r, b->d))
        return;
    if (polished(b, text))
        print(b, text, start);
}

int
main(int argc, char **argv)
{
    struct bench b = {.a = arena_new(), .d = diag_new()};
    struct str s = {0};

    if (argc < 10) {
        fputs("bench_ola MODEL TRAIN TEST FIT JUDGE TESTED M,M,M S,S,S PLAN ...\n", stderr);
        return 2;
    }
    bool ok = load(&b, argv);
    printf(
        "%u fitted, %u judging, %u tested: points lost, %% of answers changed, diverged; of %d "
        "stress images: diverged, ran away\n%-8s %3s | %-18s | %-18s | %-11s | CPU s | degrees\n",
        b.fit.n, b.judge.n, b.test.n, STRESS, "plan", "lev", "judging", "test", "stress");
    for (int k = 9; ok && k < argc; k++)
        run(&b, argv[k]);
    diag_print(b.d, &s);
    fputs(str_text(&s), stderr);
    str_free(&s);
    diag_free(b.d);
    arena_free(b.a);
    return !ok;
}
