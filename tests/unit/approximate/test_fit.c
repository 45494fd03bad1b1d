/* test_fit.c - the least squares fit of one channel, against closed forms. */
#include "approximate/fit.h"
#include "ir/graph.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

static double
relu(const void *user, double x)
{
    (void)user;
    return x > 0 ? x : 0;
}

static double
cubic(const void *user, double x)
{
    (void)user;
    return 0.5 - 2 * x + 0.25 * x * x - 3 * x * x * x;
}

static double
logarithm(const void *user, double x)
{
    (void)user;
    return log(x);
}

static double
root(const void *user, double x)
{
    (void)user;
    return sqrt(x);
}

static double
reciprocal(const void *user, double x)
{
    (void)user;
    return 1 / x;
}

/* A normal distribution on 512 bins of [-10, 10], the function itself as target. */
static struct fit_data
normal(struct arena *a, struct fit_function f)
{
    struct fit_data d = {
        .lo = -10, .hi = 10, .sd = 1, .count = 1e9, .independent = 1e9, .n = 512, .own = 512};
    double sum = 0;

    d.weight = ARENA_ARRAY(a, double, 512);
    d.x = ARENA_ARRAY(a, double, 512);
    d.y = ARENA_ARRAY(a, double, 512);
    for (int b = 0; b < 512; b++) {
        d.x[b] = -10 + 20 * (b + 0.5) / 512;
        d.y[b] = f.f(f.user, d.x[b]);
        d.weight[b] = exp(-d.x[b] * d.x[b] / 2);
        sum += d.weight[b];
    }
    for (int b = 0; b < 512; b++)
        d.weight[b] /= sum;
    return d;
}

struct values {
    const double *x, *y;
};

static void
get(void *user, uint64_t first, uint32_t n, double *x, double *y)
{
    const struct values *v = user;
    memcpy(x, v->x + first, n * sizeof *x);
    if (y)
        memcpy(y, v->y + first, n * sizeof *y);
}

static struct fit_data
collect(struct arena *a, uint64_t n, const double *x, struct fit_function f)
{
    double *y = ARENA_ARRAY(a, double, n);
    struct values v = {x, y};
    struct fit_data d;
    for (uint64_t k = 0; k < n; k++)
        y[k] = f.f(f.user, x[k]);
    bool ok = fit_collect(a, n, get, &v, &d);
    cr_assert(ok);
    return d;
}

static double
eval(const struct fit *f, uint32_t degree, double x)
{
    double t = (x - f->center) / f->radius,
           sum = 0; /* T_k by its definition outside of [-1, 1] too */
    for (uint32_t k = 0; k <= degree; k++)
        sum += f->coef[k] * (fabs(t) <= 1 ? cos(k * acos(t))
                                          : (t < 0 && k % 2 ? -1 : 1) * cosh(k * acosh(fabs(t))));
    return sum;
}

/* In Hermite polynomials the error of ReLU under N(0, 1) is 1/2 minus the squares of the
 * coefficients: 1/4 - 1/(2 pi) - sum over even k of ((k - 3)!!)^2 / (2 pi k!). */
static double
hermite_error(int degree)
{
    double error = 0.25 - 0.5 / M_PI, odd = 1, factorial = 1; /* (k - 3)!!, k! */
    for (int k = 2; k <= degree; k += 2) {
        factorial *= (double)k * (k - 1);
        odd *= k > 2 ? k - 3 : 1;
        error -= odd * odd / (2 * M_PI * factorial);
    }
    return error;
}

Test(fit, error_of_relu_under_the_normal_distribution)
{
    struct arena *a = arena_new();
    struct fit_function f = {relu, NULL};
    struct fit_data d = normal(a, f);

    cr_assert_float_eq(hermite_error(2), 1.13e-2, 1e-4);
    cr_assert_float_eq(hermite_error(6), 2.65e-3, 1e-5);
    for (uint32_t degree = 2; degree <= 14; degree++) {
        struct fit_options o = {.degree = degree, .widen = 1};
        struct fit fit;
        cr_assert_eq(fit_polynomial(a, &d, f, &o, &fit), FIT_OK);
        double want = hermite_error((int)degree);
        cr_expect(fabs(fit.square_error - want) < 0.01 * want, "degree %u: %g, not %g", degree,
                  fit.square_error, want);
    }
    arena_free(a);
}

