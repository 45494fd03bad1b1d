/* test_approximate.c - the pass: what it refuses, what it leaves, and how near the network
 * stays. */
#include "approximate/approximate.h"
#include "nets.h"
#include "simplify/simplify.h"

#include <omp.h>

/* 6 -> 8 relu -> 8 sigmoid -> 3, random weights. */
static struct net
small(enum op_id first, enum op_id second)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6));
    uint32_t v = OP2(&t, OP_matmul, x, net_const(&t, DIMS(6, 8), -0.6, 0.6));
    v = OP1(&t, first, OP2(&t, OP_add, v, net_const(&t, DIMS(8), -0.5, 0.5)));
    v = OP2(&t, OP_matmul, v, net_const(&t, DIMS(8, 8), -0.6, 0.6));
    v = OP1(&t, second, OP2(&t, OP_add, v, net_const(&t, DIMS(8), -0.5, 0.5)));
    net_output(&t, OP2(&t, OP_matmul, v, net_const(&t, DIMS(8, 3), -1, 1)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 500, 1);
    return t;
}

static struct approximate_report
fit(struct net *t, struct approximate_options o)
{
    struct approximate_report r;
    cr_assert(approximate(t->g, t->images, t->n, &o, &r, t->d), "%s", net_errors(t));
    cr_assert(graph_check(t->g, STAGE_APPROXIMATED, t->d), "%s", net_errors(t));
    return r;
}

static struct node *
find(struct net *t, enum op_id op)
{
    for (uint32_t k = 0; k < t->g->nodes.len; k++)
        if (t->g->nodes.at[k].op == op)
            return &t->g->nodes.at[k];
    cr_assert_fail("no such node");
    return NULL;
}

/* Root mean square of the difference of all outputs, over that of the float ones. */
static double
difference(struct net *t)
{
    int64_t n = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape) * t->n;
    float *exact = net_run(t, false), *ours = net_run(t, true);
    double off = 0, all = 0;
    for (int64_t k = 0; k < n; k++) {
        off += pow((double)exact[k] - (double)ours[k], 2);
        all += pow((double)exact[k], 2);
    }
    return sqrt(off / all);
}

static double
widest(struct net *t)
{
    double most = 0;
    for (uint32_t k = 0; k < t->g->nodes.len; k++) {
        const struct poly *p = t->g->nodes.at[k].poly;
        for (uint32_t r = 0; p && r < p->rows; r++)
            most = fmax(most, p->radius[r]);
    }
    return most;
}

/* A guard far from everything is given up: no range grows by more than the reach of guards, and
 * the images are answered as without it. */
Test(approximate, guards_that_ran_away_count_for_nothing)
{
    struct net plain = small(OP_relu, OP_gelu), held = small(OP_relu, OP_gelu);
    float guard[2][6] = {{1e9f, -1e9f, 1e9f, 1e9f, -1e9f, 1e9f}, {0}};

    fit(&plain, (struct approximate_options){.degree = 7});
    fit(&held, (struct approximate_options){.degree = 7, .guard = guard[0], .n_guard = 2});
    cr_expect_lt(widest(&held), 10 * widest(&plain));
    cr_expect_lt(difference(&held), 2 * difference(&plain));
    net_free(&plain);
    net_free(&held);
}

/* An activation whose input hardly varies: its range holds what noise adds, so that a layer behind
 * it stays near the function with noise as without; and it is told. */
