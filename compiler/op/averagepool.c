/* averagepool.c - AveragePool: the mean of each window; elements of the padding count only with
 * count_include_pad, and those behind the padding (ceil_mode) never. */
#include "op/window.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    const int64_t *kernel = window_kernel(c, &x->shape);
    struct shape out = x->shape;
    struct window w;

    if (!op_need_float(c, 0) || !kernel || !window_read(c, &x->shape, kernel, &w))
        return false;
    if (shape_size(&x->shape) == 0)
        return op_error(c, E_SHAPE, "its input is empty");
    for (int k = 0; k < w.dims; k++) {
        if (w.pad[k] >= w.kernel[k] || w.pad_end[k] >= w.kernel[k])
            return op_error(c, E_ATTRIBUTE,
                            "the pads of spatial dimension %d are not smaller than the "
                            "kernel",
                            k);
        out.dim[k + 2] = w.out[k];
    }
    op_set(c, 0, x->dtype, out);
    return true;
}

/* The mean at one output position. */
struct mean {
    int64_t low[MAX_RANK], len[MAX_RANK]; /* the part of the window that lies in the input */
    int64_t count;                        /* what the sum is divided by */
};

/* With pads below the kernel size every window reaches into the input: len[] >= 1. */
static struct mean
mean_at(const struct window *w, const int64_t *at, bool with_pad)
{
    struct mean m = {.count = 1};
    for (int k = 0; k < w->dims; k++) {
        int64_t from = at[k] * w->stride[k] - w->pad[k], to = from + w->kernel[k];
        int64_t end = w->in[k] + w->pad_end[k];
        m.low[k] = from > 0 ? from : 0;
        m.len[k] = (to < w->in[k] ? to : w->in[k]) - m.low[k];
        m.count *= with_pad ? (to < end ? to : end) - from : m.len[k];
    }
    return m;
}

/* Offset in a channel of element index[] of the part. */
static int64_t
offset(const struct window *w, const struct mean *m, const int64_t *index)
{
    int64_t at = 0;
    for (int k = 0; k < w->dims; k++)
        at = at * w->in[k] + m->low[k] + index[k];
    return at;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape;
    bool with_pad = op_int(c, "count_include_pad", 0) != 0;
    struct window w;

    if (!window_read(c, x, window_kernel(c, x), &w))
        return false;
    int64_t area = window_volume(w.in, w.dims), o = 0;
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    for (int64_t plane = 0; plane < x->dim[0] * x->dim[1]; plane++) {
        const float *from = in[0]->f + plane * area;
        int64_t at[MAX_RANK] = {0};
        do {
            struct mean m = mean_at(&w, at, with_pad);
            int64_t index[MAX_RANK] = {0};
            double sum = 0;
            do
                sum += (double)from[offset(&w, &m, index)];
            while (odometer(index, m.len, w.dims));
            out[0].f[o++] = (float)(sum / (double)m.count);
        } while (odometer(at, w.out, w.dims));
    }
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct shape *x = &op_in(c, 0)->shape;
    bool with_pad = op_int(c, "count_include_pad", 0) != 0;
    struct window w;
    uint32_t o = 0;

    (void)output;
    if (!window_read(c, x, window_kernel(c, x), &w))
        return false;
    int64_t area = window_volume(w.in, w.dims);
    for (int64_t plane = 0; plane < x->dim[0] * x->dim[1]; plane++) {
        int64_t at[MAX_RANK] = {0};
        do {
            struct mean m = mean_at(&w, at, with_pad);
            int64_t index[MAX_RANK] = {0};
            do {
                int64_t i = plane * area + offset(&w, &m, index);
                sink->entry(sink->user, 0, o, (uint32_t)i, 1 / (double)m.count);
            } while (odometer(index, m.len, w.dims));
            o++;
        } while (odometer(at, w.out, w.dims));
    }
    return true;
}

const struct op op_averagepool = {
    .attrs = "kernel_shape strides pads auto_pad ceil_mode count_include_pad",
    .infer = infer,
    .eval = eval,
    .linear = linear};
