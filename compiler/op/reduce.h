/* reduce.h - sums along axes, for ReduceSum and ReduceMean. */
#ifndef OLAC_OP_REDUCE_H
#define OLAC_OP_REDUCE_H

#include "op/op.h"

/* For each output, in order, the inputs that it is the sum of: `count` of them, at offsets
 * base + the odometer of reduced[] with strides along[]. */
struct reduce {
    bool nothing; /* no axes and noop_with_empty_axes: the input itself */
    bool axis[MAX_RANK];
    int kept, dropped; /* how many dimensions */
    int64_t keep[MAX_RANK], keep_stride[MAX_RANK], drop[MAX_RANK], drop_stride[MAX_RANK];
    int64_t count; /* product of drop[] */
};

/* Reads axes, keepdims and noop_with_empty_axes and sets output 0. */
bool reduce_infer(struct op_ctx *c);
/* Sum over the axes, times 1 / count when mean; integers stay integers. */
bool reduce_eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out, bool mean);
bool reduce_linear(struct op_ctx *c, const struct linear_sink *sink, bool mean);

#endif
