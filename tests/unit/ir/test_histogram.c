/* test_histogram.c - counts against brute force, sums against exact ones, and merging in any
 * order. */
#include "ir/histogram.h"

#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#define N 5000

static uint64_t
next(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 11;
}

/* Magnitudes over many octaves, both signs, some zeros. */
static void
fill(float *x, size_t n, uint64_t seed)
{
    for (size_t k = 0; k < n; k++) {
        double u = (double)next(&seed) * 0x1p-53, v = (double)next(&seed) * 0x1p-53;
        x[k] = u < 0.02 ? 0 : (float)((u - 0.5) * exp(20 * v - 14));
    }
}

/* Equal in what they hold, wherever their octaves lie. */
static bool
equal(const struct histogram *p, const struct histogram *q)
{
    bool same = p->zeros == q->zeros && p->lo == q->lo && p->hi == q->hi && p->n == q->n;

    for (uint32_t k = 0; same && k < HISTOGRAM_OCTAVES; k++) {
        const struct histogram_octave *x = histogram_octave(NULL, (struct histogram *)p, k);
        const struct histogram_octave *y = histogram_octave(NULL, (struct histogram *)q, k);
        same = !x == !y && (!x || memcmp(x, y, sizeof *x) == 0);
    }
    return same;
}

Test(histogram, sums_are_exact)
{
    struct arena *a = arena_new();
    struct histogram h = {0};
    static float x[N];
    long double sum = 0, square = 0;

    fill(x, N, 1);
    cr_assert(histogram_add(a, &h, x, N));
    cr_assert_eq(histogram_count(&h), N);
    for (int k = 0; k < N; k++)
        sum += (long double)x[k];
    for (int k = 0; k < N; k++)
        square += powl((long double)x[k] - sum / N, 2);
    cr_assert_float_eq(histogram_mean(&h), (double)(sum / N), 1e-14 * fabs((double)sum / N));
    double sd = (double)sqrtl(square / N);
    cr_assert_float_eq(histogram_deviation(&h), sd, 1e-12 * sd);
    cr_assert(histogram_sound(&h));
    arena_free(a);
}

Test(histogram, bins_hold_what_lies_in_them)
{
    struct arena *a = arena_new();
    struct histogram h = {0};
    static float x[N];
    uint32_t n;

    fill(x, N, 2);
    cr_assert(histogram_add(a, &h, x, N));
    const struct histogram_bin *b = histogram_bins(a, &h, &n);
    cr_assert(n > 100);
    cr_assert_eq((float)b[0].lo, h.lo);
    cr_assert_eq((float)b[n - 1].hi, h.hi);
    for (uint32_t k = 0; k < n; k++) {
        uint64_t in = 0;
        for (int i = 0; i < N; i++) { /* a bin ends where the next magnitude begins */
            double v = (double)x[i];
            bool inside = v > 0 ? v >= b[k].lo && v < b[k].hi : v > b[k].lo && v <= b[k].hi;
            in += inside || v == b[k].x || (k == n - 1 && x[i] == h.hi) || (k == 0 && x[i] == h.lo);
        }
        cr_assert_eq(in, b[k].count, "bin %u: %llu, not %llu", k, (unsigned long long)b[k].count,
                     (unsigned long long)in);
        cr_assert(b[k].lo <= b[k].x && b[k].x <= b[k].hi);
        cr_assert(b[k].hi - b[k].lo <= fabs(b[k].x) / HISTOGRAM_BINS + 1e-300);
        cr_assert(k == 0 || b[k - 1].hi <= b[k].lo);
    }
    arena_free(a);
}

Test(histogram, shards_merge_to_the_whole_in_any_order)
{
    static const int orders[][4] = {{0, 1, 2, 3}, {3, 1, 0, 2}, {2, 3, 1, 0}};
    struct arena *a = arena_new();
    struct histogram whole = {0}, shard[4] = {0};
    static float x[N];

    fill(x, N, 3);
    cr_assert(histogram_add(a, &whole, x, N));
    for (int k = 0; k < N; k++)
        cr_assert(histogram_add(a, &shard[k % 4], &x[k], 1));
    for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
        struct histogram h = {0};
        for (int i = 0; i < 4; i++)
            histogram_merge(a, &h, &shard[orders[k][i]]);
        cr_assert(equal(&h, &whole));
    }
    shard[0].octave[0].sum++;
    struct histogram h = {0};
    for (int i = 0; i < 4; i++)
        histogram_merge(a, &h, &shard[i]);
    cr_assert_not(equal(&h, &whole));
    arena_free(a);
}

Test(histogram, values_that_are_no_numbers_are_refused)
{
    static const float bad[] = {NAN, INFINITY, -INFINITY};
    struct arena *a = arena_new();

    for (int k = 0; k < 3; k++) {
        struct histogram h = {0};
        cr_assert_not(histogram_add(a, &h, &bad[k], 1));
    }
    arena_free(a);
}

Test(histogram, one_value_and_none)
{
    struct arena *a = arena_new();
    struct histogram h = {0};
    float x[3] = {-1.5f, -1.5f, -1.5f};
    uint32_t n;

    cr_assert(histogram_sound(&h));
    cr_assert_eq(histogram_count(&h), 0);
    cr_assert_eq(histogram_mean(&h), 0);
    cr_assert(histogram_add(a, &h, x, 3));
    cr_assert_eq(histogram_mean(&h), -1.5);
    cr_assert_eq(histogram_deviation(&h), 0);
    const struct histogram_bin *b = histogram_bins(a, &h, &n);
    cr_assert_eq(n, 1);
    cr_assert(b[0].lo == -1.5 && b[0].hi == -1.5 && b[0].x == -1.5 && b[0].count == 3);
    arena_free(a);
}

Test(histogram, shares_of_equal_parts)
{
    struct arena *a = arena_new();
    struct histogram h = {0};
    double share[8], sum = 0;

    for (int k = 0; k < 8000; k++) {
        float x = -4 + (float)k / 1000;
        cr_assert(histogram_add(a, &h, &x, 1));
    }
    histogram_shares(&h, -4, 4, 8, share);
    for (int k = 0; k < 8; k++) {
        cr_assert_float_eq(share[k], 0.125, 1e-3, "part %d: %g", k, share[k]);
        sum += share[k];
    }
    cr_assert_float_eq(sum, 1, 1e-12);
    histogram_shares(&h, 0, 8, 8, share);
    cr_assert_float_eq(share[3], 0.125, 1e-3);
    cr_assert_float_eq(share[4], 0, 1e-3);
    arena_free(a);
}

Test(histogram, unsound_numbers_are_seen)
{
    struct arena *a = arena_new();
    static float x[N];

    fill(x, N, 4);
    for (int what = 0; what < 8; what++) {
        struct histogram h = {0};
        cr_assert(histogram_add(a, &h, x, N));
        cr_assert(histogram_sound(&h));
        struct histogram_octave *o = &h.octave[h.n / 2];
        switch (what) {
        case 0:
            o->count[3] += UINT64_C(1) << 41;
            break;
        case 1:
            o->sum = 1;
            break;
        case 2:
            o->square_high = 7;
            break;
        case 3:
            h.lo = NAN;
            break;
        case 4:
            h.hi *= 2;
            break;
        case 5:
            h.lo = h.hi;
            break;
        case 6:
            h.zeros = UINT64_C(1) << 60;
            break;
        case 7:
            memset(o, 0, sizeof *o);
            break;
        }
        cr_assert_not(histogram_sound(&h), "change %d", what);
    }
    arena_free(a);
}
