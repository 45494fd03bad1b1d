/* instancenorm.c - InstanceNormalization: each channel of each image to mean 0 and variance 1, then
 * scaled and shifted by one number a channel. */
#include "op/op.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    const struct shape *x = &op_in(c, 0)->shape;

    if (!op_need_float(c, 0) || !op_need_float(c, 1) || !op_need_float(c, 2))
        return false;
    if (x->rank < 3)
        return op_error(c, E_SHAPE, "the input has rank %d, needs at least 3", x->rank);
    for (uint32_t k = 1; k <= 2; k++) {
        const struct shape *s = &op_in(c, k)->shape;
        if (s->rank != 1 || s->dim[0] != x->dim[1])
            return op_error(c, E_SHAPE, "%s is %s, needs one number for each of %lld channels",
                            k == 1 ? "scale" : "B", shape_text(c->arena, s), (long long)x->dim[1]);
    }
    return op_infer_same(c);
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *s = &in[0]->shape;
    double epsilon = op_float(c, "epsilon", 1e-5);

    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    if (shape_size(s) == 0)
        return true;
    int64_t rows = s->dim[0] * s->dim[1], n = shape_size(s) / rows;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = in[0]->f + row * n;
        double mean = 0, square = 0;
        for (int64_t k = 0; k < n; k++)
            mean += (double)x[k];
        mean /= (double)n;
        for (int64_t k = 0; k < n; k++)
            square += ((double)x[k] - mean) * ((double)x[k] - mean);
        double scale = (double)in[1]->f[row % s->dim[1]] / sqrt(square / (double)n + epsilon);
        for (int64_t k = 0; k < n; k++)
            out->f[row * n + k] =
                (float)(((double)x[k] - mean) * scale + (double)in[2]->f[row % s->dim[1]]);
    }
    return true;
}

const struct op op_instancenorm = {.attrs = "epsilon", .infer = infer, .eval = eval};
