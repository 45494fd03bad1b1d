/* test_simplify.c - nothing that simplify does changes what a network computes, and what should
 * go is gone. */
#include "nets.h"
#include "simplify/simplify.h"

/* Simplifies, and holds the graph to what it computed before; the largest output in `scale`. */
static void
check_same(struct net *t, double tolerance)
{
    cr_assert(graph_infer(t->g, t->d), "%s", net_errors(t));
    if (!t->images)
        net_images(t, 6, 1);
    int64_t size = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape);
    const char *name = graph_value(t->g, t->g->outputs.at[0])->name;
    struct shape shape = graph_value(t->g, t->g->outputs.at[0])->shape;
    float *before = net_run(t, false);
    double scale = 0, worst = 0;

    cr_assert(simplify(t->g, t->d), "%s", net_errors(t));
    cr_assert(graph_check(t->g, STAGE_SIMPLIFIED, t->d), "%s", net_errors(t));
    float *after = net_run(t, false);
    for (int64_t k = 0; k < size * t->n; k++) {
        scale = fmax(scale, fabs((double)before[k]));
        worst = fmax(worst, fabs((double)before[k] - (double)after[k]));
    }
    cr_assert(scale > 0, "the network computes nothing");
    cr_expect(worst <= tolerance * scale, "%g of %g", worst, scale);
    cr_expect_str_eq(graph_value(t->g, t->g->outputs.at[0])->name, name);
    cr_expect(shape_equal(&graph_value(t->g, t->g->outputs.at[0])->shape, &shape));
}

static uint32_t
batchnorm(struct net *t, uint32_t x, int64_t channels)
{
    uint32_t in[5] = {x, net_const(t, DIMS(channels), 0.5, 2), net_const(t, DIMS(channels), -1, 1),
                      net_const(t, DIMS(channels), -1, 1), net_const(t, DIMS(channels), 0.2, 3)};
    return net_node(t, OP_batchnorm, 5, in);
}

static uint32_t
conv(struct net *t, uint32_t x, int64_t from, int64_t to, int64_t groups, bool bias)
{
    uint32_t in[3] = {x, net_const(t, DIMS(to, from / groups, 3, 3), -0.5, 0.5),
                      net_const(t, DIMS(to), -1, 1)};
    uint32_t out = net_node(t, OP_conv, bias ? 3 : 2, in);
    net_attr_ints(t, "pads", 4, (int64_t[]){1, 1, 1, 1});
    net_attr_int(t, "group", groups);
    return out;
}

Test(simplify, operators_without_effect_go)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 5, 5));
    uint32_t y =
        OP1(&t, OP_identity, OP1(&t, OP_relu, OP1(&t, OP_dropout, OP1(&t, OP_identity, x))));
    net_output(&t, y);
    check_same(&t, 0);
    cr_expect_eq(t.g->nodes.len, 1);
    net_free(&t);
}

Test(simplify, names_of_inputs_and_outputs_stay)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4));
    uint32_t r = OP1(&t, OP_relu, x), a = OP1(&t, OP_identity, r), b = OP1(&t, OP_identity, r);
    uint32_t c = OP1(&t, OP_identity, x);
    net_output(&t, a);
    net_output(&t, b);
    net_output(&t, c);
    const char *name[3] = {graph_value(t.g, a)->name, graph_value(t.g, b)->name,
                           graph_value(t.g, c)->name};
    check_same(&t, 0);
    for (int k = 0; k < 3; k++)
        cr_expect_str_eq(graph_value(t.g, t.g->outputs.at[k])->name, name[k]);
    cr_expect_str_eq(graph_value(t.g, t.g->inputs.at[0].value)->name, "x");
    net_free(&t);
}

Test(simplify, moves_that_move_nothing_go)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 5, 6));
    uint32_t v = OP2(&t, OP_pad, x, net_ints(&t, 8, (int64_t[]){0, 0, 0, 0, 0, 0, 0, 0}));
    v = OP2(&t, OP_reshape, v, net_ints(&t, 4, (int64_t[]){1, 4, 5, 6}));
    v = OP1(&t, OP_transpose, v);
    net_attr_ints(&t, "perm", 4, (int64_t[]){0, 2, 3, 1});
    v = OP1(&t, OP_transpose, v);
    net_attr_ints(&t, "perm", 4, (int64_t[]){0, 3, 1, 2});
    v = OP2(&t, OP_reshape, v, net_ints(&t, 2, (int64_t[]){4, -1}));
    v = OP2(&t, OP_reshape, v, net_ints(&t, 2, (int64_t[]){1, 120}));
    net_output(&t, OP1(&t, OP_relu, v));
    check_same(&t, 0);
    cr_expect_eq(t.g->nodes.len, 2);
    cr_expect_eq(net_count(&t, OP_reshape), 1);
    net_free(&t);
}

