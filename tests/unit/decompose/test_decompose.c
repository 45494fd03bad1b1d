/* test_decompose.c - what operators are taken apart into computes what they compute: against the
 * interpreter's own code of each, on random shapes and attributes; and the plans for ranges against
 * brute force. */
#include "nets.h"

#include "approximate/approximate.h"
#include "decompose/build.h"
#include "decompose/decompose.h"
#include "decompose/plan.h"
#include "linearize/linearize.h"
#include "simplify/simplify.h"

/* Same outputs before and after, and nothing left that has no form on encrypted data. */
static void
check_same(struct net *t, bool with_data)
{
    int64_t n;
    cr_assert(simplify(t->g, t->d), "%s", net_errors(t));
    if (!t->n)
        net_images(t, 20, 1);
    n = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape) * t->n;
    float *want = net_run(t, false);
    cr_assert(decompose(t->g, with_data ? t->images : NULL, t->n, t->d), "%s", net_errors(t));
    cr_assert(graph_check(t->g, STAGE_SIMPLIFIED, t->d), "%s", net_errors(t));
    cr_assert(approximate_check(t->g, NULL, t->d), "%s", net_errors(t));
    float *got = net_run(t, false);
    for (int64_t k = 0; k < n; k++)
        cr_assert_float_eq((double)got[k], (double)want[k], 2e-5 * (1 + fabs((double)want[k])),
                           "%lld: %g, not %g", (long long)k, (double)got[k], (double)want[k]);
}

/* With polynomials of a high degree too, and as a tensor program. */
static void
check_near(struct net *t, double tolerance)
{
    struct approximate_options o = {.degree = 31};
    struct approximate_report r;
    int64_t n = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape) * t->n;
    float *want = net_run(t, false);
    double square = 0;

    cr_assert(approximate(t->g, t->images, t->n, &o, &r, t->d), "%s", net_errors(t));
    float *got = net_run(t, true);
    for (int64_t k = 0; k < n; k++)
        square += pow((double)(got[k] - want[k]), 2) / (double)n;
    cr_expect_lt(sqrt(square), tolerance);
    struct tp *p = linearize(t->a, t->g, t->d);
    cr_assert(p, "%s", net_errors(t));
    double **values = ARENA_ARRAY(t->a, double *, p->nodes.len);
    tp_eval(p, t->a, (const float *const[]){t->images}, values);
    const double *out = values[p->outputs.at[0]];
    for (int64_t k = 0; k < n / t->n; k++)
        cr_expect_float_eq(out[k], (double)got[k], 1e-3 * (1 + fabs(out[k])));
}

/* ---- maxima ------------------------------------------------------------------ */

struct pool {
    int64_t side, kernel, stride, pad, dilation;
    bool ceil, same;
};

static struct net
pool_net(struct pool p)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 2, p.side, p.side + 1));
    uint32_t y = OP1(&t, OP_maxpool, x);
    net_attr_ints(&t, "kernel_shape", 2, (int64_t[]){p.kernel, p.kernel});
    net_attr_ints(&t, "strides", 2, (int64_t[]){p.stride, p.stride});
    net_attr_ints(&t, "dilations", 2, (int64_t[]){p.dilation, p.dilation});
    net_attr_int(&t, "ceil_mode", p.ceil);
    if (p.same) {
        const char **s = ARENA_NEW(t.a, const char *);
        *s = "SAME_UPPER";
        graph_attr(
            t.g, t.g->nodes.len - 1,
            (struct attr){.name = "auto_pad", .kind = ATTR_STRING, .count = 1, .strings = s});
    } else {
        net_attr_ints(&t, "pads", 4, (int64_t[]){p.pad, 0, p.pad, p.pad});
    }
    net_output(&t, y);
    return t;
}

Test(decompose, pools_of_every_form)
{
    const struct pool pools[] = {
        {6, 2, 2, 0, 1, 0, 0}, {7, 2, 2, 0, 1, 1, 0}, {7, 3, 1, 1, 1, 0, 0}, {8, 3, 2, 1, 1, 0, 0},
        {8, 3, 2, 1, 1, 1, 0}, {9, 3, 3, 0, 2, 0, 0}, {9, 5, 2, 2, 1, 0, 0}, {9, 3, 2, 1, 2, 1, 0},
        {9, 4, 3, 3, 1, 1, 0}, {5, 1, 2, 0, 1, 0, 0}, {8, 3, 2, 0, 1, 0, 1}, {7, 7, 1, 3, 1, 0, 0},
    };
    for (size_t k = 0; k < sizeof pools / sizeof *pools; k++) {
        struct net t = pool_net(pools[k]);
        check_same(&t, false);
        cr_expect_eq(net_count(&t, OP_maxpool), 0);
        net_free(&t);
    }
}

