/* test_params.c - the parameters that are chosen, against every set there is: secure, large enough,
 * and no set of at least the same precision is cheaper. */
#include "made.h"
#include "ola/plan.h"
#include "params/params.h"

static double
log_of(const struct he_params *p)
{
    double sum = 0;
    for (uint32_t k = 0; k < p->q.len; k++)
        sum += log2((double)p->q.at[k]);
    for (uint32_t k = 0; k < p->p.len; k++)
        sum += log2((double)p->p.at[k]);
    return sum;
}

/* Everything that params.h and plan.h promise of a set. */
static void
is_good(const struct params_request *r, const struct he_params *p)
{
    cr_assert_eq(p->log_n, r->log_n);
    cr_assert_eq(p->slots, 1u << (r->log_n - 1));
    cr_assert_eq(p->q.len, r->depth + 1);
    cr_assert(p->p.len >= 1 && p->p.len <= OLA_MAX_P);
    uint64_t all[OLA_MAX_Q + OLA_MAX_P];
    uint32_t n = 0;
    for (uint32_t k = 0; k < p->q.len; k++)
        all[n++] = p->q.at[k];
    for (uint32_t k = 0; k < p->p.len; k++)
        all[n++] = p->p.at[k];
    for (uint32_t k = 0; k < n; k++) {
        cr_assert(ola_plan_is_prime(all[k]) && all[k] >> OLA_PRIME_BITS == 0);
        cr_assert_eq(all[k] & ((2u << r->log_n) - 1), 1);
        for (uint32_t i = 0; i < k; i++)
            cr_assert_neq(all[i], all[k]);
    }
    double log_qp = log_of(p);
    cr_assert_float_eq(p->log_qp, log_qp, 1e-9);
    cr_assert(r->insecure_toy || log_qp <= ola_plan_max_log_qp(r->log_n, r->security), "%g bits",
              log_qp);
    cr_assert_eq(p->security, ola_plan_security(r->log_n, log_qp));
    cr_assert(r->insecure_toy || p->security >= r->security);
    cr_assert_eq(p->insecure_toy, r->insecure_toy);
    /* a digit is smaller than the special primes together */
    double special = 0;
    for (uint32_t k = 0; k < p->p.len; k++)
        special += log2((double)p->p.at[k]);
    for (uint32_t first = 0; first < p->q.len; first += p->digit_limbs) {
        double digit = 0;
        for (uint32_t k = first; k < first + p->digit_limbs && k < p->q.len; k++)
            digit += log2((double)p->q.at[k]);
        cr_assert_lt(digit, special);
    }
    /* the rescaling primes stay near the scale */
    for (uint32_t k = 1; k < p->q.len; k++)
        cr_assert(fabs(log2((double)p->q.at[k]) - log2(p->scale)) < 0.25 + 1e-9);
    /* one rounding, sqrt(N) sqrt(h / 12) with h = 2 N / 3, stays that far below the scale */
    double n_ring = ldexp(1, (int)r->log_n), rounding = sqrt(n_ring) * sqrt(2 * n_ring / 3 / 12);
    cr_assert_geq(log2(p->scale), log2(rounding) + r->precision_bits - 1e-9);
    if (r->output_fixed)
        cr_assert_geq(log2((double)p->q.at[0]) + 0.3, log2(p->scale) + r->output_bits);
}

static double
price(const struct params_request *r, uint32_t digit_limbs, uint32_t special)
{
    struct he_params p = {.log_n = r->log_n, .digit_limbs = digit_limbs};
    double sum = 0;
    p.p.len = special;
    for (uint32_t l = 0; l <= r->depth; l++)
        sum += r->switches[l] * he_price_rotation(&p, l, false);
    return sum;
}

/* There are that many primes of these sizes. */
static bool
exist(const struct params_request *r, uint32_t first, uint32_t bits, uint32_t special,
      uint32_t each)
{
    uint64_t q[OLA_MAX_Q + OLA_MAX_P];
    return ola_plan_primes(r->log_n, first, 1, NULL, 0, q) &&
           (!r->depth || ola_plan_primes(r->log_n, bits, r->depth, q, 1, q + 1)) &&
           ola_plan_primes(r->log_n, each, special, q, r->depth + 1, q + r->depth + 1);
}

/* The least price of all secure sets with primes of `bits` or more, found by trying every one. */
static double
least_price(const struct params_request *r, uint32_t bits, uint32_t room)
{
    double least = INFINITY, limit = ola_plan_max_log_qp(r->log_n, r->security);
    for (; bits <= 31; bits++)
        for (uint32_t limbs = 1; limbs <= r->depth + 1; limbs++)
            for (uint32_t special = 1; special <= OLA_MAX_P; special++)
                for (uint32_t each = r->log_n + 3; each <= 48; each++) {
                    uint32_t first = bits + 3 + room, digit = first + (limbs - 1) * bits;
                    double total = first + (double)r->depth * bits + special * each;
                    if (first > OLA_PRIME_BITS || special * each < digit + 4 ||
                        (!r->insecure_toy && total > limit - 0.5))
                        continue;
                    double paid = price(r, limbs, special);
                    if (paid < least && exist(r, first, bits, special, each))
                        least = paid;
                }
    return least;
}

