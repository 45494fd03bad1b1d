/* logsoftmax.c - LogSoftmax: x - log(sum exp(x)), along the axis that Softmax takes. */
#include "op/softmax.h"

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    return softmax_eval(c, in[0], out, true);
}

const struct op op_logsoftmax = {.attrs = "axis", .infer = softmax_infer, .eval = eval};
