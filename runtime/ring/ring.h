/* ring.h - arithmetic of Z_q[X]/(X^N + 1) for the primes of a parameter set, in RNS. A limb is a
 * vector of N residues modulo one prime. Chain index c: 0 .. n_q - 1 are the q, n_q .. n_q + n_p
 * - 1 the p. */
#ifndef OLA_RING_H
#define OLA_RING_H

#include "backend/backend.h"
#include "ola/ola.h"

struct ola_ring {
    uint32_t log_n, n, n_q, n_p;
    struct ola_ntt *ntt; /* [n_q + n_p] */
    uint32_t *bitrev;
    uint64_t *tables; /* what the ntt[] point into, one block; NULL: another ring's, like bitrev */
};

/* OLA_ERR_PARAM: log_n outside 10 .. 17, no prime or more than OLA_MAX_Q + OLA_MAX_P;
 * OLA_ERR_PRIME: not a prime = 1 mod 2n below 2^49, or given twice; OLA_ERR_NOMEM. */
ola_status ola_ring_new(uint32_t log_n, const uint64_t *q, uint32_t n_q, const uint64_t *p,
                        uint32_t n_p, struct ola_ring **out);
/* The ring of the same primes but q[gap_at .. gap_at + gap - 1], which reads the tables of `whole`:
 * that outlives it. OLA_ERR_NOMEM. */
ola_status ola_ring_without(const struct ola_ring *whole, uint32_t gap_at, uint32_t gap,
                            struct ola_ring **out);
void ola_ring_free(struct ola_ring *r);

/* Scalars; all results in [0, q). */
uint64_t ola_mod_mul(uint64_t a, uint64_t b, const struct ola_modulus *m);
uint64_t ola_mod_pow(uint64_t a, uint64_t e, const struct ola_modulus *m);
uint64_t ola_mod_inverse(uint64_t a, const struct ola_modulus *m); /* q prime, a != 0 */
struct ola_modulus ola_modulus_make(uint64_t q);

/* index[n] for a' = a(X^galois), galois odd, in the transformed domain: out[j] = a[index[j]]. */
void ola_ring_galois_index(const struct ola_ring *r, uint32_t galois, uint32_t *index);

/* ---- memory ---- (memory.c): through the hookable pair, pooled so that pages are reused. With
 * a pair of the user's (ola_set_allocator) nothing is pooled: each call is one call of the pair. */
void *ola_alloc(size_t size); /* 64-byte aligned, not zeroed; NULL when there is none */
void *ola_alloc_zero(size_t size);
void ola_release(void *p, size_t size); /* p may be NULL; size as asked for */
void ola_memory_trim(void);             /* gives back what is pooled */
void ola_wipe(void *p, size_t size);    /* sodium_memzero */

/* ---- sampling ---- (sample.c) constant time, XChaCha20 from a seed of 32 bytes that libsodium
 * gives; kind of distribution and stream number are its nonce. */
ola_status ola_random_seed(uint8_t seed[32]);
/* Uniform residues by rejection; the same seed and stream number give the same limb. */
void ola_sample_uniform(uint64_t *limb, size_t n, const struct ola_modulus *m,
                        const uint8_t seed[32], uint64_t stream);
/* In {-1, 0, 1}, uniform; and rounded Gaussian of sigma 3.19 cut at 6 sigma, by comparing with
 * the whole table of cumulative probabilities. */
void ola_sample_ternary(int8_t *v, size_t n, const uint8_t seed[32], uint64_t stream);
/* Exactly `weight` <= OLA_MAX_WEIGHT entries 1 or -1, uniform among all such; n a power of two. */
#define OLA_MAX_WEIGHT 64u
void ola_sample_sparse(int8_t *v, size_t n, uint32_t weight, const uint8_t seed[32],
                       uint64_t stream);
void ola_sample_gauss(int8_t *v, size_t n, const uint8_t seed[32], uint64_t stream);
/* limb = v mod q. */
void ola_ring_from_int8(uint64_t *limb, const int8_t *v, size_t n, const struct ola_modulus *m);

#endif
