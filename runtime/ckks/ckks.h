/* ckks.h - inside the scheme: the structs behind ola.h's handles, and what client/ and io/ share
 * with ckks/.
 *
 * A chain index c names a prime: q[c] for c < n_q, p[c - n_q] above. A limb is n residues modulo
 * one prime, in the transformed domain (backend.h's bit-reversed order) unless a function says
 * otherwise. */
#ifndef OLA_CKKS_H
#define OLA_CKKS_H

#include <string.h>

#include "ring/ring.h"

/* Conversion out of the product B of `k` primes of the chain. All tables are indexed by chain
 * index. */
struct ola_basis {
    uint32_t k;
    uint32_t source[OLA_MAX_P + 1];                   /* chain indices */
    const struct ola_modulus *modulus[OLA_MAX_P + 1]; /* the same primes */
    uint64_t hat_inverse[OLA_MAX_P + 1];              /* (B / b_k)^-1 mod b_k */
    uint64_t *weight;                                 /* [chain][k]: (B / b_k) mod the target */
    uint64_t *product;                                /* [chain]: B mod the target */
    uint64_t *inverse; /* [chain]: B^-1 mod the target; 0 for a b_k */
};

struct ola_params {
    struct ola_literal literal;
    uint32_t log_n, n, slots, n_q, n_p, chain; /* chain = n_q + n_p */
    uint32_t security;                         /* bits; 0 for a toy */
    double log_qp;
    double log_q[OLA_MAX_Q]; /* log2(q[0] * ... * q[level]) */
    uint8_t fingerprint[32];
    uint32_t width[OLA_MAX_Q + OLA_MAX_P];            /* bytes of a stored residue: 4 or 8 */
    uint32_t width_before[OLA_MAX_Q + OLA_MAX_P + 1]; /* their sums */
    struct ola_ring *ring;
    struct ola_basis up[OLA_MAX_Q];    /* up[e]: the digit that ends with q[e] */
    struct ola_basis by_q[OLA_MAX_Q];  /* division by q[level] */
    struct ola_basis by_p;             /* division by P */
    struct ola_basis by_pq[OLA_MAX_Q]; /* division by P * q[level] */
    struct ola_basis by_first_p;       /* division by p[0], for the switch to a sparse secret */
    uint64_t *tables;                  /* what the bases point into */
    size_t tables_bytes;
    struct ola_encoder *encoder;
    /* Digits of key switches: the one of each limb of q; the first limb of each, behind the last
     * one n_q; which one it is of a key as it is stored. */
    uint32_t digit_of[OLA_MAX_Q], digit_first[OLA_MAX_Q + 1], digit_stored[OLA_MAX_Q];
    /* Parameters with a gap (params.c): those that they were made of; limbs from gap_at on lie
     * `gap` further up there. */
    const struct ola_params *whole;
    uint32_t gap_at, gap;
};

/* Those of p without limbs of q: the literal says which are left, gap_at where the others were.
 * They use p's keys, and p outlives them. */
OLA_MUST_CHECK ola_status ola_params_without(const struct ola_params *p,
                                             const struct ola_literal *left, uint32_t gap_at,
                                             struct ola_params **out);

static inline const struct ola_modulus *
ola_params_modulus(const struct ola_params *p, uint32_t c)
{
    return &p->ring->ntt[c].mod;
}

/* The same object, or one of the same literal. */
static inline bool
ola_params_equal(const struct ola_params *a, const struct ola_params *b)
{
    return a == b || memcmp(a->fingerprint, b->fingerprint, sizeof a->fingerprint) == 0;
}

struct ola_ct {
    const struct ola_params *params;
    uint32_t parts; /* 0: holds nothing; 2; 3 until relinearised */
    uint32_t level;
    uint32_t stride; /* limbs from one part to the next; level < stride */
    double scale;
    uint8_t key_id[OLA_KEY_ID]; /* of the secret key */
    bool seeded;                /* fresh: part 1 is ola_ct_expand's of this seed */
    uint8_t seed[32];
    uint64_t *data;
    size_t bytes;
};

static inline uint64_t *
ola_ct_limb(const struct ola_ct *ct, uint32_t part, uint32_t i)
{
    return ct->data + (size_t)(part * ct->stride + i) * ct->params->n;
}

