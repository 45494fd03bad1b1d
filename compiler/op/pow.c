/* pow.c - Pow: a to the power of b, broadcast; the result has the type of a. Affine when the
 * exponent is constant and 1 or 0 everywhere; larger whole exponents become products of ciphertexts
 * in lowering. */
#include "op/arith.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    struct shape out;

    if (op_in(c, 0)->dtype == DT_BOOL || op_in(c, 1)->dtype == DT_BOOL)
        return op_error(c, E_DTYPE, "does not take booleans");
    if (!arith_shape(c, &out))
        return false;
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

/* Integer power modulo 2^64; a negative exponent gives the quotient of 1 towards zero. */
static int64_t
power(int64_t base, int64_t exponent)
{
    uint64_t result = 1, square = (uint64_t)base;

    if (exponent < 0)
        return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
    for (; exponent; exponent /= 2) {
        if (exponent % 2)
            result *= square;
        square *= square;
    }
    return (int64_t)result;
}

/* A real as an integer; what does not fit becomes the nearest that does. */
static int64_t
whole(double x)
{
    if (isnan(x))
        return 0;
    return x >= 0x1p63 ? INT64_MAX : x <= -0x1p63 ? INT64_MIN : (int64_t)x;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *shapes[2] = {&in[0]->shape, &in[1]->shape};
    const struct value *to = op_out(c, 0);
    struct walk w;

    out[0] = tensor_new(c->arena, to->dtype, to->shape);
    for (bool more = walk_start(&w, &to->shape, shapes, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++) {
            int64_t a = w.at[0] + j * w.step[0], b = w.at[1] + j * w.step[1];
            if (out[0].f)
                out[0].f[w.row + j] = (float)pow((double)in[0]->f[a], arith_value(in[1], b));
            else if (in[1]->i)
                out[0].i[w.row + j] = op_wrap(to->dtype, power(in[0]->i[a], in[1]->i[b]));
            else
                out[0].i[w.row + j] =
                    op_wrap(to->dtype, whole(pow((double)in[0]->i[a], (double)in[1]->f[b])));
        }
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct value *a = op_in(c, 0), *b = op_in(c, 1);
    const struct shape *shapes[2] = {&a->shape, &b->shape};
    const struct tensor *exponent = op_const(c, 1);
    struct walk w;

    (void)output;
    if (!exponent)
        return op_error(c, E_NOT_LINEAR, "the exponent is encrypted");
    for (bool more = walk_start(&w, &op_out(c, 0)->shape, shapes, 2); more; more = walk_next(&w))
        for (int64_t j = 0; j < w.len; j++) {
            double e = arith_value(exponent, w.at[1] + j * w.step[1]);
            uint32_t o = (uint32_t)(w.row + j);
            if (e == 1)
                sink->entry(sink->user, 0, o, (uint32_t)(w.at[0] + j * w.step[0]), 1);
            else if (e == 0)
                sink->bias(sink->user, o, 1);
            else
                return op_error(c, E_NOT_LINEAR, "the exponent is %g", e);
        }
    return true;
}

const struct op op_pow = {.infer = infer, .eval = eval, .linear = linear};