Test(approximate, noise_stays_in_range)
{
    struct net t = net_new(13);
    uint32_t v = graph_input(t.g, "x", DT_F32, DIMS(1, 6));

    for (int k = 0; k < 3; k++) {
        v = OP2(&t, OP_matmul, v, net_const(&t, DIMS(6, 6), -1, 1));
        v = OP1(&t, OP_gelu, OP2(&t, OP_mul, v, net_number(&t, 0.01)));
    }
    net_output(&t, v);
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 500, 1);
    struct approximate_report r = fit(&t, (struct approximate_options){.degree = 7});
    cr_assert_gt(r.drowned, 0);
    const struct node *first = &t.g->nodes.at[r.drowned_node];
    cr_expect_eq(first->op, OP_gelu);
    for (uint32_t k = 0, behind = 0; k < t.g->nodes.len; k++) {
        const struct poly *p = t.g->nodes.at[k].poly;
        if (!p || behind++ == 0)
            continue;
        /* 6 values of up to 1, each off by 2^-9, weigh 0.01 times some tenths */
        for (uint32_t c = 0; c < p->rows; c++)
            cr_expect_gt(p->radius[c], 0x1p-9 * 0.01 / 2);
    }
    net_free(&t);
    struct net sane = small(OP_relu, OP_gelu);
    cr_expect_eq(fit(&sane, (struct approximate_options){.degree = 7}).drowned, 0);
    net_free(&sane);
}

Test(approximate, higher_degrees_are_nearer)
{
    double before = 1;
    for (uint32_t degree = 3; degree <= 31; degree = 2 * degree + 1) {
        struct net t = small(OP_relu, OP_sigmoid);
        struct approximate_report r = fit(&t, (struct approximate_options){.degree = degree});
        double now = difference(&t);
        cr_expect(now < 0.75 * before, "degree %u: %g after %g", degree, now, before);
        cr_expect_eq(r.degree, degree);
        cr_expect_eq(r.images, 500);
        cr_expect_eq(find(&t, OP_relu)->poly->rows, 8);
        cr_expect_eq(find(&t, OP_relu)->poly->degree, degree);
        before = now;
        net_free(&t);
    }
    cr_expect(before < 0.02, "%g", before);
}

Test(approximate, the_degree_is_the_smallest_that_agrees)
{
    struct net t = small(OP_relu, OP_tanh);
    uint32_t first = 0, n = t.n;
    for (uint32_t degree = 31; degree >= 3; degree /= 2) {
        struct approximate_report r = fit(&t, (struct approximate_options){.degree = degree});
        first = r.agree >= 0.97 ? degree : first;
        /* agree, counted here */
        float *exact = net_run(&t, false), *ours = net_run(&t, true);
        uint32_t same = 0;
        for (uint32_t k = 0; k < n; k++) {
            int a = 0, b = 0;
            for (int c = 1; c < 3; c++) {
                a = exact[3 * k + c] > exact[3 * k + a] ? c : a;
                b = ours[3 * k + c] > ours[3 * k + b] ? c : b;
            }
            same += a == b;
        }
        cr_expect_float_eq(r.agree, same / 500.0, 1e-9);
    }
    struct approximate_report r = fit(&t, (struct approximate_options){.agree = 0.97});
    cr_expect_eq(r.degree, first);
    cr_expect(r.agree >= 0.97);
    net_free(&t);
}

Test(approximate, pins_decide)
{
    struct net t = small(OP_relu, OP_sigmoid);
    uint32_t *set = ARENA_ARRAY(t.a, uint32_t, t.g->nodes.len);
    find(&t, OP_relu)->pins.degree_max = 5;
    set[find(&t, OP_sigmoid) - t.g->nodes.at] = 9;
    fit(&t, (struct approximate_options){.degree = 7, .set_degree = set});
    cr_expect_eq(find(&t, OP_relu)->poly->degree, 5);
    cr_expect_eq(find(&t, OP_sigmoid)->poly->degree, 9);
    find(&t, OP_relu)->pins.degree_min = 64;
    struct approximate_report r;
    struct approximate_options o = {.degree = 7};
    cr_expect_not(approximate(t.g, t.images, t.n, &o, &r, t.d));
    cr_expect_eq(diag_at(t.d, 0)->code, E_APPROX_DEGREE);
    net_free(&t);
}

Test(approximate, what_is_straight_gets_degree_one)
{
    for (int pinned = 0; pinned < 2; pinned++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4));
        net_output(&t, OP1(&t, OP_relu, x));
        cr_assert(graph_infer(t.g, t.d));
        net_images(&t, 100, 0.5);
        for (int k = 0; k < 400; k++)
            t.images[k] += 10;
        t.g->nodes.at[0].pins.degree_min = pinned ? 7 : 0;
        fit(&t, (struct approximate_options){.degree = 7});
        cr_expect_eq(t.g->nodes.at[0].poly->degree, pinned ? 7 : 1);
        cr_expect(difference(&t) < 1e-6);
        net_free(&t);
    }
}

