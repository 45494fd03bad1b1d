/* clip.c - Clip: min(max(x, lo), hi); lo and hi are attributes before opset 11, inputs since. */
#include "op/op.h"

#include <math.h>

/* A bound as a constant or attribute; `otherwise` when there is none (or when it is encrypted: the
 * approximation refuses that). */
static double
bound(const struct op_ctx *c, uint32_t in, const char *attr, double otherwise)
{
    const struct tensor *t = op_const(c, in);

    if (!t)
        return op_float(c, attr, otherwise);
    return t->f ? (double)t->f[0] : (double)t->i[0];
}

static double
fn(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    double lo = bound(c, 1, "min", -INFINITY), hi = bound(c, 2, "max", INFINITY);
    double y = x < lo ? lo : x;

    return y > hi ? hi : y;
}

static double
derivative(const struct op_ctx *c, uint32_t channel, double x)
{
    (void)channel;
    return x < bound(c, 1, "min", -INFINITY) || x > bound(c, 2, "max", INFINITY) ? 0 : 1;
}

static bool
infer(struct op_ctx *c)
{
    for (uint32_t k = 1; k <= 2; k++) {
        const struct value *v = op_in(c, k);
        if (v && shape_size(&v->shape) != 1)
            return op_error(c, E_SHAPE, "%s must be a scalar, is %s", k == 1 ? "min" : "max",
                            shape_text(c->arena, &v->shape));
    }
    return op_infer_same(c);
}

static void
clip_floats(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    float lo = (float)op_float(c, "min", -INFINITY), hi = (float)op_float(c, "max", INFINITY);
    int64_t n = shape_size(&out->shape);

    if (in[1]->f)
        lo = in[1]->f[0];
    if (in[2]->f)
        hi = in[2]->f[0];
    for (int64_t k = 0; k < n; k++) {
        float y = in[0]->f[k] < lo ? lo : in[0]->f[k];
        out->f[k] = y > hi ? hi : y;
    }
}

static void
clip_integers(const struct tensor *const *in, struct tensor *out)
{
    int64_t lo = in[1]->i ? in[1]->i[0] : INT64_MIN;
    int64_t hi = in[2]->i ? in[2]->i[0] : INT64_MAX;
    int64_t n = shape_size(&out->shape);

    for (int64_t k = 0; k < n; k++) {
        int64_t y = in[0]->i[k] < lo ? lo : in[0]->i[k];
        out->i[k] = y > hi ? hi : y;
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);
    if (out->f)
        clip_floats(c, in, out);
    else
        clip_integers(in, out);
    return true;
}

const struct op op_clip = {
    .attrs = "min max", .infer = infer, .eval = eval, .fn = fn, .derivative = derivative};
