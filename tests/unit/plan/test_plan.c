/* test_plan.c - the planning shared by compiler and runtime, against independent computations. */
#include <criterion/criterion.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "ola/plan.h"

Test(security, table_values)
{
    cr_expect_eq(ola_plan_max_log_qp(10, 128), 26.0);
    cr_expect_eq(ola_plan_max_log_qp(14, 128), 430.0);
    cr_expect_eq(ola_plan_max_log_qp(15, 192), 597.0);
    cr_expect_eq(ola_plan_max_log_qp(17, 256), 1866.0);
    cr_expect_eq(ola_plan_max_log_qp(9, 128), 0.0);
    cr_expect_eq(ola_plan_max_log_qp(18, 128), 0.0);
    cr_expect_eq(ola_plan_max_log_qp(14, 100), 0.0);
}

Test(security, highest_level_reached)
{
    cr_expect_eq(ola_plan_security(14, 430.0), 128u);
    cr_expect_eq(ola_plan_security(14, 430.1), 0u);
    cr_expect_eq(ola_plan_security(14, 297.0), 192u);
    cr_expect_eq(ola_plan_security(14, 230.0), 256u);
    cr_expect_eq(ola_plan_security(10, 26.5), 0u);
    cr_expect_eq(ola_plan_security(30, 1.0), 0u);
}

static bool
prime_by_division(uint64_t n)
{
    for (uint64_t k = 2; k * k <= n; k++) {
        if (n % k == 0)
            return false;
    }
    return n >= 2;
}

Test(primes, small_numbers_against_trial_division)
{
    for (uint64_t n = 0; n < 20000; n++)
        cr_assert_eq(ola_plan_is_prime(n), prime_by_division(n), "%lu", (unsigned long)n);
}

Test(primes, hard_numbers)
{
    cr_expect(!ola_plan_is_prime(3215031751u));          /* strong pseudoprime to 2, 3, 5, 7 */
    cr_expect(!ola_plan_is_prime(3825123056546413051u)); /* to the bases up to 23 */
    cr_expect(!ola_plan_is_prime(341550071728321u));
    cr_expect(ola_plan_is_prime(18446744073709551557u)); /* the largest below 2^64 */
    cr_expect(!ola_plan_is_prime(18446744073709551615u));
}

Test(primes, properties)
{
    uint64_t q[24];
    for (uint32_t bits = 20; bits <= 49; bits++) {
        if (!ola_plan_primes(14, bits, 6, NULL, 0, q)) {
            cr_expect(bits < 24, "%u bits", bits);
            continue;
        }
        for (int k = 0; k < 6; k++) {
            double ratio = log2((double)q[k]) - bits;
            cr_expect(fabs(ratio) < 0.25);
            cr_expect(q[k] < (uint64_t)1 << 49);
            cr_expect_eq(q[k] % 32768, 1u);
            cr_expect(ola_plan_is_prime(q[k]));
            if (bits >= 28 && bits < 49)
                cr_expect(k % 2 == 0 ? ratio > 0 : ratio < 0);
            for (int j = 0; j < k; j++)
                cr_expect_neq(q[j], q[k]);
        }
    }
}

Test(primes, nearest_first_and_taken_left_out)
{
    uint64_t q[2], more[2];
    cr_assert(ola_plan_primes(10, 30, 2, NULL, 0, q));
    for (uint64_t n = ((uint64_t)1 << 30) + 1; n < q[0]; n += 2048)
        cr_expect(!prime_by_division(n));
    cr_assert(ola_plan_primes(10, 30, 2, q, 2, more));
    cr_expect(more[0] > q[0] && more[1] < q[1]);
}

Test(primes, errors)
{
    uint64_t q[64];
    cr_expect(!ola_plan_primes(9, 40, 1, NULL, 0, q));
    cr_expect(!ola_plan_primes(18, 40, 1, NULL, 0, q));
    cr_expect(!ola_plan_primes(14, 16, 1, NULL, 0, q));
    cr_expect(!ola_plan_primes(14, 50, 1, NULL, 0, q));
    cr_expect(!ola_plan_primes(17, 20, 60, NULL, 0, q), "only a few numbers are that small");
}

