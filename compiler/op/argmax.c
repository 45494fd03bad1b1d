/* argmax.c - ArgMax: the index of the largest element along an axis. */
#include "op/op.h"

static bool
infer(struct op_ctx *c)
{
    struct shape s = op_in(c, 0)->shape;
    int axis;

    if (!op_axis(c, op_int(c, "axis", 0), s.rank, &axis))
        return false;
    if (s.dim[axis] == 0)
        return op_error(c, E_SHAPE, "no largest element along an axis of length 0");
    s.dim[axis] = 1;
    if (!op_int(c, "keepdims", 1)) {
        for (int d = axis; d + 1 < s.rank; d++)
            s.dim[d] = s.dim[d + 1];
        s.rank--;
    }
    op_set(c, 0, DT_I64, s);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *s = &in[0]->shape;
    int64_t axis = op_int(c, "axis", 0), inner = 1;
    bool last = op_int(c, "select_last_index", 0) != 0;

    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    axis += axis < 0 ? s->rank : 0;
    for (int64_t d = axis + 1; d < s->rank; d++)
        inner *= s->dim[d];
    for (int64_t row = 0; row < shape_size(&out->shape); row++) {
        int64_t first = row / inner * inner * s->dim[axis] + row % inner, best = 0;
        for (int64_t k = 1; k < s->dim[axis]; k++) {
            int64_t a = first + k * inner, b = first + best * inner;
            bool above = in[0]->f ? in[0]->f[a] > in[0]->f[b] : in[0]->i[a] > in[0]->i[b];
            bool equal = in[0]->f ? in[0]->f[a] == in[0]->f[b] : in[0]->i[a] == in[0]->i[b];
            if (above || (equal && last))
                best = k;
        }
        out->i[row] = best;
    }
    return true;
}

const struct op op_argmax = {
    .attrs = "axis keepdims select_last_index", .infer = infer, .eval = eval};
