/* range.c - Range: start, start + delta ... below limit; all constants. */
#include "op/op.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    enum dtype t = op_in(c, 0)->dtype;
    double n;

    for (uint32_t k = 0; k < 3; k++) {
        if (!op_need_const(c, k))
            return false;
        if (op_in(c, k)->dtype != t || shape_size(&op_in(c, k)->shape) != 1)
            return op_error(c, E_DTYPE,
                            "start, limit and delta must be single numbers of one type");
    }
    if (dtype_is_float(t)) {
        double start = (double)op_const(c, 0)->f[0], delta = (double)op_const(c, 2)->f[0];
        n = ceil(((double)op_const(c, 1)->f[0] - start) / delta);
    } else {
        int64_t start = op_const(c, 0)->i[0], delta = op_const(c, 2)->i[0], room;
        if (__builtin_sub_overflow(op_const(c, 1)->i[0], start, &room))
            return op_error(c, E_TENSOR_SIZE, "would have more than 2^63 elements");
        n = delta == 0 ? NAN : ceil((double)room / (double)delta);
    }
    if (isnan(n) || n > (double)OP_MAX_ELEMENTS)
        return op_error(c, E_TENSOR_SIZE, "would have %g elements", n);
    op_set(c, 0, t, (struct shape){1, {n > 0 ? (int64_t)n : 0}});
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    for (int64_t k = 0; k < out[0].shape.dim[0]; k++)
        if (out[0].f)
            out[0].f[k] = (float)((double)in[0]->f[0] + (double)k * (double)in[2]->f[0]);
        else
            out[0].i[k] = (int64_t)((uint64_t)in[0]->i[0] + (uint64_t)k * (uint64_t)in[2]->i[0]);
    return true;
}

const struct op op_range = {.infer = infer, .eval = eval};
