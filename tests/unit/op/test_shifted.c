/* test_shifted.c - weights times shifted views against the sum as it is defined, for row and column
 * counts around those that are worked on at a time. */
#include "base/arena.h"
#include "op/shifted.h"

#include <criterion/criterion.h>
#include <math.h>

static float
draw(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return (float)(*state >> 8) / (1 << 23) - 1;
}

static void
check(uint32_t rows, uint32_t n, uint32_t depth)
{
    struct arena *a = arena_new();
    uint32_t up = (n + SHIFTED_BLOCK - 1) / SHIFTED_BLOCK * SHIFTED_BLOCK, pitch = up + 3,
             state = n;
    float *w = ARENA_ARRAY(a, float, rows *depth);
    float *x = ARENA_ARRAY(a, float, 100 + up), *y = ARENA_ARRAY(a, float, rows *pitch);
    uint32_t *offset = ARENA_ARRAY(a, uint32_t, depth);

    for (uint32_t k = 0; k < rows * depth; k++)
        w[k] = draw(&state);
    for (uint32_t k = 0; k < 100 + n; k++)
        x[k] = draw(&state);
    for (uint32_t k = 0; k < depth; k++)
        offset[k] = (k * 37) % 100;
    for (uint32_t k = 0; k < rows * pitch; k++)
        y[k] = 7;
    shifted_product(w, rows, x, offset, depth, y, n, pitch);
    for (uint32_t r = 0; r < rows; r++)
        for (uint32_t p = 0; p < pitch; p++) {
            double want = 7;
            for (uint32_t k = 0; p < n && k < depth; k++)
                want += (double)w[r * depth + k] * (double)x[offset[k] + p];
            if (p < n)
                cr_expect_float_eq((double)y[r * pitch + p], want, 1e-5, "%u rows, %u of %u", rows,
                                   p, n);
            else if (p >= up)
                cr_expect_eq(y[r * pitch + p], 7, "%u rows, %u columns: wrote %u", rows, n, p);
        }
    arena_free(a);
}

Test(shifted, sums_as_defined)
{
    static const uint32_t rows[] = {1, 2, 3, 7, 8, 9, 17},
                          n[] = {1, 15, 16, 17, 31, 33, 64, 65, 81};

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; k < sizeof n / sizeof *n; k++)
            check(rows[i], n[k], 1 + (uint32_t)(i + k) * 5);
}

/* A row's bits don't depend on the rows beside it. */
Test(shifted, rows_alone)
{
    enum { N = 70, DEPTH = 20, PITCH = 80 };
    float w[11 * DEPTH], x[N + 40], all[11 * PITCH] = {0};
    uint32_t offset[DEPTH], state = 5;

    for (int k = 0; k < 11 * DEPTH; k++)
        w[k] = draw(&state);
    for (int k = 0; k < N + 40; k++)
        x[k] = draw(&state);
    for (uint32_t k = 0; k < DEPTH; k++)
        offset[k] = k;
    shifted_product(w, 11, x, offset, DEPTH, all, N, PITCH);
    for (int r = 0; r < 11; r++) {
        float one[PITCH] = {0};
        shifted_product(w + r * DEPTH, 1, x, offset, DEPTH, one, N, PITCH);
        for (int p = 0; p < N; p++)
            cr_expect_eq(one[p], all[r * PITCH + p]);
    }
}
