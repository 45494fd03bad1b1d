/* test_nonlin_composite.c - the compositions, against loops written in another order. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>

/* Softmax of random data: sums over groups of elements whose index agrees outside of the summed
 * axes. */
static void
check_softmax(int opset, int64_t axis, const int *group_of, int groups)
{
    struct bench *b = bench_new(opset), *l = bench_new(opset);
    NODE(b, OP_softmax, bench_input(b, SHAPE(2, 3, 4)));
    bench_attr_int(b, "axis", axis);
    bench_run(b);
    NODE(l, OP_logsoftmax, bench_input(l, SHAPE(2, 3, 4)));
    bench_attr_int(l, "axis", axis);
    bench_run(l);
    for (int g = 0; g < groups; g++) {
        double sum = 0, log_sum = 0;
        for (int k = 0; k < 24; k++) {
            sum += group_of[k] == g ? exp((double)b->in[0].f[k]) : 0;
            log_sum += group_of[k] == g ? exp((double)l->in[0].f[k]) : 0;
        }
        for (int k = 0; k < 24; k++) {
            if (group_of[k] != g)
                continue;
            cr_expect_float_eq((double)b->out[0].f[k], exp((double)b->in[0].f[k]) / sum, 1e-6);
            cr_expect_float_eq((double)l->out[0].f[k], (double)l->in[0].f[k] - log(log_sum), 1e-6);
        }
    }
    bench_free(b);
    bench_free(l);
}

Test(composite, softmax_before_and_since_opset_13)
{
    int rest[24], middle[24];
    for (int k = 0; k < 24; k++) {
        rest[k] = k / 12;               /* axis 1 and all behind it */
        middle[k] = k / 12 * 4 + k % 4; /* axis 1 alone */
    }
    check_softmax(12, 1, rest, 2);
    check_softmax(13, 1, middle, 8);
    check_softmax(13, -2, middle, 8);
}

Test(composite, softmax_of_large_numbers_is_finite)
{
    struct bench *b = bench_new(13);
    const float big[] = {1e4F, 1e4F + 1, -1e4F};
    NODE(b, OP_softmax, bench_floats(b, SHAPE(1, 3), big));
    cr_assert(graph_infer(b->g, b->d), "%s", bench_errors(b));
    const float *y = graph_value(b->g, b->g->outputs.at[0])->data.f;
    cr_assert(y);
    cr_expect_float_eq((double)y[1], 1 / (1 + exp(-1)), 1e-6);
    cr_expect_eq(y[2], 0);
    bench_free(b);
}

/* kernel 3x2, strides 2x1, dilation 1x2, pads 1 0 1 1: taps that fall outside do not count. */
Test(composite, maxpool_with_pads_strides_and_dilation)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_maxpool, bench_input(b, SHAPE(2, 2, 5, 6)));
    ATTR_LIST(b, "kernel_shape", 3, 2);
    ATTR_LIST(b, "strides", 2, 1);
    ATTR_LIST(b, "dilations", 1, 2);
    ATTR_LIST(b, "pads", 1, 0, 1, 1);
    bench_run(b);
    cr_assert_eq(b->out[0].shape.dim[2], 3); /* (5 + 2 - 3) / 2 + 1 */
    cr_assert_eq(b->out[0].shape.dim[3], 5); /* 6 + 1 - 3 + 1 */
    for (int p = 0; p < 4; p++)
        for (int r = 0; r < 3; r++)
            for (int c = 0; c < 5; c++) {
                float best = -INFINITY;
                for (int y = 2 * r - 1; y <= 2 * r + 1; y++)
                    for (int x = c; x <= c + 2; x += 2)
                        if (y >= 0 && y < 5 && x < 6)
                            best = fmaxf(best, b->in[0].f[p * 30 + y * 6 + x]);
                cr_expect_eq(b->out[0].f[p * 15 + r * 5 + c], best);
            }
    bench_free(b);
}

