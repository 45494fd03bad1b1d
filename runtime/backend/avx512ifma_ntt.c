/* avx512ifma_ntt.c - the transforms with AVX-512 IFMA: 52-bit Shoup products, two or three stages
 * to a pass over memory, blocks that fit the first cache finished before the next one is begun.
 * More stages to a pass would wait for one another: what a processor has under way at a time is
 * less than two rounds of such a loop.
 *
 * Ranges. Values are integers below B q < 2^52, kept mod 2^52 (avx512ifma.h). A forward stage
 * turns x < B q and any y into values below (B + 2) q; an inverse stage turns x, y < B q into a
 * sum below 2 B q and a product below 2q. B is followed from pass to pass, and a pass brings
 * values below 2q only where the next would overflow: q near 2^49 (B at most 8) does so in every
 * pass, q below 2^46 never in a forward transform. */
#include <string.h>

#include "backend/avx512ifma.h"

#ifdef OLA_HAVE_X86

#define CACHE_LOG 12 /* 2^12 words are 32 KiB: what is finished before the next block is begun */
#define BASE_LOG  3  /* the block of the passes within vectors */
#define BASES     8u /* that are worked on together */

/* The largest B: floor(2^52 / q). */
static uint64_t
bound_limit(const struct ola_ntt *t)
{
    return (UINT64_C(1) << 52) / t->mod.q;
}

/* A twiddle factor in every lane. */
struct twiddle {
    ola_vec w, ws;
};

OLA_INLINE struct twiddle
twiddle_at(const uint64_t *w, const uint64_t *ws, size_t k)
{
    struct twiddle f = {ola_splat(w[k]), ola_splat(ws[k])};
    return f;
}

/* (x, y) -> (x + w y, x - w y + 2q). The product is summed up on top of x: fewest registers. */
OLA_INLINE void
forward2(ola_vec *x, ola_vec *y, struct twiddle f, const struct ola_lanes *l)
{
    const ola_vec quotient = _mm512_madd52hi_epu64(_mm512_setzero_si512(), *y, f.ws);
    const ola_vec twice = _mm512_add_epi64(_mm512_add_epi64(*x, *x), l->q2);
    *x = _mm512_madd52lo_epu64(_mm512_madd52lo_epu64(*x, *y, f.w), quotient, l->minus_q);
    *y = _mm512_sub_epi64(twice, *x);
}

/* The same, its results early: what the stages within vectors wait for is their shuffles. */
OLA_INLINE void
forward2_within(ola_vec *x, ola_vec *y, struct twiddle f, const struct ola_lanes *l)
{
    const ola_vec product = ola_mul_shoup52(*y, f.w, f.ws, l);
    *y = _mm512_sub_epi64(_mm512_add_epi64(*x, l->q2), product);
    *x = _mm512_add_epi64(*x, product);
}

/* Two stages over one block of 4 * quarter words; k: the index of its first factor. */
OLA_INLINE void
forward_pass4(uint64_t *a, size_t quarter, const struct ola_ntt *t, size_t k,
              const struct ola_lanes *l, int bounded)
{
    const struct twiddle f1 = twiddle_at(t->w, t->ws, k), f2 = twiddle_at(t->w, t->ws, 2 * k),
                         f3 = twiddle_at(t->w, t->ws, 2 * k + 1);
    for (size_t j = 0; j < quarter; j += OLA_LANES) {
        ola_vec v0 = ola_load(a + j), v1 = ola_load(a + j + quarter);
        ola_vec v2 = ola_load(a + j + 2 * quarter), v3 = ola_load(a + j + 3 * quarter);
        if (bounded) {
            v0 = ola_reduce52(v0, l);
            v1 = ola_reduce52(v1, l);
        }
        forward2(&v0, &v2, f1, l);
        forward2(&v1, &v3, f1, l);
        forward2(&v0, &v1, f2, l);
        forward2(&v2, &v3, f3, l);
        ola_store(a + j, v0);
        ola_store(a + j + quarter, v1);
        ola_store(a + j + 2 * quarter, v2);
        ola_store(a + j + 3 * quarter, v3);
    }
}

