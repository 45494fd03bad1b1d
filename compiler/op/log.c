/* log.c - Log: natural; -inf at 0, NaN below. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return log(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 1 / x;
}

const struct op op_log = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
