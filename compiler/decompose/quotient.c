/* quotient.c - quotients by what is encrypted are products with its Reciprocal, or with Rsqrt where
 * it is a root; powers of halves are products of roots; Newton steps. */
#include "decompose/build.h"

#include <math.h>

/* x when a value is Sqrt(x), else NONE. */
static uint32_t
under_root(const struct rewrite *r, uint32_t value)
{
    const struct node *n = graph_producer(r->g, value);

    return n && n->op == OP_sqrt ? n->in.at[0] : NONE;
}

/* 1 / value, repeated to a shape before the activation. */
static uint32_t
inverse(struct rewrite *r, uint32_t value, const struct shape *to)
{
    uint32_t root = under_root(r, value), x = root == NONE ? value : root;

    if (!shape_equal(rewrite_shape(r, x), to))
        x = build_expand(r, "all", x, to);
    return root == NONE ? build_unary(r, OP_reciprocal, "reciprocal", x)
                        : build_unary(r, OP_rsqrt, "rsqrt", x);
}

uint32_t
rewrite_div(struct rewrite *r)
{
    struct shape out = *rewrite_shape(r, r->at.out.at[0]);

    if (!op_encrypted(r->g, rewrite_in(r, 1)))
        return NONE; /* linear */
    return build_binary(r, OP_mul, "quotient", rewrite_in(r, 0),
                        inverse(r, rewrite_in(r, 1), &out));
}

uint32_t
rewrite_reciprocal(struct rewrite *r)
{
    struct shape out = *rewrite_shape(r, r->at.out.at[0]);

    return under_root(r, rewrite_in(r, 0)) == NONE ? NONE : inverse(r, rewrite_in(r, 0), &out);
}

/* The one exponent of a Pow that is a multiple of a half, but no whole number from 1 on (those are
 * products already); 0 when there is none. */
static double
exponent(const struct rewrite *r)
{
    const struct value *e = graph_value(r->g, rewrite_in(r, 1));
    int64_t n = shape_size(&e->shape);

    if (e->kind != VALUE_CONST || n < 1)
        return 0;
    double first = e->data.f ? (double)e->data.f[0] : (double)e->data.i[0];
    for (int64_t k = 1; k < n; k++)
        if ((e->data.f ? (double)e->data.f[k] : (double)e->data.i[k]) != first)
            return 0;
    bool whole = first == floor(first) && first > 0;
    return !whole && 2 * first == floor(2 * first) && fabs(first) <= 32 ? first : 0;
}

/* x = Pow(base, e): base^floor(e) * sqrt(base), (1 / base)^-e, or rsqrt(base)^(-2 e). */
uint32_t
rewrite_pow(struct rewrite *r)
{
    double e = exponent(r), whole = floor(fabs(e));
    uint32_t x = rewrite_in(r, 0);
    struct shape out = *rewrite_shape(r, r->at.out.at[0]);

    if (e == 0 || !op_encrypted(r->g, x))
        return NONE;
    if (!shape_equal(rewrite_shape(r, x), &out))
        x = build_expand(r, "all", x, &out);
    if (e < 0) {
        bool halves = whole != -e;
        uint32_t y = build_unary(r, halves ? OP_rsqrt : OP_reciprocal, "inverse", x);
        double power = halves ? -2 * e : -e;
        return power == 1 ? y : build_binary(r, OP_pow, "power", y, build_number(r, power));
    }
    uint32_t root = build_unary(r, OP_sqrt, "sqrt", x);
    if (whole == 0)
        return root;
    return build_binary(r, OP_mul, "product", root,
                        build_binary(r, OP_pow, "power", x, build_number(r, whole)));
}

uint32_t
newton_step(struct rewrite *r, uint32_t x, uint32_t y, bool root)
{
    uint32_t xy = build_binary(r, OP_mul, "ahead", x, y);

    if (root) {
        xy = build_binary(r, OP_mul, "square",
                          build_binary(r, OP_mul, "half", y, build_number(r, 0.5)), xy);
        return build_binary(r, OP_mul, "step", y,
                            build_binary(r, OP_sub, "rest", build_number(r, 1.5), xy));
    }
    return build_binary(r, OP_mul, "step", y,
                        build_binary(r, OP_sub, "rest", build_number(r, 2), xy));
}
