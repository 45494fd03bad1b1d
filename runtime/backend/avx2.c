/* avx2.c - kernels for CPUs with AVX2 and FMA but no IFMA: four residues at a time as doubles.
 *
 * A residue is an integer in a double, anywhere in (-2^52, 2^52), exact. A product y * w is taken
 * as h + l, h rounded and l what the fused multiply-add finds missing; b = round(h / q) is within
 * 1/2 + 3 * 2^-53 |y| of y * w / q for 0 <= w < q, so that h - b q + l, all of it exact, is y * w
 * mod q and below (1/2 + 3 * 2^-53 |y|) q in size. Needs rounding to nearest, and no contraction
 * beyond what is written (-ffp-contract=off). `convert`, whose fractions are integers, and what
 * plain C does as well are left to portable.c. */
#include "backend/arith.h"
#include "backend/kernels.h"

#ifdef OLA_HAVE_X86
#include <immintrin.h>

#define AVX_INLINE static inline __attribute__((always_inline))
#define LANES      4

typedef __m256d reals;

/* One prime, in every lane. */
struct lanes {
    reals q, inverse;
};

AVX_INLINE struct lanes
lanes_make(const struct ola_modulus *m)
{
    struct lanes l = {_mm256_set1_pd((double)m->q), _mm256_set1_pd(m->inverse)};
    return l;
}

/* 2^52, whose last place is 1: the bits of 2^52 + v are those of 2^52 with v in the low 52. */
AVX_INLINE __m256i
magic(void)
{
    return _mm256_set1_epi64x(INT64_C(0x4330000000000000));
}

/* Integers in [0, 2^52) to doubles. */
AVX_INLINE reals
to_reals(__m256i v)
{
    return _mm256_sub_pd(_mm256_castsi256_pd(_mm256_or_si256(v, magic())),
                         _mm256_castsi256_pd(magic()));
}

AVX_INLINE reals
load(const uint64_t *p)
{
    return to_reals(_mm256_load_si256((const void *)p));
}

AVX_INLINE reals
load_narrow(const uint32_t *p)
{
    return to_reals(_mm256_cvtepu32_epi64(_mm_load_si128((const void *)p)));
}

AVX_INLINE reals
splat(uint64_t v)
{
    return _mm256_set1_pd((double)v);
}

