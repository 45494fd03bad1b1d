/* conv.c - Conv in one to six spatial dimensions: any stride, dilation, groups, pads, auto_pad.
 * Evaluated as a matrix product for each group, on columns gathered a few output lines at a time so
 * that they stay in the cache. */
#include "op/conv.h"

#include <cblas.h>
#include <string.h>

/* Columns gathered at a time have about this many floats. */
#define COLUMNS ((int64_t)1 << 15)

bool
conv_read(struct op_ctx *c, const struct shape *x, const struct shape *weight, struct conv *v)
{
    if (!window_read(c, x, weight->dim + 2, &v->w))
        return false;
    v->batch = x->dim[0];
    v->groups = op_int(c, "group", 1);
    v->in_ch = weight->dim[1];
    v->out_ch = weight->dim[0] / v->groups;
    v->area_in = window_volume(v->w.in, v->w.dims);
    v->area_out = window_volume(v->w.out, v->w.dims);
    v->taps = window_volume(v->w.kernel, v->w.dims);
    return true;
}

static bool
kernel_shape_ok(struct op_ctx *c, const struct shape *weight)
{
    const int64_t *kernel;
    uint32_t n;
    bool present;

    if (!op_ints(c, "kernel_shape", -1, &kernel, &n, &present))
        return false;
    if (present && (n != (uint32_t)weight->rank - 2 ||
                    memcmp(kernel, weight->dim + 2, n * sizeof *kernel) != 0))
        return op_error(c, E_SHAPE, "kernel_shape differs from that of the weight, %s",
                        shape_text(c->arena, weight));
    return true;
}

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape, *weight = &op_in(c, 1)->shape;
    const struct value *bias = op_in(c, 2);
    int64_t groups = op_int(c, "group", 1);
    struct conv v;

    if (!op_need_float(c, 0) || !op_need_float(c, 1) || !op_need_float(c, 2))
        return false;
    if (x->rank < 3 || weight->rank != x->rank)
        return op_error(c, E_SHAPE,
                        "its input is %s and its weight %s; both must be [.., .., spatial "
                        "...] of one rank",
                        shape_text(c->arena, x), shape_text(c->arena, weight));
    if (groups < 1 || weight->dim[0] % groups || weight->dim[1] > OP_MAX_ELEMENTS / groups ||
        weight->dim[1] * groups != x->dim[1])
        return op_error(c, E_SHAPE,
                        "the weight %s in %lld groups does not fit an input of %lld channels",
                        shape_text(c->arena, weight), (long long)groups, (long long)x->dim[1]);
    if (bias && (bias->shape.rank != 1 || bias->shape.dim[0] != weight->dim[0]))
        return op_error(c, E_SHAPE, "its bias is %s and must have %lld elements",
                        shape_text(c->arena, &bias->shape), (long long)weight->dim[0]);
    if (shape_size(x) == 0 || shape_size(weight) == 0)
        return op_error(c, E_SHAPE, "its input or its weight is empty");
    if (!kernel_shape_ok(c, weight) || !conv_read(c, x, weight, &v))
        return false;
    if (v.w.out[v.w.dims - 1] > OP_MAX_ELEMENTS / (v.in_ch * v.taps))
        return op_error(c, E_TENSOR_SIZE, "one line of output would need too much memory");
    if (!op_work(c, (double)(x->dim[0] * weight->dim[0]) * (double)v.area_out *
                        (double)(v.in_ch * v.taps)))
        return false;
    struct shape out = {x->rank, {x->dim[0], weight->dim[0]}};
    for (int k = 0; k < v.w.dims; k++)
        out.dim[k + 2] = v.w.out[k];
    op_set(c, 0, op_in(c, 0)->dtype, out);
    return true;
}

/* One row of columns: tap tap[] of one channel x at the output positions of lines first .. first +
 * n - 1 (a line is the last dimension). to: n * out[dims - 1] floats. */
static void
gather_row(const struct window *w, const float *x, const int64_t *tap, int64_t first, int64_t n,
           float *to)
{
    int last = w->dims - 1;
    int64_t len = w->out[last], shift = tap[last] * w->dilation[last] - w->pad[last];
    int64_t stride = w->stride[last];
    /* Positions low .. high - 1 of a line lie inside of the input. */
    int64_t low = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t high = shift < w->in[last] ? (w->in[last] - shift + stride - 1) / stride : 0;

    low = low > len ? len : low;
    high = high < low ? low : high > len ? len : high;
    for (int64_t line = first; line < first + n; line++, to += len) {
        int64_t rest = line, offset = 0, scale = 1;
        bool inside = true;
        for (int k = last - 1; k >= 0; k--) {
            int64_t at = rest % w->out[k] * w->stride[k] - w->pad[k] + tap[k] * w->dilation[k];
            rest /= w->out[k];
            inside = inside && at >= 0 && at < w->in[k];
            offset += at * scale;
            scale *= w->in[k];
        }
        if (!inside) {
            memset(to, 0, (size_t)len * sizeof *to);
            continue;
        }
        const float *from = x + offset * w->in[last] + (low < high ? low * stride + shift : 0);
        memset(to, 0, (size_t)low * sizeof *to);
        if (stride == 1)
            memcpy(to + low, from, (size_t)(high - low) * sizeof *to);
        else
            for (int64_t p = 0; p < high - low; p++)
                to[low + p] = from[p * stride];
        memset(to + high, 0, (size_t)(len - high) * sizeof *to);
    }
}

