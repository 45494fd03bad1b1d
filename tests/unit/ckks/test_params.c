/* test_params.c - what ola_params_new accepts and what its tables hold. */
#include "ckks_test.h"

static struct ola_literal
good(void)
{
    struct ola_literal l = {.log_n = 13, .n_q = 3, .n_p = 1, .digit_limbs = 1};
    cr_assert(ola_plan_primes(13, 40, 3, NULL, 0, l.q));
    cr_assert(ola_plan_primes(13, 48, 1, NULL, 0, l.p));
    return l;
}

static void
refused(const struct ola_literal *l, ola_status want)
{
    ola_params *p = (ola_params *)1;
    cr_expect_eq(ola_params_new(l, &p), want);
    cr_expect_null(p);
}

Test(params, what_is_refused)
{
    struct ola_literal l = good();
    refused(NULL, OLA_ERR_PARAM);
    cr_expect_eq(ola_params_new(&l, NULL), OLA_ERR_PARAM);
    l = good(), l.log_n = 9;
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.log_n = 18;
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.n_q = 0;
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.n_q = OLA_MAX_Q + 1;
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.n_p = 0;
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.digit_limbs = 0;
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.q[0] = good().p[0], l.p[0] = good().q[0]; /* a prime alone is above P */
    refused(&l, OLA_ERR_PARAM);
    l = good(), l.q[1] = l.q[0];
    refused(&l, OLA_ERR_PRIME);
    l = good(), l.p[0] = l.q[2];
    refused(&l, OLA_ERR_PRIME);
    l = good(), l.q[1] += 2;
    refused(&l, OLA_ERR_PRIME);
    l = good(), l.q[1] = 0;
    refused(&l, OLA_ERR_PRIME);
    l = good(), l.log_n = 12; /* 168 bits are above 106 */
    refused(&l, OLA_ERR_INSECURE);
}

Test(params, what_is_accepted)
{
    struct ola_literal l = good();
    ola_params *p, *again;
    uint8_t a[32], b[32];
    OK(ola_params_new(&l, &p));
    OK(ola_params_new(&l, &again));
    cr_expect_eq(ola_params_slots(p), 4096u);
    cr_expect_eq(ola_params_security(p), 128u);
    cr_expect_float_eq(ola_params_log_qp(p), 168.0, 0.1);
    cr_expect_arr_eq(ola_params_literal(p), &l, sizeof l);
    ola_params_fingerprint(p, a);
    ola_params_fingerprint(again, b);
    cr_expect_arr_eq(a, b, 32);
    ola_params_free(again);
    l.model[7] ^= 1;
    OK(ola_params_new(&l, &again));
    ola_params_fingerprint(again, b);
    cr_expect_arr_neq(a, b, 32);
    ola_params_free(again);
    ola_params_free(p);
    ola_params_free(NULL);
}

Test(params, a_toy_says_so)
{
    struct ola_literal l = good();
    ola_params *p;
    l.log_n = 12;
    l.insecure_toy = true;
    OK(ola_params_new(&l, &p));
    cr_expect_eq(ola_params_security(p), 0u);
    ola_params_free(p);
}

/* The conversion tables against their definitions, by division with remainder. */
Test(params, tables_of_bases)
{
    struct ola_literal l = {
        .log_n = 10, .n_q = 5, .n_p = 2, .digit_limbs = 2, .insecure_toy = true};
    cr_assert(ola_plan_primes(10, 30, 5, NULL, 0, l.q));
    cr_assert(ola_plan_primes(10, 35, 2, NULL, 0, l.p));
    ola_params *p;
    OK(ola_params_new(&l, &p));
    const struct ola_basis *b = &p->up[3]; /* q[2] q[3] */
    cr_assert_eq(b->k, 2u);
    for (uint32_t c = 0; c < p->chain; c++) {
        uint64_t t = ola_params_modulus(p, c)->q;
        unsigned __int128 product = (unsigned __int128)l.q[2] * l.q[3];
        cr_expect_eq(b->product[c], (uint64_t)(product % t));
        cr_expect_eq(b->weight[2 * c], l.q[3] % t);
        cr_expect_eq(b->weight[2 * c + 1], l.q[2] % t);
        if (c != 2 && c != 3)
            cr_expect_eq((uint64_t)((unsigned __int128)b->inverse[c] * b->product[c] % t), 1u);
    }
    cr_expect_eq((uint64_t)((unsigned __int128)b->hat_inverse[0] * (l.q[3] % l.q[2]) % l.q[2]), 1u);
    cr_expect_eq(p->up[4].k, 1u, "the last digit is short");
    cr_expect_eq(p->by_pq[2].k, 3u);
    cr_expect_eq(p->width[0], 4u);
    cr_expect_eq(p->width[5], 8u);
    ola_params_free(p);
}
