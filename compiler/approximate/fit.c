/* fit.c - see fit.h. The least squares problem has one row for each bin of the histogram and one
 * for each anchor: points all over the range, with a light weight of their own, a share of the
 * normal prior, and more weight each round in which the polynomial is too far from the function
 * there. */
#include "approximate/fit.h"
#include "base/wide.h"

#include <lapacke.h>
#include <math.h>
#include <string.h>

/* Of all anchors together, the data being 1. Without a hold: only so that a few values determine
 * all coefficients; polynomials of degree 14 are 10^7 ten deviations out, which must not count. */
#define ANCHOR_WEIGHT 1e-4
#define FREE_WEIGHT   1e-24
#define ROUNDS        40
/* The hold gives way as the square of the distance, from so many deviations on, up to so much: a
 * bound that is right for the body costs it dearly in the tail, where few values lie. */
#define TAIL_FROM   3.0
#define SLACK_MOST  16.0
#define TAIL_STEP   0.3
#define TAIL_VALUES 3e7
#define SLACK       1.25 /* of the hold over what is possible */

struct anchors {
    uint32_t n;
    double *t, *f, *weight; /* t: normalised, the range is [-1, 1] */
    double *slack;          /* how many times the hold's bound an outward error may be, >= 1 */
    double steepness, span;
};

/* ---- the histogram ------------------------------------------------------------------ */

/* A sum in parts, value k into part k modulo LANES: they can be added side by side. */
enum { LANES = 8 };

struct lanes {
    double lo[LANES], hi[LANES], sum[LANES], square[LANES];
};

/* lo and hi are of the values, sums of what they are beyond `from`. */
static inline void
add_value(struct lanes *s, int lane, double x, double from)
{
    s->lo[lane] = x < s->lo[lane] ? x : s->lo[lane];
    s->hi[lane] = x > s->hi[lane] ? x : s->hi[lane];
    s->sum[lane] += x - from;
    s->square[lane] += (x - from) * (x - from);
}

WIDE static void
add_values(struct lanes *s, const double *x, uint32_t n, double from)
{
    uint32_t k = 0;

    for (; k + LANES <= n; k += LANES)
        for (int l = 0; l < LANES; l++)
            add_value(s, l, x[k + (uint32_t)l], from);
    for (int l = 0; k < n; k++, l++)
        add_value(s, l, x[k], from);
}

/* Range, mean and deviation; false when a value is not finite. One pass: the squares of what values
 * are beyond the first one lose nothing that matters. */
static bool
collect_range(uint64_t count, fit_get *get, void *user, struct fit_data *d)
{
    double x[FIT_PAIRS], from = 0;
    struct lanes s = {{0}, {0}, {0}, {0}};

    for (int l = 0; l < LANES; l++) {
        s.lo[l] = INFINITY;
        s.hi[l] = -INFINITY;
    }
    for (uint64_t first = 0; first < count; first += FIT_PAIRS) {
        uint32_t n = count - first < FIT_PAIRS ? (uint32_t)(count - first) : FIT_PAIRS;
        get(user, first, n, x, NULL);
        from = first ? from : x[0];
        add_values(&s, x, n, from);
    }
    for (int l = 1; l < LANES; l++) {
        s.lo[0] = fmin(s.lo[0], s.lo[l]);
        s.hi[0] = fmax(s.hi[0], s.hi[l]);
        s.sum[0] += s.sum[l];
        s.square[0] += s.square[l];
    }
    double beyond = s.sum[0] / (double)count;
    if (!isfinite(beyond)) /* some value is not */
        return false;
    d->lo = s.lo[0];
    d->hi = s.hi[0];
    d->mean = from + beyond;
    d->sd = sqrt(fmax(0, s.square[0] / (double)count - beyond * beyond));
    d->count = d->independent = (double)count;
    return isfinite(d->sd);
}

struct bin {
    double n, x, y;
};

