/* test_boot.c - the plan of a bootstrap: shapes, factors, rotations, keys and scales. */
#include <criterion/criterion.h>
#include <math.h>
#include <string.h>

#include "ola/plan.h"

/* 2 + 3 factors, degree 30 and 3 doublings: 10 circuit levels between. */
static struct ola_literal
literal(uint32_t log_n)
{
    static const uint32_t eval[8] = {33, 35, 38, 38, 39, 41, 43, 36};
    struct ola_literal l = {.log_n = log_n, .n_q = 22, .n_p = 4, .digit_limbs = 4};
    uint32_t bits[26] = {36, 28, 28, 28, 28, 28, 28, 28, 28, 28, 28};
    uint64_t prime[26];
    memcpy(bits + 11, eval, sizeof eval);
    for (uint32_t k = 19; k < 26; k++)
        bits[k] = k < 22 ? 37 : 40;
    for (uint32_t k = 0; k < 26; k++)
        cr_assert(ola_plan_primes(log_n, bits[k], 1, prime, k, prime + k));
    memcpy(l.q, prime, 22 * sizeof *prime);
    memcpy(l.p, prime + 22, 4 * sizeof *prime);
    l.boot = (struct ola_boot_shape){2, 3, 30, 3, 16, 10};
    return l;
}

Test(boot, shapes)
{
    struct ola_literal l = literal(15), none = l;
    cr_expect(ola_plan_boot_good(&l) && ola_plan_has_boot(&l));
    none.boot = (struct ola_boot_shape){0};
    cr_expect(ola_plan_boot_good(&none) && !ola_plan_has_boot(&none));
    const struct ola_boot_shape bad[] = {
        {0, 3, 30, 3, 16, 10}, {2, 0, 30, 3, 16, 13}, {1, 3, 30, 3, 16, 10}, {2, 1, 30, 3, 16, 12},
        {2, 3, 3, 3, 16, 13},  {2, 3, 64, 3, 16, 8},  {2, 3, 30, 9, 16, 4},  {2, 3, 30, 3, 0, 10},
        {2, 3, 30, 3, 65, 10}, {2, 3, 30, 3, 16, 9},  {2, 3, 30, 3, 16, 11}, {7, 3, 30, 3, 16, 10},
        {0, 0, 0, 0, 16, 0},
    };
    for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
        struct ola_literal b = l;
        struct ola_boot_plan plan;
        b.boot = bad[k];
        cr_expect_not(ola_plan_boot_good(&b), "shape %zu", k);
        cr_expect_not(ola_plan_boot(&b, 1u << 14, &plan), "shape %zu", k);
    }
}

/* The offsets that a merged run of stages can make, gathered by walking through the stages. */
static uint32_t
count_offsets(uint32_t base, uint32_t stages, uint32_t period)
{
    static unsigned char seen[1u << 16], next[1u << 16];
    uint32_t count = 0;
    memset(seen, 0, sizeof seen);
    seen[0] = 1;
    for (uint32_t k = 0; k < stages; k++) {
        const uint32_t h = 1u << (base + k);
        memset(next, 0, sizeof next);
        for (uint32_t o = 0; o < period; o++) {
            if (seen[o])
                next[o] = next[(o + h) % period] = next[(o + period - h) % period] = 1;
        }
        memcpy(seen, next, sizeof seen);
    }
    for (uint32_t o = 0; o < period; o++)
        count += seen[o];
    return count;
}

static bool
has_rotation(const struct ola_boot_plan *p, uint32_t step, uint32_t level)
{
    for (uint32_t k = 0; k < p->n_rotations; k++) {
        if (p->rotation[k].step == step)
            return p->rotation[k].level >= level;
    }
    return false;
}

