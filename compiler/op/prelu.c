/* prelu.c - PRelu: x, or slope x below 0; the slope broadcasts to x (one a channel, as a rule).
 * fn takes the channel's slope: simplify/ has rewritten a slope that differs within a channel. */
#include "op/op.h"

static double
slope_of(const struct op_ctx *c, uint32_t channel)
{
    const struct tensor *t = op_const(c, 1);
    uint32_t k = t && shape_size(&t->shape) > 1 ? channel : 0;

    return !t ? 0 : t->f ? (double)t->f[k] : (double)t->i[k];
}

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    return x < 0 ? slope_of(c, channel) * x : x;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    return x < 0 ? slope_of(c, channel) : 1;
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape, *s = &op_in(c, 1)->shape;
    struct shape both;

    if (!shape_broadcast(x, s, &both) || !shape_equal(x, &both))
        return op_error(c, E_SHAPE, "slope %s does not broadcast to the input's %s",
                        shape_text(c->arena, s), shape_text(c->arena, x));
    return op_infer_same(c);
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape;
    int64_t stride[MAX_RANK], index[MAX_RANK] = {0}, n = shape_size(x), at = 0;

    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    shape_strides(&in[1]->shape, x, stride);
    for (int64_t k = 0; k < n; k++) {
        if (out->f)
            out->f[k] = in[0]->f[k] < 0 ? in[1]->f[at] * in[0]->f[k] : in[0]->f[k];
        else
            out->i[k] = in[0]->i[k] < 0 ? in[1]->i[at] * in[0]->i[k] : in[0]->i[k];
        for (int d = x->rank - 1; d >= 0; d--) {
            at += stride[d];
            if (++index[d] < x->dim[d])
                break;
            at -= stride[d] * x->dim[d];
            index[d] = 0;
        }
    }
    return true;
}

const struct op op_prelu = {.infer = infer, .eval = eval, .fn = fn, .derivative = derivative};
