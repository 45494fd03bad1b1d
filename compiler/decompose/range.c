/* range.c - what calibration shows of the ranges of exponentials, reciprocals and roots, and what
 * is planned for them.
 *
 * In levels a polynomial of twice the degree is a better buy than a Newton step: one level squares
 * its error, as a step does that takes three. So the least degree is sought that is near enough on
 * the whole range, and steps are added only where no degree is. */
#include "decompose/build.h"
#include "decompose/plan.h"
#include "ola/plan.h"
#include "op/interpret.h"

#include <math.h>

/* Relative error that interpolation may have anywhere on the range that calibration saw; the fit to
 * what is really fed is several times nearer. */
#define NEAR 0.05
/* A start further off than this need not converge. */
#define CONVERGES   0.5
#define MOST_STEPS  4u
#define STEP_LEVELS 3u
#define IMAGES      256u

/* Those that use a depth up. */
static const uint32_t degrees[] = {3, 7, 15, 31};
enum { DEGREES = sizeof degrees / sizeof *degrees };

/* ---- what is seen ------------------------------------------------------------------ */

struct watching {
    const struct graph *g;
    const struct watched *w;
    uint32_t n;
    struct range *seen; /* [image][watched] */
};

static struct range
range_of(const float *x, int64_t size, int64_t row, int64_t inner)
{
    struct range r = {INFINITY, -INFINITY};

    for (int64_t first = 0; first < size / row; first++) {
        const float *at = x + first / inner * row * inner + first % inner;
        double mean = 0;
        for (int64_t k = 0; row > 1 && k < row; k++)
            mean += (double)at[k * inner] / (double)row;
        for (int64_t k = 0; k < row; k++) {
            double v = (double)at[k * inner] - mean;
            r.lo = isfinite(v) ? fmin(r.lo, v) : -INFINITY;
            r.hi = isfinite(v) ? fmax(r.hi, v) : INFINITY;
        }
    }
    return r;
}

static void
see(void *user, uint32_t image, uint32_t index, const float *data)
{
    const struct watching *w = user;
    const struct watched *v = &w->w[index];
    int64_t size = shape_size(&graph_value(w->g, v->value)->shape);

    w->seen[(size_t)image * w->n + index] =
        range_of(data, size, v->row ? v->row : 1, v->row ? v->inner : 1);
}

bool
plan_ranges(struct graph *g, const float *images, uint32_t n, struct watched *w, uint32_t count,
            struct diag *d)
{
    struct arena *scratch = arena_new();
    uint32_t *value = ARENA_ARRAY(scratch, uint32_t, count + 1), least = n < IMAGES ? n : IMAGES;
    struct range *seen = ARENA_ARRAY(scratch, struct range, (size_t)least * count + 1);
    struct watching watching = {g, w, count, seen};
    struct interpret_options o = {.watch = value, .n_watch = count, .see = see, .user = &watching};
    size_t size = (size_t)shape_size(&graph_value(g, g->outputs.at[0])->shape);
    float *answers = ARENA_ARRAY(scratch, float, least *size + 1);

    for (uint32_t k = 0; k < count; k++)
        value[k] = w[k].value;
    bool ok = interpret_many(g, &o, images, least, answers, d);
    for (uint32_t k = 0; ok && k < count; k++) {
        w[k].seen = (struct range){INFINITY, -INFINITY};
        for (uint32_t i = 0; i < least; i++) {
            w[k].seen.lo = fmin(w[k].seen.lo, seen[(size_t)i * count + k].lo);
            w[k].seen.hi = fmax(w[k].seen.hi, seen[(size_t)i * count + k].hi);
        }
    }
    arena_free(scratch);
    return ok;
}

/* ---- what is planned ------------------------------------------------------------------ */

static double
inverse(double x, bool root)
{
    return root ? 1 / sqrt(x) : 1 / x;
}

/* Largest relative error of interpolation at the Chebyshev points of [1, ratio]. */
static double
interpolation_error(double ratio, uint32_t degree, bool root)
{
    double point[32], weight[32], worst = 0;
    uint32_t n = degree + 1;

    for (uint32_t k = 0; k < n; k++) {
        double angle = M_PI * (2 * k + 1) / (2 * n);
        point[k] = (1 + ratio) / 2 - (ratio - 1) / 2 * cos(angle);
        weight[k] = (k % 2 ? -1 : 1) * sin(angle);
    }
    for (uint32_t i = 0; i <= 4 * n; i++) {
        double x = (1 + ratio) / 2 - (ratio - 1) / 2 * cos(M_PI * i / (4 * n)), up = 0, down = 0;
        for (uint32_t k = 0; k < n; k++) {
            double w = weight[k] / (x - point[k]);
            up += w * inverse(point[k], root);
            down += w;
        }
        double error = fabs(up / down / inverse(x, root) - 1);
        worst = isfinite(error) ? fmax(worst, error) : worst;
    }
    return worst;
}

struct plan
plan_inverse(double ratio, bool root)
{
    struct plan best = {degrees[DEGREES - 1], MOST_STEPS, false};
    uint32_t least = UINT32_MAX;

    for (uint32_t k = 0; k < DEGREES; k++) {
        double error = ratio > 1 ? interpolation_error(ratio, degrees[k], root) : 0;
        for (uint32_t steps = 0; steps <= MOST_STEPS; steps++) {
            uint32_t levels = ola_plan_poly_depth(degrees[k]) + STEP_LEVELS * steps;
            if (error <= NEAR && levels < least) {
                best = (struct plan){degrees[k], steps, true};
                least = levels;
            }
            if (!(error < CONVERGES))
                break;
            error = (root ? 1.5 : 1) * error * error;
        }
    }
    return best;
}

/* The largest mean of exp(c / 2^k) of a row of n that sums to 0 and has no element above `most`. */
static double
largest_mean(double most, int64_t n)
{
    return (exp(most) + (double)(n - 1) * exp(-most / (double)(n > 1 ? n - 1 : 1))) / (double)n;
}

uint32_t
plan_normalisations(double most, int64_t n)
{
    uint32_t best = 1, least = UINT32_MAX;
    struct plan again = plan_inverse((double)n, false);

    for (uint32_t k = 0; k <= MOST_STEPS; k++) {
        struct plan first = plan_inverse(largest_mean(most / exp2(k), n), false);
        uint32_t levels = ola_plan_poly_depth(first.degree) + STEP_LEVELS * first.steps +
                          k * (STEP_LEVELS + ola_plan_poly_depth(again.degree)) +
                          (first.enough ? 0 : 1000);
        if (levels < least) {
            least = levels;
            best = k + 1;
        }
    }
    return best;
}
