/* reducesum.c - ReduceSum: the sum along axes; all of them when none is given. */
#include "op/reduce.h"

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    return reduce_eval(c, in, out, false);
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    (void)output;
    return reduce_linear(c, sink, false);
}

const struct op op_reducesum = {.attrs = "axes keepdims noop_with_empty_axes",
                                .infer = reduce_infer,
                                .eval = eval,
                                .linear = linear};