Test(fit, polynomials_are_found_again)
{
    struct arena *a = arena_new();
    struct fit_function f = {cubic, NULL};
    struct fit_data d = normal(a, f);

    for (uint32_t degree = 3; degree <= 31; degree += 4) {
        struct fit_options o = {.degree = degree, .widen = 1.2, .hold = 0.5, .prior = 32};
        struct fit fit;
        cr_assert_eq(fit_polynomial(a, &d, f, &o, &fit), FIT_OK);
        for (double x = -9; x <= 9; x += 0.5)
            cr_expect(fabs(eval(&fit, degree, x) - cubic(NULL, x)) <
                      1e-8 * (1 + fabs(cubic(NULL, x))));
    }
    arena_free(a);
}

Test(fit, evaluation_is_that_of_chebyshev_polynomials)
{
    double coef[] = {0.5, -1, 2, 0.25, -3, 1, 4, 2, -2, 1, 1, 3}, center[] = {1, -2},
           radius[] = {2, 0.5};
    struct poly p = {.degree = 5, .rows = 2, .coef = coef, .center = center, .radius = radius};

    for (uint32_t row = 0; row < 2; row++)
        for (double x = -8; x <= 8; x += 0.25) {
            struct fit f = {center[row], radius[row], coef + 6 * row, 0, 0, false};
            double want = eval(&f, 5, x);
            cr_expect(fabs(poly_eval(&p, row, x) - want) <= 1e-9 * (1 + fabs(want)));
        }
    struct poly constant = {
        .degree = 0, .rows = 1, .coef = coef, .center = center, .radius = radius};
    cr_expect_eq(poly_eval(&constant, 0, 17), 0.5);
}

Test(fit, a_histogram_keeps_mass_and_means)
{
    struct arena *a = arena_new();
    double x[1000], mean = 0, got = 0, mass = 0, target = 0, want = 0;
    struct fit_function f = {cubic, NULL};

    for (int k = 0; k < 1000; k++) {
        x[k] = sin(k * 0.7) * 3 + cos(k * 1.3);
        mean += x[k] / 1000;
        want += cubic(NULL, x[k]) / 1000;
    }
    struct fit_data d = collect(a, 1000, x, f);
    for (uint32_t b = 0; b < d.n; b++) {
        mass += d.weight[b];
        got += d.weight[b] * d.x[b];
        target += d.weight[b] * d.y[b];
    }
    cr_expect_float_eq(mass, 1, 1e-12);
    cr_expect_float_eq(got, mean, 1e-12);
    cr_expect_float_eq(d.mean, mean, 1e-12);
    cr_expect_float_eq(target, want, 1e-9);
    x[500] = NAN;
    struct values v = {x, x};
    cr_expect_not(fit_collect(a, 1000, get, &v, &d));
    arena_free(a);
}

Test(fit, the_tail_is_held)
{
    struct arena *a = arena_new();
    struct fit_function f = {relu, NULL};
    struct fit_data d = normal(a, f); /* seen up to eight deviations: far from the body */

    for (uint32_t degree = 9; degree <= 15; degree += 2) {
        struct fit_options o = {.degree = degree, .widen = 1.2, .hold = 0.5, .prior = 0}, none = o;
        struct fit held, free;
        none.hold = 0;
        cr_assert_eq(fit_polynomial(a, &d, f, &o, &held), FIT_OK);
        cr_assert_eq(fit_polynomial(a, &d, f, &none, &free), FIT_OK);
        double outward = 0, inward = 0, worst_free = 0;
        for (double x = -9.6; x <= 9.6; x += 0.01) {
            double error = (eval(&held, degree, x) - relu(NULL, x)) / pow(fmax(1, fabs(x) / 3), 2);
            outward = fmax(outward, x < 0 ? -error : error);
            inward = fmax(inward, x < 0 ? error : -error);
            worst_free = fmax(worst_free, fabs(eval(&free, degree, x) - relu(NULL, x)));
        }
        cr_expect(outward <= 0.55, "degree %u: %g", degree, outward);
        cr_expect(inward <= 0.55 * FIT_INWARD, "degree %u: %g", degree, inward);
        cr_expect(worst_free > 1, "degree %u is held without a hold: %g", degree, worst_free);
        cr_expect(held.square_error < 30 * hermite_error((int)degree));
    }
    arena_free(a);
}

