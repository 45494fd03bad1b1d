/* conv_transpose.c - ConvTranspose: each input pixel spreads its kernel over the output; with
 * strides, dilations, groups, pads, output_padding, output_shape and auto_pad. */
#include "op/window.h"

#include <cblas.h>
#include <string.h>

struct spread {
    struct window w; /* of the convolution that this one is the transpose of, but in and out as
                        here: input position p writes p * stride - pad + tap * dilation */
    int64_t batch, groups, in_ch, out_ch; /* channels of one group */
    int64_t area_in, area_out, taps;
};

static bool
optional(struct op_ctx *c, const char *name, int dims, const int64_t **v, bool *present)
{
    uint32_t n;
    if (!op_ints(c, name, -1, v, &n, present))
        return false;
    if (*present && n != (uint32_t)dims)
        return op_error(c, E_ATTRIBUTE, "attribute '%s' has %u entries and needs %d", name, n,
                        dims);
    for (uint32_t k = 0; k < n; k++)
        if ((*v)[k] < 0 || (*v)[k] > OP_MAX_ELEMENTS)
            return op_error(c, E_ATTRIBUTE, "attribute '%s' has the entry %lld", name,
                            (long long)(*v)[k]);
    return true;
}

/* Output sizes and pads, as the specification computes one from the other. */
static bool
read_window(struct op_ctx *c, const struct shape *x, const int64_t *kernel, struct window *w)
{
    const char *mode = op_string(c, "auto_pad", "NOTSET");
    bool upper = strcmp(mode, "SAME_UPPER") == 0, same = upper || strcmp(mode, "SAME_LOWER") == 0;
    const int64_t *shape, *extra;
    bool have_shape, have_extra;

    if (!window_lists(c, x, kernel, w) ||
        !optional(c, "output_shape", w->dims, &shape, &have_shape) ||
        !optional(c, "output_padding", w->dims, &extra, &have_extra))
        return false;
    if (!same && strcmp(mode, "NOTSET") && strcmp(mode, "VALID"))
        return op_error(c, E_ATTRIBUTE, "attribute 'auto_pad' is '%s'", mode);
    for (int k = 0; k < w->dims; k++) {
        int64_t more = have_extra ? extra[k] : 0;
        if (more >= w->stride[k] && more >= w->dilation[k])
            return op_error(c, E_ATTRIBUTE,
                            "output_padding must be smaller than stride or dilation");
        if (w->in[k] < 1)
            return op_error(c, E_SHAPE, "its input is empty");
        int64_t full =
            w->stride[k] * (w->in[k] - 1) + more + (w->kernel[k] - 1) * w->dilation[k] + 1;
        if (!have_shape && !same) {
            w->out[k] = full - w->pad[k] - w->pad_end[k];
        } else {
            w->out[k] = have_shape ? shape[k] : w->in[k] * w->stride[k];
            int64_t total = full > w->out[k] ? full - w->out[k] : 0;
            w->pad[k] = upper ? total / 2 : total - total / 2;
            w->pad_end[k] = total - w->pad[k];
        }
        if (w->out[k] < 1 || w->out[k] > OP_MAX_ELEMENTS)
            return op_error(c, E_SHAPE,
                            "the output would have the size %lld in spatial dimension %d",
                            (long long)w->out[k], k);
    }
    return true;
}