Test(approximate, dead_channels_are_exact_and_have_a_range)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 2, 4, 4));
    struct tensor w = tensor_new(t.a, DT_F32, DIMS(3, 2, 1, 1)),
                  b = tensor_new(t.a, DT_F32, DIMS(3));
    w.f[0] = w.f[1] = w.f[5] = 1;
    b.f[1] = 0.75F;
    uint32_t in[3] = {x, graph_const(t.g, "w", w), graph_const(t.g, "b", b)};
    net_output(&t, OP1(&t, OP_sigmoid, net_node(&t, OP_conv, 3, in)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 50, 1);
    fit(&t, (struct approximate_options){.degree = 7});
    const struct poly *p = t.g->nodes.at[1].poly;
    cr_assert_eq(p->rows, 3);
    cr_expect(p->radius[1] > 0);
    cr_expect_float_eq(poly_eval(p, 1, 0.75), 1 / (1 + exp(-0.75)), 1e-12);
    net_free(&t);
}

Test(approximate, one_image_is_enough_to_be_sane)
{
    struct net t = small(OP_relu, OP_sigmoid);
    t.n = 1;
    fit(&t, (struct approximate_options){.degree = 15});
    t.n = 500;
    double off = difference(&t);
    cr_expect(off < 1, "%g", off);
    net_free(&t);
}

Test(approximate, one_polynomial_a_layer_on_demand)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4));
    uint32_t v = OP2(&t, OP_prelu, OP1(&t, OP_tanh, x), net_const(&t, DIMS(4), 0, 1));
    net_output(&t, v);
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 200, 1);
    fit(&t, (struct approximate_options){.degree = 15, .per_layer = true});
    cr_expect_eq(t.g->nodes.at[0].poly->rows, 1);
    cr_expect_eq(t.g->nodes.at[1].poly->rows, 4, "the slopes differ: one function a channel");
    cr_expect(difference(&t) < 0.1, "%g", difference(&t));
    net_free(&t);
}

Test(approximate, same_bytes_at_any_number_of_threads)
{
    struct net one = small(OP_relu, OP_sigmoid), two = small(OP_relu, OP_sigmoid);
    omp_set_num_threads(1);
    fit(&one, (struct approximate_options){.degree = 7});
    omp_set_num_threads(3);
    fit(&two, (struct approximate_options){.degree = 7});
    for (int k = 0; k < 2; k++) {
        const struct poly *p = find(&one, k ? OP_relu : OP_sigmoid)->poly;
        const struct poly *q = find(&two, k ? OP_relu : OP_sigmoid)->poly;
        cr_expect_arr_eq(p->coef, q->coef, 8 * 8 * sizeof(double));
        cr_expect_arr_eq(p->center, q->center, 8 * sizeof(double));
    }
    net_free(&one);
    net_free(&two);
}

Test(approximate, every_composition_is_refused_at_once)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 6, 6));
    uint32_t v = OP1(&t, OP_maxpool, OP1(&t, OP_relu, x));
    net_attr_ints(&t, "kernel_shape", 2, (int64_t[]){2, 2});
    net_output(&t, OP1(&t, OP_argmax, v));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 3, 1);
    struct approximate_options o = {.degree = 7};
    struct approximate_report r;
    cr_expect_not(approximate(t.g, t.images, t.n, &o, &r, t.d));
    cr_assert_eq(diag_errors(t.d), 2);
    for (uint32_t k = 0; k < 2; k++) {
        cr_expect_eq(diag_at(t.d, k)->code, E_COMPOSITE);
        cr_expect(diag_at(t.d, k)->hint && diag_at(t.d, k)->place.node);
    }
    cr_expect(strstr(diag_at(t.d, 0)->hint, "window"));
    cr_expect_not(approximate_check(t.g, NULL, t.d));
    net_free(&t);
}

