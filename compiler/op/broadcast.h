/* broadcast.h - walking over tensors that are broadcast to one shape, row by row. */
#ifndef OLAC_OP_BROADCAST_H
#define OLAC_OP_BROADCAST_H

#include "ir/tensor.h"

#define WALK_MAX 3

/* One row of the output: elements row .. row + len - 1 of it; element j of the row reads element
 * at[k] + j * step[k] of input k. */
struct walk {
    int64_t row, len;
    int64_t at[WALK_MAX], step[WALK_MAX];
    /* The rest is the walk's own. */
    uint32_t n;
    struct shape shape;
    int64_t stride[WALK_MAX][MAX_RANK], index[MAX_RANK];
};

/* Starts at the first row; false when the output is empty. n <= WALK_MAX inputs, each broadcastable
 * to `out`. */
bool walk_start(struct walk *w, const struct shape *out, const struct shape *const *in, uint32_t n);
/* The next row; false behind the last. */
bool walk_next(struct walk *w);

#endif
