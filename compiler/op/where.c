/* where.c - Where: a where the condition holds, else b, broadcast. */
#include "op/arith.h"

static bool
infer(struct op_ctx *c)
{
    struct shape out;

    if (op_in(c, 0)->dtype != DT_BOOL)
        return op_error(c, E_DTYPE, "its condition is %s, not bool",
                        dtype_name(op_in(c, 0)->dtype));
    if (op_in(c, 1)->dtype != op_in(c, 2)->dtype)
        return op_error(c, E_DTYPE, "its inputs are %s and %s", dtype_name(op_in(c, 1)->dtype),
                        dtype_name(op_in(c, 2)->dtype));
    if (!arith_shape(c, &out))
        return false;
    op_set(c, 0, op_in(c, 1)->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *shapes[3] = {&in[0]->shape, &in[1]->shape, &in[2]->shape};
    const struct value *to = op_out(c, 0);
    struct walk w;

    out[0] = tensor_new(c->arena, to->dtype, to->shape);
    for (bool more = walk_start(&w, &to->shape, shapes, 3); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++) {
            int64_t k = in[0]->i[w.at[0] + j * w.step[0]] ? 1 : 2;
            int64_t i = w.at[k] + j * w.step[k];
            if (out[0].f)
                out[0].f[w.row + j] = in[k]->f[i];
            else
                out[0].i[w.row + j] = in[k]->i[i];
        }
    return true;
}

const struct op op_where = {.infer = infer, .eval = eval};
