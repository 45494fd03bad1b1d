/* erf.c - Erf. */
#include "op/op.h"

#include <math.h>

static const double TWO_OVER_ROOT_PI = 1.12837916709551257390; /* 2 / sqrt(pi) */

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return erf(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return TWO_OVER_ROOT_PI * exp(-x * x);
}

const struct op op_erf = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
