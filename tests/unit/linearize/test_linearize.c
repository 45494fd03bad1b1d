/* test_linearize.c - the tensor program of a graph computes what the interpreter makes of the
 * graph, and has no more nodes than there is to compute. */
#include "linearize/linearize.h"
#include "nets.h"
#include "op/op.h"

/* A polynomial for every activation, one a channel, random but tame. */
static void
invent_polys(struct net *t, uint32_t degree)
{
    for (uint32_t k = 0; k < t->g->nodes.len; k++) {
        struct node *n = &t->g->nodes.at[k];
        if (op_row(n->op)->class != NONLIN)
            continue;
        int axis;
        uint32_t rows = graph_channels(&graph_value(t->g, n->out.at[0])->shape, &axis);
        struct poly *p = n->poly = ARENA_NEW(t->a, struct poly);
        *p = (struct poly){degree,
                           rows,
                           ARENA_ARRAY(t->a, double, rows *(degree + 1)),
                           ARENA_ARRAY(t->a, double, rows),
                           ARENA_ARRAY(t->a, double, rows),
                           0};
        for (uint32_t r = 0; r < rows; r++) {
            p->center[r] = net_random(t) - 0.5;
            p->radius[r] = 4 + net_random(t);
            for (uint32_t i = 0; i <= degree; i++)
                p->coef[r * (degree + 1) + i] = net_random(t) - 0.5;
        }
    }
}

/* Linearizes, compares every output element on three images with the interpreter. */
static struct tp *
compare(struct net *t, uint32_t output, uint32_t degree)
{
    net_output(t, output);
    cr_assert(graph_infer(t->g, t->d), "%s", net_errors(t));
    invent_polys(t, degree);
    struct tp *p = linearize(t->a, t->g, t->d);
    cr_assert_not_null(p, "%s", net_errors(t));
    cr_assert(tp_check(p, t->d), "%s", net_errors(t));
    net_images(t, 3, 0.5);
    float *want = net_run(t, true);
    int64_t in_size = shape_size(&graph_value(t->g, t->g->inputs.at[0].value)->shape);
    int64_t out_size = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape);
    for (uint32_t k = 0; k < 3; k++) {
        double **value = ARENA_ARRAY(t->a, double *, p->nodes.len);
        const float *in = t->images + k * in_size;
        tp_eval(p, t->a, &in, value);
        for (int64_t e = 0; e < out_size; e++) {
            double w = (double)want[k * out_size + e], got = value[p->outputs.at[0]][e];
            cr_assert_float_eq(got, w, 2e-5 * (1 + fabs(w)), "image %u, element %d: %g, not %g", k,
                               (int)e, got, w);
        }
    }
    return p;
}

static void
is(const struct tp *p, const char *kinds) /* i input, l linear, p polynomial, m product */
{
    char text[64] = {0};
    for (uint32_t k = 0; k < p->nodes.len && k < 63; k++)
        text[k] = "ilpm"[p->nodes.at[k].kind];
    cr_expect_str_eq(text, kinds);
}

static uint32_t
conv(struct net *t, uint32_t x, int64_t in, int64_t out, int64_t size)
{
    uint32_t w = net_const(t, DIMS(out, in, size, size), -0.4, 0.4),
             b = net_const(t, DIMS(out), -0.2, 0.2);
    return net_node(t, OP_conv, 3, (uint32_t[]){x, w, b});
}

static uint32_t
dense(struct net *t, uint32_t x, int64_t in, int64_t out)
{
    uint32_t w = net_const(t, DIMS(in, out), -0.4, 0.4), b = net_const(t, DIMS(out), -0.2, 0.2);
    return net_node(t, OP_gemm, 3, (uint32_t[]){x, w, b});
}

static uint32_t
image(struct net *t, struct shape s)
{
    return graph_input(t->g, "x", DT_F32, s);
}

/* The batch norm and the activation's normalisation go into the convolution, the reshape into its
 * neighbour. */
