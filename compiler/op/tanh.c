/* tanh.c - Tanh. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return tanh(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    double t = tanh(x);

    return 1 - t * t;
}

const struct op op_tanh = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
