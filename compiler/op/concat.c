/* concat.c - Concat: tensors one behind the other along an axis. */
#include "op/move.h"

#include <string.h>

static bool
infer(struct op_ctx *c)
{
    struct shape out = op_in(c, 0)->shape;
    int axis;

    if (!graph_find_attr(c->node, "axis"))
        return op_error(c, E_ATTRIBUTE, "has no axis");
    if (!op_axis(c, op_int(c, "axis", 0), out.rank, &axis))
        return false;
    for (uint32_t k = 1; k < c->node->in.len; k++) {
        const struct value *v = op_in(c, k);
        struct shape fit = v->shape;
        if (v->dtype != op_in(c, 0)->dtype)
            return op_error(c, E_DTYPE, "its inputs are %s and %s", dtype_name(op_in(c, 0)->dtype),
                            dtype_name(v->dtype));
        if (fit.rank == out.rank)
            fit.dim[axis] = out.dim[axis];
        if (!shape_equal(&fit, &out))
            return op_error(c, E_SHAPE, "input %u is %s and does not fit %s along axis %d", k,
                            shape_text(c->arena, &v->shape), shape_text(c->arena, &out), axis);
        out.dim[axis] += v->shape.dim[axis];
        if (out.dim[axis] > OP_MAX_ELEMENTS)
            return op_error(c, E_TENSOR_SIZE, "its output would have %lld rows",
                            (long long)out.dim[axis]);
    }
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *shape = &op_out(c, 0)->shape;
    int64_t axis = op_int(c, "axis", 0), outer = 1, inner = 1, start = 0;

    axis += axis < 0 ? shape->rank : 0;
    for (int k = 0; k < axis; k++)
        outer *= shape->dim[k];
    for (int64_t k = axis + 1; k < shape->rank; k++)
        inner *= shape->dim[k];
    out[0] = tensor_new(c->arena, in[0]->dtype, *shape);
    for (uint32_t k = 0; k < c->node->in.len; k++) {
        int64_t len = in[k]->shape.dim[axis] * inner;
        for (int64_t n = 0; len && n < outer; n++) {
            int64_t to = n * shape->dim[axis] * inner + start;
            if (out[0].f)
                memcpy(out[0].f + to, in[k]->f + n * len, (size_t)len * sizeof(float));
            else if (out[0].i)
                memcpy(out[0].i + to, in[k]->i + n * len, (size_t)len * sizeof(int64_t));
        }
        start += len;
    }
    return true;
}

const struct op op_concat = {
    .attrs = "axis", .infer = infer, .eval = eval, .linear = op_linear_move};
