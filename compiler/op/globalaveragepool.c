/* globalaveragepool.c - GlobalAveragePool: the mean of all spatial dimensions. */
#include "op/op.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    struct shape out = x->shape;

    if (!op_need_float(c, 0))
        return false;
    if (out.rank < 3 || shape_size(&out) == 0)
        return op_error(c, E_SHAPE, "its input is %s, not [batch, channels, spatial ...]",
                        shape_text(c->arena, &out));
    for (int k = 2; k < out.rank; k++)
        out.dim[k] = 1;
    op_set(c, 0, x->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *to = &op_out(c, 0)->shape;
    int64_t n = shape_size(to), area = shape_size(&in[0]->shape) / n;

    out[0] = tensor_new(c->arena, in[0]->dtype, *to);
    for (int64_t o = 0; o < n; o++) {
        double sum = 0;
        for (int64_t k = 0; k < area; k++)
            sum += (double)in[0]->f[o * area + k];
        out[0].f[o] = (float)(sum / (double)area);
    }
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    int64_t n = shape_size(&op_out(c, output)->shape), area = shape_size(&op_in(c, 0)->shape) / n;

    for (int64_t o = 0; o < n; o++)
        for (int64_t k = 0; k < area; k++)
            sink->entry(sink->user, 0, (uint32_t)o, (uint32_t)(o * area + k), 1 / (double)area);
    return true;
}

const struct op op_globalaveragepool = {.infer = infer, .eval = eval, .linear = linear};
