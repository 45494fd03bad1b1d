/* batchnorm.c - BatchNormalization as it is outside of training: an affine map of each channel. */
#include "op/op.h"

#include <math.h>

static bool
infer(struct op_ctx *c)
{
    static const char *const names[] = {"input", "scale", "bias", "mean", "variance"};
    const struct value *x = op_in(c, 0);

    if (op_int(c, "training_mode", 0) != 0)
        return op_error(c, E_OP_FORM, "training_mode must be 0");
    if (op_int(c, "spatial", 1) != 1)
        return op_error(c, E_OP_FORM, "spatial must be 1: one mean and variance a channel");
    if (x->shape.rank < 2)
        return op_error(c, E_SHAPE, "its input is %s, not [batch, channels ...]",
                        shape_text(c->arena, &x->shape));
    for (uint32_t k = 0; k < 5; k++) {
        const struct value *v = op_in(c, k);
        if (!op_need_float(c, k))
            return false;
        if (k > 0 && (v->shape.rank != 1 || v->shape.dim[0] != x->shape.dim[1]))
            return op_error(c, E_SHAPE, "its %s is %s, but the input has %lld channels", names[k],
                            shape_text(c->arena, &v->shape), (long long)x->shape.dim[1]);
    }
    op_set(c, 0, x->dtype, x->shape);
    return true;
}

/* y = factor x + shift in channel k; p: the five inputs. */
static void
channel(const struct op_ctx *c, const struct tensor *const *p, int64_t k, double *factor,
        double *shift)
{
    double eps = op_float(c, "epsilon", 1e-5);
    *factor = (double)p[1]->f[k] / sqrt((double)p[4]->f[k] + eps);
    *shift = (double)p[2]->f[k] - *factor * (double)p[3]->f[k];
}

static int64_t
plane_size(const struct shape *x)
{
    int64_t size = 1;
    for (int k = 2; k < x->rank; k++)
        size *= x->dim[k];
    return size;
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct shape *x = &in[0]->shape;
    int64_t area = plane_size(x);
    double factor, shift;

    out[0] = tensor_new(c->arena, in[0]->dtype, *x);
    for (int64_t plane = 0; plane < x->dim[0] * x->dim[1]; plane++) {
        channel(c, in, plane % x->dim[1], &factor, &shift);
        for (int64_t k = plane * area; k < (plane + 1) * area; k++)
            out[0].f[k] = (float)(factor * (double)in[0]->f[k] + shift);
    }
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    const struct shape *x = &op_in(c, 0)->shape;
    const struct tensor *p[5] = {NULL};
    int64_t area = plane_size(x);
    double factor, shift;

    (void)output;
    for (uint32_t k = 1; k < 5; k++) {
        if (!op_need_const(c, k))
            return false;
        p[k] = op_const(c, k);
    }
    for (int64_t plane = 0; plane < x->dim[0] * x->dim[1]; plane++) {
        channel(c, p, plane % x->dim[1], &factor, &shift);
        for (int64_t k = plane * area; k < (plane + 1) * area; k++) {
            if (op_encrypted(c->graph, c->node->in.at[0]))
                sink->entry(sink->user, 0, (uint32_t)k, (uint32_t)k, factor);
            sink->bias(sink->user, (uint32_t)k, shift);
        }
    }
    return true;
}

const struct op op_batchnorm = {.attrs = "epsilon momentum spatial training_mode",
                                .infer = infer,
                                .eval = eval,
                                .linear = linear};
