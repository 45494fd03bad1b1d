/* test_ring.c - scalars against 128-bit division, transforms against the schoolbook product,
 * automorphisms against what they do to coefficients, and what ola_ring_new refuses. */
#include <criterion/criterion.h>
#include <string.h>

#include "ring/ring.h"

__extension__ typedef unsigned __int128 u128;

#define LOG_N 10
#define N     (1u << LOG_N)

static const uint32_t sizes[] = {20, 27, 32, 40, 48, 49};
#define SIZES (sizeof sizes / sizeof *sizes)

static struct ola_ring *
ring_of(uint32_t bits)
{
    uint64_t q;
    struct ola_ring *ring;
    cr_assert(ola_plan_primes(LOG_N, bits, 1, NULL, 0, &q));
    cr_assert_eq(ola_ring_new(LOG_N, &q, 1, NULL, 0, &ring), OLA_OK);
    return ring;
}

static uint64_t *
limb_of(const struct ola_ring *ring, uint64_t stream)
{
    static const uint8_t seed[32] = {42};
    uint64_t *limb = ola_alloc(N * sizeof *limb);
    cr_assert_not_null(limb);
    ola_sample_uniform(limb, N, &ring->ntt[0].mod, seed, stream);
    return limb;
}

static void
limb_free(uint64_t *limb)
{
    ola_release(limb, N * sizeof *limb);
}

Test(ring, scalars_agree_with_division)
{
    for (size_t s = 0; s < SIZES; s++) {
        struct ola_ring *ring = ring_of(sizes[s]);
        const struct ola_modulus *m = &ring->ntt[0].mod;
        uint64_t *a = limb_of(ring, 1), *b = limb_of(ring, 2);
        a[0] = b[0] = b[1] = m->q - 1;
        a[2] = 0;
        cr_assert(m->q >> (m->bits - 1) == 1);
        cr_assert(m->barrett == (uint64_t)(((u128)1 << (63 + m->bits)) / m->q));
        for (size_t i = 0; i < N; i++) {
            cr_assert_eq(ola_mod_mul(a[i], b[i], m), (uint64_t)((u128)a[i] * b[i] % m->q));
            if (a[i])
                cr_assert_eq((uint64_t)((u128)a[i] * ola_mod_inverse(a[i], m) % m->q), 1u);
        }
        uint64_t power = 1;
        for (uint64_t e = 0; e < 70; e++) {
            cr_assert_eq(ola_mod_pow(a[5], e, m), power);
            power = (uint64_t)((u128)power * a[5] % m->q);
        }
        limb_free(a);
        limb_free(b);
        ola_ring_free(ring);
    }
}

/* c = a * b modulo X^N + 1 and q, by the definition. */
static void
schoolbook(uint64_t *c, const uint64_t *a, const uint64_t *b, uint64_t q)
{
    for (size_t k = 0; k < N; k++) {
        u128 plus = 0, minus = 0;
        for (size_t i = 0; i <= k; i++)
            plus += (u128)a[i] * b[k - i];
        for (size_t i = k + 1; i < N; i++)
            minus += (u128)a[i] * b[N + k - i];
        uint64_t p = (uint64_t)(plus % q), r = (uint64_t)(minus % q);
        c[k] = p >= r ? p - r : p + q - r;
    }
}

Test(ring, transform_multiplies_polynomials)
{
    const struct ola_backend *const *list;
    uint32_t count = ola_backends(&list);
    for (size_t s = 0; s < SIZES; s++) {
        struct ola_ring *ring = ring_of(sizes[s]);
        const struct ola_ntt *t = &ring->ntt[0];
        uint64_t *a = limb_of(ring, 3), *b = limb_of(ring, 4), *want = limb_of(ring, 5);
        schoolbook(want, a, b, t->mod.q);
        for (uint32_t i = 0; i < count; i++) {
            uint64_t *x = limb_of(ring, 3), *y = limb_of(ring, 4);
            list[i]->ntt_forward(x, t);
            list[i]->ntt_forward(y, t);
            list[i]->mul(x, x, y, N, &t->mod);
            list[i]->ntt_inverse(x, t);
            cr_assert(memcmp(x, want, N * sizeof *x) == 0, "%s, %u bits", list[i]->name, sizes[s]);
            limb_free(x);
            limb_free(y);
        }
        limb_free(a);
        limb_free(b);
        limb_free(want);
        ola_ring_free(ring);
    }
}

/* a[j] of the transform is a(psi^(2 bitrev(j) + 1)), psi = w[bitrev(1)] = w[n / 2]. */
Test(ring, transform_evaluates_at_the_stated_points)
{
    struct ola_ring *ring = ring_of(40);
    const struct ola_ntt *t = &ring->ntt[0];
    const uint64_t psi = t->w[N / 2];
    uint64_t *a = limb_of(ring, 6), *values = limb_of(ring, 6);
    cr_assert_eq(ola_mod_pow(psi, N, &t->mod), t->mod.q - 1);
    ola_backend()->ntt_forward(values, t);
    for (size_t j = 0; j < N; j += 97) {
        uint64_t point = ola_mod_pow(psi, 2 * ring->bitrev[j] + 1, &t->mod), sum = 0;
        for (size_t i = N; i-- > 0;)
            sum = (uint64_t)(((u128)sum * point + a[i]) % t->mod.q);
        cr_assert_eq(values[j], sum);
    }
    limb_free(a);
    limb_free(values);
    ola_ring_free(ring);
}

