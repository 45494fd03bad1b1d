/* transpose.c - Transpose: dimensions in another order; reversed when there is no perm. */
#include "op/move.h"

static bool
permutation(struct op_ctx *c, int rank, int *perm)
{
    const int64_t *given;
    uint32_t n;
    bool present, seen[MAX_RANK] = {false};

    if (!op_ints(c, "perm", -1, &given, &n, &present))
        return false;
    if (present && n != (uint32_t)rank)
        return op_error(c, E_ATTRIBUTE, "perm has %u entries, and the input %d dimensions", n,
                        rank);
    for (int k = 0; k < rank; k++) {
        int64_t from = present ? given[k] : rank - 1 - k;
        if (from < 0 || from >= rank || seen[from])
            return op_error(c, E_ATTRIBUTE, "perm is not an order of 0 .. %d", rank - 1);
        seen[from] = true;
        perm[k] = (int)from;
    }
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;
    struct shape out = {.rank = x->rank};
    int perm[MAX_RANK];

    if (!permutation(c, x->rank, perm))
        return false;
    for (int k = 0; k < x->rank; k++)
        out.dim[k] = x->dim[perm[k]];
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    int perm[MAX_RANK];
    int64_t stride[MAX_RANK], view[MAX_RANK];

    if (!permutation(c, in[0]->shape.rank, perm))
        return false;
    shape_strides(&in[0]->shape, &in[0]->shape, stride);
    for (int k = 0; k < in[0]->shape.rank; k++)
        view[k] = stride[perm[k]];
    out[0] = move_view(c->arena, in[0], &op_out(c, 0)->shape, 0, view);
    return true;
}

const struct op op_transpose = {
    .attrs = "perm", .infer = infer, .eval = eval, .linear = op_linear_move};
