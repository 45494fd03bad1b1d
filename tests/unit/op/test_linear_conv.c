/* test_linear_conv.c - Conv and ConvTranspose over random attributes against loops written from the
 * definition, and their matrices. */
#include "op_support.h"

#include <criterion/criterion.h>

#define DIMS 3

/* A convolution in up to three dimensions; unused ones have size 1. */
struct sizes {
    int64_t batch, groups, cin, cout; /* channels of one group */
    int64_t in[DIMS], kernel[DIMS], stride[DIMS], dilation[DIMS], pad[DIMS], pad_end[DIMS],
        out[DIMS];
};

static int64_t
at3(const int64_t *size, int64_t a, int64_t b, int64_t c)
{
    return (a * size[1] + b) * size[2] + c;
}

/* y[n, m, p] = bias[m] + sum over c, t of w[m, c, t] x[n, c, p stride - pad + t dilation] */
static double
conv_at(const struct sizes *s, const float *x, const float *w, int64_t n, int64_t m,
        const int64_t *p)
{
    int64_t group = m / s->cout, taps = s->kernel[0] * s->kernel[1] * s->kernel[2];
    int64_t area = s->in[0] * s->in[1] * s->in[2];
    double sum = 0;
    for (int64_t c = 0; c < s->cin; c++)
        for (int64_t i = 0; i < s->kernel[0]; i++)
            for (int64_t j = 0; j < s->kernel[1]; j++)
                for (int64_t k = 0; k < s->kernel[2]; k++) {
                    int64_t a = p[0] * s->stride[0] - s->pad[0] + i * s->dilation[0];
                    int64_t b = p[1] * s->stride[1] - s->pad[1] + j * s->dilation[1];
                    int64_t d = p[2] * s->stride[2] - s->pad[2] + k * s->dilation[2];
                    if (a < 0 || b < 0 || d < 0 || a >= s->in[0] || b >= s->in[1] || d >= s->in[2])
                        continue;
                    int64_t channel = (n * s->groups + group) * s->cin + c;
                    sum += (double)x[channel * area + at3(s->in, a, b, d)] *
                           (double)w[(m * s->cin + c) * taps + at3(s->kernel, i, j, k)];
                }
    return sum;
}

static void
draw(struct bench *b, int dims, struct sizes *s)
{
    *s = (struct sizes){.batch = bench_int(b, 1, 3),
                        .groups = bench_int(b, 1, 3),
                        .cin = bench_int(b, 1, 3),
                        .cout = bench_int(b, 1, 3)};
    for (int k = 0; k < DIMS; k++) {
        bool used = k >= DIMS - dims;
        s->kernel[k] = used ? bench_int(b, 1, 3) : 1;
        s->stride[k] = used ? bench_int(b, 1, 3) : 1;
        s->dilation[k] = used ? bench_int(b, 1, 2) : 1;
        s->pad[k] = used ? bench_int(b, 0, 2) : 0;
        s->pad_end[k] = used ? bench_int(b, 0, 2) : 0;
        int64_t reach = (s->kernel[k] - 1) * s->dilation[k] + 1;
        s->in[k] = used ? bench_int(b, reach, reach + 5) : 1;
        s->out[k] = (s->in[k] + s->pad[k] + s->pad_end[k] - reach) / s->stride[k] + 1;
    }
}

static struct shape
spatial(int dims, int64_t first, int64_t second, const int64_t *size)
{
    struct shape shape = {2 + dims, {first, second}};
    for (int k = 0; k < dims; k++)
        shape.dim[2 + k] = size[DIMS - dims + k];
    return shape;
}

static void
give_window(struct bench *b, int dims, const struct sizes *s)
{
    int64_t pads[2 * DIMS];
    for (int k = 0; k < dims; k++) {
        pads[k] = s->pad[DIMS - dims + k];
        pads[dims + k] = s->pad_end[DIMS - dims + k];
    }
    bench_attr_ints(b, "strides", (uint32_t)dims, s->stride + DIMS - dims);
    bench_attr_ints(b, "dilations", (uint32_t)dims, s->dilation + DIMS - dims);
    bench_attr_ints(b, "pads", 2 * (uint32_t)dims, pads);
    bench_attr_int(b, "group", s->groups);
}

static void
expect_conv(struct bench *b, const struct sizes *s, int dims, const float *w, const float *bias)
{
    struct shape want = spatial(dims, s->batch, s->groups * s->cout, s->out);
    cr_assert(shape_equal(&b->out[0].shape, &want), "%s, not %s",
              shape_text(b->a, &b->out[0].shape), shape_text(b->a, &want));
    const float *y = b->out[0].f;
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t m = 0; m < s->groups * s->cout; m++)
            for (int64_t i = 0; i < s->out[0]; i++)
                for (int64_t j = 0; j < s->out[1]; j++)
                    for (int64_t k = 0; k < s->out[2]; k++) {
                        double v = conv_at(s, b->in[0].f, w, n, m, (int64_t[]){i, j, k});
                        v += bias ? (double)bias[m] : 0;
                        double got = (double)*y++;
                        cr_assert_float_eq(got, v, 1e-4);
                    }
}

