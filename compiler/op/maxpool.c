/* maxpool.c - MaxPool over any number of spatial dimensions; padding is never the largest. A second
 * output says where in the whole input the largest stood. */
#include "op/window.h"

#include <math.h>

static bool
read_window(struct op_ctx *c, struct window *w)
{
    const struct shape *x = &op_in(c, 0)->shape;
    const int64_t *kernel = window_kernel(c, x);

    return kernel && window_read(c, x, kernel, w);
}

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    struct shape s = x->shape;
    struct window w;

    if (s.rank < 3)
        return op_error(c, E_SHAPE, "the input has rank %d, needs at least 3", s.rank);
    if (!read_window(c, &w))
        return false;
    for (int d = 0; d < w.dims; d++)
        s.dim[d + 2] = w.out[d];
    op_set(c, 0, x->dtype, s);
    op_set(c, 1, DT_I64, s);
    return true;
}

/* The taps of dimension d that fall on the input, not on padding: [lo, hi]. */
static void
taps(const struct window *w, int d, int64_t at, int64_t *lo, int64_t *hi)
{
    int64_t start = at * w->stride[d] - w->pad[d], step = w->dilation[d];
    int64_t last = w->in[d] - 1 - start;

    *lo = start < 0 ? (-start + step - 1) / step : 0;
    *hi = last < 0 ? -1 : last / step;
    if (*hi >= w->kernel[d])
        *hi = w->kernel[d] - 1;
}

/* The offset of the largest element of the window at output position `at`, in a plane of the input;
 * -1 when the window holds only padding. */
static int64_t
largest(const struct window *w, const struct tensor *x, int64_t plane, const int64_t *at)
{
    int64_t lo[MAX_RANK], hi[MAX_RANK], tap[MAX_RANK], best = -1;

    for (int d = 0; d < w->dims; d++) {
        taps(w, d, at[d], &lo[d], &hi[d]);
        tap[d] = lo[d];
        if (lo[d] > hi[d])
            return -1;
    }
    for (;;) {
        int64_t offset = window_offset(w, at, tap);
        int d;

        if (best < 0 || (x->f ? x->f[plane + offset] > x->f[plane + best]
                              : x->i[plane + offset] > x->i[plane + best]))
            best = offset;
        for (d = w->dims - 1; d >= 0 && ++tap[d] > hi[d]; d--)
            tap[d] = lo[d];
        if (d < 0)
            return best;
    }
}

/* A row-major offset in a plane as the column-major one that storage_order = 1 asks for. */
static int64_t
column_major(const struct window *w, int64_t offset)
{
    int64_t index[MAX_RANK], at = 0;

    for (int d = w->dims - 1; d >= 0; d--) {
        index[d] = offset % w->in[d];
        offset /= w->in[d];
    }
    for (int d = w->dims - 1; d >= 0; d--)
        at = at * w->in[d] + index[d];
    return at;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct window w;
    bool columns = op_int(c, "storage_order", 0) != 0;

    if (!read_window(c, &w))
        return false;
    for (uint32_t k = 0; k < c->node->out.len; k++)
        if (op_out(c, k))
            out[k] = tensor_new(c->arena, op_out(c, k)->dtype, op_out(c, k)->shape);
    int64_t size = window_volume(w.in, w.dims), outs = window_volume(w.out, w.dims), to = 0;
    int64_t planes = outs ? in[0]->shape.dim[0] * in[0]->shape.dim[1] : 0;
    for (int64_t plane = 0; plane < planes; plane++) {
        int64_t at[MAX_RANK] = {0};
        do {
            int64_t best = largest(&w, in[0], plane * size, at);
            if (out[0].f)
                out[0].f[to] = best < 0 ? -INFINITY : in[0]->f[plane * size + best];
            else if (out[0].i)
                out[0].i[to] = best < 0 ? INT64_MIN : in[0]->i[plane * size + best];
            if (c->node->out.len > 1 && out[1].i)
                out[1].i[to] =
                    plane * size + (columns && best >= 0 ? column_major(&w, best) : best);
            to++;
        } while (odometer(at, w.out, w.dims));
    }
    return true;
}

const struct op op_maxpool = {
    .attrs = "auto_pad ceil_mode dilations kernel_shape pads storage_order strides",
    .infer = infer,
    .eval = eval};
