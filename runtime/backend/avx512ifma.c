/* avx512ifma.c - kernels for CPUs with AVX-512 and its 52-bit multiply-add; the transforms are in
 * avx512ifma_ntt.c. */
#include "backend/avx512ifma.h"

#ifdef OLA_HAVE_X86

/* A constant factor below q in every lane. */
struct factor {
    ola_vec w, ws;
};

static struct factor
factor_make(uint64_t w, uint64_t q)
{
    struct factor f = {ola_splat(w), ola_splat(ola_shoup(w, q) >> 12)};
    return f;
}

static struct factor
two52_of(const struct ola_modulus *m)
{
    struct factor f = {ola_splat(m->fold), ola_splat(m->fold_shoup)};
    return f;
}

OLA_INLINE ola_vec
times(ola_vec v, struct factor f, const struct ola_lanes *l)
{
    return ola_mul_shoup52(v, f.w, f.ws, l);
}

/* Four bytes an entry. */
OLA_INLINE ola_vec
load_narrow(const uint32_t *p)
{
    return _mm512_cvtepu32_epi64(_mm256_load_si256((const void *)p));
}

/* Barrett's reduction of a product of residues. Both factors are shifted so that the high half of
 * their product is a * b / 2^(bits - 1), rounded down; times barrett / 2^12, the high half again is
 * the quotient, short by less than 1 + 1/4 + 1, so by at most 2. */
struct barrett {
    ola_vec shift, quotient;
};

static struct barrett
barrett_make(const struct ola_modulus *m)
{
    struct barrett b = {ola_splat(52 - m->bits), ola_splat(m->barrett >> 12)};
    return b;
}

/* a * b mod q in [0, 3q), mod 2^52; a, b in [0, q). */
OLA_INLINE ola_vec
product(ola_vec a, ola_vec b, const struct barrett *f, const struct ola_lanes *l)
{
    const ola_vec zero = _mm512_setzero_si512();
    ola_vec top =
        _mm512_madd52hi_epu64(zero, _mm512_sllv_epi64(a, f->shift), _mm512_add_epi64(b, b));
    ola_vec quotient = _mm512_madd52hi_epu64(zero, top, f->quotient);
    return _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(zero, a, b), quotient, l->minus_q);
}

/* From [0, 4q), mod 2^52, to [0, q). */
OLA_INLINE ola_vec
finish4(ola_vec v, const struct ola_lanes *l)
{
    return ola_lower(ola_lower(ola_clean(v, l), l->q2), l->q);
}

static void
ifma_add(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(out + j, ola_lower(_mm512_add_epi64(ola_load(a + j), ola_load(b + j)), l.q));
}

/* a - b, or that plus q: where a < b the difference is above 2^63, the sum small. */
static void
ifma_sub(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    for (size_t j = 0; j < n; j += OLA_LANES) {
        ola_vec difference = _mm512_sub_epi64(ola_load(a + j), ola_load(b + j));
        ola_store(out + j, _mm512_min_epu64(difference, _mm512_add_epi64(difference, l.q)));
    }
}

static void
ifma_negate(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(out + j, ola_lower(_mm512_sub_epi64(l.q, ola_load(a + j)), l.q));
}

static void
ifma_mul(uint64_t *out, const uint64_t *a, const uint64_t *b, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct barrett f = barrett_make(m);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(out + j, finish4(product(ola_load(a + j), ola_load(b + j), &f, &l), &l));
}

OLA_INLINE ola_vec
product_plus(ola_vec acc, ola_vec a, ola_vec b, const struct barrett *f, const struct ola_lanes *l)
{
    return finish4(_mm512_add_epi64(acc, product(a, b, f, l)), l);
}

static void
ifma_mul_add(uint64_t *acc, const uint64_t *a, const uint64_t *b, size_t n,
             const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct barrett f = barrett_make(m);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(acc + j,
                  product_plus(ola_load(acc + j), ola_load(a + j), ola_load(b + j), &f, &l));
}

