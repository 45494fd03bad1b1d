/* test_nonlin.c - the functions of one argument: values against another way to compute them,
 * derivatives against differences, attributes and their defaults. */
#include "op_support.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static double
phi(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double
relu(double x)
{
    return fmax(x, 0);
}
static double
leaky(double x)
{
    return fmax(x, 0) + 0.01 * fmin(x, 0);
}
static double
sigmoid(double x)
{
    return 0.5 + 0.5 * tanh(x / 2);
}
static double
hardsigmoid(double x)
{
    return fmax(0, fmin(1, 0.2 * x + 0.5));
}
static double
gelu(double x)
{
    return x * phi(x);
}
static double
silu(double x)
{
    return x * (0.5 + 0.5 * tanh(x / 2));
}
static double
hardswish(double x)
{
    return x * fmin(fmax(x + 3, 0), 6) / 6;
}
static double
softplus(double x)
{
    return log(1 + exp(x));
}
static double
softsign(double x)
{
    return x / (1 + fabs(x));
}
static double
elu(double x)
{
    return x > 0 ? x : exp(x) - 1;
}
static double
selu(double x)
{
    return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (exp(x) - 1));
}
static double
thresholded(double x)
{
    return x > 1 ? x : 0;
}
static double
mish(double x)
{
    return x * tanh(log(1 + exp(x)));
}
static double
reciprocal(double x)
{
    return 1 / x;
}
static double
rsqrt(double x)
{
    return pow(x, -0.5);
}
static double
sign(double x)
{
    return (x > 0) - (x < 0);
}
static double
same(double x)
{
    return x;
}

static const struct {
    enum op_id op;
    double (*want)(double);
    double low; /* the function has a value from here on */
} functions[] = {
    {OP_relu, relu, -9},         {OP_leakyrelu, leaky, -9},
    {OP_sigmoid, sigmoid, -9},   {OP_hardsigmoid, hardsigmoid, -9},
    {OP_tanh, tanh, -9},         {OP_gelu, gelu, -9},
    {OP_silu, silu, -9},         {OP_hardswish, hardswish, -9},
    {OP_softplus, softplus, -9}, {OP_softsign, softsign, -9},
    {OP_elu, elu, -9},           {OP_selu, selu, -9},
    {OP_celu, elu, -9},          {OP_thresholdedrelu, thresholded, -9},
    {OP_mish, mish, -9},         {OP_erf, erf, -9},
    {OP_exp, exp, -9},           {OP_log, log, 0.1},
    {OP_sqrt, sqrt, 0.1},        {OP_reciprocal, reciprocal, 0.1},
    {OP_abs, fabs, -9},          {OP_sign, sign, -9},
    {OP_sin, sin, -9},           {OP_cos, cos, -9},
    {OP_clip, same, -9},         {OP_rsqrt, rsqrt, 0.1},
};

Test(nonlin, every_function_of_the_table_is_tested_here)
{
    for (int id = 1; id < OP_COUNT; id++) {
        bool here = op_row((enum op_id)id)->class != NONLIN || id == OP_prelu;
        for (size_t k = 0; k < sizeof functions / sizeof *functions; k++)
            here = here || functions[k].op == (enum op_id)id;
        cr_expect(here, "%s", op_row((enum op_id)id)->symbol);
    }
}

Test(nonlin, values_derivatives_and_tensors)
{
    for (size_t k = 0; k < sizeof functions / sizeof *functions; k++) {
        struct bench *b = bench_new(13);
        const struct op *op = op_row(functions[k].op)->op;
        NODE(b, functions[k].op, bench_input(b, SHAPE(2, 3, 4)));
        bench_run(b);
        struct op_ctx c = {b->g, &b->g->nodes.at[0], b->d, b->a};
        for (double x = functions[k].low; x < 9; x += 0.0971) {
            double want = functions[k].want(x), h = 1e-5;
            cr_expect(fabs(op->fn(&c, 0, x) - want) <= 1e-7 * (1 + fabs(want)), "%s at %g",
                      op_row(functions[k].op)->onnx, x);
            double slope = (op->fn(&c, 0, x + h) - op->fn(&c, 0, x - h)) / (2 * h);
            cr_expect(fabs(op->derivative(&c, 0, x) - slope) <= 1e-5 * (1 + fabs(slope)),
                      "%s' at %g: %g, %g", op_row(functions[k].op)->onnx, x,
                      op->derivative(&c, 0, x), slope);
        }
        for (int i = 0; functions[k].low < 0 && i < 24; i++)
            cr_expect_float_eq((double)b->out[0].f[i], functions[k].want((double)b->in[0].f[i]),
                               1e-6);
        bench_free(b);
    }
}

