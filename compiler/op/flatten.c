/* flatten.c - Flatten: a matrix of the dimensions before the axis and those from it on. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;
    int64_t axis = op_int(c, "axis", 1);
    struct shape out = {.rank = 2, .dim = {1, 1}};

    if (axis < (c->graph->opset < 11 ? 0 : -x->rank) || axis > x->rank)
        return op_error(c, E_ATTRIBUTE, "axis %lld does not go with %s", (long long)axis,
                        shape_text(c->arena, x));
    if (axis < 0)
        axis += x->rank;
    for (int k = 0; k < x->rank; k++)
        out.dim[k < axis ? 0 : 1] *= x->dim[k];
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

const struct op op_flatten = {
    .attrs = "axis", .infer = infer, .eval = move_eval_reshape, .linear = op_linear_move};
