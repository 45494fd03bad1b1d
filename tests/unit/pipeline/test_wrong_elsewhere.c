/* test_wrong_elsewhere.c - what the nearest other compiler gets silently wrong: each is right here,
 * or an error. Small ONNX files go through the whole compile; the program that comes out, evaluated
 * on slots, is held to loops written down from ONNX's definitions. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/file.h"
#include "import/onnx_make.h"
#include "op/interpret.h"
#include "pipeline/pipeline.h"
#include "simulate/simulate.h"

static float
draw(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (float)(*seed >> 8) / (float)(1 << 24) - 0.5f;
}

static float *
drawn(struct maker *m, uint32_t n, uint32_t seed)
{
    float *v = ARENA_ARRAY(m->arena, float, n);
    for (uint32_t k = 0; k < n; k++)
        v[k] = draw(&seed);
    return v;
}

static void
init(struct maker *m, const char *name, const float *v, size_t rank, const int64_t *dims)
{
    size_t n = 1;
    for (size_t k = 0; k < rank; k++)
        n *= (size_t)dims[k];
    make_raw(make_init(m, name, TT(FLOAT), rank, dims), v, n * sizeof *v);
}

static void
attr_int(struct maker *m, Onnx__NodeProto *n, const char *name, int64_t v)
{
    Onnx__AttributeProto *a = make_attr(m, n, name, AT(INT));
    a->has_i = 1;
    a->i = v;
}

static void
attr_float(struct maker *m, Onnx__NodeProto *n, const char *name, float v)
{
    Onnx__AttributeProto *a = make_attr(m, n, name, AT(FLOAT));
    a->has_f = 1;
    a->f = v;
}

static void
attr_ints(struct maker *m, Onnx__NodeProto *n, const char *name, size_t count, int64_t v)
{
    Onnx__AttributeProto *a = make_attr(m, n, name, AT(INTS));
    a->n_ints = count;
    a->ints = ARENA_ARRAY(m->arena, int64_t, count);
    for (size_t k = 0; k < count; k++)
        a->ints[k] = v;
}

/* The whole compile of the model in m, from a file as a user has it. */
static bool
compile(struct maker *m, struct compile_options o, struct compiled *c)
{
    char path[] = "/tmp/olac-test-XXXXXX";
    size_t size;
    const uint8_t *bytes = make_pack(m, &size);
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    cr_assert(file_write(path, bytes, size, m->diag));
    o.model = path;
    *c = (struct compiled){0};
    bool ok = pipeline_compile(m->arena, &o, c, m->diag);
    unlink(path);
    return ok;
}

static void
expect(struct maker *m, const struct compiled *c, const float *in, const float *want, uint32_t n)
{
    float *got = ARENA_ARRAY(m->arena, float, n);
    const struct he_layout *out = &c->program->layouts.at[c->program->outputs.at[0].layout];
    cr_assert_eq(out->n, n, "%u outputs, not %u", out->n, n);
    cr_assert(he_eval(c->program, &in, &got, m->diag));
    for (uint32_t k = 0; k < n; k++)
        cr_assert_float_eq((double)got[k], (double)want[k], 1e-5, "output %u: %g, not %g", k,
                           (double)got[k], (double)want[k]);
    cr_expect_geq(c->program->params.security, 128u);
}

static void
compiles(struct maker *m, struct compiled *c, const float *in, const float *want, uint32_t n)
{
    cr_assert(compile(m, (struct compile_options){0}, c), "%s", all_messages(m->arena, m->diag));
    expect(m, c, in, want, n);
}

/* ---- Gemm: y = alpha x W + beta b
 * ------------------------------------------------------------------- */

struct gemm {
    bool trans_b, bias;
    float alpha, beta;
    uint32_t batch, in, out;
};

static void
check_gemm(struct gemm g)
{
    struct maker *m = make_new();
    struct compiled c;
    float *w = drawn(m, g.in * g.out, 1), *b = drawn(m, g.out, 2), *x = drawn(m, g.batch * g.in, 3);
    float *want = ARENA_ARRAY(m->arena, float, g.batch *g.out);
    make_input(m, "x", TT(FLOAT), DIMS(g.batch, g.in));
    if (g.trans_b)
        init(m, "w", w, DIMS(g.out, g.in));
    else
        init(m, "w", w, DIMS(g.in, g.out));
    if (g.bias)
        init(m, "b", b, DIMS(g.out));
    Onnx__NodeProto *n = make_node(m, "Gemm", "gemm", g.bias ? "x,w,b" : "x,w", "y");
    attr_int(m, n, "transB", g.trans_b);
    attr_float(m, n, "alpha", g.alpha);
    attr_float(m, n, "beta", g.beta);
    make_output(m, "y");
    for (uint32_t r = 0; r < g.batch; r++)
        for (uint32_t o = 0; o < g.out; o++) {
            double sum = 0;
            for (uint32_t i = 0; i < g.in; i++)
                sum +=
                    (double)x[r * g.in + i] * (double)w[g.trans_b ? o * g.in + i : i * g.out + o];
            want[r * g.out + o] =
                (float)((double)g.alpha * sum + (g.bias ? (double)g.beta * (double)b[o] : 0));
        }
    compiles(m, &c, x, want, g.batch * g.out);
    make_free(m);
}

