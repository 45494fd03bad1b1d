/* unsqueeze.c - Unsqueeze: dimensions of size 1 are put in, at places of the output. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;
    const int64_t *axes;
    bool set[MAX_RANK], present;
    uint32_t n;
    struct shape out = {0};

    if (!op_ints(c, "axes", 1, &axes, &n, &present))
        return false;
    if (!present)
        return op_error(c, E_ATTRIBUTE, "has no axes");
    if (n > (uint32_t)(MAX_RANK - x->rank))
        return op_error(c, E_SHAPE, "the output has more than %d dimensions", MAX_RANK);
    if (!move_axes(c, 1, x->rank + (int)n, set, &n, &present))
        return false;
    out.rank = x->rank + (int)n;
    for (int k = 0, from = 0; k < out.rank; k++)
        out.dim[k] = set[k] ? 1 : x->dim[from++];
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

const struct op op_unsqueeze = {
    .attrs = "axes", .infer = infer, .eval = move_eval_reshape, .linear = op_linear_move};
