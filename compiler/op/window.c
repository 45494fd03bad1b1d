/* window.c - see window.h. Attribute values are untrusted: everything is bounded before it is added
 * or multiplied. */
#include "op/window.h"

#include <string.h>

/* Bound of strides, dilations, kernels and pads; sums and products of two stay far below 2^63. */
#define WINDOW_MAX ((int64_t)1 << 28)
/* Elements of all windows of a node: a minute of work. */
#define WINDOW_MAX_TAPS 0x1p36

static bool
list(struct op_ctx *c, const char *name, int dims, int64_t low, int64_t otherwise, int64_t *v)
{
    const int64_t *given;
    uint32_t n;
    bool present;

    if (!op_ints(c, name, -1, &given, &n, &present))
        return false;
    if (present && n != (uint32_t)dims)
        return op_error(c, E_ATTRIBUTE, "attribute '%s' has %u entries and needs %d", name, n,
                        dims);
    for (int k = 0; k < dims; k++) {
        v[k] = present ? given[k] : otherwise;
        if (v[k] < low || v[k] > WINDOW_MAX)
            return op_error(c, E_ATTRIBUTE, "attribute '%s' has the entry %lld", name,
                            (long long)v[k]);
    }
    return true;
}

bool
window_lists(struct op_ctx *c, const struct shape *x, const int64_t *kernel, struct window *w)
{
    int64_t pads[2 * MAX_RANK];

    memset(w, 0, sizeof *w);
    if (x->rank < 3)
        return op_error(c, E_SHAPE, "input 0 is %s and must be [batch, channels, spatial ...]",
                        shape_text(c->arena, x));
    w->dims = x->rank - 2;
    memcpy(w->in, x->dim + 2, (size_t)w->dims * sizeof *w->in);
    for (int k = 0; k < w->dims; k++) {
        w->kernel[k] = kernel[k];
        if (kernel[k] < 1 || kernel[k] > WINDOW_MAX)
            return op_error(c, E_ATTRIBUTE, "the kernel has the size %lld", (long long)kernel[k]);
    }
    if (!list(c, "strides", w->dims, 1, 1, w->stride) ||
        !list(c, "dilations", w->dims, 1, 1, w->dilation) ||
        !list(c, "pads", 2 * w->dims, 0, 0, pads))
        return false;
    memcpy(w->pad, pads, (size_t)w->dims * sizeof *pads);
    memcpy(w->pad_end, pads + w->dims, (size_t)w->dims * sizeof *pads);
    return true;
}

const int64_t *
window_kernel(struct op_ctx *c, const struct shape *x)
{
    const int64_t *kernel;
    uint32_t n;
    bool present;

    if (!op_ints(c, "kernel_shape", -1, &kernel, &n, &present))
        return NULL;
    if (!present || x->rank < 3 || n != (uint32_t)x->rank - 2) {
        op_error(c, E_ATTRIBUTE,
                 "attribute 'kernel_shape' must have one entry for each spatial "
                 "dimension of %s",
                 shape_text(c->arena, x));
        return NULL;
    }
    return kernel;
}

/* Pads of SAME_UPPER and SAME_LOWER: the output is the input over the stride, rounded up. */
static void
pad_same(struct window *w, int k, bool upper)
{
    int64_t reach = (w->kernel[k] - 1) * w->dilation[k] + 1;
    w->out[k] = (w->in[k] + w->stride[k] - 1) / w->stride[k];
    int64_t total = (w->out[k] - 1) * w->stride[k] + reach - w->in[k];
    if (total < 0)
        total = 0;
    w->pad[k] = upper ? total / 2 : total - total / 2;
    w->pad_end[k] = total - w->pad[k];
}

bool
window_read(struct op_ctx *c, const struct shape *x, const int64_t *kernel, struct window *w)
{
    const char *mode = op_string(c, "auto_pad", "NOTSET");
    bool same = strncmp(mode, "SAME_", 5) == 0, ceil_mode = op_int(c, "ceil_mode", 0) != 0;

    if (!window_lists(c, x, kernel, w))
        return false;
    if (strcmp(mode, "NOTSET") && strcmp(mode, "VALID") && strcmp(mode, "SAME_UPPER") &&
        strcmp(mode, "SAME_LOWER"))
        return op_error(c, E_ATTRIBUTE, "attribute 'auto_pad' is '%s'", mode);
    for (int k = 0; k < w->dims; k++) {
        if (strcmp(mode, "NOTSET") && (w->pad[k] || w->pad_end[k]))
            return op_error(c, E_ATTRIBUTE, "'pads' do not go with auto_pad '%s'", mode);
        if (same) {
            pad_same(w, k, strcmp(mode, "SAME_UPPER") == 0);
            continue;
        }
        int64_t reach = (w->kernel[k] - 1) * w->dilation[k] + 1;
        int64_t room = w->in[k] + w->pad[k] + w->pad_end[k] - reach;
        if (room < 0)
            return op_error(c, E_SHAPE,
                            "the kernel reaches over %lld, but the padded input has only "
                            "%lld in spatial dimension %d",
                            (long long)reach, (long long)(room + reach), k);
        w->out[k] = (room + (ceil_mode ? w->stride[k] - 1 : 0)) / w->stride[k] + 1;
        if (ceil_mode && (w->out[k] - 1) * w->stride[k] >= w->in[k] + w->pad[k])
            w->out[k]--;
    }
    double taps = (double)window_volume(w->out, w->dims) *
                  (double)window_volume(w->kernel, w->dims) * (double)(x->dim[0] * x->dim[1]);
    if (taps > WINDOW_MAX_TAPS)
        return op_error(c, E_TENSOR_SIZE, "would have %g elements in all its windows", taps);
    return op_work(c, taps);
}
