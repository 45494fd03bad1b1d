/* globalmaxpool.c - GlobalMaxPool: the largest element of each channel. */
#include "op/op.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    struct shape s = x->shape;

    if (s.rank < 2)
        return op_error(c, E_SHAPE, "the input has rank %d, needs at least 2", s.rank);
    for (int d = 2; d < s.rank; d++)
        s.dim[d] = 1;
    op_set(c, 0, x->dtype, s);
    return true;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    int64_t rows = shape_size(&out->shape), n = rows ? shape_size(&in[0]->shape) / rows : 0;

    for (int64_t r = 0; r < rows; r++) {
        if (out->f) {
            float best = -INFINITY;
            for (int64_t k = 0; k < n; k++)
                best = in[0]->f[r * n + k] <= best ? best : in[0]->f[r * n + k];
            out->f[r] = best;
        } else {
            int64_t best = INT64_MIN;
            for (int64_t k = 0; k < n; k++)
                best = in[0]->i[r * n + k] > best ? in[0]->i[r * n + k] : best;
            out->i[r] = best;
        }
    }
    return true;
}

const struct op op_globalmaxpool = {.infer = infer, .eval = eval};
