/* equal.c - Equal: true where two tensors have the same value, broadcast. */
#include "op/arith.h"

static bool
infer(struct op_ctx *c)
{
    struct shape out;

    if (op_in(c, 0)->dtype != op_in(c, 1)->dtype)
        return op_error(c, E_DTYPE, "its inputs are %s and %s", dtype_name(op_in(c, 0)->dtype),
                        dtype_name(op_in(c, 1)->dtype));
    if (!arith_shape(c, &out))
        return false;
    op_set(c, 0, DT_BOOL, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *shapes[2] = {&in[0]->shape, &in[1]->shape};
    const struct value *to = op_out(c, 0);
    struct walk w;

    out[0] = tensor_new(c->arena, DT_BOOL, to->shape);
    for (bool more = walk_start(&w, &to->shape, shapes, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++) {
            int64_t a = w.at[0] + j * w.step[0], b = w.at[1] + j * w.step[1];
            out[0].i[w.row + j] =
                in[0]->f ? in[0]->f[a] == in[1]->f[b] : in[0]->i[a] == in[1]->i[b];
        }
    return true;
}

const struct op op_equal = {.infer = infer, .eval = eval};