Test(linearize, scales_and_moves_disappear)
{
    struct net t = net_new(13);
    uint32_t x = conv(&t, image(&t, DIMS(1, 2, 6, 6)), 2, 3, 3), s = net_const(&t, DIMS(3), 0.5, 2);
    uint32_t b = net_const(&t, DIMS(3), -1, 1), m = net_const(&t, DIMS(3), -1, 1),
             v = net_const(&t, DIMS(3), 0.5, 2);
    x = OP1(&t, OP_relu, net_node(&t, OP_batchnorm, 5, (uint32_t[]){x, s, b, m, v}));
    x = OP1(&t, OP_averagepool, x);
    net_attr_ints(&t, "kernel_shape", 2, (int64_t[]){2, 2});
    x = OP1(&t, OP_flatten, x);
    is(compare(&t, dense(&t, x, 27, 4), 4), "ilpll");
    net_free(&t);
}

Test(linearize, moves_in_a_row_are_one_map)
{
    struct net t = net_new(13);
    uint32_t x = image(&t, DIMS(1, 4, 5, 6));
    x = OP1(&t, OP_transpose, x);
    net_attr_ints(&t, "perm", 4, (int64_t[]){0, 3, 1, 2});
    x = net_node(&t, OP_slice, 4,
                 (uint32_t[]){x, net_ints(&t, 2, (int64_t[]){1, 0}),
                              net_ints(&t, 2, (int64_t[]){5, 4}),
                              net_ints(&t, 2, (int64_t[]){1, 3})});
    x = OP2(&t, OP_concat, x, x);
    net_attr_int(&t, "axis", 2);
    x = OP2(&t, OP_mul, x, net_const(&t, DIMS(1, 4, 1, 1), -2, 2));
    x = OP2(&t, OP_reshape, x, net_ints(&t, 2, (int64_t[]){1, -1}));
    struct tp *p = compare(&t, x, 2);
    is(p, "il");
    cr_expect(matrix_monomial(p->nodes.at[1].args.at[0].m), "every element comes from one element");
    net_free(&t);
}

/* A polynomial of degree 1 is a map; so the two dense layers around it stay two maps, and it is in
 * one of them. */
Test(linearize, lines_are_maps)
{
    struct net t = net_new(13);
    uint32_t x = OP1(&t, OP_tanh, dense(&t, image(&t, DIMS(1, 7)), 7, 6));
    is(compare(&t, dense(&t, x, 6, 3), 1), "ill");
    net_free(&t);
}

/* A map that several read is not computed several times. */
Test(linearize, shared_maps_stay)
{
    struct net t = net_new(13);
    uint32_t x = conv(&t, image(&t, DIMS(1, 2, 5, 5)), 2, 3, 3);
    uint32_t y = OP1(&t, OP_relu, x), z = OP1(&t, OP_sigmoid, x);
    struct tp *p = compare(&t, OP2(&t, OP_sub, y, z), 3);
    uint32_t heavy = 0;
    for (uint32_t k = 0; k < p->nodes.len; k++)
        for (uint32_t i = 0; i < p->nodes.at[k].args.len; i++)
            heavy += p->nodes.at[k].args.at[i].m && !matrix_monomial(p->nodes.at[k].args.at[i].m);
    cr_expect_eq(heavy, 1);
    net_free(&t);
}

static void
factors_are_free(const struct tp *p, uint32_t products)
{
    uint32_t found = 0;
    for (uint32_t k = 0; k < p->nodes.len; k++) {
        const struct tp_node *n = &p->nodes.at[k];
        if (n->kind != TP_MUL)
            continue;
        const struct tp_node *second = &p->nodes.at[n->args.at[1].value];
        uint32_t here =
            n->args.at[0].value == n->args.at[1].value ? 2 : 1; /* a square reads it twice */
        cr_expect(second->kind == TP_LINEAR && second->uses == here,
                  "the second factor is read only here");
        found++;
    }
    cr_expect_eq(found, products, "%u products", found);
}

