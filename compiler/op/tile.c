/* tile.c - Tile: a tensor repeated along each axis. */
#include "op/move.h"
#include "op/window.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    const int64_t *repeats;
    uint32_t n;
    bool present;
    struct shape out = x->shape;

    if (!op_ints(c, "repeats", 1, &repeats, &n, &present))
        return false;
    if (n != (uint32_t)out.rank)
        return op_error(c, E_SHAPE, "repeats has %u entries, and the input is %s", n,
                        shape_text(c->arena, &x->shape));
    for (int k = 0; k < out.rank; k++)
        if (repeats[k] < 0 || __builtin_mul_overflow(out.dim[k], repeats[k], &out.dim[k]))
            return op_error(c, E_SHAPE, "axis %d cannot be repeated %lld times", k,
                            (long long)repeats[k]);
    op_set(c, 0, x->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *shape = &op_out(c, 0)->shape;
    int64_t index[MAX_RANK] = {0};

    out[0] = tensor_new(c->arena, in[0]->dtype, *shape);
    for (int64_t o = 0, n = shape_size(shape); o < n; o++) {
        int64_t at = 0;
        for (int k = 0; k < shape->rank; k++)
            at = at * in[0]->shape.dim[k] + index[k] % in[0]->shape.dim[k];
        if (out[0].f)
            out[0].f[o] = in[0]->f[at];
        else
            out[0].i[o] = in[0]->i[at];
        odometer(index, shape->dim, shape->rank);
    }
    return true;
}

const struct op op_tile = {
    .attrs = "repeats", .infer = infer, .eval = eval, .linear = op_linear_move};
