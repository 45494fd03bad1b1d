/* softplus.c - Softplus: log(1 + exp(x)), in the form that does not overflow. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return (x > 0 ? x : 0) + log1p(exp(-fabs(x)));
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 1 / (1 + exp(-x));
}

const struct op op_softplus = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
