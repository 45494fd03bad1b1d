/* arith.c - see arith.h. */
#include "op/arith.h"

bool
arith_shape(struct op_ctx *c, struct shape *out)
{
    *out = op_in(c, 0)->shape;
    for (uint32_t k = 1; k < c->node->in.len; k++) {
        const struct value *v = op_in(c, k);
        struct shape so_far = *out;
        if (!shape_broadcast(&so_far, &v->shape, out))
            return op_error(c, E_SHAPE, "%s and %s cannot be broadcast to one shape",
                            shape_text(c->arena, &so_far), shape_text(c->arena, &v->shape));
    }
    return true;
}

bool
arith_infer(struct op_ctx *c)
{
    struct shape out;
    enum dtype t = op_in(c, 0)->dtype;

    for (uint32_t k = 1; k < c->node->in.len; k++)
        if (op_in(c, k)->dtype != t)
            return op_error(c, E_DTYPE, "its inputs are %s and %s", dtype_name(t),
                            dtype_name(op_in(c, k)->dtype));
    if (t == DT_BOOL)
        return op_error(c, E_DTYPE, "does not take booleans");
    if (!arith_shape(c, &out))
        return false;
    op_set(c, 0, t, out);
    return true;
}

bool
arith_eval(struct op_ctx *c, const struct tensor *const *in, struct tensor *out,
           const struct arith *op)
{
    const struct shape *shapes[2] = {&in[0]->shape, &in[1]->shape};
    const struct value *to = op_out(c, 0);
    struct walk w;

    out[0] = tensor_new(c->arena, to->dtype, to->shape);
    for (bool more = walk_start(&w, &to->shape, shapes, 2); more; more = walk_next(&w)) {
        if (out[0].f) {
            op->reals(in[0]->f + w.at[0], w.step[0], in[1]->f + w.at[1], w.step[1],
                      out[0].f + w.row, w.len);
            continue;
        }
        int64_t *y = out[0].i + w.row;
        if (!op->ints(in[0]->i + w.at[0], w.step[0], in[1]->i + w.at[1], w.step[1], y, w.len))
            return op_error(c, E_EVAL, "an integer is divided by zero");
        for (int64_t j = 0; j < w.len; j++)
            y[j] = op_wrap(to->dtype, y[j]);
    }
    return true;
}

double
arith_value(const struct tensor *t, int64_t i)
{
    return t->f ? (double)t->f[i] : (double)t->i[i];
}

bool
arith_linear_sum(struct op_ctx *c, const struct linear_sink *sink, const double *factor)
{
    const struct shape *out = &op_out(c, 0)->shape;
    uint32_t n_in = c->node->in.len;
    struct walk *w = ARENA_ARRAY(c->arena, struct walk, n_in);
    bool more = true;

    for (uint32_t k = 0; k < n_in; k++) {
        const struct shape *in = &op_in(c, k)->shape;
        more = walk_start(&w[k], out, &in, 1);
    }
    while (more) {
        for (int64_t j = 0; j < w[0].len; j++)
            for (uint32_t k = 0; k < n_in; k++) {
                const struct tensor *data = op_const(c, k);
                int64_t i = w[k].at[0] + j * w[k].step[0];
                if (!data)
                    sink->entry(sink->user, k, (uint32_t)(w[0].row + j), (uint32_t)i, factor[k]);
                else if (arith_value(data, i) != 0)
                    sink->bias(sink->user, (uint32_t)(w[0].row + j),
                               factor[k] * arith_value(data, i));
            }
        for (uint32_t k = 0; k < n_in; k++)
            more = walk_next(&w[k]);
    }
    return true;
}