Test(wrong_elsewhere, gemm)
{
    check_gemm((struct gemm){
        .trans_b = true, .bias = true, .alpha = 1, .beta = 1, .batch = 1, .in = 8, .out = 5});
    check_gemm((struct gemm){
        .trans_b = false, .bias = true, .alpha = 1, .beta = 1, .batch = 1, .in = 8, .out = 5});
    check_gemm((struct gemm){
        .trans_b = false, .bias = true, .alpha = 1, .beta = 1, .batch = 1, .in = 6, .out = 6});
    check_gemm((struct gemm){
        .trans_b = true, .bias = true, .alpha = 0.5f, .beta = -2, .batch = 1, .in = 7, .out = 3});
    check_gemm((struct gemm){
        .trans_b = false, .bias = true, .alpha = -3, .beta = 0, .batch = 1, .in = 7, .out = 3});
    check_gemm((struct gemm){
        .trans_b = true, .bias = true, .alpha = 2, .beta = 1, .batch = 2, .in = 9, .out = 4});
    check_gemm((struct gemm){
        .trans_b = true, .bias = false, .alpha = 1, .beta = 1, .batch = 1, .in = 9, .out = 4});
    check_gemm((struct gemm){
        .trans_b = false, .bias = false, .alpha = 4, .beta = 7, .batch = 2, .in = 5, .out = 11});
}

Test(wrong_elsewhere, gemm_of_other_size)
{
    struct maker *m = make_new();
    struct compiled c;
    make_input(m, "x", TT(FLOAT), DIMS(1, 8));
    init(m, "w", drawn(m, 35, 1), DIMS(5, 7));
    attr_int(m, make_node(m, "Gemm", "the_gemm", "x,w", "y"), "transB", 1);
    make_output(m, "y");
    cr_assert_not(compile(m, (struct compile_options){0}, &c));
    cr_expect(said(m->diag, E_SHAPE, "the_gemm"), "%s", all_messages(m->arena, m->diag));
    make_free(m);
}

/* ---- Conv
 * --------------------------------------------------------------------------------------------- */

struct conv {
    uint32_t in, out, size, kernel, stride, pad, dilation, groups;
};

static void
conv_naive(const struct conv *k, const float *x, const float *w, const float *b, uint32_t side,
           float *y)
{
    uint32_t per = k->in / k->groups, each = k->out / k->groups;
    for (uint32_t o = 0; o < k->out; o++)
        for (uint32_t r = 0; r < side; r++)
            for (uint32_t s = 0; s < side; s++) {
                double sum = (double)b[o];
                for (uint32_t i = 0; i < per; i++)
                    for (uint32_t u = 0; u < k->kernel; u++)
                        for (uint32_t v = 0; v < k->kernel; v++) {
                            int64_t row = (int64_t)(r * k->stride + u * k->dilation) - k->pad;
                            int64_t col = (int64_t)(s * k->stride + v * k->dilation) - k->pad;
                            if (row < 0 || col < 0 || row >= k->size || col >= k->size)
                                continue;
                            uint32_t channel = o / each * per + i;
                            sum += (double)w[((o * per + i) * k->kernel + u) * k->kernel + v] *
                                   (double)x[(channel * k->size + (uint32_t)row) * k->size +
                                             (uint32_t)col];
                        }
                y[(o * side + r) * side + s] = (float)sum;
            }
}

static void
check_conv(struct conv k, int64_t batch)
{
    struct maker *m = make_new();
    struct compiled c;
    uint32_t side = (k.size + 2 * k.pad - k.dilation * (k.kernel - 1) - 1) / k.stride + 1;
    uint32_t per = k.in / k.groups;
    float *w = drawn(m, k.out * per * k.kernel * k.kernel, 4), *b = drawn(m, k.out, 5);
    float *x = drawn(m, k.in * k.size * k.size, 6),
          *want = ARENA_ARRAY(m->arena, float, k.out *side *side);
    make_input(m, "x", TT(FLOAT), DIMS(batch, k.in, k.size, k.size));
    init(m, "w", w, DIMS(k.out, per, k.kernel, k.kernel));
    init(m, "b", b, DIMS(k.out));
    Onnx__NodeProto *n = make_node(m, "Conv", "conv", "x,w,b", "y");
    attr_ints(m, n, "strides", 2, k.stride);
    attr_ints(m, n, "pads", 4, k.pad);
    attr_ints(m, n, "dilations", 2, k.dilation);
    attr_int(m, n, "group", k.groups);
    make_output(m, "y");
    conv_naive(&k, x, w, b, side, want);
    compiles(m, &c, x, want, k.out * side * side);
    make_free(m);
}

