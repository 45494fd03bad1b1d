/* internal.h - what the files of batch/ share. */
#ifndef OLAC_BATCH_INTERNAL_H
#define OLAC_BATCH_INTERNAL_H

#include "batch/batch.h"

/* Polynomials of degree 3, as nodes or as sums and products of a tensor's powers, become two
 * products of shifted inputs (cubics.c), those of degree 2 squares: a (x + s)^2 + c, where s goes
 * into the map before, a and c into the maps behind (squares.c). The bounds of nodes, which
 * batch_cubics clears, are then what |value| stays below by its polynomials' ranges; 0 where that
 * is not known. */
struct tp *batch_cubics(struct arena *a, const struct tp *t);
struct tp *batch_squares(struct arena *a, const struct tp *t);

/* Weights as integers times a unit (integers.c): exact where they are powers of two, or sums of two
 * that are small enough, but for one factor. */
struct batch_unit {
    bool shifts;
    double unit;    /* of the integers */
    double largest; /* integer */
};
struct batch_unit batch_unit_of(const struct matrix *m);
/* Whether weights rounded to multiples of a unit are as good as BATCH_WEIGHT_BITS promise. */
bool batch_precise(const struct matrix *m, double unit);
/* Fills a map's rows with integers in units of m->unit. */
void batch_integers(struct arena *a, struct he_sparse *s);
/* Integers that are sums of two powers of two, of which terms may then share a column, where all
 * rows can be summed lazily under primes up to q and that is cheaper than products. */
void batch_two_shifts(struct arena *a, struct he_sparse *s, uint64_t q);
/* Partial sums that several rows have in common, where that saves additions (share.c); of maps
 * without terms that share a column. */
void batch_share(struct arena *a, struct he_sparse *s);

/* Where integers are powers of two times `unit`: whether x is, and its exponent. */
bool batch_power(double x, double unit, int *exponent);

#endif