Test(composite, maxpool_rounds_up_but_never_into_nothing)
{
    for (int64_t stride = 1; stride <= 3; stride++) {
        struct bench *b = bench_new(13);
        NODE(b, OP_maxpool, bench_input(b, SHAPE(1, 1, 7)));
        ATTR_LIST(b, "kernel_shape", 2);
        bench_attr_ints(b, "strides", 1, &stride);
        bench_attr_int(b, "ceil_mode", 1);
        bench_run(b);
        cr_expect_eq(b->out[0].shape.dim[2], stride == 1 ? 6 : stride == 2 ? 4 : 3);
        for (int k = 0; k < b->out[0].shape.dim[2]; k++)
            cr_expect(isfinite(b->out[0].f[k]));
        bench_free(b);
    }
}

Test(composite, maxpool_says_where_the_largest_stood)
{
    for (int64_t order = 0; order <= 1; order++) {
        struct bench *b = bench_new(13);
        uint32_t x = bench_input(b, SHAPE(1, 2, 4, 6)), n;
        n = graph_node(b->g, "pool", OP_maxpool, &x, 1, NULL, 2, PLACE_NONE);
        ATTR_LIST(b, "kernel_shape", 2, 3);
        ATTR_LIST(b, "strides", 2, 3);
        bench_attr_int(b, "storage_order", order);
        b->g->outputs.len = 0;
        vec_push(b->g->arena, &b->g->outputs, b->g->nodes.at[n].out.at[0]);
        vec_push(b->g->arena, &b->g->outputs, b->g->nodes.at[n].out.at[1]);
        bench_run(b);
        for (int k = 0; k < 8; k++) {
            int64_t at = b->out[1].i[k], plane = at / 24, in = at % 24;
            if (order) /* column by column: row + column * rows */
                at = plane * 24 + in % 4 * 6 + in / 4;
            cr_expect_eq(plane, k / 4);
            cr_expect_eq(b->in[0].f[at], b->out[0].f[k]);
        }
        bench_free(b);
    }
}

Test(composite, normalisations_have_mean_0_and_deviation_1)
{
    struct bench *b = bench_new(17);
    uint32_t in[3] = {bench_input(b, SHAPE(2, 3, 40)), bench_weights(b, SHAPE(3, 40)),
                      bench_weights(b, SHAPE(40))};
    uint32_t n = graph_node(b->g, "ln", OP_layernorm, in, 3, NULL, 3, PLACE_NONE);
    bench_attr_int(b, "axis", 1);
    b->g->outputs.len = 0;
    for (int k = 0; k < 3; k++)
        vec_push(b->g->arena, &b->g->outputs, b->g->nodes.at[n].out.at[k]);
    const float *scale = graph_value(b->g, in[1])->data.f, *bias = graph_value(b->g, in[2])->data.f;
    bench_run(b);
    for (int r = 0; r < 2; r++) {
        double mean = 0, square = 0, norm_mean = 0, norm_square = 0;
        for (int k = 0; k < 120; k++) {
            double x = (double)b->in[0].f[120 * r + k];
            double z = ((double)b->out[0].f[120 * r + k] - (double)bias[k % 40]) / (double)scale[k];
            mean += x / 120;
            square += x * x / 120;
            norm_mean += z / 120;
            norm_square += z * z / 120;
        }
        cr_expect_float_eq(norm_mean, 0, 1e-3);
        cr_expect_float_eq(norm_square, 1, 1e-3);
        cr_expect_float_eq((double)b->out[1].f[r], mean, 1e-6);
        cr_expect_float_eq((double)b->out[2].f[r], 1 / sqrt(square - mean * mean + 1e-5), 1e-4);
    }
    cr_expect_eq(b->out[1].shape.dim[1], 1);
    bench_free(b);
}

