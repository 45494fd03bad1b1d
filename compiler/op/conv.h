/* conv.h - a convolution as a matrix product: what its evaluation, the second moments of its inputs
 * and its derivatives share. */
#ifndef OLAC_OP_CONV_H
#define OLAC_OP_CONV_H

#include "op/window.h"

struct conv {
    struct window w;
    int64_t batch, groups, in_ch, out_ch; /* channels of one group */
    int64_t area_in, area_out, taps;      /* pixels of a channel, entries of a kernel */
};

/* Attributes and sizes of a Conv node whose shapes were checked by inference. */
bool conv_read(struct op_ctx *c, const struct shape *x, const struct shape *weight, struct conv *v);
/* The columns of `lines` output lines (a line is the last dimension) from line `first` on, for one
 * group of one image, x its first channel: in_ch * taps rows of lines * out[last] floats. */
void conv_columns(const struct conv *v, const float *x, int64_t first, int64_t lines, float *to);
/* The transpose of conv_columns for all lines: adds columns to the pixels that they came from. */
void conv_scatter(const struct conv *v, const float *columns, float *x);

#endif