/* Three stages over one block of 8 * eighth words. */
OLA_INLINE void
forward_pass8(uint64_t *a, size_t eighth, const struct ola_ntt *t, size_t k,
              const struct ola_lanes *l, int bounded)
{
    struct twiddle f1 = twiddle_at(t->w, t->ws, k), f2[2], f4[4];
    for (size_t i = 0; i < 2; i++)
        f2[i] = twiddle_at(t->w, t->ws, 2 * k + i);
    for (size_t i = 0; i < 4; i++)
        f4[i] = twiddle_at(t->w, t->ws, 4 * k + i);
    for (size_t j = 0; j < eighth; j += OLA_LANES) {
        ola_vec v[8];
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            v[i] = ola_load(a + j + i * eighth);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            if (bounded)
                v[i] = ola_reduce52(v[i], l);
            forward2(&v[i], &v[i + 4], f1, l);
        }
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            forward2(&v[i + (i & 2)], &v[i + (i & 2) + 2], f2[i / 2], l);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            forward2(&v[2 * i], &v[2 * i + 1], f4[i], l);
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            ola_store(a + j + i * eighth, v[i]);
    }
}

/* The factors of the stages of distance 4 and 2 for 16 words, spread over the lanes as the stage
 * has them. */
OLA_INLINE struct twiddle
spread4(const uint64_t *w, const uint64_t *ws, size_t k)
{
    const ola_vec lanes = _mm512_setr_epi64(0, 0, 0, 0, 1, 1, 1, 1);
    struct twiddle f;
    f.w = _mm512_permutexvar_epi64(
        lanes, _mm512_castsi128_si512(_mm_load_si128((const __m128i *)(const void *)(w + k))));
    f.ws = _mm512_permutexvar_epi64(
        lanes, _mm512_castsi128_si512(_mm_load_si128((const __m128i *)(const void *)(ws + k))));
    return f;
}

OLA_INLINE struct twiddle
spread2(const uint64_t *w, const uint64_t *ws, size_t k)
{
    const ola_vec lanes = _mm512_setr_epi64(0, 0, 1, 1, 2, 2, 3, 3);
    struct twiddle f;
    f.w = _mm512_permutexvar_epi64(
        lanes, _mm512_castsi256_si512(_mm256_load_si256((const __m256i *)(const void *)(w + k))));
    f.ws = _mm512_permutexvar_epi64(
        lanes, _mm512_castsi256_si512(_mm256_load_si256((const __m256i *)(const void *)(ws + k))));
    return f;
}

/* The last three stages on four times 16 words, those of A0 .. A7 in v[2 * i] and B0 .. B7 in
 * v[2 * i + 1], all four side by side to hide the latency of a product; k: the index of the
 * first factor of distance 1. */
OLA_INLINE void
forward_last3(ola_vec *v, const struct ola_ntt *t, size_t k, const struct ola_lanes *l, int bounded)
{
    const ola_vec even_pairs = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const ola_vec odd_pairs = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    const ola_vec front = _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11);
    const ola_vec back = _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15);
    ola_vec x[4], y[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        x[i] = _mm512_shuffle_i64x2(v[2 * i], v[2 * i + 1], 0x44); /* A0-3 B0-3 */
        y[i] = _mm512_shuffle_i64x2(v[2 * i], v[2 * i + 1], 0xee); /* A4-7 B4-7 */
        if (bounded)
            x[i] = ola_reduce52(x[i], l);
        forward2_within(&x[i], &y[i], spread4(t->w, t->ws, k / 4 + 2 * i), l);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        ola_vec u = _mm512_permutex2var_epi64(x[i], even_pairs, y[i]); /* A0 A1 A4 A5 B0 B1 B4 B5 */
        y[i] = _mm512_permutex2var_epi64(x[i], odd_pairs, y[i]);       /* A2 A3 A6 A7 B2 B3 B6 B7 */
        x[i] = u;
        forward2_within(&x[i], &y[i], spread2(t->w, t->ws, k / 2 + 4 * i), l);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        ola_vec u = _mm512_unpacklo_epi64(x[i], y[i]); /* A0 A2 A4 A6 B0 B2 B4 B6 */
        y[i] = _mm512_unpackhi_epi64(x[i], y[i]);      /* A1 A3 A5 A7 B1 B3 B5 B7 */
        x[i] = u;
        struct twiddle f = {ola_load(t->w + k + 8 * i), ola_load(t->ws + k + 8 * i)};
        forward2_within(&x[i], &y[i], f, l);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        x[i] = ola_finish(ola_reduce52(x[i], l), l);
        y[i] = ola_finish(ola_reduce52(y[i], l), l);
        v[2 * i] = _mm512_permutex2var_epi64(x[i], front, y[i]);
        v[2 * i + 1] = _mm512_permutex2var_epi64(x[i], back, y[i]);
    }
}

