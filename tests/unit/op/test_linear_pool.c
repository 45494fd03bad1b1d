/* test_linear_pool.c - pools, reductions, running sums and batch normalisation against loops
 * written from the definition, and their matrices. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>

struct pool {
    int64_t in, kernel, stride, pad, pad_end, out;
};

static struct pool
draw(struct bench *b, bool ceil_mode)
{
    struct pool p = {.kernel = bench_int(b, 1, 4), .stride = bench_int(b, 1, 3)};
    p.pad = bench_int(b, 0, p.kernel - 1);
    p.pad_end = bench_int(b, 0, p.kernel - 1);
    p.in = bench_int(b, p.kernel, p.kernel + 5);
    int64_t room = p.in + p.pad + p.pad_end - p.kernel;
    p.out = (ceil_mode ? (room + p.stride - 1) / p.stride : room / p.stride) + 1;
    while (ceil_mode && (p.out - 1) * p.stride >= p.in + p.pad)
        p.out--; /* a window that would begin behind the input */
    return p;
}

/* Mean of one window; elements of the padding count when `with_pad`, those behind it never. */
static double
mean_at(const float *x, const struct pool *h, const struct pool *w, int64_t i, int64_t j,
        bool with_pad)
{
    double sum = 0;
    int count = 0;
    for (int64_t a = i * h->stride - h->pad; a < i * h->stride - h->pad + h->kernel; a++)
        for (int64_t c = j * w->stride - w->pad; c < j * w->stride - w->pad + w->kernel; c++) {
            bool inside = a >= 0 && a < h->in && c >= 0 && c < w->in;
            bool padded = a < h->in + h->pad_end && c < w->in + w->pad_end;
            count += inside || (with_pad && padded);
            sum += inside ? (double)x[a * w->in + c] : 0;
        }
    return sum / count;
}

