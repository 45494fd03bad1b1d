/* test_solve.c - weights on a grid against exhaustive search, and what pruning leaves. */
#include "quantize/solve.h"

#include "base/arena.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COLS = 5, SAMPLES = 64 };

static double
number(void)
{
    return rand() / (double)RAND_MAX * 2 - 1;
}

/* Inputs that have much in common, so that weights can make up for each other. */
static struct solve_moments
made(struct arena *a, size_t rows, size_t cols, bool bias, double *w)
{
    struct solve_moments m = {.rows = rows, .cols = cols, .bias = bias};
    m.xx = ARENA_ARRAY(a, double, cols *cols);
    m.yx = ARENA_ARRAY(a, double, rows *cols);
    for (size_t i = 0; i < rows * cols; i++)
        w[i] = number();
    for (int s = 0; s < SAMPLES; s++) {
        double x[128], common = number();
        for (size_t c = 0; c < cols; c++)
            x[c] = bias && c == cols - 1 ? 1 : 0.7 * common + 0.3 * number();
        for (size_t i = 0; i < cols; i++)
            for (size_t j = 0; j < cols; j++)
                m.xx[i * cols + j] += x[i] * x[j];
        for (size_t r = 0; r < rows; r++) {
            double y = 0;
            for (size_t c = 0; c < cols; c++)
                y += w[r * cols + c] * x[c];
            for (size_t c = 0; c < cols; c++)
                m.yx[r * cols + c] += y * x[c];
            m.yy += y * y;
        }
    }
    return m;
}

/* The least that columns from c on can add to the error of those before, by its terms. */
static double
least_from(const struct solve_moments *m, const double *values, double *w, int c)
{
    double least = INFINITY, slope = 0;
    if (c == COLS)
        return 0;
    for (int k = 0; k < c; k++)
        slope += 2 * w[k] * m->xx[k * COLS + c];
    for (int k = 0; k < 7; k++) {
        w[c] = values[k];
        double term = w[c] * (slope + w[c] * m->xx[c * (COLS + 1)] - 2 * m->yx[c]);
        least = fmin(least, term + least_from(m, values, w, c + 1));
    }
    return least;
}

/* The least error of one row of COLS weights, each of the 7 values of the grid. */
static double
exhaustive(const struct solve_moments *m, const struct pow2_grid *g)
{
    double values[] = {0, 0.25, -0.25, 0.5, -0.5, 1, -1}, w[COLS];
    cr_assert(g->lo == -2 && g->hi == 0);
    return m->yy + least_from(m, values, w, 0);
}

Test(solve, is_near_exhaustive_search_and_beats_rounding)
{
    struct pow2_grid g = {-2, 0, 1};
    struct solve_options o = {.grid = &g, .damp = 1e-6};
    double ours = 0, best = 0, rounded = 0;
    int optimal = 0, cases = 60;
    srand(2);
    for (int k = 0; k < cases; k++) {
        struct arena *a = arena_new();
        double w[COLS], q[COLS];
        struct solve_moments m = made(a, 1, COLS, false, w);
        for (int c = 0; c < COLS; c++)
            q[c] = pow2_round(&g, w[c]);
        double least = exhaustive(&m, &g), naive = solve_error(&m, q);
        cr_assert(solve(&m, &o, w));
        double error = solve_error(&m, w);
        for (int c = 0; c < COLS; c++)
            cr_assert(pow2_holds(&g, w[c]));
        cr_assert(error >= least - 1e-9, "better than the best");
        optimal += error <= least * 1.0001 + 1e-9;
        ours += error;
        best += least;
        rounded += naive;
        arena_free(a);
    }
    cr_expect(ours < 2.5 * best, "%g, the best is %g", ours, best);
    cr_expect(ours < rounded / 3, "%g, rounding %g", ours, rounded);
    cr_expect(optimal >= cases / 4, "%d of %d are the best", optimal, cases);
}

Test(solve, finds_the_weights_again_without_a_grid)
{
    struct arena *a = arena_new();
    double w[3 * 20], before[3 * 20], other[3 * 20];
    srand(3);
    struct solve_moments m = made(a, 3, 20, true, w);
    struct solve_options o = {.damp = 1e-9};
    memcpy(before, w, sizeof w);
    for (int k = 0; k < 60; k++)
        other[k] = number();
    cr_assert(solve(&m, &o, other));
    for (int k = 0; k < 60; k++)
        cr_assert(fabs(other[k] - before[k]) < 1e-4, "%d: %g %g", k, other[k], before[k]);
    cr_expect(fabs(solve_error(&m, before)) < 1e-8 * m.yy);
    arena_free(a);
}

Test(solve, prunes_the_share_and_leaves_the_bias)
{
    struct arena *a = arena_new();
    enum { ROWS = 6, WIDE = 101 };
    double w[ROWS * WIDE];
    srand(4);
    struct solve_moments m = made(a, ROWS, WIDE, true, w);
    struct pow2_grid g = {-6, 1, 2};
    struct solve_options o = {.grid = &g, .prune = 0.5, .damp = 0.01};
    /* the naive way: the smaller half to zero, the rest rounded */
    double naive[ROWS * WIDE];
    for (int k = 0; k < ROWS * WIDE; k++)
        naive[k] = k % WIDE == WIDE - 1 ? w[k] : fabs(w[k]) < 0.5 ? 0 : pow2_round(&g, w[k]);
    cr_assert(solve(&m, &o, w));
    int zeros = 0, off_grid = 0;
    for (int k = 0; k < ROWS * WIDE; k++) {
        if (k % WIDE == WIDE - 1) {
            off_grid += !pow2_holds(&g, w[k]);
            continue;
        }
        cr_assert(pow2_holds(&g, w[k]));
        zeros += w[k] == 0;
    }
    cr_expect(zeros >= 300, "%d", zeros); /* the grid makes some more */
    cr_expect(off_grid > 0, "biases are not rounded");
    cr_expect(solve_error(&m, w) < solve_error(&m, naive) / 10);
    arena_free(a);
}

Test(solve, refuses_what_is_not_finite)
{
    struct arena *a = arena_new();
    double w[COLS];
    srand(5);
    struct solve_moments m = made(a, 1, COLS, false, w);
    struct solve_options o = {.damp = 0.01};
    m.xx[3] = INFINITY;
    cr_expect(!solve(&m, &o, w));
    arena_free(a);
}
