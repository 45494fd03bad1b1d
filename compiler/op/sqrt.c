/* sqrt.c - Sqrt: NaN below 0. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return sqrt(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 0.5 / sqrt(x);
}

const struct op op_sqrt = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
