/* pow2.h - numbers that are a power of two, or a sum of two: the grids of sparse power-of-two
 * networks. */
#ifndef OLAC_IR_POW2_H
#define OLAC_IR_POW2_H

#include <stdbool.h>
#include <stdint.h>

#define POW2_BITS_MIN 2
#define POW2_BITS_MAX 8

/* 0 and every sum of at most `terms` (1 or 2) of +-2^lo .. +-2^hi. */
struct pow2_grid {
    int lo, hi;
    uint32_t terms;
};

/* The grid of weights up to `largest` > 0 in `bits` bits a term: hi = floor(log2(4 largest /
 * 3)), lo = hi + 1 - 2^(bits - 2) (Zhou et al., arXiv 1702.03044, eq. 3 and 4). Every value is a
 * float exactly. False for bits outside of POW2_BITS_MIN .. POW2_BITS_MAX, terms other than 1
 * and 2, or a `largest` that is not positive and finite. */
bool pow2_grid(double largest, uint32_t bits, uint32_t terms, struct pow2_grid *g);
/* The nearest value of the grid; of two equally near ones, with one term, that nearer to zero. */
double pow2_round(const struct pow2_grid *g, double x);
/* Whether x is a value of the grid. */
bool pow2_holds(const struct pow2_grid *g, double x);

#endif