Test(params, cheapest_of_all_secure_sets)
{
    uint32_t found = 0, refused = 0;
    for (uint64_t seed = 1; seed <= 250; seed++) {
        struct made m = made_new(seed);
        double switches[24], missing = 0;
        struct params_request r = {.log_n = 11 + made_below(&m, 5),
                                   .security = 128 + 64 * made_below(&m, 3),
                                   .depth = made_below(&m, 14),
                                   .precision_bits = made_below(&m, 10),
                                   .output_bits = made_below(&m, 6),
                                   .output_fixed = seed & 1,
                                   .switches = switches};
        for (uint32_t k = 0; k <= r.depth; k++)
            switches[k] = made_below(&m, 3) ? made_below(&m, 100) : 0;
        struct he_params p;
        bool ok = params_choose(m.a, &r, &p, &missing);
        found += ok;
        refused += !ok;
        if (ok) {
            is_good(&r, &p);
            double paid = price(&r, p.digit_limbs, p.p.len), least;
            least = least_price(&r, (uint32_t)log2(p.scale),
                                r.output_fixed ? (uint32_t)r.output_bits : 0);
            if (r.output_fixed)
                cr_assert_leq(paid, least * 1.002 + 1e-12, "seed %d: %g, not %g", (int)seed, paid,
                              least);
        } else {
            double rounding = r.log_n - 0.5 * log2(18); /* sqrt(N) sqrt(N / 18) */
            uint32_t bits = (uint32_t)ceil(rounding + r.precision_bits);
            bits = bits < r.log_n + 7 ? r.log_n + 7 : bits;
            cr_assert_eq(least_price(&r, bits, r.output_fixed ? (uint32_t)r.output_bits : 0),
                         INFINITY, "seed %d: there is a set", (int)seed);
        }
        made_free(&m);
    }
    cr_expect(found > 50 && refused > 50, "%u found, %u refused", found, refused);
}

/* What is missing is what a shallower network gains. */
Test(params, missing_bits)
{
    double switches[64] = {1}, missing;
    for (uint32_t log_n = 12; log_n <= 14; log_n++) {
        struct made m = made_new(1);
        struct params_request r = {
            .log_n = log_n, .security = 128, .precision_bits = 6, .switches = switches};
        struct he_params p;
        double last = -INFINITY;
        bool was = true;
        for (r.depth = 0; r.depth < 40; r.depth++) {
            bool ok = params_choose(m.a, &r, &p, &missing);
            cr_assert(was || !ok, "deeper is never easier");
            cr_assert(ok ? missing == 0 : missing > 0);
            cr_assert(ok || was || missing > last + r.log_n, "every level costs bits");
            last = missing;
            was = ok;
        }
        cr_expect(!was);
        cr_expect_gt(missing, 0);
        made_free(&m);
    }
}

Test(params, toys_and_security)
{
    double switches[32] = {0}, missing;
    struct made m = made_new(1);
    struct params_request r = {
        .log_n = 11, .security = 128, .depth = 12, .precision_bits = 5, .switches = switches};
    struct he_params p;
    for (int k = 0; k < 32; k++)
        switches[k] = 3;
    cr_expect(!params_choose(m.a, &r, &p, &missing));
    cr_expect_gt(missing, 100);
    r.insecure_toy = true;
    cr_assert(params_choose(m.a, &r, &p, &missing));
    is_good(&r, &p);
    cr_expect(p.insecure_toy && p.security == 0);
    /* a digit has no more limbs than the runtime takes, however many would be cheap */
    double many[42];
    for (int k = 0; k < 42; k++)
        many[k] = 3;
    r.depth = 41;
    r.switches = many;
    cr_assert(params_choose(m.a, &r, &p, &missing));
    is_good(&r, &p);
    cr_expect_leq(p.digit_limbs, OLA_MAX_P);
    /* more security, never more modulus */
    r = (struct params_request){.log_n = 14, .depth = 4, .precision_bits = 5, .switches = switches};
    for (r.security = 128; r.security <= 256; r.security += 64) {
        bool ok = params_choose(m.a, &r, &p, &missing);
        cr_assert_eq(ok, r.security <= 192 || ok);
        if (ok)
            cr_expect_leq(log_of(&p), ola_plan_max_log_qp(14, r.security));
    }
    r.security = 100; /* no such table */
    cr_expect(!params_choose(m.a, &r, &p, &missing));
    made_free(&m);
}

/* Outputs that can be scaled down give up room where the modulus is short; those that can't, don't.
 */
Test(params, room_of_the_outputs)
{
    double switches[32] = {0}, missing;
    struct made m = made_new(1);
    struct params_request r = {
        .log_n = 13, .security = 128, .precision_bits = 5, .output_bits = 15, .switches = switches};
    struct he_params p;
    uint32_t fixed = 0, free = 0;
    for (r.depth = 0; r.depth < 20; r.depth++) {
        r.output_fixed = true;
        bool one = params_choose(m.a, &r, &p, &missing);
        if (one)
            is_good(&r, &p);
        r.output_fixed = false;
        bool two = params_choose(m.a, &r, &p, &missing);
        if (two)
            is_good(&r, &p);
        cr_assert(!one || two);
        fixed += one;
        free += two;
    }
    cr_expect_gt(free, fixed);
    made_free(&m);
}