static void
try_average(int round, bool ceil_mode, bool with_pad)
{
    struct bench *b = bench_new(11);
    b->state += (uint64_t)round;
    struct pool h = draw(b, ceil_mode), w = draw(b, ceil_mode);
    NODE(b, OP_averagepool, bench_input(b, SHAPE(2, 3, h.in, w.in)));
    ATTR_LIST(b, "kernel_shape", h.kernel, w.kernel);
    ATTR_LIST(b, "strides", h.stride, w.stride);
    ATTR_LIST(b, "pads", h.pad, w.pad, h.pad_end, w.pad_end);
    bench_attr_int(b, "ceil_mode", ceil_mode);
    bench_attr_int(b, "count_include_pad", with_pad);
    bench_run(b);
    struct shape shape = SHAPE(2, 3, h.out, w.out);
    double *want = ARENA_ARRAY(b->a, double, (size_t)shape_size(&shape));
    for (int64_t o = 0; o < shape_size(&shape); o++) {
        int64_t plane = o / (h.out * w.out), i = o / w.out % h.out, j = o % w.out;
        want[o] = mean_at(b->in[0].f + plane * h.in * w.in, &h, &w, i, j, with_pad);
    }
    bench_expect(b, shape, want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_pool, average_random_attributes)
{
    for (int round = 0; round < 200; round++)
        try_average(round, round & 1, round & 2);
}

Test(linear_pool, average_refused)
{
    struct bench *b = bench_new(11);
    NODE(b, OP_averagepool, bench_input(b, SHAPE(1, 1, 4, 4)));
    bench_refuse(b, E_ATTRIBUTE); /* no kernel_shape */
    bench_free(b);

    b = bench_new(11);
    NODE(b, OP_averagepool, bench_input(b, SHAPE(1, 1, 4, 4)));
    ATTR_LIST(b, "kernel_shape", 2, 2);
    ATTR_LIST(b, "pads", 2, 0, 0, 0);
    bench_refuse(b, E_ATTRIBUTE); /* a window of nothing but padding */
    bench_free(b);
}

/* A maximum is a maximum, and no matrix. */
Test(linear_pool, maximum_is_not_an_average)
{
    struct bench *b = bench_new(11);
    struct linear_sink none = {0};
    double want[4];
    NODE(b, OP_maxpool, bench_input(b, SHAPE(1, 1, 4, 4)));
    ATTR_LIST(b, "kernel_shape", 2, 2);
    ATTR_LIST(b, "strides", 2, 2);
    bench_run(b);
    for (int o = 0; o < 4; o++) {
        const float *x = b->in[0].f + o / 2 * 8 + o % 2 * 2;
        want[o] = fmax(fmax((double)x[0], (double)x[1]), fmax((double)x[4], (double)x[5]));
    }
    bench_expect(b, SHAPE(1, 1, 2, 2), want);
    cr_expect(!op_linear(b->g, 0, 0, &none, b->d));
    cr_expect_eq(diag_at(b->d, 0)->code, E_NOT_LINEAR);
    bench_free(b);
}

Test(linear_pool, global_average)
{
    struct bench *b = bench_new(11);
    double want[6] = {0};
    NODE(b, OP_globalaveragepool, bench_input(b, SHAPE(2, 3, 4, 5)));
    bench_run(b);
    for (int k = 0; k < 120; k++)
        want[k / 20] += (double)b->in[0].f[k] / 20;
    bench_expect(b, SHAPE(2, 3, 1, 1), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

/* Sums of a 2 x 3 x 4 tensor along the axes of a bit mask. */
static void
try_reduce(bool mean, unsigned mask, bool keep, bool as_input)
{
    static const int64_t dim[3] = {2, 3, 4};
    struct bench *b = bench_new(as_input ? (mean ? 18 : 13) : 11);
    int64_t axes[3], n = 0, count = 1;
    struct shape shape = {0};
    double want[24] = {0};
    for (int k = 0; k < 3; k++) {
        if (mask >> k & 1) {
            axes[n++] = k % 2 ? k : k - 3; /* some counted from the end */
            count *= dim[k];
            if (keep)
                shape.dim[shape.rank++] = 1;
        } else {
            shape.dim[shape.rank++] = dim[k];
        }
    }
    uint32_t x = bench_input(b, SHAPE(2, 3, 4)), list = bench_ints(b, (uint32_t)n, axes);
    bench_node(b, mean ? OP_reducemean : OP_reducesum, as_input ? 2 : 1, (uint32_t[]){x, list});
    if (!as_input)
        bench_attr_ints(b, "axes", (uint32_t)n, axes);
    bench_attr_int(b, "keepdims", keep);
    bench_run(b);
    for (int k = 0; k < 24; k++) {
        int at[3] = {k / 12, k / 4 % 3, k % 4}, o = 0;
        for (int d = 0; d < 3; d++)
            if (!(mask >> d & 1))
                o = o * (int)dim[d] + at[d];
        want[o] += (double)b->in[0].f[k] / (mean ? (double)count : 1);
    }
    bench_expect(b, shape, want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_pool, reduce_every_set_of_axes)
{
    for (unsigned mask = 1; mask < 8; mask++)
        for (int form = 0; form < 8; form++)
            try_reduce(form & 1, mask, form & 2, form & 4);
}

Test(linear_pool, reduce_without_axes)
{
    struct bench *b = bench_new(13);
    double sum = 0;
    NODE(b, OP_reducesum, bench_input(b, SHAPE(2, 3)));
    bench_run(b);
    for (int k = 0; k < 6; k++)
        sum += (double)b->in[0].f[k];
    bench_expect(b, SHAPE(1, 1), &sum);
    bench_free(b);

    b = bench_new(13);
    double same[6];
    NODE(b, OP_reducesum, bench_input(b, SHAPE(2, 3)));
    bench_attr_int(b, "noop_with_empty_axes", 1);
    bench_run(b);
    for (int k = 0; k < 6; k++)
        same[k] = (double)b->in[0].f[k];
    bench_expect(b, SHAPE(2, 3), same);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_pool, reduce_refused)
{
    struct bench *b = bench_new(11);
    NODE(b, OP_reducemean, bench_input(b, SHAPE(2, 3)));
    ATTR_LIST(b, "axes", 0, -2);
    bench_refuse(b, E_ATTRIBUTE); /* one axis twice */
    bench_free(b);

    b = bench_new(11);
    NODE(b, OP_reducemean, bench_input(b, SHAPE(2, 3)));
    ATTR_LIST(b, "axes", 2);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);
}

Test(linear_pool, running_sums)
{
    for (int form = 0; form < 12; form++) {
        bool reverse = form & 1, exclusive = form & 2;
        int axis = form / 4;
        static const int64_t dim[3] = {2, 3, 4}, step[3] = {12, 4, 1};
        struct bench *b = bench_new(14);
        double want[24];
        NODE(b, OP_cumsum, bench_input(b, SHAPE(2, 3, 4)), INTS(b, axis - 3));
        bench_attr_int(b, "reverse", reverse);
        bench_attr_int(b, "exclusive", exclusive);
        bench_run(b);
        for (int k = 0; k < 24; k++) {
            int64_t at = k / step[axis] % dim[axis];
            want[k] = 0;
            for (int64_t j = 0; j < dim[axis]; j++) {
                bool taken = reverse ? j > at : j < at;
                if (taken || (j == at && !exclusive))
                    want[k] += (double)b->in[0].f[k + (j - at) * step[axis]];
            }
        }
        bench_expect(b, SHAPE(2, 3, 4), want);
        cr_expect_eq(bench_matrices(b), 1);
        bench_free(b);
    }
}

Test(linear_pool, batch_normalisation)
{
    static const float var[3] = {0.5f, 2, 0.1f};
    struct bench *b = bench_new(15);
    double want[24];
    uint32_t x = bench_input(b, SHAPE(2, 3, 4)), p[3];
    for (int k = 0; k < 3; k++)
        p[k] = bench_weights(b, SHAPE(3));
    NODE(b, OP_batchnorm, x, p[0], p[1], p[2], bench_floats(b, SHAPE(3), var));
    bench_attr_float(b, "epsilon", 0.01f);
    bench_run(b);
    for (int k = 0; k < 24; k++) {
        int c = k / 4 % 3;
        double scale = (double)graph_value(b->g, p[0])->data.f[c];
        double bias = (double)graph_value(b->g, p[1])->data.f[c];
        double mean = (double)graph_value(b->g, p[2])->data.f[c];
        want[k] = scale * ((double)b->in[0].f[k] - mean) / sqrt((double)var[c] + 0.01) + bias;
    }
    bench_expect(b, SHAPE(2, 3, 4), want);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_pool, batch_normalisation_refused)
{
    struct bench *b = bench_new(15);
    uint32_t w = bench_weights(b, SHAPE(3)), other = bench_weights(b, SHAPE(4));
    NODE(b, OP_batchnorm, bench_input(b, SHAPE(2, 3, 4)), w, w, other, w);
    bench_refuse(b, E_SHAPE);
    bench_free(b);

    b = bench_new(15);
    w = bench_weights(b, SHAPE(3));
    NODE(b, OP_batchnorm, bench_input(b, SHAPE(2, 3, 4)), w, w, w, w);
    bench_attr_int(b, "training_mode", 1);
    bench_refuse(b, E_OP_FORM);
    bench_free(b);

    b = bench_new(7);
    w = bench_weights(b, SHAPE(3));
    NODE(b, OP_batchnorm, bench_input(b, SHAPE(2, 3, 4)), w, w, w, w);
    bench_attr_int(b, "spatial", 0);
    bench_refuse(b, E_OP_FORM);
    bench_free(b);
}
