/* relu.c - Relu: max(x, 0). */
#include "base/wide.h"
#include "op/op.h"

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x < 0 ? 0 : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)c;
    (void)channel;
    return x > 0 ? 1 : 0;
}

WIDE static void
clip(const float *x, int64_t n, float *y)
{
    for (int64_t k = 0; k < n; k++)
        y[k] = x[k] < 0 ? 0 : x[k];
}

/* As op_eval_fn does, many at a time. */
static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct tensor *x = in[0];
    int64_t n = shape_size(&x->shape);

    if (!x->f)
        return op_eval_fn(c, in, out);
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, x->shape);
    clip(x->f, n, out[0].f);
    return true;
}

const struct op op_relu = {
    .infer = op_infer_same, .eval = eval, .fn = fn, .derivative = derivative};
