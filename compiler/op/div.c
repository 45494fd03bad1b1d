/* div.c - Div: the quotient of two tensors, broadcast; integers are divided towards zero. Affine
 * when the divisor is constant. */
#include "op/arith.h"

static void
reals(const float *a, int64_t sa, const float *b, int64_t sb, float *y, int64_t n)
{
    for (int64_t j = 0; j < n; j++)
        y[j] = a[j * sa] / b[j * sb];
}

static bool
ints(const int64_t *a, int64_t sa, const int64_t *b, int64_t sb, int64_t *y, int64_t n)
{
    for (int64_t j = 0; j < n; j++) {
        if (b[j * sb] == 0)
            return false;
        /* The smallest integer over -1 does not fit; it wraps to itself. */
        y[j] = b[j * sb] == -1 ? (int64_t)(0 - (uint64_t)a[j * sa]) : a[j * sa] / b[j * sb];
    }
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
    const struct tensor *divisor = op_const(c, 1);
    struct walk w;

    (void)output;
    if (!divisor)
        return op_error(c, E_NOT_LINEAR, "the divisor is encrypted");
    for (bool more = walk_start(&w, &op_out(c, 0)->shape, shapes, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++) {
            double v = arith_value(divisor, w.at[1] + j * w.step[1]);
            if (v == 0)
                return op_error(c, E_EVAL, "an encrypted value is divided by zero");
            sink->entry(sink->user, 0, (uint32_t)(w.row + j), (uint32_t)(w.at[0] + j * w.step[0]),
                        1 / v);
        }
    return true;
}

const struct op op_div = {.infer = arith_infer, .eval = eval, .linear = linear};
