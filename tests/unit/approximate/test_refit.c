/* test_refit.c - weights fitted anew: the map as its weights see it against the interpreter, and
 * least squares where the answer is known. */
#include "approximate/refit.h"
#include "approximate/weights.h"
#include "nets.h"

/* x -> one linear map -> y. */
static struct net
one_map(enum op_id op, struct shape in, struct shape weight, int64_t bias, int64_t stride,
        int64_t groups)
{
    struct net t = net_new(13);
    uint32_t args[3] = {graph_input(t.g, "x", DT_F32, in), net_const(&t, weight, -1, 1), NONE};
    uint32_t n = 2;

    if (bias)
        args[n++] = net_const(&t, DIMS(bias), -1, 1);
    uint32_t node =
        graph_node(t.g, "map", op, args, n, (const char *[]){"y"}, 1, (struct place){0});
    if (op == OP_conv) {
        int64_t *v = ARENA_ARRAY(t.a, int64_t, 8);
        for (int k = 0; k < 6; k++)
            v[k] = k < 2 ? stride : 1;
        v[6] = groups;
        graph_attr(t.g, node, (struct attr){"strides", ATTR_INTS, 2, .ints = v});
        graph_attr(t.g, node, (struct attr){"pads", ATTR_INTS, 4, .ints = v + 2});
        graph_attr(t.g, node, (struct attr){"group", ATTR_INT, 1, .ints = v + 6});
    }
    net_output(&t, t.g->nodes.at[node].out.at[0]);
    cr_assert(graph_infer(t.g, t.d), "%s", net_errors(&t));
    net_images(&t, 64, 1);
    return t;
}

/* The groups, multiplied out, against the interpreter. */
static void
check_weights(struct net *t, uint32_t groups, uint32_t channels, uint32_t taps)
{
    struct weights w;
    const struct node *n = &t->g->nodes.at[0];
    const float *weight = graph_value(t->g, n->in.at[1])->data.f;
    const float *bias = n->in.len > 2 ? graph_value(t->g, n->in.at[2])->data.f : NULL;
    int64_t out = shape_size(&graph_value(t->g, n->out.at[0])->shape), seen = 0;
    const float *y = net_run(t, false);

    cr_assert(weights_read(t->a, t->g, 0, &w));
    cr_assert_eq(w.n, groups);
    cr_assert_eq(w.taps, taps);
    for (uint32_t k = 0; k < w.n; k++) {
        const struct weight_group *g = &w.group[k];
        cr_assert_eq(g->channels, channels);
        cr_assert_eq(g->bias != NULL, bias != NULL);
        for (uint32_t c = 0; c < g->channels; c++)
            for (uint32_t p = 0; p < w.positions; p++, seen++) {
                double sum = bias ? (double)bias[g->bias[c]] : 0;
                for (uint32_t i = 0; i < taps; i++)
                    if (g->from[p * taps + i] != NONE)
                        sum += (double)weight[g->weight[c * taps + i]] *
                               (double)t->images[g->from[p * taps + i]];
                cr_assert_float_eq(sum, (double)y[g->out[c * w.positions + p]], 1e-5);
            }
    }
    cr_assert_eq(seen, out);
    net_free(t);
}

Test(weights, are_what_the_interpreter_computes)
{
    struct net t = one_map(OP_conv, DIMS(1, 4, 7, 6), DIMS(6, 4, 3, 3), 6, 1, 1);
    check_weights(&t, 1, 6, 36);
    t = one_map(OP_conv, DIMS(1, 4, 7, 6), DIMS(6, 2, 3, 3), 0, 2, 2);
    check_weights(&t, 2, 3, 18);
    t = one_map(OP_conv, DIMS(1, 4, 5, 5), DIMS(4, 1, 3, 3), 4, 1, 4);
    check_weights(&t, 4, 1, 9);
    t = one_map(OP_conv, DIMS(1, 4, 1, 1), DIMS(6, 4, 3, 3), 6, 1, 1); /* most meet only padding */
    check_weights(&t, 1, 6, 4);
    t = one_map(OP_gemm, DIMS(1, 12), DIMS(12, 5), 5, 1, 1);
    check_weights(&t, 1, 5, 12);
    t = one_map(OP_matmul, DIMS(1, 12), DIMS(12, 5), 0, 1, 1);
    check_weights(&t, 1, 5, 12);
}