Test(keys, bytes)
{
    struct ola_literal l = {.log_n = 14, .n_q = 4, .n_p = 2, .digit_limbs = 2};
    cr_assert(ola_plan_primes(14, 40, 4, NULL, 0, l.q));
    cr_assert(ola_plan_primes(14, 28, 1, NULL, 0, &l.q[1]));
    cr_assert(ola_plan_primes(14, 45, 2, NULL, 0, l.p));
    cr_expect_eq(ola_plan_digits(&l, 0), 1u);
    cr_expect_eq(ola_plan_digits(&l, 1), 1u);
    cr_expect_eq(ola_plan_digits(&l, 2), 2u);
    /* level 2: two digits, limbs of 8, 4, 8 and twice 8 bytes; both halves. */
    cr_expect_eq(ola_plan_key_bytes(&l, 2), 2u * 2u * (8 + 4 + 8 + 16) * 16384u);
    /* Primes alternate above and below the power: 41, 29, 41, 46 and 45 bits; one half. */
    cr_expect_eq(ola_plan_key_wire_bytes(&l, 2), 2u * (41 + 29 + 41 + 46 + 45) * 16384u / 8);
    cr_expect_eq(ola_plan_limb_width(((uint64_t)1 << 32) - 1), 4u);
    cr_expect_eq(ola_plan_limb_width((uint64_t)1 << 32), 8u);
}

/* 49 28 | 28 28 | 42 41 | 28 bits: with the next prime each is above the 96 bits of P. */
Test(keys, digits_take_what_fits)
{
    static const uint32_t bits[7] = {49, 28, 28, 28, 42, 41, 28}, digits[7] = {1, 1, 2, 2, 3, 3, 4};
    struct ola_literal l = {.log_n = 14, .n_q = 7, .n_p = 2, .digit_limbs = 7};
    cr_assert(ola_plan_primes(14, 48, 2, NULL, 0, l.p));
    for (uint32_t k = 0; k < 7; k++) {
        cr_assert(ola_plan_primes(14, bits[k], 1, l.q, k, &l.q[k]));
        l.n_q = k + 1; /* those above do not matter */
        cr_expect_eq(ola_plan_digits(&l, k), digits[k], "limb %u", k);
    }
    cr_expect_eq(ola_plan_digit_end(&l, 2), 4u);
    l.digit_limbs = 1;
    cr_expect_eq(ola_plan_digits(&l, 6), 7u);
}

Test(keys, galois_is_a_power_of_five)
{
    uint32_t power = 1;
    for (uint32_t step = 0; step < 512; step++) {
        cr_assert_eq(ola_plan_galois(10, step), power);
        power = power * 5 % 2048;
    }
    cr_expect_eq(power, 1u, "order of 5 is N / 2");
    cr_expect_eq(ola_plan_galois(17, 1u << 15), ((uint32_t)1 << 17) + 1);
}

/* ---- polynomials ---- */

static double
clenshaw(const double *c, uint32_t degree, double x)
{
    double b1 = 0, b2 = 0;
    for (uint32_t k = degree; k >= 1; k--) {
        double b = 2 * x * b1 - b2 + c[k];
        b2 = b1;
        b1 = b;
    }
    return x * b1 - b2 + c[0];
}

static const uint64_t some_q[8] = {(uint64_t)1 << 40, 1000003,   1010003, 999983,
                                   1000211,           998244353, 1000777, 1001003};