static void
run_conv(struct bench *b, int dims, struct sizes s, bool with_bias)
{
    uint32_t x = bench_input(b, spatial(dims, s.batch, s.groups * s.cin, s.in));
    uint32_t w = bench_weights(b, spatial(dims, s.groups * s.cout, s.cin, s.kernel));
    uint32_t bias = with_bias ? bench_weights(b, SHAPE(s.groups * s.cout)) : NONE;
    bench_node(b, OP_conv, bias == NONE ? 2 : 3, (uint32_t[]){x, w, bias});
    give_window(b, dims, &s);
    bench_run(b);
    expect_conv(b, &s, dims, graph_value(b->g, w)->data.f,
                bias == NONE ? NULL : graph_value(b->g, bias)->data.f);
    cr_expect_eq(bench_matrices(b), 1);
}

Test(linear_conv, random_attributes)
{
    for (int dims = 1; dims <= DIMS; dims++)
        for (int round = 0; round < 40; round++) {
            struct bench *b = bench_new(13);
            struct sizes s;
            b->state += (uint64_t)(1000 * dims + round);
            draw(b, dims, &s);
            run_conv(b, dims, s, round % 2);
            bench_free(b);
        }
}

/* Cases that another compiler accepted and computed wrongly. */
Test(linear_conv, known_traps)
{
    static const struct {
        int64_t batch, groups, cin, cout, kernel, stride, dilation, pad;
    } all[] = {
        {1, 1, 8, 4, 3, 1, 1, 1}, /* narrows channels */
        {1, 1, 5, 7, 3, 1, 1, 1}, /* numbers of channels that are no powers of two */
        {1, 1, 4, 4, 2, 2, 1, 0}, /* stride 2 without padding */
        {1, 1, 4, 4, 5, 2, 1, 0}, {1, 1, 4, 4, 3, 1, 2, 2}, /* dilation */
        {1, 4, 1, 1, 3, 1, 1, 1},                           /* depthwise */
        {1, 2, 4, 2, 3, 1, 1, 1},                           /* groups that narrow */
        {2, 1, 3, 4, 3, 1, 1, 1},                           /* two images */
    };
    for (size_t k = 0; k < sizeof all / sizeof *all; k++)
        for (int with_bias = 0; with_bias < 2; with_bias++) {
            struct bench *b = bench_new(13);
            struct sizes s = {.batch = all[k].batch,
                              .groups = all[k].groups,
                              .cin = all[k].cin,
                              .cout = all[k].cout,
                              .in = {1, 12, 11},
                              .out = {1}};
            for (int d = 0; d < DIMS; d++) {
                s.kernel[d] = d ? all[k].kernel : 1;
                s.stride[d] = d ? all[k].stride : 1;
                s.dilation[d] = d ? all[k].dilation : 1;
                s.pad[d] = s.pad_end[d] = d ? all[k].pad : 0;
                int64_t reach = (s.kernel[d] - 1) * s.dilation[d] + 1;
                s.out[d] = (s.in[d] + 2 * s.pad[d] - reach) / s.stride[d] + 1;
            }
            run_conv(b, 2, s, with_bias);
            bench_free(b);
        }
}

/* auto_pad against explicit pads: the output is the input over the stride, rounded up; an odd pad
 * goes behind with SAME_UPPER and before with SAME_LOWER. */
static void
try_auto_pad(const char *mode, int64_t in, int64_t kernel, int64_t stride)
{
    struct bench *b = bench_new(13), *e = bench_new(13);
    bool upper = mode[5] == 'U';
    int64_t out = (in + stride - 1) / stride, total = (out - 1) * stride + kernel - in;
    total = total < 0 ? 0 : total;
    int64_t small = total / 2, large = total - small, before = upper ? small : large;
    uint32_t x = bench_input(b, SHAPE(1, 2, in, 7)), w = bench_weights(b, SHAPE(3, 2, kernel, 1));
    uint32_t x2 = bench_input(e, SHAPE(1, 2, in, 7)), w2 = bench_weights(e, SHAPE(3, 2, kernel, 1));
    NODE(b, OP_conv, x, w);
    bench_attr_text(b, "auto_pad", mode);
    ATTR_LIST(b, "strides", stride, 1);
    NODE(e, OP_conv, x2, w2);
    ATTR_LIST(e, "pads", before, 0, total - before, 0);
    ATTR_LIST(e, "strides", stride, 1);
    bench_run(b);
    bench_run(e);
    cr_assert_eq(b->out[0].shape.dim[2], out);
    cr_assert(shape_equal(&b->out[0].shape, &e->out[0].shape));
    cr_assert_arr_eq(b->out[0].f, e->out[0].f,
                     (size_t)shape_size(&e->out[0].shape) * sizeof(float));
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
    bench_free(e);
}

Test(linear_conv, auto_pad)
{
    for (int64_t in = 4; in < 8; in++)
        for (int64_t kernel = 1; kernel < 5; kernel++)
            for (int64_t stride = 1; stride < 4; stride++) {
                try_auto_pad("SAME_UPPER", in, kernel, stride);
                try_auto_pad("SAME_LOWER", in, kernel, stride);
            }
}

