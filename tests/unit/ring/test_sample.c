/* test_sample.c - what is drawn: determinism, range, moments and frequencies. The seeds are
 * fixed, so that a bound either holds or does not; each is at least five deviations wide. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ring/ring.h"

#define COUNT (1u << 20)

static const uint8_t seed[32] = {1, 2, 3, 4, 5, 6, 7, 8};

static struct ola_modulus
modulus(uint32_t bits)
{
    uint64_t q;
    cr_assert(ola_plan_primes(10, bits, 1, NULL, 0, &q));
    return ola_modulus_make(q);
}

Test(sample, uniform_is_below_the_prime_and_flat)
{
    static const uint32_t sizes[] = {14, 30, 49};
    uint64_t *v = malloc(COUNT * sizeof *v);
    for (size_t s = 0; s < 3; s++) {
        struct ola_modulus m = modulus(sizes[s]);
        uint32_t bin[64] = {0};
        ola_sample_uniform(v, COUNT, &m, seed, s);
        for (size_t i = 0; i < COUNT; i++) {
            cr_assert(v[i] < m.q);
            bin[(uint64_t)((double)v[i] / (double)m.q * 64)]++;
        }
        double chi = 0, mean = COUNT / 64.0;
        for (int b = 0; b < 64; b++) {
            /* Bins differ by a residue where the prime is small: their width counts. */
            double width = ceil((b + 1) * (double)m.q / 64) - ceil(b * (double)m.q / 64);
            double want = COUNT * width / (double)m.q;
            cr_expect(fabs(want - mean) < mean / 100);
            chi += (bin[b] - want) * (bin[b] - want) / want;
        }
        /* 63 degrees of freedom: mean 63, deviation 11.2. */
        cr_expect(chi > 63 - 5 * 11.2 && chi < 63 + 5 * 11.2, "chi square %g at %u bits", chi,
                  sizes[s]);
    }
    free(v);
}

/* The weight is exact, signs are about even, and every place has its share. */
Test(sample, sparse_is_exact_and_uniform)
{
    enum { N = 1024, WEIGHT = 32, DRAWS = 2000 };
    uint8_t seed[32] = {9};
    int8_t v[N], again[N];
    static uint32_t hit[N];
    int sum = 0;
    for (uint64_t k = 0; k < DRAWS; k++) {
        int weight = 0;
        ola_sample_sparse(v, N, WEIGHT, seed, k);
        for (int i = 0; i < N; i++) {
            cr_assert(v[i] >= -1 && v[i] <= 1);
            weight += v[i] != 0;
            sum += v[i];
            hit[i] += v[i] != 0;
        }
        cr_assert_eq(weight, WEIGHT);
    }
    /* Expected 62.5 hits a place, deviation 7.8; a sum of 64,000 signs, deviation 253. */
    for (int i = 0; i < N; i++)
        cr_expect(hit[i] > 15 && hit[i] < 110, "place %d: %u", i, hit[i]);
    cr_expect_lt(abs(sum), 1500);
    ola_sample_sparse(again, N, WEIGHT, seed, DRAWS - 1);
    cr_expect_arr_eq(v, again, N);
}

Test(sample, ternary_is_uniform)
{
    int8_t *v = malloc(COUNT);
    uint32_t count[3] = {0};
    ola_sample_ternary(v, COUNT, seed, 0);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert(v[i] >= -1 && v[i] <= 1);
        count[v[i] + 1]++;
    }
    for (int k = 0; k < 3; k++) /* deviation sqrt(COUNT * 2 / 9) = 483 */
        cr_expect(fabs(count[k] - COUNT / 3.0) < 5 * 483, "%d: %u times", k - 1, count[k]);
    free(v);
}

/* The probability of v under the rounded Gaussian of deviation 3.19, cut at 19. */
static double
gauss_probability(int v)
{
    const double unit = 3.19 * sqrt(2);
    return (erf((v + 0.5) / unit) - erf((v - 0.5) / unit)) / (2 * erf(19.5 / unit));
}

