/* softsign.c - Softsign: x / (1 + |x|). */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x / (1 + fabs(x));
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 1 / ((1 + fabs(x)) * (1 + fabs(x)));
}

const struct op op_softsign = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
