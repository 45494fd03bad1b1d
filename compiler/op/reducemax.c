/* reducemax.c - ReduceMax: the largest element over some axes (all by default). */
#include "op/op.h"

#include <math.h>

/* Marks the axes that are reduced. */
static bool
reduced(struct op_ctx *c, int rank, bool axis[MAX_RANK])
{
    const int64_t *list;
    uint32_t n;
    bool present;

    if (!op_ints(c, "axes", -1, &list, &n, &present))
        return false;
    for (int d = 0; d < rank; d++)
        axis[d] = !present || n == 0;
    for (uint32_t k = 0; present && k < n; k++) {
        int at;
        if (!op_axis(c, list[k], rank, &at))
            return false;
        axis[at] = true;
    }
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    struct shape s = {0};
    bool axis[MAX_RANK], keep = op_int(c, "keepdims", 1) != 0;

    if (!reduced(c, x->shape.rank, axis))
        return false;
    for (int d = 0; d < x->shape.rank; d++) {
        if (axis[d] && x->shape.dim[d] == 0)
            return op_error(c, E_SHAPE, "no largest element along an axis of length 0");
        if (!axis[d] || keep)
            s.dim[s.rank++] = axis[d] ? 1 : x->shape.dim[d];
    }
    op_set(c, 0, x->dtype, s);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape;
    int64_t n = shape_size(x), stride[MAX_RANK], step = 1;
    bool axis[MAX_RANK];

    if (!reduced(c, x->rank, axis))
        return false;
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    for (int d = x->rank - 1; d >= 0; d--) {
        stride[d] = axis[d] ? 0 : step;
        step *= axis[d] ? 1 : x->dim[d];
    }
    for (int64_t k = 0; k < step; k++) {
        if (out->f)
            out->f[k] = -INFINITY;
        else
            out->i[k] = INT64_MIN;
    }
    for (int64_t k = 0; k < n; k++) {
        int64_t at = 0, rest = k;
        for (int d = x->rank - 1; d >= 0; d--) {
            at += rest % x->dim[d] * stride[d];
            rest /= x->dim[d];
        }
        if (out->f && !(in[0]->f[k] <= out->f[at]))
            out->f[at] = in[0]->f[k];
        else if (out->i && in[0]->i[k] > out->i[at])
            out->i[at] = in[0]->i[k];
    }
    return true;
}

const struct op op_reducemax = {.attrs = "axes keepdims", .infer = infer, .eval = eval};
