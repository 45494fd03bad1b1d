/* powers.h - polynomials whose coefficients are powers of two: the best one there is, by branch and
 * bound. Pure numbers. */
#ifndef OLAC_APPROXIMATE_POWERS_H
#define OLAC_APPROXIMATE_POWERS_H

#include <stdbool.h>
#include <stdint.h>

#define POWERS_DEGREE_MAX 3

/* Coefficients of 1, x .. x^degree are 0 or +-2^lo .. +-2^hi. */
struct powers_problem {
    uint32_t degree; /* 1 .. POWERS_DEGREE_MAX */
    int lo, hi;
    uint32_t n;          /* points, more than degree + 1, x ascending and distinct */
    const double *x, *y; /* the function's values y[k] at x[k] */
    /* the error is sqrt(sum weight (p - y)^2); NULL: max |p - y| */
    const double *weight;
};

struct powers {
    double coef[POWERS_DEGREE_MAX + 1]; /* of 1, x, x^2, x^3 */
    double error;
    uint64_t nodes; /* of the search, for tests */
};

/* The best of all such polynomials: what is left out is proven to be no better (by more than a
 * share of 1e-12). Weighted squares are bounded by what the coefficients not yet chosen could do
 * if they were free, triangle by triangle; the largest error by that of the best free polynomial on
 * a reference of points (de la Vallee Poussin), which is convex in the coefficient chosen last, so
 * that a side is done with the first value that cannot win. False when values are not finite or
 * points too few. */
bool powers_fit(const struct powers_problem *p, struct powers *out);

#endif
