/* cumsum.c - CumSum: running sums along an axis, from either end, with or without the element
 * itself. */
#include "op/op.h"

/* The tensor as outer x len x inner around the axis. */
struct lines {
    int64_t outer, len, inner;
    bool reverse, exclusive;
};

static bool
read(struct op_ctx *c, struct lines *l)
{
    const struct shape *x = &op_in(c, 0)->shape;
    const int64_t *given;
    uint32_t n;
    bool present;
    int axis;

    if (!op_ints(c, "axis", 1, &given, &n, &present))
        return false;
    if (n != 1)
        return op_error(c, E_SHAPE, "its axis must be one number");
    if (!op_axis(c, given[0], x->rank, &axis))
        return false;
    *l = (struct lines){1, x->dim[axis], 1, op_int(c, "reverse", 0) != 0,
                        op_int(c, "exclusive", 0) != 0};
    for (int k = 0; k < axis; k++)
        l->outer *= x->dim[k];
    for (int k = axis + 1; k < x->rank; k++)
        l->inner *= x->dim[k];
    return true;
}

static bool
infer(struct op_ctx *c)
{
    struct lines l;

    if (op_in(c, 0)->dtype == DT_BOOL)
        return op_error(c, E_DTYPE, "does not take booleans");
    return read(c, &l) && op_infer_same(c);
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct lines l;

    if (!read(c, &l))
        return false;
    out[0] = tensor_new(c->arena, in[0]->dtype, in[0]->shape);
    for (int64_t n = 0; n < l.outer * l.inner; n++) {
        int64_t base = n / l.inner * l.len * l.inner + n % l.inner;
        double sum = 0;
        uint64_t whole = 0;
        for (int64_t k = 0; k < l.len; k++) {
            int64_t at = base + (l.reverse ? l.len - 1 - k : k) * l.inner;
            double before = sum;
            uint64_t whole_before = whole;
            if (out[0].f) {
                sum += (double)in[0]->f[at];
                out[0].f[at] = (float)(l.exclusive ? before : sum);
            } else {
                whole += (uint64_t)in[0]->i[at];
                out[0].i[at] = op_wrap(out[0].dtype, (int64_t)(l.exclusive ? whole_before : whole));
            }
        }
    }
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    struct lines l;

    (void)output;
    if (!read(c, &l))
        return false;
    for (int64_t o = 0; o < l.outer * l.len * l.inner; o++) {
        int64_t k = o / l.inner % l.len, base = o - k * l.inner;
        int64_t from = l.reverse ? k + l.exclusive : 0;
        int64_t to = l.reverse ? l.len : k + !l.exclusive;
        for (int64_t j = from; j < to; j++)
            sink->entry(sink->user, 0, (uint32_t)o, (uint32_t)(base + j * l.inner), 1);
    }
    return true;
}

const struct op op_cumsum = {
    .attrs = "axis exclusive reverse", .infer = infer, .eval = eval, .linear = linear};
