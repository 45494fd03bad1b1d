/* mish.c - Mish: x tanh(softplus(x)). */
#include "op/op.h"

#include <math.h>

static double
softplus(double x)
{
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x * tanh(softplus(x));
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    double t = tanh(softplus(x));

    return t + x * (1 - t * t) / (1 + exp(-x));
}

const struct op op_mish = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
