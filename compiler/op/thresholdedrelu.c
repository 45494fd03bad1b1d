/* thresholdedrelu.c - ThresholdedRelu: x above alpha, else 0. */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x > op_float(c, "alpha", 1) ? x : 0;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x > op_float(c, "alpha", 1) ? 1 : 0;
}

const struct op op_thresholdedrelu = {.attrs = "alpha",
                                      .infer = op_infer_same,
                                      .eval = op_eval_fn,
                                      .fn = fn,
                                      .derivative = derivative};