Test(decompose, pools_take_a_relu_for_each_doubling)
{
    for (int64_t kernel = 1; kernel <= 9; kernel++) {
        struct net t = pool_net((struct pool){12, kernel, 1, 0, 1, 0, 0});
        check_same(&t, false);
        cr_expect_eq(net_count(&t, OP_relu), 2 * (uint32_t)ceil(log2((double)kernel)));
        net_free(&t);
    }
}

Test(decompose, pools_that_have_no_form_stay)
{
    struct net t = pool_net((struct pool){6, 2, 2, 2, 1, 0, 0});
    cr_assert(simplify(t.g, t.d));
    cr_assert(decompose(t.g, NULL, 0, t.d), "%s", net_errors(&t));
    cr_expect_eq(net_count(&t, OP_maxpool), 1, "a window of padding");
    net_free(&t);
}

Test(decompose, pool_by_polynomials)
{
    struct net t = pool_net((struct pool){6, 2, 2, 0, 1, 0, 0});
    net_images(&t, 200, 1);
    check_same(&t, true);
    check_near(&t, 0.05);
    net_free(&t);
}

Test(decompose, maxima_over_axes)
{
    for (int64_t axis = -3; axis < 3; axis++)
        for (int keep = 0; keep < 2; keep++) {
            struct net t = net_new(13);
            uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(3, 5, 7));
            uint32_t y = OP1(&t, OP_reducemax, x);
            net_attr_ints(&t, "axes", 1, &axis);
            net_attr_int(&t, "keepdims", keep);
            net_output(&t, y);
            check_same(&t, false);
            net_free(&t);
        }
    struct net all = net_new(13), global = net_new(13);
    net_output(&all, OP1(&all, OP_reducemax, graph_input(all.g, "x", DT_F32, DIMS(3, 4))));
    check_same(&all, false);
    net_output(&global, OP1(&global, OP_globalmaxpool,
                            graph_input(global.g, "x", DT_F32, DIMS(1, 3, 5, 4))));
    check_same(&global, false);
    net_free(&all);
    net_free(&global);
}

Test(decompose, maxima_and_minima_of_tensors)
{
    for (uint32_t n = 1; n <= 5; n++)
        for (int least = 0; least < 2; least++) {
            struct net t = net_new(13);
            uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(4, 5));
            uint32_t in[5] = {x, OP1(&t, OP_sin, x), net_const(&t, DIMS(4, 1), -1, 1),
                              OP1(&t, OP_neg, x), net_const(&t, DIMS(5), -1, 1)};
            net_output(&t, net_node(&t, least ? OP_min : OP_max, n, in));
            check_same(&t, false);
            net_free(&t);
        }
}

/* ---- softmax and norms ------------------------------------------------------------------ */

static struct net
softmax_net(enum op_id op, int opset, int64_t axis, double sharp)
{
    struct net t = net_new(opset);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 3, 6));
    net_output(&t, OP1(&t, op, OP2(&t, OP_mul, x, net_number(&t, sharp))));
    net_attr_int(&t, "axis", axis);
    return t;
}

Test(decompose, softmax_along_every_axis)
{
    for (int opset = 11; opset <= 13; opset += 2)
        for (int64_t axis = -3; axis < 3; axis++)
            for (int data = 0; data < 2; data++) {
                struct net t = softmax_net(OP_softmax, opset, axis, 1), u;
                check_same(&t, data);
                u = softmax_net(OP_logsoftmax, opset, axis, 1);
                check_same(&u, data);
                net_free(&t);
                net_free(&u);
            }
}

/* The sharper, the more often it is normalised: never a reciprocal over a range that no degree
 * reaches. */
Test(decompose, sharp_softmax_by_polynomials)
{
    uint32_t before = 0;
    for (double sharp = 1; sharp <= 8; sharp *= 2) {
        struct net t = softmax_net(OP_softmax, 13, -1, sharp);
        net_images(&t, 300, 1);
        check_same(&t, true);
        uint32_t now = net_count(&t, OP_reciprocal);
        cr_expect_geq(now, before);
        before = now;
        check_near(&t, 0.02);
        net_free(&t);
    }
    cr_expect_gt(before, 1);
}