/* Mean square of (map of `fed`, weights as they are now) - (map of images, as trained). */
static double
error_of(struct net *t, const float *fed)
{
    int64_t n = shape_size(&graph_value(t->g, t->g->outputs.at[0])->shape) * t->n;
    float *clean = net_run(t, false), *images = t->images, *ours;
    double sum = 0;

    t->images = (float *)(uintptr_t)fed;
    ours = net_run(t, true);
    t->images = images;
    for (int64_t k = 0; k < n; k++)
        sum += pow((double)clean[k] - (double)ours[k], 2) / (double)n;
    return sum;
}

static void
check_refit(struct net *t, double noise, double least)
{
    size_t n = (size_t)shape_size(&graph_value(t->g, t->g->inputs.at[0].value)->shape) * t->n;
    float *fed = ARENA_ARRAY(t->a, float, n);
    struct refit_data data = {.fed = fed, .clean = t->images, .n = t->n};
    const float *before = graph_value(t->g, t->g->nodes.at[0].in.at[1])->data.f;

    for (size_t k = 0; k < n; k++)
        fed[k] = (float)(0.5 * (double)t->images[k] + 0.25 + noise * net_normal(t));
    double was = error_of(t, fed);
    refit_map(t->g, 0, &data);
    cr_expect_lt(error_of(t, fed), least * was, "%g of %g", error_of(t, fed), was);
    refit_undo(t->g);
    cr_expect_eq(graph_value(t->g, t->g->nodes.at[0].in.at[1])->data.f, before);
    cr_expect_float_eq(error_of(t, fed), was, 1e-9 * was);
    net_free(t);
}

Test(refit, what_halves_its_input_is_undone)
{
    struct net t = one_map(OP_conv, DIMS(1, 4, 12, 12), DIMS(6, 4, 3, 3), 6, 1, 1);
    check_refit(&t, 0, 0.05); /* the padding is not halved: not all can be undone */
    t = one_map(OP_gemm, DIMS(1, 12), DIMS(12, 5), 5, 1, 1);
    check_refit(&t, 0, 1e-3);
    t = one_map(OP_gemm, DIMS(1, 12), DIMS(12, 5), 5, 1, 1);
    check_refit(&t, 0.1, 0.5);
}

/* What is added to the output counts as well, and what is not fed otherwise stays as it is. */
Test(refit, makes_up_for_what_is_added)
{
    struct net t = one_map(OP_gemm, DIMS(1, 12), DIMS(12, 5), 5, 1, 1);
    const struct value *weight = graph_value(t.g, t.g->nodes.at[0].in.at[1]);
    const struct value *bias = graph_value(t.g, t.g->nodes.at[0].in.at[2]);
    float *fed = ARENA_ARRAY(t.a, float, 12 * t.n), *added = ARENA_ARRAY(t.a, float, 5 * t.n);
    struct refit_data data = {.fed = t.images, .clean = t.images, .n = t.n};

    refit_map(t.g, 0, &data);
    cr_expect_null(weight->trained.f);
    for (uint32_t k = 0; k < 12 * t.n; k++)
        fed[k] = t.images[k] + (float)(1e-3 * net_normal(&t));
    for (uint32_t k = 0; k < 5 * t.n; k++)
        added[k] = 3;
    data = (struct refit_data){.fed = fed,
                               .clean = t.images,
                               .added = added,
                               .added_clean = ARENA_ARRAY(t.a, float, 5 * t.n),
                               .n = t.n};
    refit_map(t.g, 0, &data);
    cr_assert_not_null(bias->trained.f);
    for (int k = 0; k < 5; k++)
        cr_expect_float_eq(bias->data.f[k], bias->trained.f[k] - 3, 0.05);
    net_free(&t);
}

Test(refit, leaves_what_others_read_and_what_is_pinned)
{
    struct net t = one_map(OP_gemm, DIMS(1, 12), DIMS(12, 5), 5, 1, 1);

    cr_expect(weights_possible(t.g, 0));
    t.g->nodes.at[0].pins.pow2_bits = 4;
    cr_expect_not(weights_possible(t.g, 0));
    net_free(&t);
    t = net_new(13);
    uint32_t w = net_const(&t, DIMS(4, 4), -1, 1), x = graph_input(t.g, "x", DT_F32, DIMS(1, 4));
    net_output(&t, OP2(&t, OP_matmul, OP2(&t, OP_matmul, x, w), w));
    cr_assert(graph_infer(t.g, t.d));
    cr_expect_not(weights_possible(t.g, 0));
    net_free(&t);
}