Test(wrong_elsewhere, convolutions_that_change_channels)
{
    check_conv((struct conv){8, 4, 8, 3, 1, 1, 1, 1}, 1);
    check_conv((struct conv){5, 7, 8, 3, 1, 1, 1, 1}, 1);
    check_conv((struct conv){7, 5, 6, 1, 1, 0, 1, 1}, 1);
}

Test(wrong_elsewhere, convolutions_with_stride_and_no_padding)
{
    check_conv((struct conv){1, 3, 8, 2, 2, 0, 1, 1}, 1);
    check_conv((struct conv){3, 4, 8, 2, 2, 0, 1, 1}, 1);
    check_conv((struct conv){2, 4, 13, 5, 2, 0, 1, 1}, 1);
    check_conv((struct conv){8, 4, 9, 3, 2, 0, 1, 1}, 1);
}

Test(wrong_elsewhere, convolutions_with_dilation_and_groups)
{
    check_conv((struct conv){2, 3, 9, 3, 1, 0, 2, 1}, 1);
    check_conv((struct conv){2, 3, 9, 3, 1, 2, 2, 1}, 1);
    check_conv((struct conv){4, 6, 7, 3, 1, 1, 1, 2}, 1);
    check_conv((struct conv){4, 4, 7, 3, 2, 1, 1, 4}, 1);
    check_conv((struct conv){4, 8, 9, 3, 2, 2, 2, 4}, 1);
}

/* ---- what is an error
 * ------------------------------------------------------------------------------------ */

/* 400 rows of n numbers in [-1, 1], in a file. */
static void
write_calibration(struct maker *m, char *path, int64_t n)
{
    struct tensor t = {.dtype = DT_F32,
                       .shape = shape_of(2, (int64_t[]){400, n}),
                       .f = drawn(m, (uint32_t)(400 * n), 7)};
    struct str s = {0};
    for (int64_t k = 0; k < 400 * n; k++)
        t.f[k] *= 2;
    int fd = mkstemp(path);
    cr_assert(fd >= 0);
    close(fd);
    npy_format(&t, &s);
    cr_assert(file_write(path, s.text, s.len, m->diag));
    str_free(&s);
}

Test(wrong_elsewhere, maxpool_is_not_an_average)
{
    struct maker *m = make_new();
    struct compiled c;
    char path[] = "/tmp/olac-test-XXXXXX";
    float x[32], got[8], *out = got;
    const float *in = x;
    make_input(m, "x", TT(FLOAT), DIMS(1, 2, 4, 4));
    Onnx__NodeProto *n = make_node(m, "MaxPool", "the_pool", "x", "y");
    attr_ints(m, n, "kernel_shape", 2, 2);
    attr_ints(m, n, "strides", 2, 2);
    make_output(m, "y");
    write_calibration(m, path, 32);
    cr_assert(
        compile(m, (struct compile_options){.calib = path, .approximate = {.degree = 15}}, &c),
        "%s", all_messages(m->arena, m->diag));
    unlink(path);
    for (int k = 0; k < 32; k++)
        x[k] = (float)(k * 7 % 32) / 16 - 1;
    cr_assert(he_eval(c.program, &in, &out, m->diag));
    for (int k = 0; k < 8; k++) {
        const float *w = x + k / 4 * 16 + k / 2 % 2 * 8 + k % 2 * 2;
        double largest = fmax(fmax((double)w[0], (double)w[1]), fmax((double)w[4], (double)w[5]));
        cr_expect_float_eq((double)got[k], largest, 0.1, "%g, not %g", (double)got[k], largest);
    }
    make_free(m);
}

Test(wrong_elsewhere, symbolic_batch_is_one_image)
{
    check_conv((struct conv){2, 3, 6, 3, 1, 1, 1, 1}, -1);

    struct maker *m = make_new();
    struct compiled c;
    make_input(m, "x", TT(FLOAT), DIMS(1, -1));
    make_node(m, "Neg", "neg", "x", "y");
    make_output(m, "y");
    cr_assert_not(compile(m, (struct compile_options){0}, &c));
    cr_expect(said(m->diag, E_ONNX_DIM, "x"), "%s", all_messages(m->arena, m->diag));
    make_free(m);
}

