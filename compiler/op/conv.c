/* conv.c - Conv in one to six spatial dimensions: any stride, dilation, groups, pads, auto_pad.
 * Evaluated as a matrix product for each group, on columns gathered a few output lines at a time so
 * that they stay in the cache. */
#include "op/conv.h"
#include "op/shifted.h"

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

/* Positions low .. high - 1 of an output line meet a tap inside of the input, at `shift` and every
 * `stride` elements on. */
struct span {
    int64_t len, low, high, shift, stride;
};

static struct span
span_of(const struct window *w, const int64_t *tap)
{
    int last = w->dims - 1;
    struct span s = {.len = w->out[last],
                     .shift = tap[last] * w->dilation[last] - w->pad[last],
                     .stride = w->stride[last]};

    s.low = s.shift < 0 ? (-s.shift + s.stride - 1) / s.stride : 0;
    s.high = s.shift < w->in[last] ? (w->in[last] - s.shift + s.stride - 1) / s.stride : 0;
    s.low = s.low > s.len ? s.len : s.low;
    s.high = s.high < s.low ? s.low : s.high > s.len ? s.len : s.high;
    return s;
}

/* Where in a channel the input line begins that a tap meets at an output line (a line is the last
 * dimension); false in the padding. */
static bool
line_of(const struct window *w, const int64_t *tap, int64_t line, int64_t *offset)
{
    int last = w->dims - 1;
    int64_t scale = 1;
    bool inside = true;

    *offset = 0;
    for (int k = last - 1; k >= 0; k--) {
        int64_t at = line % w->out[k] * w->stride[k] - w->pad[k] + tap[k] * w->dilation[k];
        line /= w->out[k];
        inside = inside && at >= 0 && at < w->in[k];
        *offset += at * scale;
        scale *= w->in[k];
    }
    *offset *= w->in[last];
    return inside;
}

/* One row of columns: tap tap[] of one channel x at the output positions of lines first .. first +
 * n - 1. to: n * out[dims - 1] floats. */
static void
gather_row(const struct window *w, const float *x, const int64_t *tap, int64_t first, int64_t n,
           float *to)
{
    struct span s = span_of(w, tap);

    for (int64_t line = first; line < first + n; line++, to += s.len) {
        int64_t offset;
        if (!line_of(w, tap, line, &offset)) {
            memset(to, 0, (size_t)s.len * sizeof *to);
            continue;
        }
        offset += s.shift;
        memset(to, 0, (size_t)s.low * sizeof *to);
        memset(to + s.high, 0, (size_t)(s.len - s.high) * sizeof *to);
        if (s.stride == 1 && s.high > s.low)
            memcpy(to + s.low, x + offset + s.low, (size_t)(s.high - s.low) * sizeof *to);
        else
            for (int64_t p = s.low; p < s.high; p++)
                to[p] = x[offset + p * s.stride];
    }
}

/* The transpose of gather_row for all lines. */
static void
scatter_row(const struct window *w, const int64_t *tap, int64_t lines, const float *from, float *x)
{
    struct span s = span_of(w, tap);

    for (int64_t line = 0; line < lines; line++, from += s.len) {
        int64_t offset;
        if (!line_of(w, tap, line, &offset))
            continue;
        offset += s.shift;
        for (int64_t p = s.low; p < s.high && s.stride == 1; p++)
            x[offset + p] += from[p];
        for (int64_t p = s.low; p < s.high && s.stride != 1; p++)
            x[offset + p * s.stride] += from[p];
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
            scatter_row(&v->w, tap, v->area_out / v->w.out[v->w.dims - 1], columns, x);
            columns += v->area_out;
        } while (odometer(tap, v->w.kernel, v->w.dims));
    }
}

/* One group of one image. */
static void
eval_group(const struct conv *v, const float *x, const float *weight, const float *bias,
           float *columns, int64_t lines_at_once, float *y)
{
    int64_t len = v->w.out[v->w.dims - 1], lines = v->area_out / len, depth = v->in_ch * v->taps;

    for (int64_t k = 0; k < v->out_ch; k++)
        for (int64_t p = 0; bias && p < v->area_out; p++)
            y[k * v->area_out + p] = bias[k];
    for (int64_t first = 0; first < lines; first += lines_at_once) {
        int64_t n = lines - first < lines_at_once ? lines - first : lines_at_once;
        conv_columns(v, x, first, n, columns);
        cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (int)v->out_ch, (int)(n * len),
                    (int)depth, 1, weight, (int)depth, columns, (int)(n * len), 1, y + first * len,
                    (int)v->area_out);
    }
}

static void
eval_columns(struct op_ctx *c, const struct conv *v, const float *x, const float *weight,
             const float *bias, float *y)
{
    int64_t depth = v->in_ch * v->taps, len = v->w.out[v->w.dims - 1];
    int64_t lines = COLUMNS / (depth * len);

    lines = lines < 1 ? 1 : lines > v->area_out / len ? v->area_out / len : lines;
    float *columns = ARENA_ARRAY(c->arena, float, (size_t)(depth * lines * len));
    for (int64_t k = 0; k < v->batch * v->groups; k++) {
        int64_t channel = k % v->groups * v->out_ch;
        eval_group(v, x + k * v->in_ch * v->area_in, weight + channel * depth,
                   bias ? bias + channel : NULL, columns, lines, y + k * v->out_ch * v->area_out);
    }
}

/* ---- two spatial dimensions ---------------------------------------------------------------- */

/* The input with its padding, cut into planes by the strides so that what a tap meets at adjacent
 * outputs stands side by side: pixel (i, j) of the padded input is pixel (i / stride, j / stride)
 * of plane (i % stride, j % stride). An output stands where tap 0 reads; the ends of lines are
 * computed with the rest and left out. */
