/* ring.c - the tables of a ring: roots of unity for each prime, bit reversal, automorphisms. */
#include <string.h>

#include "backend/arith.h"
#include "ring/ring.h"

#define TABLES 4 /* w, ws and their inverses */

static uint32_t
reverse_bits(uint32_t v, uint32_t bits)
{
    uint32_t r = 0;
    for (uint32_t i = 0; i < bits; i++)
        r |= ((v >> i) & 1) << (bits - 1 - i);
    return r;
}

/* A primitive 2n-th root of unity modulo a prime q = 1 mod 2n: the smallest base that gives one. */
static uint64_t
primitive_root(const struct ola_modulus *m, uint32_t log_n)
{
    for (uint64_t base = 2;; base++) {
        uint64_t psi = ola_mod_pow(base, (m->q - 1) >> (log_n + 1), m);
        if (ola_mod_pow(psi, UINT64_C(1) << log_n, m) == m->q - 1)
            return psi;
    }
}

/* floor(w * 2^64 / q) without a division: w * barrett / 2^(bits - 1) falls short of it by at most
 * 3, and the remainder says by how much. */
static uint64_t
shoup(uint64_t w, const struct ola_modulus *m)
{
    uint64_t quotient = (uint64_t)((ola_u128)w * m->barrett >> (m->bits - 1));
    uint64_t remainder = 0 - quotient * m->q; /* of w * 2^64, in [0, 4q) */
    for (int i = 0; i < 3; i++) {
        uint64_t short_by_one = remainder >= m->q;
        quotient += short_by_one;
        remainder -= m->q & (0 - short_by_one);
    }
    return quotient;
}

/* w[k] = root^bitrev(k): the upper half of each power of two is the lower one times a root of that
 * order, as bitrev(2^j + i) = bitrev(i) + n / 2^(j + 1). */
static void
fill_powers(uint64_t *w, uint64_t root, uint32_t log_n, const struct ola_modulus *m)
{
    w[0] = 1;
    for (uint32_t j = 0; j < log_n; j++) {
        const size_t half = (size_t)1 << j;
        const uint64_t f = ola_mod_pow(root, UINT64_C(1) << (log_n - 1 - j), m), fs = shoup(f, m);
        for (size_t i = 0; i < half; i++)
            w[half + i] = ola_csub(ola_mul_shoup_lazy(w[i], f, fs, m->q), m->q);
    }
}

static void
fill_quotients(const uint64_t *w, uint64_t *ws, size_t n, const struct ola_modulus *m)
{
    for (size_t k = 0; k < n; k++)
        ws[k] = shoup(w[k], m) >> 12;
}

/* Fills t, of which the modulus is there, with tables in block[TABLES * n]. */
static void
ntt_fill(struct ola_ntt *t, uint32_t log_n, uint64_t *block)
{
    const size_t n = (size_t)1 << log_n;
    const struct ola_modulus *m = &t->mod;
    t->log_n = log_n;
    t->w = block;
    t->ws = block + n;
    t->iw = block + 2 * n;
    t->iws = block + 3 * n;
    t->n_inverse = ola_mod_inverse(n, m);

    const uint64_t psi = primitive_root(m, log_n);
    fill_powers(t->w, psi, log_n, m);
    fill_powers(t->iw, ola_mod_inverse(psi, m), log_n, m);
    t->iw[0] = t->n_inverse;
    t->iw[1] = ola_mod_mul(t->iw[1], t->n_inverse, m);
    fill_quotients(t->w, t->ws, n, m);
    fill_quotients(t->iw, t->iws, n, m);
}

static size_t
tables_size(const struct ola_ring *r)
{
    return (r->n_q + r->n_p) * TABLES * (size_t)r->n * sizeof *r->tables;
}

