/* window.h - the sliding window of convolutions and pools: one reading of kernel, strides,
 * dilations, pads and auto_pad for all of them. */
#ifndef OLAC_OP_WINDOW_H
#define OLAC_OP_WINDOW_H

#include "op/op.h"

/* The spatial part (dimensions 2 and on of [N, C, D1, D2 ...]); dims = rank - 2 >= 1.
 * Output position p of dimension k reads input positions
 * p * stride[k] - pad[k] + t * dilation[k], t < kernel[k], those in [0, in[k]). */
struct window {
    int dims;
    int64_t in[MAX_RANK], out[MAX_RANK], kernel[MAX_RANK], stride[MAX_RANK], dilation[MAX_RANK];
    int64_t pad[MAX_RANK], pad_end[MAX_RANK]; /* before and behind; as given, or made by auto_pad */
};

/* Reads strides, dilations, pads, auto_pad and ceil_mode of the node for an input of shape x
 * and a window of kernel[0 .. rank - 3], and computes out[]. With ceil_mode a window that would
 * start behind the input and its leading pad is left out. Reports what is wrong: E_SHAPE,
 * E_ATTRIBUTE, E_TENSOR_SIZE (op_work). */
bool window_read(struct op_ctx *c, const struct shape *x, const int64_t *kernel, struct window *w);
/* Reads strides, dilations into w (1 where they are left out), and pads (0) for a rank. */
bool window_lists(struct op_ctx *c, const struct shape *x, const int64_t *kernel, struct window *w);
/* kernel_shape, which pools must have; dims entries. NULL after an error. */
const int64_t *window_kernel(struct op_ctx *c, const struct shape *x);

/* Counts index[] up as an odometer over dim[0 .. n - 1]; false when it is back at zero. */
static inline bool
odometer(int64_t *index, const int64_t *dim, int n)
{
    for (int k = n - 1; k >= 0; k--) {
        if (++index[k] < dim[k])
            return true;
        index[k] = 0;
    }
    return false;
}

/* Where tap[] of the window at output position at[] lies in the input, as an offset within one
 * channel; -1 in the padding. */
static inline int64_t
window_offset(const struct window *w, const int64_t *at, const int64_t *tap)
{
    int64_t offset = 0;
    for (int k = 0; k < w->dims; k++) {
        int64_t x = at[k] * w->stride[k] - w->pad[k] + tap[k] * w->dilation[k];
        if (x < 0 || x >= w->in[k])
            return -1;
        offset = offset * w->in[k] + x;
    }
    return offset;
}

/* Product of dims entries; INT64_MAX when it does not fit. */
static inline int64_t
window_volume(const int64_t *dim, int dims)
{
    int64_t volume = 1;
    for (int k = 0; k < dims; k++)
        if (__builtin_mul_overflow(volume, dim[k], &volume))
            return INT64_MAX;
    return volume;
}

#endif
