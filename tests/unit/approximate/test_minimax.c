/* test_minimax.c - the composition of minimax polynomials, against closed forms and bounds. */
#include "approximate/minimax.h"

#include <criterion/criterion.h>
#include <math.h>

#define POINTS 200003

static const uint32_t degrees[] = {15, 15, 27};

/* p = c x, and |c a - 1| = |c b - 1|: error (b - a) / (b + a). */
Test(minimax, one_term_is_known)
{
    struct minimax_stage s;

    cr_assert(minimax_fit(&s, 1, 0.25, 1));
    cr_assert_float_eq(s.coef[0], 1.6, 1e-12);
    cr_assert_float_eq(s.error, 0.6, 1e-12);
}

/* c1 x + c3 x^3 on [a, 1]: errors -e at a and 1, +e where the slope is 0. */
Test(minimax, two_terms_alternate)
{
    struct minimax_stage s;

    cr_assert(minimax_fit(&s, 2, 0.5, 1));
    double c3 = 4 * s.coef[1], c1 = s.coef[0] - 3 * s.coef[1], top = sqrt(-c1 / (3 * c3));
    cr_assert_float_eq(c1 * 0.5 + c3 * 0.125, 1 - s.error, 1e-6);
    cr_assert_float_eq(c1 + c3, 1 - s.error, 1e-6);
    cr_assert_float_eq(c1 * top + c3 * top * top * top, 1 + s.error, 1e-6);
}

/* De la Vallee Poussin: errors of alternate signs on terms + 1 points that are all as large as the
 * largest prove that no odd polynomial of that degree is better. */
Test(minimax, every_stage_alternates)
{
    struct minimax m;

    cr_assert(minimax_make(&m, degrees, 3, 0));
    for (uint32_t k = 0; k < m.n; k++) {
        struct minimax one = {.n = 1, .stage = {m.stage[k]}};
        const struct minimax_stage *s = &m.stage[k];
        double worst = 0, least = INFINITY, run = 0;
        uint32_t runs = 0;
        for (uint32_t i = 0; i <= POINTS; i++) {
            double x = s->begin * pow(s->end / s->begin, (double)i / POINTS);
            double e = minimax_sign(&one, x) - 1;
            worst = fmax(worst, fabs(e));
            if (!runs || (e < 0) != (run < 0)) {
                least = runs ? fmin(least, fabs(run)) : least;
                run = e;
                runs++;
            } else if (fabs(e) > fabs(run))
                run = e;
        }
        least = fmin(least, fabs(run));
        cr_expect_eq(runs, s->terms + 1, "stage %u: %u", k, runs);
        cr_expect_float_eq(worst, s->error, 1e-4 * s->error);
        cr_expect_float_eq(least, s->error, 1e-4 * s->error);
    }
}

/* The published plan: 14 levels, ReLU to 13 bits. */
Test(minimax, published_degrees_give_13_bits)
{
    struct minimax m;
    double sign = 0, relu = 0;

    cr_assert(minimax_make(&m, degrees, 3, 0));
    cr_expect_eq(minimax_levels(&m), 14);
    for (int i = -POINTS; i <= POINTS; i++) {
        double x = (double)i / POINTS, s = minimax_sign(&m, x);
        if (fabs(x) >= m.begin)
            sign = fmax(sign, fabs(s - copysign(1, x)));
        relu = fmax(relu, fabs(x * (1 + s) / 2 - fmax(x, 0)));
        cr_assert_float_eq(s, -minimax_sign(&m, -x), 1e-12);
    }
    cr_expect_float_eq(sign, m.sign, 1e-3 * m.sign, "%g %g", sign, m.sign);
    cr_expect_float_eq(relu, m.relu, 1e-3 * m.relu, "%g %g", relu, m.relu);
    cr_expect(relu <= 0x1p-13, "2^%g, begins at 2^%g, sign 2^%g", log2(relu), log2(m.begin),
              log2(m.sign));
}

Test(minimax, rows_of_any_length_and_range)
{
    struct minimax m;
    float x[37];

    cr_assert(minimax_make(&m, degrees, 3, 0));
    for (int i = 0; i < 37; i++)
        x[i] = (float)(i - 18);
    minimax_relu(&m, 20, x, 37);
    for (int i = 0; i < 37; i++)
        cr_expect_float_eq(x[i], fmax(i - 18, 0), 20 * 0x1p-13 + 1e-6);
}
