/* relu.c - Relu: max(x, 0). */
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x < 0 ? 0 : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x > 0 ? 1 : 0;
}

const struct op op_relu = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