Test(simplify, moves_that_move_stay)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 5, 5, 5));
    uint32_t v = OP1(&t, OP_transpose, x);
    net_attr_ints(&t, "perm", 4, (int64_t[]){0, 2, 3, 1});
    v = OP1(&t, OP_transpose, v);
    net_attr_ints(&t, "perm", 4, (int64_t[]){0, 2, 3, 1});
    v = OP2(&t, OP_pad, v, net_ints(&t, 8, (int64_t[]){0, 0, 1, 0, 0, 0, 0, 0}));
    net_output(&t, v);
    check_same(&t, 0);
    cr_expect_eq(t.g->nodes.len, 3);
    net_free(&t);
}

Test(simplify, batchnorm_goes_into_convolutions)
{
    for (int k = 0; k < 4; k++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 5, 5));
        net_output(&t, batchnorm(&t, conv(&t, x, 4, 6, k & 1 ? 2 : 1, k & 2), 6));
        check_same(&t, 1e-5);
        cr_expect_eq(t.g->nodes.len, 1);
        cr_expect_eq(net_count(&t, OP_conv), 1);
        net_free(&t);
    }
}

Test(simplify, batchnorm_goes_into_transposed_convolutions)
{
    for (int64_t groups = 1; groups <= 2; groups++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 5, 5));
        uint32_t w = net_const(&t, DIMS(4, 6 / groups, 3, 3), -1, 1);
        uint32_t v = OP2(&t, OP_conv_transpose, x, w);
        net_attr_int(&t, "group", groups);
        net_output(&t, batchnorm(&t, v, 6));
        check_same(&t, 1e-5);
        cr_expect_eq(t.g->nodes.len, 1);
        net_free(&t);
    }
}

Test(simplify, batchnorm_goes_into_dense_layers)
{
    for (int k = 0; k < 8;
         k++) { /* transB, no C / C of one number / one a column, alpha and beta */
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 7));
        uint32_t in[3] = {x, net_const(&t, k & 1 ? DIMS(5, 7) : DIMS(7, 5), -1, 1),
                          net_const(&t, k & 4 ? DIMS(1) : DIMS(1, 5), -1, 1)};
        uint32_t v = net_node(&t, OP_gemm, k & 2 ? 2 : 3, in);
        net_attr_int(&t, "transB", k & 1);
        net_attr_float(&t, "alpha", 0.5);
        net_attr_float(&t, "beta", 3);
        net_output(&t, batchnorm(&t, v, 5));
        check_same(&t, 1e-5);
        cr_expect_eq(t.g->nodes.len, 1);
        net_free(&t);
    }
}

Test(simplify, batchnorm_goes_into_products)
{
    for (int k = 0; k < 2; k++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 7));
        uint32_t v = OP2(&t, OP_matmul, x, net_const(&t, DIMS(7, 5), -1, 1));
        if (k)
            v = OP2(&t, OP_add, net_const(&t, DIMS(5), -1, 1), v);
        net_output(&t, batchnorm(&t, v, 5));
        check_same(&t, 1e-5);
        cr_expect_eq(t.g->nodes.len, 2);
        cr_expect_eq(net_count(&t, OP_batchnorm), 0);
        net_free(&t);
    }
}

Test(simplify, batchnorm_stays_where_others_read_the_map)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 5, 5));
    uint32_t c = conv(&t, x, 4, 4, 1, true);
    net_output(&t, OP2(&t, OP_add, batchnorm(&t, c, 4), OP1(&t, OP_relu, c)));
    check_same(&t, 1e-5);
    cr_expect_eq(net_count(&t, OP_batchnorm), 1);
    net_free(&t);
}

/* x * Phi(x) in one of eight orders. */
static uint32_t
gelu_erf(struct net *t, uint32_t x, int order, double half)
{
    uint32_t root = order & 1 ? OP2(t, OP_mul, x, net_number(t, sqrt(0.5)))
                              : OP2(t, OP_div, x, net_number(t, sqrt(2)));
    uint32_t e = OP1(t, OP_erf, root);
    uint32_t gate =
        order & 2 ? OP2(t, OP_add, net_number(t, 1), e) : OP2(t, OP_add, e, net_number(t, 1));
    switch (order >> 2) {
    case 0:
        return OP2(t, OP_mul, OP2(t, OP_mul, x, gate), net_number(t, half));
    case 1:
        return OP2(t, OP_mul, OP2(t, OP_mul, x, net_number(t, half)), gate);
    case 2:
        return OP2(t, OP_mul, x, OP2(t, OP_mul, net_number(t, half), gate));
    default:
        return OP2(t, OP_div, OP2(t, OP_mul, gate, x), net_number(t, 1 / half));
    }
}

