/* test_encoder.c - the canonical embedding against its definition: sums of powers of a root of
 * unity. */
#include <complex.h>

#include "ckks/encoder.h"
#include "ckks_test.h"

/* Slot t of the polynomial with coefficient c[k] at X^(k * step), of degree N = 2^log_n. */
static double complex
slot(const double *c, uint32_t n, uint32_t step, uint32_t log_n, uint32_t t)
{
    double complex sum = 0;
    uint64_t exponent = ola_plan_galois(log_n, t);
    for (uint32_t k = 0; k < n; k++) {
        uint64_t e = exponent * k * step % (2u << log_n);
        sum += c[k] * cexp(2 * M_PI * I * (double)e / (double)(2u << log_n));
    }
    return sum;
}

Test(encoder, every_period_against_the_definition)
{
    struct ola_encoder *e;
    double v[512], coef[1024];
    OK(ola_encoder_new(10, &e));
    for (uint32_t period = 1; period <= 512; period *= 2) {
        fill_random(v, period, period);
        ola_encode(e, v, period, 1000.0, coef);
        for (uint32_t t = 0; t < 512; t += period < 64 ? 13 : 37) {
            double complex z = slot(coef, 2 * period, 512 / period, 10, t);
            cr_expect_float_eq(creal(z), 1000 * v[t % period], 1e-9);
            cr_expect_float_eq(cimag(z), 0, 1e-9);
        }
    }
    ola_encoder_free(e);
}

Test(encoder, decode_against_the_definition)
{
    struct ola_encoder *e;
    double coef[1024], copy[1024], v[512];
    OK(ola_encoder_new(10, &e));
    fill_random(coef, 1024, 3);
    memcpy(copy, coef, sizeof coef);
    ola_decode(e, coef, 4.0, v, 512);
    for (uint32_t t = 0; t < 512; t += 7)
        cr_expect_float_eq(v[t], creal(slot(copy, 1024, 1, 10, t)) / 4, 1e-11);
    ola_encoder_free(e);
}

static ola_params *
some_params(void)
{
    struct ola_literal l = {
        .log_n = 10, .n_q = 3, .n_p = 1, .digit_limbs = 1, .insecure_toy = true};
    ola_params *p;
    cr_assert(ola_plan_primes(10, 40, 3, NULL, 0, l.q));
    cr_assert(ola_plan_primes(10, 45, 1, NULL, 0, l.p));
    OK(ola_params_new(&l, &p));
    return p;
}

Test(encoder, scalars_of_any_size)
{
    ola_params *p = some_params();
    uint64_t q = p->literal.q[1];
    cr_expect_eq(ola_encoded_scalar(p, 1, 0.49), 0u);
    cr_expect_eq(ola_encoded_scalar(p, 1, -3.2), q - 3);
    cr_expect_eq(ola_encoded_scalar(p, 1, 0x1p60), ((uint64_t)1 << 60) % q);
    cr_expect_eq(ola_encoded_scalar(p, 1, -(double)q), 0u);
    unsigned __int128 big = (unsigned __int128)0x1fffffffffffffu << 60;
    cr_expect_eq(ola_encoded_scalar(p, 1, -ldexp(0x1fffffffffffffp0, 60)), q - (uint64_t)(big % q));
    ola_params_free(p);
}

/* Limbs of small and of large coefficients: transformed back, they are the rounded coefficients. */
Test(encoder, limbs)
{
    ola_params *p = some_params();
    double coef[1024];
    uint64_t *limb = ola_alloc(1024 * sizeof *limb);
    for (int large = 0; large < 2; large++) {
        for (uint32_t period = 4; period <= 512; period *= 128) {
            fill_random(coef, 2 * period, 9);
            for (uint32_t k = 0; k < 2 * period; k++)
                coef[k] *= large ? 0x1p70 : 0x1p49;
            ola_encoded_limb(p, 2, coef, period, ola_encoded_size(coef, 2 * period), limb);
            ola_backend()->ntt_inverse(limb, &p->ring->ntt[2]);
            for (uint32_t j = 0; j < 1024; j++) {
                uint32_t step = 512 / period;
                uint64_t want = j % step == 0 ? ola_encoded_scalar(p, 2, coef[j / step]) : 0;
                cr_assert_eq(limb[j], want, "%u: %lu, %lu", j, (unsigned long)limb[j],
                             (unsigned long)want);
            }
        }
    }
    ola_release(limb, 1024 * sizeof *limb);
    ola_params_free(p);
}

Test(encoder, size_and_fit)
{
    ola_params *p = some_params();
    double v[4] = {1, -7, 3, 0};
    cr_expect_eq(ola_encoded_size(v, 4), 7.0);
    v[2] = -INFINITY;
    cr_expect(!ola_encoded_fits(p, 2, ola_encoded_size(v, 4)));
    v[2] = NAN;
    cr_expect(!ola_encoded_fits(p, 2, ola_encoded_size(v, 4)));
    cr_expect(ola_encoded_fits(p, 0, 0x1p38));
    cr_expect(!ola_encoded_fits(p, 0, 0x1p40));
    cr_expect(ola_encoded_fits(p, 2, 0x1p117));
    ola_params_free(p);
}