static void
ifma_mul_add_narrow(uint64_t *acc, const uint64_t *a, const uint32_t *b, size_t n,
                    const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct barrett f = barrett_make(m);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(acc + j,
                  product_plus(ola_load(acc + j), ola_load(a + j), load_narrow(b + j), &f, &l));
}

static void
ifma_scale(uint64_t *out, const uint64_t *a, uint64_t factor, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct factor f = factor_make(factor, m->q);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(out + j, ola_finish(times(ola_load(a + j), f, &l), &l));
}

static void
ifma_scale_add(uint64_t *acc, const uint64_t *a, uint64_t factor, size_t n,
               const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct factor f = factor_make(factor, m->q);
    for (size_t j = 0; j < n; j += OLA_LANES) {
        ola_vec sum =
            _mm512_add_epi64(ola_load(acc + j), times(ola_load(a + j), f, &l)); /* [0, 3q) */
        ola_store(acc + j, finish4(sum, &l));
    }
}

static void
ifma_reduce(uint64_t *out, const uint64_t *a, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    for (size_t j = 0; j < n; j += OLA_LANES)
        ola_store(out + j, ola_finish(ola_reduce52(ola_load(a + j), &l), &l));
}

static void
ifma_sub_scale(uint64_t *out, const uint64_t *a, const uint64_t *b, uint64_t factor, size_t n,
               const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct factor f = factor_make(factor, m->q);
    for (size_t j = 0; j < n; j += OLA_LANES) {
        ola_vec difference =
            _mm512_sub_epi64(_mm512_add_epi64(ola_load(a + j), l.q), ola_load(b + j));
        ola_store(out + j, ola_finish(times(difference, f, &l), &l));
    }
}

/* Where eight entries of an automorphism come from: one aligned group, and the lanes within it
 * (the permutation reads the low three bits of each index). */
struct origin {
    size_t group;
    ola_vec lanes;
};

OLA_INLINE struct origin
origin_at(const uint32_t *index)
{
    struct origin o = {index[0] & ~(uint32_t)7, load_narrow(index)};
    return o;
}

/* Groups ahead of which a permuted vector is asked for: no hardware foresees where it is read. */
#define GROUPS_AHEAD 8

/* The first entry of that group; any one of the vector's where it ends before. */
OLA_INLINE size_t
later_group(const uint32_t *index, size_t j, size_t n)
{
    return index[(j + GROUPS_AHEAD * OLA_LANES) & (n - 1)];
}

static void
ifma_permute(uint64_t *out, const uint64_t *a, const uint32_t *index, size_t n)
{
    for (size_t j = 0; j < n; j += OLA_LANES) {
        struct origin o = origin_at(index + j);
        _mm_prefetch((const char *)(a + later_group(index, j, n)), _MM_HINT_T0);
        ola_store(out + j, _mm512_permutexvar_epi64(o.lanes, ola_load(a + o.group)));
    }
}

/* Reduces a sum high * 2^52 + low below 2^104 by 2^52 mod q. */
OLA_INLINE ola_vec
fold(ola_vec high, ola_vec low, struct factor two52, const struct ola_lanes *l)
{
    high = _mm512_add_epi64(high,
                            _mm512_srli_epi64(low, 52)); /* below 2^52, as the sum is below 2^104 */
    return finish4(_mm512_add_epi64(times(high, two52, l), ola_reduce52(ola_clean(low, l), l)), l);
}

/* Sums of this many products are unrolled, so that several keys' streams are on their way while
 * others are multiplied; longer ones are made of such. */
#define UNROLLED 8u

/* Bytes ahead of which factors are asked for: on this side of a page's end for most, far enough for
 * the memory's latency. */
#define AHEAD 1024

OLA_INLINE ola_vec
factor_at(const void *p, size_t at, int narrow)
{
    const char *from = (const char *)p + at * (narrow ? sizeof(uint32_t) : sizeof(uint64_t));
    _mm_prefetch(from + AHEAD, _MM_HINT_T0);
    return narrow ? load_narrow((const void *)from) : ola_load((const void *)from);
}