static bool
read(struct op_ctx *c, const struct shape *x, const struct shape *weight, struct spread *v)
{
    if (!read_window(c, x, weight->dim + 2, &v->w))
        return false;
    v->batch = x->dim[0];
    v->groups = op_int(c, "group", 1);
    v->in_ch = weight->dim[0] / v->groups;
    v->out_ch = weight->dim[1];
    v->area_in = window_volume(v->w.in, v->w.dims);
    v->area_out = window_volume(v->w.out, v->w.dims);
    v->taps = window_volume(v->w.kernel, v->w.dims);
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape, *weight = &op_in(c, 1)->shape;
    const struct value *bias = op_in(c, 2);
    int64_t groups = op_int(c, "group", 1);
    const int64_t *kernel;
    bool present;
    struct spread v;

    if (!op_need_float(c, 0) || !op_need_float(c, 1) || !op_need_float(c, 2))
        return false;
    if (x->rank < 3 || weight->rank != x->rank)
        return op_error(c, E_SHAPE,
                        "its input is %s and its weight %s; both must be [.., .., spatial "
                        "...] of one rank",
                        shape_text(c->arena, x), shape_text(c->arena, weight));
    if (groups < 1 || groups > OP_MAX_ELEMENTS || weight->dim[0] != x->dim[1] || x->dim[1] % groups)
        return op_error(c, E_SHAPE,
                        "the weight %s in %lld groups does not fit an input of %lld channels",
                        shape_text(c->arena, weight), (long long)groups, (long long)x->dim[1]);
    if (bias && (bias->shape.rank != 1 || bias->shape.dim[0] != weight->dim[1] * groups))
        return op_error(c, E_SHAPE, "its bias is %s and must have %lld elements",
                        shape_text(c->arena, &bias->shape), (long long)(weight->dim[1] * groups));
    if (shape_size(x) == 0 || shape_size(weight) == 0)
        return op_error(c, E_SHAPE, "its input or its weight is empty");
    if (!optional(c, "kernel_shape", x->rank - 2, &kernel, &present))
        return false;
    if (present && memcmp(kernel, weight->dim + 2, (size_t)(x->rank - 2) * sizeof *kernel) != 0)
        return op_error(c, E_SHAPE, "kernel_shape differs from that of the weight, %s",
                        shape_text(c->arena, weight));
    if (!read(c, x, weight, &v))
        return false;
    if (v.area_in > OP_MAX_ELEMENTS / (v.out_ch * v.taps))
        return op_error(c, E_TENSOR_SIZE, "its sums would need too much memory");
    if (!op_work(c,
                 (double)(x->dim[0] * x->dim[1]) * (double)v.area_in * (double)(v.out_ch * v.taps)))
        return false;
    struct shape out = {x->rank, {x->dim[0], v.out_ch * groups}};
    for (int k = 0; k < v.w.dims; k++)
        out.dim[k + 2] = v.w.out[k];
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

/* Where tap[] of input position at[] goes in a channel of the output, or -1. */
static int64_t
target(const struct window *w, const int64_t *at, const int64_t *tap)
{
    int64_t offset = 0;
    for (int k = 0; k < w->dims; k++) {
        int64_t y = at[k] * w->stride[k] - w->pad[k] + tap[k] * w->dilation[k];
        if (y < 0 || y >= w->out[k])
            return -1;
        offset = offset * w->out[k] + y;
    }
    return offset;
}

/* Adds rows (out_ch * taps of area_in each) to the channels of one group. */
static void
scatter(const struct spread *v, const float *rows, float *y)
{
    for (int64_t channel = 0; channel < v->out_ch; channel++, y += v->area_out) {
        int64_t tap[MAX_RANK] = {0};
        do {
            int64_t at[MAX_RANK] = {0};
            do {
                int64_t to = target(&v->w, at, tap);
                if (to >= 0)
                    y[to] += *rows;
                rows++;
            } while (odometer(at, v->w.in, v->w.dims));
        } while (odometer(tap, v->w.kernel, v->w.dims));
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const float *bias = in[2]->f;
    struct spread v;

    if (!read(c, &in[0]->shape, &in[1]->shape, &v))
        return false;
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    int64_t rows = v.out_ch * v.taps;
    float *spread = ARENA_ARRAY(c->arena, float, (size_t)(rows * v.area_in));
    for (int64_t k = 0; k < v.batch * v.groups; k++) {
        const float *x = in[0]->f + k * v.in_ch * v.area_in;
        const float *weight = in[1]->f + k % v.groups * v.in_ch * rows;
        float *y = out[0].f + k * v.out_ch * v.area_out;
        for (int64_t p = 0; bias && p < v.out_ch * v.area_out; p++)
            y[p] = bias[k % v.groups * v.out_ch + p / v.area_out];
        cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (int)rows, (int)v.area_in,
                    (int)v.in_ch, 1, weight, (int)rows, x, (int)v.area_in, 0, spread,
                    (int)v.area_in);
        scatter(&v, spread, y);
    }
    return true;
}

/* Where the output position at[] takes tap[] from in a channel of the input, or -1. */
static int64_t
source(const struct window *w, const int64_t *at, const int64_t *tap)
{
    int64_t offset = 0;
    for (int k = 0; k < w->dims; k++) {
        int64_t x = at[k] + w->pad[k] - tap[k] * w->dilation[k];
        if (x < 0 || x % w->stride[k] || x / w->stride[k] >= w->in[k])
            return -1;
        offset = offset * w->in[k] + x / w->stride[k];
    }
    return offset;
}

static void
linear_row(const struct spread *v, const struct linear_sink *sink, const float *weight,
           int64_t image, int64_t channel, const int64_t *at, uint32_t o)
{
    int64_t group = channel / v->out_ch, first = group * v->in_ch;

    for (int64_t from = first; from < first + v->in_ch; from++) {
        const float *kernel = weight + (from * v->out_ch + channel % v->out_ch) * v->taps;
        int64_t base = (image * v->groups * v->in_ch + from) * v->area_in, tap[MAX_RANK] = {0};
        do {
            int64_t offset = source(&v->w, at, tap);
            if (offset >= 0 && *kernel != 0)
                sink->entry(sink->user, 0, o, (uint32_t)(base + offset), (double)*kernel);
            kernel++;
        } while (odometer(tap, v->w.kernel, v->w.dims));
    }
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct tensor *weight = op_const(c, 1), *bias = op_const(c, 2);
    uint32_t o = 0;
    struct spread v;

    (void)output;
    if (!op_need_const(c, 1) || !op_need_const(c, 2) ||
        !read(c, &op_in(c, 0)->shape, &weight->shape, &v))
        return false;
    for (int64_t image = 0; image < v.batch; image++)
        for (int64_t channel = 0; channel < v.groups * v.out_ch; channel++) {
            int64_t at[MAX_RANK] = {0};
            do {
                linear_row(&v, sink, weight->f, image, channel, at, o);
                if (bias && bias->f[channel] != 0)
                    sink->bias(sink->user, o, (double)bias->f[channel]);
                o++;
            } while (odometer(at, v.w.out, v.w.dims));
        }
    return true;
}

const struct op op_conv_transpose = {
    .attrs = "auto_pad dilations group kernel_shape output_padding output_shape pads strides",
    .infer = infer,
    .eval = eval,
    .linear = linear};
