/* softmax.h - what Softmax and LogSoftmax share; in softmax.c. */
#ifndef OLAC_OP_SOFTMAX_H
#define OLAC_OP_SOFTMAX_H

#include "op/op.h"

bool softmax_infer(struct op_ctx *c);
/* exp(x) / sum exp(x), or its logarithm. */
bool softmax_eval(struct op_ctx *c, const struct tensor *from, struct tensor *out, bool log_of_it);

#endif
