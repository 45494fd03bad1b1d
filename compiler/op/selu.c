/* selu.c - Selu: gamma x, or gamma alpha (exp(x) - 1) below 0. */
#include "op/op.h"

#include <math.h>

/* The defaults of the ONNX specification, floats nearest to the constants of the paper. */
static const double ALPHA = 1.67326319217681884765625;
static const double GAMMA = 1.05070102214813232421875;

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    double gamma = op_float(c, "gamma", GAMMA);

    return x > 0 ? gamma * x : gamma * op_float(c, "alpha", ALPHA) * expm1(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    double gamma = op_float(c, "gamma", GAMMA);

    return x > 0 ? gamma : gamma * op_float(c, "alpha", ALPHA) * exp(x);
}

const struct op op_selu = {.attrs = "alpha gamma",
                           .infer = op_infer_same,
                           .eval = op_eval_fn,
                           .fn = fn,
                           .derivative = derivative};