Test(decompose, layer_and_instance_normalisation)
{
    for (int64_t axis = 1; axis < 4; axis++)
        for (int bias = 0; bias < 2; bias++) {
            struct net t = net_new(17);
            uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 3, 4, 5));
            uint32_t in[3] = {x, net_const(&t, axis == 3 ? DIMS(5) : DIMS(4, 5), 0.5, 2),
                              net_const(&t, DIMS(5), -1, 1)};
            net_output(&t, net_node(&t, OP_layernorm, 2 + (uint32_t)bias, in));
            net_attr_int(&t, "axis", axis);
            net_attr_float(&t, "epsilon", 1e-3);
            net_images(&t, 100, 1);
            check_same(&t, true);
            check_near(&t, 0.05);
            net_free(&t);
        }
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 3, 4, 5));
    uint32_t in[3] = {x, net_const(&t, DIMS(3), 0.5, 2), net_const(&t, DIMS(3), -1, 1)};
    net_output(&t, net_node(&t, OP_instancenorm, 3, in));
    net_images(&t, 100, 1);
    check_same(&t, true);
    check_near(&t, 0.05);
    net_free(&t);
}

Test(decompose, norm_of_a_constant_stays_finite)
{
    struct net t = net_new(17);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 4));
    uint32_t in[2] = {OP2(&t, OP_mul, x, net_number(&t, 1e-7)), net_const(&t, DIMS(4), 1, 1)};
    net_output(&t, net_node(&t, OP_layernorm, 2, in));
    net_images(&t, 50, 1);
    check_same(&t, true);
    check_near(&t, 0.01); /* the epsilon rules: what comes out is about x / sqrt(epsilon) */
    net_free(&t);
}

/* ---- quotients ------------------------------------------------------------------ */

Test(decompose, quotients_by_what_is_encrypted)
{
    for (int root = 0; root < 2; root++)
        for (int constant = 0; constant < 2; constant++) {
            struct net t = net_new(13);
            uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(3, 4));
            uint32_t below = OP2(&t, OP_add, OP2(&t, OP_mul, x, x), net_number(&t, 1));
            below = root ? OP1(&t, OP_sqrt, below) : below;
            uint32_t above = constant ? net_const(&t, DIMS(2, 3, 4), 1, 2) : OP1(&t, OP_sin, x);
            net_output(&t, OP2(&t, OP_div, above, below));
            net_images(&t, 200, 1);
            check_same(&t, true);
            cr_expect_eq(net_count(&t, OP_rsqrt), (uint32_t)root);
            check_near(&t, 0.02);
            net_free(&t);
        }
}

Test(decompose, powers_of_halves)
{
    for (int twice = -7; twice <= 7; twice++) {
        struct net t = net_new(13);
        if (!twice)
            continue;
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(3, 4));
        uint32_t base = OP2(&t, OP_add, OP2(&t, OP_mul, x, x), net_number(&t, 1));
        net_output(&t, OP2(&t, OP_pow, base, net_number(&t, twice / 2.0)));
        check_same(&t, true);
        net_free(&t);
    }
}

/* A range that no polynomial of degree 31 reaches takes Newton steps. */
Test(decompose, wide_ranges_take_steps)
{
    for (int root = 0; root < 2; root++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 8));
        uint32_t square = OP2(&t, OP_mul, x, x);
        uint32_t wide =
            OP2(&t, OP_add, OP2(&t, OP_mul, square, square), net_number(&t, root ? 0.002 : 0.02));
        uint32_t y = OP1(&t, root ? OP_sqrt : OP_neg, wide);
        net_output(&t, OP1(&t, OP_reciprocal, y));
        net_images(&t, 300, 0.5);
        check_same(&t, true);
        cr_expect_gt(net_count(&t, OP_mul), 2);
        net_free(&t);
    }
}

Test(decompose, ranges_beyond_all_steps_are_said)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 8));
    uint32_t wide = OP2(&t, OP_add, OP2(&t, OP_pow, x, net_number(&t, 8)), net_number(&t, 1e-5));
    net_output(&t, OP1(&t, OP_reciprocal, wide));
    net_images(&t, 100, 1);
    check_same(&t, true);
    cr_assert_eq(diag_count(t.d), 1);
    cr_expect_eq(diag_at(t.d, 0)->code, W_DECOMPOSE_RANGE);
    net_free(&t);
}

/* ---- channels at the end ------------------------------------------------------------------ */