/* digits: at most UNROLLED. */
OLA_INLINE void
inner_any(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
          const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
          const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct factor two52 = two52_of(m);
    const ola_vec zero = _mm512_setzero_si512();
    for (size_t j = 0; j < n; j += OLA_LANES) {
        ola_vec high0 = zero, high1 = zero;
        ola_vec low0 = how & OLA_INNER_ADD ? ola_load(acc0 + j) : zero;
        ola_vec low1 = how & OLA_INNER_ADD ? ola_load(acc1 + j) : zero;
        const struct origin o = perm ? origin_at(perm + j) : (struct origin){0, zero};
        const size_t later = perm ? later_group(perm, j, n) : 0;
#pragma GCC unroll 8
        for (uint32_t d = 0; d < digits; d++) {
            ola_vec x;
            if (perm) {
                const uint64_t *from = a[d];
                _mm_prefetch((const char *)(from + later), _MM_HINT_T0);
                x = _mm512_permutexvar_epi64(o.lanes, ola_load(from + o.group));
            } else {
                x = factor_at(a[d], j, how & OLA_INNER_NARROW_A);
            }
            ola_vec y0 = factor_at(b0[d], j, how & OLA_INNER_NARROW_B);
            ola_vec y1 = factor_at(b1[d], j, how & OLA_INNER_NARROW_B);
            high0 = _mm512_madd52hi_epu64(high0, x, y0);
            low0 = _mm512_madd52lo_epu64(low0, x, y0);
            high1 = _mm512_madd52hi_epu64(high1, x, y1);
            low1 = _mm512_madd52lo_epu64(low1, x, y1);
        }
        ola_store(acc0 + j, fold(high0, low0, two52, &l));
        ola_store(acc1 + j, fold(high1, low1, two52, &l));
    }
}

/* One kernel for each number of digits. */
#define INNER_CASE(digits)                                                                         \
    case digits:                                                                                   \
        inner_any(acc0, acc1, a, b0, b1, digits, how, perm, n, m);                                 \
        break;
OLA_INLINE void
inner_switch(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
             const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
             const struct ola_modulus *m)
{
    switch (digits) {
        INNER_CASE(1)
        INNER_CASE(2)
        INNER_CASE(3)
        INNER_CASE(4)
        INNER_CASE(5)
        INNER_CASE(6)
        INNER_CASE(7)
        INNER_CASE(8)
    }
}

static void
inner_slice(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
            const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
            const struct ola_modulus *m)
{
#define INNER_HOW(permuted, flags)                                                                 \
    if ((perm != NULL) == (permuted) && how == (flags)) {                                          \
        inner_switch(acc0, acc1, a, b0, b1, digits, flags, (permuted) ? perm : NULL, n, m);        \
        return;                                                                                    \
    }
    INNER_HOW(1, 0)
    INNER_HOW(1, OLA_INNER_NARROW_B)
    INNER_HOW(0, 0)
    INNER_HOW(0, OLA_INNER_NARROW_B)
    INNER_HOW(0, OLA_INNER_NARROW_A)
    INNER_HOW(0, OLA_INNER_ADD)
    INNER_HOW(0, OLA_INNER_NARROW_A | OLA_INNER_ADD)
#undef INNER_HOW
    inner_any(acc0, acc1, a, b0, b1, digits, how, perm, n, m); /* rare */
}

static void
ifma_inner(uint64_t *acc0, uint64_t *acc1, const void *const *a, const void *const *b0,
           const void *const *b1, uint32_t digits, uint32_t how, const uint32_t *perm, size_t n,
           const struct ola_modulus *m)
{
    assert(digits >= 1 && digits <= OLA_MAX_DIGITS);
    for (uint32_t slices = (digits + UNROLLED - 1) / UNROLLED, d = 0; slices > 0; slices--) {
        const uint32_t count = (digits - d + slices - 1) / slices;
        inner_slice(acc0, acc1, a + d, b0 + d, b1 + d, count, how, perm, n, m);
        how |= OLA_INNER_ADD;
        d += count;
    }
}

