/* boot_cosine.c - the polynomial of EvalMod: the cosine near integers only, weighted by how often
 * they occur.
 *
 * What comes in is x = I + v / ratio with I a sum of 33 uniform numbers in [-1/2, 1/2] (rounded):
 * nearly normal, of variance 33/12. So the polynomial that leaves the least mean square error in
 * the end needs to follow the cosine near small I well, near large I less, and in between not at
 * all: less degree, or a doubling less, than a series that follows it everywhere. Weights are the
 * square root of I's probability times the gain of the doublings, and a floor so that a rare I is
 * off by a little and not by far. */
#include "ola/plan.h"

#include <math.h>
#include <string.h>

#define TERMS  (OLA_MAX_DEGREE / 2 + 1)
#define POINTS 7 /* to an integer */
#define FLOOR  1e-3

/* Least squares by rotations, row after row: the triangle and the right-hand side. */
struct triangle {
    uint32_t n;
    double r[TERMS][TERMS + 1];
};

static void
add_row(struct triangle *t, double *row)
{
    for (uint32_t k = 0; k < t->n; k++) {
        const double length = hypot(t->r[k][k], row[k]);
        if (row[k] == 0.0)
            continue;
        const double c = t->r[k][k] / length, s = row[k] / length;
        for (uint32_t j = k; j <= t->n; j++) {
            const double above = t->r[k][j];
            t->r[k][j] = c * above + s * row[j];
            row[j] = c * row[j] - s * above;
        }
    }
}

static void
solve(const struct triangle *t, double *coef)
{
    for (uint32_t k = t->n; k-- > 0;) {
        double sum = t->r[k][t->n];
        for (uint32_t j = k + 1; j < t->n; j++)
            sum -= t->r[k][j] * coef[j];
        coef[k] = sum / t->r[k][k];
    }
}

/* T_0(u) .. T_(n-1)(u). */
static void
chebyshev(double u, uint32_t n, double *t)
{
    t[0] = 1.0;
    if (n > 1)
        t[1] = u;
    for (uint32_t k = 2; k < n; k++)
        t[k] = 2.0 * u * t[k - 1] - t[k - 2];
}

/* A point that is fitted: x - 1/4, u, probability of its integer. */
struct point {
    double x, u, share;
};

static struct point
point_of(const struct ola_boot_shape *b, double ratio, int32_t integer, uint32_t k)
{
    const double variance = (OLA_BOOT_WEIGHT + 1) / 12.0;
    const double x = integer - 0.25 + (2.0 * k / (POINTS - 1) - 1.0) / ratio;
    const double w = x / (b->k + 0.5), share = exp(-integer * integer / (2.0 * variance));
    return (struct point){x, 2.0 * w * w - 1.0, share};
}

static void
fit(const struct ola_boot_shape *b, double ratio, uint32_t n, double *coef)
{
    struct triangle t = {.n = n};
    double row[TERMS + 1];
    for (int32_t i = -(int32_t)b->k; i <= (int32_t)b->k; i++) {
        double gain = 1.0;
        for (uint32_t left = 1; left <= b->doubles; left++)
            gain *= 4.0 * cos(2.0 * M_PI * (i - 0.25) * exp2(-(double)left));
        for (uint32_t k = 0; k < POINTS; k++) {
            const struct point p = point_of(b, ratio, i, k);
            const double weight = sqrt(p.share) * fabs(gain) + FLOOR;
            chebyshev(p.u, n, row);
            row[n] = cos(2.0 * M_PI * p.x * exp2(-(double)b->doubles));
            for (uint32_t j = 0; j <= n; j++)
                row[j] *= weight;
            add_row(&t, row);
        }
    }
    solve(&t, coef);
}

double
ola_plan_boot_cosine(const struct ola_boot_shape *b, double ratio, double *coef)
{
    const uint32_t n = b->degree / 2 + 1;
    double term[TERMS], sum = 0.0, shares = 0.0;
    fit(b, ratio, n, coef);
    for (int32_t i = -(int32_t)b->k; i <= (int32_t)b->k; i++) {
        for (uint32_t k = 0; k < POINTS; k++) {
            const struct point p = point_of(b, ratio, i, k);
            double y = 0.0;
            chebyshev(p.u, n, term);
            for (uint32_t j = 0; j < n; j++)
                y += coef[j] * term[j];
            for (uint32_t j = 0; j < b->doubles; j++)
                y = 2.0 * y * y - 1.0;
            const double off = y - cos(2.0 * M_PI * p.x);
            sum += p.share * off * off;
            shares += p.share;
        }
    }
    return sqrt(sum / shares) * ratio / (2.0 * M_PI);
}
