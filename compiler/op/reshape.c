/* reshape.c - Reshape: the same elements under another shape; -1 stands for what is left over, 0
 * for the input's dimension (unless allowzero). */
#include "op/move.h"

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    const int64_t *want;
    uint32_t n;
    bool present, keep = op_int(c, "allowzero", 0) == 0;
    struct shape out = {0};
    int64_t size = shape_size(&x->shape), known = 1;
    int open = -1;

    if (!op_ints(c, "shape", 1, &want, &n, &present))
        return false;
    if (!present)
        return op_error(c, E_OP_INPUTS, "has no shape");
    if (n > MAX_RANK)
        return op_error(c, E_SHAPE, "the new shape has %u dimensions; olac takes %d", n, MAX_RANK);
    out.rank = (int)n;
    for (int k = 0; k < out.rank; k++) {
        out.dim[k] = want[k];
        if (want[k] == 0 && keep) {
            if (k >= x->shape.rank)
                return op_error(c, E_SHAPE, "dimension %d is 0, but the input is only %s", k,
                                shape_text(c->arena, &x->shape));
            out.dim[k] = x->shape.dim[k];
        } else if (want[k] == -1 && open < 0) {
            open = k;
            continue;
        } else if (want[k] < 0) {
            return op_error(c, E_SHAPE, "the new shape has the dimension %lld", (long long)want[k]);
        }
        if (__builtin_mul_overflow(known, out.dim[k], &known))
            return op_error(c, E_SHAPE, "the new shape is too large");
    }
    if (open >= 0 && (known == 0 || size % known))
        return op_error(c, E_SHAPE, "%s cannot be divided into a shape with %lld elements and -1",
                        shape_text(c->arena, &x->shape), (long long)known);
    if (open >= 0)
        out.dim[open] = size / known;
    if (open < 0 && known != size)
        return op_error(c, E_SHAPE, "%s has not as many elements as %s",
                        shape_text(c->arena, &x->shape), shape_text(c->arena, &out));
    op_set(c, 0, x->dtype, out);
    return true;
}

const struct op op_reshape = {.attrs = "allowzero shape",
                              .infer = infer,
                              .eval = move_eval_reshape,
                              .linear = op_linear_move};
