/* test_middle.c - the way from a graph to a scheduled HE program, held to the float interpreter:
 * for networks of every shape of operator, he_eval on slots gives what the interpreter gives on
 * tensors. */
#include <criterion/criterion.h>
#include <math.h>

#include "op/interpret.h"
#include "layout/layout.h"
#include "linearize/linearize.h"
#include "lower/lower.h"
#include "pipeline/internal.h"
#include "schedule/schedule.h"

struct net {
    struct arena *a;
    struct diag *d;
    struct graph *g;
    uint32_t seed;
};

static float
noise(struct net *t)
{
    t->seed = t->seed * 1664525u + 1013904223u;
    return (float)(t->seed >> 8) / (float)(1 << 24) - 0.5f;
}

static struct net
net_new(uint32_t seed)
{
    struct arena *a = arena_new();
    return (struct net){a, diag_new(), graph_new(a, "net", "net.onnx"), seed};
}

static void
net_free(struct net *t)
{
    diag_free(t->d);
    arena_free(t->a);
}

static uint32_t
weights(struct net *t, int rank, const int64_t *dim, float size)
{
    struct tensor w = tensor_new(t->a, DT_F32, shape_of(rank, dim));
    for (int64_t i = 0; i < shape_size(&w.shape); i++)
        w.f[i] = size * noise(t);
    return graph_const(t->g, "w", w);
}

static void
ints(struct net *t, uint32_t node, const char *name, uint32_t n, const int64_t *v)
{
    int64_t *copy = ARENA_ARRAY(t->a, int64_t, n);
    memcpy(copy, v, n * sizeof *v);
    graph_attr(t->g, node,
               (struct attr){.name = name, .kind = ATTR_INTS, .count = n, .ints = copy});
}

static uint32_t
op1(struct net *t, enum op_id op, uint32_t x)
{
    uint32_t n = graph_node(t->g, NULL, op, &x, 1, NULL, 1, PLACE_NONE);
    return t->g->nodes.at[n].out.at[0];
}

static uint32_t
op2(struct net *t, enum op_id op, uint32_t x, uint32_t y)
{
    uint32_t n = graph_node(t->g, NULL, op, (uint32_t[]){x, y}, 2, NULL, 1, PLACE_NONE);
    return t->g->nodes.at[n].out.at[0];
}

static uint32_t
conv(struct net *t, uint32_t x, int64_t in, int64_t out, int64_t k, int64_t stride, int64_t pad)
{
    uint32_t w = weights(t, 4, (int64_t[]){out, in, k, k}, 2.0f / (float)(in * k * k));
    uint32_t b = weights(t, 1, (int64_t[]){out}, 0.2f);
    uint32_t n = graph_node(t->g, NULL, OP_conv, (uint32_t[]){x, w, b}, 3, NULL, 1, PLACE_NONE);
    ints(t, n, "strides", 2, (int64_t[]){stride, stride});
    ints(t, n, "pads", 4, (int64_t[]){pad, pad, pad, pad});
    return t->g->nodes.at[n].out.at[0];
}

static uint32_t
pool(struct net *t, uint32_t x, int64_t k)
{
    uint32_t n = graph_node(t->g, NULL, OP_averagepool, &x, 1, NULL, 1, PLACE_NONE);
    ints(t, n, "kernel_shape", 2, (int64_t[]){k, k});
    ints(t, n, "strides", 2, (int64_t[]){k, k});
    return t->g->nodes.at[n].out.at[0];
}

static uint32_t
dense(struct net *t, uint32_t x, int64_t in, int64_t out)
{
    uint32_t w = weights(t, 2, (int64_t[]){in, out}, 2.0f / (float)in);
    uint32_t b = weights(t, 1, (int64_t[]){out}, 0.2f);
    uint32_t n = graph_node(t->g, NULL, OP_gemm, (uint32_t[]){x, w, b}, 3, NULL, 1, PLACE_NONE);
    return t->g->nodes.at[n].out.at[0];
}

/* A polynomial for every activation, one a channel, of the given degree, random but tame. */
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
            p->center[r] = 0.1 * (double)noise(t);
            p->radius[r] = 3 + (double)noise(t);
            for (uint32_t i = 0; i <= degree; i++)
                p->coef[r * (degree + 1) + i] = 0.5 * (double)noise(t);
        }
    }
}

/* Every ReLU by minimax polynomials, on the range of four made-up images. */
static void
compose(struct net *t)
{
    struct approximate_options o = {0};
    struct approximate_report r;
    int64_t n = 4 * shape_size(&graph_value(t->g, t->g->inputs.at[0].value)->shape);
    float *x = ARENA_ARRAY(t->a, float, (size_t)n);

    for (int64_t k = 0; k < n; k++)
        x[k] = 2 * noise(t);
    cr_assert(approximate_minimax(t->g, x, 4, &o, &r, t->d));
}

/* Interpreter with polynomials against he_eval of the scheduled program; degree 0: the polynomials
 * are there. */