AVX_INLINE reals
nearest(reals v)
{
    return _mm256_round_pd(v, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}

/* y * w mod q; range above. */
AVX_INLINE reals
times(reals y, reals w, const struct lanes *l)
{
    reals high = _mm256_mul_pd(y, w), low = _mm256_fmsub_pd(y, w, high);
    reals quotient = nearest(_mm256_mul_pd(high, l->inverse));
    return _mm256_add_pd(_mm256_fnmadd_pd(quotient, l->q, high), low);
}

/* v mod q, at most (1/2 + 2^-52 |v|) q in size. */
AVX_INLINE reals
reduced(reals v, const struct lanes *l)
{
    return _mm256_fnmadd_pd(nearest(_mm256_mul_pd(v, l->inverse)), l->q, v);
}

/* Stores v, above -q and below q, as residues in [0, q). */
AVX_INLINE void
store_residues(uint64_t *p, reals v, const struct lanes *l)
{
    reals negative = _mm256_cmp_pd(v, _mm256_setzero_pd(), _CMP_LT_OQ);
    v = _mm256_add_pd(v, _mm256_and_pd(negative, l->q));
    __m256i bits = _mm256_castpd_si256(_mm256_add_pd(v, _mm256_castsi256_pd(magic())));
    _mm256_store_si256((void *)p, _mm256_xor_si256(bits, magic()));
}

/* ---- transforms: between passes the array holds doubles ---- */

AVX_INLINE reals
peek(const uint64_t *p)
{
    return _mm256_castsi256_pd(_mm256_load_si256((const void *)p));
}

AVX_INLINE void
poke(uint64_t *p, reals v)
{
    _mm256_store_si256((void *)p, _mm256_castpd_si256(v));
}

AVX_INLINE void
forward2(reals *x, reals *y, reals w, const struct lanes *l)
{
    reals product = times(*y, w, l);
    *y = _mm256_sub_pd(*x, product);
    *x = _mm256_add_pd(*x, product);
}

/* Two stages over a block of 4 * quarter words, k: the index of its first factor. Values enter
 * below 4q in size (below q when `first`, as integers) and leave below 2.6q: x is reduced to q / 2,
 * the products are below 1.25q and then 0.85q. */
AVX_INLINE void
forward_pass4(uint64_t *a, size_t quarter, const uint64_t *w, size_t k, const struct lanes *l,
              int first)
{
    const reals w1 = splat(w[k]), w2 = splat(w[2 * k]), w3 = splat(w[2 * k + 1]);
    for (size_t j = 0; j < quarter; j += LANES) {
        reals v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = first ? load(a + j + i * quarter) : peek(a + j + i * quarter);
        if (!first) {
            v[0] = reduced(v[0], l);
            v[1] = reduced(v[1], l);
        }
        forward2(&v[0], &v[2], w1, l);
        forward2(&v[1], &v[3], w1, l);
        forward2(&v[0], &v[1], w2, l);
        forward2(&v[2], &v[3], w3, l);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            poke(a + j + i * quarter, v[i]);
    }
}

/* One stage more where their number is odd: from below 2.6q to below 4q. */
static void
forward_pass2(uint64_t *a, size_t half, const uint64_t *w, size_t k, const struct lanes *l)
{
    const reals w1 = splat(w[k]);
    for (size_t j = 0; j < half; j += LANES) {
        reals x = peek(a + j), y = peek(a + j + half);
        forward2(&x, &y, w1, l);
        poke(a + j, x);
        poke(a + j + half, y);
    }
}

/* The last two stages on eight words A0-3, B0-3; k: the index of the factor of A's first stage. */
static void
forward_base(uint64_t *a, const uint64_t *w, size_t k, const struct lanes *l)
{
    reals v0 = peek(a), v1 = peek(a + LANES);
    reals x = reduced(_mm256_permute2f128_pd(v0, v1, 0x20), l); /* A0 A1 B0 B1 */
    reals y = _mm256_permute2f128_pd(v0, v1, 0x31);             /* A2 A3 B2 B3 */
    forward2(&x, &y, _mm256_set_m128d(_mm_set1_pd((double)w[k + 1]), _mm_set1_pd((double)w[k])), l);
    reals u = _mm256_unpacklo_pd(x, y), v = _mm256_unpackhi_pd(x, y); /* A0 A2 B0 B2, A1 A3 B1 B3 */
    forward2(&u, &v, load(w + 2 * k), l);
    u = reduced(u, l);
    v = reduced(v, l);
    x = _mm256_unpacklo_pd(u, v);
    y = _mm256_unpackhi_pd(u, v);
    store_residues(a, _mm256_permute2f128_pd(x, y, 0x20), l);
    store_residues(a + LANES, _mm256_permute2f128_pd(x, y, 0x31), l);
}

static void
avx2_ntt_forward(uint64_t *a, const struct ola_ntt *t)
{
    const struct lanes l = lanes_make(&t->mod);
    const size_t n = (size_t)1 << t->log_n;
    size_t blocks = 4, length = n / 4; /* of what is still to be done */
    forward_pass4(a, length, t->w, 1, &l, 1);
    for (; length > 8; blocks *= 4, length /= 4)
        for (size_t b = 0; b < blocks; b++)
            forward_pass4(a + b * length, length / 4, t->w, blocks + b, &l, 0);
    if (length == 8) {
        for (size_t b = 0; b < blocks; b++)
            forward_pass2(a + b * length, length / 2, t->w, blocks + b, &l);
        blocks *= 2;
    }
    for (size_t b = 0; b < blocks; b += 2)
        forward_base(a + b * LANES, t->w, blocks + b, &l);
}

AVX_INLINE void
inverse2(reals *x, reals *y, reals w, const struct lanes *l)
{
    reals difference = _mm256_sub_pd(*x, *y);
    *x = _mm256_add_pd(*x, *y);
    *y = times(difference, w, l);
}

/* The first two stages on eight residues: sums leave below 4q in size, products below 1.25q. */
static void
inverse_base(uint64_t *a, const uint64_t *w, size_t k, const struct lanes *l)
{
    reals v0 = load(a), v1 = load(a + LANES);
    reals x = _mm256_permute2f128_pd(v0, v1, 0x20), y = _mm256_permute2f128_pd(v0, v1, 0x31);
    reals u = _mm256_unpacklo_pd(x, y), v = _mm256_unpackhi_pd(x, y);
    inverse2(&u, &v, load(w + 2 * k), l);
    x = _mm256_unpacklo_pd(u, v);
    y = _mm256_unpackhi_pd(u, v);
    inverse2(&x, &y, _mm256_set_m128d(_mm_set1_pd((double)w[k + 1]), _mm_set1_pd((double)w[k])), l);
    x = reduced(x, l);
    poke(a, _mm256_permute2f128_pd(x, y, 0x20));
    poke(a + LANES, _mm256_permute2f128_pd(x, y, 0x31));
}

static void
inverse_pass2(uint64_t *a, size_t half, const uint64_t *w, size_t k, const struct lanes *l)
{
    const reals w1 = splat(w[k]);
    for (size_t j = 0; j < half; j += LANES) {
        reals x = peek(a + j), y = peek(a + j + half);
        inverse2(&x, &y, w1, l);
        poke(a + j, reduced(x, l));
        poke(a + j + half, y);
    }
}

/* Two stages: values enter below 2q in size; sums, below 8q < 2^52, are reduced; products of
 * differences below 8q are below (1/2 + 3/2) q. `last`: both halves take n^-1, end in [0, q). */
AVX_INLINE void
inverse_pass4(uint64_t *a, size_t quarter, const uint64_t *w, size_t k, const struct lanes *l,
              int last)
{
    const reals w1 = splat(w[k]), w2 = splat(w[2 * k]), w3 = splat(w[2 * k + 1]), w0 = splat(w[0]);
    for (size_t j = 0; j < quarter; j += LANES) {
        reals v[4];
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            v[i] = peek(a + j + i * quarter);
        inverse2(&v[0], &v[1], w2, l);
        inverse2(&v[2], &v[3], w3, l);
        inverse2(&v[0], &v[2], w1, l);
        inverse2(&v[1], &v[3], w1, l);
        if (last) {
            v[0] = times(v[0], w0, l);
            v[1] = times(v[1], w0, l);
        } else {
            v[0] = reduced(v[0], l);
            v[1] = reduced(v[1], l);
        }
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            if (last)
                store_residues(a + j + i * quarter, reduced(v[i], l), l);
            else
                poke(a + j + i * quarter, v[i]);
        }
    }
}