Test(composite, instance_normalisation_is_by_channel)
{
    struct bench *b = bench_new(13);
    const float scale[] = {2, -3}, shift[] = {1, 5};
    NODE(b, OP_instancenorm, bench_input(b, SHAPE(2, 2, 6, 6)), bench_floats(b, SHAPE(2), scale),
         bench_floats(b, SHAPE(2), shift));
    bench_run(b);
    for (int p = 0; p < 4; p++) {
        double mean = 0, square = 0;
        for (int k = 0; k < 36; k++)
            mean += (double)b->out[0].f[36 * p + k] / 36;
        for (int k = 0; k < 36; k++)
            square += pow((double)b->out[0].f[36 * p + k] - mean, 2) / 36;
        cr_expect_float_eq(mean, (double)shift[p % 2], 1e-5);
        cr_expect_float_eq(sqrt(square), fabs((double)scale[p % 2]), 1e-3);
    }
    bench_free(b);
}

Test(composite, largest_and_smallest_elements)
{
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(2, 3, 4)), y = bench_input(b, SHAPE(3, 1));
    NODE(b, OP_max, x, y);
    bench_run(b);
    for (int k = 0; k < 24; k++)
        cr_expect_eq(b->out[0].f[k], fmaxf(b->in[0].f[k], b->in[1].f[k / 4 % 3]));
    bench_free(b);
    b = bench_new(13);
    x = bench_input(b, SHAPE(2, 3, 4)), y = bench_input(b, SHAPE(3, 1));
    NODE(b, OP_min, x, y);
    bench_run(b);
    for (int k = 0; k < 24; k++)
        cr_expect_eq(b->out[0].f[k], fminf(b->in[0].f[k], b->in[1].f[k / 4 % 3]));
    bench_free(b);
    b = bench_new(13);
    NODE(b, OP_reducemax, bench_input(b, SHAPE(2, 3, 4)));
    ATTR_LIST(b, "axes", -1, 0);
    bench_attr_int(b, "keepdims", 0);
    bench_run(b);
    cr_assert_eq(b->out[0].shape.rank, 1);
    for (int m = 0; m < 3; m++) {
        float best = -INFINITY;
        for (int k = 0; k < 24; k++)
            best = k / 4 % 3 == m ? fmaxf(best, b->in[0].f[k]) : best;
        cr_expect_eq(b->out[0].f[m], best);
    }
    bench_free(b);
    b = bench_new(13);
    NODE(b, OP_globalmaxpool, bench_input(b, SHAPE(1, 3, 4, 2)));
    bench_run(b);
    for (int m = 0; m < 3; m++) {
        float best = -INFINITY;
        for (int k = 0; k < 8; k++)
            best = fmaxf(best, b->in[0].f[8 * m + k]);
        cr_expect_eq(b->out[0].f[m], best);
    }
    bench_free(b);
}

Test(composite, argmax_takes_the_first_or_the_last_of_equals)
{
    const float v[] = {1, 3, 3, 0, 2, 2, -1, 2};
    for (int64_t last = 0; last <= 1; last++) {
        struct bench *b = bench_new(13);
        NODE(b, OP_argmax, bench_floats(b, SHAPE(2, 4), v));
        bench_attr_int(b, "axis", 1);
        bench_attr_int(b, "keepdims", 0);
        bench_attr_int(b, "select_last_index", last);
        cr_assert(graph_infer(b->g, b->d), "%s", bench_errors(b));
        const struct value *y = graph_value(b->g, b->g->outputs.at[0]);
        cr_assert(y->data.i && y->shape.rank == 1);
        cr_expect_eq(y->data.i[0], last ? 2 : 1);
        cr_expect_eq(y->data.i[1], last ? 3 : 0);
        bench_free(b);
    }
}

Test(composite, shapes_that_do_not_fit_are_refused)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_max, bench_input(b, SHAPE(2, 3)), bench_input(b, SHAPE(2, 4)));
    bench_refuse(b, E_SHAPE);
    bench_free(b);
    b = bench_new(13);
    NODE(b, OP_maxpool, bench_input(b, SHAPE(1, 1, 3, 3)));
    ATTR_LIST(b, "kernel_shape", 5, 5);
    bench_refuse(b, E_SHAPE);
    bench_free(b);
    b = bench_new(13);
    NODE(b, OP_softmax, bench_input(b, SHAPE(2, 3)));
    bench_attr_int(b, "axis", 2);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);
}