Test(ring, tables_hold_exact_quotients)
{
    for (size_t s = 0; s < SIZES; s++) {
        struct ola_ring *ring = ring_of(sizes[s]);
        const struct ola_ntt *t = &ring->ntt[0];
        const uint64_t q = t->mod.q;
        for (size_t k = 0; k < N; k++) {
            cr_assert(t->w[k] < q && t->iw[k] < q);
            cr_assert_eq(t->ws[k], (uint64_t)(((u128)t->w[k] << 52) / q));
            cr_assert_eq(t->iws[k], (uint64_t)(((u128)t->iw[k] << 52) / q));
            uint64_t product = (uint64_t)((u128)t->w[k] * t->iw[k] % q);
            cr_assert_eq(product, k < 2 ? t->n_inverse : 1u);
        }
        cr_assert_eq((uint64_t)((u128)t->n_inverse * N % q), 1u);
        ola_ring_free(ring);
    }
}

/* out(X) = a(X^galois) modulo X^N + 1, on coefficients. */
static void
automorphism(uint64_t *out, const uint64_t *a, uint32_t galois, uint64_t q)
{
    for (size_t i = 0; i < N; i++) {
        size_t to = i * galois % (2 * N);
        uint64_t negated = a[i] ? q - a[i] : 0;
        out[to % N] = to < N ? a[i] : negated;
    }
}

Test(ring, galois_index_is_the_automorphism)
{
    static const uint32_t galois[] = {1, 3, 5, 25, 2 * N - 1, 1337, N + 1};
    struct ola_ring *ring = ring_of(45);
    const struct ola_ntt *t = &ring->ntt[0];
    uint32_t *index = ola_alloc(N * sizeof *index);
    uint64_t *a = limb_of(ring, 7), *want = limb_of(ring, 8), *got = limb_of(ring, 9);
    for (size_t g = 0; g < sizeof galois / sizeof *galois; g++) {
        limb_free(a);
        a = limb_of(ring, 7);
        automorphism(want, a, galois[g], t->mod.q);
        ola_backend()->ntt_forward(want, t);
        ola_backend()->ntt_forward(a, t);
        ola_ring_galois_index(ring, galois[g], index);
        ola_backend()->permute(got, a, index, N);
        cr_assert(memcmp(got, want, N * sizeof *got) == 0, "galois element %u", galois[g]);
        for (size_t j = 0; j < N; j++) /* the promise that kernels rely on */
            cr_assert_eq(index[j] / 8, index[j - j % 8] / 8);
    }
    ola_release(index, N * sizeof *index);
    limb_free(a);
    limb_free(want);
    limb_free(got);
    ola_ring_free(ring);
}

Test(ring, refuses_what_is_no_ring)
{
    struct ola_ring *ring = NULL;
    uint64_t q[3], wrong;
    cr_assert(ola_plan_primes(LOG_N, 40, 3, NULL, 0, q));
    cr_assert_eq(ola_ring_new(9, q, 1, NULL, 0, &ring), OLA_ERR_PARAM);
    cr_assert_eq(ola_ring_new(18, q, 1, NULL, 0, &ring), OLA_ERR_PARAM);
    cr_assert_eq(ola_ring_new(LOG_N, q, 0, NULL, 0, &ring), OLA_ERR_PARAM);
    cr_assert_eq(ola_ring_new(LOG_N, q, OLA_MAX_Q + 1, NULL, 0, &ring), OLA_ERR_PARAM);
    cr_assert_eq(ola_ring_new(LOG_N, q, 1, q, OLA_MAX_P + 1, &ring), OLA_ERR_PARAM);
    cr_assert_eq(ola_ring_new(LOG_N, q, 3, q, 1, &ring), OLA_ERR_PRIME);
    cr_assert_null(ring);
    wrong = q[0] * 2049; /* = 1 mod 2N, not a prime, and too large */
    cr_assert_eq(ola_ring_new(LOG_N, &wrong, 1, NULL, 0, &ring), OLA_ERR_PRIME);
    wrong = UINT64_C(2049) * 4097; /* = 1 mod 2N, not a prime */
    cr_assert_eq(ola_ring_new(LOG_N, &wrong, 1, NULL, 0, &ring), OLA_ERR_PRIME);
    wrong = 1000003; /* a prime, not = 1 mod 2N */
    cr_assert_eq(ola_ring_new(LOG_N, &wrong, 1, NULL, 0, &ring), OLA_ERR_PRIME);
    wrong = UINT64_C(0xfffffffffffffc01); /* the prime 2^64 - 1023 = 1 mod 1024: above 2^49 */
    cr_assert_eq(ola_ring_new(LOG_N, &wrong, 1, NULL, 0, &ring), OLA_ERR_PRIME);
    cr_assert_eq(ola_ring_new(LOG_N, q, 2, q + 2, 1, &ring), OLA_OK);
    cr_assert_eq(ring->ntt[2].mod.q, q[2]);
    ola_ring_free(ring);
}