/* Vectors that conversions carry through their loop over sources together: pays for the loads of
 * constants. n is a multiple. */
#define CONVERT_GROUP 4

/* Fractions in units of 2^-51, and a half. */
static void
ifma_multiples(uint8_t *out, const uint64_t *const *a, const struct ola_modulus *const *source,
               uint32_t k, size_t n)
{
    assert(k >= 1 && k <= OLA_MAX_SOURCES);
    for (size_t j = 0; j < n; j += CONVERT_GROUP * OLA_LANES) {
        ola_vec fraction[CONVERT_GROUP];
#pragma GCC unroll 4
        for (size_t g = 0; g < CONVERT_GROUP; g++)
            fraction[g] = ola_splat(UINT64_C(1) << 50);
        for (uint32_t i = 0; i < k; i++) {
            const ola_vec scale = ola_splat(source[i]->barrett >> 12);
            const ola_vec shift = ola_splat(52 - source[i]->bits);
#pragma GCC unroll 4
            for (size_t g = 0; g < CONVERT_GROUP; g++)
                fraction[g] = _mm512_madd52hi_epu64(
                    fraction[g], _mm512_sllv_epi64(ola_load(a[i] + j + g * OLA_LANES), shift),
                    scale);
        }
#pragma GCC unroll 4
        for (size_t g = 0; g < CONVERT_GROUP; g++)
            _mm_storel_epi64((void *)(out + j + g * OLA_LANES),
                             _mm512_cvtepi64_epi8(_mm512_srli_epi64(fraction[g], 51)));
    }
}

/* The weights are times 2^52, and a sum S of products of numbers below 2^49 and q goes down by
 * Montgomery's reduction to S / 2^52 mod q, below (k / 8 + 1) q: with k sources below 2^49 and a
 * multiple of at most k, S <= (k (2^49 - 1) + k) (q - 1). */
OLA_INLINE void
convert_any(uint64_t *out, const uint64_t *const *a, const uint64_t *weight, uint32_t k,
            const uint8_t *multiple, size_t n, const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const ola_vec zero = _mm512_setzero_si512(), inverse = ola_splat(m->minus_inverse);
    for (size_t j = 0; j < n; j += CONVERT_GROUP * OLA_LANES) {
        ola_vec high[CONVERT_GROUP], low[CONVERT_GROUP];
#pragma GCC unroll 4
        for (size_t g = 0; g < CONVERT_GROUP; g++)
            high[g] = low[g] = zero;
#pragma GCC unroll 8
        for (uint32_t i = 0; i < k; i++) {
            const ola_vec w = ola_splat(weight[i]);
#pragma GCC unroll 4
            for (size_t g = 0; g < CONVERT_GROUP; g++) {
                const ola_vec x = ola_load(a[i] + j + g * OLA_LANES);
                high[g] = _mm512_madd52hi_epu64(high[g], x, w);
                low[g] = _mm512_madd52lo_epu64(low[g], x, w);
            }
        }
        if (multiple != NULL) {
            const ola_vec w = ola_splat(weight[k]);
#pragma GCC unroll 4
            for (size_t g = 0; g < CONVERT_GROUP; g++) {
                const void *at = multiple + j + g * OLA_LANES;
                const ola_vec x = _mm512_cvtepu8_epi64(_mm_loadl_epi64(at));
                high[g] = _mm512_madd52hi_epu64(high[g], x, w);
                low[g] = _mm512_madd52lo_epu64(low[g], x, w);
            }
        }
#pragma GCC unroll 4
        for (size_t g = 0; g < CONVERT_GROUP; g++) {
            const ola_vec quotient = _mm512_madd52lo_epu64(zero, low[g], inverse);
            /* quotient * q takes the low half up to the next multiple of 2^52 */
            const ola_vec carry = _mm512_srli_epi64(_mm512_add_epi64(low[g], l.low52), 52);
            ola_vec r = _mm512_add_epi64(_mm512_madd52hi_epu64(high[g], quotient, l.q), carry);
            r = k <= 8 ? ola_lower(r, l.q) : ola_finish(ola_reduce52(r, &l), &l);
            ola_store(out + j + g * OLA_LANES, r);
        }
    }
}