static bool
prime_fits(const struct ola_ring *r, uint32_t index, uint64_t q)
{
    if (q >> OLA_PRIME_BITS || q % (2 * (uint64_t)r->n) != 1 || !ola_plan_is_prime(q))
        return false;
    for (uint32_t i = 0; i < index; i++)
        if (r->ntt[i].mod.q == q)
            return false;
    return true;
}

/* Nothing large is allocated before the primes are known to be good. */
static ola_status
ring_fill(struct ola_ring *r, const uint64_t *q, const uint64_t *p)
{
    const uint32_t count = r->n_q + r->n_p;
    r->ntt = ola_alloc_zero(count * sizeof *r->ntt);
    if (!r->ntt)
        return OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        uint64_t prime = i < r->n_q ? q[i] : p[i - r->n_q];
        if (!prime_fits(r, i, prime))
            return OLA_ERR_PRIME;
        r->ntt[i].mod = ola_modulus_make(prime);
    }
    r->tables = ola_alloc(tables_size(r));
    if (r->tables)
        r->bitrev = ola_alloc(r->n * sizeof *r->bitrev);
    if (!r->bitrev)
        return OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < r->n; i++)
        r->bitrev[i] = reverse_bits(i, r->log_n);
    for (uint32_t i = 0; i < count; i++)
        ntt_fill(&r->ntt[i], r->log_n, r->tables + i * TABLES * (size_t)r->n);
    return OLA_OK;
}

ola_status
ola_ring_new(uint32_t log_n, const uint64_t *q, uint32_t n_q, const uint64_t *p, uint32_t n_p,
             struct ola_ring **out)
{
    *out = NULL;
    if (log_n < OLA_MIN_LOG_N || log_n > OLA_MAX_LOG_N || n_q < 1 || n_q > OLA_MAX_Q ||
        n_p > OLA_MAX_P)
        return OLA_ERR_PARAM;
    struct ola_ring *r = ola_alloc_zero(sizeof *r);
    if (!r)
        return OLA_ERR_NOMEM;
    r->log_n = log_n;
    r->n = UINT32_C(1) << log_n;
    r->n_q = n_q;
    r->n_p = n_p;
    ola_status s = ring_fill(r, q, p);
    if (s) {
        ola_ring_free(r);
        return s;
    }
    *out = r;
    return OLA_OK;
}

ola_status
ola_ring_without(const struct ola_ring *whole, uint32_t gap_at, uint32_t gap, struct ola_ring **out)
{
    const uint32_t count = whole->n_q + whole->n_p - gap;
    *out = NULL;
    struct ola_ring *r = ola_alloc_zero(sizeof *r);
    struct ola_ntt *ntt = ola_alloc_zero(count * sizeof *ntt);
    if (!r || !ntt) {
        ola_release(r, sizeof *r);
        ola_release(ntt, count * sizeof *ntt);
        return OLA_ERR_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++)
        ntt[i] = whole->ntt[i < gap_at ? i : i + gap];
    *r = *whole;
    r->n_q -= gap;
    r->ntt = ntt;
    r->tables = NULL;
    *out = r;
    return OLA_OK;
}

void
ola_ring_free(struct ola_ring *r)
{
    if (!r)
        return;
    uint32_t count = r->n_q + r->n_p;
    if (r->tables) {
        ola_release(r->tables, tables_size(r));
        ola_release(r->bitrev, r->n * sizeof *r->bitrev);
    }
    ola_release(r->ntt, count * sizeof *r->ntt);
    ola_release(r, sizeof *r);
}

/* Entry j is the value at psi^(2 * bitrev(j) + 1); X -> X^galois multiplies that exponent, mod
 * 2n. */
void
ola_ring_galois_index(const struct ola_ring *r, uint32_t galois, uint32_t *index)
{
    assert(galois & 1);
    for (uint32_t j = 0; j < r->n; j++) {
        uint32_t exponent = ((2 * r->bitrev[j] + 1) * galois) & (2 * r->n - 1);
        index[j] = r->bitrev[exponent >> 1];
    }
}