Test(approximate, data_are_needed_only_by_activations)
{
    struct net t = small(OP_relu, OP_sigmoid), linear = net_new(13);
    struct approximate_options o = {.degree = 7};
    struct approximate_report r;
    cr_expect_not(approximate(t.g, NULL, 0, &o, &r, t.d));
    cr_expect_eq(diag_at(t.d, 0)->code, E_APPROX_DATA);
    uint32_t x = graph_input(linear.g, "x", DT_F32, DIMS(1, 4));
    net_output(&linear, OP1(&linear, OP_neg, x));
    cr_assert(graph_infer(linear.g, linear.d));
    cr_expect(approximate(linear.g, NULL, 0, &o, &r, linear.d));
    net_free(&t);
    net_free(&linear);
}

Test(approximate, values_that_cannot_be_fitted_are_errors)
{
    struct net t = small(OP_log, OP_sigmoid), u = small(OP_relu, OP_sigmoid);
    struct approximate_options o = {.degree = 7};
    struct approximate_report r;
    cr_expect_not(approximate(t.g, t.images, t.n, &o, &r, t.d)); /* negative numbers */
    cr_assert_geq(diag_errors(t.d), 1);
    cr_expect(diag_at(t.d, 0)->code == E_APPROX_DOMAIN || diag_at(t.d, 0)->code == E_APPROX_VALUES);
    cr_expect(diag_at(t.d, 0)->place.node != NULL);
    u.images[17] = NAN;
    cr_expect_not(approximate(u.g, u.images, u.n, &o, &r, u.d));
    cr_expect_eq(diag_at(u.d, 0)->code, E_APPROX_VALUES);
    net_free(&t);
    net_free(&u);
}

static void
check_mnist(const char *file, uint32_t degree, double least)
{
    struct net t = net_new(13);
    net_model(&t, file);
    cr_assert(simplify(t.g, t.d), "%s", net_errors(&t));
    net_load(&t, "mnist/train-images-idx3-ubyte.gz", NULL, 500, NULL, NULL);
    fit(&t, (struct approximate_options){.degree = degree});
    net_load(&t, "mnist/t10k-0-4999-images-idx3-ubyte.gz", NULL, 1000, NULL, NULL);
    float *exact = net_run(&t, false), *ours = net_run(&t, true);
    uint32_t same = 0;
    for (uint32_t k = 0; k < t.n; k++) {
        int a = 0, b = 0;
        for (int c = 1; c < 10; c++) {
            a = exact[10 * k + c] > exact[10 * k + a] ? c : a;
            b = ours[10 * k + c] > ours[10 * k + b] ? c : b;
        }
        same += a == b;
    }
    cr_expect(same >= least * t.n, "%s: %u of %u", file, same, t.n);
    net_free(&t);
}

Test(approximate, digits_are_told_as_before)
{
    check_mnist("models/mnist/cryptonets_relu.onnx", 3, 0.97);
    check_mnist("models/mnist/cryptonets_relu.onnx", 7, 0.985);
    check_mnist("models/mnist/mlp_784_128_64_10.onnx", 7, 0.98);
}

/* Coefficients of 1, x, x^2, x^3 of a polynomial about 0. */
static void
monomials(const struct poly *p, double *c)
{
    double r = p->radius[0];
    const double *t = p->coef;
    c[0] = t[0] - t[2];
    c[1] = (t[1] - (p->degree > 2 ? 3 * t[3] : 0)) / r;
    c[2] = 2 * t[2] / (r * r);
    c[3] = p->degree > 2 ? 4 * t[3] / (r * r * r) : 0;
}