/* y[n, g m, p stride - pad + t dilation] += x[n, g c, p] w[g c, m, t], by spreading, in two
 * dimensions. */
static void
spread(const struct sizes *s, const float *x, const float *w, double *y)
{
    for (int64_t n = 0; n < s->batch; n++)
        for (int64_t c = 0; c < s->groups * s->cin; c++)
            for (int64_t m = 0; m < s->cout; m++)
                for (int64_t p = 0; p < s->in[1] * s->in[2]; p++)
                    for (int64_t t = 0; t < s->kernel[1] * s->kernel[2]; t++) {
                        int64_t i = p / s->in[2] * s->stride[1] - s->pad[1] +
                                    t / s->kernel[2] * s->dilation[1];
                        int64_t j = p % s->in[2] * s->stride[2] - s->pad[2] +
                                    t % s->kernel[2] * s->dilation[2];
                        if (i < 0 || j < 0 || i >= s->out[1] || j >= s->out[2])
                            continue;
                        int64_t to = (n * s->groups + c / s->cin) * s->cout + m;
                        y[(to * s->out[1] + i) * s->out[2] + j] +=
                            (double)x[(n * s->groups * s->cin + c) * s->in[1] * s->in[2] + p] *
                            (double)w[(c * s->cout + m) * s->kernel[1] * s->kernel[2] + t];
                    }
}

static void
try_transpose(int round)
{
    struct bench *b = bench_new(13);
    struct sizes s;
    int64_t extra[2];
    b->state += (uint64_t)round;
    draw(b, 2, &s);
    for (int k = 1; k < DIMS; k++) {
        extra[k - 1] = bench_int(b, 0, s.stride[k] - 1);
        s.pad[k] = s.pad_end[k] = 0;
        s.out[k] =
            s.stride[k] * (s.in[k] - 1) + extra[k - 1] + (s.kernel[k] - 1) * s.dilation[k] + 1;
        if (s.out[k] > 3) {
            s.pad[k] = round % 2;
            s.pad_end[k] = round % 3;
            s.out[k] -= s.pad[k] + s.pad_end[k];
        }
    }
    uint32_t x = bench_input(b, SHAPE(s.batch, s.groups * s.cin, s.in[1], s.in[2]));
    uint32_t w = bench_weights(b, SHAPE(s.groups * s.cin, s.cout, s.kernel[1], s.kernel[2]));
    NODE(b, OP_conv_transpose, x, w);
    give_window(b, 2, &s);
    bench_attr_ints(b, "output_padding", 2, extra);
    bench_run(b);
    struct shape want = SHAPE(s.batch, s.groups * s.cout, s.out[1], s.out[2]);
    double *y = ARENA_ARRAY(b->a, double, (size_t)shape_size(&want));
    spread(&s, b->in[0].f, graph_value(b->g, w)->data.f, y);
    bench_expect(b, want, y);
    cr_expect_eq(bench_matrices(b), 1);
    bench_free(b);
}

Test(linear_conv, transpose_random_attributes)
{
    for (int round = 0; round < 60; round++)
        try_transpose(round);
}

Test(linear_conv, refused)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 3, 8, 8)), bench_weights(b, SHAPE(4, 2, 3, 3)));
    bench_refuse(b, E_SHAPE); /* channels */
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 3, 2, 2)), bench_weights(b, SHAPE(4, 3, 3, 3)));
    bench_refuse(b, E_SHAPE); /* a kernel larger than its input */
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 4, 8, 8)), bench_weights(b, SHAPE(3, 2, 3, 3)));
    bench_attr_int(b, "group", 2);
    bench_refuse(b, E_SHAPE); /* three output channels in two groups */
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 3, 8, 8)), bench_weights(b, SHAPE(4, 3, 3, 3)));
    ATTR_LIST(b, "kernel_shape", 5, 5);
    bench_refuse(b, E_SHAPE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 3, 8, 8)), bench_weights(b, SHAPE(4, 3, 3, 3)));
    ATTR_LIST(b, "strides", 1, 0);
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 3, 8, 8)), bench_weights(b, SHAPE(4, 3, 3, 3)));
    bench_attr_text(b, "auto_pad", "SAME");
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);

    b = bench_new(13);
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 3, 8, 8)), bench_weights(b, SHAPE(4, 3, 3, 3)),
         bench_weights(b, SHAPE(3)));
    bench_refuse(b, E_SHAPE); /* a bias of another length */
    bench_free(b);
}

Test(linear_conv, encrypted_weights_have_no_matrix)
{
    struct bench *b = bench_new(13);
    struct linear_sink none = {0};
    NODE(b, OP_conv, bench_input(b, SHAPE(1, 1, 4, 4)), bench_input(b, SHAPE(1, 1, 2, 2)));
    bench_run(b);
    cr_expect(!op_linear(b->g, 0, 0, &none, b->d));
    cr_expect_eq(diag_at(b->d, 0)->code, E_NOT_CONST);
    bench_free(b);
}
