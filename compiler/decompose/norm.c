/* norm.c - LayerNormalization and InstanceNormalization: c / sqrt(mean c^2 + epsilon), c = x - mean
 * x. The variance is repeated to the shape of x before its root: one map does both, and what comes
 * out of the polynomial is multiplied as it is. */
#include "decompose/build.h"

/* What a norm is made of; variance: with epsilon, not repeated. */
struct parts {
    uint32_t mean, variance, normal;
};

static struct parts
normal(struct rewrite *r, const bool axis[MAX_RANK])
{
    uint32_t x = rewrite_in(r, 0);
    struct shape s = *rewrite_shape(r, x);
    struct op_ctx c = {r->g, &r->at, NULL, NULL};
    struct parts p = {.mean = build_mean(r, "mean", x, axis)};
    /* one for the square and one for the product: each merges with the copy that a product makes
     * of a factor, which would take a level of its own if both read one */
    uint32_t centred = build_binary(r, OP_sub, "centred", x, p.mean);
    uint32_t again = build_binary(r, OP_sub, "centred", x, p.mean);
    uint32_t square = build_binary(r, OP_mul, "square", again, again);

    p.variance = build_binary(r, OP_add, "epsilon", build_mean(r, "variance", square, axis),
                              build_number(r, op_float(&c, "epsilon", 1e-5)));
    uint32_t root = build_unary(r, OP_rsqrt, "rsqrt", build_expand(r, "all", p.variance, &s));
    p.normal = build_binary(r, OP_mul, "normal", centred, root);
    return p;
}

/* Output k is `value`, where it is wanted. */
static void
also(struct rewrite *r, uint32_t k, enum op_id op, uint32_t value)
{
    uint32_t out = k < r->at.out.len ? r->at.out.at[k] : NONE;

    if (out != NONE && graph_uses(r->g, out))
        graph_replace(r->g, out, op == OP_NONE ? value : build_unary(r, op, "rsqrt", value));
}

/* y * scale + bias, which broadcast; bias may be left out. */
static uint32_t
affine(struct rewrite *r, uint32_t y, uint32_t scale, uint32_t bias)
{
    y = build_binary(r, OP_mul, "scaled", y, scale);
    return bias == NONE ? y : build_binary(r, OP_add, "shifted", y, bias);
}

uint32_t
rewrite_layernorm(struct rewrite *r)
{
    const struct shape *s = rewrite_shape(r, rewrite_in(r, 0));
    struct op_ctx c = {r->g, &r->at, NULL, NULL};
    int64_t from = op_int(&c, "axis", -1);
    bool axis[MAX_RANK];

    if (shape_size(s) < 1)
        return NONE;
    from += from < 0 ? s->rank : 0;
    for (int d = 0; d < MAX_RANK; d++)
        axis[d] = d >= from && d < s->rank;
    struct parts p = normal(r, axis);
    also(r, 1, OP_NONE, p.mean);
    also(r, 2, OP_rsqrt, p.variance);
    return affine(r, p.normal, rewrite_in(r, 1), rewrite_in(r, 2));
}

uint32_t
rewrite_instancenorm(struct rewrite *r)
{
    struct shape s = *rewrite_shape(r, rewrite_in(r, 0)), column = {.rank = s.rank - 1};
    bool axis[MAX_RANK];

    if (shape_size(&s) < 1)
        return NONE;
    for (int d = 0; d < MAX_RANK; d++)
        axis[d] = d >= 2 && d < s.rank;
    for (int d = 0; d < column.rank; d++)
        column.dim[d] = d ? 1 : s.dim[1];
    return affine(r, normal(r, axis).normal, build_reshape(r, "scale", rewrite_in(r, 1), &column),
                  build_reshape(r, "bias", rewrite_in(r, 2), &column));
}