static bool
fill_bins(uint64_t count, fit_get *get, void *user, const struct fit_data *d, struct bin *bins)
{
    double x[FIT_PAIRS], y[FIT_PAIRS], step = (d->hi - d->lo) / FIT_BINS, check = 0;
    uint32_t place[FIT_PAIRS];

    for (uint64_t first = 0; first < count; first += FIT_PAIRS) {
        uint32_t n = count - first < FIT_PAIRS ? (uint32_t)(count - first) : FIT_PAIRS;
        get(user, first, n, x, y);
        for (uint32_t k = 0; k < n; k++) {
            double at = step > 0 ? (x[k] - d->lo) / step : 0;
            place[k] = (uint32_t)(int32_t)(at < FIT_BINS ? at : FIT_BINS - 1);
        }
        for (uint32_t k = 0; k < n; k++) {
            struct bin *b = &bins[place[k]];
            b->n += 1;
            b->x += x[k];
            b->y += y[k];
        }
    }
    for (uint32_t b = 0; b < FIT_BINS; b++)
        check += bins[b].y;
    return isfinite(check); /* or some y was not */
}

bool
fit_collect(struct arena *a, uint64_t count, fit_get *get, void *user, struct fit_data *d)
{
    struct bin bins[FIT_BINS] = {{0, 0, 0}};

    memset(d, 0, sizeof *d);
    if (!count || !collect_range(count, get, user, d) || !fill_bins(count, get, user, d, bins))
        return false;
    d->weight = ARENA_ARRAY(a, double, FIT_BINS);
    d->x = ARENA_ARRAY(a, double, FIT_BINS);
    d->y = ARENA_ARRAY(a, double, FIT_BINS);
    for (uint32_t b = 0; b < FIT_BINS; b++) {
        if (bins[b].n == 0)
            continue;
        d->x[d->n] = bins[b].x / bins[b].n;
        d->y[d->n] = bins[b].y / bins[b].n;
        d->weight[d->n++] = bins[b].n / d->count;
    }
    d->own = d->n;
    return true;
}

void
fit_guard(struct arena *a, struct fit_data *d, const struct fit_data *guard, double share)
{
    double *to[3] = {d->weight, d->x, d->y};
    const double *from[3] = {guard->weight, guard->x, guard->y};

    for (int k = 0; k < 3; k++) {
        double *both = ARENA_ARRAY(a, double, d->n + guard->n + 1);
        memcpy(both, to[k], d->n * sizeof *both);
        for (uint32_t b = 0; b < guard->n; b++)
            both[d->n + b] = from[k][b] * (k == 0 ? share : 1);
        to[k] = both;
    }
    d->weight = to[0];
    d->x = to[1];
    d->y = to[2];
    d->n += guard->n;
    d->lo = fmin(d->lo, guard->lo);
    d->hi = fmax(d->hi, guard->hi);
}

/* ---- the range ------------------------------------------------------------------ */

/* Moves `far` towards `near`, where the function is finite, as far as it has no value: to 0 when it
 * has one there, else half way from there. All functions of ops.def that have poles or edges have
 * them at 0; others (Exp) only overflow. */
static double
within_domain(struct fit_function f, double near, double far)
{
    bool passes_zero = (near > 0 && far <= 0) || (near < 0 && far >= 0);

    if (passes_zero && !isfinite(f.f(f.user, 0)))
        return near / 2;
    for (int halvings = 0; halvings < 60 && !isfinite(f.f(f.user, far)); halvings++) {
        if ((passes_zero || near == 0) && isfinite(f.f(f.user, 0)))
            return 0;
        far = near + (far - near) / 2;
    }
    return far;
}

/* How far values to come may lie beyond those seen. The tail of a distribution falls by a factor e
 * every TAIL_STEP deviations or so (1 / 3.3 for a normal one around 3.3 deviations); it is followed
 * down to one value in TAIL_VALUES at degree 7. A polynomial leaves its range the faster, and fits
 * well enough to pay for a longer one, the higher its degree: half as much more for each level.
 * Measured on ResNet-20 and dense networks, 5,000 images each. */
static double
tail_unseen(const struct fit_data *d, const struct fit_options *o)
{
    double more = 0.5 * log2((o->degree + 1) / 2.0);

    double n = d->independent, sd = sqrt((n * d->sd * d->sd + 4 * d->spread * d->spread) / (n + 4));

    if (o->hold <= 0 || n >= TAIL_VALUES)
        return 0;
    return more * TAIL_STEP * log(TAIL_VALUES / n) * sd;
}

