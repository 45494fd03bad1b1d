/* integers.c - a map's weights as integers times a unit. */
#include "batch/internal.h"

#include <math.h>
#include <stdlib.h>

/* How far a weight may be from a power of two, relative: weights are floats that were multiplied by
 * floats. */
#define NEARLY 0x1p-20
/* The widest range of exponents that is taken as shifts. */
#define MOST_SHIFT 24

bool
batch_power(double x, double unit, int *exponent)
{
    double e = log2(fabs(x) / unit), whole = nearbyint(e);
    *exponent = (int)whole;
    return fabs(e - whole) < NEARLY;
}

/* Whether all weights are whole multiples of a unit, none above 2^BATCH_WEIGHT_BITS. */
static bool
whole_multiples(const struct matrix *m, double unit, double most)
{
    if (most / unit > ldexp(1, BATCH_WEIGHT_BITS))
        return false;
    for (uint32_t k = 0; k < m->start[m->rows]; k++) {
        double w = fabs((double)m->val[k]) / unit;
        if (fabs(w - nearbyint(w)) > NEARLY * w)
            return false;
    }
    return true;
}

/* The unit of sums of two powers of two times one factor, of which the least is 2^j, 2^j + 1 or 2^j
 * - 1 units; 0 where there is none. */
static double
unit_of_two(const struct matrix *m, double least, double most)
{
    for (int j = 0; j <= BATCH_WEIGHT_BITS; j++)
        for (int by = -1; by <= 1; by++) {
            double units = ldexp(1, j) + by;
            if (units >= 1 && whole_multiples(m, least / units, most))
                return least / units;
        }
    return 0;
}

struct batch_unit
batch_unit_of(const struct matrix *m)
{
    struct batch_unit u = {.shifts = true, .unit = 1, .largest = 1};
    uint32_t n = m->start[m->rows];
    double least = INFINITY, most = 0;
    int exponent;

    for (uint32_t k = 0; k < n; k++) {
        least = fmin(least, fabs((double)m->val[k]));
        most = fmax(most, fabs((double)m->val[k]));
    }
    if (!(most > 0))
        return u;
    u.unit = least;
    for (uint32_t k = 0; k < n && u.shifts; k++)
        u.shifts = batch_power((double)m->val[k], least, &exponent) && exponent <= MOST_SHIFT;
    if (!u.shifts)
        u.unit = unit_of_two(m, least, most);
    if (!(u.unit > 0))
        u.unit = ldexp(most, -BATCH_WEIGHT_BITS);
    u.largest = most / u.unit;
    return u;
}

bool
batch_precise(const struct matrix *m, double unit)
{
    double most = 0, error = 0;
    for (uint32_t k = 0; k < m->start[m->rows]; k++) {
        double w = (double)m->val[k] / unit;
        most = fmax(most, fabs(w));
        error = fmax(error, fabs(w - nearbyint(w)));
    }
    return error <= ldexp(most, -BATCH_WEIGHT_BITS - 1);
}

/* The integers of row r behind those that are there. */
static void
add_row(struct arena *a, struct he_sparse *s, uint32_t r)
{
    const struct matrix *m = s->m;
    for (uint32_t k = m->start[r]; k < m->start[r + 1]; k++) {
        double w = (double)m->val[k] / s->unit;
        int exponent;
        struct he_term term = {.column = m->col[k], .weight = llrint(w)};
        if (s->shifts && batch_power(w, 1, &exponent))
            term.weight = w < 0 ? -((int64_t)1 << exponent) : (int64_t)1 << exponent;
        if (term.weight)
            vec_push(a, &s->terms, term);
    }
}

static bool
is_power(int64_t w)
{
    int64_t size = w < 0 ? -w : w;
    return (size & (size - 1)) == 0;
}

void
batch_integers(struct arena *a, struct he_sparse *s)
{
    bool powers = true;
    int exponent;
    for (uint32_t k = 0; k < s->m->start[s->m->rows] && powers; k++)
        powers = batch_power((double)s->m->val[k], s->unit, &exponent) && exponent >= 0 &&
                 exponent <= MOST_SHIFT;
    s->shifts = powers;
    s->temps = 0;
    s->terms.len = 0;
    s->start = ARENA_ARRAY(a, uint32_t, s->rows + 1);
    for (uint32_t r = 0; r < s->rows; r++) {
        add_row(a, s, r);
        s->start[r + 1] = s->terms.len;
    }
    s->shifts = true; /* rounding may leave nothing but powers of two */
    for (uint32_t k = 0; k < s->terms.len; k++)
        s->shifts &= is_power(s->terms.at[k].weight);
}
