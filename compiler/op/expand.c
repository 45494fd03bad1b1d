/* expand.c - Expand: a tensor broadcast together with a shape. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    const int64_t *want;
    uint32_t n;
    bool present;
    struct shape to = {0}, out;

    if (!op_ints(c, "shape", 1, &want, &n, &present))
        return false;
    if (n > MAX_RANK)
        return op_error(c, E_SHAPE, "the shape has more than %d dimensions", MAX_RANK);
    to.rank = (int)n;
    for (int k = 0; k < to.rank; k++) {
        to.dim[k] = want[k];
        if (want[k] < 0)
            return op_error(c, E_SHAPE, "the shape has the dimension %lld", (long long)want[k]);
    }
    if (!shape_broadcast(&x->shape, &to, &out))
        return op_error(c, E_SHAPE, "%s cannot be broadcast with %s",
                        shape_text(c->arena, &x->shape), shape_text(c->arena, &to));
    op_set(c, 0, x->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *shape = &op_out(c, 0)->shape;
    int64_t stride[MAX_RANK];

    shape_strides(&in[0]->shape, shape, stride);
    out[0] = move_view(c->arena, in[0], shape, 0, stride);
    return true;
}

const struct op op_expand = {
    .attrs = "shape", .infer = infer, .eval = eval, .linear = op_linear_move};