/* The last three stages on BASES blocks of 8 words, the first of which has factor k. */
OLA_INLINE void
forward_base(uint64_t *a, const struct ola_ntt *t, size_t k, const struct ola_lanes *l, int bounded)
{
    ola_vec v[BASES];
#pragma GCC unroll 8
    for (size_t i = 0; i < BASES; i++)
        v[i] = ola_load(a + 8 * i);
    forward_last3(v, t, 4 * k, l, bounded);
#pragma GCC unroll 8
    for (size_t i = 0; i < BASES; i++)
        ola_store(a + 8 * i, v[i]);
}

/* ---- forward passes over all `count` blocks of 2^log_len words from a on, the first of which
 * has factor k. bound: B before and after. ---- */

static void
forward_sweep4(uint64_t *a, uint32_t log_len, size_t count, const struct ola_ntt *t, size_t k,
               uint64_t *bound)
{
    const struct ola_lanes l = ola_lanes_make(t->mod.q);
    const size_t quarter = (size_t)1 << (log_len - 2);
    if (*bound + 4 > bound_limit(t)) {
        for (size_t b = 0; b < count; b++)
            forward_pass4(a + (b << log_len), quarter, t, k + b, &l, 1);
        *bound = 6;
    } else {
        for (size_t b = 0; b < count; b++)
            forward_pass4(a + (b << log_len), quarter, t, k + b, &l, 0);
        *bound += 4;
    }
}

static void
forward_sweep8(uint64_t *a, uint32_t log_len, size_t count, const struct ola_ntt *t, size_t k,
               uint64_t *bound)
{
    const struct ola_lanes l = ola_lanes_make(t->mod.q);
    const size_t eighth = (size_t)1 << (log_len - 3);
    if (*bound + 6 > bound_limit(t)) {
        for (size_t b = 0; b < count; b++)
            forward_pass8(a + (b << log_len), eighth, t, k + b, &l, 1);
        *bound = 8;
    } else {
        for (size_t b = 0; b < count; b++)
            forward_pass8(a + (b << log_len), eighth, t, k + b, &l, 0);
        *bound += 6;
    }
}

static void
forward_sweep_base(uint64_t *a, size_t count, const struct ola_ntt *t, size_t k, uint64_t bound)
{
    const struct ola_lanes l = ola_lanes_make(t->mod.q);
    if (bound + 2 * BASE_LOG > bound_limit(t)) {
        for (size_t b = 0; b < count; b += BASES)
            forward_base(a + (b << BASE_LOG), t, k + b, &l, 1);
    } else {
        for (size_t b = 0; b < count; b += BASES)
            forward_base(a + (b << BASE_LOG), t, k + b, &l, 0);
    }
}

/* Stages of the next pass over blocks of 2^log_len: three, and two where that leaves no single
 * one. */
static uint32_t
forward_stages(uint32_t log_len)
{
    uint32_t left = log_len - BASE_LOG;
    return left == 2 || left == 4 ? 2 : 3;
}

/* All stages of one block that fits the cache. */
static void
forward_cached(uint64_t *a, uint32_t log_len, const struct ola_ntt *t, size_t k, uint64_t bound)
{
    size_t count = 1;
    while (log_len > BASE_LOG) {
        uint32_t stages = forward_stages(log_len);
        if (stages == 3)
            forward_sweep8(a, log_len, count, t, k * count, &bound);
        else
            forward_sweep4(a, log_len, count, t, k * count, &bound);
        log_len -= stages;
        count <<= stages;
    }
    forward_sweep_base(a, count, t, k * count, bound);
}

/* Wide passes until the blocks fit the cache, then block by block. */
void
ola_avx512ifma_ntt_forward(uint64_t *a, const struct ola_ntt *t)
{
    uint32_t log_len = t->log_n;
    size_t count = 1;
    uint64_t bound = 1;
    while (log_len > CACHE_LOG) {
        uint32_t stages = forward_stages(log_len);
        if (stages == 3)
            forward_sweep8(a, log_len, count, t, count, &bound);
        else
            forward_sweep4(a, log_len, count, t, count, &bound);
        log_len -= stages;
        count <<= stages;
    }
    for (size_t b = 0; b < count; b++)
        forward_cached(a + (b << log_len), log_len, t, count + b, bound);
}

