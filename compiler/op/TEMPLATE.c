/* NAME.c - NAME: what it computes, in one sentence; when it is affine, if not always.
 *
 * To add an operator: a row in ir/ops.def (its class says which functions below it needs), this
 * file under the row's symbol, cases in tests/op/expected.txt (tests/op/make_table.sh writes them)
 * or a test in tests/unit/op. */
#include "op/op.h"

/* Type and shape of every output. All that a file may get wrong is refused here, so that the others
 * can rely on it: ranks, sizes that must agree, attributes out of range. */
static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);

    if (!op_need_float(c, 0))
        return false;
    if (x->shape.rank < 1)
        return op_error(c, E_SHAPE, "its input is a scalar");
    op_set(c, 0, x->dtype, x->shape);
    return true;
}

/* The outputs in the clear, exactly as ONNX says, for the graph's opset (c->graph->opset). */
static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    double alpha = op_float(c, "alpha", 1);
    int64_t n = shape_size(&in[0]->shape);

    out[0] = tensor_new(c->arena, in[0]->dtype, in[0]->shape);
    for (int64_t k = 0; k < n; k++)
        out[0].f[k] = (float)(alpha * (double)in[0]->f[k]);
    return true;
}

/* LINEAR: output o as a weighted sum of inputs i, plus a bias; outputs in ascending order. An op
 * that only moves elements takes op_linear_move instead. NONLIN has fn and derivative in its place.
 */
static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    int64_t n = shape_size(&op_out(c, output)->shape);

    for (int64_t k = 0; k < n; k++)
        sink->entry(sink->user, 0, (uint32_t)k, (uint32_t)k, op_float(c, "alpha", 1));
    return true;
}

const struct op op_NAME = {.attrs = "alpha", .infer = infer, .eval = eval, .linear = linear};