/* Both under one secret key, as far as ids tell; and out gets in's. */
static inline bool
ola_ct_same_key(const struct ola_ct *a, const struct ola_ct *b)
{
    return memcmp(a->key_id, b->key_id, sizeof a->key_id) == 0;
}

static inline void
ola_ct_take_key(struct ola_ct *out, const struct ola_ct *in)
{
    memmove(out->key_id, in->key_id, sizeof out->key_id);
}

/* Makes room for parts * (level + 1) limbs and sets parts and level; what ct held before stays
 * where both have it, the rest is unspecified. On failure ct is as before. */
OLA_MUST_CHECK ola_status ola_ct_reserve(struct ola_ct *ct, uint32_t parts, uint32_t level);
void ola_ct_clear(struct ola_ct *ct); /* holds nothing, keeps its memory */
/* Part 1 of a seeded ciphertext: limb i is ola_sample_uniform(seed, stream i). */
void ola_ct_expand(struct ola_ct *ct);

/* One switching key for use up to `level`: for every limb c (q[0 .. level], p[0 .. specials-1]) and
 * every digit a pair of limbs, half 0 (b = -a s + e + P * digit * s') and half 1 (a:
 * ola_sample_uniform(seed, ola_switch_stream)). P: the product of the special primes that it has,
 * which is all of them but for the switch to a sparse secret. */
struct ola_switch {
    uint32_t level, digits, specials;
    uint8_t seed[32];
    uint32_t *perm; /* automorphisms: ola_ring_galois_index; else NULL */
    void *data;
    size_t bytes;
};
/* Whether a key has a limb. */
static inline bool
ola_switch_has(const struct ola_params *p, const struct ola_switch *key, uint32_t c)
{
    return c <= key->level || (c >= p->n_q && c < p->n_q + key->specials);
}
/* n residues of 4 bytes (params->width[c] == 4) or 8. */
void *ola_switch_limb(const struct ola_params *p, const struct ola_switch *key, uint32_t c,
                      uint32_t digit, uint32_t half);
static inline uint64_t
ola_switch_stream(uint32_t digit, uint32_t c)
{
    return (uint64_t)digit << 32 | c;
}
/* Regenerates half 1 of the whole key from its seed. */
OLA_MUST_CHECK ola_status ola_switch_expand(const struct ola_params *p, struct ola_switch *key);
/* Widen and narrow between stored residues (width bytes each) and a limb. */
void ola_limb_load(uint64_t *limb, const void *stored, size_t n, uint32_t width);
void ola_limb_store(void *stored, const uint64_t *limb, size_t n, uint32_t width);

/* Keys of bootstrapping (ola/plan.h). */
enum ola_boot_switch {
    OLA_TO_SPARSE, /* q[0] and p[0] alone: to the sparse secret */
    OLA_TO_DENSE,  /* all of Q P in one digit, for polynomials that are small beside P: and back */
    OLA_CONJUGATE, /* X -> 1/X */
    OLA_BOOT_SWITCHES
};

struct ola_keys {
    const struct ola_params *params;
    uint8_t key_id[OLA_KEY_ID]; /* of the secret key; set by who fills them */
    bool has_relin, has_boot;
    struct ola_switch relin;
    struct ola_switch boot[OLA_BOOT_SWITCHES]; /* with a boot shape in the literal */
    uint32_t n_rotations;
    uint32_t *step;              /* ascending, in [1, slots) */
    struct ola_switch *rotation; /* [n_rotations] */
    uint64_t bytes;
};
/* Room for all keys, those of the literal's bootstrapping too, their contents unspecified, perm
 * filled in. relin_level UINT32_MAX: none. step strictly ascending in [1, slots), levels below n_q:
 * OLA_ERR_PARAM otherwise. */
OLA_MUST_CHECK ola_status ola_keys_new(const struct ola_params *p, uint32_t relin_level,
                                       uint32_t n_rotations, const uint32_t *step,
                                       const uint32_t *level, struct ola_keys **out);
/* The switching keys in the order of files: k-th of ola_keys_count. */
uint32_t ola_keys_count(const struct ola_keys *k);
struct ola_switch *ola_keys_at(const struct ola_keys *keys, uint32_t k);
/* The key of a rotation for use at `level`, NULL when there is none. */
const struct ola_switch *ola_keys_rotation(const struct ola_keys *k, uint32_t step, uint32_t level);

#endif
