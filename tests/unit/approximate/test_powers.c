/* test_powers.c - polynomials with coefficients that are powers of two, against exhaustive
 * search. */
#include "approximate/powers.h"

#include <criterion/criterion.h>
#include <math.h>

#define POINTS 201

static double
relu(double x)
{
    return x > 0 ? x : 0;
}

static double
silu(double x)
{
    return x / (1 + exp(-x));
}

static double
softplus(double x)
{
    return log1p(exp(x));
}

static double
bell(double x)
{
    return exp(-x * x / 2);
}

static double (*const functions[])(double) = {relu, silu, softplus, tanh, bell};
enum { FUNCTIONS = sizeof functions / sizeof *functions };

struct points {
    double x[POINTS], y[POINTS], w[POINTS];
};

static void
sample(struct points *p, double (*f)(double), double lo, double hi)
{
    double sum = 0;
    for (int k = 0; k < POINTS; k++) {
        p->x[k] = lo + (hi - lo) * k / (POINTS - 1);
        p->y[k] = f(p->x[k]);
        p->w[k] = bell((p->x[k] - 0.3) / 1.2);
        sum += p->w[k];
    }
    for (int k = 0; k < POINTS; k++)
        p->w[k] /= sum;
}

static double
error(const struct powers_problem *p, const double *c)
{
    double worst = 0, square = 0;
    for (uint32_t k = 0; k < p->n; k++) {
        double x = p->x[k], off = fabs(c[0] + x * (c[1] + x * (c[2] + x * c[3])) - p->y[k]);
        worst = fmax(worst, off);
        square += p->weight ? p->weight[k] * off * off : 0;
    }
    return p->weight ? sqrt(square) : worst;
}

/* All polynomials there are. */
static double
exhaustive(const struct powers_problem *p)
{
    double value[64], least = INFINITY, c[4] = {0};
    int n = 0;
    value[n++] = 0;
    for (int e = p->lo; e <= p->hi; e++) {
        value[n++] = ldexp(1, e);
        value[n++] = -ldexp(1, e);
    }
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++)
            for (int k = 0; k < n; k++)
                for (int l = 0; l < (p->degree == 3 ? n : 1); l++) {
                    c[0] = value[i];
                    c[1] = value[j];
                    c[2] = value[k];
                    c[3] = value[l];
                    least = fmin(least, error(p, c));
                }
    return least;
}

static void
against_search(double (*f)(double), double lo, double hi, uint32_t degree, int e_lo, int e_hi,
               bool weighted)
{
    struct points q;
    struct powers best;
    sample(&q, f, lo, hi);
    struct powers_problem p = {degree, e_lo, e_hi, POINTS, q.x, q.y, weighted ? q.w : NULL};
    cr_assert(powers_fit(&p, &best));
    double least = exhaustive(&p), ours = error(&p, best.coef);
    cr_assert(fabs(ours - best.error) < 1e-9 * (1 + ours), "says %g, is %g", best.error, ours);
    cr_assert(ours <= least * (1 + 1e-9), "degree %u on [%g, %g]: %.12g, the best is %.12g", degree,
              lo, hi, ours, least);
    for (uint32_t k = 0; k <= degree; k++) {
        int e;
        cr_assert(best.coef[k] == 0 || fabs(frexp(best.coef[k], &e)) == 0.5);
    }
}

Test(powers, degree_two_is_what_exhaustive_search_finds)
{
    for (int f = 0; f < FUNCTIONS; f++)
        for (int weighted = 0; weighted < 2; weighted++) {
            against_search(functions[f], -4, 4, 2, -6, 1, weighted);
            against_search(functions[f], -1, 2.5, 2, -6, 1, weighted);
            against_search(functions[f], 0.5, 7, 2, -6, 1, weighted);
        }
}

Test(powers, degree_three_is_what_exhaustive_search_finds)
{
    for (int f = 0; f < FUNCTIONS; f++)
        for (int weighted = 0; weighted < 2; weighted++)
            against_search(functions[f], -3, 2, 3, -5, 0, weighted);
}

Test(powers, finds_the_quadratic_for_relu)
{
    struct points q;
    struct powers best;
    sample(&q, relu, -4, 4);
    struct powers_problem p = {2, -40, 12, POINTS, q.x, q.y, NULL};
    cr_assert(powers_fit(&p, &best));
    cr_expect(best.coef[2] == 0.125 && best.coef[1] == 0.5 && best.coef[0] == 0.25, "%g %g %g",
              best.coef[2], best.coef[1], best.coef[0]);
    cr_expect(fabs(best.error - 0.25) < 1e-12);
    cr_expect(best.nodes < 2000, "%llu nodes", (unsigned long long)best.nodes);
}

Test(powers, refuses_what_is_no_problem)
{
    struct points q;
    struct powers best;
    sample(&q, relu, -4, 4);
    struct powers_problem p = {2, -4, 2, 3, q.x, q.y, NULL};
    cr_expect(!powers_fit(&p, &best), "too few points");
    p.n = POINTS;
    p.degree = 4;
    cr_expect(!powers_fit(&p, &best));
    p.degree = 2;
    q.y[7] = NAN;
    cr_expect(!powers_fit(&p, &best));
}
