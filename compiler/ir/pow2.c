/* pow2.c - see pow2.h. */
#include "ir/pow2.h"

#include <math.h>

/* Exponents that a float holds without becoming subnormal, also for a sum of two. */
#define LEAST (-125)
#define MOST  125

bool
pow2_grid(double largest, uint32_t bits, uint32_t terms, struct pow2_grid *g)
{
    if (bits < POW2_BITS_MIN || bits > POW2_BITS_MAX || terms < 1 || terms > 2 ||
        !(largest > 0x1p-100 && largest < 0x1p100))
        return false;
    int hi = (int)floor(log2(4 * largest / 3)), lo = hi + 1 - (1 << (bits - 2));
    *g = (struct pow2_grid){lo < LEAST ? LEAST : lo, hi > MOST ? MOST : hi, terms};
    return true;
}

/* The value of one term that is nearest to x >= 0, or, with `above`, the next one above that is not
 * below x where there is one. */
static double
term(const struct pow2_grid *g, double x, bool above)
{
    int e;

    if (x < ldexp(1, g->lo))
        return above || x > ldexp(1, g->lo - 1) ? ldexp(1, g->lo) : 0;
    frexp(x, &e); /* x in [2^(e - 1), 2^e) */
    e -= !above && x <= 3 * ldexp(1, e - 2);
    return ldexp(1, e > g->hi ? g->hi : e);
}

/* Nearest to x with one term. */
static double
nearest(const struct pow2_grid *g, double x)
{
    return copysign(term(g, fabs(x), false), x);
}

double
pow2_round(const struct pow2_grid *g, double x)
{
    double size = fabs(x), best = term(g, size, false);

    if (g->terms == 1 || x == 0)
        return copysign(best, x) + 0.0;
    /* The first term is a neighbour of x, from below or from above; the second the nearest to the
     * rest. */
    double high = term(g, size, true), first[] = {best, high, high / 2, high / 4};
    for (int k = 0; k < 4; k++) {
        if (first[k] < ldexp(1, g->lo))
            first[k] = 0;
        double sum = first[k] + nearest(g, size - first[k]);
        double off = fabs(size - sum) - fabs(size - best);
        if (off < 0 || (off == 0 && sum < best))
            best = sum;
    }
    return copysign(best, x) + 0.0;
}

bool
pow2_holds(const struct pow2_grid *g, double x)
{
    return isfinite(x) && pow2_round(g, x) == x;
}