/* Center and radius: what was seen, wider by a factor and by what the tail may still hold, inside
 * the function's domain. */
static bool
choose_range(const struct fit_data *d, struct fit_function f, const struct fit_options *o,
             struct fit *out)
{
    double middle = (d->lo + d->hi) / 2, half = (d->hi - d->lo) / 2 * o->widen;
    double lo = middle - half, hi = middle + half, tail = tail_unseen(d, o);

    lo = fmin(lo, d->lo - tail);
    hi = fmax(hi, d->hi + tail);
    if (!(hi - lo > 1e-9 * fabs(middle)) || hi - lo < 1e-30) {
        double radius = fmax(1, fabs(middle) / 4); /* one value, and no others to compare it with */
        lo = middle - radius;
        hi = middle + radius;
    }
    lo = fmin(lo, d->lo - d->noise_below);
    hi = fmax(hi, d->hi + d->noise_above);
    for (uint32_t b = 0; b < d->n; b++)
        if (!isfinite(f.f(f.user, d->x[b])))
            return false;
    if (!isfinite(f.f(f.user, d->lo)) || !isfinite(f.f(f.user, d->hi)))
        return false;
    if (d->lo < 0 && d->hi > 0 && !isfinite(f.f(f.user, 0)))
        return false; /* a pole between the values */
    lo = within_domain(f, d->lo, lo);
    hi = within_domain(f, d->hi, hi);
    out->center = (lo + hi) / 2;
    out->radius = (hi - lo) / 2;
    return out->radius > 0 && isfinite(out->radius) && isfinite(out->center);
}

/* ---- least squares ------------------------------------------------------------------ */

static double
chebyshev(const double *coef, uint32_t degree, double t)
{
    double next = 0, after = 0;

    for (uint32_t k = degree; k > 0; k--) {
        double b = coef[k] + 2 * t * next - after;
        after = next;
        next = b;
    }
    return coef[0] + t * next - after;
}

/* Row `row` of the row-major matrix: root * T_0(t) ... root * T_degree(t). */
static void
fill_row(double *matrix, uint32_t degree, uint32_t row, double t, double root)
{
    double *to = matrix + (size_t)row * (degree + 1);

    to[0] = root;
    if (degree)
        to[1] = root * t;
    for (uint32_t k = 2; k <= degree; k++)
        to[k] = 2 * t * to[k - 1] - to[k - 2];
}

/* Minimises sum over bins and anchors of weight * (p - target)^2; with d == NULL anchors only, all
 * of weight 1. coef: degree + 1. */
static bool
solve(struct arena *a, const struct fit_data *d, const struct fit *range, uint32_t degree,
      const struct anchors *at, double *coef)
{
    uint32_t bins = d ? d->n : 0, rows = bins + at->n, columns = degree + 1;
    double *matrix = ARENA_ARRAY(a, double, (size_t)rows *columns);
    double *right = ARENA_ARRAY(a, double, rows);

    for (uint32_t b = 0; b < bins; b++) {
        double root = sqrt(d->weight[b]);
        fill_row(matrix, degree, b, (d->x[b] - range->center) / range->radius, root);
        right[b] = root * d->y[b];
    }
    for (uint32_t k = 0; k < at->n; k++) {
        double root = d ? sqrt(at->weight[k]) : 1;
        fill_row(matrix, degree, bins + k, at->t[k], root);
        right[bins + k] = root * at->f[k];
    }
    if (LAPACKE_dgels(LAPACK_ROW_MAJOR, 'N', (lapack_int)rows, (lapack_int)columns, 1, matrix,
                      (lapack_int)columns, right, 1) != 0)
        return false;
    for (uint32_t k = 0; k < columns; k++) {
        coef[k] = right[k];
        if (!isfinite(coef[k]))
            return false;
    }
    return true;
}

/* ---- anchors and the hold ------------------------------------------------------------------ */

/* How far the hold goes on one side, in radii: not where the function ends, or has a pole to come
 * near to. */
static double
reach_of(struct fit_function f, const struct fit_options *o, const struct fit *range, int side)
{
    double far = range->center + side * o->beyond * range->radius;

    return o->hold > 0 && o->beyond > 1 && isfinite(f.f(f.user, 0)) && isfinite(f.f(f.user, far))
               ? o->beyond
               : 1;
}