void
conv_columns(const struct conv *v, const float *x, int64_t first, int64_t lines, float *to)
{
    int64_t row = lines * v->w.out[v->w.dims - 1];

    for (int64_t channel = 0; channel < v->in_ch; channel++) {
        int64_t tap[MAX_RANK] = {0};
        do {
            gather_row(&v->w, x + channel * v->area_in, tap, first, lines, to);
            to += row;
        } while (odometer(tap, v->w.kernel, v->w.dims));
    }
}

void
conv_scatter(const struct conv *v, const float *columns, float *x)
{
    for (int64_t channel = 0; channel < v->in_ch; channel++, x += v->area_in) {
        int64_t tap[MAX_RANK] = {0};
        do {
            int64_t at[MAX_RANK] = {0};
            do {
                int64_t offset = window_offset(&v->w, at, tap);
                if (offset >= 0)
                    x[offset] += *columns;
                columns++;
            } while (odometer(at, v->w.out, v->w.dims));
        } while (odometer(tap, v->w.kernel, v->w.dims));
    }
}

/* One group of one image. */
static void
eval_group(const struct conv *v, const float *x, const float *weight, float *columns,
           int64_t lines_at_once, float *y)
{
    int64_t len = v->w.out[v->w.dims - 1], lines = v->area_out / len, depth = v->in_ch * v->taps;

    for (int64_t first = 0; first < lines; first += lines_at_once) {
        int64_t n = lines - first < lines_at_once ? lines - first : lines_at_once;
        conv_columns(v, x, first, n, columns);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)v->out_ch, (int)(n * len),
                    (int)depth, 1, weight, (int)depth, columns, (int)(n * len), 1, y + first * len,
                    (int)v->area_out);
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const float *bias = in[2]->f;
    struct conv v;

    if (!conv_read(c, &in[0]->shape, &in[1]->shape, &v))
        return false;
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    int64_t depth = v.in_ch * v.taps, len = v.w.out[v.w.dims - 1];
    int64_t lines = COLUMNS / (depth * len);
    lines = lines < 1 ? 1 : lines > v.area_out / len ? v.area_out / len : lines;
    float *columns = ARENA_ARRAY(c->arena, float, (size_t)(depth * lines * len));
    for (int64_t k = 0; bias && k < v.batch * v.groups * v.out_ch; k++)
        for (int64_t p = 0; p < v.area_out; p++)
            out[0].f[k * v.area_out + p] = bias[k % (v.groups * v.out_ch)];
    for (int64_t k = 0; k < v.batch * v.groups; k++)
        eval_group(&v, in[0]->f + k * v.in_ch * v.area_in,
                   in[1]->f + k % v.groups * v.out_ch * depth, columns, lines,
                   out[0].f + k * v.out_ch * v.area_out);
    return true;
}

/* Row o: output channel `channel` of all, at position at[] of one image. */
static void
linear_row(const struct conv *v, const struct linear_sink *sink, const float *weight, int64_t image,
           int64_t channel, const int64_t *at, uint32_t o)
{
    int64_t group = channel / v->out_ch;
    int64_t base = (image * v->groups + group) * v->in_ch * v->area_in;

    weight += channel * v->in_ch * v->taps;
    for (int64_t from = 0; from < v->in_ch; from++, base += v->area_in) {
        int64_t tap[MAX_RANK] = {0};
        do {
            int64_t offset = window_offset(&v->w, at, tap);
            if (offset >= 0)
                sink->entry(sink->user, 0, o, (uint32_t)(base + offset), (double)*weight);
            weight++;
        } while (odometer(tap, v->w.kernel, v->w.dims));
    }
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct tensor *weight = op_const(c, 1), *bias = op_const(c, 2);
    uint32_t o = 0;
    struct conv v;

    (void)output;
    if (!op_need_const(c, 1) || !op_need_const(c, 2) ||
        !conv_read(c, &op_in(c, 0)->shape, &weight->shape, &v))
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

const struct op op_conv = {.attrs = "auto_pad dilations group kernel_shape pads strides",
                           .infer = infer,
                           .eval = eval,
                           .linear = linear};
