/* hardsigmoid.c - HardSigmoid: alpha x + beta, held in [0, 1]. */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    double y = op_float(c, "alpha", 0.2) * x + op_float(c, "beta", 0.5);

    return y < 0 ? 0 : y > 1 ? 1 : y;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    double alpha = op_float(c, "alpha", 0.2);
    double y = alpha * x + op_float(c, "beta", 0.5);

    return y < 0 || y > 1 ? 0 : alpha;
}

const struct op op_hardsigmoid = {.attrs = "alpha beta",
                                  .infer = op_infer_same,
                                  .eval = op_eval_fn,
                                  .fn = fn,
                                  .derivative = derivative};
