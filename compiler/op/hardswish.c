/* hardswish.c - HardSwish: x max(0, min(1, x / 6 + 1/2)). */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x <= -3 ? 0 : x >= 3 ? x : x * (x + 3) / 6;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x <= -3 ? 0 : x >= 3 ? 1 : (2 * x + 3) / 6;
}

const struct op op_hardswish = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
