/* celu.c - Celu: x, or alpha (exp(x / alpha) - 1) below 0. */
#include "op/op.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    if (op_float(c, "alpha", 1) == 0)
        return op_error(c, E_ATTRIBUTE, "alpha = 0: the function divides by it");
    return op_infer_same(c);
}

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    double alpha = op_float(c, "alpha", 1);

    return x < 0 ? alpha * expm1(x / alpha) : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x < 0 ? exp(x / op_float(c, "alpha", 1)) : 1;
}

const struct op op_celu = {
    .attrs = "alpha", .infer = infer, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
