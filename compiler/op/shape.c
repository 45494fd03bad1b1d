/* shape.c - Shape: the dimensions of a tensor, or a range of them. Known when the model is
 * compiled. */
#include "op/op.h"

static int64_t
clamp(int64_t at, int64_t rank)
{
    at = at < 0 ? (at < -rank ? 0 : at + rank) : at;
    return at > rank ? rank : at;
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;
    int64_t start = clamp(op_int(c, "start", 0), x->rank);
    int64_t end = clamp(op_int(c, "end", x->rank), x->rank);
    struct shape out = {1, {end > start ? end - start : 0}};
    struct tensor t = tensor_new(c->arena, DT_I64, out);

    for (int64_t k = 0; k < out.dim[0]; k++)
        t.i[k] = x->dim[start + k];
    op_set_const(c, 0, t);
    return true;
}

const struct op op_shape = {.attrs = "start end", .infer = infer};
