/* identity.c - Identity. */
#include "op/move.h"

const struct op op_identity = {
    .infer = op_infer_same, .eval = move_eval_reshape, .linear = op_linear_move};