/* ---- activations outside of what calibration saw
 * ----------------------------------------------------------- */

Test(wrong_elsewhere, activation_outside_of_the_fitted_range)
{
    struct maker *m = make_new();
    struct compiled c;
    struct simulate_report r;
    char path[] = "/tmp/olac-test-XXXXXX";
    float outside[4] = {1.13f, -1.13f, 1.13f, -1.13f}, far[4] = {0, 0.5f, 20, 0}, got[4],
          *out = got;
    const float *in = outside;
    make_input(m, "x", TT(FLOAT), DIMS(1, 4));
    make_node(m, "Relu", "act", "x", "y");
    make_output(m, "y");
    write_calibration(m, path, 4);
    cr_assert(compile(m, (struct compile_options){.calib = path, .approximate = {.degree = 7}}, &c),
              "%s", all_messages(m->arena, m->diag));
    unlink(path);

    /* 13 % outside is within the margin of the fit: the answer is as good as inside. */
    cr_assert(he_eval(c.program, &in, &out, m->diag));
    for (int k = 0; k < 4; k++)
        cr_expect_float_eq((double)got[k], fmax(0, (double)outside[k]), 0.3, "element %d: %g", k,
                           (double)got[k]);
    /* Far outside a polynomial says nothing: simulate counts the image instead of averaging over
     * it. */
    struct simulate_options so = {.exact = c.imported, .approximated = c.graph};
    cr_assert(simulate(m->arena, outside, NULL, 1, &so, &r, m->diag));
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].diverged, 0u);
    cr_assert(simulate(m->arena, far, NULL, 1, &so, &r, m->diag));
    cr_expect_eq(r.run[SIMULATE_APPROXIMATED].diverged, 1u);
    cr_expect_eq(r.layers[0].outside, 1u);
    cr_expect_eq(r.run[SIMULATE_FLOAT].diverged, 0u);
    make_free(m);
}

/* ---- parameters by hand
 * --------------------------------------------------------------------------------- */

/* x -> x^2 -> x^4 ...: `depth` products. */
static struct maker *
squares(int depth)
{
    struct maker *m = make_new();
    make_input(m, "x0", TT(FLOAT), DIMS(1, 4));
    for (int k = 1; k <= depth; k++) {
        const char *x = arena_printf(m->arena, "x%d", k - 1);
        make_node(m, "Mul", arena_printf(m->arena, "square%d", k),
                  arena_printf(m->arena, "%s,%s", x, x), arena_printf(m->arena, "x%d", k));
    }
    make_output(m, arena_printf(m->arena, "x%d", depth));
    return m;
}

Test(wrong_elsewhere, ring_by_hand)
{
    const float in[4] = {0.5f, -0.75f, 1, -1};
    float want[4];
    for (int k = 0; k < 4; k++)
        want[k] = powf(in[k], 8);
    for (uint32_t log_n = 9; log_n <= 16; log_n++) {
        struct maker *m = squares(3);
        struct compiled c;
        bool ok = compile(m, (struct compile_options){.log_n = log_n}, &c);
        if (ok) {
            cr_expect_eq(c.program->params.log_n, log_n);
            expect(m, &c, in, want, 4);
        } else {
            cr_expect(said(m->diag, E_INSECURE, ""), "%s", all_messages(m->arena, m->diag));
        }
        cr_expect(log_n >= 12 || !ok, "2^%u is no secure ring for three products", log_n);
        cr_expect(log_n < 14 || ok, "2^%u: %s", log_n, all_messages(m->arena, m->diag));
        make_free(m);
    }
}

Test(wrong_elsewhere, scale_holds_at_every_depth)
{
    for (int depth = 1; depth <= 9; depth += 4) {
        struct maker *m = squares(depth);
        struct compiled c;
        const float in[4] = {0.99f, -0.5f, 1, -0.98f};
        float want[4];
        for (int k = 0; k < 4; k++)
            want[k] = (float)pow((double)in[k], pow(2, depth));
        cr_assert(compile(m, (struct compile_options){0}, &c), "%s",
                  all_messages(m->arena, m->diag));
        expect(m, &c, in, want, 4);
        const struct he_inst *out = &c.program->insts.at[c.program->outputs.at[0].value];
        cr_expect(out->noise > 0 && out->noise < 1e-3, "%d products: noise %g", depth, out->noise);
        cr_expect(he_check(c.program, HE_SCHEDULED, m->diag));
        make_free(m);
    }
    struct maker *m = squares(2);
    struct compiled c;
    cr_assert_not(compile(m, (struct compile_options){.precision_bits = 45}, &c),
                  "no prime has so many bits");
    cr_expect_gt(diag_errors(m->diag), 0u);
    make_free(m);
}