Test(nonlin, far_out_they_stay_finite_and_nan_stays_nan)
{
    static const enum op_id bounded[] = {OP_sigmoid, OP_tanh, OP_gelu, OP_silu, OP_softplus,
                                         OP_mish,    OP_elu,  OP_selu, OP_celu, OP_erf};
    for (size_t k = 0; k < sizeof bounded / sizeof *bounded; k++) {
        struct bench *b = bench_new(13);
        const struct op *op = op_row(bounded[k])->op;
        NODE(b, bounded[k], bench_input(b, SHAPE(1, 2)));
        bench_run(b);
        struct op_ctx c = {b->g, &b->g->nodes.at[0], b->d, b->a};
        for (double x = -1e4; x <= 1e4; x += 2e4) {
            cr_expect(isfinite(op->fn(&c, 0, x)), "%s", op_row(bounded[k])->onnx);
            cr_expect(isfinite(op->derivative(&c, 0, x)), "%s'", op_row(bounded[k])->onnx);
        }
        cr_expect(isnan(op->fn(&c, 0, NAN)), "%s", op_row(bounded[k])->onnx);
        bench_free(b);
    }
}

/* fn of a node with up to two float attributes, at x. */
static double
with(enum op_id op, const char *a, float va, const char *other, float vb, double x)
{
    struct bench *b = bench_new(10);
    NODE(b, op, bench_input(b, SHAPE(1, 2)));
    bench_attr_float(b, a, va);
    if (other)
        bench_attr_float(b, other, vb);
    bench_run(b);
    struct op_ctx c = {b->g, &b->g->nodes.at[0], b->d, b->a};
    double y = op_row(op)->op->fn(&c, 0, x);
    bench_free(b);
    return y;
}

Test(nonlin, attributes)
{
    cr_expect_float_eq(with(OP_leakyrelu, "alpha", 0.25F, NULL, 0, -2), -0.5, 1e-9);
    cr_expect_float_eq(with(OP_hardsigmoid, "alpha", 0.5F, "beta", 0.25F, 1), 0.75, 1e-9);
    cr_expect_float_eq(with(OP_elu, "alpha", 2, NULL, 0, -1), 2 * (exp(-1) - 1), 1e-9);
    cr_expect_float_eq(with(OP_selu, "alpha", 2, "gamma", 3, -1), 6 * (exp(-1) - 1), 1e-9);
    cr_expect_float_eq(with(OP_celu, "alpha", 2, NULL, 0, -1), 2 * (exp(-0.5) - 1), 1e-9);
    cr_expect_float_eq(with(OP_thresholdedrelu, "alpha", 2, NULL, 0, 1.5), 0, 0);
    cr_expect_float_eq(with(OP_clip, "min", -1, "max", 0.5F, 2), 0.5, 0);
    cr_expect_float_eq(with(OP_clip, "min", -1, "max", 0.5F, -2), -1, 0);
}

Test(nonlin, gelu_by_tanh_and_what_it_does_not_know)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_gelu, bench_input(b, SHAPE(1, 4)));
    bench_attr_text(b, "approximate", "tanh");
    bench_run(b);
    for (int k = 0; k < 4; k++) {
        double x = (double)b->in[0].f[k];
        double want = 0.5 * x * (1 + tanh(sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
        cr_expect_float_eq((double)b->out[0].f[k], want, 1e-6);
    }
    bench_free(b);
    b = bench_new(13);
    NODE(b, OP_gelu, bench_input(b, SHAPE(1, 4)));
    bench_attr_text(b, "approximate", "sigmoid");
    bench_refuse(b, E_ATTRIBUTE);
    bench_free(b);
}

Test(nonlin, clip_takes_its_limits_as_inputs)
{
    const float lo = -0.25F, hi = 0.5F;
    struct bench *b = bench_new(13);
    uint32_t x = bench_input(b, SHAPE(3, 7));
    NODE(b, OP_clip, x, bench_floats(b, SCALAR, &lo), bench_floats(b, SCALAR, &hi));
    bench_run(b);
    for (int k = 0; k < 21; k++)
        cr_expect_eq(b->out[0].f[k], fminf(fmaxf(b->in[0].f[k], lo), hi));
    bench_free(b);
    b = bench_new(13);
    x = bench_input(b, SHAPE(3, 7));
    NODE(b, OP_clip, x, NONE, bench_floats(b, SCALAR, &hi));
    bench_run(b);
    for (int k = 0; k < 21; k++)
        cr_expect_eq(b->out[0].f[k], fminf(b->in[0].f[k], hi));
    bench_free(b);
}

Test(nonlin, prelu_broadcasts_its_slope)
{
    struct bench *b = bench_new(13);
    NODE(b, OP_prelu, bench_input(b, SHAPE(2, 3, 4, 5)), bench_weights(b, SHAPE(3, 1, 5)));
    const float *slope = graph_value(b->g, b->g->nodes.at[0].in.at[1])->data.f;
    bench_run(b);
    for (int k = 0; k < 120; k++) {
        float x = b->in[0].f[k], s = slope[k / 20 % 3 * 5 + k % 5];
        cr_expect_eq(b->out[0].f[k], x < 0 ? s * x : x);
    }
    bench_free(b);
    b = bench_new(13);
    NODE(b, OP_prelu, bench_input(b, SHAPE(2, 3, 4, 5)), bench_weights(b, SHAPE(3)));
    bench_refuse(b, E_SHAPE); /* lines up with the last dimension, as ONNX says since opset 7 */
    bench_free(b);
}
