/* integers.c - a map's weights as integers times a unit. */
#include "batch/internal.h"

#include "ola/plan.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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

/* w as signed powers of two, none next to another: the fewest there are. At most two; returns how
 * many, 3 for more. */
static uint32_t
digits_of(int64_t w, int64_t digit[2])
{
    uint32_t n = 0;
    for (int k = 0; w != 0; k++, w /= 2) {
        if (w % 2 == 0)
            continue;
        int64_t d = (w & 3) == 1 ? 1 : -1;
        if (n == 2)
            return 3;
        digit[n++] = d * ((int64_t)1 << k);
        w -= d;
    }
    return n;
}

/* The unit of sums of two powers of two times one factor, the largest there is; 0 where there is
 * none. The least weight is such a sum itself. */
static double
unit_of_two(const struct matrix *m, double least, double most)
{
    int64_t digit[2];
    for (int64_t units = 1; units <= (int64_t)1 << BATCH_WEIGHT_BITS; units++)
        if (digits_of(units, digit) <= 2 && whole_multiples(m, least / (double)units, most))
            return least / (double)units;
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

/* ---- two shifts in place of a product -------------------------------------------------------- */

/* What a term of shifts costs a batch, and one that is multiplied, by measurement (he_time.c). */
#define SHIFT_COST   7
#define PRODUCT_COST 12

void
batch_two_shifts(struct arena *a, struct he_sparse *s, uint64_t q)
{
    struct he_sparse made = {0};
    uint32_t *start = ARENA_ARRAY(a, uint32_t, s->rows + 1);
    for (uint32_t r = 0; r < s->rows; r++) {
        double norm = 0;
        for (uint32_t k = s->start[r]; k < s->start[r + 1]; k++) {
            int64_t digit[2];
            uint32_t n = digits_of(s->terms.at[k].weight, digit);
            if (n > 2)
                return;
            for (uint32_t i = 0; i < n; i++) {
                vec_push(a, &made.terms, (struct he_term){s->terms.at[k].column, digit[i]});
                norm += fabs((double)digit[i]);
            }
        }
        if (!ola_plan_sparse_lazy(norm, q))
            return;
        start[r + 1] = made.terms.len;
    }
    if ((uint64_t)made.terms.len * SHIFT_COST > (uint64_t)s->terms.len * PRODUCT_COST)
        return;
    memcpy(&s->terms, &made.terms, sizeof s->terms);
    s->start = start;
    s->shifts = true;
}