static void
avx2_ntt_inverse(uint64_t *a, const struct ola_ntt *t)
{
    const struct lanes l = lanes_make(&t->mod);
    const size_t n = (size_t)1 << t->log_n;
    size_t blocks = n / 4, length = 4; /* of what is done */
    for (size_t b = 0; b < blocks; b += 2)
        inverse_base(a + b * length, t->iw, blocks + b, &l);
    if (t->log_n & 1) {
        blocks /= 2;
        length *= 2;
        for (size_t b = 0; b < blocks; b++)
            inverse_pass2(a + b * length, length / 2, t->iw, blocks + b, &l);
    }
    for (blocks /= 4, length *= 4; blocks > 1; blocks /= 4, length *= 4)
        for (size_t b = 0; b < blocks; b++)
            inverse_pass4(a + b * length, length / 4, t->iw, blocks + b, &l, 0);
    inverse_pass4(a, n / 4, t->iw, 1, &l, 1);
}

/* ---- vectors: products of residues are below 0.7q in size ---- */

static void
avx2_mul(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, times(load(a + j), load(b + j), &l), &l);
}

static void
avx2_mul_add(uint64_t *acc, const uint64_t *a, const uint64_t *b, size_t n,
             const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum = _mm256_add_pd(load(acc + j), times(load(a + j), load(b + j), &l));
        store_residues(acc + j, reduced(sum, &l), &l);
    }
}

