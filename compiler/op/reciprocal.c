/* reciprocal.c - Reciprocal: 1 / x; infinite at 0. */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 1 / x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return -1 / (x * x);
}

const struct op op_reciprocal = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
