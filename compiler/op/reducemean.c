/* reducemean.c - ReduceMean: the mean along axes; all of them when none is given. */
#include "op/reduce.h"

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    return reduce_eval(c, in, out, true);
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    (void)output;
    return reduce_linear(c, sink, true);
}

const struct op op_reducemean = {.attrs = "axes keepdims noop_with_empty_axes",
                                 .infer = reduce_infer,
                                 .eval = eval,
                                 .linear = linear};