/* ---- the inverse: the same passes backwards ---- */

/* (x, y) -> (x + y, (x - y) w); offset: a multiple of q not below y. */
OLA_INLINE void
inverse2(ola_vec *x, ola_vec *y, struct twiddle f, ola_vec offset, const struct ola_lanes *l)
{
    ola_vec difference = _mm512_sub_epi64(_mm512_add_epi64(*x, offset), *y);
    *x = _mm512_add_epi64(*x, *y);
    *y = ola_mul_shoup52(difference, f.w, f.ws, l);
}

/* The factors of the last stage: of its sums, of its differences. */
struct ends {
    uint64_t w[2], ws[2];
};

/* Two stages over one block of 4 * quarter words; k: the index of the second stage's factor;
 * offset: B q. `reduce`: sums are brought below 2q. `last`: the second stage is the last of all,
 * or NULL, and ends in [0, q). */
OLA_INLINE void
inverse_pass4(uint64_t *a, size_t quarter, const struct ola_ntt *t, size_t k, uint64_t offset,
              const struct ola_lanes *l, int reduce, const struct ends *last)
{
    const struct twiddle f1 =
        last ? twiddle_at(last->w, last->ws, 1) : twiddle_at(t->iw, t->iws, k);
    const struct twiddle f2 = twiddle_at(t->iw, t->iws, 2 * k),
                         f3 = twiddle_at(t->iw, t->iws, 2 * k + 1),
                         f0 = last ? twiddle_at(last->w, last->ws, 0) : f1;
    const ola_vec offset1 = ola_splat(offset), offset2 = ola_splat(2 * offset);
    for (size_t j = 0; j < quarter; j += OLA_LANES) {
        ola_vec v0 = ola_load(a + j), v1 = ola_load(a + j + quarter);
        ola_vec v2 = ola_load(a + j + 2 * quarter), v3 = ola_load(a + j + 3 * quarter);
        inverse2(&v0, &v1, f2, offset1, l);
        inverse2(&v2, &v3, f3, offset1, l);
        inverse2(&v0, &v2, f1, offset2, l);
        inverse2(&v1, &v3, f1, offset2, l);
        if (reduce) {
            v0 = ola_reduce52(v0, l);
            v1 = ola_reduce52(v1, l);
        }
        if (last) {
            v0 = ola_finish(ola_mul_shoup52(v0, f0.w, f0.ws, l), l);
            v1 = ola_finish(ola_mul_shoup52(v1, f0.w, f0.ws, l), l);
            v2 = ola_finish(v2, l);
            v3 = ola_finish(v3, l);
        }
        ola_store(a + j, v0);
        ola_store(a + j + quarter, v1);
        ola_store(a + j + 2 * quarter, v2);
        ola_store(a + j + 3 * quarter, v3);
    }
}

/* Three stages over one block of 8 * eighth words. `middle`: sums are brought below 2q after the
 * second. */
OLA_INLINE void
inverse_pass8(uint64_t *a, size_t eighth, const struct ola_ntt *t, size_t k, uint64_t offset,
              const struct ola_lanes *l, int middle, int reduce)
{
    const struct twiddle f1 = twiddle_at(t->iw, t->iws, k);
    struct twiddle f2[2], f4[4];
    const ola_vec offset1 = ola_splat(offset), offset2 = ola_splat(2 * offset);
    const ola_vec offset4 = middle ? l->q2 : ola_splat(4 * offset);
    for (size_t i = 0; i < 2; i++)
        f2[i] = twiddle_at(t->iw, t->iws, 2 * k + i);
    for (size_t i = 0; i < 4; i++)
        f4[i] = twiddle_at(t->iw, t->iws, 4 * k + i);
    for (size_t j = 0; j < eighth; j += OLA_LANES) {
        ola_vec v[8];
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            v[i] = ola_load(a + j + i * eighth);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++)
            inverse2(&v[2 * i], &v[2 * i + 1], f4[i], offset1, l);
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            inverse2(&v[i + (i & 2)], &v[i + (i & 2) + 2], f2[i / 2], offset2, l);
            if (middle)
                v[i + (i & 2)] = ola_reduce52(v[i + (i & 2)], l);
        }
