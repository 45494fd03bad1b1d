/* fit.h - one polynomial for one channel: weighted least squares in the Chebyshev basis, held near
 * the function beyond the data. Pure numbers; knows nothing of graphs. */
#ifndef OLAC_APPROXIMATE_FIT_H
#define OLAC_APPROXIMATE_FIT_H

#include "base/arena.h"

#include <stdbool.h>
#include <stdint.h>

#define FIT_DEGREE_MAX 63
#define FIT_BINS       512
/* Sums of a residual network bring an error at the end of a range to the next range of the same
 * channel: one that leads outward is there again, larger, one that leads inward is not. */
#define FIT_INWARD 3.0

/* What a channel was fed, as a histogram: bin b has the share weight[b] of all values (sum 1),
 * their mean x[b] and the mean y[b] of what the activation should have made of them. Empty bins are
 * left out. */
struct fit_data {
    double lo, hi; /* seen; lo <= hi */
    /* how far noise takes values below lo and above hi: the range holds that, too, where the
     * function has values; >= 0 */
    double noise_below, noise_above;
    double mean, sd;
    double count; /* of values seen */
    /* as many values drawn one by one would show as much of the tail; fit_collect says count, the
     * caller knows better */
    double independent;
    /* of all channels' values: what sd may well be, worth four values; 0: unknown */
    double spread;
    uint32_t n;   /* bins that are not empty, at most FIT_BINS; twice that with a guard */
    uint32_t own; /* of them: the first; the others are the guard's */
    double *weight, *x, *y;
};

struct fit_function {
    double (*f)(const void *user, double x);
    const void *user;
};

/* The norm in which a polynomial with coefficients on a grid is the best one. */
enum fit_grid { FIT_FREE, FIT_POWERS_DATA, FIT_POWERS_MAX };

struct fit_options {
    uint32_t degree;
    double widen; /* the range is the seen one, this much longer; >= 1 */
    /* |p - f| stays below hold * min(sd * steepness, f's span), or below 1.25 times what equal
     * weights give, if that is larger, as far as three deviations from the mean, and beyond that
     * below so much times the square of (the distance over three deviations). That is of errors
     * that are outward: p above f on the upper half of the range, below it on the lower half.
     * Others may be FIT_INWARD times as large. 0: no hold */
    double hold;
    /* the hold goes on to so many radii from the range's middle, where the function has values and
     * none of its poles is; 0 or 1: to the range's ends */
    double beyond;
    /* coefficients are powers of two, degree 2 or 3, no hold and no prior (grid.c) */
    enum fit_grid grid;
    double prior; /* a normal distribution worth this many values is mixed in */
};

struct fit {
    double center, radius; /* radius > 0 */
    double *coef;          /* degree + 1 */
    double square_error;   /* sum of weight * (p(x) - f(x))^2 */
    double worst;          /* largest |p - f| at the points of the range that are held */
    bool linear;           /* coefficients above the first are 0: exact on all that was seen */
};

enum fit_status { FIT_OK, FIT_DOMAIN /* f is not finite on what was seen */, FIT_NUMERIC };

/* Writes the pairs first .. first + n - 1, n <= FIT_PAIRS; y may be NULL. */
typedef void fit_get(void *user, uint64_t first, uint32_t n, double *x, double *y);
#define FIT_PAIRS 256

/* Histogram of `count` (x, y) pairs, each of which is asked for twice, y only once. False
 * when an x or y is not finite. */
bool fit_collect(struct arena *a, uint64_t count, fit_get *get, void *user, struct fit_data *d);
/* d sees what the guard was fed, too: its range, and its values with `share` of the weight of d's.
 * Mean, deviation and error stay d's own. */
void fit_guard(struct arena *a, struct fit_data *d, const struct fit_data *guard, double share);
/* coef in arena a. */
enum fit_status fit_polynomial(struct arena *a, const struct fit_data *d, struct fit_function f,
                               const struct fit_options *o, struct fit *out);

/* The same with coefficients of 1, x, x^2, x^3 that are powers of two or zero: center 0, radius a
 * power of two. FIT_NUMERIC for a degree other than 2 and 3. */
enum fit_status fit_powers(struct arena *a, const struct fit_data *d, struct fit_function f,
                           const struct fit_options *o, struct fit *out);

#endif
