/* slice.c - Slice: a range of each of some axes, with a step; attributes before opset 10, constant
 * inputs since. */
#include "op/move.h"

struct range {
    int64_t start, step, len;
};

/* The elements of [0, dim) that start : end : step takes, as Python counts. */
static struct range
clamp(int64_t start, int64_t end, int64_t step, int64_t dim)
{
    struct range r = {.step = step};
    int64_t low = step > 0 ? 0 : -1, high = step > 0 ? dim : dim - 1;

    start = start < 0 ? (start < -dim ? low : start + dim) : start;
    end = end < 0 ? (end < -dim ? low : end + dim) : end;
    start = start < low ? low : start > high ? high : start;
    end = end < low ? low : end > high ? high : end;
    /* Both lie in [-1, dim]; a step beyond that takes one element. */
    if (r.step > dim + 1)
        r.step = dim + 1;
    if (r.step < -dim - 1)
        r.step = -dim - 1;
    if (step > 0 && end > start)
        r.len = (end - start + r.step - 1) / r.step;
    if (step < 0 && start > end)
        r.len = (start - end - r.step - 1) / -r.step;
    r.start = r.len ? start : 0;
    return r;
}

static bool
ranges(struct op_ctx *c, const struct shape *x, struct range *r)
{
    const int64_t *starts, *ends, *axes, *steps;
    uint32_t n, n_ends, n_axes, n_steps;
    bool present, have_ends, have_axes, have_steps, seen[MAX_RANK] = {false};

    if (!op_ints(c, "starts", 1, &starts, &n, &present) ||
        !op_ints(c, "ends", 2, &ends, &n_ends, &have_ends) ||
        !op_ints(c, "axes", 3, &axes, &n_axes, &have_axes) ||
        !op_ints(c, "steps", 4, &steps, &n_steps, &have_steps))
        return false;
    if (!present || !have_ends || n_ends != n || (have_axes && n_axes != n) ||
        (have_steps && n_steps != n) || n > (uint32_t)x->rank)
        return op_error(c, E_ATTRIBUTE,
                        "starts, ends, axes and steps must be lists of one length, at "
                        "most the rank of %s",
                        shape_text(c->arena, x));
    for (int k = 0; k < x->rank; k++)
        r[k] = (struct range){0, 1, x->dim[k]};
    for (uint32_t k = 0; k < n; k++) {
        int axis;
        if (!op_axis(c, have_axes ? axes[k] : (int64_t)k, x->rank, &axis))
            return false;
        if (seen[axis])
            return op_error(c, E_ATTRIBUTE, "axis %d is given twice", axis);
        seen[axis] = true;
        if (have_steps && steps[k] == 0)
            return op_error(c, E_ATTRIBUTE, "the step of axis %d is 0", axis);
        r[axis] = clamp(starts[k], ends[k], have_steps ? steps[k] : 1, x->dim[axis]);
    }
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;
    struct range r[MAX_RANK];
    struct shape out = {.rank = x->rank};

    if (!ranges(c, x, r))
        return false;
    for (int k = 0; k < x->rank; k++)
        out.dim[k] = r[k].len;
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct range r[MAX_RANK];
    int64_t stride[MAX_RANK], base = 0;

    if (!ranges(c, &in[0]->shape, r))
        return false;
    shape_strides(&in[0]->shape, &in[0]->shape, stride);
    for (int k = 0; k < in[0]->shape.rank; k++) {
        base += r[k].start * stride[k];
        stride[k] *= r[k].step;
    }
    out[0] = move_view(c->arena, in[0], &op_out(c, 0)->shape, base, stride);
    return true;
}

const struct op op_slice = {
    .attrs = "starts ends axes", .infer = infer, .eval = eval, .linear = op_linear_move};