Test(simplify, gelu_by_erf_in_every_order)
{
    for (int order = 0; order < 16; order++) {
        struct net t = net_new(13);
        uint32_t x = OP1(&t, OP_neg, graph_input(t.g, "x", DT_F32, DIMS(1, 9)));
        net_output(&t, gelu_erf(&t, x, order, 0.5));
        check_same(&t, 1e-6);
        cr_expect_eq(t.g->nodes.len, 2, "order %d", order);
        cr_expect_eq(net_count(&t, OP_gelu), 1);
        net_free(&t);
    }
}

/* x^3 as Pow or as products; 0.5 x (1 + tanh(k (x + 0.044715 x^3))) or k x (1 + 0.044715 x^2)
 * inside. */
static uint32_t
gelu_tanh(struct net *t, uint32_t x, int form, double cubic)
{
    uint32_t power = net_number(t, form & 2 ? 2 : 3), u;
    uint32_t p = form & 1   ? OP2(t, OP_pow, x, power)
                 : form & 2 ? OP2(t, OP_mul, x, x)
                            : OP2(t, OP_mul, OP2(t, OP_mul, x, x), x);
    uint32_t scaled = OP2(t, OP_mul, p, net_number(t, cubic));
    if (form & 2)
        u = OP2(t, OP_mul, OP2(t, OP_mul, x, net_number(t, 0.7978845608)),
                OP2(t, OP_add, scaled, net_number(t, 1)));
    else
        u = OP2(t, OP_mul, net_number(t, 0.7978845608), OP2(t, OP_add, x, scaled));
    uint32_t gate = OP2(t, OP_add, OP1(t, OP_tanh, u), net_number(t, 1));
    return OP2(t, OP_mul, OP2(t, OP_mul, net_number(t, 0.5), x), gate);
}

Test(simplify, gelu_by_tanh)
{
    for (int form = 0; form < 4; form++) {
        struct net t = net_new(13);
        uint32_t x = OP1(&t, OP_neg, graph_input(t.g, "x", DT_F32, DIMS(1, 9)));
        net_output(&t, gelu_tanh(&t, x, form, 0.044715));
        check_same(&t, 1e-6);
        cr_expect_eq(t.g->nodes.len, 2, "form %d", form);
        cr_expect_eq(net_count(&t, OP_gelu), 1);
        net_free(&t);
    }
}

Test(simplify, near_misses_stay_as_they_are)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 9)), y = OP1(&t, OP_neg, x);
    uint32_t v = OP2(&t, OP_add, gelu_erf(&t, x, 0, 0.51), gelu_tanh(&t, x, 0, 0.0448));
    v = OP2(&t, OP_add, v, OP2(&t, OP_mul, x, OP1(&t, OP_sigmoid, y)));
    v = OP2(&t, OP_add, v, OP2(&t, OP_mul, x, OP1(&t, OP_tanh, OP1(&t, OP_softplus, y))));
    net_output(&t, v);
    check_same(&t, 1e-6);
    cr_expect_eq(net_count(&t, OP_gelu) + net_count(&t, OP_silu) + net_count(&t, OP_mish), 0);
    net_free(&t);
}

Test(simplify, silu_mish_and_softplus)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 9));
    uint32_t s = OP2(&t, OP_mul, OP1(&t, OP_sigmoid, x), x);
    uint32_t plus = OP1(&t, OP_log, OP2(&t, OP_add, OP1(&t, OP_exp, s), net_number(&t, 1)));
    net_output(&t, OP2(&t, OP_mul, s, OP1(&t, OP_tanh, plus)));
    check_same(&t, 1e-6);
    cr_expect_eq(t.g->nodes.len, 2);
    cr_expect_eq(net_count(&t, OP_silu), 1);
    cr_expect_eq(net_count(&t, OP_mish), 1);
    net_free(&t);
}

