/* abs.c - Abs. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return fabs(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x < 0 ? -1 : x > 0 ? 1 : 0;
}

const struct op op_abs = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
