/* minimax.h - ReLU by a composition of minimax polynomials of the sign function, the same for every
 * activation: what others do without looking at the data, and what OLA is compared with. Pure
 * numbers.
 *
 * source  E. Lee et al., "Minimax approximation of sign function by composite polynomial", and
 *         arXiv 2105.10879: relu(x) = x (1 + sign(x)) / 2 with degrees {15, 15, 27} to 13 bits */
#ifndef OLAC_APPROXIMATE_MINIMAX_H
#define OLAC_APPROXIMATE_MINIMAX_H

#include <stdbool.h>
#include <stdint.h>

#define MINIMAX_STAGES 4
#define MINIMAX_TERMS  16

/* An odd polynomial, sum_k coef[k] * T_(2k+1)(x / end), nearest to 1 on [begin, end]. */
struct minimax_stage {
    uint32_t terms; /* degree = 2 * terms - 1 */
    double begin, end, coef[MINIMAX_TERMS];
    double error; /* largest |p - 1| on [begin, end] */
};

/* Each stage on what the one before it makes of [begin, 1] and [-1, -begin]. */
struct minimax {
    uint32_t n;
    struct minimax_stage stage[MINIMAX_STAGES];
    double begin; /* where stage 0 begins */
    double sign;  /* largest |error| of the sign on [begin, 1] */
    double relu;  /* largest |error| of ReLU on [-1, 1] */
};

/* The best by Remez' exchange; false when it does not settle. terms 1 .. MINIMAX_TERMS,
 * 0 < begin < end. */
bool minimax_fit(struct minimax_stage *s, uint32_t terms, double begin, double end);
/* Odd degrees[n], n <= MINIMAX_STAGES, 3 .. 2 * MINIMAX_TERMS - 1. `begin` in (0, 1); 0: that which
 * makes the error of ReLU least. */
bool minimax_make(struct minimax *m, const uint32_t *degrees, uint32_t n, double begin);
/* Depth of ReLU: of each stage ceil(log2(degree + 1)), and one for the product with x. */
uint32_t minimax_levels(const struct minimax *m);
double minimax_sign(const struct minimax *m, double x);
/* x becomes bound * relu(x / bound). */
void minimax_relu(const struct minimax *m, double bound, float *x, int64_t n);

#endif
