/* layernorm.c - LayerNormalization: (x - mean) / sqrt(variance + epsilon) * scale + bias over the
 * dimensions from `axis` on; further outputs are the mean and 1 / sqrt(variance + epsilon). */
#include "op/op.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    const struct value *x = op_in(c, 0);
    struct shape stat = x->shape, both;
    int axis;

    if (!op_need_float(c, 0) || !op_need_float(c, 1) || !op_need_float(c, 2))
        return false;
    if (!op_axis(c, op_int(c, "axis", -1), x->shape.rank, &axis))
        return false;
    for (uint32_t k = 1; k <= 2; k++) {
        const struct value *v = op_in(c, k);
        if (v && (!shape_broadcast(&x->shape, &v->shape, &both) || !shape_equal(&x->shape, &both)))
            return op_error(c, E_SHAPE, "%s %s does not broadcast to the input's %s",
                            k == 1 ? "scale" : "bias", shape_text(c->arena, &v->shape),
                            shape_text(c->arena, &x->shape));
    }
    for (int d = axis; d < stat.rank; d++)
        stat.dim[d] = 1;
    op_set(c, 0, x->dtype, x->shape);
    op_set(c, 1, DT_F32, stat);
    op_set(c, 2, DT_F32, stat);
    return true;
}

/* element k of a row-major index space of shape `s` -> offset in a tensor broadcast to it */
static int64_t
broadcast_at(const struct shape *s, const int64_t *stride, int64_t k)
{
    int64_t at = 0;

    for (int d = s->rank - 1; d >= 0; d--) {
        at += k % s->dim[d] * stride[d];
        k /= s->dim[d];
    }
    return at;
}

/* One row of n elements, from element `first` on; its mean and 1 / deviation to stat. */
static void
normalise(const struct op_ctx *c, const struct tensor *const *in, int64_t first, int64_t n,
          float *y, double stat[2])
{
    const struct shape *s = &in[0]->shape;
    const float *x = in[0]->f + first;
    bool biased = in[2]->f != NULL;
    int64_t by_scale[MAX_RANK], by_bias[MAX_RANK] = {0};
    double mean = 0, square = 0;

    shape_strides(&in[1]->shape, s, by_scale);
    if (biased)
        shape_strides(&in[2]->shape, s, by_bias);
    for (int64_t k = 0; k < n; k++)
        mean += (double)x[k];
    mean /= (double)n;
    for (int64_t k = 0; k < n; k++)
        square += ((double)x[k] - mean) * ((double)x[k] - mean);
    stat[0] = mean;
    stat[1] = 1 / sqrt(square / (double)n + op_float(c, "epsilon", 1e-5));
    for (int64_t k = 0; k < n; k++) {
        double v = ((double)x[k] - mean) * stat[1];
        v *= (double)in[1]->f[broadcast_at(s, by_scale, first + k)];
        if (biased)
            v += (double)in[2]->f[broadcast_at(s, by_bias, first + k)];
        y[first + k] = (float)v;
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *s = &in[0]->shape;
    int64_t axis = op_int(c, "axis", -1), n = 1;

    for (uint32_t k = 0; k < c->node->out.len; k++)
        if (op_out(c, k))
            out[k] = tensor_new(c->arena, op_out(c, k)->dtype, op_out(c, k)->shape);
    if (shape_size(s) == 0)
        return true;
    for (int64_t d = axis < 0 ? axis + s->rank : axis; d < s->rank; d++)
        n *= s->dim[d];
    /* output 0 may be left out when only the statistics are wanted */
    float *y = out[0].f ? out[0].f : tensor_new(c->arena, DT_F32, *s).f;
    for (int64_t row = 0; row < shape_size(s) / n; row++) {
        double stat[2];
        normalise(c, in, row * n, n, y, stat);
        for (uint32_t k = 1; k < c->node->out.len; k++)
            if (out[k].f)
                out[k].f[row] = (float)stat[k - 1];
    }
    return true;
}

const struct op op_layernorm = {.attrs = "axis epsilon stash_type", .infer = infer, .eval = eval};
