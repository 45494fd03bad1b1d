/* gather.c - Gather: rows of an axis, by indices; negative ones count from the end. */
#include "op/move.h"

#include <string.h>

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0), *index = op_in(c, 1);
    struct shape out = {0};
    int axis;

    if (!op_axis(c, op_int(c, "axis", 0), x->shape.rank, &axis))
        return false;
    if (index->dtype != DT_I64 && index->dtype != DT_I32)
        return op_error(c, E_DTYPE, "its indices are %s, not i32 or i64", dtype_name(index->dtype));
    if (x->shape.rank + index->shape.rank - 1 > MAX_RANK)
        return op_error(c, E_SHAPE, "the output has more than %d dimensions", MAX_RANK);
    for (int k = 0; k < axis; k++)
        out.dim[out.rank++] = x->shape.dim[k];
    for (int k = 0; k < index->shape.rank; k++)
        out.dim[out.rank++] = index->shape.dim[k];
    for (int k = axis + 1; k < x->shape.rank; k++)
        out.dim[out.rank++] = x->shape.dim[k];
    const struct tensor *known = op_const(c, 1);
    for (int64_t k = 0, n = known ? shape_size(&known->shape) : 0; k < n; k++)
        if (known->i[k] < -x->shape.dim[axis] || known->i[k] >= x->shape.dim[axis])
            return op_error(c, E_SHAPE, "the index %lld is outside of the %lld rows",
                            (long long)known->i[k], (long long)x->shape.dim[axis]);
    op_set(c, 0, x->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape;
    int64_t axis = op_int(c, "axis", 0), outer = 1, inner = 1, n = shape_size(&in[1]->shape), o = 0;

    axis += axis < 0 ? x->rank : 0;
    for (int k = 0; k < axis; k++)
        outer *= x->dim[k];
    for (int64_t k = axis + 1; k < x->rank; k++)
        inner *= x->dim[k];
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    for (int64_t row = 0; row < outer; row++)
        for (int64_t k = 0; k < n; k++, o += inner) {
            int64_t at = in[1]->i[k] < 0 ? in[1]->i[k] + x->dim[axis] : in[1]->i[k];
            if (at < 0 || at >= x->dim[axis])
                return op_error(c, E_EVAL, "the index %lld is outside of the %lld rows",
                                (long long)in[1]->i[k], (long long)x->dim[axis]);
            at = (row * x->dim[axis] + at) * inner;
            if (out[0].f)
                memcpy(out[0].f + o, in[0]->f + at, (size_t)inner * sizeof(float));
            else if (out[0].i)
                memcpy(out[0].i + o, in[0]->i + at, (size_t)inner * sizeof(int64_t));
        }
    return true;
}

const struct op op_gather = {
    .attrs = "axis", .infer = infer, .eval = eval, .linear = op_linear_move};