static struct anchors
make_anchors(struct arena *a, const struct fit_data *d, struct fit_function f,
             const struct fit_options *o, const struct fit *range)
{
    struct anchors at = {.n = 8 * (o->degree + 1) + 33};
    double share = o->prior / (o->prior + d->count), sum = 0, lowest = INFINITY,
           highest = -INFINITY;
    double below = reach_of(f, o, range, -1), above = reach_of(f, o, range, 1);

    at.t = ARENA_ARRAY(a, double, at.n);
    at.f = ARENA_ARRAY(a, double, at.n);
    at.weight = ARENA_ARRAY(a, double, at.n);
    at.slack = ARENA_ARRAY(a, double, at.n);
    for (uint32_t k = 0; k < at.n; k++) {
        at.t[k] = (above - below) / 2 - (above + below) / 2 * cos(M_PI * (double)k / (at.n - 1));
        double x = range->center + range->radius * at.t[k];
        double z = d->sd > 1e-9 * (fabs(d->mean) + range->radius) ? (x - d->mean) / d->sd : 0;
        at.f[k] = f.f(f.user, x);
        at.slack[k] = fmin(pow(fmax(1, fabs(z) / TAIL_FROM), 2), SLACK_MOST);
        /* points stand sin(...) apart: the density times that is the share */
        at.weight[k] = exp(-z * z / 2) * sqrt(fmax(0, 1 - at.t[k] * at.t[k]));
        sum += at.weight[k];
        if (fabs(at.t[k]) > 1)
            continue;
        lowest = fmin(lowest, at.f[k]);
        highest = fmax(highest, at.f[k]);
        if (k && at.t[k - 1] >= -1)
            at.steepness = fmax(at.steepness, fabs(at.f[k] - at.f[k - 1]) /
                                                  ((at.t[k] - at.t[k - 1]) * range->radius));
    }
    at.span = highest - lowest;
    for (uint32_t k = 0; k < at.n; k++)
        at.weight[k] = (o->hold > 0 ? ANCHOR_WEIGHT : FREE_WEIGHT) / at.n +
                       (sum > 0 ? share * at.weight[k] / sum : 0);
    return at;
}

static double
error_at(const struct anchors *at, uint32_t k, uint32_t degree, const double *coef)
{
    return chebyshev(coef, degree, at->t[k]) - at->f[k];
}

/* How large an error may be at an anchor when an outward one of 1 is allowed in the body. */
static double
allowed(const struct anchors *at, uint32_t k, double error)
{
    return at->slack[k] * (at->t[k] * error < 0 ? FIT_INWARD : 1);
}

/* The largest error at an anchor, over what is allowed there. */
static double
excess(const struct anchors *at, uint32_t degree, const double *coef)
{
    double most = 0;

    for (uint32_t k = 0; k < at->n; k++) {
        double error = error_at(at, k, degree, coef);
        most = fmax(most, fabs(error) / allowed(at, k, error));
    }
    return most;
}

static double
worst(const struct anchors *at, uint32_t degree, const double *coef)
{
    double most = 0;

    for (uint32_t k = 0; k < at->n; k++)
        if (fabs(at->t[k]) <= 1)
            most = fmax(most, fabs(error_at(at, k, degree, coef)));
    return most;
}

/* Where `coef` is beyond the bound, anchors get heavier. */
static void
press(const struct anchors *at, uint32_t degree, const double *coef, double bound)
{
    for (uint32_t k = 0; k < at->n; k++) {
        double error = error_at(at, k, degree, coef);
        double ratio = fabs(error) / (bound * allowed(at, k, error));
        if (ratio > 1)
            at->weight[k] *= fmin(1.5 * ratio * ratio, 30);
    }
}

/* coef <- the nearest point to coef, on the line to even, whose error is within the bound. */
static void
pull_in(const struct anchors *at, uint32_t degree, double *coef, const double *even, double bound)
{
    double share = 0; /* of even */

    for (uint32_t k = 0; k < at->n; k++) {
        double mine = error_at(at, k, degree, coef), other = error_at(at, k, degree, even);
        double most = bound * allowed(at, k, mine);
        if (fabs(mine) > most && fabs(mine - other) > 0)
            share = fmax(share, (fabs(mine) - most) / fabs(mine - other));
    }
    share = fmin(share, 1);
    for (uint32_t k = 0; k <= degree; k++)
        coef[k] += share * (even[k] - coef[k]);
}