static uint32_t
transpose(struct net *t, uint32_t x, uint32_t rank, const int64_t *perm)
{
    uint32_t y = OP1(t, OP_transpose, x);
    net_attr_ints(t, "perm", rank, perm);
    return y;
}

static uint32_t
layernorm(struct net *t, uint32_t x, int64_t n)
{
    return net_node(t, OP_layernorm, 3,
                    (uint32_t[]){x, net_const(t, DIMS(n), 0.5, 2), net_const(t, DIMS(n), -1, 1)});
}

/* A block of ConvNeXt: no Transpose is left, and activations differ along the features. */
Test(decompose, blocks_with_channels_at_the_end)
{
    struct net t = net_new(17);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6, 4, 5));
    uint32_t y = transpose(&t, x, 4, (int64_t[]){0, 2, 3, 1});
    y = OP2(&t, OP_matmul, layernorm(&t, y, 6), net_const(&t, DIMS(6, 8), -1, 1));
    y = OP1(&t, OP_gelu, OP2(&t, OP_add, y, net_const(&t, DIMS(8), -1, 1)));
    y = OP2(&t, OP_mul, net_const(&t, DIMS(6), -1, 1),
            OP2(&t, OP_matmul, y, net_const(&t, DIMS(8, 6), -1, 1)));
    y = transpose(&t, y, 4, (int64_t[]){0, 3, 1, 2});
    net_output(&t, OP2(&t, OP_add, x, y));
    net_images(&t, 100, 1);
    check_same(&t, true);
    cr_expect_eq(net_count(&t, OP_transpose), 0);
    cr_expect_eq(net_count(&t, OP_conv), 2);
    for (uint32_t k = 0; k < t.g->nodes.len; k++)
        if (t.g->nodes.at[k].op == OP_gelu)
            cr_expect_eq(graph_value(t.g, t.g->nodes.at[k].in.at[0])->shape.dim[1], 8);
    check_near(&t, 0.1);
    net_free(&t);
}

/* Tokens, an embedding of places, a sum with a tensor that was never turned, and a Transpose that
 * is an output. */
Test(decompose, tokens_with_channels_at_the_end)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 6, 9));
    uint32_t y = transpose(&t, x, 3, (int64_t[]){0, 2, 1});
    uint32_t flat = OP2(&t, OP_reshape, x, net_ints(&t, 3, (int64_t[]){1, 9, 6}));
    y = OP2(&t, OP_add, y, net_const(&t, DIMS(1, 9, 6), -1, 1));
    y = OP2(&t, OP_sub, y, flat);
    uint32_t mean = OP1(&t, OP_reducemean, y);
    net_attr_ints(&t, "axes", 1, (int64_t[]){-1});
    y = OP2(&t, OP_mul, OP2(&t, OP_div, OP1(&t, OP_tanh, y), net_number(&t, 3)), mean);
    net_output(&t, OP1(&t, OP_neg, y));
    net_images(&t, 50, 1);
    check_same(&t, true);
    for (uint32_t k = 0; k < t.g->nodes.len; k++)
        if (t.g->nodes.at[k].op == OP_tanh)
            cr_expect_eq(graph_value(t.g, t.g->nodes.at[k].in.at[0])->shape.dim[1], 6);
    net_free(&t);
}

/* ---- plans ------------------------------------------------------------------ */

Test(decompose, plans_are_the_cheapest_that_are_near_enough)
{
    for (double ratio = 1; ratio < 1e4; ratio *= 1.7)
        for (int root = 0; root < 2; root++) {
            struct plan p = plan_inverse(ratio, root), wider = plan_inverse(4 * ratio, root);
            cr_expect(p.enough || ratio > 1000);
            cr_expect(p.steps < wider.steps || p.degree <= wider.degree || !wider.enough);
            cr_expect(p.steps == 0 || ratio > 100);
        }
    cr_expect_eq(plan_inverse(1, false).degree, 3);
    cr_expect_eq(plan_normalisations(0.5, 16), 1);
    cr_expect_eq(plan_normalisations(11.7, 16), 2);
}

Test(decompose, pins_go_to_what_a_composite_becomes)
{
    struct net t = softmax_net(OP_softmax, 13, -1, 1);
    t.g->nodes.at[1].pins = (struct pins){.degree_min = 5, .degree_max = 5};
    check_same(&t, true);
    uint32_t pinned = 0;
    for (uint32_t k = 0; k < t.g->nodes.len; k++)
        pinned += t.g->nodes.at[k].pins.degree_max == 5;
    cr_expect_eq(pinned, 2);
    net_free(&t);
}
