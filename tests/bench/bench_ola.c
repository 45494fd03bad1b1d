/* bench_ola.c - bench_ola MODEL TRAIN TEST FIT JUDGE TESTED M,M,M S,S,S PLAN ...: what plans
 * of degrees do to a network. Polynomials are fitted on the first FIT images of TRAIN and judged
 * on the JUDGE images after them; then, for the record alone, the first TESTED images of TEST and
 * 1,000 stress images are run. A PLAN is a degree for all activations (7), a budget of levels for
 * OLA to allot (L50; L50:7 with degrees up to 7), degrees one by one (3,7,7 ...), or `minimax`:
 * the composition {15, 15, 27} for every ReLU, on 1.2 times what calibration shows (minimax:2:
 * twice). */
#include "approximate/minimax.h"
#include "choose/choose.h"
#include "op/answer.h"
#include "op/interpret.h"
#include "pipeline/pipeline.h"
#include "simplify/simplify.h"
#include "simulate/acts.h"
#include "simulate/stress.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STRESS 1000
#define GUARDS 100
#define WIDEN  1.2 /* as approximate.h says */

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

static bool
plan_of(struct bench *b, char *text, struct choose_plan *p)
{
    double each[256];

    if (text[0] == 'L') {
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

/* A pass of images with compositions for activations. Polynomials of degree 1 stand for these in
 * the graph and hand on what they are fed. */
struct composed {
    const struct graph *g;
    const struct minimax *m;
    struct acts acts;
    double widen;
    double *most;      /* images x activations: largest |input|, of the first pass */
    bool *outside;     /* images */
    int64_t n_outputs; /* of an image */
};

static void
see(void *user, uint32_t image, uint32_t watched, const float *x)
{
    struct composed *c = user;
    double *most = &c->most[(size_t)image * c->acts.n + watched];

    for (int64_t e = 0; e < c->acts.size[watched]; e++)
        *most = fmax(*most, fabs((double)x[e]));
}

static void
compose(void *user, uint32_t image, uint32_t node, uint32_t output, float *x, int64_t n)
{
    struct composed *c = user;
    const struct poly *p = c->g->nodes.at[node].poly;
    (void)output;

    if (!p)
        return;
    for (int64_t e = 0; e < n; e++)
        if (!(fabs((double)x[e]) <= SIMULATE_RANGE * p->radius[0]))
            c->outside[image] = true;
    minimax_relu(c->m, p->radius[0], x, n);
}

/* A straight polynomial on every activation, its radius the bound; false when one is no ReLU. */
static bool
straighten(struct bench *b, struct composed *c)
{
    struct interpret_options io = {.see = see, .user = c};
    struct arena *a = arena_new();

    approximate_put(b->g, &b->bare);
    for (uint32_t k = 0; k < b->choice.n; k++) {
        struct node *n = &b->g->nodes.at[b->choice.layers[k].node];
        if (n->op != OP_relu)
            return false;
        n->poly = ARENA_NEW(b->a, struct poly);
        *n->poly = (struct poly){1,
                                 1,
                                 ARENA_ARRAY(b->a, double, 2),
                                 ARENA_ARRAY(b->a, double, 1),
                                 ARENA_ARRAY(b->a, double, 1),
                                 0};
    }
    c->acts = acts_find(b->a, b->g);
    c->most = ARENA_ARRAY(a, double, (size_t)b->fit.n * c->acts.n + 1);
    io.watch = c->acts.watch + c->acts.n;
    io.n_watch = c->acts.n;
    float *out = ARENA_ARRAY(a, float, (size_t)(b->fit.n * c->n_outputs) + 1);
    bool ok = interpret_many(b->g, &io, b->fit.x, b->fit.n, out, b->d);
    for (uint32_t k = 0; ok && k < c->acts.n; k++) {
        struct poly *p = b->g->nodes.at[c->acts.node[k]].poly;
        double most = 0;
        for (uint32_t i = 0; i < b->fit.n; i++)
            most = fmax(most, c->most[(size_t)i * c->acts.n + k]);
        p->coef[1] = p->radius[0] = c->widen * fmax(most, 1e-30);
    }
    arena_free(a);
    return ok;
}

/* As score() for one polynomial an activation; ran_away: by the outputs alone. */
static struct score
composed_score(const struct bench *b, struct composed *c, const struct images *s, double *largest,
               uint32_t *ran_away)
{
    struct arena *a = arena_new();
    struct interpret_options clean = {0}, ours = {.poly = true, .after = compose, .user = c};
    size_t size = (size_t)(s->n * c->n_outputs) + 1;
    float *exact = ARENA_ARRAY(a, float, size), *out = ARENA_ARRAY(a, float, size);
    uint32_t right = 0, right_exact = 0, changed = 0;
    struct score r = {NAN, NAN, 0};

    c->outside = ARENA_ARRAY(a, bool, s->n + 1);
    if (interpret_many(b->g, &clean, s->x, s->n, exact, b->d) &&
        interpret_many(b->g, &ours, s->x, s->n, out, b->d)) {
        struct answer_rule rule = answer_rule(exact, s->n, c->n_outputs);
        if (*largest == 0)
            *largest = rule.largest;
        for (uint32_t k = 0; k < s->n; k++) {
            const float *e = exact + k * c->n_outputs, *o = out + k * c->n_outputs;
            bool away = acts_runs_away(o, c->n_outputs, *largest);
            r.diverged += away || c->outside[k];
            *ran_away += away;
            changed += !answer_agrees(&rule, e, o);
            right += s->labels && answer_class(&rule, o) == s->labels[k];
            right_exact += s->labels && answer_class(&rule, e) == s->labels[k];
        }
        r.lost = s->labels ? 100 * ((double)right_exact - right) / s->n : NAN;
        r.changed = 100.0 * changed / s->n;
    }
    arena_free(a);
    return r;
}

static void
run_minimax(struct bench *b, const char *text)
{
    static const uint32_t degrees[] = {15, 15, 27};
    struct minimax m;
    const char *widen = strchr(text, ':');
    struct composed c = {.g = b->g, .m = &m, .widen = widen ? atof(widen + 1) : WIDEN};
    double start = now(), of_test = 0, of_judge = 0;
    uint32_t away = 0;

    c.n_outputs = shape_size(&graph_value(b->g, b->g->outputs.at[0])->shape);
    if (!(c.widen > 0) || !minimax_make(&m, degrees, 3, 0) || !straighten(b, &c)) {
        printf("%-8s no plan\n", text);
        return;
    }
    double fitted = now() - start;
    struct score test = composed_score(b, &c, &b->test, &of_test, &away);
    struct score judge = composed_score(b, &c, &b->judge, &of_judge, &away);
    struct stress_options o = stress_of(b, of_judge);
    int64_t in = shape_size(&graph_value(b->g, b->g->inputs.at[0].value)->shape);
    struct images strange = {ARENA_ARRAY(b->a, float, STRESS *in + 1), NULL, STRESS};
    for (uint32_t k = 0; k < STRESS; k++)
        stress_image(b->g, &o, k, strange.x + k * in);
    away = 0;
    struct score made = composed_score(b, &c, &strange, &of_judge, &away);
    printf("%-8s %3u | %6.2f %6.2f %4u | %6.2f %6.2f %4u | %5u %5u | %5.1f | 15 15 27 each, "
           "within 2^%.2f on [-1, 1]\n",
           text, b->choice.n * minimax_levels(&m), judge.lost, judge.changed, judge.diverged,
           test.lost, test.changed, test.diverged, made.diverged, away, fitted, log2(m.relu));
    fflush(stdout);
    approximate_put(b->g, &b->bare);
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
    uint32_t levels = 0;
    for (uint32_t k = 0; k < b->choice.n; k++)
        levels += (uint32_t)ceil(log2(b->g->nodes.at[b->choice.layers[k].node].poly->degree + 1.0));
    double largest = 0, fitted = now() - start;
    struct score test = score(b, &b->test, &largest), judge = score(b, &b->judge, &largest);
    struct stress_kind strange = odd(b, largest);
    printf("%-8.8s %3u | %6.2f %6.2f %4u | %6.2f %6.2f %4u | %5u %5u | %5.1f |", text, levels,
           judge.lost, judge.changed, judge.diverged, test.lost, test.changed, test.diverged,
           strange.diverged, strange.ran_away, fitted);
    for (uint32_t k = 0; k < b->choice.n; k++)
        printf(" %u", b->g->nodes.at[b->choice.layers[k].node].poly->degree);
    printf("\n");
    fflush(stdout);
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