struct planes {
    int64_t height, width; /* of a plane */
    int64_t high, wide;    /* planes of a channel that any tap reads */
    uint32_t *offset;      /* [channel][tap]: from an output's place to what it meets */
    int64_t n, size;       /* places of outputs; floats of a group's planes */
};

/* Not worth it for few outputs: blocks would be mostly empty. */
static bool
planes_fit(const struct conv *v, struct planes *p)
{
    const struct window *w = &v->w;

    if (w->dims != 2 || v->area_out < SHIFTED_BLOCK)
        return false;
    int64_t reach0 = (w->kernel[0] - 1) * w->dilation[0] + 1;
    int64_t reach1 = (w->kernel[1] - 1) * w->dilation[1] + 1;
    p->height = w->out[0] + (reach0 - 1) / w->stride[0];
    p->width = w->out[1] + (reach1 - 1) / w->stride[1];
    p->high = reach0 < w->stride[0] ? reach0 : w->stride[0];
    p->wide = reach1 < w->stride[1] ? reach1 : w->stride[1];
    p->n = (w->out[0] - 1) * p->width + w->out[1];
    p->size = v->in_ch * p->high * p->wide * p->height * p->width;
    return p->size < (int64_t)1 << 24;
}

static uint32_t *
planes_offsets(struct arena *a, const struct conv *v, const struct planes *p)
{
    const struct window *w = &v->w;
    uint32_t *offset = ARENA_ARRAY(a, uint32_t, (size_t)(v->in_ch * v->taps)), *to = offset;

    for (int64_t channel = 0; channel < v->in_ch; channel++)
        for (int64_t t = 0; t < v->taps; t++) {
            int64_t i = t / w->kernel[1] * w->dilation[0], j = t % w->kernel[1] * w->dilation[1];
            int64_t plane = (channel * p->high + i % w->stride[0]) * p->wide + j % w->stride[1];
            *to++ =
                (uint32_t)((plane * p->height + i / w->stride[0]) * p->width + j / w->stride[1]);
        }
    return offset;
}

/* One line of a plane from a line of the input; x == NULL: beyond its edge. */
static void
plane_line(const struct conv *v, const struct planes *p, const float *x, int64_t first, float *to)
{
    int64_t stride = v->w.stride[1], shift = first - v->w.pad[1], in = v->w.in[1];
    int64_t low = shift < 0 ? (-shift + stride - 1) / stride : 0;
    int64_t high = shift < in ? (in - shift + stride - 1) / stride : 0;

    low = !x || low > p->width ? p->width : low;
    high = high < low ? low : high > p->width ? p->width : high;
    for (int64_t k = 0; k < low; k++)
        to[k] = 0;
    if (stride == 1 && low < high)
        memcpy(to + low, x + low + shift, (size_t)(high - low) * sizeof *to);
    for (int64_t k = low; stride > 1 && k < high; k++)
        to[k] = x[k * stride + shift];
    for (int64_t k = high; k < p->width; k++)
        to[k] = 0;
}

static void
fill_planes(const struct conv *v, const struct planes *p, const float *x, float *to)
{
    for (int64_t channel = 0; channel < v->in_ch; channel++, x += v->area_in)
        for (int64_t i = 0; i < p->high; i++)
            for (int64_t j = 0; j < p->wide; j++)
                for (int64_t k = 0; k < p->height; k++, to += p->width) {
                    int64_t line = k * v->w.stride[0] + i - v->w.pad[0];
                    bool inside = line >= 0 && line < v->w.in[0];
                    plane_line(v, p, inside ? x + line * v->w.in[1] : NULL, j, to);
                }
}

static void
eval_planes(struct op_ctx *c, const struct conv *v, struct planes *p, const float *x,
            const float *weight, const float *bias, float *y)
{
    int64_t depth = v->in_ch * v->taps, len = v->w.out[1];
    uint32_t pitch = (uint32_t)(p->n + SHIFTED_BLOCK - 1) / SHIFTED_BLOCK * SHIFTED_BLOCK;
    float *planes = ARENA_ARRAY(c->arena, float, (size_t)p->size + SHIFTED_BLOCK);
    float *made = ARENA_ARRAY(c->arena, float, (size_t)pitch *SHIFTED_ROWS);

    p->offset = planes_offsets(c->arena, v, p);
    for (int64_t k = 0; k < v->batch * v->groups; k++) {
        fill_planes(v, p, x + k * v->in_ch * v->area_in, planes);
        for (int64_t first = 0, n; first < v->out_ch; first += n) {
            int64_t channel = k % v->groups * v->out_ch + first;
            n = v->out_ch - first < SHIFTED_ROWS ? v->out_ch - first : SHIFTED_ROWS;
            for (int64_t r = 0; r < n; r++)
                for (uint32_t at = 0; at < pitch; at++)
                    made[r * pitch + at] = bias ? bias[channel + r] : 0;
            shifted_product(weight + channel * depth, (uint32_t)n, planes, p->offset,
                            (uint32_t)depth, made, (uint32_t)p->n, pitch);
            for (int64_t r = 0; r < n; r++)
                for (int64_t line = 0; line < v->w.out[0]; line++, y += len)
                    memcpy(y, made + r * pitch + line * p->width, (size_t)len * sizeof *y);
        }
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    struct planes p = {0};
    struct conv v;

    if (!conv_read(c, &in[0]->shape, &in[1]->shape, &v))
        return false;
    out[0] = tensor_new(c->arena, in[0]->dtype, op_out(c, 0)->shape);
    if (planes_fit(&v, &p))
        eval_planes(c, &v, &p, in[0]->f, in[1]->f, in[2]->f, out[0].f);
    else
        eval_columns(c, &v, in[0]->f, in[1]->f, in[2]->f, out[0].f);
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