static struct he_program *
compare(struct net *t, uint32_t output, uint32_t degree, uint32_t log_n)
{
    vec_push(t->a, &t->g->outputs, output);
    cr_assert(graph_infer(t->g, t->d));
    if (degree)
        invent_polys(t, degree);
    else
        compose(t);
    output = t->g->outputs.at[0];
    struct tp *tp = linearize(t->a, t->g, t->d);
    cr_assert_not_null(tp);
    struct compile_options o = {.log_n = log_n, .insecure_toy = true};
    struct he_program *p = pipeline_candidates(t->a, &o, tp, 4, t->d);
    if (!p) {
        struct str s = {0};
        diag_print(t->d, &s);
        cr_assert_fail("%s", str_text(&s));
    }
    lower_weights(p);
    uint32_t in_size = (uint32_t)shape_size(&graph_value(t->g, t->g->inputs.at[0].value)->shape);
    uint32_t out_size = (uint32_t)shape_size(&graph_value(t->g, output)->shape);
    float *in = ARENA_ARRAY(t->a, float, in_size), *want = ARENA_ARRAY(t->a, float, out_size);
    float *got = ARENA_ARRAY(t->a, float, out_size);
    for (uint32_t i = 0; i < in_size; i++)
        in[i] = noise(t);
    struct interpret_options io = {.poly = true};
    cr_assert(interpret_many(t->g, &io, in, 1, want, t->d));
    cr_assert(he_eval(p, (const float *const *)&in, &got, t->d));
    double most = 0, largest = 0;
    for (uint32_t i = 0; i < out_size; i++) {
        most = fmax(most, fabs((double)want[i] - (double)got[i]));
        largest = fmax(largest, fabs((double)want[i]));
    }
    cr_expect(most < 2e-5 * (1 + largest), "differs by %g of %g", most, largest);
    return p;
}

static uint32_t
image(struct net *t, int64_t c, int64_t h, int64_t w)
{
    return graph_input(t->g, "image", DT_F32, shape_of(4, (int64_t[]){1, c, h, w}));
}

Test(middle, cryptonets_shape)
{
    struct net t = net_new(1);
    uint32_t x = op1(&t, OP_relu, conv(&t, image(&t, 1, 28, 28), 1, 5, 5, 2, 1));
    x = op1(&t, OP_flatten, x);
    x = op1(&t, OP_relu, dense(&t, x, 845, 100));
    struct he_program *p = compare(&t, dense(&t, x, 100, 10), 3, 13);
    cr_expect_eq(p->params.q.len, 8, "conv 1, cubic 2, dense 1, cubic 2, dense 1: 7 levels");
    net_free(&t);
}

Test(middle, lenet_with_average_pools)
{
    struct net t = net_new(2);
    uint32_t x = op1(&t, OP_relu, conv(&t, image(&t, 1, 28, 28), 1, 6, 5, 1, 2));
    x = pool(&t, x, 2);
    x = op1(&t, OP_relu, conv(&t, x, 6, 16, 5, 1, 0));
    x = op1(&t, OP_flatten, pool(&t, x, 2));
    x = op1(&t, OP_relu, dense(&t, x, 400, 120));
    x = op1(&t, OP_relu, dense(&t, x, 120, 84));
    struct he_program *p = compare(&t, dense(&t, x, 84, 10), 3, 14);
    cr_expect_eq(p->params.q.len, 14, "pools take no level");
    net_free(&t);
}

Test(middle, residual_block_and_global_pool)
{
    struct net t = net_new(3);
    uint32_t x = op1(&t, OP_relu, conv(&t, image(&t, 3, 16, 16), 3, 8, 3, 1, 1));
    uint32_t y = op1(&t, OP_relu, conv(&t, x, 8, 8, 3, 1, 1));
    x = op1(&t, OP_relu, op2(&t, OP_add, conv(&t, y, 8, 8, 3, 1, 1), x));
    y = conv(&t, op1(&t, OP_relu, conv(&t, x, 8, 16, 3, 2, 1)), 16, 16, 3, 1, 1);
    x = op1(&t, OP_relu, op2(&t, OP_add, y, conv(&t, x, 8, 16, 1, 2, 0)));
    x = op1(&t, OP_flatten, op1(&t, OP_globalaveragepool, x));
    compare(&t, dense(&t, x, 16, 10), 2, 13);
    net_free(&t);
}

Test(middle, tensors_over_several_ciphertexts)
{
    struct net t = net_new(4);
    uint32_t x =
        conv(&t, image(&t, 3, 32, 32), 3, 8, 3, 1, 1); /* 8 x 1024 slots, 2048 a ciphertext */
    x = op1(&t, OP_relu, x);
    x = op1(&t, OP_relu, conv(&t, x, 8, 16, 3, 2, 1));
    struct he_program *p = compare(&t, dense(&t, op1(&t, OP_flatten, x), 16 * 16 * 16, 10), 2, 12);
    uint32_t most = 0;
    for (uint32_t k = 0; k < p->insts.len; k++)
        most = p->insts.at[k].cts > most ? p->insts.at[k].cts : most;
    cr_expect_gt(most, 2);
    net_free(&t);
}

