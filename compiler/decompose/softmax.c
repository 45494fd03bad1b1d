/* softmax.c - Softmax by range reduction: z = exp(c / 2^k) with c = x - mean x; then k times z <-
 * z^2, divided by its mean; then z / n for rows of n. For softmax(c)^2, divided by its sum, is
 * softmax(2 c).
 *
 * Softmax does not see what is added to all of a row. Its mean costs no level, where the maximum
 * that programs in the clear take would cost several; and the mean of squares of numbers whose
 * geometric mean, or whose mean, is 1 is at least 1, so what is divided by stays away from 0. k
 * keeps its range short: between 1 and n from the second time on. Squares are positive whatever the
 * polynomial of exp. Source: Cho et al., "Fast and Accurate Homomorphic Softmax Evaluation" (CCS
 * 2024), which normalises and squares so. */
#include "decompose/build.h"

#include <math.h>

/* Before opset 13 the input was a matrix, columns the dimensions from the axis on. */
int64_t
softmax_row(const struct rewrite *r, bool axis[MAX_RANK])
{
    const struct shape *s = rewrite_shape(r, rewrite_in(r, 0));
    bool matrix = r->g->opset < 13;
    struct op_ctx c = {r->g, &r->at, NULL, NULL};
    int64_t at = op_int(&c, "axis", matrix ? 1 : -1), n = 1;

    at += at < 0 ? s->rank : 0;
    for (int d = 0; d < MAX_RANK; d++) {
        axis[d] = d < s->rank && (d == at || (matrix && d > at));
        n *= axis[d] ? s->dim[d] : 1;
    }
    return n;
}

static uint32_t
centre(struct rewrite *r, const bool axis[MAX_RANK])
{
    uint32_t x = rewrite_in(r, 0);

    return build_binary(r, OP_sub, "centred", x, build_mean(r, "mean", x, axis));
}

/* exp(c / 2^k) */
static uint32_t
root(struct rewrite *r, uint32_t c, double divisor)
{
    uint32_t part = build_binary(r, OP_mul, "part", c, build_number(r, 1 / divisor));

    return build_unary(r, OP_exp, "exp", part);
}

uint32_t
rewrite_softmax(struct rewrite *r)
{
    struct shape s = *rewrite_shape(r, rewrite_in(r, 0));
    bool axis[MAX_RANK];
    int64_t n = softmax_row(r, axis);

    if (shape_size(&s) < 1)
        return NONE;
    uint32_t z = root(r, centre(r, axis), exp2(r->normalisations));
    for (uint32_t k = 0; k < r->normalisations; k++) {
        uint32_t square = build_binary(r, OP_mul, "square", z, z);
        uint32_t mean = build_expand(r, "all", build_mean(r, "sum", square, axis), &s);
        z = build_binary(r, OP_mul, "product", square,
                         build_unary(r, OP_reciprocal, "reciprocal", mean));
    }
    return build_binary(r, OP_mul, "share", z, build_number(r, 1 / (double)n));
}

/* c - log(sum exp(c)) */
uint32_t
rewrite_logsoftmax(struct rewrite *r)
{
    struct shape s = *rewrite_shape(r, rewrite_in(r, 0));
    bool axis[MAX_RANK];
    int64_t n = softmax_row(r, axis);

    if (shape_size(&s) < 1)
        return NONE;
    uint32_t c = centre(r, axis), half = root(r, c, 2);
    uint32_t mean = build_mean(r, "mean", build_binary(r, OP_mul, "square", half, half), axis);
    uint32_t sum = build_binary(r, OP_mul, "sum", build_expand(r, "all", mean, &s),
                                build_number(r, (double)n));
    return build_binary(r, OP_sub, "rest", c, build_unary(r, OP_log, "log", sum));
}
