/* elu.c - Elu: x, or alpha (exp(x) - 1) below 0. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x < 0 ? op_float(c, "alpha", 1) * expm1(x) : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x < 0 ? op_float(c, "alpha", 1) * exp(x) : 1;
}

const struct op op_elu = {.attrs = "alpha",
                          .infer = op_infer_same,
                          .eval = op_eval_fn,
                          .fn = fn,
                          .derivative = derivative};
