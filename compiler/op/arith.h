/* arith.h - what the element-wise operators of two or more tensors share. */
#ifndef OLAC_OP_ARITH_H
#define OLAC_OP_ARITH_H

#include "op/broadcast.h"
#include "op/op.h"

/* One row: y[j] = a[j * sa] op b[j * sb], j < n; steps are 0 or 1. The integer one is false when a
 * value cannot be computed. */
struct arith {
    void (*reals)(const float *a, int64_t sa, const float *b, int64_t sb, float *y, int64_t n);
    bool (*ints)(const int64_t *a, int64_t sa, const int64_t *b, int64_t sb, int64_t *y, int64_t n);
};

/* Output 0 gets the broadcast of all inputs, which must have one type, and that type. */
bool arith_infer(struct op_ctx *c);
/* The broadcast of all inputs alone. */
bool arith_shape(struct op_ctx *c, struct shape *out);
bool arith_eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out,
                const struct arith *op);
/* out = sum of factor[k] * input k, over all inputs, broadcast; constants become bias. */
bool arith_linear_sum(struct op_ctx *c, const struct linear_sink *sink, const double *factor);
/* Element i of a constant as a number. */
double arith_value(const struct tensor *t, int64_t i);

#endif