#pragma GCC unroll 4
        for (size_t i = 0; i < 4; i++) {
            inverse2(&v[i], &v[i + 4], f1, offset4, l);
            if (reduce)
                v[i] = ola_reduce52(v[i], l);
        }
#pragma GCC unroll 8
        for (size_t i = 0; i < 8; i++)
            ola_store(a + j + i * eighth, v[i]);
    }
}

/* The first three stages on four times 16 words below q: forward_last3 backwards. Ends below 8q,
 * or 2q with `reduce`. */
OLA_INLINE void
inverse_first3(ola_vec *v, const struct ola_ntt *t, size_t k, const struct ola_lanes *l, int reduce)
{
    const ola_vec even_pairs = _mm512_setr_epi64(0, 1, 8, 9, 4, 5, 12, 13);
    const ola_vec odd_pairs = _mm512_setr_epi64(2, 3, 10, 11, 6, 7, 14, 15);
    const ola_vec even = _mm512_setr_epi64(0, 2, 4, 6, 8, 10, 12, 14);
    const ola_vec odd = _mm512_setr_epi64(1, 3, 5, 7, 9, 11, 13, 15);
    const ola_vec q4 = _mm512_add_epi64(l->q2, l->q2);
    ola_vec x[4], y[4];
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        x[i] = _mm512_permutex2var_epi64(v[2 * i], even, v[2 * i + 1]);
        y[i] = _mm512_permutex2var_epi64(v[2 * i], odd, v[2 * i + 1]);
        struct twiddle f = {ola_load(t->iw + k + 8 * i), ola_load(t->iws + k + 8 * i)};
        inverse2(&x[i], &y[i], f, l->q, l);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        ola_vec u = _mm512_unpacklo_epi64(x[i], y[i]);
        y[i] = _mm512_unpackhi_epi64(x[i], y[i]);
        x[i] = u;
        inverse2(&x[i], &y[i], spread2(t->iw, t->iws, k / 2 + 4 * i), l->q2, l);
    }
#pragma GCC unroll 4
    for (size_t i = 0; i < 4; i++) {
        ola_vec u = _mm512_permutex2var_epi64(x[i], even_pairs, y[i]);
        y[i] = _mm512_permutex2var_epi64(x[i], odd_pairs, y[i]);
        inverse2(&u, &y[i], spread4(t->iw, t->iws, k / 4 + 2 * i), q4, l);
        x[i] = reduce ? ola_reduce52(u, l) : u;
        v[2 * i] = _mm512_shuffle_i64x2(x[i], y[i], 0x44);
        v[2 * i + 1] = _mm512_shuffle_i64x2(x[i], y[i], 0xee);
    }
}

/* The first three stages on BASES blocks of 8 words below q. Ends below 8q, or 2q with `reduce`. */
OLA_INLINE void
inverse_base(uint64_t *a, const struct ola_ntt *t, size_t k, const struct ola_lanes *l, int reduce)
{
    ola_vec v[BASES];
#pragma GCC unroll 8
    for (size_t i = 0; i < BASES; i++)
        v[i] = ola_load(a + 8 * i);
    inverse_first3(v, t, 4 * k, l, reduce);
#pragma GCC unroll 8
    for (size_t i = 0; i < BASES; i++)
        ola_store(a + 8 * i, v[i]);
}

/* ---- inverse passes over `count` blocks; the pass after this one multiplies B by `next` ---- */

static void
inverse_sweep_base(uint64_t *a, size_t count, const struct ola_ntt *t, size_t k, uint64_t next,
                   uint64_t *bound)
{
    const struct ola_lanes l = ola_lanes_make(t->mod.q);
    if (8 * next > bound_limit(t)) {
        for (size_t b = 0; b < count; b += BASES)
            inverse_base(a + (b << BASE_LOG), t, k + b, &l, 1);
        *bound = 2;
    } else {
        for (size_t b = 0; b < count; b += BASES)
            inverse_base(a + (b << BASE_LOG), t, k + b, &l, 0);
        *bound = 8;
    }
}

