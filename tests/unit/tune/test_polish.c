/* test_polish.c - coefficients moved together: nearer on images that it has not seen, the same at
 * any number of threads, and nothing changed where it is not nearer. */
#include "tune/polish.h"

#include "nets.h"

#include <omp.h>

#define DEGREE 3

/* Interpolation of ReLU on Chebyshev points of [-4, 4]: nowhere near the best for what comes. */
static struct poly *
crude(struct net *t, uint32_t rows)
{
    struct poly *p = ARENA_NEW(t->a, struct poly);
    *p = (struct poly){.degree = DEGREE, .rows = rows, .error = 0.3};
    p->coef = ARENA_ARRAY(t->a, double, rows *(DEGREE + 1));
    p->center = ARENA_ARRAY(t->a, double, rows);
    p->radius = ARENA_ARRAY(t->a, double, rows);
    for (uint32_t r = 0; r < rows; r++) {
        p->radius[r] = 4;
        for (int k = 0; k <= DEGREE; k++)
            for (int i = 0; i <= DEGREE; i++) {
                double angle = M_PI * (i + 0.5) / (DEGREE + 1);
                p->coef[r * (DEGREE + 1) + (uint32_t)k] +=
                    (k ? 2.0 : 1.0) / (DEGREE + 1) * fmax(4 * cos(angle), 0) * cos(k * angle);
            }
    }
    return p;
}

/* 6 -> 8 relu -> 8 relu -> 3, biases that are learned; or one constant for the first two. */
static struct net
network_of(bool one_bias)
{
    struct net t = net_new(13);
    uint32_t v = graph_input(t.g, "x", DT_F32, DIMS(1, 6));
    static const int64_t sizes[] = {6, 8, 8, 3};

    for (int k = 0; k < 3; k++) {
        uint32_t in[] = {v, net_const(&t, DIMS(sizes[k], sizes[k + 1]), -1, 1),
                         net_const(&t, DIMS(sizes[k + 1]), -0.3, 0.3)};
        if (one_bias && k == 1)
            in[2] = t.g->nodes.at[0].in.at[2];
        v = net_node(&t, OP_gemm, 3, in);
        if (k < 2) {
            v = OP1(&t, OP_relu, v);
            t.g->nodes.at[t.g->nodes.len - 1].poly = crude(&t, k ? 1 : 8);
        }
    }
    net_output(&t, v);
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 600, 0.7);
    return t;
}

static struct net
network(void)
{
    return network_of(false);
}

static double
off(struct net *t)
{
    float *exact = net_run(t, false), *ours = net_run(t, true);
    double sum = 0;
    for (uint32_t k = 0; k < 3 * t->n; k++)
        sum += pow((double)exact[k] - (double)ours[k], 2);
    return sum;
}

Test(polish, outputs_come_nearer_on_other_images)
{
    struct net t = network();
    struct polish_options o = {.steps = 120};
    struct polish_report r;
    float *seen = t.images, *before = net_run(&t, false);

    net_images(&t, 600, 0.7);
    double was = off(&t);
    cr_assert(polish(t.g, seen, t.n, &o, &r, t.d), "%s", net_errors(&t));
    cr_expect(r.kept && r.after < 0.7 * r.before, "%g %g", r.before, r.after);
    cr_expect(off(&t) < 0.6 * was, "%g %g", off(&t), was);
    /* the float network is what it was */
    t.images = seen;
    cr_expect_eq(memcmp(before, net_run(&t, false), 3 * t.n * sizeof *before), 0);
    net_free(&t);
}

Test(polish, threads_do_not_matter)
{
    struct polish_options o = {.steps = 30};
    struct polish_report r;
    float *first = NULL;
    struct net t[2];

    for (int k = 0; k < 2; k++) {
        omp_set_num_threads(1 + 2 * k);
        t[k] = network();
        cr_assert(polish(t[k].g, t[k].images, t[k].n, &o, &r, t[k].d));
        float *out = net_run(&t[k], true);
        cr_assert(r.kept);
        if (k)
            cr_expect_eq(memcmp(first, out, 3 * t[k].n * sizeof *out), 0);
        first = out;
    }
    net_free(&t[0]);
    net_free(&t[1]);
}

/* Steps that only do harm are not kept, whether they run away or not. */
Test(polish, what_is_not_better_is_not_kept)
{
    for (double rate = 3; rate < 1e6; rate *= 1e4) {
        struct net t = network();
        struct polish_options o = {.steps = 2, .rate = 1e-3}, wild = {.steps = 3, .rate = rate};
        struct polish_report r;
        cr_assert(polish(t.g, t.images, t.n, &o, &r, t.d));
        double was = off(&t);
        float *ours = net_run(&t, true);
        cr_assert(polish(t.g, t.images, t.n, &wild, &r, t.d));
        if (!r.kept)
            cr_expect_eq(memcmp(ours, net_run(&t, true), 3 * t.n * sizeof *ours), 0);
        cr_expect(isfinite(off(&t)) && off(&t) <= 1.01 * was, "%g %g", off(&t), was);
        net_free(&t);
    }
}

/* What two layers share stays; the network that is kept is the one that was judged. */
Test(polish, a_bias_of_two_layers_stays)
{
    for (int shared = 0; shared < 2; shared++) {
        struct net t = network_of(shared);
        struct polish_options o = {.steps = 40}, none = {0};
        struct polish_report r, again;
        const struct value *bias = graph_value(t.g, t.g->nodes.at[0].in.at[2]);
        float was[8];
        memcpy(was, bias->data.f, sizeof was);
        cr_assert(polish(t.g, t.images, t.n, &o, &r, t.d), "%s", net_errors(&t));
        cr_assert(r.kept);
        bias = graph_value(t.g, t.g->nodes.at[0].in.at[2]);
        cr_expect_eq(memcmp(was, bias->data.f, sizeof was) == 0, shared);
        cr_expect_eq(graph_uses(t.g, t.g->nodes.at[0].in.at[2]), 1u + (uint32_t)shared);
        cr_assert(polish(t.g, t.images, t.n, &none, &again, t.d), "%s", net_errors(&t));
        cr_expect_float_eq(again.before, r.after, 1e-6 * r.after, "%g %g", again.before, r.after);
        net_free(&t);
    }
}