static void
avx2_mul_add_narrow(uint64_t *acc, const uint64_t *a, const uint32_t *b, size_t n,
                    const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum = _mm256_add_pd(load(acc + j), times(load(a + j), load_narrow(b + j), &l));
        store_residues(acc + j, reduced(sum, &l), &l);
    }
}

static void
avx2_scale(uint64_t *out, const uint64_t *a, uint64_t factor, size_t n, const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    const reals f = splat(factor);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, times(load(a + j), f, &l), &l);
}

static void
avx2_scale_add(uint64_t *acc, const uint64_t *a, uint64_t factor, size_t n,
               const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    const reals f = splat(factor);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum = _mm256_add_pd(load(acc + j), times(load(a + j), f, &l));
        store_residues(acc + j, reduced(sum, &l), &l);
    }
}

/* From [0, 2^52): twice, as the quotient may be one off. */
static void
avx2_reduce(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, reduced(reduced(load(a + j), &l), &l), &l);
}

static void
avx2_sub_scale(uint64_t *out, const uint64_t *a, const uint64_t *b, uint64_t factor, size_t n,
               const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    const reals f = splat(factor);
    for (size_t j = 0; j < n; j += LANES)
        store_residues(out + j, times(_mm256_sub_pd(load(a + j), load(b + j)), f, &l), &l);
}

/* Four words of a[d] from j on, through the permutation when there is one. */
AVX_INLINE reals
gather(const uint64_t *a, const uint32_t *perm, size_t j)
{
    if (!perm)
        return load(a + j);
    return to_reals(_mm256_set_epi64x((long long)a[perm[j + 3]], (long long)a[perm[j + 2]],
                                      (long long)a[perm[j + 1]], (long long)a[perm[j]]));
}

/* Every eighth digit the sums, below (1/2 + 8 * 0.7) q by then, are reduced. */
AVX_INLINE void
inner_any(uint64_t *acc0, uint64_t *acc1, const uint64_t *const *a, const void *const *b0,
          const void *const *b1, uint32_t digits, int narrow, const uint32_t *perm, size_t n,
          const struct ola_modulus *m)
{
    const struct lanes l = lanes_make(m);
    for (size_t j = 0; j < n; j += LANES) {
        reals sum0 = _mm256_setzero_pd(), sum1 = sum0;
        for (uint32_t d = 0; d < digits; d++) {
            const reals x = gather(a[d], perm, j);
            reals y0 = narrow ? load_narrow((const uint32_t *)b0[d] + j)
                              : load((const uint64_t *)b0[d] + j);
            reals y1 = narrow ? load_narrow((const uint32_t *)b1[d] + j)
                              : load((const uint64_t *)b1[d] + j);
            sum0 = _mm256_add_pd(sum0, times(x, y0, &l));
            sum1 = _mm256_add_pd(sum1, times(x, y1, &l));
            if (d % 8 == 7) {
                sum0 = reduced(sum0, &l);
                sum1 = reduced(sum1, &l);
            }
        }
        store_residues(acc0 + j, reduced(sum0, &l), &l);
        store_residues(acc1 + j, reduced(sum1, &l), &l);
    }
}

static void
avx2_inner(uint64_t *acc0, uint64_t *acc1, const uint64_t *const *a, const void *const *b0,
           const void *const *b1, uint32_t digits, int narrow, const uint32_t *perm, size_t n,
           const struct ola_modulus *m)
{
    assert(digits >= 1 && digits <= OLA_MAX_DIGITS);
    if (narrow)
        inner_any(acc0, acc1, a, b0, b1, digits, 1, perm, n, m);
    else
        inner_any(acc0, acc1, a, b0, b1, digits, 0, perm, n, m);
}

const struct ola_backend ola_backend_avx2 = {
    .name = "avx2",
    .ntt_forward = avx2_ntt_forward,
    .ntt_inverse = avx2_ntt_inverse,
    .mul = avx2_mul,
    .mul_add = avx2_mul_add,
    .mul_add_narrow = avx2_mul_add_narrow,
    .scale = avx2_scale,
    .scale_add = avx2_scale_add,
    .reduce = avx2_reduce,
    .sub_scale = avx2_sub_scale,
    .inner = avx2_inner,
};

#endif
