/* avx512ifma.h - arithmetic on eight residues at a time, for the files of that backend only.
 *
 * A value "mod 2^52" is a word of which only the low 52 bits count: IFMA reads no more of its
 * factors, and sums and differences keep them right. `clean` drops the bits above; it is wanted
 * before a comparison. */
#ifndef OLA_AVX512IFMA_H
#define OLA_AVX512IFMA_H

#include "backend/arith.h"
#include "backend/kernels.h"

#ifdef OLA_HAVE_X86
#include <immintrin.h>

#define OLA_INLINE static inline __attribute__((always_inline))
#define OLA_LANES  8

typedef __m512i ola_vec;

/* One prime, in every lane. */
struct ola_lanes {
    ola_vec q, q2, minus_q; /* q, 2q, 2^52 - q */
    ola_vec one;            /* floor(2^52 / q): Shoup's companion of 1 */
    ola_vec low52;          /* 2^52 - 1 */
};

OLA_INLINE ola_vec
ola_splat(uint64_t v)
{
    return _mm512_set1_epi64((long long)v);
}

OLA_INLINE ola_vec
ola_load(const uint64_t *p)
{
    return _mm512_load_si512((const void *)p);
}

OLA_INLINE void
ola_store(uint64_t *p, ola_vec v)
{
    _mm512_store_si512((void *)p, v);
}

OLA_INLINE struct ola_lanes
ola_lanes_make(uint64_t q)
{
    const uint64_t two52 = UINT64_C(1) << 52;
    struct ola_lanes l = {ola_splat(q), ola_splat(2 * q), ola_splat(two52 - q),
                          ola_splat(two52 / q), ola_splat(two52 - 1)};
    return l;
}

OLA_INLINE ola_vec
ola_clean(ola_vec v, const struct ola_lanes *l)
{
    return _mm512_and_si512(v, l->low52);
}

/* v - bound where v >= bound; v clean. */
OLA_INLINE ola_vec
ola_lower(ola_vec v, ola_vec bound)
{
    return _mm512_min_epu64(v, _mm512_sub_epi64(v, bound));
}

/* v * w mod q in [0, 2q), mod 2^52, for any v below 2^52; ws = floor(w * 2^52 / q), w < q. */
OLA_INLINE ola_vec
ola_mul_shoup52(ola_vec v, ola_vec w, ola_vec ws, const struct ola_lanes *l)
{
    const ola_vec zero = _mm512_setzero_si512();
    ola_vec quotient = _mm512_madd52hi_epu64(zero, v, ws);
    return _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(zero, v, w), quotient, l->minus_q);
}

/* v mod q in [0, 2q), mod 2^52, for any v below 2^52. */
OLA_INLINE ola_vec
ola_reduce52(ola_vec v, const struct ola_lanes *l)
{
    ola_vec quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), v, l->one);
    return _mm512_madd52lo_epu64(v, quotient, l->minus_q);
}

/* From [0, 2q), mod 2^52, to [0, q). */
OLA_INLINE ola_vec
ola_finish(ola_vec v, const struct ola_lanes *l)
{
    return ola_lower(ola_clean(v, l), l->q);
}

/* In avx512ifma_ntt.c. */
void ola_avx512ifma_ntt_forward(uint64_t *a, const struct ola_ntt *t);
void ola_avx512ifma_ntt_inverse(uint64_t *a, const struct ola_ntt *t);
void ola_avx512ifma_ntt_inverse_scaled(uint64_t *out, const uint64_t *a, uint64_t factor,
                                       const struct ola_ntt *t);

#endif
#endif
