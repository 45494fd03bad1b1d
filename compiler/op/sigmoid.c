/* sigmoid.c - Sigmoid: 1 / (1 + exp(-x)). */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 1 / (1 + exp(-x));
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    double s = 1 / (1 + exp(-x));

    return s * (1 - s);
}

const struct op op_sigmoid = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
