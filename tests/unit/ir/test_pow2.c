/* test_pow2.c - rounding to powers of two and sums of two, against a search through the whole
 * grid. */
#include "ir/pow2.h"

#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>

/* The nearest of all values of the grid, listed; of equals the one nearer to zero. */
static double
search(const struct pow2_grid *g, double x)
{
    double best = 0;
    for (int i = g->lo - 1; i <= g->hi; i++)
        for (int j = g->lo - 1; j <= g->hi; j++)
            for (int signs = 0; signs < 4; signs++) {
                double first = i < g->lo ? 0 : ldexp(signs & 1 ? -1 : 1, i);
                double second = j < g->lo || g->terms == 1 ? 0 : ldexp(signs & 2 ? -1 : 1, j);
                double v = first + second, off = fabs(x - v) - fabs(x - best);
                if (off < 0 || (off == 0 && fabs(v) < fabs(best)))
                    best = v;
            }
    return best;
}

static void
against_search(const struct pow2_grid *g, double x)
{
    double ours = pow2_round(g, x), theirs = search(g, x);
    cr_assert(g->terms == 1 ? ours == theirs : fabs(x - ours) == fabs(x - theirs),
              "%u terms, 2^%d..2^%d: %.17g -> %.17g, not %.17g", g->terms, g->lo, g->hi, x, ours,
              theirs);
    cr_assert(pow2_holds(g, ours));
    cr_assert(pow2_holds(g, x) == (theirs == x));
}

Test(pow2, rounds_as_a_search_does)
{
    srand(1);
    for (uint32_t terms = 1; terms <= 2; terms++)
        for (int span = 0; span < 8; span++) {
            struct pow2_grid g = {-5, -5 + span, terms};
            for (int k = 0; k < 4000; k++)
                against_search(&g, (rand() / (double)RAND_MAX - 0.5) * ldexp(6, g.hi));
            for (int k = -3000; k <= 3000; k++) /* ties and values of the grid */
                against_search(&g, ldexp(k, -8));
        }
}

Test(pow2, grids_are_those_of_the_paper)
{
    struct pow2_grid g;
    cr_assert(pow2_grid(1.0, 5, 1, &g));
    cr_expect(g.hi == 0 && g.lo == -7); /* 4/3 -> 2^0; eight powers */
    cr_assert(pow2_grid(1.5, 5, 1, &g));
    cr_expect(g.hi == 1 && g.lo == -6); /* 2 -> 2^1 */
    cr_assert(pow2_grid(0.3, 2, 2, &g));
    cr_expect(g.hi == -2 && g.lo == -2);
}

Test(pow2, refuses_what_is_no_grid)
{
    struct pow2_grid g;
    cr_expect(!pow2_grid(1, 1, 1, &g));
    cr_expect(!pow2_grid(1, 9, 1, &g));
    cr_expect(!pow2_grid(1, 5, 3, &g));
    cr_expect(!pow2_grid(0, 5, 1, &g));
    cr_expect(!pow2_grid(INFINITY, 5, 1, &g));
    cr_expect(!pow2_grid(NAN, 5, 1, &g));
}

Test(pow2, tells_what_it_holds)
{
    struct pow2_grid one = {-3, 2, 1}, two = {-3, 2, 2};
    cr_expect(pow2_holds(&one, -0.125) && pow2_holds(&one, 0) && !pow2_holds(&one, 0.75));
    cr_expect(pow2_holds(&two, 0.75) && pow2_holds(&two, 8) && !pow2_holds(&two, 0.6875));
    cr_expect(!pow2_holds(&one, NAN) && !pow2_holds(&one, INFINITY));
}
