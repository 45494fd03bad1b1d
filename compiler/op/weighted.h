/* weighted.h - Conv, Gemm and MatMul by a constant as what they share: y = W x (+ b) at every
 * position. For passes that change weights. */
#ifndef OLAC_OP_WEIGHTED_H
#define OLAC_OP_WEIGHTED_H

#include "op/conv.h"

struct weighted {
    uint32_t node;
    uint32_t x, y, weight, bias; /* values; bias NONE: there is none, else `groups * rows` floats */
    /* a group's W is rows x depth and meets `positions` columns of an image */
    int64_t groups, rows, depth, positions;
    int64_t row_step,
        col_step; /* W[g][r][j] = data[g * rows * depth + r * row_step + j * col_step] */
    double scale, bias_scale; /* Gemm's alpha and beta: y = scale W x + bias_scale b */
    bool dense;               /* x is positions x depth and y positions x rows; else conv says */
    struct conv conv;
};

/* False when the node is none of them: its weight is not a constant of floats, its bias is no
 * constant or not one number a row, or it multiplies from the left. */
bool weighted_read(struct graph *g, uint32_t node, struct weighted *w);
/* All columns of one image for one group, depth x positions, from x of one image. */
void weighted_columns(const struct weighted *w, const float *x, int64_t group, float *to);
static inline int64_t
weighted_at(const struct weighted *w, int64_t group, int64_t row, int64_t col)
{
    return group * w->rows * w->depth + row * w->row_step + col * w->col_step;
}
/* The node gets constants of its own, so that their data may be changed in place. */
void weighted_own(struct graph *g, struct weighted *w);

#endif