/* One ciphertext and four: a sum whose arguments are bundles of different sizes. */
Test(middle, arguments_of_different_sizes)
{
    struct net t = net_new(9);
    uint32_t in = image(&t, 3, 32, 32);
    uint32_t p = op1(&t, OP_relu, conv(&t, in, 3, 1, 3, 1, 1));
    uint32_t q = op1(&t, OP_relu, conv(&t, in, 3, 8, 3, 1, 1));
    uint32_t sum = op2(&t, OP_add, conv(&t, p, 1, 4, 3, 1, 1), conv(&t, q, 8, 4, 3, 1, 1));
    compare(&t, sum, 2, 12);
    net_free(&t);
}

Test(middle, sums_of_activations_and_products)
{
    struct net t = net_new(5);
    uint32_t in = graph_input(t.g, "x", DT_F32, shape_of(2, (int64_t[]){1, 40}));
    uint32_t a = op1(&t, OP_relu, dense(&t, in, 40, 24)),
             b = op1(&t, OP_relu, dense(&t, in, 40, 24));
    uint32_t sum = op2(&t, OP_add, a, b), gate = op2(&t, OP_mul, sum, b);
    uint32_t square = op2(&t, OP_mul, gate, gate);
    compare(&t, op2(&t, OP_sub, dense(&t, square, 24, 24), a), 3, 12);
    net_free(&t);
}

Test(middle, product_of_encrypted_matrices)
{
    struct net t = net_new(6);
    uint32_t in = graph_input(t.g, "x", DT_F32, shape_of(3, (int64_t[]){1, 5, 8}));
    uint32_t w = weights(&t, 2, (int64_t[]){8, 6}, 0.5f),
             v = weights(&t, 2, (int64_t[]){8, 5}, 0.5f);
    uint32_t q = op2(&t, OP_matmul, in, w), k = op2(&t, OP_matmul, in, v);
    uint32_t n = graph_node(t.g, NULL, OP_transpose, &q, 1, NULL, 1, PLACE_NONE);
    ints(&t, n, "perm", 3, (int64_t[]){0, 2, 1});
    compare(&t, op2(&t, OP_matmul, t.g->nodes.at[n].out.at[0], k), 3, 12);
    net_free(&t);
}

Test(middle, power_and_channels_last)
{
    struct net t = net_new(7);
    uint32_t in = graph_input(t.g, "x", DT_F32, shape_of(4, (int64_t[]){1, 12, 12, 2}));
    uint32_t n = graph_node(t.g, NULL, OP_transpose, &in, 1, NULL, 1, PLACE_NONE);
    ints(&t, n, "perm", 4, (int64_t[]){0, 3, 1, 2});
    uint32_t x = conv(&t, t.g->nodes.at[n].out.at[0], 2, 4, 3, 1, 0);
    struct tensor three = tensor_new(t.a, DT_F32, (struct shape){0});
    three.f[0] = 3;
    x = op2(&t, OP_pow, x, graph_const(t.g, "three", three));
    compare(&t, pool(&t, x, 2), 3, 12);
    net_free(&t);
}

/* 14 levels an activation, as those who proposed it count, and one a map; nothing else. */
Test(middle, minimax_compositions_take_fourteen_levels)
{
    struct net t = net_new(10);
    uint32_t in = graph_input(t.g, "x", DT_F32, shape_of(2, (int64_t[]){1, 24}));
    uint32_t x = op1(&t, OP_relu, dense(&t, in, 24, 16));
    x = op1(&t, OP_relu, op2(&t, OP_add, dense(&t, x, 16, 16), x));
    struct he_program *p = compare(&t, dense(&t, x, 16, 4), 0, 12);
    struct schedule_levels levels;
    schedule_levels(p, &levels);
    cr_expect_eq(levels.depth, 2 * 14 + 3);
    net_free(&t);
}

Test(middle, too_deep_says_where_the_levels_go)
{
    struct net t = net_new(8);
    uint32_t x = graph_input(t.g, "x", DT_F32, shape_of(2, (int64_t[]){1, 8}));
    for (int k = 0; k < 30; k++)
        x = op1(&t, OP_relu, dense(&t, x, 8, 8));
    for (int k = 0; k < 80; k++) /* nothing to refresh among products without a bound */
        x = op2(&t, OP_mul, x, x);
    vec_push(t.a, &t.g->outputs, x);
    cr_assert(graph_infer(t.g, t.d));
    invent_polys(&t, 7);
    struct compile_options o = {0};
    cr_expect_null(pipeline_candidates(t.a, &o, linearize(t.a, t.g, t.d), 1, t.d));
    cr_assert_eq(diag_errors(t.d), 1);
    const struct message *m = diag_at(t.d, 0);
    cr_expect_eq(m->code, E_TOO_DEEP);
    cr_expect_not_null(strstr(m->text, " levels; at 128-bit security a ring of 2^16"), "%s",
                       m->text);
    cr_expect_not_null(strstr(m->text, "node_59 3"), "%s", m->text);
    net_free(&t);
}
