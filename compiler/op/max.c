/* max.c - Max: the largest of its inputs, element by element, broadcast; NaN wins. */
#include "op/op.h"

static bool
infer(struct op_ctx *c)
{
    struct shape s = op_in(c, 0)->shape;
    enum dtype dtype = op_in(c, 0)->dtype;

    for (uint32_t k = 1; k < c->node->in.len; k++) {
        const struct value *v = op_in(c, k);
        if (v->dtype != dtype)
            return op_error(c, E_DTYPE, "inputs are %s and %s, must be of one type",
                            dtype_name(dtype), dtype_name(v->dtype));
        if (!shape_broadcast(&s, &v->shape, &s))
            return op_error(c, E_SHAPE, "input %u of shape %s does not broadcast to %s", k,
                            shape_text(c->arena, &v->shape), shape_text(c->arena, &s));
    }
    op_set(c, 0, dtype, s);
    return true;
}

static void
take(const struct tensor *in, int64_t at, struct tensor *out, int64_t k, bool first)
{
    if (out->f) {
        if (first || !(in->f[at] <= out->f[k] || out->f[k] != out->f[k]))
            out->f[k] = in->f[at];
    } else if (first || in->i[at] > out->i[k]) {
        out->i[k] = in->i[at];
    }
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    out[0] = tensor_new(c->arena, op_out(c, 0)->dtype, op_out(c, 0)->shape);

    const struct shape *s = &out->shape;
    int64_t n = shape_size(s);

    for (uint32_t i = 0; i < c->node->in.len; i++) {
        int64_t stride[MAX_RANK], index[MAX_RANK] = {0}, at = 0;
        shape_strides(&in[i]->shape, s, stride);
        for (int64_t k = 0; k < n; k++) {
            take(in[i], at, out, k, i == 0);
            for (int d = s->rank - 1; d >= 0; d--) {
                at += stride[d];
                if (++index[d] < s->dim[d])
                    break;
                at -= stride[d] * s->dim[d];
                index[d] = 0;
            }
        }
    }
    return true;
}

const struct op op_max = {.infer = infer, .eval = eval};
