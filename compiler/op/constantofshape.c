/* constantofshape.c - ConstantOfShape: a tensor of a constant shape, all of one value. */
#include "op/op.h"

static bool
infer(struct op_ctx *c)
{
    const struct attr *value = graph_find_attr(c->node, "value");
    const int64_t *dim;
    uint32_t n;
    bool present;
    struct shape out = {0};

    if (value && shape_size(&value->tensor.shape) != 1)
        return op_error(c, E_ATTRIBUTE, "its value must have one element");
    if (!op_ints(c, "shape", 0, &dim, &n, &present))
        return false;
    if (n > MAX_RANK)
        return op_error(c, E_SHAPE, "the shape has more than %d dimensions", MAX_RANK);
    out.rank = (int)n;
    for (int k = 0; k < out.rank; k++) {
        out.dim[k] = dim[k];
        if (dim[k] < 0)
            return op_error(c, E_SHAPE, "the shape has the dimension %lld", (long long)dim[k]);
    }
    op_set(c, 0, value ? value->tensor.dtype : DT_F32, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct attr *value = graph_find_attr(c->node, "value");

    (void)in;
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    for (int64_t k = 0, n = value ? shape_size(&out[0].shape) : 0; k < n; k++)
        if (out[0].f)
            out[0].f[k] = value->tensor.f[0];
        else
            out[0].i[k] = value->tensor.i[0];
    return true;
}

const struct op op_constantofshape = {.attrs = "value", .infer = infer, .eval = eval};