/* Runs the steps on doubles, checking levels and scales as the runtime does. */
static double
run(const struct ola_poly_plan *plan, const double *leaves, double x, uint32_t level, double scale)
{
    struct {
        double v, scale;
        uint32_t level;
    } r[80], t;
    r[0].v = x, r[0].scale = scale, r[0].level = level;
    for (uint32_t k = 0; k < plan->n_steps; k++) {
        const struct ola_step *s = &plan->step[k];
        cr_assert(s->dst < plan->n_regs && s->a < plan->n_regs);
        cr_assert(r[s->a].level >= s->level + 1);
        double q = (double)some_q[s->level + 1];
        t.level = s->level;
        t.scale = s->scale;
        double second = s->kind == OLA_STEP_LEAF ? s->plain_scale : r[s->b].scale;
        cr_assert_float_eq(r[s->a].scale * second / q / s->scale, 1.0, 1e-12);
        if (s->kind == OLA_STEP_LEAF) {
            cr_assert(s->leaf < plan->n_leaves);
            t.v = leaves[2 * s->leaf + 1] * r[s->a].v + leaves[2 * s->leaf];
        } else {
            cr_assert(r[s->b].level >= s->level + 1);
            t.v = r[s->a].v * r[s->b].v;
            if (s->kind == OLA_STEP_POWER)
                t.v = 2 * t.v - 1;
        }
        if (s->kind != OLA_STEP_POWER && s->c != OLA_NO_REG) {
            cr_assert_eq(r[s->c].level, s->level);
            cr_assert_eq(r[s->c].scale, s->scale, "sums at exactly equal scales");
            t.v += r[s->c].v;
        }
        memcpy(&r[s->dst], &t, sizeof t);
    }
    return r[plan->step[plan->n_steps - 1].dst].v;
}

Test(poly, every_degree_against_clenshaw)
{
    double c[64], leaves[2 * 64];
    srand(1);
    for (uint32_t degree = 1; degree <= OLA_MAX_DEGREE; degree++) {
        struct ola_poly_plan plan;
        uint32_t depth = (uint32_t)ceil(log2(degree + 1.0));
        cr_assert_eq(ola_plan_poly_depth(degree), depth);
        double in = 1.1e6, out = 0.9e6;
        cr_assert(ola_plan_poly(degree, 7, in, out, some_q, &plan));
        cr_assert_eq(plan.depth, depth);
        const struct ola_step *last = &plan.step[plan.n_steps - 1];
        cr_assert_eq(last->level, 7 - depth);
        cr_assert_eq(last->scale, out);
        for (uint32_t k = 0; k <= degree; k++)
            c[k] = rand() / (double)RAND_MAX - 0.5;
        ola_plan_poly_split(&plan, c, leaves);
        for (double x = -1.0; x <= 1.0; x += 0.125)
            cr_assert_float_eq(run(&plan, leaves, x, 7, in), clenshaw(c, degree, x), 1e-11,
                               "degree %u", degree);
    }
}

Test(poly, deferred_results_are_only_summands)
{
    for (uint32_t degree = 1; degree <= OLA_MAX_DEGREE; degree++) {
        struct ola_poly_plan plan;
        cr_assert(ola_plan_poly(degree, 7, 1e6, 1e6, some_q, &plan));
        uint32_t summands = 0, deferred = 0;
        for (uint32_t k = 0; k < plan.n_steps; k++) {
            summands += plan.step[k].kind != OLA_STEP_POWER && plan.step[k].c != OLA_NO_REG;
            deferred += ola_plan_poly_deferred(&plan, k);
        }
        cr_expect_eq(summands, deferred);
    }
}

Test(poly, counts)
{
    /* Relinearisations: one for each T_(2^k), one for each sum of products at one level. */
    static const uint32_t want[][3] = {{1, 0, 1}, {2, 1, 2}, {3, 2, 2}, {4, 3, 3},
                                       {5, 3, 3}, {7, 4, 4}, {15, 7, 8}};
    for (size_t k = 0; k < sizeof want / sizeof *want; k++) {
        struct ola_poly_plan plan;
        uint32_t products, plain;
        cr_assert(ola_plan_poly(want[k][0], 7, 1e6, 1e6, some_q, &plan));
        ola_plan_poly_count(&plan, &products, &plain);
        cr_expect_eq(products, want[k][1], "degree %u: %u", want[k][0], products);
        cr_expect_eq(plain, want[k][2], "degree %u: %u", want[k][0], plain);
    }
}

Test(poly, errors)
{
    struct ola_poly_plan plan;
    cr_expect(!ola_plan_poly(0, 7, 1e6, 1e6, some_q, &plan));
    cr_expect(!ola_plan_poly(64, 7, 1e6, 1e6, some_q, &plan));
    cr_expect(!ola_plan_poly(7, 2, 1e6, 1e6, some_q, &plan));
    cr_expect(!ola_plan_poly(7, 64, 1e6, 1e6, some_q, &plan));
    cr_expect(ola_plan_poly(7, 3, 1e6, 1e6, some_q, &plan));
}
