/* dropout.c - Dropout as it is outside of training: the input unchanged, and a mask of true. */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0), *training = op_in(c, 2);

    if (!op_need_float(c, 0) || !op_need_const(c, 2))
        return false;
    if (training && (training->dtype != DT_BOOL || shape_size(&training->shape) != 1))
        return op_error(c, E_DTYPE, "its training_mode must be one boolean");
    if (training && training->data.i[0])
        return op_error(c, E_OP_FORM, "training_mode must be false");
    op_set(c, 0, x->dtype, x->shape);
    if (op_out(c, 1)) {
        struct tensor mask = tensor_new(c->arena, DT_BOOL, x->shape);
        for (int64_t k = 0, n = shape_size(&x->shape); k < n; k++)
            mask.i[k] = 1;
        op_set_const(c, 1, mask);
    }
    return true;
}

/* Output 1 became a constant during inference. */
const struct op op_dropout = {
    .attrs = "ratio seed", .infer = infer, .eval = move_eval_reshape, .linear = op_linear_move};