Test(simplify, hardswish_by_clip_and_by_hardsigmoid)
{
    for (int opset = 10; opset <= 13; opset += 3) {
        struct net t = net_new(opset);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 9)), clip;
        uint32_t plus = OP2(&t, OP_add, x, net_number(&t, 3));
        if (opset < 11) {
            clip = OP1(&t, OP_clip, plus);
            net_attr_float(&t, "min", 0);
            net_attr_float(&t, "max", 6);
        } else {
            uint32_t in[3] = {plus, net_number(&t, 0), net_number(&t, 6)};
            clip = net_node(&t, OP_clip, 3, in);
        }
        uint32_t h = OP2(&t, OP_div, OP2(&t, OP_mul, x, clip), net_number(&t, 6));
        uint32_t gate = OP1(&t, OP_hardsigmoid, h);
        net_attr_float(&t, "alpha", 1.0 / 6);
        net_attr_float(&t, "beta", 0.5);
        net_output(&t, OP2(&t, OP_mul, gate, h));
        check_same(&t, 1e-6);
        cr_expect_eq(t.g->nodes.len, 2);
        cr_expect_eq(net_count(&t, OP_hardswish), 2);
        net_free(&t);
    }
}

/* As PyTorch writes it before opset 17. */
Test(simplify, layernorm_of_several_nodes)
{
    for (int form = 0; form < 4; form++) { /* 2: other axes, 3: another epsilon's place */
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 3, 4));
        int64_t axes[2] = {form == 2 ? 1 : -2, form == 2 ? 1 : 2};
        uint32_t mean = OP1(&t, OP_reducemean, x);
        net_attr_ints(&t, "axes", form == 2 ? 1 : 2, axes);
        uint32_t d = OP2(&t, OP_sub, x, mean);
        uint32_t square = form == 1 ? OP2(&t, OP_mul, d, d) : OP2(&t, OP_pow, d, net_number(&t, 2));
        uint32_t variance = OP1(&t, OP_reducemean, square);
        net_attr_ints(&t, "axes", form == 2 ? 1 : 2, axes);
        uint32_t below = form == 3
                             ? OP2(&t, OP_add, OP1(&t, OP_sqrt, variance), net_number(&t, .1))
                             : OP1(&t, OP_sqrt, OP2(&t, OP_add, net_number(&t, .1), variance));
        net_output(&t, OP2(&t, OP_div, d, below));
        cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
        net_images(&t, 10, 1);
        float *want = net_run(&t, false);
        cr_assert(simplify(t.g, t.d), "%s", net_errors(&t));
        cr_expect_eq(net_count(&t, OP_layernorm), form < 2);
        float *got = net_run(&t, false);
        for (int k = 0; k < 240; k++)
            cr_expect_float_eq((double)got[k], (double)want[k], 1e-5);
        net_free(&t);
    }
}

Test(simplify, softmax_of_several_nodes)
{
    for (int form = 0; form < 4; form++) { /* 1: less the maximum, 2: another axis, 3: old opset */
        struct net t = net_new(form == 3 ? 11 : 13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(2, 3, 4)), y = x;
        if (form == 1) {
            uint32_t most = OP1(&t, OP_reducemax, x);
            net_attr_ints(&t, "axes", 1, (int64_t[]){1});
            y = OP2(&t, OP_sub, x, most);
        }
        uint32_t power = OP1(&t, OP_exp, y), sum;
        if (form == 3) {
            sum = OP1(&t, OP_reducesum, power);
            net_attr_ints(&t, "axes", 1, (int64_t[]){1});
        } else {
            sum = OP2(&t, OP_reducesum, power, net_ints(&t, 1, (int64_t[]){form == 2 ? 2 : 1}));
        }
        net_output(&t, OP2(&t, OP_div, power, sum));
        cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
        net_images(&t, 10, 1);
        float *want = net_run(&t, false);
        cr_assert(simplify(t.g, t.d), "%s", net_errors(&t));
        cr_expect_eq(net_count(&t, OP_softmax), form < 3);
        cr_expect_eq(net_count(&t, OP_reducemax), 0);
        float *got = net_run(&t, false);
        for (int k = 0; k < 240; k++)
            cr_expect_float_eq((double)got[k], (double)want[k], 1e-5);
        net_free(&t);
    }
}

Test(simplify, pins_of_inner_activations_are_kept)
{
    struct net t = net_new(13);
    uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 9));
    uint32_t s = OP1(&t, OP_sigmoid, x);
    graph_producer(t.g, s)->pins.degree_max = 7;
    net_output(&t, OP2(&t, OP_mul, s, x));
    check_same(&t, 1e-6);
    cr_expect_eq(t.g->nodes.at[0].pins.degree_max, 7);
    net_free(&t);
}