/* The largest outward error between one and 1.2 radii from the middle. */
static double
outward_beyond(const struct fit *fit, uint32_t degree)
{
    double most = 0;

    for (double t = 1; t <= 1.2; t += 0.005)
        for (int side = -1; side <= 1; side += 2) {
            double x = fit->center + side * t * fit->radius;
            most = fmax(most, side * (eval(fit, degree, x) - relu(NULL, x)));
        }
    return most;
}

Test(fit, the_hold_goes_on_beyond_the_range)
{
    struct arena *a = arena_new();
    struct fit_function f = {relu, NULL}, l = {logarithm, NULL};
    struct fit_data d = normal(a, f);
    double x[100];

    for (uint32_t degree = 7; degree <= 15; degree += 8) {
        struct fit_options o = {.degree = degree, .widen = 1.2, .hold = 0.5}, on = o;
        struct fit within, further;
        on.beyond = 1.2;
        cr_assert_eq(fit_polynomial(a, &d, f, &o, &within), FIT_OK);
        cr_assert_eq(fit_polynomial(a, &d, f, &on, &further), FIT_OK);
        cr_expect(further.radius == within.radius, "the range is the same");
        double with = outward_beyond(&further, degree), without = outward_beyond(&within, degree);
        cr_expect(with < 10 && with < without / 3, "degree %u: %g, without %g", degree, with,
                  without);
    }
    for (int k = 0; k < 100; k++)
        x[k] = 0.2 + k * 0.05;
    struct fit_options o = {.degree = 7, .widen = 1.2, .hold = 0.5, .beyond = 2};
    struct fit fit;
    d = collect(a, 100, x, l);
    cr_expect_eq(fit_polynomial(a, &d, l, &o, &fit), FIT_OK, "the logarithm ends before that");
    arena_free(a);
}

Test(fit, one_straight_piece_is_exact)
{
    struct arena *a = arena_new();
    struct fit_function f = {relu, NULL};
    struct fit_options o = {.degree = 7, .widen = 1.2, .hold = 0.5, .prior = 32};
    double up[200], down[200];
    struct fit fit;

    for (int k = 0; k < 200; k++) {
        up[k] = 8 + sin(k);
        down[k] = -8 + sin(k);
    }
    struct fit_data d = collect(a, 200, up, f);
    cr_assert_eq(fit_polynomial(a, &d, f, &o, &fit), FIT_OK);
    cr_expect(fit.linear);
    for (double x = 7; x <= 9; x += 0.1)
        cr_expect(fabs(eval(&fit, 7, x) - x) < 1e-12);
    d = collect(a, 200, down, f);
    cr_assert_eq(fit_polynomial(a, &d, f, &o, &fit), FIT_OK);
    cr_expect(fit.linear);
    for (double x = -9; x <= -7; x += 0.1)
        cr_expect(fabs(eval(&fit, 7, x)) < 1e-12);
    arena_free(a);
}

Test(fit, degenerate_distributions_are_sane)
{
    struct arena *a = arena_new();
    struct fit_function f = {relu, NULL};
    struct fit_options o = {.degree = 15, .widen = 1.2, .hold = 0.5, .prior = 32};
    double x[100];
    struct fit fit;

    for (uint64_t n = 1; n <= 100; n += 33)
        for (int k = 0; k < 3; k++) { /* nothing, one number, two numbers */
            for (int i = 0; i < 100; i++)
                x[i] = k == 0 ? 0 : k == 1 ? -1.5 : i % 2 ? 2 : -1;
            struct fit_data d = collect(a, n, x, f);
            cr_assert_eq(fit_polynomial(a, &d, f, &o, &fit), FIT_OK);
            cr_expect(fit.radius > 0 && isfinite(fit.radius));
            for (uint64_t i = 0; i < n; i++)
                cr_expect(fabs(eval(&fit, 15, x[i]) - relu(NULL, x[i])) < 0.2, "%g at %g of %d",
                          eval(&fit, 15, x[i]), x[i], (int)n);
            cr_expect(isfinite(fit.worst) && fit.worst < 2.5);
        }
    arena_free(a);
}

