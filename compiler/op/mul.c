/* mul.c - Mul: the product of two tensors, broadcast; affine when one of them is constant. */
#include "op/arith.h"

static void
reals(const float *a, int64_t sa, const float *b, int64_t sb, float *y, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        y[j] = a[j * sa] * b[j * sb];
}

static bool
ints(const int64_t *a, int64_t sa, const int64_t *b, int64_t sb, int64_t *y, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        y[j] = (int64_t)((uint64_t)a[j * sa] * (uint64_t)b[j * sb]);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    static const struct arith op = {reals, ints};
    return arith_eval(c, in, out, &op);
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct value *a = op_in(c, 0), *b = op_in(c, 1);
    const struct shape *shapes[2] = {&a->shape, &b->shape};
    uint32_t data = op_const(c, 0) ? 1 : 0;
    const struct tensor *factor = op_const(c, 1 - data);
    struct walk w;

    (void)output;
    if (!factor)
        return op_error(c, E_NOT_LINEAR, "both factors are encrypted");
    for (bool more = walk_start(&w, &op_out(c, 0)->shape, shapes, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++) {
            double v = arith_value(factor, w.at[1 - data] + j * w.step[1 - data]);
            if (v != 0)
                sink->entry(sink->user, data, (uint32_t)(w.row + j),
                            (uint32_t)(w.at[data] + j * w.step[data]), v);
        }
    return true;
}

const struct op op_mul = {.infer = arith_infer, .eval = eval, .linear = linear};