Test(approximate, coefficients_on_the_grid_are_powers_of_two)
{
    for (uint32_t degree = 2; degree <= 3; degree++) {
        struct net t = small(OP_relu, OP_silu);
        fit(&t, (struct approximate_options){.degree = degree, .grid = FIT_POWERS_DATA});
        for (uint32_t k = 0; k < t.g->nodes.len; k++) {
            const struct poly *p = t.g->nodes.at[k].poly;
            double c[4];
            int e;
            if (!p)
                continue;
            cr_assert(p->degree == degree && p->rows == 1 && p->center[0] == 0);
            cr_assert(frexp(p->radius[0], &e) == 0.5);
            monomials(p, c);
            for (uint32_t i = 0; i <= degree; i++)
                cr_expect(c[i] == 0 || fabs(frexp(c[i], &e)) == 0.5, "%g", c[i]);
        }
        cr_expect(difference(&t) < 0.25, "%g", difference(&t));
        net_free(&t);
    }
}

Test(approximate, the_grid_has_degrees_two_and_three)
{
    struct net t = small(OP_relu, OP_silu);
    struct approximate_options o = {.degree = 7, .grid = FIT_POWERS_MAX};
    struct approximate_report r;
    cr_assert(!approximate(t.g, t.images, t.n, &o, &r, t.d));
    cr_expect(diag_at(t.d, 0)->code == E_APPROX_GRID);
    net_free(&t);
}

/* ---- compositions of minimax polynomials --------------------------------------------------- */

/* 6 -> 8 relu -> 8 relu -> 3, the second on a sum with the first. */
static struct net
two_relus(void)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6));
    uint32_t r = OP1(&t, OP_relu, OP2(&t, OP_matmul, x, net_const(&t, DIMS(6, 8), -1, 1)));
    uint32_t y = OP2(&t, OP_matmul, r, net_const(&t, DIMS(8, 8), -1, 1));
    y = OP1(&t, OP_relu, OP2(&t, OP_add, y, r));
    net_output(&t, OP2(&t, OP_matmul, y, net_const(&t, DIMS(8, 3), -1, 1)));
    cr_assert(graph_infer(t.g, t.d));
    net_images(&t, 200, 1);
    return t;
}

/* Nodes of the sign take the place of ReLU; in floats nothing changes, and as polynomials they are
 * as near as 13 bits of the range are, through two layers and a sum. */
Test(approximate, minimax_compositions_are_relu)
{
    struct net t = two_relus();
    struct approximate_options o = {0};
    struct approximate_report r;
    float *before = net_run(&t, false);

    cr_assert(approximate_minimax(t.g, t.images, t.n, &o, &r, t.d), "%s", net_errors(&t));
    cr_assert(graph_check(t.g, STAGE_APPROXIMATED, t.d), "%s", net_errors(&t));
    cr_expect_eq(net_count(&t, OP_relu), 0);
    cr_expect_eq(net_count(&t, OP_sign), 4);
    cr_expect_eq(net_count(&t, OP_hardsigmoid), 2);
    float *after = net_run(&t, false), *ours = net_run(&t, true);
    double largest = 0;
    for (uint32_t k = 0; k < 3 * t.n; k++)
        largest = fmax(largest, fabs((double)before[k]));
    for (uint32_t k = 0; k < 3 * t.n; k++) {
        cr_expect_float_eq(before[k], after[k], 1e-5 * largest);
        cr_expect_float_eq(before[k], ours[k], 5e-3 * largest, "%g %g", (double)before[k],
                           (double)ours[k]);
    }
    cr_expect(r.agree > 0.99);
    cr_expect(r.output_max > 0.9 * largest);
    net_free(&t);
}

Test(approximate, minimax_compositions_are_for_relu_without_pins)
{
    struct net t = small(OP_relu, OP_sigmoid);
    struct approximate_options o = {0};
    struct approximate_report r;

    find(&t, OP_relu)->pins.degree_max = 5;
    cr_expect_not(approximate_minimax(t.g, t.images, t.n, &o, &r, t.d));
    cr_expect_eq(diag_errors(t.d), 2);
    cr_expect_eq(diag_at(t.d, 0)->code, E_APPROX_FIT);
    cr_expect_eq(diag_at(t.d, 1)->code, E_APPROX_FIT);
    net_free(&t);
    t = two_relus();
    cr_expect_not(approximate_minimax(t.g, NULL, 0, &o, &r, t.d));
    cr_expect_eq(diag_at(t.d, 0)->code, E_APPROX_DATA);
    net_free(&t);
}
