/* neg.c - Neg: -x. */
#include "op/op.h"

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    int64_t n = shape_size(&in[0]->shape);

    out[0] = tensor_new(c->arena, in[0]->dtype, in[0]->shape);
    for (int64_t k = 0; k < n; k++)
        if (out[0].f)
            out[0].f[k] = -in[0]->f[k];
        else
            out[0].i[k] = op_wrap(out[0].dtype, (int64_t)(0 - (uint64_t)in[0]->i[k]));
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    int64_t n = shape_size(&op_out(c, output)->shape);
    for (int64_t k = 0; k < n; k++)
        sink->entry(sink->user, 0, (uint32_t)k, (uint32_t)k, -1);
    return true;
}

const struct op op_neg = {.infer = op_infer_same, .eval = eval, .linear = linear};
