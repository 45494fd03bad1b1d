/* cos.c - Cos. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return cos(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return -sin(x);
}

const struct op op_cos = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
