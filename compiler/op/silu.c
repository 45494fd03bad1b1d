/* silu.c - Silu (Swish): x sigmoid(x). Not an ONNX operator: simplify/ makes it of Mul and Sigmoid.
 */
#include "op/op.h"

#include <math.h>

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x / (1 + exp(-x));
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    double s = 1 / (1 + exp(-x));

    return s * (1 + x * (1 - s));
}

const struct op op_silu = {
    .infer = op_infer_same, .eval = op_eval_fn, .fn = fn, .derivative = derivative};