Test(linearize, products)
{
    struct net t = net_new(13);
    uint32_t x = image(&t, DIMS(1, 3, 4)), y = OP1(&t, OP_relu, x);
    uint32_t z = OP2(&t, OP_mul, OP2(&t, OP_mul, x, y), y); /* read twice */
    factors_are_free(compare(&t, OP2(&t, OP_mul, z, z), 2), 3);
    net_free(&t);

    t = net_new(13); /* broadcast: [1, 3, 4] and [3, 1] */
    x = image(&t, DIMS(1, 3, 4));
    y = OP1(&t, OP_reducesum, x);
    net_attr_ints(&t, "axes", 1, (int64_t[]){2});
    y = OP2(&t, OP_reshape, y, net_ints(&t, 2, (int64_t[]){3, 1}));
    factors_are_free(compare(&t, OP2(&t, OP_mul, x, y), 2), 1);
    net_free(&t);

    t = net_new(13); /* x^5 = (x^2)^2 x: three products */
    x = image(&t, DIMS(1, 6));
    factors_are_free(compare(&t, OP2(&t, OP_pow, x, net_number(&t, 5)), 2), 3);
    net_free(&t);

    t = net_new(13);
    x = image(&t, DIMS(1, 3, 4));
    y = OP2(&t, OP_matmul, x, net_const(&t, DIMS(4, 5), -1, 1));
    z = OP1(&t, OP_transpose, OP2(&t, OP_matmul, x, net_const(&t, DIMS(4, 5), -1, 1)));
    net_attr_ints(&t, "perm", 3, (int64_t[]){0, 2, 1});
    factors_are_free(compare(&t, OP2(&t, OP_matmul, y, z), 2), 1);
    net_free(&t);
}

/* The copy of a product is that of the factor with levels to spare, and the square of a polynomial
 * that nothing else reads needs none. */
Test(linearize, copies_of_factors_take_no_level)
{
    struct net t = net_new(13);
    uint32_t x = image(&t, DIMS(1, 6));
    struct tp *p = compare(&t, OP2(&t, OP_mul, x, OP1(&t, OP_relu, x)), 7);
    cr_expect_eq(tp_depth(p), 1 + 3 + 1, "a map, a polynomial, a product");
    net_free(&t);

    t = net_new(13);
    x = OP1(&t, OP_exp, image(&t, DIMS(1, 6)));
    p = compare(&t, OP2(&t, OP_mul, x, x), 7);
    cr_expect_eq(tp_depth(p), 1 + 3 + 1);
    net_free(&t);

    t = net_new(13); /* read by another node too: its scale is not free */
    x = OP1(&t, OP_exp, image(&t, DIMS(1, 6)));
    p = compare(&t, OP2(&t, OP_sub, OP2(&t, OP_mul, x, x), x), 7);
    factors_are_free(p, 1);
    net_free(&t);
}

Test(linearize, sums_of_broadcast_tensors)
{
    struct net t = net_new(13);
    uint32_t x = image(&t, DIMS(1, 3, 4)), y = OP1(&t, OP_reducemean, x);
    net_attr_ints(&t, "axes", 1, (int64_t[]){1});
    compare(&t, OP2(&t, OP_sub, OP2(&t, OP_add, x, y), x), 2);
    net_free(&t);
}

/* Every problem at once, each by the name of its node. */
Test(linearize, says_what_has_no_form)
{
    struct net t = net_new(13);
    uint32_t x = image(&t, DIMS(1, 4)), wide = graph_input(t.g, "w", DT_F32, DIMS(1, 512, 512));
    net_output(&t, OP2(&t, OP_div, x, x));
    net_output(&t, OP2(&t, OP_pow, x, net_number(&t, 0.5)));
    net_output(&t, OP1(&t, OP_softmax, x));
    net_output(&t, OP2(&t, OP_matmul, wide, wide));
    net_output(&t, net_number(&t, 3));
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    cr_expect_null(linearize(t.a, t.g, t.d));
    static const struct {
        enum code code;
        const char *node;
    } want[] = {{E_NO_HE_FORM, "div"},
                {E_NO_HE_FORM, "pow"},
                {E_NO_HE_FORM, "softmax"},
                {E_MATRIX_SIZE, "matmul"},
                {E_NO_HE_FORM, NULL}};
    cr_assert_eq(diag_errors(t.d), 5, "%s", net_errors(&t));
    for (uint32_t k = 0; k < 5; k++) {
        const struct message *m = diag_at(t.d, k);
        cr_expect_eq(m->code, want[k].code);
        cr_expect(want[k].node ? m->place.node && strcmp(m->place.node, want[k].node) == 0
                               : !m->place.node);
    }
    net_free(&t);
}
