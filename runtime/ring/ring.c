/* ring.c - the tables of a ring: roots of unity for each prime, bit reversal, automorphisms. */
#include <string.h>

#include "backend/arith.h"
#include "ring/ring.h"

#define TABLES 6 /* w, ws, ws52 and their inverses */

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

static void
set_entry(uint64_t *w, uint64_t *ws, uint64_t *ws52, uint32_t k, uint64_t value, uint64_t q)
{
    w[k] = value;
    ws[k] = ola_shoup(value, q);
    ws52[k] = ws[k] >> 12;
}

static ola_status
ntt_fill(struct ola_ntt *t, uint64_t q, uint32_t log_n, const uint32_t *bitrev)
{
    size_t n = (size_t)1 << log_n;
    uint64_t *block = ola_alloc(TABLES * n * sizeof *block);
    if (!block)
        return OLA_ERR_NOMEM;
    t->mod = ola_modulus_make(q);
    t->log_n = log_n;
    t->w = block;
    t->ws = block + n;
    t->ws52 = block + 2 * n;
    t->iw = block + 3 * n;
    t->iws = block + 4 * n;
    t->iws52 = block + 5 * n;
    t->n_inverse = ola_mod_inverse(n, &t->mod);
    t->n_inverse_shoup = ola_shoup(t->n_inverse, q);

    uint64_t psi = primitive_root(&t->mod, log_n), inverse = ola_mod_inverse(psi, &t->mod);
    uint64_t power = 1, ipower = 1;
    for (size_t i = 0; i < n; i++) {
        set_entry(t->w, t->ws, t->ws52, bitrev[i], power, q);
        set_entry(t->iw, t->iws, t->iws52, bitrev[i], ipower, q);
        power = ola_mod_mul(power, psi, &t->mod);
        ipower = ola_mod_mul(ipower, inverse, &t->mod);
    }
    set_entry(t->iw, t->iws, t->iws52, 0, t->n_inverse, q);
    set_entry(t->iw, t->iws, t->iws52, 1, ola_mod_mul(t->iw[1], t->n_inverse, &t->mod), q);
    return OLA_OK;
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

static ola_status
ring_fill(struct ola_ring *r, const uint64_t *q, const uint64_t *p)
{
    uint32_t count = r->n_q + r->n_p;
    r->bitrev = ola_alloc(r->n * sizeof *r->bitrev);
    r->ntt = ola_alloc_zero(count * sizeof *r->ntt);
    if (!r->bitrev || !r->ntt)
        return OLA_ERR_NOMEM;
    for (uint32_t i = 0; i < r->n; i++)
        r->bitrev[i] = reverse_bits(i, r->log_n);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t prime = i < r->n_q ? q[i] : p[i - r->n_q];
        if (!prime_fits(r, i, prime))
            return OLA_ERR_PRIME;
        ola_status s = ntt_fill(&r->ntt[i], prime, r->log_n, r->bitrev);
        if (s)
            return s;
    }
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

void
ola_ring_free(struct ola_ring *r)
{
    if (!r)
        return;
    uint32_t count = r->n_q + r->n_p;
    for (uint32_t i = 0; r->ntt && i < count; i++)
        ola_release(r->ntt[i].w, TABLES * (size_t)r->n * sizeof *r->ntt[i].w);
    ola_release(r->ntt, count * sizeof *r->ntt);
    ola_release(r->bitrev, r->n * sizeof *r->bitrev);
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
