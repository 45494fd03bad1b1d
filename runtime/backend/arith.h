/* arith.h - scalar arithmetic modulo one prime, inlined: what portable.c, the edges of the other
 * backends and ring/ stand on. q < 2^49 everywhere. */
#ifndef OLA_ARITH_H
#define OLA_ARITH_H

#include <assert.h>

#include "backend/backend.h"

__extension__ typedef unsigned __int128 ola_u128;

/* a - b when a >= b, else a; a < 2^63. */
static inline uint64_t
ola_csub(uint64_t a, uint64_t b)
{
    uint64_t d = a - b;
    return d + (b & (0 - (d >> 63)));
}

/* a * b mod q, for a, b < q. Barrett, with both factors shifted so that the high word of their
 * product is floor(a * b / 2^(bits - 1)); times barrett, the high word again is the quotient, short
 * by at most 2. */
static inline uint64_t
ola_mul_barrett(uint64_t a, uint64_t b, const struct ola_modulus *m)
{
    assert(a < m->q && b < m->q);
    uint64_t top = (uint64_t)((ola_u128)(a << 15) * (b << (50 - m->bits)) >> 64);
    uint64_t quotient = (uint64_t)((ola_u128)top * m->barrett >> 64);
    uint64_t r = a * b - quotient * m->q; /* [0, 3q) */
    assert(r < 3 * m->q);
    return ola_csub(ola_csub(r, 2 * m->q), m->q);
}

/* floor(w * 2^64 / q), w < q: Shoup's companion of a constant factor. */
static inline uint64_t
ola_shoup(uint64_t w, uint64_t q)
{
    return (uint64_t)(((ola_u128)w << 64) / q);
}

/* a * w mod q in [0, 2q), for any a; ws = ola_shoup(w, q). */
static inline uint64_t
ola_mul_shoup_lazy(uint64_t a, uint64_t w, uint64_t ws, uint64_t q)
{
    uint64_t quotient = (uint64_t)((ola_u128)a * ws >> 64);
    return a * w - quotient * q;
}

/* The same for a below 2^52; ws = floor(w * 2^52 / q). */
static inline uint64_t
ola_mul_shoup52_lazy(uint64_t a, uint64_t w, uint64_t ws, uint64_t q)
{
    assert(a >> 52 == 0);
    uint64_t quotient = (uint64_t)((ola_u128)(a << 12) * ws >> 64);
    return a * w - quotient * q;
}

/* Constants to reduce a sum of products. */
struct ola_fold {
    uint64_t q, one_shoup;     /* Shoup's companion of 1 */
    uint64_t high, high_shoup; /* 2^52 mod q */
};

static inline struct ola_fold
ola_fold_make(uint64_t q)
{
    struct ola_fold f = {.q = q, .one_shoup = ola_shoup(1, q), .high = (UINT64_C(1) << 52) % q};
    f.high_shoup = ola_shoup(f.high, q);
    return f;
}

/* z mod q for z < 2^104: the part above 2^52 times 2^52 mod q, plus the rest. */
static inline uint64_t
ola_fold_reduce(ola_u128 z, const struct ola_fold *f)
{
    assert(z >> 104 == 0);
    uint64_t low = (uint64_t)z & ((UINT64_C(1) << 52) - 1);
    uint64_t r = ola_mul_shoup_lazy((uint64_t)(z >> 52), f->high, f->high_shoup, f->q) +
                 ola_mul_shoup_lazy(low, 1, f->one_shoup, f->q); /* [0, 4q) */
    return ola_csub(ola_csub(r, 2 * f->q), f->q);
}

/* The multiple of q that makes integers from -2^50 on positive, and those up to 2^50 no larger than
 * 2^52. */
static inline uint64_t
ola_signed_offset(uint64_t q)
{
    return ((UINT64_C(1) << 50) / q + 1) * q;
}

/* a / q in units of 2^-51, rounded down (twice: at most 2 units short); a in [0, q). */
static inline uint64_t
ola_fraction(uint64_t a, const struct ola_modulus *m)
{
    return (uint64_t)((ola_u128)(a << (52 - m->bits)) * (m->barrett >> 12) >> 52);
}

#endif
