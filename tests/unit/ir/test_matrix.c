/* test_matrix.c - sparse matrices against dense loops. */
#include "made.h"

#include <math.h>

static void
is_well_formed(const struct matrix *m)
{
    cr_assert_eq(m->start[0], 0);
    for (uint32_t r = 0; r < m->rows; r++)
        for (uint32_t i = m->start[r]; i < m->start[r + 1]; i++) {
            cr_assert(m->col[i] < m->cols && m->val[i] != 0);
            cr_assert(i == m->start[r] || m->col[i - 1] < m->col[i]);
        }
}

Test(matrix, product_and_sum_are_the_dense_ones)
{
    struct made t = made_new(1);
    for (int trial = 0; trial < 60; trial++) {
        uint32_t n = 1 + made_below(&t, 20), k = 1 + made_below(&t, 20), c = 1 + made_below(&t, 20);
        double density = made_below(&t, 100) / 100.0;
        struct matrix *x = made_matrix(&t, n, k, density), *y = made_matrix(&t, k, c, density);
        struct matrix *p = matrix_product(t.a, x, y), *z = made_matrix(&t, n, k, density),
                      *s = matrix_sum(t.a, x, z);
        uint64_t work = 0;
        cr_assert(p->rows == n && p->cols == c);
        is_well_formed(p);
        is_well_formed(s);
        for (uint32_t i = 0; i < n; i++) {
            for (uint32_t j = 0; j < c; j++) {
                double sum = 0;
                for (uint32_t l = 0; l < k; l++) {
                    sum += made_at(x, i, l) * made_at(y, l, j);
                    work += made_at(x, i, l) != 0 && made_at(y, l, j) != 0;
                }
                cr_assert_float_eq(made_at(p, i, j), sum, 1e-6);
            }
            for (uint32_t l = 0; l < k; l++)
                cr_assert_float_eq(made_at(s, i, l), made_at(x, i, l) + made_at(z, i, l), 1e-6);
        }
        cr_assert_eq(matrix_product_work(x, y), work);
    }
    made_free(&t);
}

Test(matrix, product_with_a_diagonal)
{
    struct made t = made_new(2);
    for (int trial = 0; trial < 40; trial++) {
        uint32_t n = 1 + made_below(&t, 20), k = 1 + made_below(&t, 20);
        struct matrix *x = made_matrix(&t, n, k, made_below(&t, 100) / 100.0);
        double left[20], right[20];
        for (int i = 0; i < 20; i++) { /* some are so small that products are 0 as floats */
            left[i] = trial % 4 == 3 && i % 3 == 0 ? 1e-30 : 1 + i;
            right[i] = trial % 4 == 3 && i % 5 == 0 ? 1e-30 : 2 - i * 0.3;
        }
        struct matrix *both =
            matrix_product(t.a, matrix_diagonal(t.a, n, left),
                           matrix_product(t.a, x, matrix_diagonal(t.a, k, right)));
        cr_assert(both->rows == n && both->cols == k);
        for (uint32_t i = 0; i < n; i++)
            for (uint32_t j = 0; j < k; j++) {
                double want = made_at(x, i, j) * left[i] * right[j];
                cr_assert_float_eq(made_at(both, i, j), want, 1e-6 * fabs(want) + 1e-37);
            }
    }
    made_free(&t);
}

Test(matrix, apply_adds)
{
    struct made t = made_new(2);
    struct matrix *m = made_matrix(&t, 5, 7, 0.5);
    double x[7], out[5] = {1, 2, 3, 4, 5};
    for (int c = 0; c < 7; c++)
        x[c] = made_number(&t);
    matrix_apply(m, x, out);
    for (uint32_t r = 0; r < 5; r++) {
        double want = r + 1;
        for (uint32_t c = 0; c < 7; c++)
            want += made_at(m, r, c) * x[c];
        cr_expect_float_eq(out[r], want, 1e-12);
    }
    made_free(&t);
}

Test(matrix, builder_orders_adds_up_and_drops_zeros)
{
    struct arena *a = arena_new();
    struct matrix_builder b;
    matrix_begin(&b, a, 4, 10);
    matrix_entry(&b, 1, 9, 1);
    matrix_entry(&b, 1, 2, 2);
    matrix_entry(&b, 1, 9, 3);
    matrix_entry(&b, 1, 5, 7);
    matrix_entry(&b, 1, 5, -7);
    matrix_entry(&b, 3, 0, 0.5);
    struct matrix *m = matrix_end(&b);
    const uint32_t start[] = {0, 0, 2, 2, 3}, col[] = {2, 9, 0};
    const float val[] = {2, 4, 0.5f};
    cr_assert_not_null(m);
    cr_expect_arr_eq(m->start, start, sizeof start);
    cr_expect_arr_eq(m->col, col, sizeof col);
    cr_expect_arr_eq(m->val, val, sizeof val);

    matrix_begin(&b, a, 4, 4);
    matrix_entry(&b, 2, 0, 1);
    matrix_entry(&b, 1, 0, 1);
    cr_expect_null(matrix_end(&b), "rows came in descending order");
    matrix_begin(&b, a, 4, 4);
    matrix_entry(&b, 4, 0, 1);
    cr_expect_null(matrix_end(&b), "there is no row 4");
    arena_free(a);
}

/* Dense n x 1 times 1 x n: more weights than a matrix may have, and no time or memory lost over it.
 */
Test(matrix, refuses_more_weights_than_fit)
{
    struct made t = made_new(3);
    uint32_t n = 8192;
    struct matrix *x = made_matrix(&t, n, 1, 1), *y = made_matrix(&t, 1, n, 1);
    cr_expect_eq(matrix_product_work(x, y), (uint64_t)x->start[n] * y->start[1]);
    cr_expect_null(matrix_product(t.a, x, y));
    made_free(&t);
}

Test(matrix, recognises_moves_and_equal_weights)
{
    struct made t = made_new(4);
    struct matrix_builder b;
    float w = 0;
    struct matrix *one = matrix_diagonal(t.a, 5, NULL);
    cr_expect(matrix_monomial(one) && matrix_injection(one) && matrix_uniform(one, &w) && w == 1);
    struct matrix *half = matrix_diagonal(t.a, 2, (double[]){0.5, 0.5});
    cr_expect(matrix_monomial(half) && !matrix_injection(half) && matrix_uniform(half, &w) &&
              w == 0.5f);

    matrix_begin(&b, t.a, 2, 3); /* both rows read column 2 */
    matrix_entry(&b, 0, 2, 1);
    matrix_entry(&b, 1, 2, 1);
    struct matrix *twice = matrix_end(&b);
    cr_expect(matrix_monomial(twice) && !matrix_injection(twice));

    matrix_begin(&b, t.a, 2, 3); /* row 0 reads nothing */
    matrix_entry(&b, 1, 2, 1);
    struct matrix *gap = matrix_end(&b);
    cr_expect(matrix_monomial(gap) && !matrix_injection(gap));

    matrix_begin(&b, t.a, 1, 3);
    matrix_entry(&b, 0, 0, 2);
    matrix_entry(&b, 0, 1, 3);
    struct matrix *two = matrix_end(&b);
    cr_expect(!matrix_monomial(two) && !matrix_uniform(two, &w));

    matrix_begin(&b, t.a, 3, 3);
    struct matrix *none = matrix_end(&b);
    cr_expect(matrix_monomial(none) && !matrix_injection(none) && !matrix_uniform(none, &w));
    made_free(&t);
}