/* One kernel for each number of sources that digits have. */
#define CONVERT_CASE(k)                                                                            \
    case k:                                                                                        \
        convert_any(out, a, times_two52, k, multiple, n, m);                                       \
        break;
static void
ifma_convert(uint64_t *out, const uint64_t *const *a, const uint64_t *weight, uint32_t k,
             const uint8_t *multiple, uint64_t correction, size_t n, const struct ola_modulus *m)
{
    uint64_t times_two52[OLA_MAX_SOURCES + 1];
    assert(k >= 1 && k <= OLA_MAX_SOURCES);
    for (uint32_t i = 0; i < k; i++)
        times_two52[i] = ola_mul_barrett(weight[i], m->fold, m);
    times_two52[k] = ola_mul_barrett(correction ? m->q - correction : 0, m->fold, m);
    switch (k) {
        CONVERT_CASE(1)
        CONVERT_CASE(2)
        CONVERT_CASE(3)
        CONVERT_CASE(4)
        CONVERT_CASE(5)
        CONVERT_CASE(6)
        CONVERT_CASE(7)
        CONVERT_CASE(8)
    default:
        convert_any(out, a, times_two52, k, multiple, n, m);
    }
}

/* A vector's worth is one load and one shuffle, or one value for many vectors. */
static void
ifma_repeat(void *out, const void *in, uint32_t log_block, uint32_t width, size_t n)
{
    const ola_vec words = _mm512_setr_epi64(0, 1, 2, 3, 4, 5, 6, 7);
    const ola_vec halves = _mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
    const size_t lanes = 64 / width, values = lanes >> log_block; /* in a vector; 0: not one */
    const uint32_t bits = (uint32_t)(values >= 16 ? 0xffff : (1u << (values ? values : 1)) - 1);
    for (size_t j = 0; j < n; j += lanes) {
        const char *from = (const char *)in + (j >> log_block) * width;
        ola_vec v;
        if (width == 8)
            v = _mm512_permutexvar_epi64(values ? _mm512_srli_epi64(words, log_block)
                                                : _mm512_setzero_si512(),
                                         _mm512_maskz_loadu_epi64((__mmask8)bits, from));
        else
            v = _mm512_permutexvar_epi32(values ? _mm512_srli_epi32(halves, log_block)
                                                : _mm512_setzero_si512(),
                                         _mm512_maskz_loadu_epi32((__mmask16)bits, from));
        _mm512_store_si512((char *)out + j * width, v);
    }
}

static void
ifma_from_signed(uint64_t *out, const void *in, uint32_t width, size_t n,
                 const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const ola_vec offset = ola_splat(ola_signed_offset(m->q));
    for (size_t j = 0; j < n; j += OLA_LANES) {
        const ola_vec v =
            width == 4
                ? _mm512_cvtepi32_epi64(_mm256_load_si256((const void *)((const int32_t *)in + j)))
                : ola_load((const uint64_t *)in + j);
        ola_store(out + j, ola_finish(ola_reduce52(_mm512_add_epi64(v, offset), &l), &l));
    }
}

/* Vectors of a block: its sums stay in registers. */
#define BLOCK (OLA_BLOCK / OLA_LANES)