static void
inverse_sweep8(uint64_t *a, uint32_t log_len, size_t count, const struct ola_ntt *t, size_t k,
               uint64_t next, uint64_t *bound)
{
    const struct ola_lanes l = ola_lanes_make(t->mod.q);
    const size_t eighth = (size_t)1 << (log_len - 3);
    const uint64_t offset = *bound * t->mod.q;
    if (8 * *bound > bound_limit(t)) {
        for (size_t b = 0; b < count; b++)
            inverse_pass8(a + (b << log_len), eighth, t, k + b, offset, &l, 1, 1);
        *bound = 2;
    } else if (8 * *bound * next > bound_limit(t)) {
        for (size_t b = 0; b < count; b++)
            inverse_pass8(a + (b << log_len), eighth, t, k + b, offset, &l, 0, 1);
        *bound = 2;
    } else {
        for (size_t b = 0; b < count; b++)
            inverse_pass8(a + (b << log_len), eighth, t, k + b, offset, &l, 0, 0);
        *bound *= 8;
    }
}

static void
inverse_sweep4(uint64_t *a, uint32_t log_len, size_t count, const struct ola_ntt *t, size_t k,
               const struct ends *ends, uint64_t *bound)
{
    const struct ola_lanes l = ola_lanes_make(t->mod.q);
    const size_t quarter = (size_t)1 << (log_len - 2);
    const uint64_t offset = *bound * t->mod.q;
    if (log_len == t->log_n) {
        inverse_pass4(a, quarter, t, 1, offset, &l, 0, ends);
    } else if (16 * *bound > bound_limit(t)) {
        for (size_t b = 0; b < count; b++)
            inverse_pass4(a + (b << log_len), quarter, t, k + b, offset, &l, 1, NULL);
        *bound = 2;
    } else {
        for (size_t b = 0; b < count; b++)
            inverse_pass4(a + (b << log_len), quarter, t, k + b, offset, &l, 0, NULL);
        *bound *= 4;
    }
}

/* The stages of one block that fits the cache: passes of three stages, then of two, the last of all
 * being one of these. */
static uint64_t
inverse_cached(uint64_t *a, uint32_t log_len, const struct ola_ntt *t, size_t k,
               const struct ends *ends)
{
    uint64_t bound;
    uint32_t level = BASE_LOG, fours = log_len == t->log_n;
    while ((log_len - BASE_LOG - 2 * fours) % 3 != 0)
        fours++;
    const uint32_t eights_end = log_len - 2 * fours;
    size_t count = (size_t)1 << (log_len - BASE_LOG);
    inverse_sweep_base(a, count, t, k * count, level < eights_end ? 8 : 4, &bound);
    while (level < eights_end) {
        level += 3;
        count >>= 3;
        inverse_sweep8(a, level, count, t, k * count, level < eights_end ? 8 : 4, &bound);
    }
    for (level += 2; level <= log_len; level += 2) {
        count >>= 2;
        inverse_sweep4(a, level, count, t, k * count, ends, &bound);
    }
    return bound;
}

/* Block by block what fits the cache, then wide passes of two stages. */
static void
inverse_to(uint64_t *out, const uint64_t *a, const struct ends *ends, const struct ola_ntt *t)
{
    uint32_t log_len = t->log_n;
    while (log_len > CACHE_LOG)
        log_len -= 2;
    const size_t block = (size_t)1 << log_len;
    size_t count = (size_t)1 << (t->log_n - log_len);
    uint64_t bound = 1;
    for (size_t b = 0; b < count; b++) {
        if (out != a)
            memcpy(out + b * block, a + b * block, block * sizeof *out);
        bound = inverse_cached(out + b * block, log_len, t, count + b, ends);
    }
    for (log_len += 2; log_len <= t->log_n; log_len += 2) {
        count >>= 2;
        inverse_sweep4(out, log_len, count, t, count, ends, &bound);
    }
}

void
ola_avx512ifma_ntt_inverse(uint64_t *a, const struct ola_ntt *t)
{
    const struct ends ends = {{t->iw[0], t->iw[1]}, {t->iws[0], t->iws[1]}};
    inverse_to(a, a, &ends, t);
}

void
ola_avx512ifma_ntt_inverse_scaled(uint64_t *out, const uint64_t *a, uint64_t factor,
                                  const struct ola_ntt *t)
{
    struct ends ends;
    for (uint32_t i = 0; i < 2; i++) {
        ends.w[i] = ola_mul_barrett(t->iw[i], factor, &t->mod);
        ends.ws[i] = ola_shoup(ends.w[i], t->mod.q) >> 12;
    }
    inverse_to(out, a, &ends, t);
}

#endif