static void
check_factors(const struct ola_boot_plan *p, const struct ola_boot_factor *f, uint32_t count,
              uint32_t period)
{
    uint32_t stages = 0;
    for (uint32_t k = 0; k < count; k++) {
        stages += f[k].stages;
        cr_expect_eq(f[k].diagonals, count_offsets(f[k].base, f[k].stages, period),
                     "factor %u, period %u", k, period);
        cr_expect(f[k].babies * f[k].giants >= f[k].diagonals);
        for (uint32_t b = 1; b < f[k].babies; b++)
            cr_expect(has_rotation(p, b << f[k].base, f[k].level));
        cr_expect(f[k].giants == 1 || has_rotation(p, f[k].babies << f[k].base, f[k].level));
    }
    cr_expect_eq(1u << stages, period);
}

Test(boot, factors_and_rotations)
{
    struct ola_literal l = literal(15);
    struct ola_boot_plan full, p;
    cr_assert(ola_plan_boot(&l, 1u << 14, &full));
    cr_expect_not(ola_plan_boot(&l, 1u << 15, &p));
    cr_expect_not(ola_plan_boot(&l, 3, &p));
    cr_expect_not(ola_plan_boot(&l, 0, &p));
    for (uint32_t period = 1; period <= 1u << 14; period *= 2) {
        cr_assert(ola_plan_boot(&l, period, &p));
        cr_expect(p.in_level == 2 && p.out_level == 10 && p.top == 21 && p.eval_level == 18);
        check_factors(&p, p.stc, 2, period);
        check_factors(&p, p.cts, 3, period);
        for (uint32_t k = 0; k < p.n_rotations; k++) {
            const uint32_t step = p.rotation[k].step;
            cr_expect(step > (k == 0 ? 0 : p.rotation[k - 1].step) && step < 1u << 14);
            /* A shorter period wants no keys but the full one's and those of its folds. */
            cr_expect(has_rotation(&full, step, p.rotation[k].level) || step >= period);
        }
        for (uint32_t step = period; step < 1u << 14; step *= 2)
            cr_expect(has_rotation(&p, step, p.fold_level));
    }
}

Test(boot, counts)
{
    struct ola_literal l = literal(15);
    struct ola_boot_plan p;
    cr_assert(ola_plan_boot(&l, 1u << 14, &p));
    /* Two maps of 7 stages at levels 2 and 1, three of 5, 5 and 4 from the top. */
    static const uint32_t want[5][4] = {
        {2, 255, 16, 16}, {1, 128, 16, 8}, {21, 32, 8, 4}, {20, 63, 8, 8}, {19, 31, 8, 4}};
    for (uint32_t k = 0; k < 5; k++) {
        const struct ola_boot_factor *f = k < 2 ? &p.stc[k] : &p.cts[k - 2];
        cr_expect(f->level == want[k][0] && f->diagonals == want[k][1] && f->babies == want[k][2] &&
                      f->giants == want[k][3],
                  "factor %u", k);
    }
    /* u; u^2, u^4, u^8 in Chebyshev's sense and four sums of the degree 15; three doublings. */
    uint32_t products = 0;
    for (uint32_t k = 0; k < OLA_MAX_Q; k++)
        products += p.relinearisations[k];
    cr_expect_eq(products, 1 + 3 + 4 + 3);
    cr_expect_eq(p.relinearisations[18], 1);
    cr_expect_eq(p.relinearisations[11], 1);
    /* 64-bit primes of q[0], p[0]; a digit of all; the conjugate's key. */
    const uint64_t bytes =
        ola_plan_key_bytes(&l, 21) / 6 + 4 * 8 * 32768 + ola_plan_key_bytes(&l, 18);
    cr_expect_eq(ola_plan_boot_key_bytes(&l), bytes);
    cr_expect_eq(ola_plan_relin_level(&l, UINT32_MAX), 18);
    cr_expect_eq(ola_plan_relin_level(&l, 20), 20);
}

