/* grid.c - the polynomial of one channel with coefficients that are powers of two: which points
 * count how much for powers.c, and its answer in the Chebyshev basis. */
#include "approximate/fit.h"
#include "approximate/powers.h"

#include <math.h>

/* Points on the range, and what they weigh together beside the data: beyond these the function
 * is to be near too. */
#define POINTS       513
#define POINT_WEIGHT 0.01
/* Exponents of coefficients: well beyond what a network's activations need. */
#define LEAST (-60)
#define MOST  40

struct points {
    uint32_t n;
    double *x, *y, *weight;
};

static void
add(struct points *p, double x, double y, double weight)
{
    if (p->n && !(x > p->x[p->n - 1])) {
        p->weight[p->n - 1] += weight;
        return;
    }
    p->x[p->n] = x;
    p->y[p->n] = y;
    p->weight[p->n++] = weight;
}

/* Points of [lo, hi] and bins of the data in order; outside of what was seen the function need have
 * no value. */
static bool
collect(struct arena *a, const struct fit_data *d, struct fit_function f, double lo, double hi,
        bool data, struct points *p)
{
    uint32_t bin = 0, bins = data ? d->n : 0;

    *p = (struct points){0, ARENA_ARRAY(a, double, POINTS + bins),
                         ARENA_ARRAY(a, double, POINTS + bins),
                         ARENA_ARRAY(a, double, POINTS + bins)};
    for (uint32_t k = 0; k < POINTS; k++) {
        double x = lo + (hi - lo) * k / (POINTS - 1), y = f.f(f.user, x);
        for (; bin < bins && d->x[bin] <= x; bin++)
            add(p, d->x[bin], d->y[bin], d->weight[bin]);
        if (isfinite(y))
            add(p, x, y, POINT_WEIGHT / POINTS);
        else if (x >= d->lo && x <= d->hi)
            return false;
    }
    for (; bin < bins; bin++)
        add(p, d->x[bin], d->y[bin], d->weight[bin]);
    return true;
}

static void
to_chebyshev(const double *c, double radius, double *out, uint32_t degree)
{
    double u[POWERS_DEGREE_MAX + 1] = {0};

    for (uint32_t k = 0; k <= degree; k++)
        u[k] = c[k] * pow(radius, k);
    out[0] = u[0] + u[2] / 2;
    out[1] = u[1] + 3 * u[3] / 4;
    out[2] = u[2] / 2;
    if (degree > 2)
        out[3] = u[3] / 4;
}

enum fit_status
fit_powers(struct arena *a, const struct fit_data *d, struct fit_function f,
           const struct fit_options *o, struct fit *out)
{
    double middle = (d->lo + d->hi) / 2, half = o->widen * (d->hi - d->lo) / 2;
    struct points p;
    struct powers best;

    half = fmax(half, 1e-3 * fmax(1, fabs(middle)));
    if (o->degree < 2 || o->degree > POWERS_DEGREE_MAX)
        return FIT_NUMERIC;
    if (!collect(a, d, f, middle - half, middle + half, o->grid == FIT_POWERS_DATA, &p))
        return FIT_DOMAIN;
    struct powers_problem problem = {.degree = o->degree,
                                     .lo = LEAST,
                                     .hi = MOST,
                                     .n = p.n,
                                     .x = p.x,
                                     .y = p.y,
                                     .weight = o->grid == FIT_POWERS_DATA ? p.weight : NULL};
    if (!powers_fit(&problem, &best))
        return FIT_NUMERIC;
    *out = (struct fit){.radius = exp2(ceil(log2(fabs(middle) + half)))};
    out->coef = ARENA_ARRAY(a, double, o->degree + 1);
    to_chebyshev(best.coef, out->radius, out->coef, o->degree);
    for (uint32_t k = 0; k < d->n; k++) {
        double x = d->x[k], c = best.coef[3] * x + best.coef[2];
        double off = (c * x + best.coef[1]) * x + best.coef[0] - d->y[k];
        out->square_error += d->weight[k] * off * off;
        out->worst = fmax(out->worst, fabs(off));
    }
    return FIT_OK;
}