static void
ifma_sum_shifted(uint64_t *out, const uint64_t *const *x, const uint32_t *index,
                 const struct ola_shifts *step, uint32_t steps, uint64_t offset,
                 const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct factor two52 = two52_of(m);
    ola_vec sum[BLOCK];
#pragma GCC unroll 8
    for (size_t g = 0; g < BLOCK; g++)
        sum[g] = _mm512_setzero_si512();
    for (uint32_t s = 0; s < steps; s++) {
        const __m128i up = _mm_cvtsi32_si128((int)step[s].up);
        const uint32_t *minus = index + step[s].plus, *end = minus + step[s].minus;
#pragma GCC unroll 8
        for (size_t g = 0; g < BLOCK; g++)
            sum[g] = _mm512_sll_epi64(sum[g], up);
        for (; index < minus; index++) {
#pragma GCC unroll 8
            for (size_t g = 0; g < BLOCK; g++)
                sum[g] = _mm512_add_epi64(sum[g], ola_load(x[*index] + g * OLA_LANES));
        }
        for (; index < end; index++) {
#pragma GCC unroll 8
            for (size_t g = 0; g < BLOCK; g++)
                sum[g] = _mm512_sub_epi64(sum[g], ola_load(x[*index] + g * OLA_LANES));
        }
    }
#pragma GCC unroll 8
    for (size_t g = 0; g < BLOCK; g++)
        ola_store(
            out + g * OLA_LANES,
            fold(_mm512_setzero_si512(), _mm512_add_epi64(sum[g], ola_splat(offset)), two52, &l));
}

/* Terms whose low halves, and what was there before, sum up to less than 2^58. */
#define LAZY_TERMS 62u

static void
ifma_sum_weighted(uint64_t *out, const uint64_t *const *x, const uint32_t *index,
                  const uint64_t *weight, uint32_t terms, uint64_t constant,
                  const struct ola_modulus *m)
{
    const struct ola_lanes l = ola_lanes_make(m->q);
    const struct factor two52 = two52_of(m);
    ola_vec high[BLOCK], low[BLOCK];
#pragma GCC unroll 8
    for (size_t g = 0; g < BLOCK; g++)
        low[g] = ola_splat(constant);
    for (uint32_t first = 0; first == 0 || first < terms; first += LAZY_TERMS) {
        const uint32_t end = terms - first < LAZY_TERMS ? terms : first + LAZY_TERMS;
#pragma GCC unroll 8
        for (size_t g = 0; g < BLOCK; g++)
            high[g] = _mm512_setzero_si512();
        for (uint32_t t = first; t < end; t++) {
            const ola_vec w = ola_splat(weight[t]);
#pragma GCC unroll 8
            for (size_t g = 0; g < BLOCK; g++) {
                ola_vec v = ola_load(x[index[t]] + g * OLA_LANES);
                high[g] = _mm512_madd52hi_epu64(high[g], v, w);
                low[g] = _mm512_madd52lo_epu64(low[g], v, w);
            }
        }
#pragma GCC unroll 8
        for (size_t g = 0; g < BLOCK; g++)
            low[g] = fold(high[g], low[g], two52, &l);
    }
#pragma GCC unroll 8
    for (size_t g = 0; g < BLOCK; g++)
        ola_store(out + g * OLA_LANES, low[g]);
}

const struct ola_backend ola_backend_avx512ifma = {
    .name = "avx512ifma",
    .ntt_forward = ola_avx512ifma_ntt_forward,
    .ntt_inverse = ola_avx512ifma_ntt_inverse,
    .ntt_inverse_scaled = ola_avx512ifma_ntt_inverse_scaled,
    .add = ifma_add,
    .sub = ifma_sub,
    .negate = ifma_negate,
    .mul = ifma_mul,
    .mul_add = ifma_mul_add,
    .mul_add_narrow = ifma_mul_add_narrow,
    .scale = ifma_scale,
    .scale_add = ifma_scale_add,
    .reduce = ifma_reduce,
    .sub_scale = ifma_sub_scale,
    .permute = ifma_permute,
    .inner = ifma_inner,
    .multiples = ifma_multiples,
    .convert = ifma_convert,
    .repeat = ifma_repeat,
    .from_signed = ifma_from_signed,
    .sum_shifted = ifma_sum_shifted,
    .sum_weighted = ifma_sum_weighted,
};

#endif
