/* split.c - Split: a tensor cut along an axis, into parts of given sizes or equal ones. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    const int64_t *size;
    uint32_t n, parts = c->node->out.len;
    bool present;
    int axis;
    int64_t sum = 0;

    if (!op_axis(c, op_int(c, "axis", 0), x->shape.rank, &axis) ||
        !op_ints(c, "split", 1, &size, &n, &present))
        return false;
    int64_t dim = x->shape.dim[axis];
    if (present && n != parts)
        return op_error(c, E_ATTRIBUTE, "has %u outputs, but sizes for %u", parts, n);
    if (!present && dim % parts)
        return op_error(c, E_SHAPE, "%lld rows cannot be cut into %u equal parts", (long long)dim,
                        parts);
    for (uint32_t k = 0; k < parts; k++) {
        struct shape out = x->shape;
        out.dim[axis] = present ? size[k] : dim / parts;
        if (out.dim[axis] < 0 || out.dim[axis] > dim - sum)
            return op_error(c, E_SHAPE, "the parts do not add up to the %lld rows of the input",
                            (long long)dim);
        sum += out.dim[axis];
        op_set(c, k, x->dtype, out);
    }
    if (sum != dim)
        return op_error(c, E_SHAPE, "the parts add up to %lld rows, and the input has %lld",
                        (long long)sum, (long long)dim);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape;
    const int64_t *size;
    uint32_t n, parts = c->node->out.len;
    bool present;
    int axis;
    int64_t stride[MAX_RANK], at = 0;

    if (!op_axis(c, op_int(c, "axis", 0), x->rank, &axis) ||
        !op_ints(c, "split", 1, &size, &n, &present))
        return false;
    shape_strides(x, x, stride);
    for (uint32_t k = 0; k < parts; k++) {
        struct shape shape = *x;
        shape.dim[axis] = present ? size[k] : x->dim[axis] / parts;
        if (op_out(c, k))
            out[k] = move_view(c->arena, in[0], &shape, at * stride[axis], stride);
        at += shape.dim[axis];
    }
    return true;
}

const struct op op_split = {
    .attrs = "axis split", .infer = infer, .eval = eval, .linear = op_linear_move};
