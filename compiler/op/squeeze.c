/* squeeze.c - Squeeze: dimensions of size 1 are dropped: those given, or all. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;
    bool set[MAX_RANK], present;
    uint32_t n;
    struct shape out = {0};

    if (!move_axes(c, 1, x->rank, set, &n, &present))
        return false;
    for (int k = 0; k < x->rank; k++) {
        if (present && set[k] && x->dim[k] != 1)
            return op_error(c, E_SHAPE, "dimension %d of %s is not 1", k, shape_text(c->arena, x));
        if (present ? !set[k] : x->dim[k] != 1)
            out.dim[out.rank++] = x->dim[k];
    }
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

const struct op op_squeeze = {
    .attrs = "axes", .infer = infer, .eval = move_eval_reshape, .linear = op_linear_move};