static bool
held(struct arena *a, const struct fit_data *d, const struct fit_options *o,
     const struct fit *range, const struct anchors *at, double *coef)
{
    double *even = ARENA_ARRAY(a, double, o->degree + 1);

    if (!solve(a, d, range, o->degree, at, coef))
        return false;
    if (o->hold <= 0)
        return true;
    if (!solve(a, NULL, range, o->degree, at, even))
        return false;
    double bound = o->hold * fmin(d->sd * at->steepness, at->span);
    bound = fmax(bound, SLACK * excess(at, o->degree, even));
    if (!(bound > 0))
        return true;
    for (int round = 0; round < ROUNDS && excess(at, o->degree, coef) > bound; round++) {
        press(at, o->degree, coef, bound);
        struct arena *scratch = arena_new();
        bool ok = solve(scratch, d, range, o->degree, at, coef);
        arena_free(scratch);
        if (!ok)
            return false;
    }
    pull_in(at, o->degree, coef, even, bound);
    return true;
}

/* ---- exact cases ------------------------------------------------------------------ */

/* The straight line through the function at both ends of what was seen, when it is the function
 * there and stays as near to it as the hold asks on the rest of the range. */
static bool
straight(const struct fit_data *d, struct fit_function f, const struct fit_options *o,
         const struct fit *range, const struct anchors *at, double *coef)
{
    double left = f.f(f.user, d->lo), right = f.f(f.user, d->hi);
    double slope = d->hi > d->lo ? (right - left) / (d->hi - d->lo) : 0;
    double scale = fabs(left) + fabs(right) + fabs(slope) * (d->hi - d->lo);
    double bound = fmax(o->hold * fmin(d->sd * at->steepness, at->span), 1e-9 * scale);

    if (d->hi > d->lo)
        for (uint32_t k = 0; k <= 64; k++) {
            double x = d->lo + (d->hi - d->lo) * k / 64;
            if (fabs(f.f(f.user, x) - (left + slope * (x - d->lo))) > 1e-12 * scale)
                return false;
        }
    else if (d->count < 32)
        return false; /* too few values to call it a constant */
    double drift = 0;
    for (uint32_t b = 0; b < d->n; b++) {
        double e = d->y[b] - (left + slope * (d->x[b] - d->lo));
        drift += d->weight[b] * e * e;
    }
    if (sqrt(drift) > 0.1 * d->sd + 1e-9 * scale)
        return false; /* the clean network wants something else */
    memset(coef, 0, (o->degree + 1) * sizeof *coef);
    coef[0] = left + slope * (range->center - d->lo);
    if (o->degree)
        coef[1] = slope * range->radius;
    return d->hi == d->lo || worst(at, o->degree, coef) <= bound;
}

enum fit_status
fit_polynomial(struct arena *a, const struct fit_data *d, struct fit_function f,
               const struct fit_options *o, struct fit *out)
{
    memset(out, 0, sizeof *out);
    if (!choose_range(d, f, o, out))
        return FIT_DOMAIN;
    struct arena *scratch = arena_new();
    struct anchors at = make_anchors(scratch, d, f, o, out);
    bool ok = true;
    for (uint32_t k = 0; k < at.n; k++)
        ok = ok && isfinite(at.f[k]);
    out->coef = ARENA_ARRAY(a, double, o->degree + 1);
    out->linear = ok && straight(d, f, o, out, &at, out->coef);
    if (ok && !out->linear)
        ok = held(scratch, d, o, out, &at, out->coef);
    for (uint32_t b = 0; ok && b < d->own; b++) {
        double t = (d->x[b] - out->center) / out->radius;
        double e = chebyshev(out->coef, o->degree, t) - f.f(f.user, d->x[b]);
        out->square_error += d->weight[b] * e * e;
    }
    out->worst = ok ? worst(&at, o->degree, out->coef) : INFINITY;
    arena_free(scratch);
    return ok ? FIT_OK : FIT_NUMERIC;
}
