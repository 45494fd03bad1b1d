/* leakyrelu.c - LeakyRelu: x, or alpha x below 0. */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x < 0 ? op_float(c, "alpha", 0.01) * x : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x < 0 ? op_float(c, "alpha", 0.01) : 1;
}

const struct op op_leakyrelu = {.attrs = "alpha",
                                .infer = op_infer_same,
                                .eval = op_eval_fn,
                                .fn = fn,
                                .derivative = derivative};