Test(boot, scales)
{
    struct ola_literal l = literal(15);
    struct ola_boot_scales s;
    const double in = exp2(28), out = exp2(28.5);
    cr_assert(ola_plan_boot_scales(&l, 1u << 14, in, out, &s));
    cr_expect(s.copies == 1.0 && s.cts[2] == s.x);
    cr_expect_float_eq(s.ratio, (double)l.q[0] / in, 1e-9);
    /* Forwards: x squared, u three times squared, the cosine three times squared. */
    double scale = s.x * s.x / (double)l.q[18];
    cr_expect_float_eq(scale / s.u, 1.0, 1e-9);
    for (uint32_t level = 17; level > 14; level--)
        scale = scale * scale / (double)l.q[level];
    cr_expect_float_eq(scale / s.cosine, 1.0, 1e-9);
    for (uint32_t level = 13; level > 10; level--)
        scale = scale * scale / (double)l.q[level];
    cr_expect_float_eq(scale * 2.0 * M_PI / s.ratio / out, 1.0, 1e-9);
    cr_expect_not(ola_plan_boot_scales(&l, 1u << 14, exp2(35), out, &s), "a ratio of 2");
    cr_expect_not(ola_plan_boot_scales(&l, 1u << 14, exp2(40), out, &s));
    cr_expect_not(ola_plan_boot_scales(&l, 1u << 14, -1.0, out, &s));
    cr_expect_not(ola_plan_boot_scales(&l, 1u << 14, in, NAN, &s));
    /* Twice the input's scale halves what CoeffsToSlots and EvalMod add. */
    const double coarse = ola_plan_boot_noise(&l, 1u << 14, exp2(27), out);
    cr_expect(ola_plan_boot_noise(&l, 1u << 14, in, out) < 0.75 * coarse);
    cr_expect(isinf(ola_plan_boot_noise(&l, 3, in, out)));
}

Test(boot, sets)
{
    static const uint32_t levels[4] = {9, 10, 8, 15};
    static const double error[4] = {-13.1, -13.8, -12.0, -18.1};
    for (uint32_t k = 0; k < 4; k++) {
        struct ola_literal l;
        double in, out, log_qp = 0.0;
        cr_assert(ola_plan_boot_set(k, &l, &in, &out));
        for (uint32_t i = 0; i < l.n_q + l.n_p; i++)
            log_qp += log2((double)(i < l.n_q ? l.q[i] : l.p[i - l.n_q]));
        cr_expect_eq(ola_plan_security(l.log_n, log_qp), 128u, "set %u: %g bits", k, log_qp);
        cr_expect_eq(l.boot.out_level - l.boot.stc, levels[k]);
        const double noise = ola_plan_boot_noise(&l, 1u << (l.log_n - 1), in, out);
        cr_expect_lt(fabs(log2(noise) - error[k]), 0.2, "set %u: 2^%.2f", k, log2(noise));
    }
}

/* The polynomial and the doublings by themselves, everywhere that matters: the sine, best where
 * integers are likely. */
Test(boot, cosine)
{
    const struct ola_boot_shape shape = {.degree = 30, .doubles = 2, .k = 12};
    double coef[OLA_MAX_DEGREE / 2 + 1];
    const double ratio = 256.0, error = ola_plan_boot_cosine(&shape, ratio, coef);
    cr_expect(error > 0x1p-17 && error < 0x1p-15, "2^%.2f", log2(error));
    for (int i = -12; i <= 12; i++) {
        double most = 0.0;
        for (int k = -50; k <= 50; k++) {
            const double x = i + k / 50.0 / ratio, w = (x - 0.25) / 12.5;
            double y = 0.0;
            for (int j = 0; j <= 15; j++)
                y += coef[j] * cos(2.0 * j * acos(w)); /* T_j(T_2(w)) */
            for (int j = 0; j < 2; j++)
                y = 2.0 * y * y - 1.0;
            most = fmax(most, fabs(y - sin(2.0 * M_PI * x)) * ratio / (2.0 * M_PI));
        }
        cr_expect(most < (abs(i) <= 4 ? 1e-4 : abs(i) <= 8 ? 1e-2 : 1.0), "%d: %g", i, most);
    }
}
