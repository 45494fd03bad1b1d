/* rsqrt.c - Rsqrt: 1 / sqrt(x); infinite at 0, NaN below. Not an ONNX operator: decompose/ makes it
 * of LayerNormalization and of quotients by a Sqrt. */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return 1 / sqrt(x);
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return -0.5 / (x * sqrt(x));
}

const struct op op_rsqrt = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