Test(sample, gauss_has_its_moments_and_frequencies)
{
    int8_t *v = malloc(COUNT);
    double sum = 0, square = 0, fourth = 0, chi = 0, want_square = 0, want_fourth = 0;
    uint32_t count[39] = {0};
    ola_sample_gauss(v, COUNT, seed, 0);
    for (size_t i = 0; i < COUNT; i++) {
        cr_assert(v[i] >= -19 && v[i] <= 19);
        sum += v[i];
        square += v[i] * v[i];
        fourth += pow(v[i], 4);
        count[v[i] + 19]++;
    }
    for (int k = -19; k <= 19; k++) {
        want_square += k * k * gauss_probability(k);
        want_fourth += pow(k, 4) * gauss_probability(k);
    }
    cr_expect(fabs(want_square - 3.19 * 3.19 - 1.0 / 12) < 1e-4); /* Sheppard's correction */
    cr_expect(fabs(sum / COUNT) < 5 * 3.2 / 1024, "mean %g", sum / COUNT);
    cr_expect(fabs(square / COUNT - want_square) < 5 * sqrt(2) * want_square / 1024, "variance %g",
              square / COUNT);
    cr_expect(fabs(fourth / COUNT - want_fourth) < 5 * 10 * want_fourth / 1024, "kurtosis %g",
              fourth / COUNT);
    int degrees = -1;
    for (int k = -13; k <= 13; k++, degrees++) { /* further out fewer than ten are expected */
        double want = COUNT * gauss_probability(k);
        chi += (count[k + 19] - want) * (count[k + 19] - want) / want;
    }
    cr_expect(chi < degrees + 5 * sqrt(2.0 * degrees), "chi square %g of %d", chi, degrees);
    free(v);
}

/* The tail must exist too: at 2^24 draws, |v| = 16 comes about 15 times. */
Test(sample, gauss_reaches_its_tail)
{
    int8_t *v = malloc(COUNT);
    uint32_t beyond = 0;
    double want = 0;
    for (uint64_t stream = 0; stream < 16; stream++) {
        ola_sample_gauss(v, COUNT, seed, stream);
        for (size_t i = 0; i < COUNT; i++)
            beyond += v[i] >= 15 || v[i] <= -15;
    }
    for (int k = 15; k <= 19; k++)
        want += 2 * 16 * (double)COUNT * gauss_probability(k);
    cr_expect(fabs(beyond - want) < 5 * sqrt(want), "%u, expected %g", beyond, want);
    free(v);
}

Test(sample, same_seed_and_stream_same_values)
{
    struct ola_modulus m = modulus(45);
    uint64_t a[1000], b[1000], c[1000];
    int8_t s[1000], t[1000];
    ola_sample_uniform(a, 1000, &m, seed, 7);
    ola_sample_uniform(b, 1000, &m, seed, 7);
    cr_expect(memcmp(a, b, sizeof a) == 0);
    ola_sample_uniform(c, 300, &m, seed, 7);
    cr_expect(memcmp(a, c, 300 * sizeof *a) == 0, "a shorter vector is a prefix");
    ola_sample_uniform(b, 1000, &m, seed, 8);
    cr_expect(memcmp(a, b, sizeof a) != 0);
    ola_sample_gauss(s, 1000, seed, 7);
    ola_sample_gauss(t, 1000, seed, 7);
    cr_expect(memcmp(s, t, sizeof s) == 0);
    ola_sample_ternary(s, 1000, seed, 7);
    ola_sample_ternary(t, 1000, seed, 8);
    cr_expect(memcmp(s, t, sizeof s) != 0);
    uint8_t one[32], other[32];
    cr_assert_eq(ola_random_seed(one), OLA_OK);
    cr_assert_eq(ola_random_seed(other), OLA_OK);
    cr_expect(memcmp(one, other, sizeof one) != 0);
}

/* Distributions of one seed and stream are independent of each other: signs agree half of the
 * time. */
Test(sample, kinds_do_not_share_randomness)
{
    int8_t *g = malloc(COUNT), *t = malloc(COUNT);
    int64_t correlation = 0;
    ola_sample_gauss(g, COUNT, seed, 3);
    ola_sample_ternary(t, COUNT, seed, 3);
    for (size_t i = 0; i < COUNT; i++)
        correlation += g[i] * t[i];
    cr_expect(fabs((double)correlation) < 5 * 1024 * 3.2 * 0.82, "correlation %lld",
              (long long)correlation);
    free(g);
    free(t);
}

Test(sample, small_values_become_residues)
{
    struct ola_modulus m = modulus(20);
    int8_t v[256];
    uint64_t limb[256];
    for (int i = 0; i < 256; i++)
        v[i] = (int8_t)(i - 128);
    ola_ring_from_int8(limb, v, 256, &m);
    for (int i = 0; i < 256; i++)
        cr_expect_eq(limb[i], (uint64_t)((i - 128 + (int64_t)m.q) % (int64_t)m.q));
}
