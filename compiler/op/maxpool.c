/* maxpool.c - MaxPool over any number of spatial dimensions, with padding (never the largest),
 * dilation, rounding up (a window that would start beyond input and leading padding is dropped, as
 * PyTorch and onnxruntime do) and, as a second output, where in the input the largest stood. */
#include "op/op.h"

#include <math.h>
#include <string.h>

#define SPATIAL (MAX_RANK - 2)

struct window {
    int rank; /* spatial dimensions */
    int64_t in[SPATIAL], out[SPATIAL], kernel[SPATIAL], stride[SPATIAL], dilation[SPATIAL];
    int64_t before[SPATIAL], after[SPATIAL]; /* padding */
};

/* Reads an attribute of `n` numbers, each in [least, 2^31); missing: all `otherwise`. */
static bool
numbers(struct op_ctx *c, const char *name, uint32_t n, int64_t least, int64_t otherwise,
        int64_t *to)
{
    const int64_t *v;
    uint32_t count;
    bool present;

    if (!op_ints(c, name, -1, &v, &count, &present))
        return false;
    if (present && count != n)
        return op_error(c, E_ATTRIBUTE, "%s has %u numbers, needs %u", name, count, n);
    for (uint32_t k = 0; k < n; k++) {
        to[k] = present ? v[k] : otherwise;
        if (to[k] < least || to[k] > INT32_MAX)
            return op_error(c, E_ATTRIBUTE, "%s has %lld, needs %lld at least", name,
                            (long long)to[k], (long long)least);
    }
    return true;
}

/* Output length and padding of dimension d. */
static bool
extent(struct op_ctx *c, struct window *w, int d, const char *pad)
{
    int64_t reach = (w->kernel[d] - 1) * w->dilation[d] + 1, stride = w->stride[d];
    bool up = op_int(c, "ceil_mode", 0) != 0;

    if (strncmp(pad, "SAME_", 5) == 0) {
        w->out[d] = (w->in[d] + stride - 1) / stride;
        int64_t all = (w->out[d] - 1) * stride + reach - w->in[d];
        all = all < 0 ? 0 : all;
        w->before[d] = strcmp(pad, "SAME_UPPER") == 0 ? all / 2 : all - all / 2;
        w->after[d] = all - w->before[d];
        return true;
    }
    if (strcmp(pad, "VALID") == 0)
        w->before[d] = w->after[d] = 0;
    if (w->before[d] >= reach || w->after[d] >= reach)
        return op_error(c, E_ATTRIBUTE, "pads must be smaller than the window, which spans %lld",
                        (long long)reach);
    int64_t room = w->in[d] + w->before[d] + w->after[d] - reach;
    if (room < 0)
        return op_error(c, E_SHAPE, "the window spans %lld, the padded input only %lld",
                        (long long)reach, (long long)(room + reach));
    w->out[d] = (up ? room + stride - 1 : room) / stride + 1;
    if (up && (w->out[d] - 1) * stride >= w->in[d] + w->before[d])
        w->out[d]--;
    return true;
}

static bool
window_of(struct op_ctx *c, struct window *w)
{
    const struct shape *x = &op_in(c, 0)->shape;
    const char *pad = op_string(c, "auto_pad", "NOTSET");
    int64_t pads[2 * SPATIAL];
    uint32_t n = (uint32_t)(x->rank - 2);

    w->rank = x->rank - 2;
    if (strcmp(pad, "NOTSET") != 0 && strcmp(pad, "VALID") != 0 && strcmp(pad, "SAME_UPPER") != 0 &&
        strcmp(pad, "SAME_LOWER") != 0)
        return op_error(c, E_ATTRIBUTE, "auto_pad = \"%s\" is unknown", pad);
    if (!numbers(c, "kernel_shape", n, 1, 0, w->kernel) ||
        !numbers(c, "strides", n, 1, 1, w->stride) ||
        !numbers(c, "dilations", n, 1, 1, w->dilation) || !numbers(c, "pads", 2 * n, 0, 0, pads))
        return false;
    for (int d = 0; d < w->rank; d++) {
        w->in[d] = x->dim[d + 2];
        w->before[d] = pads[d];
        w->after[d] = pads[d + w->rank];
        if (!extent(c, w, d, pad))
            return false;
    }
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    struct shape s = x->shape;
    struct window w = {0};

    if (s.rank < 3)
        return op_error(c, E_SHAPE, "the input has rank %d, needs at least 3", s.rank);
    if (!window_of(c, &w))
        return false;
    for (int d = 0; d < w.rank; d++)
        s.dim[d + 2] = w.out[d];
    op_set(c, 0, x->dtype, s);
    op_set(c, 1, DT_I64, s);
    return true;
}

/* The taps of dimension d that fall on the input, not on padding: [lo, hi]. */
static void
taps(const struct window *w, int d, int64_t at, int64_t *lo, int64_t *hi)
{
    int64_t start = at * w->stride[d] - w->before[d], step = w->dilation[d];
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
    int64_t lo[SPATIAL], hi[SPATIAL], tap[SPATIAL], best = -1;

    for (int d = 0; d < w->rank; d++) {
        taps(w, d, at[d], &lo[d], &hi[d]);
        tap[d] = lo[d];
        if (lo[d] > hi[d])
            return -1;
    }
    for (;;) {
        int64_t offset = 0;
        int d;

        for (d = 0; d < w->rank; d++)
            offset =
                offset * w->in[d] + at[d] * w->stride[d] - w->before[d] + tap[d] * w->dilation[d];
        if (best < 0 || (x->f ? x->f[plane + offset] > x->f[plane + best]
                              : x->i[plane + offset] > x->i[plane + best]))
            best = offset;
        for (d = w->rank - 1; d >= 0 && ++tap[d] > hi[d]; d--)
            tap[d] = lo[d];
        if (d < 0)
            return best;
    }
}

/* A row-major offset in a plane as the column-major one that storage_order = 1 asks for. */
static int64_t
column_major(const struct window *w, int64_t offset)
{
    int64_t index[SPATIAL], at = 0;

    for (int d = w->rank - 1; d >= 0; d--) {
        index[d] = offset % w->in[d];
        offset /= w->in[d];
    }
    for (int d = w->rank - 1; d >= 0; d--)
        at = at * w->in[d] + index[d];
    return at;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct window w = {0};
    int64_t size = 1, outs = 1;
    bool columns = op_int(c, "storage_order", 0) != 0;

    if (!window_of(c, &w))
        return false;
    for (int d = 0; d < w.rank; d++) {
        size *= w.in[d];
        outs *= w.out[d];
    }
    for (int64_t plane = 0; plane < in[0]->shape.dim[0] * in[0]->shape.dim[1]; plane++) {
        for (int64_t k = 0; k < outs; k++) {
            int64_t at[SPATIAL], rest = k, to = plane * outs + k;
            for (int d = w.rank - 1; d >= 0; d--) {
                at[d] = rest % w.out[d];
                rest /= w.out[d];
            }
            int64_t best = largest(&w, in[0], plane * size, at);
            if (out[0].f)
                out[0].f[to] = best < 0 ? -INFINITY : in[0]->f[plane * size + best];
            else if (out[0].i)
                out[0].i[to] = best < 0 ? INT64_MIN : in[0]->i[plane * size + best];
            if (c->node->out.len > 1 && out[1].i)
                out[1].i[to] =
                    plane * size + (columns && best >= 0 ? column_major(&w, best) : best);
        }
    }
    return true;
}

const struct op op_maxpool = {.infer = infer, .eval = eval};