Test(simplify, limits_become_clip_and_relu)
{
    for (int opset = 10; opset <= 13; opset += 3) {
        struct net t = net_new(opset);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 9));
        uint32_t v = OP2(&t, OP_max, OP2(&t, OP_max, x, net_number(&t, 0)), net_number(&t, 0.25));
        net_output(&t, OP2(&t, OP_min, net_number(&t, 0.75), v));
        check_same(&t, 0);
        cr_expect_eq(net_count(&t, OP_relu), 1);
        cr_expect_eq(net_count(&t, OP_clip), 2);
        net_free(&t);
    }
}

Test(simplify, slopes_within_a_channel_are_split)
{
    for (int k = 0; k < 2; k++) {
        struct net t = net_new(13);
        uint32_t x = graph_input(t.g, "x", DT_F32, DIMS(1, 3, 4, 4));
        uint32_t slope = net_const(&t, k ? DIMS(3, 1, 1) : DIMS(3, 4, 4), -1, 1);
        net_output(&t, OP2(&t, OP_prelu, x, slope));
        check_same(&t, 1e-6);
        cr_expect_eq(net_count(&t, OP_prelu), (uint32_t)k);
        cr_expect_eq(net_count(&t, OP_relu), (uint32_t)(1 - k));
        net_free(&t);
    }
}

/* A chain of blocks that simplify knows, in random order. */
static uint32_t
random_block(struct net *t, uint32_t v)
{
    switch ((int)(net_random(t) * 9)) {
    case 0:
        return OP1(t, OP_identity, v);
    case 1:
        return OP1(t, OP_dropout, v);
    case 2:
        return batchnorm(t, conv(t, v, 4, 4, 2, net_random(t) < 0.5), 4);
    case 3:
        return batchnorm(t, v, 4);
    case 4:
        return OP2(t, OP_mul, v, OP1(t, OP_sigmoid, v));
    case 5:
        return gelu_erf(t, v, (int)(net_random(t) * 16), 0.5);
    case 6:
        return OP2(t, OP_add, v, conv(t, v, 4, 4, 1, false));
    case 7:
        return OP2(t, OP_prelu, v, net_const(t, DIMS(4, 5, 1), 0, 1));
    default:
        v = OP1(t, OP_transpose, v);
        net_attr_ints(t, "perm", 4, (int64_t[]){0, 2, 3, 1});
        v = OP1(t, OP_transpose, v);
        net_attr_ints(t, "perm", 4, (int64_t[]){0, 3, 1, 2});
        return v;
    }
}

Test(simplify, random_networks_compute_the_same)
{
    for (uint64_t seed = 1; seed <= 60; seed++) {
        struct net t = net_new(13);
        t.state = seed * 977;
        uint32_t v = graph_input(t.g, "x", DT_F32, DIMS(1, 4, 5, 5));
        for (int k = 0; k < 8; k++)
            v = random_block(&t, v);
        net_output(&t, OP1(&t, OP_relu, v));
        check_same(&t, 2e-4);
        cr_expect_eq(net_count(&t, OP_identity) + net_count(&t, OP_dropout) +
                         net_count(&t, OP_transpose),
                     0);
        net_free(&t);
    }
}

static void
check_model(const char *file, enum op_id wanted, uint32_t count, enum op_id gone)
{
    struct net t = net_new(13);
    net_model(&t, file);
    net_images(&t, 4, 1);
    check_same(&t, 1e-4);
    cr_expect_eq(net_count(&t, wanted), count, "%s: %u", file, net_count(&t, wanted));
    cr_expect_eq(net_count(&t, gone), 0);
    net_free(&t);
}

Test(simplify, models_compute_the_same)
{
    check_model("models/cifar10/resnet20_cifar10_bn.onnx", OP_relu, 19, OP_batchnorm);
    check_model("models/cifar10/resnet20_cifar10_torchraw.onnx", OP_conv, 19, OP_constantofshape);
    check_model("models/cifar10/resnet20_cifar10.onnx", OP_pad, 2, OP_constant);
    check_model("models/cifar10/ace_resnet20_cifar10_pre.onnx", OP_relu, 19, OP_constant);
    check_model("models/cifar10/convnext_tiny_cifar10.onnx", OP_gelu, 5, OP_erf);
    check_model("models/cifar10/convnext_tiny_cifar10_op17.onnx", OP_gelu, 5, OP_erf);
    check_model("models/mnist/onnx2c_mnist_pytorch.onnx", OP_matmul, 3, OP_batchnorm);
    check_model("models/mnist/mnist_8.onnx", OP_maxpool, 2, OP_constant);
}
