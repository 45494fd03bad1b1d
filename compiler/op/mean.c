/* mean.c - Mean: of any number of tensors, broadcast. */
#include "op/arith.h"

static bool
infer(struct op_ctx *c)
{
    return op_need_float(c, 0) && arith_infer(c);
}

static bool
eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out)
{
    const struct value *to = op_out(c, 0);
    float count = (float)c->node->in.len;
    struct walk w;

    out[0] = tensor_new(c->arena, to->dtype, to->shape);
    for (uint32_t k = 0; k < c->node->in.len; k++) {
        const struct shape *shape = &in[k]->shape;
        for (bool more = walk_start(&w, &to->shape, &shape, 1); more; more = walk_next(&w))
            for (int64_t j = 0; j < w.len; j++)
                out[0].f[w.row + j] += in[k]->f[w.at[0] + j * w.step[0]];
    }
    for (int64_t k = 0, n = shape_size(&to->shape); k < n; k++)
        out[0].f[k] /= count;
    return true;
}

static bool
linear(struct op_ctx *c, uint32_t output, const struct linear_sink *sink)
{
    double *factor = ARENA_ARRAY(c->arena, double, c->node->in.len);
    (void)output;
    for (uint32_t k = 0; k < c->node->in.len; k++)
        factor[k] = 1.0 / c->node->in.len;
    return arith_linear_sum(c, sink, factor);
}

const struct op op_mean = {.infer = infer, .eval = eval, .linear = linear};