Test(fit, functions_are_used_only_where_they_have_a_value)
{
    struct arena *a = arena_new();
    struct fit_options o = {.degree = 7, .widen = 1.2, .hold = 0.5, .prior = 32};
    struct fit_function l = {logarithm, NULL}, s = {root, NULL}, r = {reciprocal, NULL};
    double x[100], neg[100];
    struct fit_data d;
    struct fit fit;

    for (int k = 0; k < 100; k++) {
        x[k] = 0.2 + k * 0.05;
        neg[k] = -x[k];
    }
    d = collect(a, 100, x, l);
    cr_assert_eq(fit_polynomial(a, &d, l, &o, &fit), FIT_OK);
    cr_expect(fit.center - fit.radius > 0.05 && fit.center - fit.radius <= 0.2);
    d = collect(a, 100, x, s);
    cr_assert_eq(fit_polynomial(a, &d, s, &o, &fit), FIT_OK);
    cr_expect(fit.center - fit.radius > -1e-12);
    d = collect(a, 100, neg, r);
    cr_assert_eq(fit_polynomial(a, &d, r, &o, &fit), FIT_OK);
    cr_expect(fit.center + fit.radius < -0.05);
    /* a pole between the values, and values beyond the edge */
    for (int k = 0; k < 100; k++)
        x[k] = k - 49.5;
    d = collect(a, 100, x, r);
    cr_expect_eq(fit_polynomial(a, &d, r, &o, &fit), FIT_DOMAIN);
    d.lo = -1;
    cr_expect_eq(fit_polynomial(a, &d, s, &o, &fit), FIT_DOMAIN);
    arena_free(a);
}

/* What noise feeds lies in the range, as far as the function has values. */
Test(fit, the_range_holds_noise)
{
    struct arena *a = arena_new();
    double x[100];
    struct fit_function r = {reciprocal, NULL};
    struct fit_options o = {.degree = 7, .widen = 1.2, .hold = 4};
    struct fit fit;

    for (int k = 0; k < 100; k++)
        x[k] = 1 + 1e-6 * k;
    struct fit_data d = collect(a, 100, x, r);
    cr_assert_eq(fit_polynomial(a, &d, r, &o, &fit), FIT_OK);
    cr_expect_lt(fit.radius, 1e-3);
    d.noise_below = 0.25;
    d.noise_above = 0.5;
    cr_assert_eq(fit_polynomial(a, &d, r, &o, &fit), FIT_OK);
    cr_expect_leq(fit.center - fit.radius, 0.75 + 1e-9);
    cr_expect_geq(fit.center + fit.radius, 1.5);
    for (double at = 0.75; at <= 1.5; at += 0.05)
        cr_expect_float_eq(eval(&fit, 7, at), 1 / at, 0.02, "at %g", at);
    d.noise_below = 2;
    cr_assert_eq(fit_polynomial(a, &d, r, &o, &fit), FIT_OK);
    cr_expect_gt(fit.center - fit.radius, 0, "beyond the pole there is nothing");
    arena_free(a);
}

/* A guard makes the range longer and keeps the polynomial near the function there; the error stays
 * that of the channel's own values. */
Test(fit, a_guard_holds_what_it_saw)
{
    struct arena *a = arena_new();
    struct fit_function f = {relu, NULL};
    struct fit_options o = {.degree = 7, .widen = 1.2, .hold = 4};
    struct fit_data alone = normal(a, f), both = normal(a, f), guard = normal(a, f);
    struct fit free, held;

    for (uint32_t b = 0; b < guard.n; b++) {
        guard.x[b] += 12;
        guard.y[b] = f.f(f.user, guard.x[b]);
    }
    guard.lo += 12;
    guard.hi += 12;
    fit_guard(a, &both, &guard, 0.05);
    cr_assert_eq(fit_polynomial(a, &alone, f, &o, &free), FIT_OK);
    cr_assert_eq(fit_polynomial(a, &both, f, &o, &held), FIT_OK);
    cr_expect(held.center + held.radius >= 22 && held.center - held.radius <= -10);
    cr_expect_float_eq(eval(&held, 7, 12), 12, 1.5);
    cr_expect(fabs(eval(&held, 7, 12) - 12) < fabs(eval(&free, 7, 12) - 12));
    cr_expect(held.square_error < 40 * hermite_error(7));
    arena_free(a);
}
