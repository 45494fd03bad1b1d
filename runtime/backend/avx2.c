/* avx2.c - vectors of four doubles for CPUs with AVX2 and FMA but no IFMA; the kernels are in
 * reals.h. */
#include "backend/arith.h"
#include "backend/kernels.h"

#ifdef OLA_HAVE_X86
#include <immintrin.h>

#define OLA_REALS static inline __attribute__((always_inline))
#define LANES     4

typedef __m256d reals;

/* 2^52, whose last place is 1: the bits of 2^52 + v are those of 2^52 with v in the low 52. */
OLA_REALS __m256i
magic(void)
{
    return _mm256_set1_epi64x(INT64_C(0x4330000000000000));
}

/* Integers in [0, 2^52) to doubles. */
OLA_REALS reals
to_reals(__m256i v)
{
    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(v, magic())),
                         _mm256_castsi256_pd(magic()));
}

OLA_REALS reals
load(const uint64_t *p)
{
    return to_reals(_mm256_load_si256((const void *)p));
}

OLA_REALS reals
load_narrow(const uint32_t *p)
{
    return to_reals(_mm256_cvtepu32_epi64(_mm_load_si128((const void *)p)));
}

OLA_REALS reals
gather(const uint64_t *a, const uint32_t *index, size_t j)
{
    return to_reals(_mm256_set_epi64x((long long)a[index[j + 3]], (long long)a[index[j + 2]],
                                      (long long)a[index[j + 1]], (long long)a[index[j]]));
}

OLA_REALS reals
splat(double v)
{
    return _mm256_set1_pd(v);
}

OLA_REALS reals
splat_pairs(const uint64_t *p)
{
    return _mm256_set_m128d(_mm_set1_pd((double)p[1]), _mm_set1_pd((double)p[0]));
}

OLA_REALS reals
peek(const uint64_t *p)
{
    return _mm256_castsi256_pd(_mm256_load_si256((const void *)p));
}

OLA_REALS void
poke(uint64_t *p, reals v)
{
    _mm256_store_si256((void *)p, _mm256_castpd_si256(v));
}

OLA_REALS void
store_positive(uint64_t *p, reals v)
{
    __m256i bits = _mm256_castpd_si256(_mm256_add_pd(v, _mm256_castsi256_pd(magic())));
    _mm256_store_si256((void *)p, _mm256_xor_si256(bits, magic()));
}

OLA_REALS reals
add(reals a, reals b)
{
    return _mm256_add_pd(a, b);
}

OLA_REALS reals
sub(reals a, reals b)
{
    return _mm256_sub_pd(a, b);
}

OLA_REALS reals
mul(reals a, reals b)
{
    return _mm256_mul_pd(a, b);
}

OLA_REALS reals
mul_sub(reals a, reals b, reals c)
{
    return _mm256_fmsub_pd(a, b, c);
}

OLA_REALS reals
sub_mul(reals c, reals a, reals b)
{
    return _mm256_fnmadd_pd(a, b, c);
}

OLA_REALS reals
nearest(reals v)
{
    return _mm256_round_pd(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

OLA_REALS reals
add_where_negative(reals v, reals a)
{
    reals negative = _mm256_cmp_pd(v, _mm256_setzero_pd(), _CMP_LT_OQ);
    return _mm256_add_pd(v, _mm256_and_pd(negative, a));
}

OLA_REALS void
to_halves(reals u, reals v, reals *x, reals *y)
{
    *x = _mm256_permute2f128_pd(u, v, 0x20);
    *y = _mm256_permute2f128_pd(u, v, 0x31);
}

OLA_REALS void
from_halves(reals x, reals y, reals *u, reals *v)
{
    to_halves(x, y, u, v);
}

OLA_REALS void
interleave(reals x, reals y, reals *u, reals *v)
{
    *u = _mm256_unpacklo_pd(x, y);
    *v = _mm256_unpackhi_pd(x, y);
}

#include "backend/reals.h"

const struct ola_backend ola_backend_avx2 = {.name = "avx2", OLA_REALS_KERNELS};

#endif
