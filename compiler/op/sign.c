/* sign.c - Sign: -1, 0 or 1. */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x < 0 ? -1 : x > 0 ? 1 : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    (void)x;
    return 0;
}

const struct op op_sign = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
